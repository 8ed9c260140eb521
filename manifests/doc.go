// SPDX-License-Identifier: Apache-2.0

// Package manifests reads Gatehouse's objects from files, without a cluster, and says what is wrong with them by file and
// line. The commands serve, render and lint stand on it.
//
//	loader, err := manifests.NewLoader()
//	set, err := loader.Load(paths, os.Stdin)   // files, folders, "-"
//	for _, server := range set.Servers() {
//		result, err := set.Render(server, manifests.RenderOptions{})
//	}
//	set.Findings                                // what was left out while reading
//
// The checks are an API server's, by its own code: the schema, defaults and CEL rules of config/crd (schema.go), strict
// about unknown fields; what follows is the operator's own render. A document that fails is reported and left out; the
// others of its file are read all the same.
//
// What an API server would add is made up: an object without namespace is in "default", there is no creationTimestamp
// (claims go by namespace and name), a namespace has the labels of its Namespace document and kubernetes.io/metadata.name.
// The AuthServer "default" of an object's own namespace is implied where no document has it.
//
// Secrets and ConfigMaps are read as what references may name. No message holds one of their values.
package manifests
