package main

import (
	"context"
	_ "embed"
	"regexp"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/fhirpath"
	"github.com/ytso/ytso/fhir/r4"
)

// question is an expression with what it is for.
type question struct {
	kind     string // "search", "invariant", "general"
	source   string
	theirs   string // as the other engine is asked it
	compiled *fhirpath.Expression
	broken   error
}

// set is all questions, and which of them each type is asked.
type set struct {
	list   []question
	theirs []string
	of     map[string][]int
}

// general is one expression a line; "# …" is a remark.
//
//go:embed general.txt
var general string

func questions(corpus []subject) *set {
	s := &set{of: map[string][]int{}}
	index := map[string]int{}
	add := func(typ, kind, source string) {
		k, ok := index[kind+source]
		if !ok {
			k = len(s.list)
			index[kind+source] = k
			q := question{kind: kind, source: source, theirs: source}
			switch {
			case kind == "search":
				q.theirs = strings.ReplaceAll(withoutResolve(source), "Resource.", "") // its "Resource" is no type of a resource's own
			case strings.HasPrefix(source, "$this"): // there is no $this outside of a function there
				q.theirs = "%context" + strings.TrimPrefix(source, "$this")
			}
			q.compiled, q.broken = fhirpath.Compile(source)
			s.list = append(s.list, q)
			s.theirs = append(s.theirs, q.theirs)
		}
		if !slices.Contains(s.of[typ], k) {
			s.of[typ] = append(s.of[typ], k)
		}
	}
	for _, d := range corpus {
		typ := d.doc.Type()
		if s.of[typ] != nil {
			continue
		}
		for _, base := range []string{typ, "DomainResource", "Resource"} {
			for _, p := range r4.SearchParameters(base) {
				if p.Expression != "" && p.Type != "composite" {
					add(typ, "search", p.Expression)
				}
			}
		}
		for _, e := range invariants(typ) {
			add(typ, "invariant", e)
		}
		for line := range strings.Lines(general) {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				add(typ, "general", line)
			}
		}
	}
	return s
}

var resolves = regexp.MustCompile(`\.where\(resolve\(\) is (\w+)\)`)

// withoutResolve asks for the type that a literal reference names, which is what
// a search may know of a target (the other engine would fetch it).
func withoutResolve(e string) string {
	return resolves.ReplaceAllString(e, `.where(reference.matches('^([a-z]+://.+/)?$1/[^/]+(/_history/.+)?$$'))`)
}

// invariants of a type: those of its own elements, of the data types in them, and of every element.
func invariants(typ string) (out []string) {
	add := func(path, key, expression string) {
		out = append(out, path+".select(("+expression+"))")
	}
	types := map[string]bool{}
	var walk func(path string)
	walk = func(path string) {
		e, ok := r4.ElementAt(path)
		if !ok {
			return
		}
		for _, i := range r4.InvariantsAt(path) {
			add(strings.ReplaceAll(path, "[x]", ""), i.Key, i.Expression)
		}
		for _, t := range e.Types {
			types[t.Code] = true
		}
		for _, c := range r4.Children(path) {
			walk(c.Path)
		}
	}
	walk(typ)
	for t := range types {
		if r4.PrimitiveOf(t) != r4.None || r4.IsResource(t) || t == "Element" || t == "BackboneElement" || t == "Resource" {
			continue
		}
		for _, i := range r4.InvariantsAt(t) {
			add("descendants().where($this is "+t+")", i.Key, i.Expression)
		}
	}
	for _, i := range r4.InvariantsAt("DomainResource") {
		add("$this", i.Key, i.Expression)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// answer is ours.
func answer(q question, d *r4.Doc) result {
	if q.broken != nil {
		return result{err: q.broken.Error()}
	}
	var items []fhirpath.Item
	if q.kind == "search" {
		items = q.compiled.Eval(d)
	} else {
		var err error
		if items, err = q.compiled.Run(context.Background(), fhirpath.Root(d), &fhirpath.Env{Filters: q.kind == "invariant", Lenient: true}); err != nil {
			return result{err: err.Error()}
		}
	}
	var r result
	for _, i := range items {
		if i.Complex() {
			r.items = append(r.items, canonical(i.Node.Raw()))
		} else if t := i.Text(); t != "" || strings.HasPrefix(i.TypeName(), "System.") { // else an element with extensions alone
			r.items = append(r.items, t)
		}
	}
	return r
}
