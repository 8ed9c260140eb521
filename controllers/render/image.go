// SPDX-License-Identifier: Apache-2.0

package render

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// maxImage bounds an image in bytes.
const maxImage = 64 << 10

func imageRef(i *v1alpha1.Image, namespace string) Ref {
	return Ref{v1alpha1.BundleConfigMap, namespace, i.ConfigMapRef.Name}
}

// planImage checks what an image says of itself. Its URL becomes part of a page and of its Content-Security-Policy.
func planImage(f *findings, field string, i *v1alpha1.Image) {
	switch {
	case (i.URL == "") == (i.ConfigMapRef == nil):
		f.refuse(v1alpha1.ReasonInvalid, field, "set exactly one of url and configMapRef")
	case i.URL != "":
		u, err := url.Parse(i.URL)
		if err != nil || u.Scheme != "https" || u.User != nil || checkEndpoint(i.URL) != nil || strings.ContainsAny(i.URL, "#;,'\"\\<> ") {
			f.refuse(v1alpha1.ReasonInvalid, field+".url", "must be an https URL such as https://example.com/icon.png, without user, fragment, quotes, commas, semicolons or spaces")
		}
	}
}

// image returns a picture as the server reads it, nil for none, or where something stands in the way.
func (r *resolver) image(f *findings, field string, i *v1alpha1.Image, namespace string) *config.Image {
	switch {
	case i == nil:
		return nil
	case i.ConfigMapRef == nil:
		return &config.Image{URL: i.URL}
	}
	ref, key := imageRef(i, namespace), i.ConfigMapRef.Key
	field += ".configMapRef"
	data, ok := r.value(f, field, ref, key)
	if !ok {
		return nil
	}
	mediaType, err := sniff(data)
	if err != nil {
		f.refuseRef(v1alpha1.ReasonRefInvalid, field, "key %q of %s %v", key, ref, err)
		return nil
	}
	return &config.Image{MediaType: mediaType, Data: data}
}

// sniff finds an image's media type by its first bytes. The error continues "key K of ConfigMap N". SVG is none of them: it can hold scripts.
func sniff(data []byte) (mediaType string, err error) {
	switch {
	case len(data) > maxImage:
		return "", fmt.Errorf("has %d bytes, at most %d are allowed: make the picture smaller (64 by 64 pixels are enough for an icon)", len(data), maxImage)
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		return "image/png", nil
	case bytes.HasPrefix(data, []byte("\xff\xd8\xff")):
		return "image/jpeg", nil
	case len(data) >= 12 && bytes.HasPrefix(data, []byte("RIFF")) && string(data[8:12]) == "WEBP":
		return "image/webp", nil
	}
	return "", errors.New("is no PNG, JPEG or WebP: convert the picture, and make the ConfigMap with kubectl create configmap --from-file")
}
