package term

import (
	"github.com/ytso/ytso/fhir/r4"
)

// item is one code on its way into an expansion: of a system, of a list, or of both.
type item struct {
	url, version, code, display string
	sys                         *codeSystem // nil when its system is not at hand
	at                          int32       // its concept, -1 when the system doesn't have it
	listed                      r4.Node     // compose.include.concept, zero without one
}

// Code is the code with the display that the set gives it, else its system.
func (it item) Code() Code {
	c := Code{it.url, it.version, it.code, it.display}
	if c.Display == "" && it.at >= 0 {
		c.Display = it.sys.concepts[it.at].display
	}
	return c
}

func (it item) concept() *concept {
	if it.at < 0 {
		return nil
	}
	return &it.sys.concepts[it.at]
}

// text is what the filter of an expansion looks into.
func (it item) text() string {
	t := ""
	if it.at >= 0 {
		t = it.sys.words()[it.at]
	}
	if it.listed.Exists() {
		t += foldListed(it.code, it.listed)
	}
	return t
}

// each gives the codes of a set once, in the order of its includes, until yield
// says no more. complete is false when codes are missing, because a system is
// not at hand or can't be listed, or since yield ended it.
func (e *evaluation) each(s *set, yield func(item) bool) (complete bool, err error) {
	w := newWalk(e, s)
	w.yield = yield
	if err := w.run(); err != nil {
		return false, err
	}
	return w.complete && !w.ended, nil
}

func newWalk(e *evaluation, s *set) *walk {
	w := &walk{e: e, set: s, complete: true}
	if len(s.includes) != 1 || !s.composed { // one include gives no code twice
		w.seen = map[[2]string]bool{}
	}
	return w
}

type walk struct {
	e        *evaluation
	set      *set
	seen     map[[2]string]bool
	yield    func(item) bool
	complete bool
	ended    bool
	unclosed bool     // codes are missing only since a system is a fragment of itself
	why      []string // canonicals of what was missing otherwise
}

func (w *walk) lack(canonical string) {
	w.complete = false
	w.why = append(w.why, canonical)
}

func (w *walk) run() error {
	if !w.set.composed {
		if w.set.listed == nil { // a set of which nothing is said
			w.lack(w.set.url)
			return nil
		}
		return w.stored()
	}
	leave, cycle := w.e.enter(w.set)
	if cycle {
		w.lack(w.set.url)
		return nil
	}
	defer leave()
	if w.e.day == "" {
		w.e.day = w.set.locked
		defer func() { w.e.day = "" }()
	}
	for i := range w.set.includes {
		if err := w.include(&w.set.includes[i]); err != nil || w.ended {
			return err
		}
	}
	return nil
}

// stored gives the expansion that a set without definition brings along.
func (w *walk) stored() error {
	for _, c := range w.set.listed.codes {
		sys, err := w.e.system(c.System, "")
		if err != nil {
			return err
		}
		it := item{url: c.System, version: c.Version, code: c.Code, display: c.Display, at: -1}
		it.place(sys)
		if w.give(it); w.ended {
			return nil
		}
	}
	if !w.set.listed.complete {
		w.lack(w.set.url)
	}
	return nil
}

// place finds the concept of a code in its system.
func (it *item) place(sys *codeSystem) {
	if sys == nil || sys.grammar != nil {
		return
	}
	if at, ok := sys.find(it.code); ok && sameVersion(it.version, sys.version) {
		it.sys, it.at = sys, at
	}
}

func (w *walk) give(it item) {
	if key := [2]string{it.url, it.code}; w.seen != nil {
		if w.seen[key] {
			return
		}
		w.seen[key] = true
	}
	if !w.yield(it) {
		w.ended = true
	}
}

func (w *walk) include(in *clause) error {
	if err := w.e.step(); err != nil {
		return err
	}
	switch {
	case in.system == "" && len(in.sets) > 0:
		return w.imported(in)
	case len(in.codes) > 0:
		return w.list(in)
	case in.system != "":
		return w.concepts(in)
	}
	return nil
}

// imported walks the first imported set; the others must have the code as well.
func (w *walk) imported(in *clause) error {
	from, err := w.e.set(in.sets[0])
	if err != nil {
		return err
	}
	if from == nil {
		w.lack(in.sets[0])
		return nil
	}
	inner := newWalk(w.e, from)
	var fault error
	inner.yield = func(it item) bool {
		fault = w.offer(in, in.sets[1:], it)
		return fault == nil && !w.ended
	}
	if err := inner.run(); err != nil {
		return err
	}
	w.complete, w.unclosed = w.complete && inner.complete, w.unclosed || inner.unclosed
	w.why = append(w.why, inner.why...)
	return fault
}

func (w *walk) list(in *clause) error {
	sys, err := w.e.system(in.system, in.version)
	if err != nil {
		return err
	}
	for _, l := range in.codes {
		it := item{url: in.system, version: in.version, code: l.code, display: l.display, at: -1, listed: l.node}
		it.place(sys)
		if it.sys != nil && it.version == "" {
			it.version = it.sys.version
		}
		if err := w.offer(in, in.sets, it); err != nil || w.ended {
			return err
		}
	}
	return nil
}

func (w *walk) concepts(in *clause) error {
	sys, err := w.e.system(in.system, in.version)
	if err != nil {
		return err
	}
	switch {
	case sys == nil || sys.grammar != nil || len(sys.concepts) == 0 && !sys.whole():
		w.lack(in.system)
		return nil
	case !sys.whole():
		w.complete, w.unclosed = false, true
	}
	for i := range sys.concepts {
		v := Member
		for j := range in.filters {
			if got := in.filters[j].holds(sys, int32(i)); got != Member {
				v = got
				break
			}
		}
		if v == Unknown && len(w.why) == 0 {
			w.lack(in.system)
		}
		if v != Member {
			if err := w.e.step(); err != nil {
				return err
			}
			continue
		}
		it := item{url: sys.url, version: sys.version, code: sys.concepts[i].code, sys: sys, at: int32(i)}
		if err := w.offer(in, in.sets, it); err != nil || w.ended {
			return err
		}
	}
	return nil
}

// offer gives an item that the other imports of its clause have and no exclude.
func (w *walk) offer(in *clause, sets []string, it item) error {
	if err := w.e.step(); err != nil {
		return err
	}
	if k := it.concept(); w.set.noInactive && k != nil && k.inactive {
		return nil
	}
	c := Code{System: it.url, Version: it.version, Code: it.code}
	for _, url := range sets {
		other, err := w.e.set(url)
		if err != nil {
			return err
		}
		v := Unknown
		if other != nil {
			if v, err = w.e.member(other, c, false); err != nil {
				return err
			}
		}
		if v == Unknown {
			w.lack(url)
		}
		if v != Member {
			return nil
		}
	}
	v, err := w.e.any(w.set.excludes, c, false, false)
	if err != nil {
		return err
	}
	if v == Unknown {
		w.lack(w.set.url)
	}
	if v == NotMember {
		w.give(it)
	}
	return nil
}
