// SPDX-License-Identifier: Apache-2.0

package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
)

// Names of the rendered files.
const (
	FileBase     = "base.json"
	FileKeys     = "keys.json"
	FileOpsToken = "ops-token"
)

// Limits of rendered files, in bytes.
const (
	// MaxObject is what one object may render to.
	MaxObject = 128 << 10
	// MaxShard is what one compressed tenants file should stay below; render grows the number of shards before it is reached.
	MaxShard = 512 << 10
	// MaxFile is what the server reads of one file, compressed or not: a Secret holds at most 1 MiB.
	MaxFile = 1 << 20
	// MaxShardContent is what a tenants file may hold uncompressed.
	MaxShardContent = 64 << 20
	// MaxShards is the largest number of shards.
	MaxShards = 256
	// MaxCredentials is how many credentials one tenants file may hold; render has no room for as many in all of them.
	MaxCredentials = 16384
)

// TenantsFile is the name of shard n's file.
func TenantsFile(count, n int) string { return fmt.Sprintf("tenants-%d-%d.json.gz", count, n) }

var tenantsFile = regexp.MustCompile(`^tenants-([1-9][0-9]{0,2})-(0|[1-9][0-9]{0,2})\.json\.gz$`)

// ParseTenantsFile takes a file name apart; ok is false for any other name and for numbers out of range.
func ParseTenantsFile(name string) (count, n int, ok bool) {
	m := tenantsFile.FindStringSubmatch(name)
	if m == nil {
		return 0, 0, false
	}
	count, _ = strconv.Atoi(m[1]) // three digits at most
	n, _ = strconv.Atoi(m[2])
	if count > MaxShards || count&(count-1) != 0 || n >= count {
		return 0, 0, false
	}
	return count, n, true
}

// ShardOf is the shard of a tenant ID, or of a credential's name: FNV-1a of it modulo count, which is a power of two. With a doubled count each
// shard splits in two.
func ShardOf(tenantID string, count int) int {
	h := uint32(2166136261)
	for i := range len(tenantID) { // not hash/fnv, which would allocate for each request
		h = (h ^ uint32(tenantID[i])) * 16777619
	}
	return int(h & uint32(count-1))
}

// Hash is the SHA-256 of a file's bytes in hex: "mounted" and "serving" at /configz.
func Hash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
