package ledger

import (
	"context"
	"testing"

	"github.com/ytso/ytso/fhir/store"
)

// BenchmarkAppend makes leaves of rows; BenchmarkVerify recomputes them. One operation is one row.
func BenchmarkAppend(b *testing.B) { measure(b, false) }

func BenchmarkVerify(b *testing.B) { measure(b, true) }

func measure(b *testing.B, verify bool) {
	l := openIn(b, "sqlite")
	if err := l.store.Unaudited(context.Background(), func(tx store.Tx) error {
		_, err := tx.Exec(context.Background(), `INSERT INTO audit (at, kind, agent, name, facility, role, purpose, rule, action, outcome, entity, detail, acts, request, remote, patients, nonce)
			WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
			SELECT i, 'staff', 'account-17', 'Bàn Thị Mai', '25001', 'doctor', 'TREAT', 'doctor.own-facility', 'record.open', 'ok', '', '', 'read Patient/8a7f/1', 'ABCD-EFGH', '192.0.2.7', '', randomblob(16) FROM n`, int64(b.N))
		return err
	}); err != nil {
		b.Fatal(err)
	}
	if verify {
		if err := l.Seal(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	if verify {
		if r, err := l.Verify(b.Context(), nil); err != nil || len(r.Findings) > 0 || r.Rows != int64(b.N) {
			b.Fatal(r, err)
		}
		return
	}
	if n, err := l.Append(b.Context()); err != nil || n != b.N {
		b.Fatal(n, err)
	}
}
