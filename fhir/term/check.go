package term

import (
	"context"
	"fmt"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// Answer is what $validate-code says. VI and EN tell why Result is false, or
// what to mind when it is true; both are "" when there is nothing to say.
type Answer struct {
	Result  bool
	VI, EN  string
	Display string // recommended
	Code    Code   // the coding that was right, when several were given
}

// Check asks whether codes are right.
type Check struct {
	At
	Codes []Code // one of them must be right (a CodeableConcept)
	// NoAbstract refuses codes that are not to be selected; Inferred takes codes without a system.
	NoAbstract, Inferred bool
}

// ValidateInSet says whether one of the codes is in a value set, and its
// display right (FHIR R4 valueset-operation-validate-code.html). The set is
// named by url or brought inline. outcome.NotFound without the set;
// outcome.NotSupported when it can't be known.
func (s *Service) ValidateInSet(ctx context.Context, url string, inline r4.Node, q Check) (a Answer, err error) {
	defer outcome.Wrap(&err, "term.ValidateInSet")
	e := s.evaluation(ctx)
	e.day = q.Day
	set, err := e.askedSet(url, inline)
	if err != nil {
		return a, err
	}
	unknown := ""
	for _, c := range q.Codes {
		v, err := e.member(set, c, q.Inferred)
		switch {
		case err != nil:
			return a, err
		case v == Unknown:
			unknown = first(c.System, url, set.url)
			continue
		case v == NotMember:
			continue
		}
		if a, err = e.named(set, c, q); err != nil || a.Result {
			return a, err
		}
	}
	if unknown != "" {
		return a, partial(unknown)
	}
	if a.EN == "" {
		a.VI = fmt.Sprintf("Mã %s không thuộc tập giá trị “%.200s”.", codeText(q.Codes), set.url)
		a.EN = fmt.Sprintf("The code %s is not in the value set %.200q.", codeText(q.Codes), set.url)
	}
	return a, nil
}

func codeText(codes []Code) string {
	var parts []string
	for i, c := range codes {
		if i == 5 {
			parts = append(parts, "…")
			break
		}
		parts = append(parts, fmt.Sprintf("%.100s#%.100s", c.System, c.Code))
	}
	return strings.Join(parts, ", ")
}

// named checks what is to be said of a code that is a member: its display, and whether it may be selected.
func (e *evaluation) named(set *set, c Code, q Check) (a Answer, err error) {
	if c.System == "" {
		for _, in := range set.includes {
			c.System = in.system
			if v, err := e.member(set, c, false); err != nil || v == Member && c.System != "" {
				break
			}
		}
	}
	sys, err := e.system(c.System, c.Version)
	if err != nil {
		return a, err
	}
	it := item{url: c.System, version: c.Version, code: c.Code, at: -1}
	for i := range set.includes {
		in := &set.includes[i]
		if j, ok := in.index[c.Code]; ok && in.system == c.System {
			it.listed, it.display = in.codes[j].node, in.codes[j].display
		}
	}
	it.place(sys)
	return it.answer(c, q), nil
}

// answer judges the display of a code that is right by itself.
func (it item) answer(c Code, q Check) Answer {
	entry := it.entry(q.Language)
	a := Answer{Result: true, Display: entry.Display, Code: Code{c.System, first(c.Version, entry.Version), c.Code, entry.Display}}
	if entry.Abstract && q.NoAbstract {
		a.Result = false
		a.VI, a.EN = fmt.Sprintf("Mã “%.100s” chỉ để gom nhóm, không được chọn.", c.Code), fmt.Sprintf("The code %.100q only groups others and is not to be selected.", c.Code)
		return a
	}
	if entry.Inactive {
		a.VI, a.EN = fmt.Sprintf("Mã “%.100s” không còn dùng.", c.Code), fmt.Sprintf("The code %.100q is not active any more.", c.Code)
	}
	if c.Display == "" {
		return a
	}
	names := []string{entry.Display, it.display}
	if k := it.concept(); k != nil {
		names = append(names, k.display)
	}
	for _, d := range entry.Designations {
		names = append(names, d.Value)
	}
	known := false
	for _, n := range names {
		known = known || n != ""
		if n != "" && sameName(n, c.Display) {
			return a
		}
	}
	if !known {
		a.VI, a.EN = "Không có tên của mã để đối chiếu.", "There is no name of the code to compare the display with."
		return a
	}
	a.Result = false
	a.VI = fmt.Sprintf("Tên “%.200s” không phải tên của mã “%.100s”.", c.Display, c.Code)
	a.EN = fmt.Sprintf("The display %.200q is not a name of the code %.100q.", c.Display, c.Code)
	return a
}

// sameName compares displays; case and blanks don't matter, marks do.
func sameName(a, b string) bool {
	return strings.EqualFold(strings.Join(strings.Fields(a), " "), strings.Join(strings.Fields(b), " "))
}

// ValidateInSystem says whether one of the codes is in a code system, and its
// display right (FHIR R4 codesystem-operation-validate-code.html). The system
// is named by url (and version) or brought inline.
func (s *Service) ValidateInSystem(ctx context.Context, url, version string, inline r4.Node, q Check) (a Answer, err error) {
	defer outcome.Wrap(&err, "term.ValidateInSystem")
	e := s.evaluation(ctx)
	e.day = q.Day
	var sys *codeSystem
	if inline.Exists() {
		sys = newCodeSystem(inline)
		sys.add(inline, -1)
		sys.relate()
		url = sys.url
	} else if sys, err = e.system(url, version); err != nil {
		return a, err
	}
	if sys == nil {
		return a, noSystem(url)
	}
	for _, c := range q.Codes {
		if c.System != "" && c.System != url {
			continue
		}
		c.System = url
		it := item{url: url, version: sys.version, code: c.Code, at: -1}
		it.place(sys)
		switch {
		case it.at < 0 && sys.grammar == nil && !sys.whole():
			return a, partial(url)
		case it.at < 0 && (sys.grammar == nil || !sys.grammar.valid(c.Code)):
			continue
		}
		if a = it.answer(c, q); a.Result {
			return a, nil
		}
	}
	if a.EN == "" {
		a.VI = fmt.Sprintf("Mã %s không có trong hệ mã “%.200s”.", codeText(q.Codes), url)
		a.EN = fmt.Sprintf("The code %s is not in the code system %.200q.", codeText(q.Codes), url)
	}
	return a, nil
}
