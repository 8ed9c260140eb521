// SPDX-License-Identifier: Apache-2.0

package roots

import (
	_ "time/tzdata" // the time zones

	_ "golang.org/x/crypto/x509roots/fallback" // the CA certificates
)
