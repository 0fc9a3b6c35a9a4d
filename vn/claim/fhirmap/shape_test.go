package fhirmap

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/internal/synth"
)

// TestShapes holds every resource against the element tables of R4: no unknown
// element, none missing that must be there, types, cardinality and targets of references.
func TestShapes(t *testing.T) {
	n := 0
	for f := range synth.New(synth.Options{People: 40}).Files() {
		if n++; n%4 == 0 {
			checkShapes(t, mapped(t, f.Claim.HOSO[0], source))
		}
	}
	rapid.Check(t, func(t *rapid.T) { checkShapes(t, mapped(t, anyHOSO().Draw(t, "hoso"), source)) })
}

func checkShapes(t fataler, v *Visit) {
	t.Helper()
	known := map[string]bool{}
	for _, r := range v.all() {
		if key := r.Type + "/" + r.ID; known[key] {
			t.Fatalf("two resources are %s", key)
		} else {
			known[key] = true
		}
	}
	for _, d := range parsed(t, v.all()) {
		w := &walker{known: known, contained: map[string]bool{}}
		for c := range d.Root().Get("contained").Elems() {
			w.contained["#"+c.Get("id").Text()] = true
		}
		w.resource(d.Root(), d.Type())
		if len(w.faults) > 0 {
			t.Fatalf("%s\n%s", strings.Join(w.faults, "\n"), d.Source())
		}
	}
}

// walker walks through one resource.
type walker struct {
	known, contained map[string]bool
	faults           []string
}

func (w *walker) fault(path, format string, args ...any) {
	w.faults = append(w.faults, path+": "+fmt.Sprintf(format, args...))
}

var children = func() func(string) []*r4.Element {
	var mu sync.Mutex
	seen := map[string][]*r4.Element{}
	return func(path string) []*r4.Element {
		mu.Lock()
		defer mu.Unlock()
		if _, ok := seen[path]; !ok {
			seen[path] = r4.Children(path)
		}
		return seen[path]
	}
}()

func (w *walker) resource(n r4.Node, path string) {
	typ := n.Get("resourceType").Text()
	if !r4.IsResource(typ) {
		w.fault(path, "%q is no resource", typ)
		return
	}
	w.inside(n, path, typ)
}

// inside checks the members of an element; def is the path of its definition.
func (w *walker) inside(n r4.Node, path, def string) {
	if n.Kind() != r4.Map {
		w.fault(path, "is no object")
		return
	}
	present := map[string]bool{}
	for name, v := range n.Members() {
		if name == "resourceType" {
			continue
		}
		plain := strings.TrimPrefix(name, "_")
		if plain == "id" && name == "id" {
			continue
		}
		e, typ := definition(def, plain)
		if e == nil {
			w.fault(path, "%s has no element %s", def, plain)
			continue
		}
		present[e.Path] = true
		at := path + "." + name
		if (v.Kind() == r4.Array) != (e.Max == "*") {
			w.fault(at, "max is %s", e.Max)
		}
		for item := range v.Elems() {
			if name != plain {
				w.inside(item, at, "Element")
				continue
			}
			w.value(item, at, e, typ)
		}
	}
	for _, e := range children(def) {
		if e.Min > 0 && !present[e.Path] {
			w.fault(path, "%s is missing", e.Path)
		}
	}
	if def == "Extension" && n.Get("extension").Exists() == hasValue(n) {
		w.fault(path, "ext-1: an extension has either a value or extensions")
	}
}

func hasValue(n r4.Node) bool {
	for name := range n.Members() {
		if strings.HasPrefix(strings.TrimPrefix(name, "_"), "value") {
			return true
		}
	}
	return false
}

// definition finds the definition of a member and its type.
func definition(def, name string) (*r4.Element, string) {
	if e, ok := r4.ElementAt(def + "." + name); ok {
		if len(e.Types) == 0 {
			return e, ""
		}
		return e, e.Types[0].Code
	}
	for i, c := range name {
		if !unicode.IsUpper(c) {
			continue
		}
		if e, ok := r4.ElementAt(def + "." + name[:i] + "[x]"); ok {
			for _, t := range e.Types {
				if strings.EqualFold(t.Code, name[i:]) {
					return e, t.Code
				}
			}
		}
	}
	return nil, ""
}

// forms of primitives (FHIR R4 datatypes.html).
var forms = map[string]*regexp.Regexp{
	"code":        regexp.MustCompile(`^[^\s]+( [^\s]+)*$`),
	"date":        regexp.MustCompile(`^\d{4}(-\d\d(-\d\d)?)?$`),
	"dateTime":    regexp.MustCompile(`^\d{4}(-\d\d(-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))?)?)?$`),
	"instant":     regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$`),
	"uri":         regexp.MustCompile(`^\S+$`),
	"positiveInt": regexp.MustCompile(`^[1-9]\d*$`),
	"integer":     regexp.MustCompile(`^(0|-?[1-9]\d*)$`),
	"decimal":     regexp.MustCompile(`^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$`),
}

func (w *walker) value(n r4.Node, path string, e *r4.Element, typ string) {
	switch {
	case e.SameAs != "":
		w.inside(n, path, e.SameAs)
	case typ == "Resource":
		w.resource(n, path)
	case typ == "BackboneElement" || typ == "Element":
		w.inside(n, path, e.Path)
	case unicode.IsUpper(rune(typ[0])) && !strings.HasPrefix(typ, "System."):
		w.inside(n, path, typ)
		if typ == "Reference" {
			w.reference(n, path, e)
		}
	default:
		w.primitive(n, path, typ)
	}
}

func (w *walker) primitive(n r4.Node, path, typ string) {
	kind := r4.String
	switch typ {
	case "decimal", "integer", "positiveInt", "unsignedInt":
		kind = r4.Number
	case "boolean":
		if n.Kind() != r4.True && n.Kind() != r4.False {
			w.fault(path, "is no boolean")
		}
		return
	}
	if n.Kind() != kind {
		w.fault(path, "%s is no %s", n.Raw(), typ)
	} else if form := forms[typ]; form != nil && !form.MatchString(n.Text()) {
		w.fault(path, "%q is no %s", n.Text(), typ)
	}
}

// reference checks that a reference leads somewhere and may do so.
func (w *walker) reference(n r4.Node, path string, e *r4.Element) {
	typ, text := n.Get("type").Text(), n.Get("reference").Text()
	if text != "" && text[0] == '#' {
		if !w.contained[text] {
			w.fault(path, "%s is not contained", text)
		}
		return
	}
	if text != "" {
		if !w.known[text] {
			w.fault(path, "nothing is %s", text)
		}
		typ, _, _ = strings.Cut(text, "/")
	}
	if typ == "" {
		return
	}
	for _, t := range e.Types {
		if t.Code == "Reference" && (len(t.Targets) == 0 || slices.Contains(t.Targets, typ) || slices.Contains(t.Targets, "Resource")) {
			return
		}
	}
	w.fault(path, "may not refer to a %s", typ)
}

// TestWalkerFindsFaults: the walker is no rubber stamp.
func TestWalkerFindsFaults(t *testing.T) {
	for src, want := range map[string]string{
		`{"resourceType":"Observation","status":"final","code":{"text":"x"},"color":"red"}`:                                         "has no element color",
		`{"resourceType":"Observation","status":"final"}`:                                                                           "Observation.code is missing",
		`{"resourceType":"Observation","status":"final","code":[{"text":"x"}]}`:                                                     "max is 1",
		`{"resourceType":"Observation","status":"final","code":{"text":"x"},"note":{"text":"x"}}`:                                   "max is *",
		`{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":"5"}}`:                         "is no decimal",
		`{"resourceType":"Observation","status":"a  b","code":{"text":"x"}}`:                                                        "is no code",
		`{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueMoney":{"value":5}}`:                              "has no element valueMoney",
		`{"resourceType":"Observation","status":"final","code":{"text":"x"},"encounter":{"reference":"Patient/p"}}`:                 "may not refer to a Patient",
		`{"resourceType":"Observation","status":"final","code":{"text":"x"},"encounter":{"reference":"Encounter/e"}}`:               "nothing is Encounter/e",
		`{"resourceType":"Observation","status":"final","code":{"text":"x"},"extension":[{"url":"u"}]}`:                             "ext-1",
		`{"resourceType":"Observation","status":"final","code":{"text":"x"},"effectiveDateTime":"2026-03-10T08:15"}`:                "is no dateTime",
		`{"resourceType":"Observation","status":"final","code":{"text":"x"},"performer":[{"type":"Device","display":"x"}]}`:         "may not refer to a Device",
		`{"resourceType":"Observation","status":"final","code":{"text":"x"},"contained":[{"resourceType":"Patient","status":"x"}]}`: "has no element status",
	} {
		d, err := r4.Parse([]byte(src))
		if err != nil {
			t.Fatal(err)
		}
		w := &walker{known: map[string]bool{"Patient/p": true}}
		w.resource(d.Root(), "Observation")
		if len(w.faults) != 1 || !strings.Contains(w.faults[0], want) {
			t.Errorf("%s: %q, want %q", src, w.faults, want)
		}
	}
}
