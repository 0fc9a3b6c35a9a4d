package ledger

import (
	"encoding/binary"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/ytso/ytso/fhir/store"
)

// leafHead begins the bytes of a leaf and names their form.
const leafHead = "ytso audit row v1\n"

// Encode gives the bytes of a leaf: leafHead, then each column of the audit
// row in the order of store.AuditRow, each as its length in four bytes,
// big-endian, and its bytes; numbers are eight bytes, big-endian. No two rows
// have the same bytes.
func Encode(r store.AuditRow) []byte {
	b := make([]byte, 0, 256+len(r.Acts)+len(r.Patients))
	b = append(b, leafHead...)
	for _, n := range []int64{r.Seq, r.Commit, r.At} {
		b = binary.BigEndian.AppendUint32(b, 8)
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	for _, s := range []string{
		r.Kind, r.Agent, r.Name, r.Facility, r.Role, r.Purpose, r.Rule, r.Action, r.Outcome, r.Entity, r.Detail, r.Acts, r.Request, r.Remote,
		r.Patients, string(r.Nonce),
	} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	return b
}

// Leaf is the hash of a row in the log (RFC 6962 §2.1: SHA-256 of a zero byte and the leaf's bytes).
func Leaf(r store.AuditRow) tlog.Hash { return tlog.RecordHash(Encode(r)) }
