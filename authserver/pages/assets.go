// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// AssetPath is what the paths of stylesheet and images begin with. A name holds the hash of the content, so it may be cached for ever.
const AssetPath = "/assets/gatehouse/"

//go:embed assets/pages.css assets/mark.svg
var embedded embed.FS

// extensions are the media types that images may have, and how their paths end. SVG is only our own: it can hold scripts.
var extensions = map[string]string{"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp"}

// asset is a file that browsers may keep.
type asset struct {
	mediaType string
	data      []byte
}

// assets are the files of one configuration by path.
type assets struct {
	files      map[string]asset
	stylesheet string
	mark       string
}

func newAssets(images []*config.Image) *assets {
	a := &assets{files: make(map[string]asset)}
	a.stylesheet = a.add(asset{"text/css; charset=utf-8", mustRead("assets/pages.css")}, ".css")
	a.mark = a.add(asset{"image/svg+xml", mustRead("assets/mark.svg")}, ".svg")
	for _, image := range images {
		if image == nil || len(image.Data) == 0 {
			continue
		}
		if extension, ok := extensions[image.MediaType]; ok {
			a.add(asset{image.MediaType, image.Data}, extension)
		}
	}
	return a
}

func (a *assets) add(file asset, extension string) (path string) {
	path = assetName(file.data, extension)
	a.files[path] = file
	return path
}

// url is where browsers fetch an image: our own path, or an https URL that the page's policy names; "" if neither.
func (a *assets) url(image *config.Image) string {
	switch {
	case image == nil:
		return ""
	case len(image.Data) > 0:
		path := assetName(image.Data, extensions[image.MediaType])
		if _, ok := a.files[path]; !ok {
			return ""
		}
		return path
	case remoteOrigin(image) != "":
		return image.URL
	default:
		return ""
	}
}

func assetName(data []byte, extension string) string {
	sum := sha256.Sum256(data)
	return AssetPath + hex.EncodeToString(sum[:12]) + extension
}

// serve answers GET and HEAD. While replicas of two versions run side by side, one's page may ask the other for a stylesheet that it does not have:
// it gets the one there is, not to be kept.
func (a *assets) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	file, ok := a.files[r.URL.Path]
	switch {
	case ok:
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	case strings.HasSuffix(r.URL.Path, ".css"):
		file = a.files[a.stylesheet]
		h.Set("Cache-Control", "no-store")
	default:
		h.Set("Cache-Control", "no-store")
		http.Error(w, "there is nothing at this path", http.StatusNotFound)
		return
	}
	h.Set("Content-Type", file.mediaType)
	h.Set("Content-Length", strconv.Itoa(len(file.data)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(file.data) // a browser that is gone is no concern of ours
	}
}

// mustRead reads a file that the program was built with.
func mustRead(name string) []byte {
	data, err := embedded.ReadFile(name)
	if err != nil {
		panic(err)
	}
	return data
}
