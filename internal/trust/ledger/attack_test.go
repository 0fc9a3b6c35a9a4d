package ledger

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"slices"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// attack is what somebody does with every right upon the database, and what must be found.
type attack struct {
	name string
	do   func(b bench, at int64) Notes // at is the number of the seventh row; the notes are what witnesses kept
	want Kind
	seq  bool // the finding names row at
}

const rows = 12

var attacks = []attack{
	{"remove", func(b bench, at int64) Notes { b.exec(`DELETE FROM audit WHERE seq = $1`, at); return nil }, Removed, true},
	{"remove with its persons", func(b bench, at int64) Notes {
		b.exec(`DELETE FROM audit WHERE seq = $1`, at)
		b.exec(`DELETE FROM audit_patient WHERE seq = $1`, at)
		return nil
	}, Removed, true},
	{"insert", func(b bench, at int64) Notes {
		b.exec(`INSERT INTO audit SELECT -5, at, kind, agent, name, facility, role, purpose, rule, action, outcome, entity, detail, acts, request, remote, '', nonce, xid FROM audit WHERE seq = $1`, at)
		return nil
	}, Inserted, false},
	{"cut the newest rows", func(b bench, at int64) Notes { b.exec(`DELETE FROM audit WHERE seq >= $1`, at); return nil }, Removed, true},
	{"cut rows and log", func(b bench, at int64) Notes { b.cut(at); return nil }, RolledBack, false},
	{"cut rows, log and checkpoints", func(b bench, at int64) Notes {
		kept := b.note()
		b.cut(at)
		b.exec(`DELETE FROM ledger_checkpoint WHERE size > 6`)
		return Notes{"hospital.note": kept}
	}, RolledBack, false},
	{"change and compute the log anew", func(b bench, at int64) Notes {
		b.exec(`UPDATE audit SET agent = 'nobody' WHERE seq = $1`, at)
		b.rebuild()
		return nil
	}, Rewritten, false},
	{"swap two rows", func(b bench, at int64) Notes {
		b.exec(`UPDATE audit SET seq = -1 WHERE seq = $1`, at)
		b.exec(`UPDATE audit SET seq = $1 WHERE seq = $2`, at, at+1)
		b.exec(`UPDATE audit SET seq = $1 WHERE seq = -1`, at+1)
		return nil
	}, Changed, true},
	{"change, compute and sign anew with the key", func(b bench, at int64) Notes {
		kept := b.note()
		b.exec(`UPDATE audit SET agent = 'nobody' WHERE seq = $1`, at)
		b.exec(`DELETE FROM ledger_checkpoint`)
		b.rebuild()
		b.seal()
		return Notes{"hospital.note": kept}
	}, Rewritten, false},
	{"show two auditors two logs", func(b bench, at int64) Notes {
		first := b.note()
		b.exec(`UPDATE audit SET agent = 'nobody' WHERE seq = $1`, at)
		b.exec(`DELETE FROM ledger_checkpoint`)
		b.rebuild()
		b.seal()
		return Notes{"one.note": first, "two.note": b.note()}
	}, Rewritten, false},
	{"hide a look from a person", func(b bench, at int64) Notes { b.exec(`DELETE FROM audit_patient WHERE seq = $1`, at); return nil }, Index, true},
	{"put a look under another person", func(b bench, at int64) Notes {
		b.exec(`UPDATE audit_patient SET patient = 'P1' WHERE seq = $1 AND patient = 'p1'`, at)
		return nil
	}, Index, true},
	{"invent a look", func(b bench, at int64) Notes {
		b.exec(`INSERT INTO audit_patient (patient, seq) VALUES ('p9', $1)`, at)
		return nil
	}, Index, true},
	{"invent a look without a row", func(b bench, _ int64) Notes {
		b.exec(`INSERT INTO audit_patient (patient, seq) VALUES ('p9', 100000)`)
		return nil
	}, Index, false},
	{"change an inner hash", func(b bench, _ int64) Notes {
		b.exec(`UPDATE ledger_tile SET hashes = $1 WHERE level = 0`, make([]byte, 32*rows))
		return nil
	}, Changed, true},
	{"cut the log's tiles", func(b bench, _ int64) Notes { b.exec(`DELETE FROM ledger_tile`); return nil }, Log, false},
	{"set the log back so that rows are logged twice", func(b bench, at int64) Notes {
		b.exec(`UPDATE ledger_state SET xid = (SELECT xid FROM audit WHERE seq = $1), seq = $1`, at)
		b.seal()
		return nil
	}, Log, false},
	{"set the log on so that a row is left out", func(b bench, _ int64) Notes {
		b.act("p1")
		b.exec(`UPDATE ledger_state SET xid = (SELECT xid FROM audit ORDER BY seq DESC LIMIT 1), seq = (SELECT MAX(seq) FROM audit)`)
		return nil
	}, Inserted, false},
	{"forge a checkpoint", func(b bench, _ int64) Notes {
		b.exec(`UPDATE ledger_checkpoint SET note = $1`, bytes.Replace(b.note(), []byte("\n12\n"), []byte("\n11\n"), 1))
		return nil
	}, Signature, false},
	{"sign with another key", func(b bench, _ int64) Notes {
		s, _ := signerOf(b.t, b.Ledger.signer.Name())
		msg, err := note.Sign(&note.Note{Text: string(b.note()[:bytes.Index(b.note(), []byte("\n\n"))+1])}, s)
		if err != nil {
			b.t.Fatal(err)
		}
		b.exec(`UPDATE ledger_checkpoint SET note = $1`, msg)
		return nil
	}, Signature, false},
	{"a witness's file of another log", func(b bench, _ int64) Notes {
		s, _ := signerOf(b.t, "ytso-other")
		msg, err := note.Sign(&note.Note{Text: "ytso-other\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"}, s)
		if err != nil {
			b.t.Fatal(err)
		}
		return Notes{"other.note": msg}
	}, Signature, false},
	{"remove the checkpoints of a long time", func(b bench, _ int64) Notes {
		b.move(time.Hour)
		b.act("p1")
		if _, err := b.Append(b.t.Context()); err != nil {
			b.t.Fatal(err)
		}
		b.exec(`DELETE FROM ledger_checkpoint`)
		return nil
	}, Unsigned, false},
	{"remove a checkpoint that a witness has signed", func(b bench, _ int64) Notes {
		b.cosign()
		b.exec(`DELETE FROM ledger_checkpoint WHERE size = 12`)
		return nil
	}, Unsigned, false},
	{"forge a co-signature", func(b bench, _ int64) Notes {
		b.cosign()
		s, _ := signerOf(b.t, "hospital")
		msg, err := note.Sign(&note.Note{Text: "x\n"}, s)
		if err != nil {
			b.t.Fatal(err)
		}
		b.exec(`UPDATE ledger_cosignature SET line = $1`, string(msg[bytes.Index(msg, []byte("— ")):]))
		return nil
	}, Signature, false},
}

// TestAttacks: SECURITY.md §2, cases 40 and 41. Each leaves its trace, and without it nothing is found.
func TestAttacks(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		for _, a := range attacks {
			t.Run(a.name, func(t *testing.T) {
				b, at := prepared(t, engine)
				b.clean(rows)
				outside := a.do(b, at)
				got := b.verify(outside)
				if !slices.ContainsFunc(got.Findings, func(f Finding) bool {
					return f.Kind == a.want && (!a.seq || f.Seq == at) && f.VI != "" && f.EN != "" && !bytes.Contains([]byte(f.VI+f.EN), []byte("%!"))
				}) {
					t.Errorf("found %+v, want %s of row %d", got, a.want, at)
				}
				if len(outside) == 1 {
					if alone := b.verify(nil); len(alone.Findings) > 0 {
						t.Errorf("the witness was not needed: %+v", alone.Findings)
					}
				}
			})
		}
	})
}

// TestChangedColumns: a change of any column of a row is found and named.
func TestChangedColumns(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		b, at := prepared(t, engine)
		for _, column := range []string{
			"at", "xid", "kind", "agent", "name", "facility", "role", "purpose", "rule", "action", "outcome", "entity", "detail", "acts", "request", "remote", "patients", "nonce",
		} {
			value := "'Nguyễn Văn Khác'"
			switch column {
			case "at", "xid":
				value = column + " + 1"
			}
			restore := b.save(column, at)
			if column == "nonce" {
				b.exec(`UPDATE audit SET nonce = $2 WHERE seq = $1`, at, []byte("other"))
			} else {
				b.exec(fmt.Sprintf(`UPDATE audit SET %s = %s WHERE seq = $1`, column, value), at)
			}
			if got := b.verify(nil); !slices.ContainsFunc(got.Findings, func(f Finding) bool { return f.Kind == Changed && f.Seq == at }) {
				t.Errorf("%s: %+v", column, got)
			}
			restore()
		}
		b.clean(rows)
	})
}

// save gives what puts a column of a row back.
func (b bench) save(column string, at int64) func() {
	b.t.Helper()
	list, err := b.Base.AuditBetween(b.t.Context(), at, at)
	if err != nil || len(list) != 1 {
		b.t.Fatal(err)
	}
	r := list[0]
	old := map[string]any{
		"at": r.At, "xid": r.Commit, "kind": r.Kind, "agent": r.Agent, "name": r.Name, "facility": r.Facility, "role": r.Role, "purpose": r.Purpose, "rule": r.Rule,
		"action": r.Action, "outcome": r.Outcome, "entity": r.Entity, "detail": r.Detail, "acts": r.Acts, "request": r.Request, "remote": r.Remote,
		"patients": r.Patients, "nonce": r.Nonce,
	}[column]
	return func() { b.exec(fmt.Sprintf(`UPDATE audit SET %s = $2 WHERE seq = $1`, column), at, old) }
}

// prepared gives a log of rows rows, two checkpoints, and the number of the seventh row.
func prepared(t *testing.T, engine string) (b bench, at int64) {
	t.Helper()
	b = open(t, engine)
	for i := range rows {
		if i == 6 {
			b.seal()
		}
		b.act("p1", "p2")
	}
	b.seal()
	return b, b.number(`SELECT seq FROM audit ORDER BY seq LIMIT 1 OFFSET 6`)
}

// cut takes the newest rows away, and from the log too.
func (b bench) cut(from int64) {
	b.exec(`DELETE FROM audit_patient WHERE seq >= $1`, from)
	b.exec(`DELETE FROM audit WHERE seq >= $1`, from)
	b.rebuild()
}

func signerOf(t testing.TB, name string) (note.Signer, string) {
	t.Helper()
	skey, vkey, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	return s, vkey
}

// cosign registers a witness, who signs the newest checkpoint.
func (b bench) cosign() {
	b.t.Helper()
	s, vkey := signerOf(b.t, "hospital")
	if _, err := b.AddWitness(b.t.Context(), vkey); err != nil {
		b.t.Fatal(err)
	}
	n, _, err := b.open(b.note())
	if err != nil {
		b.t.Fatal(err)
	}
	msg, err := note.Sign(n, s)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := b.Cosign(b.t.Context(), msg); err != nil {
		b.t.Fatal(err)
	}
	if r := b.verify(nil); r.Cosignatures != 1 || len(r.Findings) > 0 {
		b.t.Fatalf("%+v", r)
	}
}
