package ledger

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
)

// Kind of a finding.
type Kind string

// What Verify finds.
const (
	Changed    Kind = "changed"    // a row is not as it was logged
	Removed    Kind = "removed"    // a logged row is gone
	Inserted   Kind = "inserted"   // a row stands among logged ones and was not logged
	Index      Kind = "index"      // audit_patient does not fit the rows: a look is hidden from a person, or invented
	Log        Kind = "log"        // the log's own tables are damaged or cut
	Unsigned   Kind = "unsigned"   // a part of the log that should be signed is not
	Rewritten  Kind = "rewritten"  // the log differs from what was signed: two logs
	RolledBack Kind = "rolledback" // somebody has seen a longer log: this is an older copy, or it was cut
	Signature  Kind = "signature"  // a checkpoint or co-signature is not by who should have signed it
)

// Finding is one thing that is wrong. It names numbers of rows and no person.
type Finding struct {
	Kind   Kind
	Seq    int64 // of the audit row, 0 when it is about none
	VI, EN string
}

// Report is what Verify says.
type Report struct {
	Rows, Checkpoints, Cosignatures int64 // looked at
	Waiting                         int64 // rows that are not in the log yet
	Unsigned                        int64 // leaves behind the newest checkpoint
	Root                            string
	Findings                        []Finding
	More                            int // findings that are not listed
}

// maxFindings is how many are listed; all are counted.
const maxFindings = 1000

func (p *Report) find(k Kind, seq int64, vi, en string, args ...any) {
	if len(p.Findings) >= maxFindings {
		p.More++
		return
	}
	p.Findings = append(p.Findings, Finding{k, seq, fmt.Sprintf(vi, args...), fmt.Sprintf(en, args...)})
}

// seen is a root that somebody has signed for a size.
type seen struct {
	root tlog.Hash
	who  string // "" of our own checkpoints, else the name of a witness file
}

// verification is one run of Verify.
type verification struct {
	*Ledger
	Report
	at    state
	roots map[int64][]seen
	tail  tlog.Tree // newest own checkpoint that is good
	short bool      // the log's own tables end early
}

// Notes are checkpoints that witnesses keep, by the name of the file.
type Notes map[string][]byte

// Verify recomputes the log from the audit rows and holds it against what it
// stores, against every checkpoint and co-signature, and against the
// checkpoints that witnesses keep outside. It changes nothing and may run beside the server.
func (l *Ledger) Verify(ctx context.Context, outside Notes) (_ Report, err error) {
	defer outcome.Wrap(&err, "ledger.Verify")
	v := &verification{Ledger: l, roots: map[int64][]seen{}}
	if err := l.Base.UnauditedView(ctx, func(r store.Reader) error {
		if v.at, err = stateOf(ctx, r); err != nil {
			return err
		}
		return v.readCheckpoints(ctx, r)
	}); err != nil {
		return v.Report, err
	}
	v.readOutside(outside)
	if err := v.walk(ctx); err != nil {
		return v.Report, err
	}
	for _, step := range []func(context.Context, store.Reader) error{v.count, v.index, v.cosignatures} {
		if err := l.Base.UnauditedView(ctx, func(r store.Reader) error { return step(ctx, r) }); err != nil {
			return v.Report, err
		}
	}
	return v.Report, nil
}

// readCheckpoints reads what this log has signed.
func (v *verification) readCheckpoints(ctx context.Context, r store.Reader) error {
	rows, err := r.Query(ctx, `SELECT size, note FROM ledger_checkpoint ORDER BY size`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var size int64
		var msg []byte
		if err := rows.Scan(&size, &msg); err != nil {
			return err
		}
		v.Checkpoints++
		_, tree, err := v.open(msg)
		if err != nil || tree.N != size {
			v.find(Signature, 0, "Điểm chốt ở độ dài %d không mang chữ ký đúng của nhật ký này.", "The checkpoint of %d rows is not properly signed by this log.", size)
			continue
		}
		if tree.N > v.at.size {
			v.find(RolledBack, 0, "Đã ký điểm chốt %d dòng nhưng nhật ký chỉ còn %d: các dòng mới nhất đã bị cắt.",
				"A checkpoint of %d rows is signed, but the log has only %d: the newest were cut.", tree.N, v.at.size)
			continue
		}
		v.roots[tree.N] = append(v.roots[tree.N], seen{tree.Hash, ""})
		v.tail = tree
	}
	return rows.Err()
}

// readOutside reads what witnesses keep.
func (v *verification) readOutside(outside Notes) {
	bySize := map[int64]seen{}
	for name, msg := range outside {
		_, tree, err := v.open(msg)
		if err != nil {
			v.find(Signature, 0, "%s không phải là điểm chốt do nhật ký này ký.", "%s is not a checkpoint that this log has signed.", name)
			continue
		}
		if other, ok := bySize[tree.N]; ok && other.root != tree.Hash {
			v.find(Rewritten, 0, "%s và %s là hai nhật ký khác nhau cùng dài %d dòng, đều được ký.",
				"%s and %s are two different logs of %d rows, both signed.", name, other.who, tree.N)
		}
		bySize[tree.N] = seen{tree.Hash, name}
		if tree.N > v.at.size {
			v.find(RolledBack, 0, "%s đã thấy %d dòng, ở đây chỉ có %d: đây là bản cũ được khôi phục, hoặc nhật ký đã bị cắt.",
				"%s has seen %d rows and there are only %d here: this is an older copy put back, or the log was cut.", name, tree.N, v.at.size)
			continue
		}
		v.roots[tree.N] = append(v.roots[tree.N], seen{tree.Hash, name})
	}
}

// meet holds the log's root at a size against what was signed.
func (v *verification) meet(size int64, root tlog.Hash, firstBad *bool) {
	for _, s := range v.roots[size] {
		switch {
		case s.root == root:
		case s.who != "":
			v.find(Rewritten, 0, "%s đã thấy một nhật ký khác: %d dòng đầu không giống ở đây.",
				"%s has seen another log: the first %d rows are not the same here.", s.who, size)
		case !*firstBad: // all later ones differ as well
			*firstBad = true
			v.find(Rewritten, 0, "Nhật ký đã bị viết lại: %d dòng đầu không khớp điểm chốt đã ký.",
				"The log was rewritten: its first %d rows do not fit the signed checkpoint.", size)
		}
	}
}

// cosignatures holds the kept co-signatures against the registered keys.
func (v *verification) cosignatures(ctx context.Context, r store.Reader) error {
	known, err := witnesses(ctx, r)
	if err != nil {
		v.find(Signature, 0, "Khóa của một bên làm chứng không đọc được.", "The key of a witness can't be read.")
		return nil
	}
	list, err := r.Query(ctx, `SELECT s.size, s.name, s.line, c.note FROM ledger_cosignature s LEFT JOIN ledger_checkpoint c ON c.size = s.size ORDER BY s.size, s.name`)
	if err != nil {
		return err
	}
	defer list.Close()
	for list.Next() {
		var size int64
		var name, line string
		var msg []byte
		if err := list.Scan(&size, &name, &line, &msg); err != nil {
			return err
		}
		v.Cosignatures++
		if msg == nil {
			v.find(Unsigned, 0, "Bên làm chứng %[2]s đã ký điểm chốt %[1]d dòng, nay không còn.", "Witness %[2]s has signed a checkpoint of %[1]d rows that is gone.", size, name)
			continue
		}
		if !signedBy(name, append(msg, line...), known) {
			v.find(Signature, 0, "Chữ ký của bên làm chứng %[2]s dưới điểm chốt %[1]d dòng không đúng.", "The signature of witness %[2]s under the checkpoint of %[1]d rows is not right.", size, name)
		}
	}
	return list.Err()
}

func signedBy(name string, msg []byte, known []note.Verifier) bool {
	n, err := note.Open(msg, note.VerifierList(known...))
	if err != nil {
		return false
	}
	for _, s := range n.Sigs {
		if s.Name == name {
			return true
		}
	}
	return false
}
