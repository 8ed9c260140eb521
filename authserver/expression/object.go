// SPDX-License-Identifier: Apache-2.0

package expression

import (
	"errors"
	"reflect"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

// member is a member of an object; value is nil until it is asked for.
type member struct {
	name  types.String
	raw   string
	value ref.Val
}

func (m *member) get() ref.Val {
	if m.value == nil {
		m.value = fromJSON(m.raw)
	}
	return m.value
}

// object is a JSON object as a CEL map with string keys, in the order in which it was written. It belongs to one
// evaluation.
type object struct {
	members []member
	index   map[types.String]int // only where there are many
}

const manyMembers = 16

func newObject(members []member) *object {
	o := &object{members: members}
	if len(members) > manyMembers {
		o.index = make(map[types.String]int, len(members))
		for i := range members {
			o.index[members[i].name] = i
		}
	}
	return o
}

func objectFromJSON(raw string) ref.Val {
	var members []member
	r := scanner{raw, 1}
	for r.more('}') {
		name, ok := unquote(r.value())
		if !ok || !r.more('}') {
			return errValue()
		}
		members = append(members, member{name: types.String(name), raw: r.value()})
	}
	return newObject(members)
}

// Find implements [traits.Mapper].
func (o *object) Find(key ref.Val) (ref.Val, bool) {
	name, ok := key.(types.String)
	if !ok {
		return nil, false // every key is a string
	}
	if o.index != nil {
		i, ok := o.index[name]
		if !ok {
			return nil, false
		}
		return o.members[i].get(), true
	}
	for i := range o.members {
		if o.members[i].name == name {
			return o.members[i].get(), true
		}
	}
	return nil, false
}

// Get implements [traits.Indexer].
func (o *object) Get(key ref.Val) ref.Val {
	if value, ok := o.Find(key); ok {
		return value
	}
	return types.NewErrFromString("no such member")
}

// Contains implements [traits.Container].
func (o *object) Contains(key ref.Val) ref.Val {
	_, ok := o.Find(key)
	return types.Bool(ok)
}

// Size implements [traits.Sizer].
func (o *object) Size() ref.Val { return types.Int(len(o.members)) }

// IsZeroValue implements [traits.Zeroer].
func (o *object) IsZeroValue() bool { return len(o.members) == 0 }

// Iterator implements [traits.Iterable].
func (o *object) Iterator() traits.Iterator { return &names{members: o.members} }

// unreadable is what a comparison of all claims panics with if one of them is an error: a list that the claims are in would
// drop it. Program recovers it.
type unreadable struct{}

// Equal implements [ref.Val].
func (o *object) Equal(other ref.Val) ref.Val {
	theirs, ok := other.(traits.Mapper)
	if !ok || theirs.Size() != o.Size() {
		return types.False
	}
	for i := range o.members {
		value, ok := theirs.Find(o.members[i].name)
		if types.IsError(o.members[i].get()) || ok && types.IsError(value) {
			panic(unreadable{})
		}
		if !ok || types.Equal(o.members[i].get(), value) != types.True {
			return types.False
		}
	}
	return types.True
}

// ConvertToType implements [ref.Val].
func (o *object) ConvertToType(t ref.Type) ref.Val {
	switch t {
	case types.MapType:
		return o
	case types.TypeType:
		return types.MapType
	}
	return types.NewErrFromString("an object converts to no other type")
}

// ConvertToNative implements [ref.Val]; no function that is available needs it.
func (o *object) ConvertToNative(reflect.Type) (any, error) {
	return nil, errors.New("an object converts to no Go type")
}

// Type implements [ref.Val].
func (o *object) Type() ref.Type { return types.MapType }

// Value implements [ref.Val].
func (o *object) Value() any { return o }

// names iterates over the member names.
type names struct {
	members []member
	next    int
}

// HasNext implements [traits.Iterator].
func (n *names) HasNext() ref.Val { return types.Bool(n.next < len(n.members)) }

// Next implements [traits.Iterator].
func (n *names) Next() ref.Val {
	if n.next >= len(n.members) {
		return nil
	}
	n.next++
	return n.members[n.next-1].name
}

func (n *names) ConvertToNative(reflect.Type) (any, error) {
	return nil, errors.New("an iterator converts to no Go type")
}
func (n *names) ConvertToType(ref.Type) ref.Val { return types.NoSuchOverloadErr() }
func (n *names) Equal(ref.Val) ref.Val          { return types.NoSuchOverloadErr() }
func (n *names) Type() ref.Type                 { return types.IteratorType }
func (n *names) Value() any                     { return nil }

// maxScans is how many members of the token are looked for one by one. Behind it stands an index: a token has up to 256, and
// a step of an expression must not take as many.
const maxScans = 64

// root is the variable claims or userinfo. A member is looked up in the token when it is asked for, and read once; the whole is
// built only for what needs it, such as a loop over all claims, and for what asks often.
type root struct {
	claims Members
	meter  *meter
	scans  int
	seen   []member
	all    *object
}

// whole charges for a pass over the token.
func (r *root) whole() *object {
	if r.all != nil {
		return r.all
	}
	var members []member
	for name, value := range r.claims.All() {
		m := member{name: types.String(name), raw: value.JSON()}
		r.meter.charge(1 + len(m.raw)/textPerUnit)
		if !readable(m.raw) {
			m.value = errValue()
		}
		members = append(members, m)
	}
	r.all = newObject(members)
	return r.all
}

// Find implements [traits.Mapper].
func (r *root) Find(key ref.Val) (ref.Val, bool) {
	if r.scans++; r.all != nil || r.scans > maxScans {
		return r.whole().Find(key)
	}
	name, ok := key.(types.String)
	if !ok {
		return nil, false
	}
	for i := range r.seen {
		if r.seen[i].name == name {
			return r.seen[i].value, true
		}
	}
	value, ok := r.claims.Lookup(string(name))
	if !ok {
		return nil, false
	}
	r.seen = append(r.seen, member{name: name, value: claimFromJSON(value.JSON())})
	return r.seen[len(r.seen)-1].value, true
}

// Contains implements [traits.Container].
func (r *root) Contains(key ref.Val) ref.Val {
	_, ok := r.Find(key)
	return types.Bool(ok)
}

// Get implements [traits.Indexer].
func (r *root) Get(key ref.Val) ref.Val {
	if value, ok := r.Find(key); ok {
		return value
	}
	return types.NewErrFromString("no such claim")
}

func (r *root) Size() ref.Val                               { return r.whole().Size() }
func (r *root) IsZeroValue() bool                           { return r.whole().IsZeroValue() }
func (r *root) Iterator() traits.Iterator                   { return r.whole().Iterator() }
func (r *root) Equal(other ref.Val) ref.Val                 { return r.whole().Equal(other) }
func (r *root) ConvertToType(t ref.Type) ref.Val            { return r.whole().ConvertToType(t) }
func (r *root) ConvertToNative(t reflect.Type) (any, error) { return r.whole().ConvertToNative(t) }
func (r *root) Type() ref.Type                              { return types.MapType }
func (r *root) Value() any                                  { return r }
