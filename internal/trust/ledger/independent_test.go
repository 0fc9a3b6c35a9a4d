package ledger

// A verifier of its own, as a citizen's browser or an auditor would write it
// from RFC 9162 §2.1.3.2 and §2.1.4.2: SHA-256 and nothing of this package.

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
)

func leafHash(leaf []byte) string {
	h := sha256.Sum256(append([]byte{0}, leaf...))
	return base64.StdEncoding.EncodeToString(h[:])
}

func parent(left, right string) string {
	l, _ := base64.StdEncoding.DecodeString(left)
	r, _ := base64.StdEncoding.DecodeString(right)
	h := sha256.Sum256(append(append([]byte{1}, l...), r...))
	return base64.StdEncoding.EncodeToString(h[:])
}

// rootIn reads the root out of a checkpoint of so many leaves.
func rootIn(checkpoint string, size int64) string {
	lines := strings.Split(checkpoint, "\n")
	if len(lines) < 4 || lines[1] != strconv.FormatInt(size, 10) || lines[3] != "" {
		return ""
	}
	return lines[2]
}

// included: RFC 9162 §2.1.3.2.
func included(leaf string, index, size int64, path []string, root string) bool {
	if index >= size {
		return false
	}
	fn, sn, r := index, size-1, leaf
	for _, p := range path {
		if sn == 0 {
			return false
		}
		if fn&1 == 1 || fn == sn {
			r = parent(p, r)
			for fn&1 == 0 && fn != 0 {
				fn, sn = fn>>1, sn>>1
			}
		} else {
			r = parent(r, p)
		}
		fn, sn = fn>>1, sn>>1
	}
	return sn == 0 && r == root
}

// continued: RFC 9162 §2.1.4.2.
func continued(old, size int64, oldRoot, root string, path []string) bool {
	if old == size {
		return len(path) == 0 && oldRoot == root
	}
	if old&(old-1) == 0 {
		path = append([]string{oldRoot}, path...)
	}
	if old < 1 || old > size || len(path) == 0 {
		return false
	}
	fn, sn := old-1, size-1
	for fn&1 == 1 {
		fn, sn = fn>>1, sn>>1
	}
	fr, sr := path[0], path[0]
	for _, c := range path[1:] {
		if sn == 0 {
			return false
		}
		if fn&1 == 1 || fn == sn {
			fr, sr = parent(c, fr), parent(c, sr)
			for fn&1 == 0 && fn != 0 {
				fn, sn = fn>>1, sn>>1
			}
		} else {
			sr = parent(sr, c)
		}
		fn, sn = fn>>1, sn>>1
	}
	return fr == oldRoot && sr == root && sn == 0
}
