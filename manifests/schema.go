// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/gatehouse-auth/gatehouse/config/crd"
)

// kindSchema checks objects of one kind as an API server does on create.
type kindSchema struct {
	version    string // apiVersion
	structural *schema.Structural
	openAPI    validation.SchemaValidator
	rules      *cel.Validator
}

// mistake is one thing that the schema does not allow.
type mistake struct{ field, message string }

// loadSchemas reads the embedded CRDs, by kind.
func loadSchemas() (map[string]*kindSchema, error) {
	files, err := fs.Glob(crd.Bases, "bases/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("listing the CRDs: %w", err)
	}
	out := map[string]*kindSchema{}
	for _, file := range files {
		text, err := crd.Bases.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", file, err)
		}
		var definition apiextensionsv1.CustomResourceDefinition
		if err := sigsyaml.UnmarshalStrict(text, &definition); err != nil {
			return nil, fmt.Errorf("reading %s: %w", file, err)
		}
		for _, version := range definition.Spec.Versions {
			s, err := newKindSchema(version.Schema)
			if err != nil {
				return nil, fmt.Errorf("reading %s: %w", file, err)
			}
			s.version = definition.Spec.Group + "/" + version.Name
			out[definition.Spec.Names.Kind] = s
		}
	}
	return out, nil
}

func newKindSchema(v1 *apiextensionsv1.CustomResourceValidation) (*kindSchema, error) {
	var internal apiextensions.CustomResourceValidation
	if err := apiextensionsv1.Convert_v1_CustomResourceValidation_To_apiextensions_CustomResourceValidation(v1, &internal, nil); err != nil {
		return nil, fmt.Errorf("converting the schema: %w", err)
	}
	structural, err := schema.NewStructural(internal.OpenAPIV3Schema)
	if err != nil {
		return nil, fmt.Errorf("reading the structural schema: %w", err)
	}
	openAPI, _, err := validation.NewSchemaValidator(internal.OpenAPIV3Schema)
	if err != nil {
		return nil, fmt.Errorf("preparing the schema: %w", err)
	}
	return &kindSchema{
		structural: structural,
		openAPI:    openAPI,
		rules:      cel.NewValidator(structural, true, celconfig.PerCallLimit),
	}, nil
}

// apply prunes and defaults an object in place and returns its mistakes, in an API server's order: unknown fields,
// metadata, schema, and the CEL rules if the schema holds.
func (s *kindSchema) apply(object map[string]any) []mistake {
	out := s.prune(object)
	delete(object, "status") // a create cannot set it
	defaulting.Default(object, s.structural)

	meta, _, _, err := objectmeta.GetObjectMetaWithOptions(object, objectmeta.ObjectMetaOptions{})
	if err != nil {
		return append(out, mistake{"metadata", err.Error()})
	}
	errs := apivalidation.ValidateObjectMeta(meta, true, apivalidation.NameIsDNSSubdomain, field.NewPath("metadata"))
	errs = append(errs, validation.ValidateCustomResource(nil, object, s.openAPI)...)
	ctx := context.Background() // nothing here waits; the API server's signatures ask for one
	errs = append(errs, objectmeta.Validate(ctx, nil, object, s.structural, false)...)
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, s.structural, object)...)
	if s.rules != nil && !blocks(errs) {
		broken, _ := s.rules.Validate(ctx, nil, s.structural, object, nil, celconfig.RuntimeCELCostBudget)
		errs = append(errs, broken...)
	}
	for _, e := range errs {
		out = append(out, mistake{e.Field, e.Error() + s.hint(e)})
	}
	return out
}

// blocks tells whether the CEL rules cannot run: they rely on types and bounds (apiextensions-apiserver, hasBlockingErr).
func blocks(errs field.ErrorList) bool {
	return slices.ContainsFunc(errs, func(e *field.Error) bool {
		switch e.Type {
		case field.ErrorTypeNotSupported, field.ErrorTypeRequired, field.ErrorTypeTooLong, field.ErrorTypeTooMany, field.ErrorTypeTypeInvalid:
			return true
		}
		return false
	})
}

// prune removes unknown fields and tells each with the known name that is nearest.
func (s *kindSchema) prune(object map[string]any) []mistake {
	var out []mistake
	paths := pruning.PruneWithOptions(object, s.structural, true, schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	slices.Sort(paths)
	for _, path := range paths {
		parent, name := "", path
		if i := strings.LastIndex(path, "."); i >= 0 {
			parent, name = path[:i], path[i+1:]
		}
		out = append(out, mistake{path, fmt.Sprintf("unknown field %q%s", path, suggest(name, s.fields(parent)))})
	}
	_, unknown := objectmeta.CoerceWithOptions(nil, object, s.structural, true, objectmeta.CoerceOptions{ReturnUnknownFieldPaths: true})
	for _, path := range unknown {
		out = append(out, mistake{path, fmt.Sprintf("unknown field %q", path)})
	}
	return out
}

// fields are the names that the schema knows under a path.
func (s *kindSchema) fields(path string) []string {
	at := s.structural
	for _, m := range step.FindAllStringSubmatch(path, -1) {
		switch next, ok := at.Properties[m[1]]; {
		case m[1] != "" && ok:
			at = &next
		case m[1] == "" && at.Items != nil:
			at = at.Items
		case at.AdditionalProperties != nil && at.AdditionalProperties.Structural != nil:
			at = at.AdditionalProperties.Structural
		default:
			return nil
		}
	}
	known := slices.Collect(maps.Keys(at.Properties))
	return slices.DeleteFunc(known, func(name string) bool { return path == "" && name == "status" })
}
