// SPDX-License-Identifier: Apache-2.0

package idp

import (
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/keys"
)

// ReasonMisconfiguredProvider is the Status.Reason of a provider that cannot be used as it is written.
const ReasonMisconfiguredProvider keys.Reason = "InvalidSource"

// Status is how a provider's endpoints and keys are doing: the condition UpstreamReady.
type Status struct {
	Fetched bool // the provider has been asked for something
	Ready   bool // and the last fetch brought what was wanted

	Reason  keys.Reason
	Message string    // for a person: the cause and the fix, "" when all is well
	Since   time.Time // since when Reason holds; zero before the first fetch
}
