// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"maps"
	"slices"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/controllers/render"
)

// note records what was written and returns its hash.
func (st *serverState) note(files map[string][]byte, sets [][]string, out *render.Output, now time.Time) string {
	hashes := make(map[string]string, len(files)+1)
	for name, content := range files {
		hashes[name] = config.Hash(content)
	}
	common := []string{config.FileBase}
	if st.keys.hash != "" {
		hashes[config.FileKeys] = st.keys.hash
		common = append(common, config.FileKeys)
	}
	complete := make([][]string, len(sets))
	for i, set := range sets {
		complete[i] = append(slices.Clone(common), set...)
	}
	st.ledger.record(hashes, complete, entries(out, files), now)
	return config.Hash([]byte(out.Hash + st.keys.hash))
}

// entries says where each object is. A policy is in one file of each set.
func entries(out *render.Output, files map[string][]byte) []entry {
	counts := map[int]bool{}
	for name := range files {
		if count, _, ok := config.ParseTenantsFile(name); ok {
			counts[count] = true
		}
	}
	list := make([]entry, 0, len(out.Verdicts))
	for key, v := range out.Verdicts {
		if v.File == "" || (!v.Served && !v.Disabled) {
			continue
		}
		e := entry{key: key, fingerprint: v.Fingerprint, files: []string{v.File}}
		if _, n, ok := config.ParseTenantsFile(v.File); ok {
			e.files = nil
			for count := range counts {
				if file := config.TenantsFile(count, n&(count-1)); files[file] != nil {
					e.files = append(e.files, file)
				}
			}
		}
		list = append(list, e)
	}
	return list
}

// allSets returns the rendered files, those of smaller sets that pods still mount, and the tenants files of each set.
func allSets(out *render.Output, mounted []int) (map[string][]byte, [][]string, error) {
	files := maps.Clone(out.Files)
	sets := [][]string{tenantsFiles(out.ShardCount)}
	for _, count := range mounted {
		if count >= out.ShardCount {
			continue
		}
		older, err := folded(out.Files, count)
		if err != nil {
			return nil, nil, err
		}
		maps.Copy(files, older)
		sets = append(sets, tenantsFiles(count))
	}
	return files, sets, nil
}

func tenantsFiles(count int) []string {
	names := make([]string, count)
	for n := range names {
		names[n] = config.TenantsFile(count, n)
	}
	return names
}
