// Package term is the terminology service: code systems, value sets and concept
// maps that a canon.Source finds, and what can be asked of them.
//
// An answer is exact or it is none: what would need a code system that is not
// at hand (SNOMED CT, LOINC, unless they were loaded) is Unknown or
// outcome.NotSupported, never a guess. Definitions are compiled when first
// asked for and kept until Forget; all of it is safe for concurrent use.
//
// Source: FHIR R4 terminology-service.html, codesystem.html, valueset.html,
// conceptmap.html, terminologies-systems.html.
package term

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/ytso/ytso/fhir/canon"
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// Service answers questions about codes.
type Service struct {
	source canon.Source
	kept   atomic.Pointer[cache]
}

// New makes a service over definitions. The systems that this package knows by
// their grammar (UCUM, BCP 47, MIME types) need none.
func New(s canon.Source) *Service {
	t := &Service{source: s}
	t.Forget()
	return t
}

// Forget lets go of everything compiled: to be called when definitions changed.
func (s *Service) Forget() { s.kept.Store(new(cache)) }

// cache holds what was compiled, also that nothing was found (nil). A
// definition that is being compiled while Forget is called goes into the cache that was dropped.
type cache struct {
	systems, sets, maps sync.Map // canonical → *system, *set, *conceptMap
	flights             singleflight.Group
	count               atomic.Int64
}

// maxKept bounds the cache, since canonicals come from callers as well.
const maxKept = 20_000

// keep gives what is kept under a canonical, or compiles it: once for all who
// ask at the same time, since a large system takes much memory on the way.
// Errors are not kept; who waited for one that gave up asks again.
func keep[T any](e *evaluation, in *sync.Map, kind, canonical string, compile func() (*T, error)) (*T, error) {
	for {
		if got, ok := in.Load(canonical); ok {
			return got.(*T), nil
		}
		got, err, shared := e.c.flights.Do(kind+canonical, func() (any, error) {
			if got, ok := in.Load(canonical); ok { // another flight landed since it was looked for
				return got, nil
			}
			made, err := compile()
			if err != nil {
				return nil, err
			}
			if _, loaded := in.LoadOrStore(canonical, made); !loaded && e.c.count.Add(1) > maxKept {
				e.s.kept.CompareAndSwap(e.c, new(cache))
			}
			return made, nil
		})
		switch {
		case err == nil:
			return got.(*T), nil
		case e.ctx.Err() != nil || !shared || !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded):
			return nil, err
		}
	}
}

// Code is one code of a system.
type Code struct{ System, Version, Code, Display string }

// Verdict is what is known of a code and a value set.
type Verdict uint8

// Verdicts. Unknown: the set or a code system that it needs is not at hand, so
// nothing may be concluded.
const (
	Unknown Verdict = iota
	Member
	NotMember
)

// Member says whether a code is in a value set; valueSet may carry "|version".
// A System of "" matches a code of any system of the set only when anySystem.
// Abstract and inactive codes are members unless the set leaves them out.
// The error is of ctx or of a Source.
func (s *Service) Member(ctx context.Context, valueSet string, c Code, anySystem bool) (Verdict, error) {
	e := s.evaluation(ctx)
	set, err := e.set(valueSet)
	if err != nil || set == nil {
		return Unknown, err
	}
	return e.member(set, c, anySystem)
}

// MaxCodes bounds what Codes lists.
const MaxCodes = 20_000

// Codes lists the codes of a value set; valueSet may carry "|version". complete
// is false when the list lacks codes: the set or a code system is not at hand,
// or there are more than MaxCodes. The list then still holds nothing that is not in the set.
func (s *Service) Codes(ctx context.Context, valueSet string) (list []Code, complete bool, err error) {
	e := s.evaluation(ctx)
	set, err := e.set(valueSet)
	if err != nil || set == nil {
		return nil, false, err
	}
	complete, err = e.each(set, func(it item) bool {
		if len(list) == MaxCodes {
			return false
		}
		list = append(list, it.Code())
		return true
	})
	if ofDay(err) {
		return list, false, nil
	}
	return list, complete, err
}

// Descendants gives the codes that a code subsumes, itself first and the others
// in the order of the system: what `:below` of a token search finds.
// ok is false when the system or the code is not at hand.
func (s *Service) Descendants(ctx context.Context, system, code string) (codes []string, ok bool, err error) {
	return s.relatives(ctx, system, code, (*codeSystem).below)
}

// Ancestors gives the codes that subsume a code, itself first: what `:above` of
// a token search finds. ok is false when the system or the code is not at hand.
func (s *Service) Ancestors(ctx context.Context, system, code string) (codes []string, ok bool, err error) {
	return s.relatives(ctx, system, code, (*codeSystem).above)
}

func (s *Service) relatives(ctx context.Context, url, code string, walk func(*codeSystem, int32) []int32) (codes []string, ok bool, err error) {
	sys, err := s.evaluation(ctx).system(url, "")
	if err != nil || sys == nil {
		return nil, false, err
	}
	if sys.grammar != nil {
		if !sys.grammar.valid(code) {
			return nil, false, nil
		}
		return []string{code}, true, nil // a grammar has no hierarchy
	}
	i, found := sys.find(code)
	if !found || !sys.whole() || !sys.subsumes() {
		return nil, false, nil
	}
	codes = []string{sys.concepts[i].code}
	for _, j := range walk(sys, i) {
		codes = append(codes, sys.concepts[j].code)
	}
	return codes, true, nil
}

// evaluation is one question: the versions and the day it asks for, and the
// value sets it is inside of.
type evaluation struct {
	ctx      context.Context
	s        *Service
	c        *cache
	day      string            // yyyy-mm-dd: definitions as they were then, "" for the newest
	versions map[string]string // system → version when the set names none
	forced   map[string]string // system → version whatever the set names
	within   []string          // value sets on the way to the one at hand
	used     map[string]string // noted: system → version that was read; nil: nobody asks
	steps    int
}

func (s *Service) evaluation(ctx context.Context) *evaluation {
	return &evaluation{ctx: ctx, s: s, c: s.kept.Load()}
}

// maxSteps bounds the work of one question: value sets that import each other
// many times over would take for ever, though none is defined by itself.
const maxSteps = 2_000_000

var errSteps = outcome.New(outcome.TooCostly, "term.steps",
	"Tập giá trị lồng nhau quá nhiều nên không tính được.", "The value sets import one another too many times to be worked out.")

// step is to be called for each clause and concept that is looked at. It looks
// at the context now and then: who has gone is not worth a walk over a large system.
func (e *evaluation) step() error {
	e.steps++
	switch {
	case e.steps > maxSteps:
		return errSteps
	case e.steps&1023 == 0:
		return e.ctx.Err()
	}
	return nil
}

// system finds and compiles a code system, nil when there is none.
func (e *evaluation) system(url, version string) (*codeSystem, error) {
	if v, ok := e.forced[url]; ok {
		version = v
	} else if version == "" {
		version = e.versions[url]
	}
	key := url
	if version != "" {
		key += "|" + version
	}
	if e.day != "" && version == "" {
		key += "#" + e.day
	}
	sys, err := keep(e, &e.c.systems, "CodeSystem ", key, func() (*codeSystem, error) {
		return e.compileSystem(url, version)
	})
	if err == nil && sys != nil && e.used != nil {
		e.used[url] = sys.version
	}
	return sys, err
}

// set finds and compiles a value set, nil when there is none.
func (e *evaluation) set(canonical string) (*set, error) {
	key := canonical
	if e.day != "" {
		key += "#" + e.day
	}
	return keep(e, &e.c.sets, "ValueSet ", key, func() (*set, error) {
		url, version, _ := canon.Split(canonical)
		if implied := impliedSet(url); implied != nil {
			return implied, nil
		}
		doc, err := e.find("ValueSet", url, version)
		if err != nil || doc == nil {
			return nil, err
		}
		return compileSet(doc.Root()), nil
	})
}

// Dated is a Source that knows definitions by the day they held on.
type Dated interface {
	// FindOn gives the definition of a type and url that held on a day (yyyy-mm-dd), nil when it knows none.
	FindOn(ctx context.Context, typ, url, day string) (*r4.Doc, error)
}

// Supplements is a Source that knows what supplements a code system (designations of another language).
type Supplements interface {
	Supplements(ctx context.Context, system string) ([]*r4.Doc, error)
}

// Parts is a Source that keeps the concepts of large code systems outside of
// their resource, which then has content "not-present", a count and no concept.
type Parts interface {
	// Parts gives resources whose concept lists, one after the other, are those of the system; none when it has none.
	Parts(ctx context.Context, system, version string) ([]*r4.Doc, error)
}

// find asks the source. A definition of another day than today's is one that a
// Dated source knows, or one that is as it was since that day.
func (e *evaluation) find(typ, url, version string) (*r4.Doc, error) {
	if e.day == "" || version != "" {
		return e.s.source.Find(e.ctx, typ, url, version)
	}
	for d := range sourcesOf[Dated](e.s.source) {
		if doc, err := d.FindOn(e.ctx, typ, url, e.day); doc != nil || err != nil {
			return doc, err
		}
	}
	doc, err := e.s.source.Find(e.ctx, typ, url, "")
	if err != nil || doc == nil || since(doc.Root().Get("date").Text()) <= e.day {
		return doc, err
	}
	return nil, outcome.New(outcome.NotSupported, keyDay,
		fmt.Sprintf("Không biết “%.200s” như thế nào vào ngày %s.", url, e.day), fmt.Sprintf("It is not known what %.200q was on %s.", url, e.day))
}

const keyDay = "term.day"

// ofDay says whether an error tells that it isn't known what a definition was on a day.
func ofDay(err error) bool { return err != nil && outcome.As(err).Key == keyDay }

// since is the last day on which a date of a definition may lie; without one it lies beyond all days.
func since(date string) string {
	switch len(date) {
	case 0:
		return "9999"
	case len("2006"):
		return date + "-12-31"
	case len("2006-01"):
		return date + "-31"
	}
	return date[:min(len(date), len(time.DateOnly))]
}

// sourcesOf walks the Sources that can do more than find.
func sourcesOf[T any](s canon.Source) func(func(T) bool) {
	return func(yield func(T) bool) {
		list, ok := s.(canon.Sources)
		if !ok {
			if t, ok := s.(T); ok {
				yield(t)
			}
			return
		}
		for _, one := range list {
			for t := range sourcesOf[T](one) {
				if !yield(t) {
					return
				}
			}
		}
	}
}
