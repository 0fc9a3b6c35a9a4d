package ident

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/clock"
	"github.com/ytso/ytso/internal/platform/id"
)

// Deps is what the room needs of the house.
type Deps struct {
	Store store.Store
	Clock clock.Clock
	// Numbers are the identifier systems whose values name one person.
	Numbers []string
}

// Matcher links source records to persons.
type Matcher struct{ Deps }

// Match gives the person of a source Patient just written in tx, makes one
// when there is none, and brings the golden record up to the source.
func (m *Matcher) Match(ctx context.Context, tx store.Tx, source *store.Resource) (person string, err error) {
	defer outcome.Wrap(&err, "ident.Match %s", source.Key)
	linked, seen, err := linkOf(ctx, tx, source.Key.ID)
	if err != nil {
		return "", err
	}
	if linked != "" && seen == int64(source.Version) {
		return linked, nil
	}
	doc, err := r4.Parse(source.Body)
	if err != nil {
		return "", err
	}
	if linked == "" {
		if linked, err = m.link(ctx, tx, source, doc); err != nil {
			return "", err
		}
	} else if _, err = claimKeys(ctx, tx, m.keys(doc), linked); err != nil {
		return "", err
	}
	if err := m.refresh(ctx, tx, linked, source.Key.ID, doc); err != nil {
		return "", err
	}
	_, err = tx.Exec(ctx, `UPDATE ident_link SET seen = $2 WHERE source = $1`, source.Key.ID, int64(source.Version))
	return linked, err
}

// link decides whose a new source record is.
func (m *Matcher) link(ctx context.Context, tx store.Tx, source *store.Resource, doc *r4.Doc) (person string, err error) {
	keys, fresh := m.keys(doc), id.UUID()
	known, err := claimKeys(ctx, tx, keys, fresh)
	if err != nil {
		return "", err
	}
	person, reason, doubts := fresh, "no-number", []string(nil)
	switch {
	case len(known) == 1:
		same, why, err := m.agrees(ctx, tx, known[0], doc)
		if err != nil {
			return "", err
		}
		if same {
			person, reason = known[0], "number"
		} else {
			reason, doubts = why, known
		}
	case len(known) > 1:
		reason, doubts = "numbers-of-different-persons", known
	case len(keys) > 0:
		reason = "first-of-number"
	}
	for _, d := range doubts {
		if _, err := tx.Exec(ctx, `INSERT INTO ident_doubt (source, person, at, reason, decided) VALUES ($1,$2,$3,$4,'')
			ON CONFLICT (source, person) DO NOTHING`, source.Key.ID, d, m.Clock.Now().UnixMilli(), reason); err != nil {
			return "", err
		}
	}
	if person != fresh {
		if _, err := tx.Exec(ctx, `UPDATE ident_key SET person = $1 WHERE person = $2`, person, fresh); err != nil {
			return "", err
		}
	}
	if _, err := tx.Exec(ctx, `INSERT INTO ident_link (source, person, seen) VALUES ($1,$2,0)`, source.Key.ID, person); err != nil {
		return "", err
	}
	kind := "link"
	if person == fresh {
		kind = "new"
	}
	_, err = tx.Exec(ctx, `INSERT INTO ident_event (id, at, kind, source, person, reason) VALUES ($1,$2,$3,$4,$5,$6)`,
		id.UUID(), m.Clock.Now().UnixMilli(), kind, source.Key.ID, person, reason)
	return person, err
}

func linkOf(ctx context.Context, r store.Reader, source string) (person string, seen int64, err error) {
	rows, err := r.Query(ctx, `SELECT person, seen FROM ident_link WHERE source = $1`, source)
	if err != nil {
		return "", 0, err
	}
	defer rows.Close()
	if rows.Next() {
		err = rows.Scan(&person, &seen)
	}
	if err == nil {
		err = rows.Err()
	}
	return person, seen, err
}

// keys are the hashed numbers of a Patient that name one person, sorted so
// that two transactions lock them in one order.
func (m *Matcher) keys(doc *r4.Doc) []string {
	var keys []string
	for n := range doc.Root().Get("identifier").Elems() {
		system, value := n.Get("system").Text(), strings.TrimSpace(n.Get("value").Text())
		if value == "" || !slices.Contains(m.Numbers, system) {
			continue
		}
		sum := sha256.Sum256([]byte(system + "|" + strings.ToUpper(value)))
		keys = append(keys, hex.EncodeToString(sum[:]))
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// claimKeys locks each key, gives it to person when it is free, and lists the other persons that held one.
func claimKeys(ctx context.Context, tx store.Tx, keys []string, person string) (others []string, err error) {
	for _, k := range keys {
		if _, err := tx.Exec(ctx, `INSERT INTO ident_key (k, person) VALUES ($1,$2) ON CONFLICT (k) DO UPDATE SET k = excluded.k`, k, person); err != nil {
			return nil, err
		}
		holder, err := holderOf(ctx, tx, k)
		if err != nil {
			return nil, err
		}
		if holder != person && !slices.Contains(others, holder) {
			others = append(others, holder)
		}
	}
	return others, nil
}

func holderOf(ctx context.Context, r store.Reader, key string) (person string, err error) {
	rows, err := r.Query(ctx, `SELECT person FROM ident_key WHERE k = $1`, key)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	if rows.Next() {
		err = rows.Scan(&person)
	}
	if err == nil {
		err = rows.Err()
	}
	return person, err
}
