package ledger

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
)

// text of a checkpoint: origin, size, root in base64, a line each
// (C2SP tlog-checkpoint). The origin is the name of the log's key.
func (l *Ledger) text(t tlog.Tree) string {
	return fmt.Sprintf("%s\n%d\n%s\n", l.signer.Name(), t.N, t.Hash)
}

// parse reads the text of a checkpoint of this log.
func (l *Ledger) parse(text string) (t tlog.Tree, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[0] != l.signer.Name() || lines[3] != "" {
		return t, errNote
	}
	if t.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil || t.N < 0 || strconv.FormatInt(t.N, 10) != lines[1] {
		return t, errNote
	}
	b, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(b) != tlog.HashSize {
		return t, errNote
	}
	copy(t.Hash[:], b)
	return t, nil
}

// open reads a note that this log has signed; others may have signed it too.
func (l *Ledger) open(msg []byte, others ...note.Verifier) (*note.Note, tlog.Tree, error) {
	n, err := note.Open(msg, note.VerifierList(append(others, l.verifier)...))
	if err != nil {
		return nil, tlog.Tree{}, errNote.Because(err)
	}
	for _, s := range n.Sigs {
		if s.Name == l.verifier.Name() && s.Hash == l.verifier.KeyHash() {
			t, err := l.parse(n.Text)
			return n, t, err
		}
	}
	return nil, tlog.Tree{}, errNote
}

var (
	errNote = outcome.New(outcome.Invalid, "ledger.note",
		"Đây không phải là điểm chốt do nhật ký này ký.", "This is not a checkpoint that this log has signed.")
	errFork = outcome.New(outcome.Exception, "ledger.fork",
		"Nhật ký băm không còn nối tiếp điểm chốt đã ký, nên không ký tiếp. Hãy chạy `ytso audit verify`.",
		"The Merkle log does not continue its last signed checkpoint, so nothing more is signed. Run `ytso audit verify`.")
	errNone = outcome.New(outcome.NotFound, "ledger.none",
		"Chưa có điểm chốt nào.", "There is no checkpoint yet.")
)

// Checkpoint signs the log as it is, when it has grown since the last time and
// continues what was signed then.
func (l *Ledger) Checkpoint(ctx context.Context) (err error) {
	defer outcome.Wrap(&err, "ledger.Checkpoint")
	var now tlog.Tree
	grown := false
	if err := l.Base.UnauditedView(ctx, func(r store.Reader) error {
		at, err := stateOf(ctx, r)
		if err != nil {
			return err
		}
		last, _, err := l.latest(ctx, r)
		if err != nil && outcome.KindOf(err) != outcome.NotFound {
			return err
		}
		if grown = at.size != last.N; !grown {
			return nil
		}
		now = tlog.Tree{N: at.size}
		now.Hash, err = l.continues(newTiles(ctx, r), last, at.size)
		return err
	}); err != nil || !grown {
		return err
	}
	msg, err := note.Sign(&note.Note{Text: l.text(now)}, l.signer)
	if err != nil {
		return err
	}
	return l.Base.Unaudited(ctx, func(tx store.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO ledger_checkpoint (size, at, note) VALUES ($1, $2, $3) ON CONFLICT (size) DO NOTHING`,
			now.N, l.Clock.Now().UnixMilli(), msg)
		return err
	})
}

// continues gives the root of so many leaves, when the signed tree is their beginning.
func (l *Ledger) continues(t *tiles, signed tlog.Tree, size int64) (root tlog.Hash, err error) {
	if size < signed.N {
		return root, errFork
	}
	if root, err = tlog.TreeHash(size, t); err != nil || signed.N == 0 {
		return root, err
	}
	proof, err := tlog.ProveTree(size, signed.N, t)
	if err != nil {
		return root, err
	}
	if err := tlog.CheckTree(proof, size, root, signed.N, signed.Hash); err != nil {
		return root, errFork.Because(err)
	}
	return root, nil
}

// latest gives the newest checkpoint; outcome.NotFound when there is none.
func (l *Ledger) latest(ctx context.Context, r store.Reader) (tlog.Tree, []byte, error) {
	return l.at(ctx, r, `ORDER BY size DESC LIMIT 1`)
}

func (l *Ledger) at(ctx context.Context, r store.Reader, which string, args ...any) (t tlog.Tree, msg []byte, err error) {
	found, err := row(ctx, r, `SELECT note FROM ledger_checkpoint `+which, args, &msg)
	if err != nil {
		return t, nil, err
	}
	if !found {
		return t, nil, errNone
	}
	_, t, err = l.open(msg)
	return t, msg, err
}

// signed gives the checkpoint of so many leaves, 0: the newest.
func (l *Ledger) signed(ctx context.Context, r store.Reader, size int64) (tlog.Tree, []byte, error) {
	if size == 0 {
		return l.latest(ctx, r)
	}
	return l.at(ctx, r, `WHERE size = $1`, size)
}
