package param

import (
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// Bounds of a query.
const (
	MaxCount        = 1000
	maxParameters   = 100   // in one query, each time that one is named
	maxLength       = 16000 // bytes of one value
	maxValues       = 200   // joined by OR in one parameter
	maxChain        = 5
	maxAlternatives = 16 // types that a reference without a type may be taken for
)

// Options of reading a query.
type Options struct {
	// Lenient leaves out parameters that are not known instead of refusing them
	// (Prefer: handling=lenient), and names them in Query.Ignored. A value that is
	// wrong, a modifier that there is not, stay errors.
	Lenient bool
	// Now is the time from which "ap" of a date is reckoned; zero: the clock.
	Now time.Time
	// Base are the addresses of this server, each ending in "/": a reference asked
	// for below one of them is that of a resource here.
	Base []string
}

// Parse reads a search of one type by the official parameters, strictly.
func Parse(typ string, q url.Values) (Query, error) { return Official().Parse(typ, q, Options{}) }

// Parse reads a search of one type, or of several with typ "" (then _type names
// them; without it all types are searched, by what every resource has). Several
// values of one parameter must all hold. What it does not know is an error that
// names the parameter: a parameter passed over would widen the result (FHIR R4
// search.html#errors, Prefer: handling=strict). Which clauses can be answered is
// for the store to say.
func (r *Registry) Parse(typ string, q url.Values, o Options) (Query, error) {
	p := reader{r: r, o: o, q: Query{Type: typ}}
	if p.o.Now.IsZero() {
		p.o.Now = time.Now()
	}
	if _, err := r.of(typ); err != nil {
		return p.q, err
	}
	keys := make([]string, 0, len(q))
	n := 0
	for k, texts := range q {
		keys = append(keys, k)
		n += len(texts)
	}
	if n > maxParameters {
		return p.q, bad("?", "có quá nhiều tham số", "there are too many parameters")
	}
	slices.Sort(keys)
	if err := p.types(q["_type"]); err != nil {
		return p.q, err
	}
	for _, key := range keys {
		if err := p.parameter(key, q[key]); err != nil {
			return p.q, err
		}
	}
	slices.SortStableFunc(p.q.Where, func(a, b Clause) int { return strings.Compare(a.key(), b.key()) })
	return p.q, nil
}

// reader is one query being read.
type reader struct {
	r *Registry
	o Options
	q Query
}

func bad(key, vi, en string) error {
	return outcome.New(outcome.Invalid, "param.value", fmt.Sprintf("Tham số “%.64s”: %s.", key, vi), fmt.Sprintf("Parameter %.64q: %s.", key, en))
}

func badAt(key string, at int) error {
	return outcome.New(outcome.Invalid, "param.value", fmt.Sprintf("Tham số “%.64s”: sai cú pháp ở ký tự %d.", key, at),
		fmt.Sprintf("Parameter %.64q: a syntax error at character %d.", key, at))
}

func notSupported(key, vi, en string) error {
	return outcome.New(outcome.NotSupported, "param.unsupported", fmt.Sprintf("Tham số “%.64s”: %s.", key, vi), fmt.Sprintf("Parameter %.64q: %s.", key, en))
}

// types reads _type (search.html#searching-all-types).
func (p *reader) types(texts []string) error {
	if len(texts) == 0 {
		return nil
	}
	if p.q.Type != "" {
		return bad("_type", "chỉ dùng khi tìm trên mọi loại tài nguyên", "is for searches over all types only")
	}
	if len(texts) > 1 {
		return bad("_type", "chỉ được nêu một lần", "may be given once only")
	}
	for typ := range strings.SplitSeq(texts[0], ",") {
		if !r4.IsResource(typ) {
			return bad("_type", "không có loại tài nguyên này", "there is no such resource type")
		}
		if !slices.Contains(p.q.Types, typ) {
			p.q.Types = append(p.q.Types, typ)
		}
	}
	return nil
}

// over are the types that each parameter must be known of.
func (p *reader) over() []string {
	if p.q.Types != nil {
		return p.q.Types
	}
	return []string{p.q.Type}
}

func (p *reader) parameter(key string, texts []string) error {
	for _, text := range texts {
		if len(text) > maxLength || len(key) > maxLength {
			return bad(key, "quá dài", "is too long")
		}
		known, err := p.control(key, text, len(texts))
		if err != nil {
			return err
		}
		if known {
			continue
		}
		if p.o.Lenient && !p.known(key) {
			if !slices.Contains(p.q.Ignored, key) {
				p.q.Ignored = append(p.q.Ignored, key)
			}
			continue
		}
		if err := p.condition(key, text, len(texts)); err != nil {
			return err
		}
	}
	return nil
}

// known says whether the parameter itself is known, whatever its modifier.
func (p *reader) known(key string) bool {
	if strings.HasPrefix(key, "_has:") {
		return true
	}
	name := key
	if i := strings.IndexAny(key, ".:"); i >= 0 {
		name = key[:i]
	}
	for _, typ := range p.over() {
		if _, err := p.r.find(typ, name); err != nil && outcome.As(err).Key == "param.unknown" {
			return false
		}
	}
	return true
}

// condition reads what to look for: a clause, or alternatives where a chain goes through a reference to several types.
func (p *reader) condition(key, text string, times int) error {
	var list []Clause
	for i, typ := range p.over() {
		next, err := p.clauses(typ, key, text, 0)
		if err != nil {
			return err
		}
		if i > 0 && !reflect.DeepEqual(list, next) {
			return bad(key, "không cùng nghĩa trên các loại đang tìm", "does not mean the same for all types searched")
		}
		list = next
		if first, err := p.r.find(typ, list[0].Param); times > 1 && list[0].HasType == "" && err == nil && first.once {
			return bad(key, "chỉ được nêu một lần", "may be given once only")
		}
	}
	if len(list) == 1 {
		p.q.Where = append(p.q.Where, list[0])
		return nil
	}
	or := &Expr{Op: "or", source: [2]string{key, text}}
	for i := range list {
		or.Parts = append(or.Parts, &Expr{Clause: &list[i]})
	}
	p.filter(or)
	return nil
}

// filter adds a condition that must hold as well.
func (p *reader) filter(e *Expr) {
	switch f := p.q.Filter; {
	case f == nil:
		p.q.Filter = e
	case f.Op == "and" && f.source[0] == "":
		f.Parts = append(f.Parts, e)
	default:
		p.q.Filter = &Expr{Op: "and", Parts: []*Expr{f, e}}
	}
}
