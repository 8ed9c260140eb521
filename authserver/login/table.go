// SPDX-License-Identifier: Apache-2.0

package login

import "container/list"

// table is a map of at most size rows; the row written longest ago makes room.
type table[K comparable, V any] struct {
	size  int
	rows  map[K]*list.Element
	order *list.List // of row, the last written first
}

type row[K comparable, V any] struct {
	key   K
	value V
}

func newTable[K comparable, V any](size int) *table[K, V] {
	return &table[K, V]{size: size, rows: map[K]*list.Element{}, order: list.New()}
}

func (t *table[K, V]) get(key K) (value V, ok bool) {
	e, ok := t.rows[key]
	if !ok {
		return value, false
	}
	return e.Value.(row[K, V]).value, true
}

func (t *table[K, V]) put(key K, value V) {
	if e, ok := t.rows[key]; ok {
		e.Value = row[K, V]{key, value}
		t.order.MoveToFront(e)
		return
	}
	if len(t.rows) >= t.size {
		t.remove(t.order.Back().Value.(row[K, V]).key)
	}
	t.rows[key] = t.order.PushFront(row[K, V]{key, value})
}

func (t *table[K, V]) remove(key K) {
	if e, ok := t.rows[key]; ok {
		t.order.Remove(e)
		delete(t.rows, key)
	}
}
