package app

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/pack"
	"github.com/ytso/ytso/fhir/pack/list"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/validate"
	"github.com/ytso/ytso/internal/trust"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

func packageCommand() command {
	return command{
		name: "package", args: "add FILE.tgz… | add --csv FILE --map MAPPING.json",
		summary: "loads a FHIR package (profiles, terminology), or a list of codes from CSV; again changes nothing",
		define: func(f *flag.FlagSet) func(context.Context, Streams, []string) error {
			c := packageAdd{}
			c.flags(f)
			f.StringVar(&c.csv, "csv", "", "list of codes, CSV in UTF-8 with a header")
			f.StringVar(&c.mapping, "map", "", "JSON that says which column is what (see the manual of fhir/pack/list)")
			return c.run
		},
	}
}

type packageAdd struct {
	place
	csv, mapping string
}

func (c *packageAdd) run(ctx context.Context, std Streams, args []string) (err error) {
	switch {
	case len(args) == 0 || args[0] != "add":
		return usagef("package knows one word: add")
	case (c.csv == "") != (c.mapping == ""):
		return usagef("--csv and --map go together")
	case len(args) == 1 && c.csv == "":
		return usagef("package add needs a FILE.tgz, or --csv FILE --map MAPPING.json")
	}
	op, err := c.operator(ctx, std)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, op.Close()) }()
	bad := false
	if c.csv != "" {
		if err := c.addList(ctx, op, std.Out); err != nil {
			return err
		}
	}
	for _, name := range args[1:] {
		whole, err := addPackage(ctx, op, std.Out, name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		bad = bad || !whole
	}
	if bad {
		return errFindings
	}
	return nil
}

// together is how many bytes of definitions go into one transaction, more or less.
const together = 4 << 20

// inlineConcepts is how many concepts a code system of a package may have to be
// stored as one resource; those of a larger one lie beside it.
const (
	inlineConcepts = 5000
	partConcepts   = 10_000
)

// addPackage stores the definitions of a package; whole is false when some were refused.
func addPackage(ctx context.Context, op operator, out io.Writer, name string) (whole bool, err error) {
	f, err := os.Open(name)
	if err != nil {
		return false, err
	}
	defer f.Close()
	lib, err := pack.Read(f, pack.Limits{})
	if err != nil {
		return false, err
	}
	may, err := definitionTypes()
	if err != nil {
		return false, err
	}
	b := batcher{op: op, ctx: ctx, from: lib.Name + "#" + lib.Version, out: out, live: terminal(out), all: len(lib.Resources)}
	for _, r := range lib.Resources {
		d, fault := definitionOf(r.Body, may)
		if fault != nil {
			b.refuse(fmt.Sprintf("%s (%s)", cmp.Or(r.URL, r.Type), r.File), fault)
			continue
		}
		if err := b.add(d); err != nil {
			return false, err
		}
	}
	if err := b.flush(); err != nil {
		return false, err
	}
	fmt.Fprintf(out, "%s%s: %d định nghĩa đã ghi, %d không đổi, %d bị từ chối, %d tệp khác bỏ qua\n", b.erase(), b.from, b.written, b.same, b.refused, lib.Others)
	fmt.Fprintf(out, "%s: %d definitions written, %d unchanged, %d refused, %d other files left out\n", b.from, b.written, b.same, b.refused, lib.Others)
	if len(lib.Dependencies) > 0 {
		fmt.Fprintf(out, "  cần thêm (depends on): %s\n", strings.Join(lib.Dependencies, ", "))
	}
	return b.refused == 0, nil
}

var errNotDefinition = outcome.New(outcome.NotSupported, "package.type",
	"Loại tài nguyên này không phải định nghĩa nên không nhận từ gói.", "Resources of this type are no definitions and are not taken from packages.")

// definitionOf makes a definition of a resource; fault tells why it can't be
// one. Its own id doesn't count: it gets another.
func definitionOf(body []byte, may func(typ string) bool) (d definition, fault *outcome.Error) {
	doc, err := r4.Parse(body)
	if err != nil {
		return d, outcome.As(err)
	}
	if !may(doc.Type()) {
		return d, errNotDefinition
	}
	if doc, err = r4.Parse(renamed(doc, "", nil)); err != nil {
		return d, outcome.As(err)
	}
	if err := validate.Refusal(validate.Structure(doc)); err != nil {
		return d, outcome.As(err)
	}
	d.Body = doc.Source()
	if doc.Type() == "CodeSystem" {
		d.Body, d.Parts = parted(doc)
	}
	return d, nil
}

// definitionTypes says which types the job that loads packages may write.
func definitionTypes() (func(typ string) bool, error) {
	a, err := trust.System(trust.JobPackage)
	return func(typ string) bool { return a.Filter.May(typ, store.CanCreate|store.CanUpdate) }, err
}

// parted takes the concepts of a large code system out of its resource, whose content is then not present in it.
func parted(doc *r4.Doc) (body []byte, parts [][]byte) {
	root := doc.Root()
	if root.Get("content").Text() != "complete" || countConcepts(root, inlineConcepts) < inlineConcepts {
		return doc.Source(), nil
	}
	var o r4.Object
	for name, v := range root.Members() {
		switch name {
		case "concept", "count":
		case "content":
			o.Add(name, "not-present")
			o.Add("count", countConcepts(root, 1<<30))
		default:
			o.Add(name, r4.Raw(v.Raw()))
		}
	}
	var part []byte
	n := 0
	for c := range root.Get("concept").Elems() {
		if n == 0 {
			part = []byte(`{"concept":[`)
		} else {
			part = append(part, ',')
		}
		part = append(part, c.Raw()...)
		if n += 1 + countConcepts(c, 1<<30); n >= partConcepts {
			parts, n = append(parts, append(part, "]}"...)), 0
		}
	}
	if n > 0 {
		parts = append(parts, append(part, "]}"...))
	}
	return o.JSON(), parts
}

// countConcepts counts the concepts below a node, up to enough.
func countConcepts(n r4.Node, enough int) (sum int) {
	for c := range n.Get("concept").Elems() {
		if sum += 1 + countConcepts(c, enough); sum >= enough {
			break
		}
	}
	return sum
}

// addList stores a list as a code system and its value set.
func (c *packageAdd) addList(ctx context.Context, op operator, out io.Writer) error {
	text, err := os.ReadFile(c.mapping)
	if err != nil {
		return err
	}
	m, err := list.ReadMapping(text)
	if err != nil {
		return fmt.Errorf("%s: %w", c.mapping, err)
	}
	f, err := os.Open(c.csv)
	if err != nil {
		return err
	}
	defer f.Close()
	l, err := list.Read(f, m)
	if err != nil {
		return fmt.Errorf("%s: %w", c.csv, err)
	}
	system, parts := l.CodeSystem()
	k, err := op.Define(ctx, definitions{From: m.URL + "|" + m.Version, List: []definition{{system, parts}, {Body: l.ValueSet()}}})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s|%s: %d mã; %d tài nguyên đã ghi, %d không đổi; tập giá trị %s\n", m.URL, m.Version, l.Len(), k.Written, k.Unchanged, m.ValueSet)
	fmt.Fprintf(out, "%s|%s: %d codes; %d resources written, %d unchanged; value set %s\n", m.URL, m.Version, l.Len(), k.Written, k.Unchanged, m.ValueSet)
	return nil
}

// batcher hands definitions over in parts of bounded size and tells how far it is.
type batcher struct {
	op              operator
	ctx             context.Context
	from            string
	out             io.Writer
	live            bool
	list            []definition
	size, all, done int
	written, same   int
	refused         int
}

func (b *batcher) add(d definition) error {
	b.list = append(b.list, d)
	b.size += len(d.Body)
	for _, p := range d.Parts {
		b.size += len(p)
	}
	if b.size < together && len(b.list) < batch {
		return nil
	}
	return b.flush()
}

func (b *batcher) flush() error {
	if len(b.list) == 0 {
		return nil
	}
	k, err := b.op.Define(b.ctx, definitions{From: b.from, List: b.list})
	if err != nil {
		return err
	}
	b.done += len(b.list)
	b.written, b.same = b.written+k.Written, b.same+k.Unchanged
	b.list, b.size = nil, 0
	if b.live {
		fmt.Fprintf(b.out, "%s%d/%d định nghĩa (definitions)", b.erase(), b.done, b.all)
	}
	return nil
}

func (b *batcher) erase() string {
	if b.live {
		return fmt.Sprintf("\r%*s\r", lineWidth, "")
	}
	return ""
}

// refuse tells of a definition that is not stored.
func (b *batcher) refuse(name string, why *outcome.Error) {
	b.refused++
	b.done++
	at := ""
	if len(why.Expression) > 0 {
		at = " (" + strings.Join(why.Expression, ", ") + ")"
	}
	fmt.Fprintf(b.out, "%s%s%s\n  không nhận: %s\n  refused: %s\n", b.erase(), name, at, why.VI, why.EN)
}

// definitions are handed to the operator to be stored; From is what they come from, for the audit.
type definitions struct {
	From string
	List []definition
}

// definition is a canonical resource, and concepts that lie beside it.
type definition struct {
	Body  json.RawMessage
	Parts [][]byte
}

var errNoCanonical = outcome.New(outcome.Required, "package.url",
	"Định nghĩa không có url.", "A definition has no url.")

// renamed is a resource with an id of ours in the place of its own. The hash of
// concepts that lie beside it stands among its identifiers, so that a change
// of them is a change of the resource.
func renamed(doc *r4.Doc, id string, parts [][]byte) []byte {
	o := r4.Object{{Name: "resourceType", Value: doc.Type()}, {Name: "id", Value: id}}
	var identifiers []r4.Object
	for name, v := range doc.Root().Members() {
		switch {
		case name == "resourceType" || name == "id":
		case name == "identifier" && len(parts) > 0:
			for i := range v.Elems() {
				identifiers = append(identifiers, fields(i))
			}
		default:
			o.Add(name, r4.Raw(v.Raw()))
		}
	}
	if len(parts) > 0 {
		h := sha256.New()
		for _, p := range parts {
			h.Write(p)
		}
		hash := element.OriginalURN + hex.EncodeToString(h.Sum(nil))
		o.Add("identifier", append(identifiers, r4.Object{{Name: "system", Value: "urn:ietf:rfc:3986"}, {Name: "value", Value: hash}}))
	}
	return o.JSON()
}

func fields(n r4.Node) (o r4.Object) {
	for name, v := range n.Members() {
		o.Add(name, r4.Raw(v.Raw()))
	}
	return o
}
