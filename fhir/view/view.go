// Package view runs views of SQL on FHIR v2: a ViewDefinition turns each
// resource of one type into rows of plain columns by FHIRPath. It is pure: who
// brings the resources and takes the rows is the caller's matter.
//
// ViewDefinition is no resource of R4, so it is read as JSON by its own rules.
// A member of select, column, where or constant that is not known here is an
// error: what it wants can't be left out without changing the rows.
//
// Source: SQL on FHIR v2 (http://hl7.org/fhir/uv/sql-on-fhir), ViewDefinition.
package view

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/fhirpath"
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// View is a compiled ViewDefinition; it is safe for concurrent use.
type View struct {
	Name     string // of the table, "" when the definition has none
	Resource string // the type whose resources it reads
	columns  []Column
	where    []*fhirpath.Expression
	selects  []*selection
	vars     map[string][]fhirpath.Item
}

// Column is one column of a View.
type Column struct {
	Name       string
	Type       string // FHIR type as the definition writes it, "" when it doesn't
	Collection bool   // its cells are arrays
}

// selection is one select: what it goes through, and the columns that it gives.
type selection struct {
	each   *fhirpath.Expression // forEach, forEachOrNull; nil: the focus itself
	orNull bool
	repeat []*fhirpath.Expression
	own    []*column
	under  []*selection
	union  []*selection
	width  int // columns of all these together
}

type column struct {
	Column
	path    *fhirpath.Expression
	indexed bool // asks for %rowIndex
}

const (
	maxColumns = 1000
	maxDepth   = 20
	rowIndex   = "rowIndex" // %rowIndex: place of the focus in its forEach or repeat, from 0
)

// Compile reads a ViewDefinition. outcome.Invalid names the part at fault in
// its Expression ("ViewDefinition.select[0].column[1]").
func Compile(def []byte) (*View, error) {
	d, err := r4.Parse(def)
	if err != nil {
		return nil, err
	}
	return CompileNode(d.Root())
}

// CompileNode is Compile of a definition inside another document.
func CompileNode(def r4.Node) (*View, error) {
	if t := def.Get("resourceType"); def.Kind() != r4.Map || t.Exists() && t.Text() != "ViewDefinition" {
		return nil, fault("ViewDefinition", "Đây không phải một ViewDefinition.", "This is no ViewDefinition.")
	}
	v := &View{Name: def.Get("name").Text(), Resource: def.Get("resource").Text()}
	if !r4.IsResource(v.Resource) {
		return nil, fault("ViewDefinition.resource", "ViewDefinition phải nêu một loại tài nguyên của FHIR R4.", "A ViewDefinition must name a resource type of FHIR R4.")
	}
	c := &compiler{}
	if err := c.constants(def.Get("constant")); err != nil {
		return nil, err
	}
	v.vars = c.vars
	for w, at := range parts(def.Get("where"), "ViewDefinition.where") {
		if err := known(w, at, "path", "description"); err != nil {
			return nil, err
		}
		e, err := c.path(w.Get("path"), at+".path")
		if err != nil {
			return nil, err
		}
		v.where = append(v.where, e)
	}
	var err error
	if v.selects, err = c.selections(def.Get("select"), "ViewDefinition.select", 0); err != nil {
		return nil, err
	}
	for _, s := range v.selects {
		v.columns = s.columns(v.columns)
	}
	return v, v.check()
}

// check refuses a view without columns, or with two of one name.
func (v *View) check() error {
	if len(v.columns) == 0 || len(v.columns) > maxColumns {
		return fault("ViewDefinition.select", fmt.Sprintf("View phải có từ 1 đến %d cột.", maxColumns), fmt.Sprintf("A view must have 1 to %d columns.", maxColumns))
	}
	for i, c := range v.columns {
		if slices.ContainsFunc(v.columns[:i], func(o Column) bool { return strings.EqualFold(o.Name, c.Name) }) {
			return fault("ViewDefinition.select", "Hai cột trùng tên: "+c.Name+".", "Two columns have one name: "+c.Name+".")
		}
	}
	return nil
}

// Columns lists the columns in the order of the cells of a row.
func (v *View) Columns() []Column { return v.columns }

func fault(at, vi, en string) error {
	return outcome.New(outcome.Invalid, "view.invalid", vi, en).At(at)
}

// compiler reads the parts of a definition.
type compiler struct{ vars map[string][]fhirpath.Item }

// parts gives the items of an array with their place in the definition.
func parts(n r4.Node, at string) func(func(r4.Node, string) bool) {
	return func(yield func(r4.Node, string) bool) {
		i := 0
		for e := range n.Elems() {
			if !yield(e, fmt.Sprintf("%s[%d]", at, i)) {
				return
			}
			i++
		}
	}
}

// known refuses members that are not among names. Notes for people and id don't matter.
func known(n r4.Node, at string, names ...string) error {
	if n.Kind() != r4.Map {
		return fault(at, "Phần này phải là một đối tượng.", "This part must be an object.")
	}
	for name := range n.Members() {
		if name != "id" && name != "extension" && !strings.HasPrefix(name, "_") && !slices.Contains(names, name) {
			return fault(at, fmt.Sprintf("Không rõ phần tử %.40q.", name), fmt.Sprintf("The element %.40q is not known.", name))
		}
	}
	return nil
}

var nameForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,254}$`) // sql-name

// constants reads the constants; each has a name and one value of a primitive type.
func (c *compiler) constants(list r4.Node) error {
	c.vars = map[string][]fhirpath.Item{}
	for n, at := range parts(list, "ViewDefinition.constant") {
		name := n.Get("name").Text()
		if _, twice := c.vars[name]; twice || !nameForm.MatchString(name) || name == rowIndex {
			return fault(at+".name", "Tên của hằng không hợp lệ hoặc bị lặp.", "The name of the constant is not valid or stands twice.")
		}
		var err error
		if c.vars[name], err = constant(n, at); err != nil {
			return err
		}
	}
	return nil
}

func constant(n r4.Node, at string) (items []fhirpath.Item, err error) {
	for m, value := range n.Members() {
		t, ok := strings.CutPrefix(m, "value")
		if !ok || t == "" {
			continue
		}
		t = strings.ToLower(t[:1]) + t[1:]
		if r4.PrimitiveOf(t) == r4.None || value.Kind() == r4.Map || value.Kind() == r4.Array {
			return nil, fault(at, "Hằng phải có giá trị kiểu nguyên thuỷ.", "A constant must have a value of a primitive type.")
		}
		items = append(items, fhirpath.Element(value, r4.Node{}, t))
		if err := known(n, at, "name", m); err != nil {
			return nil, err
		}
	}
	if len(items) != 1 {
		return nil, fault(at, "Hằng phải có đúng một giá trị.", "A constant must have exactly one value.")
	}
	return items, nil
}

// path compiles an expression and sees that its variables are there.
func (c *compiler) path(n r4.Node, at string) (*fhirpath.Expression, error) {
	if n.Kind() != r4.String {
		return nil, fault(at, "Phần này phải là một biểu thức FHIRPath.", "This part must be a FHIRPath expression.")
	}
	e, err := fhirpath.Compile(n.Text())
	if err != nil {
		return nil, outcome.As(err).At(at)
	}
	for _, name := range e.Variables() {
		if c.vars[name] == nil && !slices.Contains([]string{rowIndex, "context", "resource", "rootResource", "ucum", "sct", "loinc"}, name) {
			return nil, fault(at, fmt.Sprintf("Không có hằng %.40q.", name), fmt.Sprintf("There is no constant %.40q.", name))
		}
	}
	return e, nil
}

func (c *compiler) selections(list r4.Node, at string, depth int) ([]*selection, error) {
	if depth > maxDepth {
		return nil, fault(at, "select lồng quá sâu.", "select is nested too deeply.")
	}
	var out []*selection
	for n, at := range parts(list, at) {
		s, err := c.selection(n, at, depth)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func (c *compiler) selection(n r4.Node, at string, depth int) (*selection, error) {
	if err := known(n, at, "column", "select", "unionAll", "forEach", "forEachOrNull", "repeat"); err != nil {
		return nil, err
	}
	s := &selection{}
	err := c.through(s, n, at)
	if err != nil {
		return nil, err
	}
	for col, at := range parts(n.Get("column"), at+".column") {
		one, err := c.column(col, at)
		if err != nil {
			return nil, err
		}
		s.own = append(s.own, one)
	}
	if s.under, err = c.selections(n.Get("select"), at+".select", depth+1); err != nil {
		return nil, err
	}
	if s.union, err = c.selections(n.Get("unionAll"), at+".unionAll", depth+1); err != nil {
		return nil, err
	}
	for i, u := range s.union {
		if a, b := s.union[0].columns(nil), u.columns(nil); !slices.EqualFunc(a, b, alike) {
			return nil, fault(fmt.Sprintf("%s.unionAll[%d]", at, i), "Các phần của unionAll phải có cùng các cột, cùng thứ tự.", "The parts of a unionAll must have the same columns in the same order.")
		}
	}
	s.width = len(s.columns(nil))
	return s, nil
}

// alike says whether columns of two parts of a unionAll go together.
func alike(a, b Column) bool {
	return a.Name == b.Name && a.Collection == b.Collection && (a.Type == b.Type || a.Type == "" || b.Type == "")
}

// through reads what a select goes through: one of forEach, forEachOrNull and repeat, or nothing.
func (c *compiler) through(s *selection, n r4.Node, at string) (err error) {
	each, orNull, repeat := n.Get("forEach"), n.Get("forEachOrNull"), n.Get("repeat")
	if each.Exists() && (orNull.Exists() || repeat.Exists()) || orNull.Exists() && repeat.Exists() {
		return fault(at, "Chỉ được dùng một trong forEach, forEachOrNull và repeat.", "Only one of forEach, forEachOrNull and repeat may be used.")
	}
	switch {
	case each.Exists():
		s.each, err = c.path(each, at+".forEach")
	case orNull.Exists():
		s.orNull = true
		s.each, err = c.path(orNull, at+".forEachOrNull")
	case repeat.Exists() && repeat.Kind() != r4.Array:
		return fault(at+".repeat", "repeat phải là một mảng.", "repeat must be an array.")
	}
	for p, at := range parts(repeat, at+".repeat") {
		e, err := c.path(p, at)
		if err != nil {
			return err
		}
		s.repeat = append(s.repeat, e)
	}
	return err
}

func (c *compiler) column(n r4.Node, at string) (*column, error) {
	if err := known(n, at, "name", "path", "type", "collection", "description", "tag"); err != nil {
		return nil, err
	}
	col := &column{Column: Column{Name: n.Get("name").Text(), Type: n.Get("type").Text(), Collection: n.Get("collection").Bool()}}
	if !nameForm.MatchString(col.Name) {
		return nil, fault(at+".name", "Tên cột chỉ gồm chữ cái không dấu, chữ số và _, bắt đầu bằng chữ cái.", "The name of a column is made of letters, digits and _, and begins with a letter.")
	}
	var err error
	if col.path, err = c.path(n.Get("path"), at+".path"); err != nil {
		return nil, err
	}
	col.indexed = slices.Contains(col.path.Variables(), rowIndex)
	return col, nil
}

// columns appends the columns of a select: its own, those under it, those of its union.
func (s *selection) columns(out []Column) []Column {
	for _, c := range s.own {
		out = append(out, c.Column)
	}
	for _, u := range s.under {
		out = u.columns(out)
	}
	if len(s.union) > 0 {
		out = s.union[0].columns(out)
	}
	return out
}
