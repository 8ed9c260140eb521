// SPDX-License-Identifier: Apache-2.0

package expression

import (
	"errors"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"github.com/google/cel-go/interpreter"
)

// Bounds. They are the outcome of measurement (bench_test.go): the first two bound the time, the others keep a single call
// from taking more than the rest together.
const (
	// MaxCost is how many units the evaluation of one expression may take: a loop over 4,000 short strings.
	MaxCost = 30_000
	// MaxTotal is how many units all expressions that share a [Subject] may take. A policy is its tenant's, the server is
	// everybody's.
	MaxTotal = 60_000
	// MaxText bounds, in bytes, every string that an expression makes, and its result. A token is at most 16 KiB.
	MaxText = 32 << 10
	// maxPattern bounds the instructions of a pattern of matches; an e-mail address takes some 30.
	maxPattern = 512

	textPerUnit    = 32 // bytes of text that a linear pass takes a unit for
	perError       = 4  // units
	productPerUnit = 16 // steps of a search or match that a unit stands for
)

// Errors of an evaluation. None holds anything of the claims.
var (
	// ErrCost: evaluation would take more than [MaxCost], or more than is left of [MaxTotal].
	ErrCost = errors.New("its cost for this token is over the limit")
	// ErrFailed: for instance, a claim that the expression reads is absent, or has another type.
	ErrFailed = errors.New("it fails for these claims; one that it reads may be absent, have another type, or hold a number that cannot be held exactly")
	// ErrResult: the result has a type that it may not have here.
	ErrResult = errors.New("its result has a type that it may not have")
)

// meter is what is left of an evaluation's cost. Nodes find it in the activation under a name that no expression can
// write.
type meter struct{ left int64 }

const meterName = "@meter"

// overrun is what a meter panics with: no operator of CEL may catch it, as || does with errors. Program recovers it.
type overrun struct{}

func (m *meter) charge(units int) {
	if m.left -= int64(units); m.left < 0 || units < 0 {
		panic(overrun{})
	}
}

// failed charges for a value that is an error, which cel-go formats whether or not || then drops it.
func (m *meter) failed(v ref.Val) ref.Val {
	if types.IsError(v) {
		m.charge(perError)
	}
	return v
}

// text charges for a pass over n bytes, and refuses to make more than MaxText of them.
func (m *meter) text(n int) {
	if n > MaxText {
		panic(overrun{})
	}
	m.charge(n / textPerUnit)
}

// product charges for a search that may take a step for each pair of bytes or instructions.
func (m *meter) product(a, b int) { m.charge((a/productPerUnit + 1) * (b + 1)) }

// weigh charges for a walk over the whole of a value. The same value within itself twice is walked twice, as a comparison
// does.
func (m *meter) weigh(v ref.Val) {
	m.charge(1)
	switch v := v.(type) {
	case types.String:
		m.charge(len(v) / textPerUnit)
	case types.Bytes:
		m.charge(len(v) / textPerUnit)
	case *types.Optional:
		if v.HasValue() {
			m.weigh(v.GetValue())
		}
	case traits.Lister:
		for n, i := v.Size().(types.Int), types.Int(0); i < n; i++ {
			m.weigh(v.Get(i))
		}
	case traits.Mapper:
		for it := v.Iterator(); it.HasNext() == types.True; {
			key := it.Next()
			m.weigh(key)
			if value, ok := v.Find(key); ok {
				m.weigh(value)
			}
		}
	}
}

func meterOf(frame interpreter.Activation) *meter {
	found, _ := frame.ResolveName(meterName)
	m, ok := found.(*meter)
	if !ok {
		panic(overrun{}) // fail closed: an evaluation without a meter has no bound
	}
	return m
}
