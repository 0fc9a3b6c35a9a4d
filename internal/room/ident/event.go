package ident

import (
	"context"
	"slices"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/id"
)

// Event is a change of links. Nothing of it is ever taken back: what undoes it is another event.
type Event struct {
	ID     int64 // in order of their making
	At     time.Time
	Kind   string // new, link, merge, split, undo
	Reason string
	Undoes int64 // an event, 0 when it undoes none
	Moves  []Move
}

// Move is one change: a source record got another person, or a person gave its place to another.
type Move struct {
	What        string // "source", "person"
	ID          string
	Was, Became string // persons; "" for none
}

var (
	errNoPerson = outcome.New(outcome.NotFound, "ident.no-person", "Không tìm thấy người này.", "This person was not found.")
	errNoSource = outcome.New(outcome.NotFound, "ident.no-source", "Không tìm thấy hồ sơ nguồn này.", "This source record was not found.")
	errNoEvent  = outcome.New(outcome.NotFound, "ident.no-event", "Không tìm thấy thay đổi này.", "This change was not found.")
	errSame     = outcome.New(outcome.BusinessRule, "ident.same", "Hai hồ sơ này đã là của một người.", "The two are one person already.")
	errGone     = outcome.New(outcome.Conflict, "ident.gone", "Người này đã được gộp vào hồ sơ khác. Hãy mở hồ sơ đó rồi thử lại.",
		"This person was merged into another one. Open that one and try again.")
	errOnly = outcome.New(outcome.BusinessRule, "ident.only-source", "Người này chỉ có một hồ sơ nguồn nên không có gì để tách.",
		"This person has one source record only, so there is nothing to split.")
	errMoved = outcome.New(outcome.Conflict, "ident.moved", "Hồ sơ đã được gộp hoặc tách tiếp sau thay đổi này. Hãy hoàn tác những thay đổi sau trước.",
		"The records were merged or split again after this change. Undo the later changes first.")
	errFirst = outcome.New(outcome.BusinessRule, "ident.first", "Hồ sơ nguồn nào cũng thuộc về một người, nên không hoàn tác được lần ghi đầu tiên.",
		"Every source record belongs to somebody, so its first person can't be undone.")
)

// Merge makes two persons one: the sources of from become those of into, and
// from answers by naming into. outcome.NotFound, outcome.Conflict when one of
// them was merged away, outcome.BusinessRule when they are the same.
func (m *Matcher) Merge(ctx context.Context, tx store.Tx, from, into, reason string) (e Event, err error) {
	defer outcome.Wrap(&err, "ident.Merge")
	if from == into {
		return e, errSame
	}
	for _, p := range []string{from, into} {
		next, err := goneTo(ctx, tx, p)
		if err != nil {
			return e, err
		}
		if next != "" {
			return e, errGone
		}
	}
	links, err := linksOf(ctx, tx, from)
	if err != nil {
		return e, err
	}
	moves := []Move{{What: "person", ID: from, Became: into}}
	for _, l := range links {
		moves = append(moves, Move{What: "source", ID: l.source, Was: from, Became: into})
	}
	return m.move(ctx, tx, Event{Kind: "merge", Reason: reason, Moves: moves})
}

// Split gives a source record a person of its own, which is Moves[0].Became.
// outcome.NotFound, outcome.BusinessRule when its person has no other.
func (m *Matcher) Split(ctx context.Context, tx store.Tx, source, reason string) (e Event, err error) {
	defer outcome.Wrap(&err, "ident.Split")
	l, err := linkOf(ctx, tx, source)
	if err != nil {
		return e, err
	}
	if l.person == "" {
		return e, errNoSource
	}
	if e, err = m.split(ctx, tx, l, Event{Kind: "split", Reason: reason}); err != nil {
		return e, err
	}
	return e, decided(ctx, tx, e.Moves[0], "different")
}

func (m *Matcher) split(ctx context.Context, tx store.Tx, l link, e Event) (Event, error) {
	links, err := linksOf(ctx, tx, l.person)
	if err != nil {
		return e, err
	}
	if len(links) < 2 {
		return e, errOnly
	}
	fresh := id.UUID()
	if _, err := tx.Exec(ctx, `INSERT INTO ident_person (id, gone_to) VALUES ($1,'')`, fresh); err != nil {
		return e, err
	}
	e.Moves = []Move{{What: "source", ID: l.source, Was: l.person, Became: fresh}}
	return m.move(ctx, tx, e)
}

// Undo puts the links back as they were before an event. It can be undone
// itself. outcome.NotFound; outcome.Conflict when they were changed again
// since; outcome.BusinessRule for the first event of a source.
func (m *Matcher) Undo(ctx context.Context, tx store.Tx, event int64, reason string) (e Event, err error) {
	defer outcome.Wrap(&err, "ident.Undo")
	list, err := events(ctx, tx, `e.seq = $1`, event)
	if err != nil {
		return e, err
	}
	if len(list) == 0 {
		return e, errNoEvent
	}
	old := list[0]
	if err := unmoved(ctx, tx, old); err != nil {
		return e, err
	}
	e = Event{Kind: "undo", Reason: reason, Undoes: event}
	switch old.Kind {
	case "new":
		return e, errFirst
	case "link": // it had no person before, so it gets one of its own
		l, err := linkOf(ctx, tx, old.Moves[0].ID)
		if err != nil {
			return e, err
		}
		return m.split(ctx, tx, l, e)
	}
	for _, mv := range old.Moves {
		e.Moves = append(e.Moves, Move{What: mv.What, ID: mv.ID, Was: mv.Became, Became: mv.Was})
	}
	empty, err := emptied(ctx, tx, e.Moves)
	if err != nil {
		return e, err
	}
	if empty != "" {
		if len(e.Moves) > 1 { // what stayed behind was split off since
			return e, errMoved
		}
		e.Moves = append(e.Moves, Move{What: "person", ID: empty, Became: e.Moves[0].Became})
	}
	if old.Kind == "split" {
		if err := decided(ctx, tx, old.Moves[0], ""); err != nil {
			return e, err
		}
	}
	return m.move(ctx, tx, e)
}

// emptied is the standing person that would keep no source, "" when there is
// none. One that was split off gives its place back to whom its source returns.
func emptied(ctx context.Context, tx store.Tx, moves []Move) (string, error) {
	for _, mv := range moves {
		if mv.What != "source" {
			continue
		}
		links, err := linksOf(ctx, tx, mv.Was)
		if err != nil {
			return "", err
		}
		if !slices.ContainsFunc(links, func(l link) bool {
			return !slices.ContainsFunc(moves, func(x Move) bool { return x.What == "source" && x.ID == l.source })
		}) && !slices.ContainsFunc(moves, func(x Move) bool { return x.What == "person" && x.ID == mv.Was && x.Became != "" }) {
			return mv.Was, nil
		}
	}
	return "", nil
}

// decided writes down, or takes back, that a source is not of the person it was split from.
func decided(ctx context.Context, tx store.Tx, mv Move, what string) error {
	_, err := tx.Exec(ctx, `UPDATE ident_doubt SET decided = $3 WHERE source = $1 AND person = $2`, mv.ID, mv.Was, what)
	return err
}

// unmoved checks that everything an event moved is still where it put it.
func unmoved(ctx context.Context, tx store.Tx, e Event) error {
	for _, mv := range e.Moves {
		now := ""
		if mv.What == "source" {
			l, err := linkOf(ctx, tx, mv.ID)
			if err != nil {
				return err
			}
			now = l.person
		} else {
			var err error
			if now, err = goneTo(ctx, tx, mv.ID); err != nil {
				return err
			}
		}
		if now != mv.Became {
			return errMoved
		}
	}
	return nil
}

// move does what an event says, writes it down, and brings the golden records up to it.
func (m *Matcher) move(ctx context.Context, tx store.Tx, e Event) (Event, error) {
	var touched []string
	touch := func(p string) {
		if p != "" && !slices.Contains(touched, p) {
			touched = append(touched, p)
		}
	}
	for _, mv := range e.Moves {
		sql := `UPDATE ident_link SET person = $2 WHERE source = $1`
		if mv.What == "person" {
			sql = `UPDATE ident_person SET gone_to = $2 WHERE id = $1`
			touch(mv.ID)
		}
		if _, err := tx.Exec(ctx, sql, mv.ID, mv.Became); err != nil {
			return e, err
		}
		touch(mv.Was)
		touch(mv.Became)
	}
	slices.Sort(touched) // two transactions write them in one order
	for _, p := range touched {
		if err := m.refresh(ctx, tx, p); err != nil {
			return e, err
		}
	}
	return m.append(ctx, tx, e)
}

// append writes an event down.
func (m *Matcher) append(ctx context.Context, tx store.Tx, e Event) (Event, error) {
	e.At = m.Clock.Now()
	if err := each(ctx, tx, func(scan func(...any) error) error { return scan(&e.ID) },
		`INSERT INTO ident_event (at, kind, reason, undoes) VALUES ($1,$2,$3,$4) RETURNING seq`, e.At.UnixMilli(), e.Kind, e.Reason, e.Undoes); err != nil {
		return e, err
	}
	for _, mv := range e.Moves {
		if _, err := tx.Exec(ctx, `INSERT INTO ident_move (event, what, id, was, became) VALUES ($1,$2,$3,$4,$5)`, e.ID, mv.What, mv.ID, mv.Was, mv.Became); err != nil {
			return e, err
		}
	}
	return e, nil
}

// Events lists what changed the links of a person, oldest first.
func (m *Matcher) Events(ctx context.Context, r store.Reader, person string) (list []Event, err error) {
	defer outcome.Wrap(&err, "ident.Events")
	return events(ctx, r, `e.seq IN (SELECT event FROM ident_move WHERE what = 'person' AND id = $1
		UNION SELECT event FROM ident_move WHERE was = $1 AND was <> '' UNION SELECT event FROM ident_move WHERE became = $1)`, person)
}

func events(ctx context.Context, r store.Reader, where string, arg any) (list []Event, err error) {
	err = each(ctx, r, func(scan func(...any) error) error {
		var e Event
		var mv Move
		var at int64
		if err := scan(&e.ID, &at, &e.Kind, &e.Reason, &e.Undoes, &mv.What, &mv.ID, &mv.Was, &mv.Became); err != nil {
			return err
		}
		if n := len(list); n == 0 || list[n-1].ID != e.ID {
			e.At = time.UnixMilli(at).UTC()
			list = append(list, e)
		}
		last := &list[len(list)-1]
		last.Moves = append(last.Moves, mv)
		return nil
	}, `SELECT e.seq, e.at, e.kind, e.reason, e.undoes, m.what, m.id, m.was, m.became FROM ident_event e JOIN ident_move m ON m.event = e.seq
		WHERE `+where+` ORDER BY e.seq, m.what DESC, m.id`, arg)
	return list, err
}

// Doubt is a source record and a person of whom somebody has to say whether they are one.
type Doubt struct {
	Source string
	Person string // as it stands now
	At     time.Time
	Reason string // birth-date-differs, sex-differs, name-differs, not-alike-enough, number-of-another, several-alike, number-came-later, no-longer-alike
}

// Doubts lists what is open, oldest first: pairs of two persons that are still
// two, and sources that no longer look like the others of their person.
func (m *Matcher) Doubts(ctx context.Context, r store.Reader) (list []Doubt, err error) {
	defer outcome.Wrap(&err, "ident.Doubts")
	type pair struct {
		Doubt
		owner   string
		sources int64
	}
	var all []pair
	err = each(ctx, r, func(scan func(...any) error) error {
		var p pair
		var at int64
		err := scan(&p.Source, &p.Person, &at, &p.Reason, &p.owner, &p.sources)
		p.At = time.UnixMilli(at).UTC()
		all = append(all, p)
		return err
	}, `SELECT d.source, d.person, d.at, d.reason, l.person, (SELECT COUNT(*) FROM ident_link x WHERE x.person = l.person)
		FROM ident_doubt d JOIN ident_link l ON l.source = d.source WHERE d.decided = '' ORDER BY d.at, d.source, d.person`)
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		for next := p.Person; next != ""; {
			p.Person = next
			if next, err = goneTo(ctx, r, p.Person); err != nil {
				return nil, err
			}
		}
		if p.owner != p.Person || p.Reason == strayed && p.sources > 1 {
			list = append(list, p.Doubt)
		}
	}
	return list, nil
}
