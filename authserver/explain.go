// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/keys"
	"github.com/gatehouse-auth/gatehouse/authserver/policy"
)

// Explain reports what a server that serves the rendered files would decide about a request at the time now, and why: POST /explain
// without a server. Key sets are fetched as a server does, which waits up to 5 s for one; extraCIDRs may be dialled in addition to those of
// the files. It opens no port and no store. The error names the file that cannot be used.
func Explain(ctx context.Context, files map[string][]byte, extraCIDRs []netip.Prefix, f *policy.Facts, now time.Time) (*policy.Report, error) {
	return explain(files, extraCIDRs, func(policies *policy.Set) *policy.Report { return policies.Explain(ctx, f, now) })
}

// explain asks the policies of the files.
func explain(files map[string][]byte, extraCIDRs []netip.Prefix, ask func(*policy.Set) *policy.Report) (*policy.Report, error) {
	engine := keys.New(keys.Options{})
	defer engine.Close()
	l, err := newLoader(&Options{ExtraAllowedCIDRs: extraCIDRs}, engine)
	if err != nil {
		return nil, fmt.Errorf("explaining a decision: %w", err)
	}
	snap := l.load(files)
	if err := errors.Join(l.problems()...); err != nil {
		return nil, fmt.Errorf("explaining a decision: %w", err)
	}
	if snap == nil {
		return nil, errors.New("explaining a decision: the files are no configuration")
	}
	return ask(snap.policies), nil
}
