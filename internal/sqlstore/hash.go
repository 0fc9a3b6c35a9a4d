package sqlstore

import (
	"encoding/binary"
	"math"
	"strings"
	"unicode"

	"github.com/dchest/siphash"
)

// hasher names values by keyed 64-bit hashes.
type hasher struct{ k0, k1 uint64 }

func newHasher(secret []byte) hasher {
	return hasher{binary.LittleEndian.Uint64(secret), binary.LittleEndian.Uint64(secret[8:])}
}

// of hashes parts, kept apart by a byte that text cannot hold.
func (h hasher) of(parts ...string) int64 {
	var stack [160]byte
	b := stack[:0]
	for _, p := range parts {
		b = append(append(b, p...), 0xff)
	}
	return int64(siphash.Hash(h.k0, h.k1, b))
}

// param names a parameter of a type in the tables of text and order: 48 bits, which both engines store shorter.
func (h hasher) param(typ, code, variant string) int64 {
	return h.of("p", typ, code, variant) & (1<<48 - 1)
}

// set names the resources of a type that have values of just these parameters
// (`:missing`): some hundred sets stand for the many postings that one a parameter would be.
func (h hasher) set(typ, params string) int64 { return h.of("set", typ, params) }

// target names a resource that is referred to.
func (h hasher) target(typ, id string) int64 { return h.of("t", typ, id) }

// ref is the posting of a reference: made from the target's hash, so that the links of a person can be expanded by hash.
func (h hasher) ref(typ, code string, target int64) int64 {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(target))
	return h.of("r", typ, code, string(b[:]))
}

// pat is the posting of a resource in the compartment of a Patient, by the Patient's target.
func (h hasher) pat(typ string, patient int64) int64 { return h.ref(typ, "\xfepat", patient) }

// shards is the number of values of cp.
const shards = 1024

func (h hasher) shard(key string) int64 { return h.of("cp", key) & (shards - 1) }

// sortable gives the bits of a float in the order of the numbers.
func sortable(f float64) int64 {
	b := int64(math.Float64bits(f))
	if b < 0 {
		b ^= math.MaxInt64
	}
	return b
}

// upper is the first text after all that start with prefix; texts end before U+10FFFF.
func upper(prefix string) string { return prefix + "\U0010FFFF" }

// oneLine keeps a text that a caller may have written from making lines of its
// own in the audit, and from holding what PostgreSQL does not take as text,
// which would cost the row.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r // invalid bytes come as U+FFFD
	}, s)
}
