// SPDX-License-Identifier: Apache-2.0

package expression

import (
	"github.com/google/cel-go/checker"
)

// What a claim may hold in the worst token, for estimates. Whatever stands inside a list or object shares the token's
// bytes with its neighbours, so it is short where there are many.
const (
	worstClaim   = 16 << 10 // bytes of a string, elements of a list, members of an object
	worstElement = 64       // of a value inside a claim
	// maxEstimate admits two nested loops over claims, which may well end early, and no third.
	maxEstimate = 1_000_000_000_000
)

// estimator tells cel-go's checker how large what it cannot see may be.
type estimator struct{}

// EstimateSize implements [checker.CostEstimator].
func (estimator) EstimateSize(node checker.AstNode) *checker.SizeEstimate {
	for _, step := range node.Path() {
		switch step {
		case "@items", "@keys", "@values", "@indices":
			return &checker.SizeEstimate{Max: worstElement}
		}
	}
	return &checker.SizeEstimate{Max: worstClaim}
}

// EstimateCallCost implements [checker.CostEstimator]: cel-go's own figures are near enough for a limit that only refuses
// what has no hope.
func (estimator) EstimateCallCost(string, string, *checker.AstNode, []checker.AstNode) *checker.CallEstimate {
	return nil
}
