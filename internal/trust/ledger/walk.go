package ledger

import (
	"context"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/ytso/ytso/fhir/store"
)

// frontier is the right edge of a growing tree: the roots of its complete
// subtrees, largest first. It needs no stored inner hash, so that none is believed.
type frontier struct {
	roots []tlog.Hash
	size  int64
}

func (f *frontier) add(h tlog.Hash) {
	for n := f.size; n&1 == 1; n >>= 1 {
		last := len(f.roots) - 1
		h, f.roots = tlog.NodeHash(f.roots[last], h), f.roots[:last]
	}
	f.roots = append(f.roots, h)
	f.size++
}

func (f *frontier) root() tlog.Hash {
	if len(f.roots) == 0 {
		return tlog.Hash{}
	}
	h := f.roots[len(f.roots)-1]
	for _, left := range slices.Backward(f.roots[:len(f.roots)-1]) {
		h = tlog.NodeHash(left, h)
	}
	return h
}

// walk goes through the log, leaf by leaf, beside the audit rows.
func (v *verification) walk(ctx context.Context) error {
	var f frontier
	var before store.AuditRow
	var unsigned struct{ first, last int64 }
	rewritten := false
	for n := int64(0); n*width < v.at.size; n++ {
		var hashes, seqs []byte
		if err := v.Base.UnauditedView(ctx, func(r store.Reader) error {
			_, err := row(ctx, r, `SELECT hashes, seqs FROM ledger_tile WHERE level = 0 AND n = $1`, []any{n}, &hashes, &seqs)
			return err
		}); err != nil {
			return err
		}
		leaves := min(v.at.size-n*width, width)
		if int64(len(hashes)) < leaves*tlog.HashSize || int64(len(seqs)) < leaves*8 {
			v.find(Log, 0, "Nhật ký băm thiếu các mảnh từ dòng thứ %d.", "The Merkle log lacks its tiles from its row %d on.", n*width)
			v.short = true
			break
		}
		numbers := seqsOf(seqs[:leaves*8])
		rows, err := v.rowsOf(ctx, numbers)
		if err != nil {
			return err
		}
		for i, seq := range numbers {
			h := tlog.Hash(hashes[i*tlog.HashSize : (i+1)*tlog.HashSize])
			v.compare(seq, h, rows, &before)
			f.add(h)
			if len(v.roots[f.size]) > 0 {
				v.meet(f.size, f.root(), &rewritten)
			}
			if r, ok := rows[seq]; ok && f.size > v.tail.N {
				if unsigned.first == 0 {
					unsigned.first = r.At
				}
				unsigned.last = r.At
			}
		}
		v.Rows += leaves
	}
	v.Root = f.root().String()
	v.Unsigned = v.at.size - v.tail.N
	if gap := time.Duration(unsigned.last-unsigned.first) * time.Millisecond; gap > unsignedFor {
		v.find(Unsigned, 0, "%d dòng cuối chưa được ký dù đã hơn %d phút: điểm chốt đã bị xóa hoặc không được tạo.",
			"The last %d rows are not signed though they span more than %d minutes: checkpoints were removed or not made.", v.Unsigned, int(unsignedFor.Minutes()))
	}
	return v.inner(ctx, f.root())
}

// unsignedFor is how long rows may go on without a checkpoint, which is made every minute.
const unsignedFor = 10 * time.Minute

// compare holds an audit row against its leaf.
func (v *verification) compare(seq int64, leaf tlog.Hash, rows map[int64]store.AuditRow, before *store.AuditRow) {
	r, ok := rows[seq]
	switch {
	case !ok:
		v.find(Removed, seq, "Dòng nhật ký số %d đã bị xóa.", "Audit row %d was removed.", seq)
		return
	case Leaf(r) != leaf:
		v.find(Changed, seq, "Dòng nhật ký số %d đã bị sửa sau khi ghi.", "Audit row %d was changed after it had been logged.", seq)
		return
	case r.Commit < before.Commit || r.Commit == before.Commit && r.Seq <= before.Seq:
		v.find(Log, seq, "Dòng nhật ký số %d đứng sai thứ tự hoặc hai lần trong nhật ký băm.", "Audit row %d stands in the wrong order or twice in the Merkle log.", seq)
		return
	}
	*before = r
}

// rowsOf reads audit rows by number. On PostgreSQL the numbers of neighbours
// in the log may lie a little apart; numbers far apart, which only a forger writes, are read one by one.
func (v *verification) rowsOf(ctx context.Context, numbers []int64) (map[int64]store.AuditRow, error) {
	rows := make(map[int64]store.AuditRow, len(numbers))
	sorted := slices.Sorted(slices.Values(numbers))
	for len(sorted) > 0 {
		n := 1
		for n < len(sorted) && sorted[n]-sorted[n-1] < width {
			n++
		}
		list, err := v.Base.AuditBetween(ctx, sorted[0], sorted[n-1])
		if err != nil {
			return nil, err
		}
		for _, r := range list {
			rows[r.Seq] = r
		}
		sorted = sorted[n:]
	}
	return rows, nil
}

// inner holds the stored inner hashes, from which proofs are made, against the leaves.
func (v *verification) inner(ctx context.Context, root tlog.Hash) error {
	if v.short || v.at.size == 0 {
		return nil
	}
	return v.Base.UnauditedView(ctx, func(r store.Reader) error {
		got, err := tlog.TreeHash(v.at.size, newTiles(ctx, r))
		if err != nil || got != root {
			v.find(Log, 0, "Các mảnh tầng trên của nhật ký băm không khớp với lá.", "The upper tiles of the Merkle log do not fit its leaves.")
		}
		return nil
	})
}

// count finds rows that stand where the log has been and are not in it.
func (v *verification) count(ctx context.Context, r store.Reader) error {
	var covered int64
	if _, err := row(ctx, r, `SELECT COUNT(*) FROM audit WHERE xid < $1 OR xid = $1 AND seq <= $2`, []any{v.at.commit, v.at.seq}, &covered); err != nil {
		return err
	}
	if _, err := row(ctx, r, `SELECT COUNT(*) FROM audit WHERE xid > $1 OR xid = $1 AND seq > $2`, []any{v.at.commit, v.at.seq}, &v.Waiting); err != nil {
		return err
	}
	if covered == v.at.size && len(v.Findings) == 0 {
		return nil
	}
	logged, err := v.logged(ctx, r)
	if err != nil {
		return err
	}
	rows, err := r.Query(ctx, `SELECT seq FROM audit WHERE xid < $1 OR xid = $1 AND seq <= $2 ORDER BY xid, seq`, v.at.commit, v.at.seq)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var seq int64
		if err := rows.Scan(&seq); err != nil {
			return err
		}
		if _, ok := logged[seq]; !ok {
			v.find(Inserted, seq, "Dòng nhật ký số %d được chèn vào sau: nó chưa từng có trong nhật ký băm.", "Audit row %d was put in afterwards: it was never in the Merkle log.", seq)
		}
	}
	return rows.Err()
}

// logged gives the numbers of all rows in the log.
func (v *verification) logged(ctx context.Context, r store.Reader) (map[int64]struct{}, error) {
	all := make(map[int64]struct{}, v.at.size)
	rows, err := r.Query(ctx, `SELECT seqs FROM ledger_tile WHERE level = 0 ORDER BY n`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var b []byte
		if err := rows.Scan(&b); err != nil {
			return nil, err
		}
		for _, seq := range seqsOf(b) {
			all[seq] = struct{}{}
		}
	}
	return all, rows.Err()
}

// index holds audit_patient, by which a person's looks are found, against the rows.
func (v *verification) index(ctx context.Context, r store.Reader) error {
	for _, q := range []struct{ sql, vi, en string }{
		{`SELECT p.seq FROM audit_patient p LEFT JOIN audit a ON a.seq = p.seq
			WHERE a.seq IS NULL OR replace(' ' || a.patients || ' ', ' ' || p.patient || ' ', '') = ' ' || a.patients || ' ' ORDER BY p.seq`,
			"Mục lục theo người có thêm một mục không thuộc dòng nhật ký số %d.", "The index by person has an entry that is not of audit row %d."},
		{`SELECT a.seq FROM audit a LEFT JOIN (SELECT seq, COUNT(*) AS n FROM audit_patient GROUP BY seq) p ON p.seq = a.seq
			WHERE a.patients <> '' AND COALESCE(p.n, 0) <> length(a.patients) - length(replace(a.patients, ' ', '')) + 1 ORDER BY a.seq`,
			"Mục lục theo người thiếu hoặc thừa mục của dòng nhật ký số %d.", "The index by person has too few or too many entries of audit row %d."},
	} {
		if err := v.each(ctx, r, q.sql, q.vi, q.en); err != nil {
			return err
		}
	}
	return nil
}

func (v *verification) each(ctx context.Context, r store.Reader, sql, vi, en string) error {
	rows, err := r.Query(ctx, sql)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var seq int64
		if err := rows.Scan(&seq); err != nil {
			return err
		}
		v.find(Index, seq, vi, en, seq)
	}
	return rows.Err()
}
