package audit

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/store"
)

// row is a row of the table audit (internal/sqlstore/migrations).
type row struct {
	seq, at                                                       int64
	kind, agent, name, facility, role, purpose, right             string
	action, outcome, entity, detail, actLines, request, addresses string
	patients                                                      []string
}

const columns = `SELECT a.seq, a.at, a.kind, a.agent, a.name, a.facility, a.role, a.purpose, a.rule, a.action, a.outcome, a.entity, a.detail, a.acts, a.request, a.remote, a.patients FROM `

// stream is a part of the log, newest first; its text takes what it is about, the row before which it goes on, and how many rows.
type stream struct {
	sql string
	arg any
}

// The streams there are, each along one index.
const (
	ofAll     = columns + `audit a WHERE a.seq > $1 AND a.seq < $2 ORDER BY a.seq DESC LIMIT $3`
	ofOne     = columns + `audit a WHERE a.seq = $1 AND a.seq < $2 ORDER BY a.seq DESC LIMIT $3`
	ofAgent   = columns + `audit a WHERE a.agent = $1 AND a.seq < $2 ORDER BY a.seq DESC LIMIT $3`
	ofPatient = columns + `audit_patient p JOIN audit a ON a.seq = p.seq WHERE p.patient = $1 AND p.seq < $2 ORDER BY p.seq DESC LIMIT $3`
)

// next gives the n rows of a stream before one.
func (s stream) next(ctx context.Context, r store.Reader, before int64, n int) (list []*row, err error) {
	rows, err := r.Query(ctx, s.sql, s.arg, before, int64(n))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		x := &row{}
		var patients string
		if err := rows.Scan(&x.seq, &x.at, &x.kind, &x.agent, &x.name, &x.facility, &x.role, &x.purpose, &x.right, &x.action, &x.outcome,
			&x.entity, &x.detail, &x.actLines, &x.request, &x.addresses, &patients); err != nil {
			return nil, err
		}
		x.patients = strings.Fields(patients)
		list = append(list, x)
	}
	return list, rows.Err()
}

// batch merges streams: rows before one, newest first, each once. When not all
// streams are at their end it ends at the row down to which every one is known.
func batch(ctx context.Context, r store.Reader, streams []stream, before int64, n int) (list []*row, done bool, err error) {
	var known int64
	done = true
	for _, s := range streams {
		part, err := s.next(ctx, r, before, n)
		if err != nil {
			return nil, false, err
		}
		if len(part) == n {
			done, known = false, max(known, part[n-1].seq)
		}
		list = append(list, part...)
	}
	list = slices.DeleteFunc(list, func(x *row) bool { return x.seq < known })
	slices.SortFunc(list, func(x, y *row) int { return cmp.Compare(y.seq, x.seq) })
	return slices.CompactFunc(list, func(x, y *row) bool { return x.seq == y.seq }), done, nil
}

// persons are the Patients that a row is about, and the citizen who acted.
func (x *row) persons() []string {
	if x.kind == string(store.Citizen) && x.agent != "" && !slices.Contains(x.patients, x.agent) {
		return append(slices.Clip(x.patients), x.agent)
	}
	return x.patients
}

// object is a record that the act touched.
type object struct {
	verb, reference string // "read", "put", "include", "delete", "unseen"; Type/id/version
}

// objects reads the lines that the store wrote of its acts.
func (x *row) objects() (list []object) {
	for line := range strings.Lines(x.actLines) {
		verb, key, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok || verb == "search" || strings.Contains(key, " ") {
			continue
		}
		o := object{verb, key}
		if part := strings.Split(key, "/"); len(part) == 3 {
			o.reference = part[0] + "/" + part[1] + "/_history/" + part[2]
		}
		if !slices.Contains(list, o) && len(list) < maxShown {
			list = append(list, o)
		}
	}
	return list
}

// maxShown bounds the records and the persons that are written out of one row.
const maxShown = 200
