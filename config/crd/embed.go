// SPDX-License-Identifier: Apache-2.0

// Package crd holds the generated CustomResourceDefinitions, so that the offline commands check manifests against
// the very schemas that an API server gets. `make manifests` writes the files from api/v1alpha1.
package crd

import "embed"

// Bases holds bases/<group>_<plural>.yaml.
//
//go:embed bases/*.yaml
var Bases embed.FS
