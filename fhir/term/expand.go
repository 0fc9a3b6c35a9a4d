package term

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/fold"
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// Bounds of an expansion: codes in one answer, and codes that are walked over to count them.
const (
	MaxExpansion = 10_000
	maxWalk      = 1_000_000
)

// Expand asks for the codes of a value set (FHIR R4 valueset-operation-expand.html).
type Expand struct {
	At
	URL    string  // canonical
	Inline r4.Node // instead of URL: a ValueSet
	Filter string  // words that begin words of a display, designation or code; marks and case don't matter
	Offset int
	Count  int // NoCount: all of them; 0: only the total
	// ActiveOnly leaves inactive codes out, ForUI abstract ones.
	ActiveOnly, ForUI bool
	Exclude           []string          // canonicals of systems that are left out
	Default           map[string]string // system → version when the set names none
	Check             map[string]string // system → version that must be the one in use
	Force             map[string]string // system → version whatever the set names
}

// NoCount as Expand.Count asks for all codes.
const NoCount = -1

// Expansion is the answer.
type Expansion struct {
	Set      r4.Node // the definition, zero for an implied set
	URL      string
	Version  string
	Total    int
	Entries  []Entry
	Used     []Code // systems and versions that it comes from; Code and Display are ""
	Unclosed bool   // other codes may be right as well: a system is at hand as a fragment only
	Count    int    // as it was bounded, NoCount when not asked for
	Language string
}

// Entry is one code of an expansion.
type Entry struct {
	Code
	Abstract, Inactive bool
	Designations       []Designation
}

// Expand lists the codes of a value set, flat, in the order of its definition.
// outcome.NotFound without the set; outcome.NotSupported when a system that it
// needs is not at hand; outcome.TooCostly when it can't be listed or is larger than
// MaxExpansion and no page was asked for.
func (s *Service) Expand(ctx context.Context, q Expand) (x *Expansion, err error) {
	defer outcome.Wrap(&err, "term.Expand")
	e := s.evaluation(ctx)
	e.day, e.versions, e.forced, e.used = q.Day, q.Default, q.Force, map[string]string{}
	set, err := e.askedSet(q.URL, q.Inline)
	if err != nil {
		return nil, err
	}
	x = &Expansion{Set: set.doc, URL: set.url, Version: set.version, Count: q.Count, Language: q.Language}
	if q.Count > MaxExpansion {
		x.Count = MaxExpansion
	}
	w := newWalk(e, set)
	words := fold.Words(q.Filter)
	w.yield = func(it item) bool {
		if !q.wants(it, words) {
			return true
		}
		x.Total++
		if at := x.Total - 1; at >= q.Offset && (x.Count == NoCount || at < q.Offset+x.Count) && len(x.Entries) <= MaxExpansion {
			x.Entries = append(x.Entries, it.entry(q.Language))
		}
		return x.Total <= maxWalk && (x.Count != NoCount || len(x.Entries) <= MaxExpansion)
	}
	if err := w.run(); err != nil {
		return nil, err
	}
	switch {
	case w.ended:
		return nil, tooCostly
	case len(w.why) > 0:
		return nil, e.missing(w.why)
	}
	x.Unclosed = w.unclosed
	x.note(e.used)
	for system, version := range q.Check {
		if got, used := e.used[system]; used && got != version {
			return nil, otherVersion(system, got, version)
		}
	}
	return x, nil
}

var tooCostly = outcome.New(outcome.TooCostly, "term.too-costly",
	fmt.Sprintf("Tập giá trị có hơn %d mã. Hãy lọc bằng filter hoặc lấy từng trang bằng count và offset.", MaxExpansion),
	fmt.Sprintf("The value set has more than %d codes. Narrow it by filter, or take pages by count and offset.", MaxExpansion))

func otherVersion(system, got, want string) error {
	return outcome.New(outcome.BusinessRule, "term.version",
		fmt.Sprintf("Hệ mã “%.200s” ở phiên bản “%.40s”, không phải “%.40s”.", system, got, want),
		fmt.Sprintf("The code system %.200q is of version %.40q, not %.40q.", system, got, want))
}

// askedSet finds the set that a question names or brings.
func (e *evaluation) askedSet(url string, inline r4.Node) (*set, error) {
	if inline.Exists() {
		return compileSet(inline), nil
	}
	set, err := e.set(url)
	if err == nil && set == nil {
		err = noSet(url)
	}
	return set, err
}

// missing is the error of an expansion that lacks codes: of what can't be listed at all, or of what is not at hand.
func (e *evaluation) missing(why []string) error {
	for _, url := range why {
		if sys, err := e.system(url, ""); err != nil {
			return err
		} else if sys != nil && sys.grammar != nil {
			return outcome.New(outcome.TooCostly, "term.endless",
				fmt.Sprintf("Hệ mã “%.200s” có vô số mã nên không liệt kê được.", url), fmt.Sprintf("The code system %.200q has no end of codes and can't be listed.", url))
		}
	}
	return partial(why[0])
}

// wants says whether an item passes what the caller asks beside the set.
func (q *Expand) wants(it item, words []string) bool {
	if k := it.concept(); k != nil && (q.ActiveOnly && k.inactive || q.ForUI && k.abstract) {
		return false
	}
	for _, x := range q.Exclude {
		url, version, _ := strings.Cut(x, "|")
		if url == it.url && sameVersion(version, it.version) {
			return false
		}
	}
	if len(words) == 0 {
		return true
	}
	text := it.text()
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, " "+w) })
}

func (it item) entry(lang string) Entry {
	out := Entry{Code: it.Code(), Designations: designationsOf(it.listed)}
	if k := it.concept(); k != nil {
		out.Abstract, out.Inactive = k.abstract, k.inactive
		out.Designations = append(out.Designations, it.sys.designations(it.at)...)
	}
	if lang == "" {
		return out
	}
	if name := inLanguage(out.Designations, lang); name != "" {
		out.Display = name
	} else if it.at >= 0 && it.sys.concepts[it.at].display != "" && speaks(it.sys.language, lang) {
		out.Display = it.sys.concepts[it.at].display
	}
	return out
}

func (x *Expansion) note(used map[string]string) {
	for _, system := range slices.Sorted(maps.Keys(used)) {
		x.Used = append(x.Used, Code{System: system, Version: used[system]})
	}
}
