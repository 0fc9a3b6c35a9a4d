package ledger

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/httpx"
	"github.com/ytso/ytso/internal/trust"
)

// maxNote is more than any checkpoint with its signatures takes.
const maxNote = 16 << 10

// Routes are the log's doors: hashes and signatures only, for whoever has
// signed in and for witnesses with a token.
func (l *Ledger) Routes() []httpx.Route {
	all := httpx.Only(trust.RoleCitizen, trust.RoleDoctor, trust.RoleStation, trust.RoleHospital, trust.RoleDepartment, trust.RoleAdmin, trust.RoleMachine)
	return []httpx.Route{
		{Pattern: "GET /nhat-ky/checkpoint", Who: all, Handler: l.serveCheckpoint},
		{Pattern: "GET /nhat-ky/tile/{path...}", Who: all, Handler: l.serveTile},
		{Pattern: "GET /nhat-ky/proof", Who: all, Handler: l.serveProof},
		{Pattern: "POST /nhat-ky/cosignature", Who: httpx.Only(trust.RoleMachine), MaxBody: maxNote, Handler: l.takeCosignature},
	}
}

func (l *Ledger) serveCheckpoint(w http.ResponseWriter, r *http.Request) error {
	var msg []byte
	if err := l.Base.UnauditedView(r.Context(), func(rd store.Reader) error {
		tree, m, err := l.latest(r.Context(), rd)
		if err != nil {
			return err
		}
		msg, err = cosigned(r.Context(), rd, tree.N, m)
		return err
	}); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(msg) // that the caller has gone is all that can go wrong
	return nil
}

var errNoTile = outcome.New(outcome.NotFound, "ledger.no-tile", "Nhật ký không có mảnh này.", "The log has no such tile.")

// serveTile gives a tile of height 8 of what is signed.
func (l *Ledger) serveTile(w http.ResponseWriter, r *http.Request) error {
	t, err := tlog.ParseTilePath("tile/" + r.PathValue("path"))
	if err != nil || t.H != height || t.L < 0 {
		return errNoTile
	}
	var data []byte
	if err := l.Base.UnauditedView(r.Context(), func(rd store.Reader) error {
		tree, _, err := l.latest(r.Context(), rd)
		if err != nil {
			return err
		}
		if have := tree.N >> (height * t.L); t.N > have/width || t.N*width+int64(t.W) > have { // shifted by more than 63 it is 0
			return errNoTile
		}
		data, err = newTiles(r.Context(), rd).tile(int64(t.L), t.N)
		if err == nil && len(data) < t.W*tlog.HashSize {
			err = errTorn
		}
		return err
	}); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Cache-Control", "private, max-age=31536000, immutable")
	_, _ = w.Write(data[:t.W*tlog.HashSize])
	return nil
}

// Proof says that a leaf is in the log (RFC 6962 §2.1.1) or, with Old, that
// the log of Size leaves continues that of Old leaves (§2.1.2). Hashes are base64.
type Proof struct {
	Size       int64       `json:"size"`
	Leaf       *int64      `json:"leaf,omitempty"`
	Hash       *tlog.Hash  `json:"hash,omitempty"` // of the leaf
	Old        *int64      `json:"old,omitempty"`
	Path       []tlog.Hash `json:"proof"`
	Checkpoint string      `json:"checkpoint"`
}

var (
	errProof = outcome.New(outcome.Value, "ledger.proof",
		"Hãy cho biết một trong: leaf (vị trí trong nhật ký), seq (số của dòng), old (độ dài cũ); và nếu cần size (độ dài của một điểm chốt).",
		"Give one of leaf (place in the log), seq (number of the row) or old (an earlier size), and size (of a checkpoint) if you wish.")
	errNotYet = outcome.New(outcome.NotFound, "ledger.not-yet",
		"Điểm chốt chưa có dòng này. Dòng mới được chốt trong khoảng một phút.",
		"The checkpoint does not have this row yet. A new row is signed within about a minute.")
)

func (l *Ledger) serveProof(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	what, size := "", int64(0)
	var at int64
	for name, list := range q {
		n, err := strconv.ParseInt(list[0], 10, 64)
		if err != nil || len(list) != 1 || n < 0 || !slices.Contains([]string{"leaf", "seq", "old", "size"}, name) {
			return errProof
		}
		switch {
		case name == "size":
			size = n
		case what != "":
			return errProof
		default:
			what, at = name, n
		}
	}
	if what == "" {
		return errProof
	}
	p, err := l.Prove(r.Context(), what, at, size)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return httpx.JSON(w, http.StatusOK, p)
}

// Prove proves against the checkpoint of so many leaves, 0: the newest. what
// is "leaf", "seq" or "old", and n its number.
func (l *Ledger) Prove(ctx context.Context, what string, n, size int64) (p Proof, err error) {
	defer outcome.Wrap(&err, "ledger.Prove")
	err = l.Base.UnauditedView(ctx, func(r store.Reader) error {
		tree, msg, err := l.signed(ctx, r, size)
		if err != nil {
			return err
		}
		if msg, err = cosigned(ctx, r, tree.N, msg); err != nil {
			return err
		}
		p = Proof{Size: tree.N, Checkpoint: string(msg)}
		t := newTiles(ctx, r)
		if what == "old" {
			return p.consistency(t, n)
		}
		if what == "seq" {
			if n, err = leafOf(ctx, r, n); err != nil {
				return err
			}
		}
		return p.inclusion(t, n)
	})
	return p, err
}

func (p *Proof) consistency(t *tiles, old int64) (err error) {
	if old < 1 || old > p.Size {
		return errProof
	}
	p.Old = &old
	path, err := tlog.ProveTree(p.Size, old, t)
	p.Path = append([]tlog.Hash{}, path...)
	return err
}

func (p *Proof) inclusion(t *tiles, leaf int64) error {
	if leaf >= p.Size {
		return errNotYet
	}
	p.Leaf = &leaf
	hash, err := t.ReadHashes([]int64{tlog.StoredHashIndex(0, leaf)})
	if err != nil {
		return err
	}
	p.Hash = &hash[0]
	path, err := tlog.ProveRecord(p.Size, leaf, t)
	p.Path = append([]tlog.Hash{}, path...)
	return err
}

// leafOf finds the place of a row in the log.
func leafOf(ctx context.Context, r store.Reader, seq int64) (int64, error) {
	rows, err := r.Query(ctx, `SELECT n, seqs FROM ledger_tile WHERE level = 0 AND hi >= $1 AND lo <= $1 ORDER BY hi`, seq)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var n int64
		var b []byte
		if err := rows.Scan(&n, &b); err != nil {
			return 0, err
		}
		if i := slices.Index(seqsOf(b), seq); i >= 0 {
			return n*width + int64(i), nil
		}
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	return 0, errNotYet
}

var errMayNotCosign = outcome.New(outcome.Forbidden, "ledger.may-not-cosign",
	"Mã truy cập này không có quyền gửi chữ ký làm chứng (system/AuditEvent.c).",
	"This token may not send co-signatures (system/AuditEvent.c).")

func (l *Ledger) takeCosignature(w http.ResponseWriter, r *http.Request) error {
	if p, _ := trust.From(r.Context()); p.Scopes != nil && !mayCosign(p.Scopes) {
		return errMayNotCosign
	}
	msg, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	if err := l.Cosign(r.Context(), msg); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func mayCosign(words []string) bool {
	for _, word := range words {
		list, err := trust.ParseScopes(word)
		if err == nil && (list[0].Type == "AuditEvent" || list[0].Type == "*") && list[0].Acts&store.CanCreate != 0 {
			return true
		}
	}
	return false
}
