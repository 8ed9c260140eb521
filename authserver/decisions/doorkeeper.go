// SPDX-License-Identifier: Apache-2.0

package decisions

import "encoding/binary"

const (
	fingerprintSize = 4       // bytes
	maxSlots        = 1 << 14 // of one shard: 64 KiB
)

// doorkeeper remembers which keys were seen once. Each key has one slot, and the last one seen there holds it: a flood
// of n other keys leaves a fingerprint in place with probability (1-1/slots)^n. A wrong guess admits a key early, which
// does no harm.
type doorkeeper []uint32

// doorkeeperSlots returns how many slots a shard of that many bytes has: a power of two, at most a sixteenth of the bytes.
func doorkeeperSlots(bytes int) int {
	slots := 1
	for slots < maxSlots && 2*slots*fingerprintSize <= bytes/16 {
		slots *= 2
	}
	return slots
}

// admits tells whether k was seen before, and forgets it; else it remembers k.
func (d doorkeeper) admits(k *Key) bool {
	slot, fingerprint := d.place(k)
	if *slot == fingerprint {
		*slot = 0
		return true
	}
	*slot = fingerprint
	return false
}

// knows tells whether k was seen before.
func (d doorkeeper) knows(k *Key) bool {
	slot, fingerprint := d.place(k)
	return *slot == fingerprint
}

func (d doorkeeper) place(k *Key) (slot *uint32, fingerprint uint32) {
	// Bytes 0 to 3 are left to the choice of the shard.
	return &d[int(binary.LittleEndian.Uint32(k[4:]))&(len(d)-1)], binary.LittleEndian.Uint32(k[8:]) | 1 // 0 is an empty slot
}
