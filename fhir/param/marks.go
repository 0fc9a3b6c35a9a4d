package param

import (
	"encoding/binary"
	"hash/maphash"
	"math"
	"slices"
)

// few values are compared one by one.
const few = 16

// marks finds a value among many by a hash of what it tells: a resource may
// have tens of thousands, and each is to be kept once. The zero value is ready.
type marks struct {
	seed  maphash.Seed
	at    map[uint64][]int // places of the values of a hash
	known int              // values that have their place in at
}

// has says whether a list has a value that tells the same. Between calls the list only grows.
func (m *marks) has(list []Value, v Value) bool {
	if len(list) < few {
		return slices.ContainsFunc(list, func(o Value) bool { return same(o, v) })
	}
	if m.at == nil {
		m.seed, m.at = maphash.MakeSeed(), map[uint64][]int{}
	}
	for ; m.known < len(list); m.known++ {
		h := m.of(&list[m.known])
		m.at[h] = append(m.at[h], m.known)
	}
	return slices.ContainsFunc(m.at[m.of(&v)], func(i int) bool { return same(list[i], v) })
}

func (m *marks) of(v *Value) uint64 {
	var h maphash.Hash
	h.SetSeed(m.seed)
	mark(&h, v)
	return h.Sum64()
}

// mark writes what same compares. Of numbers that are compared by what they
// are worth the nearest float is written, which equal ones share.
func mark(h *maphash.Hash, v *Value) {
	for _, s := range [...]string{v.Code, v.System, v.Text, v.Type, v.ID, v.Num.String()} {
		text(h, s)
	}
	var b [8]byte
	for _, n := range [...]uint64{
		uint64(v.Lo), uint64(v.Hi), math.Float64bits(v.Lat + 0), math.Float64bits(v.Long + 0), // -0 is 0
		math.Float64bits(v.NumLo.Float64() + 0), math.Float64bits(v.NumHi.Float64() + 0), uint64(len(v.OfType)), uint64(len(v.Parts)),
	} {
		binary.LittleEndian.PutUint64(b[:], n)
		h.Write(b[:])
	}
	for _, s := range v.OfType {
		text(h, s)
	}
	for i := range v.Parts {
		mark(h, &v.Parts[i])
	}
}

// text writes a text with its end.
func text(h *maphash.Hash, s string) {
	h.WriteString(s)
	h.WriteByte(0xff)
}
