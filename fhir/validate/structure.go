package validate

import (
	"bytes"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"sync"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// Structure checks a resource against the definitions of its type; nil: nothing is wrong.
func Structure(doc *r4.Doc) []Issue {
	w := walkers.Get().(*walker)
	w.root, w.depth, w.issues, w.contained, w.first = "Resource", 0, nil, w.contained[:0], 0
	w.resource(doc.Root(), whole)
	issues := w.issues
	w.issues, w.holder = nil, r4.Node{}
	clear(w.path[:])
	if clear(w.contained[:cap(w.contained)]); cap(w.contained) <= 1024 { // an odd one's memory isn't kept
		walkers.Put(w)
	}
	return issues
}

var walkers = sync.Pool{New: func() any { return &walker{} }}

// walker goes through one resource.
type walker struct {
	root   string // type of the outermost resource
	path   [r4.MaxDepth + 2]frame
	depth  int
	holder r4.Node // the resource whose contained resources fragments mean
	issues []Issue
	text   []byte // of the string at hand, when it holds escapes

	contained []held // of the holder from first on, sorted by id; before them those of resources around it
	first     int
}

// role is what a resource is inside the document.
type role uint8

const (
	whole     role = iota // the document, or a resource inside a Bundle or Parameters
	contained             // inside another's contained
)

// push goes one step down; it answers false when the path is full, which Parse's bound on depth makes impossible.
func (w *walker) push(m *r4.Member, s *r4.Slot) bool {
	if w.depth == len(w.path) {
		return false
	}
	w.path[w.depth] = frame{m, s, -1}
	w.depth++
	return true
}

func (w *walker) pop() { w.depth-- }

func (w *walker) resource(n r4.Node, as role) {
	if n.Kind() != r4.Map {
		w.structure(n, "resource", "Phải là một tài nguyên FHIR (một đối tượng JSON).", "This must be a FHIR resource (a JSON object).")
		return
	}
	name, _ := n.Get("resourceType").Quoted()
	s := r4.ResourceShape(name)
	if s == nil {
		w.noType(n, name)
		return
	}
	if w.depth == 0 {
		w.root = s.Path
	}
	if as == whole {
		holder, first := w.holder, w.first
		w.enter(n)
		defer func() {
			w.contained = w.contained[:w.first]
			w.holder, w.first = holder, first
		}()
	} else if c := n.Get("contained"); c.Exists() {
		w.structure(c, "contained", "Tài nguyên contained không được chứa tài nguyên contained khác (dom-2).", "A contained resource must not contain others (dom-2).")
	}
	w.object(n, s)
}

func (w *walker) noType(n r4.Node, name []byte) {
	t := n.Get("resourceType")
	if !t.Exists() {
		w.structure(n, "resource-type", "Thiếu resourceType.", "resourceType is missing.")
		return
	}
	vi, en := "resourceType không phải loại tài nguyên của FHIR R4.", "resourceType is no resource type of FHIR R4."
	if near := nearest(string(name), r4.ResourceTypes()); near != "" {
		vi, en = vi+fmt.Sprintf(" Có phải là %q?", near), en+fmt.Sprintf(" Did you mean %q?", near)
	}
	w.structure(t, "resource-type", vi, en)
}

// held is a contained resource by its id.
type held struct {
	id   []byte
	node r4.Node
}

// enter makes n the resource whose contained ones fragments mean; their ids
// tell them apart (FHIR R4 references.html#contained).
func (w *walker) enter(n r4.Node) {
	w.holder, w.first = n, len(w.contained)
	list := n.Get("contained")
	for c := list.First(); c.Exists(); c = c.Next(list) {
		if id, _ := c.Get("id").Quoted(); len(id) > 0 {
			w.contained = append(w.contained, held{id, c})
		}
	}
	own := w.contained[w.first:]
	slices.SortStableFunc(own, func(a, b held) int { return bytes.Compare(a.id, b.id) })
	for i := 1; i < len(own); i++ {
		if bytes.Equal(own[i].id, own[i-1].id) {
			w.value(own[i].node.Get("id"), "contained-id", "Hai tài nguyên contained có cùng id.", "Two contained resources have the same id.")
		}
	}
}

// object checks the members of a value of complex type.
func (w *walker) object(n r4.Node, s *r4.Shape) {
	if n.Kind() != r4.Map {
		w.structure(n, "type", "Phải là một đối tượng JSON.", "This must be a JSON object.")
		return
	}
	var seen uint64
	count := 0
	for v := n.First(); v.Exists() && !w.full(); v = v.Next(n) {
		count++
		name := v.Name()
		if name[0] == '_' {
			if m := w.beside(n, v, s, name); m != nil {
				w.choice(n, v, s, m, seen)
				seen |= 1 << m.Slot
			}
			continue
		}
		m := s.Member(name)
		if m == nil {
			if !s.Resource || string(name) != "resourceType" {
				w.unknown(v, s, name)
			}
			continue
		}
		w.choice(n, v, s, m, seen)
		seen |= 1 << m.Slot
		w.member(n, v, m, &s.Slots[m.Slot])
	}
	if missing := s.Required &^ seen; missing != 0 {
		w.missing(n, s, missing)
	}
	if count == 1 && !s.Resource && string(n.First().Name()) == "id" {
		w.structure(n, "ele-1", "Phần tử chỉ có id mà không có nội dung (ele-1).", "The element has an id and nothing else (ele-1).")
	}
	switch s.Path {
	case "Extension":
		w.extension(n, s, seen)
	case "Coding":
		w.coding(n)
	case "Attachment":
		w.attachment(n)
	case "Bundle.entry":
		w.entry(n)
	}
}

// choice: a value of several possible types has one of them (FHIR R4 formats.html#choice).
func (w *walker) choice(n, v r4.Node, s *r4.Shape, m *r4.Member, seen uint64) {
	if seen&(1<<m.Slot) == 0 || !s.Slots[m.Slot].Choice {
		return
	}
	for o := n.First(); o.Exists(); o = o.Next(n) {
		if other := s.Member(plain(o.Name())); other != nil && other.Slot == m.Slot && other != m {
			name := s.Slots[m.Slot].Name + "[x]"
			w.structure(v, "choice", "Chỉ được chọn một kiểu cho "+name+".", "Only one type may be chosen for "+name+".")
			return
		}
	}
}

func plain(name []byte) []byte {
	if name[0] == '_' {
		return name[1:]
	}
	return name
}

func (w *walker) missing(n r4.Node, s *r4.Shape, missing uint64) {
	for ; missing != 0; missing &= missing - 1 {
		slot := &s.Slots[bits.TrailingZeros64(missing)]
		name := slot.Path[len(s.Path)+1:]
		w.add(n, fault{kind: outcome.Required, key: "required", vi: "Thiếu phần tử bắt buộc " + name + ".", en: "The required element " + name + " is missing."})
	}
}

// member checks one member: an array where the element repeats, none where not.
func (w *walker) member(n, v r4.Node, m *r4.Member, slot *r4.Slot) {
	if !w.push(m, slot) {
		return
	}
	defer w.pop()
	f := &w.path[w.depth-1]
	switch {
	case !m.Many && v.Kind() == r4.Array:
		w.structure(v, "single", m.Name+" không được là mảng.", m.Name+" must not be an array.")
	case m.Many && v.Kind() != r4.Array:
		w.structure(v, "array", m.Name+" phải là mảng.", m.Name+" must be an array.")
		f.index = 0
		w.item(v, m)
	case !m.Many:
		w.item(v, m)
	default:
		w.items(n, v, m, f)
	}
}

func (w *walker) items(n, v r4.Node, m *r4.Member, f *frame) {
	var partner, y r4.Node // _name and its item beside the null at hand
	at := int32(-1)
	for x := v.First(); x.Exists() && !w.full(); x = x.Next(v) {
		f.index++
		if x.Kind() != r4.Null {
			w.item(x, m)
			continue
		}
		if at < 0 {
			partner = n.Get("_" + m.Name)
			y, at = partner.First(), 0
		}
		for ; at < f.index; at++ {
			y = y.Next(partner)
		}
		w.null(x, y, m)
	}
}

// null stands in an array where only id and extensions of a primitive are known (FHIR R4 json.html#null).
func (w *walker) null(x, beside r4.Node, m *r4.Member) {
	if m.Primitive == r4.None || beside.Kind() != r4.Map {
		w.structure(x, "null", "null chỉ được đứng trong mảng giá trị đơn khi có phần mở rộng cùng vị trí.", "null may only stand in an array of primitives that has an extension at the same place.")
	}
}

// item checks one value of a member.
func (w *walker) item(v r4.Node, m *r4.Member) {
	if m.Primitive != r4.None {
		w.primitive(v, m)
		return
	}
	s := m.Shape()
	if s == nil {
		as := whole
		if m.Name == "contained" {
			as = contained
		}
		w.resource(v, as)
		return
	}
	w.object(v, s)
	switch m.Type.Code {
	case "Reference":
		w.reference(v, m)
	case "CodeableConcept":
		if m.Codes != nil {
			w.concept(v, m)
		}
	case "Coding":
		if m.Codes != nil && !inSet(v, m.Codes) {
			w.notInSet(v, m)
		}
	}
}

// beside checks _name: id and extensions of a primitive, in pairs with its
// values where it repeats (FHIR R4 json.html#primitive). It answers what the
// name stands for, nil when nothing.
func (w *walker) beside(n, v r4.Node, s *r4.Shape, name []byte) *r4.Member {
	m := s.Member(name[1:])
	if m == nil || m.Primitive == r4.None || m.Primitive == r4.XHTML || m.Attribute {
		w.unknown(v, s, name)
		return nil
	}
	if !w.push(m, &s.Slots[m.Slot]) {
		return m
	}
	defer w.pop()
	partner := n.Get(m.Name)
	if !m.Many {
		if v.Kind() == r4.Array {
			w.structure(v, "single", "_"+m.Name+" không được là mảng.", "_"+m.Name+" must not be an array.")
			return m
		}
		w.extended(v, partner.Exists())
		return m
	}
	if v.Kind() != r4.Array {
		w.structure(v, "array", "_"+m.Name+" phải là mảng.", "_"+m.Name+" must be an array.")
		return m
	}
	if partner.Kind() == r4.Array && partner.Len() != v.Len() {
		w.structure(v, "pair", m.Name+" và _"+m.Name+" phải dài bằng nhau.", m.Name+" and _"+m.Name+" must be of the same length.")
	}
	f := &w.path[w.depth-1]
	y := partner.First()
	for x := v.First(); x.Exists() && !w.full(); x = x.Next(v) {
		f.index++
		valued := y.Exists() && y.Kind() != r4.Null
		if x.Kind() != r4.Null {
			w.extended(x, valued)
		} else if !partner.Exists() {
			w.structure(x, "null", "null đứng ở chỗ không có giá trị.", "null stands where there is no value.")
		}
		y = y.Next(partner)
	}
	return m
}

// extended checks the id and extensions of a primitive; without a value an id alone is no content (ele-1).
func (w *walker) extended(v r4.Node, valued bool) {
	if v.Kind() != r4.Map {
		w.structure(v, "type", "Phải là một đối tượng JSON.", "This must be a JSON object.")
		return
	}
	s := r4.ShapeAt("Element")
	for x := v.First(); x.Exists(); x = x.Next(v) {
		m := s.Member(x.Name())
		if m == nil {
			w.unknown(x, s, x.Name())
			continue
		}
		w.member(v, x, m, &s.Slots[m.Slot])
	}
	if !valued && !v.Get("extension").Exists() {
		w.structure(v, "ele-1", "Phần tử chỉ có id mà không có nội dung (ele-1).", "The element has an id and nothing else (ele-1).")
	}
}

// extension checks what every extension must be (FHIR R4 extensibility.html, ext-1).
func (w *walker) extension(n r4.Node, s *r4.Shape, seen uint64) {
	has := func(name string) bool {
		return seen&(1<<s.Member([]byte(name)).Slot) != 0
	}
	if has("extension") == has("valueString") {
		w.structure(n, "ext-1", "Phần mở rộng phải có hoặc giá trị hoặc các phần mở rộng con (ext-1).", "An extension must have either a value or extensions, not both (ext-1).")
	}
	url, _ := n.Get("url").Quoted()
	if len(url) > 0 && !w.insideExtension() && !absolute(url) {
		w.value(n.Get("url"), "extension-url", "url của phần mở rộng phải là địa chỉ tuyệt đối.", "The url of an extension must be absolute.")
	}
}

// insideExtension says whether the extension at hand is part of another one: its url is then a name (FHIR R4 extensibility.html#Extension).
func (w *walker) insideExtension() bool {
	if w.depth < 2 {
		return false
	}
	m := w.path[w.depth-2].member
	return m.Type.Code == "Extension"
}

// absolute says whether an address begins with a scheme.
func absolute(url []byte) bool {
	for i, c := range url {
		switch {
		case c == ':':
			return i > 0 && i+1 < len(url)
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || i > 0 && (c >= '0' && c <= '9' || c == '+' || c == '-' || c == '.'):
		default:
			return false
		}
	}
	return false
}

// concept checks a CodeableConcept of a required binding: one of its codings is in the set.
func (w *walker) concept(v r4.Node, m *r4.Member) {
	list := v.Get("coding")
	for c := list.First(); c.Exists(); c = c.Next(list) {
		if inSet(c, m.Codes) {
			return
		}
	}
	if v.Kind() == r4.Map && !onlyExtended(v) {
		w.notInSet(v, m)
	}
}

// onlyExtended says whether an element holds nothing but its id and extensions, which may say why the rest is absent.
func onlyExtended(v r4.Node) bool {
	for x := v.First(); x.Exists(); x = x.Next(v) {
		if name := x.Name(); string(name) != "id" && string(name) != "extension" {
			return false
		}
	}
	return true
}

func inSet(coding r4.Node, codes *r4.Codes) bool {
	system, _ := coding.Get("system").Quoted()
	code, _ := coding.Get("code").Quoted()
	return codes.HasIn(system, code)
}

func (w *walker) notInSet(v r4.Node, m *r4.Member) {
	vi, en := "Mã không thuộc bộ mã bắt buộc.", "The code is not in the required value set."
	if list := m.Codes.List(); len(list) <= 16 {
		slices.Sort(list)
		all := strings.Join(list, ", ")
		vi, en = "Mã không thuộc bộ mã bắt buộc: "+all+".", "The code is not in the required value set: "+all+"."
	}
	w.value(v, "code", vi, en)
}
