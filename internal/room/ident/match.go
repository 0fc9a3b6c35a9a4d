package ident

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/clock"
	"github.com/ytso/ytso/internal/platform/id"
	"github.com/ytso/ytso/vn/cccd"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// Deps is what the room needs of the house.
type Deps struct {
	Store store.Store
	Clock clock.Clock
	// Numbers are the identifier systems whose values name one person; none: element.Numbers.
	Numbers []string
}

// Matcher links source records to persons.
type Matcher struct{ Deps }

// Match is MatchSeen for a caller that can't tell of what time the source is:
// the day it was written counts.
func (m *Matcher) Match(ctx context.Context, tx store.Tx, source *store.Resource) (person string, err error) {
	return m.MatchSeen(ctx, tx, source, source.Updated)
}

// MatchSeen gives the person of a source Patient just written in tx, makes one
// when there is none, and brings the golden record up to its sources. seen is
// the time that the source tells of, for example the end of the visit it was
// written from: among the sources of a person the newest shows, whatever order
// they come in.
func (m *Matcher) MatchSeen(ctx context.Context, tx store.Tx, source *store.Resource, seen time.Time) (person string, err error) {
	defer outcome.Wrap(&err, "ident.Match %s", source.Key)
	l, err := linkOf(ctx, tx, source.Key.ID)
	if err != nil {
		return "", err
	}
	told, shows := seen.UnixMilli(), true // shows: the golden record may differ after it
	if l.person != "" && l.version == int64(source.Version) {
		if told <= l.told {
			return l.person, nil
		}
		links, err := linksOf(ctx, tx, l.person)
		if err != nil {
			return "", err
		}
		shows = links[0].source != source.Key.ID
	} else if err := m.look(ctx, tx, source, seen, &l); err != nil {
		return "", err
	}
	if _, err := tx.Exec(ctx, `UPDATE ident_link SET version = $2, told = $3 WHERE source = $1`, source.Key.ID, int64(source.Version), told); err != nil {
		return "", err
	}
	if !shows {
		return l.person, nil
	}
	return l.person, m.refresh(ctx, tx, l.person)
}

// look reads a version of a source that was not seen before.
func (m *Matcher) look(ctx context.Context, tx store.Tx, source *store.Resource, seen time.Time, l *link) error {
	doc, err := r4.Parse(source.Body)
	if err != nil {
		return err
	}
	r := m.record(doc, seen)
	if l.person == "" {
		l.person, err = m.link(ctx, tx, source.Key.ID, r)
		return err
	}
	return m.changed(ctx, tx, source.Key.ID, r, l.person)
}

// record is a source Patient as the matcher sees it.
type record struct {
	facts
	baby    bool
	numbers map[string]int64 // state by key
}

// States of a number; see ident_key.
const (
	own int64 = iota
	misfit
	former
)

func (m *Matcher) record(doc *r4.Doc, seen time.Time) record {
	systems := m.Numbers
	if systems == nil {
		systems = element.Numbers
	}
	if seen.IsZero() {
		seen = m.Clock.Now()
	}
	root := doc.Root()
	r := record{facts: factsOf(root), numbers: map[string]int64{}}
	r.baby = infant(r.birth, seen)
	var cards []string
	for n := range root.Get("identifier").Elems() {
		if n.Get("system").Text() == element.BHYT {
			cards = append(cards, strings.ToUpper(n.Get("value").Text()))
		}
	}
	for n := range root.Get("identifier").Elems() {
		system, value := n.Get("system").Text(), strings.ToUpper(strings.Join(strings.Fields(n.Get("value").Text()), ""))
		if !slices.Contains(systems, system) || cccd.Filler(value) {
			continue
		}
		state := own
		if !fits(system, value, r.facts, r.baby, cards) {
			state = misfit
		}
		sum := sha256.Sum256([]byte(system + "|" + value))
		r.numbers[hex.EncodeToString(sum[:])] = state
	}
	return r
}

// evidence is how well a number leads to a person.
type evidence uint8

const (
	never  evidence = iota + 1 // an infant with the number of somebody else: twins would carry the same
	strict                     // the number is shared, was given up, or does not fit
	plain
)

// candidate is a person that carries a number of a record.
type candidate struct {
	person string
	facts  facts
	by     evidence
}

// doubt is a person that a record may belong to.
type doubt struct{ person, reason string }

// decide picks the person that a record belongs to, "" when it stands by
// itself, and those that somebody has to look at.
func decide(r record, list []candidate) (person string, doubts []doubt) {
	var same []string
	for _, c := range list {
		by := c.by
		if len(list) > 1 && by == plain {
			by = strict
		}
		why := against(r.facts, c.facts)
		switch {
		case why != "":
		case by == never:
			why = "number-of-another"
		case by == strict && !alike(r.facts, c.facts):
			why = "not-alike-enough"
		default:
			same = append(same, c.person)
			continue
		}
		doubts = append(doubts, doubt{c.person, why})
	}
	if len(same) == 1 {
		return same[0], doubts
	}
	for _, p := range same {
		doubts = append(doubts, doubt{p, "several-alike"})
	}
	return "", doubts
}

// link decides whose a new source record is.
func (m *Matcher) link(ctx context.Context, tx store.Tx, source string, r record) (person string, err error) {
	list, err := m.candidates(ctx, tx, r, r.numbers)
	if err != nil {
		return "", err
	}
	person, doubts := decide(r, list)
	kind, reason := "link", "number"
	if person == "" {
		kind, person = "new", id.UUID()
		switch {
		case len(doubts) > 0:
			reason = doubts[0].reason
		case len(r.numbers) > 0:
			reason = "first-of-number"
		default:
			reason = "no-number"
		}
		if _, err := tx.Exec(ctx, `INSERT INTO ident_person (id, gone_to) VALUES ($1,'')`, person); err != nil {
			return "", err
		}
	}
	if _, err := tx.Exec(ctx, `INSERT INTO ident_link (source, person, version, told) VALUES ($1,$2,0,0)`, source, person); err != nil {
		return "", err
	}
	if err := m.carry(ctx, tx, source, r.numbers); err != nil {
		return "", err
	}
	if err := m.doubt(ctx, tx, source, doubts); err != nil {
		return "", err
	}
	_, err = m.append(ctx, tx, Event{Kind: kind, Reason: reason, Moves: []Move{{What: "source", ID: source, Became: person}}})
	return person, err
}

// changed looks at a new version of a source that has its person. The link
// stays; what speaks against it, and whoever else has one of its new numbers, is a doubt.
func (m *Matcher) changed(ctx context.Context, tx store.Tx, source string, r record, person string) error {
	before, err := numbersOf(ctx, tx, source)
	if err != nil {
		return err
	}
	fresh, states := map[string]int64{}, map[string]int64{}
	for k, state := range r.numbers {
		if was, ok := before[k]; !ok {
			fresh[k] = state
		} else if was != state {
			states[k] = state
		}
	}
	for k, state := range before {
		if _, ok := r.numbers[k]; !ok && state != former {
			states[k] = former
		}
	}
	var doubts []doubt
	if len(fresh) > 0 {
		list, err := m.candidates(ctx, tx, r, fresh)
		if err != nil {
			return err
		}
		for _, c := range list {
			if c.person != person {
				doubts = append(doubts, doubt{c.person, cmp.Or(against(r.facts, c.facts), "number-came-later")})
			}
		}
	}
	if why, err := strange(ctx, tx, source, r, person); err != nil {
		return err
	} else if why != "" {
		doubts = append(doubts, doubt{person, strayed})
	}
	maps.Copy(states, fresh)
	if err := m.carry(ctx, tx, source, states); err != nil {
		return err
	}
	return m.doubt(ctx, tx, source, doubts)
}

// strayed is the reason of a doubt about a source and its own person.
const strayed = "no-longer-alike"

// strange tells what speaks against a source and the other sources of its
// person: a facility may have given its patient number to somebody else.
func strange(ctx context.Context, tx store.Tx, source string, r record, person string) (string, error) {
	links, err := linksOf(ctx, tx, person)
	if err != nil {
		return "", err
	}
	for _, l := range links {
		if l.source == source {
			continue
		}
		doc, err := read(ctx, tx, l.source)
		if err != nil {
			return "", err
		}
		if doc != nil {
			if why := against(r.facts, factsOf(doc.Root())); why != "" {
				return why, nil
			}
		}
	}
	return "", nil
}

// maxHolders is how many persons may carry a number that still tells something.
const maxHolders = 20

// candidates locks numbers and gives the persons that carry any of them, by id.
func (m *Matcher) candidates(ctx context.Context, tx store.Tx, r record, numbers map[string]int64) (list []candidate, err error) {
	found := map[string]evidence{}
	for _, k := range slices.Sorted(maps.Keys(numbers)) { // two transactions lock them in one order
		if _, err := tx.Exec(ctx, `INSERT INTO ident_number (k) VALUES ($1) ON CONFLICT (k) DO UPDATE SET k = excluded.k`, k); err != nil {
			return nil, err
		}
		holders, err := holdersOf(ctx, tx, k)
		if err != nil {
			return nil, err
		}
		if len(holders) > maxHolders {
			continue
		}
		for person, state := range holders {
			by := plain
			switch {
			case numbers[k] == misfit && r.baby:
				by = never
			case numbers[k] != own || state != own:
				by = strict
			}
			found[person] = max(found[person], by)
		}
	}
	for _, person := range slices.Sorted(maps.Keys(found)) {
		golden, err := tx.Read(ctx, store.Key{Type: "Patient", ID: person})
		if err != nil {
			return nil, err
		}
		doc, err := r4.Parse(golden.Body)
		if err != nil {
			return nil, err
		}
		list = append(list, candidate{person, factsOf(doc.Root()), found[person]})
	}
	return list, nil
}

// carry writes the states of a source's numbers.
func (m *Matcher) carry(ctx context.Context, tx store.Tx, source string, states map[string]int64) error {
	for _, k := range slices.Sorted(maps.Keys(states)) {
		if _, err := tx.Exec(ctx, `INSERT INTO ident_key (k, source, state) VALUES ($1,$2,$3) ON CONFLICT (k, source) DO UPDATE SET state = excluded.state`,
			k, source, states[k]); err != nil {
			return err
		}
	}
	return nil
}

func (m *Matcher) doubt(ctx context.Context, tx store.Tx, source string, list []doubt) error {
	for _, d := range list {
		if _, err := tx.Exec(ctx, `INSERT INTO ident_doubt (source, person, at, reason, decided) VALUES ($1,$2,$3,$4,'')
			ON CONFLICT (source, person) DO UPDATE SET at = excluded.at, reason = excluded.reason`,
			source, d.person, m.Clock.Now().UnixMilli(), d.reason); err != nil {
			return err
		}
	}
	return nil
}
