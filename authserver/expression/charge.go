// SPDX-License-Identifier: Apache-2.0

package expression

import (
	"errors"
	"strings"

	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

var errPattern = errors.New("the pattern of matches must be a literal string")

// charger charges for a call before it is made; false if the function does not take such arguments.
type charger func(m *meter, args []ref.Val) bool

// charges are the functions that may work or write more than a pass over their texts. matches is charged by its pattern.
var charges = map[string]charger{
	operators.In:      chargeIn,
	operators.Add:     chargeAdd,
	"contains":        chargeSearch,
	"indexOf":         chargeSearch,
	"lastIndexOf":     chargeSearch,
	"join":            chargeJoin,
	"replace":         chargeReplace,
	"split":           chargeSplit,
	"sets.contains":   chargeSets,
	"sets.equivalent": chargeSets,
	"sets.intersects": chargeSets,
}

// chargeText charges for a pass over all texts. Four times, since most functions of strings go through runes.
func chargeText(m *meter, args []ref.Val) bool {
	for _, arg := range args {
		if text, ok := arg.(types.String); ok && len(text) >= textPerUnit/4 {
			m.text(len(text))
			m.charge(3 * len(text) / textPerUnit)
		}
	}
	return true
}

// chargeEquality charges for a comparison: of two strings, of which it is over at once if their lengths differ, or of one
// aggregate with another, at most the whole of one of them.
func chargeEquality(m *meter, left, right ref.Val) {
	m.charge(1)
	switch l := left.(type) {
	case types.String:
		if r, ok := right.(types.String); ok && len(l) == len(r) {
			m.charge(len(l) / textPerUnit)
		}
	case traits.Lister, traits.Mapper, *types.Optional:
		m.weigh(left)
	}
}

func chargeIn(m *meter, args []ref.Val) bool {
	list, ok := args[1].(traits.Lister)
	if !ok {
		return true // a map, which finds its keys in one step
	}
	if text, ok := args[0].(types.String); ok {
		m.charge(int(list.Size().(types.Int)) * (1 + len(text)/textPerUnit))
		return true
	}
	m.weigh(list)
	return true
}

func chargeAdd(m *meter, args []ref.Val) bool {
	left, ok := args[0].(types.String)
	if !ok {
		return true
	}
	if right, ok := args[1].(types.String); ok {
		m.text(len(left) + len(right))
	}
	return true
}

// chargeSearch charges for looking for one string at every place of another.
func chargeSearch(m *meter, args []ref.Val) bool {
	text, ok := args[0].(types.String)
	if !ok {
		return true
	}
	if part, ok := args[1].(types.String); ok {
		m.text(len(text))
		m.product(len(text), len(part))
	}
	return true
}

// chargeJoin charges for the string that joining makes. It takes lists of strings only: the function would write any
// other element into its error.
func chargeJoin(m *meter, args []ref.Val) bool {
	list, ok := args[0].(traits.Lister)
	if !ok {
		return false
	}
	separator := types.String("")
	if len(args) > 1 {
		if separator, ok = args[1].(types.String); !ok {
			return false
		}
	}
	n := list.Size().(types.Int)
	m.charge(int(n))
	total := 0
	for i := types.Int(0); i < n; i++ {
		element, ok := list.Get(i).(types.String)
		if !ok {
			return false
		}
		if total += len(element) + len(separator); total > MaxText {
			panic(overrun{})
		}
	}
	m.text(total)
	return true
}

// chargeReplace charges for the string that replacing makes, as if every occurrence were replaced.
func chargeReplace(m *meter, args []ref.Val) bool {
	var texts [3]string
	for i := range texts {
		text, ok := args[i].(types.String)
		if !ok {
			return false
		}
		texts[i] = string(text)
	}
	m.text(len(texts[0]))
	count := strings.Count(texts[0], texts[1])
	m.text(len(texts[0]) + count*max(0, len(texts[2])-len(texts[1])))
	m.charge(count)
	return true
}

// chargeSplit charges for the list that splitting makes.
func chargeSplit(m *meter, args []ref.Val) bool {
	text, ok := args[0].(types.String)
	if !ok {
		return true
	}
	if separator, ok := args[1].(types.String); ok {
		m.text(len(text))
		m.charge(strings.Count(string(text), string(separator)))
	}
	return true
}

// chargeSets charges for comparing every element of one list with every one of the other, both ways.
func chargeSets(m *meter, args []ref.Val) bool {
	a, ok := args[0].(traits.Lister)
	if !ok {
		return true
	}
	b, ok := args[1].(traits.Lister)
	if !ok {
		return true
	}
	before := m.left
	m.weigh(a)
	m.weigh(b)
	weight := before - m.left
	m.charge(2 * int(weight) * int(min(a.Size().(types.Int), b.Size().(types.Int))))
	return true
}
