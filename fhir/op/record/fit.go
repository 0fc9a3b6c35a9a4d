package record

import (
	"crypto/sha1" // RFC 9562 §5.5 asks for it; nothing secret is made
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
)

// absent says of an element that must be there that it is not known (IPS 2.0.1
// "Missing Data": http://hl7.org/fhir/StructureDefinition/data-absent-reason).
func absent() r4.Object {
	return r4.Object{{Name: "extension", Value: []r4.Object{{
		{Name: "url", Value: "http://hl7.org/fhir/StructureDefinition/data-absent-reason"}, {Name: "valueCode", Value: "unknown"},
	}}}}
}

// demand is what a profile of the IPS wants and a record may lack: a member, or
// one of the types of a choice, and what stands in its place.
type demand struct {
	name   string // "performer", "effective[x]"
	member string // in its place
	value  any
	of     func(r4.Node) bool // nil: of all of the type
}

var demands = map[string][]demand{
	"Patient":             {{"name", "name", []r4.Object{{{Name: "_text", Value: absent()}}}, nil}, {"birthDate", "_birthDate", absent(), nil}},
	"MedicationStatement": {{"effective[x]", "_effectiveDateTime", absent(), nil}},
	"Procedure":           {{"performed[x]", "_performedDateTime", absent(), nil}},
	"DeviceUseStatement":  {{"timing[x]", "_timingDateTime", absent(), nil}},
	"DiagnosticReport":    {{"effective[x]", "_effectiveDateTime", absent(), nil}},
	"Observation":         {{"effective[x]", "_effectiveDateTime", absent(), nil}, {"performer", "performer", []r4.Object{absent()}, examined}},
}

// examined says whether an Observation is a result of a laboratory or an image.
func examined(n r4.Node) bool { return isOf(n.Get("category"), category, "laboratory", "imaging") }

// fit makes the copy of a resource that stands in the summary: references lead
// to the entries of the Bundle or, in full, to this server; of meta only
// profiles and security labels remain; extensions of this program are left out
// (purge); what a profile demands and nobody knows
// says so; a narrative is added where there is none.
func (s *summary) fit(it *item) (r4.Raw, error) {
	redirected, err := r4.Parse(s.redirect(it.doc))
	if err != nil {
		return nil, err
	}
	doc, err := r4.Parse(purge(redirected.Root()))
	if err != nil {
		return nil, err
	}
	n := doc.Root()
	out := r4.Object{}
	has := func(d demand) bool {
		stem, choice := strings.CutSuffix(d.name, "[x]")
		for name := range n.Members() {
			name = strings.TrimPrefix(name, "_")
			if name == stem || choice && strings.HasPrefix(name, stem) {
				return true
			}
		}
		return false
	}
	for name, v := range n.Members() {
		switch name {
		case "meta":
			out.Add("meta", shortMeta(v))
		case "link":
			if it.key.Type == "Patient" { // the records of a person are one here
				continue
			}
			fallthrough
		default:
			out.Add(name, r4.Raw(v.Raw()))
		}
		if name == "id" && !n.Get("text").Exists() {
			out.Add("text", s.itemText(it))
		}
	}
	for _, d := range demands[it.key.Type] {
		if (d.of == nil || d.of(n)) && !has(d) {
			out.Add(d.member, d.value)
		}
	}
	if it.key.Type == "Patient" && !n.Get("identifier").Exists() {
		numbers, err := s.numbers()
		if err != nil {
			return nil, err
		}
		out.Add("identifier", numbers)
	}
	return out.JSON(), nil
}

func shortMeta(meta r4.Node) r4.Object {
	var out r4.Object
	for _, name := range []string{"profile", "security"} {
		if v := meta.Get(name); v.Exists() {
			out.Add(name, r4.Raw(v.Raw()))
		}
	}
	return out
}

// redirect writes the references of a resource anew.
func (s *summary) redirect(doc *r4.Doc) []byte {
	var edits []edit
	for n := range references(doc.Root()) {
		t, ok := aim(s.base, n.Text())
		if !ok {
			continue
		}
		from, to := n.Range()
		edits = append(edits, edit{from, to, r4.AppendString(nil, s.url(t))})
	}
	return apply(doc.Source(), edits)
}

// url is where a reference leads: the person's records are the Patient of the summary.
func (s *summary) url(t target) string {
	k := t.Key
	if k.Type == "Patient" && slices.Contains(s.person.ids, k.ID) {
		k = s.person.patient.Key
	}
	if u := s.urls[k]; u != "" {
		return u
	}
	u := s.base + "/" + t.Key.String()
	if t.Version > 0 {
		return u + "/_history/" + strconv.Itoa(t.Version)
	}
	return u
}

// numbers are the identifiers of a golden Patient: those of the source records
// that the caller may see, each once.
func (s *summary) numbers() ([]r4.Object, error) {
	var list []r4.Object
	var met []string
	for _, id := range s.person.ids[1:] {
		doc, err := s.lookUp(store.Key{Type: "Patient", ID: id})
		if err != nil {
			return nil, err
		}
		for n := range doc.Root().Get("identifier").Elems() {
			key := n.Get("system").Text() + "|" + n.Get("value").Text()
			if n.Get("value").Text() == "" || slices.Contains(met, key) {
				continue
			}
			met = append(met, key)
			var o r4.Object
			for name, v := range n.Members() {
				if name != "assigner" {
					o.Add(name, r4.Raw(purge(v)))
				}
			}
			list = append(list, o)
		}
	}
	return list, nil
}

// urn gives a resource its address in the Bundle: UUIDv5 of its name under that of the Bundle.
func (s *summary) urn(name string) string { return "urn:uuid:" + s.uuid(name) }

func (s *summary) uuid(name string) string {
	space, err := hex.DecodeString(strings.ReplaceAll(s.id, "-", ""))
	if err != nil {
		space = []byte(s.id)
	}
	sum := sha1.Sum(append(space, name...))
	b := sum[:16]
	b[6], b[8] = b[6]&0x0f|0x50, b[8]&0x3f|0x80
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
