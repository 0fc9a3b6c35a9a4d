package r4

import (
	"strings"
	"sync"
	"testing"
)

// TestShape: the order of the definition, choices, attributes, primitives and content.
func TestShape(t *testing.T) {
	s := ResourceShape([]byte("Observation"))
	var names []string
	for _, slot := range s.Slots {
		names = append(names, slot.Name)
	}
	if got := strings.Join(names[:12], " "); got != "id meta implicitRules language text contained extension modifierExtension identifier basedOn partOf status" {
		t.Errorf("order: %s", got)
	}
	m := s.Member([]byte("valueQuantity"))
	if m == nil || !s.Slots[m.Slot].Choice || m.Primitive != None || m.Shape().Path != "Quantity" {
		t.Fatalf("valueQuantity: %+v", m)
	}
	if s.Member([]byte("value")) != nil || s.Member([]byte("valueDecimal")) != nil || s.Member([]byte("value[x]")) != nil {
		t.Error("a choice has the names of its types and no other")
	}
	for name, want := range map[string]Primitive{"id": ID, "status": Code, "issued": Instant, "valueBoolean": Boolean, "valueTime": Time, "implicitRules": URI} {
		if got := s.Member([]byte(name)).Primitive; got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if r := s.Required; r&(1<<s.Member([]byte("status")).Slot) == 0 || r&(1<<s.Member([]byte("code")).Slot) == 0 || r&(1<<s.Member([]byte("subject")).Slot) != 0 {
		t.Errorf("required: %b", r)
	}
	e := ShapeAt("Extension")
	if id, url := e.Member([]byte("id")), e.Member([]byte("url")); !id.Attribute || id.Primitive != ElementID || !url.Attribute || url.Primitive != URI {
		t.Errorf("Extension: %+v %+v", id, url)
	}
	for path, want := range map[string]string{"Bundle.entry": "Bundle.entry", "Questionnaire.item": "Questionnaire.item", "Patient.name": "HumanName", "Timing.repeat": "Timing.repeat"} {
		parent, name, _ := strings.Cut(path, ".")
		if got := ShapeAt(parent).Member([]byte(name)).Shape(); got == nil || got.Path != want {
			t.Errorf("%s holds %+v, want %s", path, got, want)
		}
	}
	if got := ShapeAt("Questionnaire.item").Member([]byte("item")).Shape(); got != ShapeAt("Questionnaire.item") {
		t.Error("an item holds items")
	}
	if ShapeAt("Bundle.entry").Member([]byte("resource")).Shape() != nil || ResourceShape([]byte("Resource")) != nil || ResourceShape([]byte("HumanName")) != nil || ShapeAt("Foo") != nil {
		t.Error("a resource may be of any type; what is abstract, a data type or unknown is none")
	}
}

// TestShapesAreSound: no shape has more elements than its set of bits holds, and each member leads somewhere.
func TestShapesAreSound(t *testing.T) {
	seen := map[*Shape]bool{}
	var look func(s *Shape)
	look = func(s *Shape) {
		if seen[s] {
			return
		}
		seen[s] = true
		if len(s.Slots) > 64 || s.Slots[0].Name != "id" {
			t.Errorf("%s: %d elements, the first is %s", s.Path, len(s.Slots), s.Slots[0].Name)
		}
		for _, name := range s.Names() {
			switch m := s.Member([]byte(name)); {
			case m.Primitive != None || m.Type.Code == "Resource":
			case m.Shape() == nil:
				t.Errorf("%s.%s leads nowhere", s.Path, name)
			default:
				look(m.Shape())
			}
		}
	}
	for _, name := range ResourceTypes() {
		look(ResourceShape([]byte(name)))
	}
	if len(seen) < 650 {
		t.Errorf("only %d shapes", len(seen))
	}
}

func TestShapesSideBySide(t *testing.T) {
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for _, name := range ResourceTypes() {
				if s := ResourceShape([]byte(name)); s.Path != name || s.Member([]byte("meta")).Shape().Path != "Meta" {
					t.Error(name)
				}
			}
		})
	}
	wg.Wait()
}

func TestCodes(t *testing.T) {
	gender := CodesOf("http://hl7.org/fhir/ValueSet/administrative-gender")
	if !gender.Has([]byte("male")) || gender.Has([]byte("nam")) || gender.Has(nil) || len(gender.List()) != 4 {
		t.Errorf("%v", gender.List())
	}
	clinical := CodesOf("http://hl7.org/fhir/ValueSet/condition-clinical")
	system := []byte("http://terminology.hl7.org/CodeSystem/condition-clinical")
	if !clinical.HasIn(system, []byte("recurrence")) || clinical.HasIn([]byte("http://x"), []byte("recurrence")) || !clinical.Has([]byte("remission")) {
		t.Error("codes below others count too, and only in their system")
	}
	for _, unknown := range []string{"", "http://hl7.org/fhir/ValueSet/mimetypes", "http://hl7.org/fhir/ValueSet/currencies", "http://hl7.org/fhir/ValueSet/ucum-units"} {
		if CodesOf(unknown) != nil {
			t.Errorf("%s: R4 core doesn't hold its codes", unknown)
		}
	}
	if n := len(official().codes); n != 220 {
		t.Errorf("%d value sets", n)
	}
}

func TestWalk(t *testing.T) {
	d, err := Parse([]byte(`{"a":[1,{"b":2},3],"c":"\u0041","d":true}`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for n := d.Root().First(); n.Exists(); n = n.Next(d.Root()) {
		got = append(got, string(n.Name())+"="+string(n.Raw()))
	}
	list := d.Root().Get("a")
	for n := list.First(); n.Exists(); n = n.Next(list) {
		got = append(got, string(n.Raw()))
	}
	if s := strings.Join(got, " "); s != `a=[1,{"b":2},3] c="\u0041" d=true 1 {"b":2} 3` {
		t.Error(s)
	}
	c := d.Root().Get("c")
	if raw, escaped := c.Quoted(); !escaped || string(raw) != `\u0041` || string(c.AppendText([]byte("x"))) != "xA" || string(d.Root().Get("d").AppendText(nil)) != "true" {
		t.Error("text of a string")
	}
	if c.First().Exists() || (Node{}).First().Exists() || (Node{}).Next(list).Exists() || len((Node{}).Name()) > 0 {
		t.Error("what is absent stays absent")
	}
	if line, column := (Node{}).Place(); line != 0 || column != 0 {
		t.Error("no place")
	}
}
