package app

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ytso/ytso/fhir/store"
)

// TestAuditVerify: the command on a closed installation: good, then a row that
// somebody changed; it names the row's number and nobody, and leaves the evidence as it is.
func TestAuditVerify(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			p := newPlace(t, engine)
			n := openNode(t, p)
			for range 3 {
				if _, err := n.AddAccount(t.Context(), "25001"); err != nil {
					t.Fatal(err)
				}
			}
			if err := n.Close(); err != nil {
				t.Fatal(err)
			}
			verify := func(args ...string) (int, string) {
				var out bytes.Buffer
				code := Main(t.Context(), append(append([]string{"audit", "verify"}, p.args()...), args...), Streams{Out: &out, Err: &out})
				return code, out.String()
			}
			if code, out := verify(); code != 0 || !strings.Contains(out, "0 rows are not in the log yet, 0 are not signed") {
				t.Errorf("%d %s", code, out)
			}
			n = openNode(t, p)
			if err := n.store.Unaudited(t.Context(), func(tx store.Tx) error {
				_, err := tx.Exec(t.Context(), `UPDATE audit SET agent = 'bà-mai', entity = '25009' WHERE seq = (SELECT MAX(seq) FROM audit WHERE action = 'signin.account')`)
				return err
			}); err != nil {
				t.Fatal(err)
			}
			if err := n.Close(); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if code, out := verify(); code != 1 || !strings.Contains(out, "was changed after it had been logged") || strings.Contains(out, "bà-mai") {
					t.Errorf("%d %s", code, out)
				}
			}
			junk := filepath.Join(t.TempDir(), "note")
			if err := os.WriteFile(junk, []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
			if code, out := verify("--witness", junk); code != 1 || !strings.Contains(out, "not a checkpoint") {
				t.Errorf("%d %s", code, out)
			}
			if code := Main(context.Background(), append([]string{"audit", "prove"}, p.args()...), Streams{Out: &bytes.Buffer{}, Err: &bytes.Buffer{}}); code != 2 {
				t.Errorf("an unknown word: %d", code)
			}
		})
	}
}
