// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// RunNone checks that a store without rows answers ErrNoStore to every method of the interface, whichever are added to it, and
// that Close succeeds before and after.
func RunNone(t *testing.T, s store.Store) {
	all := reflect.TypeFor[store.Store]()
	for i := range all.NumMethod() {
		method := all.Method(i)
		if method.Name == "Close" {
			continue
		}
		args := []reflect.Value{reflect.ValueOf(context.Background())}
		for n := 1; n < method.Type.NumIn(); n++ {
			args = append(args, reflect.Zero(method.Type.In(n)))
		}
		results := reflect.ValueOf(s).MethodByName(method.Name).Call(args)
		if err, _ := results[len(results)-1].Interface().(error); !errors.Is(err, store.ErrNoStore) {
			t.Errorf("%s answers %v, want ErrNoStore", method.Name, err)
		}
		for _, r := range results[:len(results)-1] {
			if !r.IsZero() {
				t.Errorf("%s returns %v with its error", method.Name, r)
			}
		}
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
}
