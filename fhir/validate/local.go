package validate

import (
	"bytes"
	"crypto/sha1" // the algorithm that FHIR prescribes here; it guards nothing
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// The rules here are said by the text of the specification about one element
// and its neighbours, and stand in no invariant.

// coding: a system is an absolute address, and that of a code system, not of a
// value set (FHIR R4 datatypes.html#Coding).
func (w *walker) coding(n r4.Node) {
	system := n.Get("system")
	raw, _ := system.Quoted()
	if len(raw) > 0 {
		s := r4.ShapeAt("Coding")
		if m := s.Member([]byte("system")); w.push(m, &s.Slots[m.Slot]) {
			defer w.pop()
		}
	}
	switch {
	case len(raw) == 0:
	case !absolute(raw):
		w.value(system, "system", "Coding.system phải là địa chỉ tuyệt đối.", "Coding.system must be an absolute address.")
	case bytes.HasPrefix(raw, []byte("http://hl7.org/fhir/ValueSet/")):
		w.value(system, "system", "Coding.system là địa chỉ của một bộ giá trị (ValueSet), không phải của bảng mã (CodeSystem).",
			"Coding.system is the address of a value set, not of a code system.")
	}
}

// attachment: size is that of the data (FHIR R4 datatypes.html#Attachment).
func (w *walker) attachment(n r4.Node) {
	data, _ := n.Get("data").Quoted()
	size := n.Get("size")
	if len(data) == 0 || size.Kind() != r4.Number {
		return
	}
	want, err := strconv.Atoi(size.Text())
	if err != nil || !base64Form(data) {
		return // told already, or held by escapes
	}
	if got := decodedSize(data); got != want {
		w.value(size, "size", "size khác độ dài thật của dữ liệu: "+strconv.Itoa(got)+" byte.", "size is not the length of the data: "+strconv.Itoa(got)+" bytes.")
	}
}

// decodedSize counts the bytes that base64 stands for.
func decodedSize(b []byte) int {
	digits := 0
	for _, c := range b {
		if alphabet64[c] == digit64 {
			digits++
		}
	}
	return digits * 3 / 4
}

// entry: a fullUrl is absolute (FHIR R4 bundle.html#bundle-unique).
func (w *walker) entry(n r4.Node) {
	url := n.Get("fullUrl")
	if raw, _ := url.Quoted(); len(raw) > 0 && !absolute(raw) {
		w.value(url, "full-url", "fullUrl phải là địa chỉ tuyệt đối.", "fullUrl must be an absolute address.")
	}
}

// contained: what is contained is referred to, by what contains it or back
// (dom-3), and has no version, time or security labels of its own (dom-4, dom-5).
func (c *check) contained(e elem) {
	list := e.v.Get("contained")
	if list.Kind() != r4.Array {
		return
	}
	used := map[string]bool{}
	back := map[r4.Node]bool{}
	fragments(e.v, func(ref string, in r4.Node) {
		if ref == "#" {
			back[in] = true
			return
		}
		used[ref[1:]] = true
	})
	i := 0
	for n := range list.Elems() {
		at := elem{v: n, at: &step{e.at, "contained", "", i}, in: e.in}
		i++
		if n.Kind() != r4.Map {
			continue
		}
		if id := n.Get("id").Text(); !used[id] && !back[n] {
			c.errorf(at, outcome.BusinessRule, "invariant", "Tài nguyên contained không được nơi nào trỏ tới (dom-3).", "Nothing refers to this contained resource (dom-3).")
		}
		meta := n.Get("meta")
		if meta.Get("versionId").Exists() || meta.Get("lastUpdated").Exists() {
			c.errorf(at, outcome.BusinessRule, "invariant", "Tài nguyên contained không được có meta.versionId hay meta.lastUpdated (dom-4).", "A contained resource must not have meta.versionId or meta.lastUpdated (dom-4).")
		}
		if meta.Get("security").Exists() {
			c.errorf(at, outcome.BusinessRule, "invariant", "Tài nguyên contained không được có nhãn bảo mật (dom-5).", "A contained resource must not have security labels (dom-5).")
		}
	}
}

// fragments gives each text that begins with "#" in a reference or an address,
// with the contained resource that it stands in.
func fragments(res r4.Node, f func(ref string, in r4.Node)) {
	var down func(n, in r4.Node, depth int)
	down = func(n, in r4.Node, depth int) {
		for v := n.First(); v.Exists(); v = v.Next(n) {
			switch v.Kind() {
			case r4.String:
				switch raw, _ := v.Quoted(); {
				case len(raw) > 0 && raw[0] == '#':
					f(v.Text(), in)
				case string(v.Name()) == "div" && bytes.Contains(raw, []byte(`"#`)):
					for _, link := range links(v.Text()) {
						if strings.HasPrefix(link.to, "#") {
							f(link.to, in)
						}
					}
				}
			case r4.Map, r4.Array:
				inner := in
				if n.Kind() == r4.Array && depth == 1 && string(n.Name()) == "contained" {
					inner = v
				}
				down(v, inner, depth+1)
			}
		}
	}
	down(res, r4.Node{}, 0)
}

// canonical: an absolute address, or a fragment (FHIR R4 references.html#canonical).
// Sixty official examples name definitions by Type/id, so it is told and not refused.
func (c *check) canonical(e elem) {
	if raw, _ := e.v.Quoted(); len(raw) > 0 && raw[0] != '#' && !absolute(raw) {
		c.warnf(e, outcome.Value, "canonical", "%[1]s phải là địa chỉ tuyệt đối.", "%[1]s must be an absolute address.", e.name())
	}
}

// hash: that of the data (FHIR R4 datatypes.html#Attachment: SHA-1 as base64).
// An official example writes it in hexadecimal, so it is told and not refused.
func (c *check) hash(e elem) {
	stated, data := e.v.Get("hash").Text(), e.v.Get("data")
	if stated == "" || !data.Exists() {
		return
	}
	b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(data.Text()), ""))
	if err != nil {
		return // told by its form
	}
	if sum := sha1.Sum(b); stated != base64.StdEncoding.EncodeToString(sum[:]) {
		c.warnf(e, outcome.Value, "hash", "hash không phải SHA-1 (base64) của data.", "hash is not the SHA-1 of data in base64.")
	}
}

// local asks the rules of the specification's text about whole resources and their parts.
func (c *check) local(e elem) {
	switch e.typ {
	case "Bundle":
		c.bundle(e)
	case "Questionnaire":
		c.questionnaire(e)
	case "QuestionnaireResponse":
		c.questionnaireResponse(e)
	case "Quantity":
		if e.slot != nil && e.slot.Simple && e.v.Get("comparator").Exists() {
			c.errorf(e, outcome.BusinessRule, "invariant", "Đại lượng ở đây không được có comparator (sqt-1).", "The comparator is not used on a SimpleQuantity (sqt-1).")
		}
		c.coded(e)
	case "Coding", "Age", "Count", "Distance", "Duration":
		c.coded(e)
	case "canonical":
		c.canonical(e)
	case "Attachment":
		c.hash(e)
	case "Narrative":
		c.narrativeLinks(e)
	case "markdown":
		c.markdown(e)
	case "StructureDefinition":
		c.definition(e)
	}
}
