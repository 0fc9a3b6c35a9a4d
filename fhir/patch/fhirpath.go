package patch

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/ytso/ytso/fhir/fhirpath"
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// maxPathOperations bounds the operations of a FHIRPath Patch, maxSteps what
// one of its expressions may cost: each sees the document that the last one left.
const (
	maxPathOperations = 1000
	maxSteps          = 100_000
)

// FHIRPath applies a FHIRPath Patch, a Parameters resource, to doc and gives
// the JSON of the result. Its operations see what those before them did.
// A path must name one element; delete also takes none (FHIR R4
// fhirpatch.html). The error names the operation as "Parameters.parameter[n]":
// outcome.Invalid (400) when the patch or an expression is not well-formed,
// outcome.Value (422) when it doesn't fit the resource.
//
// Replacing an element replaces all of it, its id and extensions too. An
// element that loses its last child goes with it, since FHIR has no empty ones.
func FHIRPath(doc, parameters *r4.Doc) (out []byte, err error) {
	defer outcome.Wrap(&err, "patch.FHIRPath")
	if err := tooLong(parameters.Source()); err != nil {
		return nil, err
	}
	if parameters.Type() != "Parameters" {
		return nil, malformed("FHIRPath Patch phải là tài nguyên Parameters.", "A FHIRPath Patch must be a Parameters resource.")
	}
	list := parameters.Root().Get("parameter")
	if list.Len() > maxPathOperations {
		return nil, outcome.New(outcome.TooCostly, "patch.too-many", fmt.Sprintf("Bản vá có quá %d thao tác.", maxPathOperations),
			fmt.Sprintf("The patch has more than %d operations.", maxPathOperations))
	}
	w := newWork()
	root := newValue(doc.Source())
	n := 0
	for param := range list.Elems() {
		if err := w.operatePath(root, param); err != nil {
			return nil, at(err, "Parameters.parameter["+strconv.Itoa(n)+"]")
		}
		n++
	}
	return finish(doc, root)
}

// order is one operation of a FHIRPath Patch.
type order struct {
	verb, path, name           string
	value                      r4.Node // the part
	index, source, destination int     // -1: not given
}

func readOrder(param r4.Node) (*order, error) {
	if name := param.Get("name").Text(); name != "operation" {
		return nil, malformed("Tham số của FHIRPath Patch phải tên là operation.", "A parameter of a FHIRPath Patch must be named operation.")
	}
	o := &order{index: -1, source: -1, destination: -1}
	seen := map[string]bool{}
	for part := range param.Get("part").Elems() {
		name := part.Get("name").Text()
		if seen[name] {
			return nil, malformed("Thao tác có phần bị lặp: "+short(name)+".", "A part of the operation stands twice: "+short(name)+".")
		}
		seen[name] = true
		var ok bool
		switch name {
		case "type":
			o.verb, ok = textOf(part)
		case "path":
			o.path, ok = textOf(part)
		case "name":
			o.name, ok = textOf(part)
		case "value":
			o.value, ok = part, true
		case "index":
			o.index, ok = countOf(part)
		case "source":
			o.source, ok = countOf(part)
		case "destination":
			o.destination, ok = countOf(part)
		}
		if !ok {
			return nil, malformed("Thao tác có phần không đúng: "+short(name)+".", "A part of the operation is not right: "+short(name)+".")
		}
	}
	return o, o.complete()
}

// complete checks that an operation has all that its type needs (FHIR R4 fhirpatch.html).
func (o *order) complete() error {
	missing := func(name string) error {
		return malformed("Thao tác thiếu "+name+".", "The operation has no "+name+".")
	}
	needs, known := map[string]string{"add": "nv", "insert": "iv", "delete": "-", "replace": "v", "move": "sd"}[o.verb]
	if !known {
		return malformed("Thao tác phải là add, insert, delete, replace hoặc move.", "The operation must be add, insert, delete, replace or move.")
	}
	if o.path == "" {
		return missing("path")
	}
	for _, c := range needs {
		switch {
		case c == 'n' && o.name == "":
			return missing("name")
		case c == 'v' && !o.value.Exists():
			return missing("value")
		case c == 'i' && o.index < 0:
			return missing("index")
		case c == 's' && o.source < 0:
			return missing("source")
		case c == 'd' && o.destination < 0:
			return missing("destination")
		}
	}
	return nil
}

// short keeps what a stranger wrote from filling a sentence.
func short(s string) string {
	if len(s) > 40 {
		s = s[:40]
	}
	return strconv.QuoteToASCII(s)
}

func textOf(part r4.Node) (string, bool) {
	for name, v := range part.Members() {
		if len(name) > 5 && name[:5] == "value" && v.Kind() == r4.String {
			return v.Text(), true
		}
	}
	return "", false
}

func countOf(part r4.Node) (int, bool) {
	for _, name := range []string{"valueInteger", "valueUnsignedInt", "valuePositiveInt"} {
		if v := part.Get(name); v.Kind() == r4.Number {
			n, err := strconv.Atoi(v.Text())
			return n, err == nil && n >= 0
		}
	}
	return 0, false
}

func (w *work) operatePath(root *value, param r4.Node) error {
	o, err := readOrder(param)
	if err != nil {
		return err
	}
	text := root.append(nil)
	if err := w.spend(4*len(text) + len(param.Raw()) + 4096); err != nil {
		return err
	}
	doc, err := r4.Parse(text)
	if err != nil {
		return err
	}
	found, err := elements(doc, o.path)
	if err != nil {
		return err
	}
	e := editor{root}
	switch o.verb {
	case "insert", "move":
		return e.list(doc, o, found)
	case "delete":
		if len(found) == 0 {
			return nil
		}
	}
	if len(found) != 1 {
		return unfit("single", fmt.Sprintf("Đường dẫn phải chỉ đúng một phần tử, ở đây có %d.", len(found)),
			fmt.Sprintf("The path must name exactly one element, here are %d.", len(found)))
	}
	switch o.verb {
	case "add":
		return e.add(found[0], o)
	case "replace":
		return e.replace(found[0], o)
	}
	return e.delete(found[0])
}

// elements evaluates a path and finds the places of the elements that it gives.
func elements(doc *r4.Doc, path string) ([]spot, error) {
	expr, err := fhirpath.Compile(path)
	if err != nil {
		return nil, err
	}
	items, err := expr.Run(context.Background(), fhirpath.Root(doc), &fhirpath.Env{MaxSteps: maxSteps})
	if err != nil {
		return nil, err
	}
	out := make([]spot, 0, len(items))
	for _, i := range items {
		s, ok := locate(doc.Root(), i)
		if !ok {
			return nil, unfit("element", "Đường dẫn phải chỉ một phần tử của tài nguyên, không phải một giá trị tính ra.",
				"The path must name an element of the resource, not a value that it computes.")
		}
		out = append(out, s)
	}
	return out, nil
}

// spot is the place of an element: a member of the object at parent, item index of it where it is an array.
type spot struct {
	parent pointer
	name   string // "" is the resource itself
	index  int    // -1: no array
}

// locate finds an item in the document. A primitive without a value is found by what stands beside it.
func locate(root r4.Node, i fhirpath.Item) (spot, bool) {
	target, bare := i.Node, false
	if !target.Exists() {
		target, bare = i.Beside(), true
	}
	if !target.Exists() {
		return spot{}, false
	}
	from, to := target.Range()
	s := spot{index: -1}
	for n := root; ; {
		if a, b := n.Range(); a == from && b == to {
			break
		}
		c, k := n.First(), 0
		for ; c.Exists(); c, k = c.Next(n), k+1 {
			if a, b := c.Range(); a <= from && to <= b {
				break
			}
		}
		if !c.Exists() {
			return spot{}, false
		}
		if n.Kind() == r4.Array {
			s.index = k
		} else {
			s = spot{parent: s.path(), name: string(c.Name()), index: -1}
		}
		n = c
	}
	if bare && s.name != "" {
		s.name = s.name[1:] // "_given" stands beside "given"
	}
	return s, true
}

// path is the pointer to the element.
func (s spot) path() pointer {
	if s.name == "" {
		return nil
	}
	p := append(slices.Clone(s.parent), s.name)
	if s.index >= 0 {
		p = append(p, strconv.Itoa(s.index))
	}
	return p
}
