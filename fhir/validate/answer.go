package validate

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ytso/ytso/fhir/fhirpath"
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// extensionOf finds an extension by its url.
func extensionOf(n r4.Node, url string) r4.Node {
	for x := range n.Get("extension").Elems() {
		if x.Get("url").Text() == url {
			return x
		}
	}
	return r4.Node{}
}

// extensionValue is the value of an extension.
func extensionValue(x r4.Node) r4.Node {
	for m, v := range x.Members() {
		if strings.HasPrefix(m, "value") {
			return v
		}
	}
	return r4.Node{}
}

func (q *question) integer(url string) (int, bool) {
	n, err := strconv.Atoi(extensionValue(extensionOf(q.node, url)).Text())
	return n, err == nil
}

const sdc = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"

// limits holds an answer against what extensions of the question say of its
// least, its greatest, its length, its unit (FHIR R4 questionnaire-profiles.html).
func (r *response) limits(v elem, q *question) {
	r.limit(v, q, -1, "Trả lời nhỏ hơn mức thấp nhất của câu hỏi.", "The answer is less than the least that the question allows.", structures+"minValue", sdc+"minQuantity")
	r.limit(v, q, 1, "Trả lời lớn hơn mức cao nhất của câu hỏi.", "The answer is greater than the greatest that the question allows.", structures+"maxValue", sdc+"maxQuantity")
	if v.v.Kind() == r4.String {
		r.length(v, q)
	}
	if n, ok := q.integer(structures + "maxDecimalPlaces"); ok && v.v.Kind() == r4.Number {
		if _, places, _ := strings.Cut(v.v.Text(), "."); len(places) > n {
			r.errorf(v, outcome.Value, "answer-places", "Chỉ được tối đa %[1]d chữ số thập phân.", "At most %[1]d decimal places are allowed.", n)
		}
	}
	switch v.at.of {
	case "Quantity":
		r.unit(v, q)
	case "Attachment":
		r.attachmentType(v, q)
	case "Reference":
		r.referenced(v, q)
	}
}

func (r *response) limit(v elem, q *question, sign int, vi, en string, urls ...string) {
	for _, url := range urls {
		bound := extensionValue(extensionOf(q.node, url))
		if !bound.Exists() {
			continue
		}
		way, known := order(v, bound)
		switch {
		case !known:
			r.errorf(v, outcome.Value, "answer-bound", "Không so sánh được trả lời với giới hạn của câu hỏi: thiếu đơn vị chuẩn hoặc khác loại đơn vị.",
				"The answer can't be compared with the bound of the question: the units are not formal, or are of different kinds.")
		case way == sign || way == 0 && sign > 0 && len(v.v.Text()) > len(bound.Text()) && v.v.Kind() == r4.String && !strings.Contains(bound.Text(), "T"):
			r.errorf(v, outcome.Value, "answer-bound", "%[1]s", "%[2]s", vi, en)
		}
	}
}

func (r *response) length(v elem, q *question) {
	if pattern := extensionValue(extensionOf(q.node, structures+"regex")).Text(); pattern != "" && len(pattern) < 500 {
		if x, err := regexp.Compile(`^(?:` + pattern + `)$`); err == nil && !x.MatchString(v.v.Text()) {
			r.errorf(v, outcome.Value, "answer-pattern", "Trả lời không theo mẫu của câu hỏi.", "The answer does not match the pattern of the question.")
		}
	}
	n := utf8.RuneCountInString(v.v.Text())
	if least, ok := q.integer(structures + "minLength"); ok && n < least {
		r.errorf(v, outcome.Value, "answer-length", "Trả lời ngắn hơn %[1]d ký tự.", "The answer is shorter than %[1]d characters.", least)
	}
	if most, err := strconv.Atoi(q.node.Get("maxLength").Text()); err == nil && n > most {
		r.errorf(v, outcome.Value, "answer-length", "Trả lời dài hơn %[1]d ký tự.", "The answer is longer than %[1]d characters.", most)
	}
}

// rules asks what a Questionnaire or one of its items wants in FHIRPath
// (questionnaire-constraint) of the response or the item that answers it.
func (r *response) rules(e elem, n r4.Node) {
	var list []*constraint
	for x := range n.Get("extension").Elems() {
		if x.Get("url").Text() != structures+"questionnaire-constraint" {
			continue
		}
		part := func(name string) string { return extensionValue(extensionOf(x, name)).Text() }
		one := &constraint{key: part("key"), human: part("human"), severity: Error}
		if part("severity") == string(Warning) {
			one.severity = Warning
		}
		one.expression, _ = fhirpath.Compile(part("expression")) // nil: asked tells that it can't be read
		list = append(list, one)
	}
	r.asked(e, list)
}

// unit: one of the units that the question offers.
func (r *response) unit(v elem, q *question) {
	offered := 0
	for x := range q.node.Get("extension").Elems() {
		if x.Get("url").Text() != structures+"questionnaire-unitOption" {
			continue
		}
		offered++
		if u := x.Get("valueCoding"); u.Get("code").Text() == v.v.Get("code").Text() && u.Get("system").Text() == v.v.Get("system").Text() {
			return
		}
	}
	if offered > 0 {
		r.errorf(v, outcome.Value, "answer-unit", "Đơn vị không nằm trong các đơn vị của câu hỏi.", "The unit is not one of those of the question.")
	}
	if set := extensionValue(extensionOf(q.node, structures+"questionnaire-unitValueSet")).Text(); set != "" {
		r.fromSet(v, q, set)
	}
}

// attachmentType: one of the media types of the question, and not above its size.
func (r *response) attachmentType(v elem, q *question) {
	var allowed []string
	for x := range q.node.Get("extension").Elems() {
		if x.Get("url").Text() == structures+"mimeType" {
			allowed = append(allowed, extensionValue(x).Text())
		}
	}
	answer := elem{v: v.v, at: v.at.up, in: v.in}
	if len(allowed) > 0 && !slices.Contains(allowed, v.v.Get("contentType").Text()) {
		r.errorf(answer, outcome.Value, "answer-media", "Loại tệp phải là: %[1]s.", "The media type must be one of: %[1]s.", strings.Join(allowed, ", "))
	}
	if most := extensionValue(extensionOf(q.node, structures+"maxSize")); most.Exists() {
		if size, known := orderNumbers(v.v.Get("size").Text(), most.Text()); known && size > 0 {
			r.errorf(answer, outcome.Value, "answer-size", "Tệp lớn hơn mức cho phép của câu hỏi.", "The file is larger than the question allows.")
		}
	}
}

// referenced: a resource of a type that the question allows.
func (r *response) referenced(v elem, q *question) {
	var allowed []string
	for x := range q.node.Get("extension").Elems() {
		if x.Get("url").Text() == structures+"questionnaire-referenceResource" {
			allowed = append(allowed, extensionValue(x).Text())
		}
	}
	name := string(targetType([]byte(literal(v))))
	if to, ok := r.resolve(v); ok {
		name = to.typ
	}
	if len(allowed) > 0 && r4.IsResource(name) && !slices.Contains(allowed, name) {
		r.errorf(v, outcome.Value, "target", "reference phải trỏ tới: %[1]s.", "The reference must point at: %[1]s.", strings.Join(allowed, ", "))
	}
}

// enabled says whether a question is to be answered (FHIR R4 questionnaire.html, enableWhen).
func (r *response) enabled(q *question, around []elem) bool {
	whens := q.node.Get("enableWhen")
	if !whens.Exists() {
		return true
	}
	all := q.node.Get("enableBehavior").Text() == "all"
	for w := range whens.Elems() {
		if r.when(w, around) != all {
			return !all
		}
	}
	return all
}

func (r *response) when(w r4.Node, around []elem) bool {
	want := extensionless(w)
	answers := r.nearest(w.Get("question").Text(), around)
	operator := w.Get("operator").Text()
	if operator == "exists" {
		return (len(answers) > 0) == want.Bool()
	}
	equalOne := slices.ContainsFunc(answers, func(a elem) bool { return sameAnswer(a.v, want) })
	switch operator {
	case "=":
		return equalOne
	case "!=":
		return !equalOne
	}
	return slices.ContainsFunc(answers, func(a elem) bool {
		way, known := order(a, want)
		if !known {
			return false
		}
		switch operator {
		case ">":
			return way > 0
		case "<":
			return way < 0
		case ">=":
			return way >= 0
		}
		return way <= 0
	})
}

// extensionless is the answer that an enableWhen wants.
func extensionless(w r4.Node) r4.Node {
	for m, v := range w.Members() {
		if strings.HasPrefix(m, "answer") {
			return v
		}
	}
	return r4.Node{}
}

// nearest finds the answers to a question: below the innermost element around that holds any.
func (r *response) nearest(id string, around []elem) []elem {
	for i := len(around) - 1; i >= 0; i-- {
		if out, found := r.answersTo(id, around[i], 0); found {
			return out
		}
	}
	return nil
}

func (r *response) answersTo(id string, e elem, depth int) (out []elem, found bool) {
	if depth > 60 || !r.tick() {
		return nil, false
	}
	kids := slices.Clone(r.children(e))
	for _, k := range kids {
		switch k.at.name {
		case "item":
			if k.v.Get("linkId").Text() == id {
				found = true
				for _, a := range expand(k, nil) {
					if a.at.name != "answer" {
						continue
					}
					for _, v := range expand(a, nil) {
						if v.at.name == "value" {
							out = append(out, v)
						}
					}
				}
				continue
			}
		case "answer":
		default:
			continue
		}
		more, in := r.answersTo(id, k, depth+1)
		out, found = append(out, more...), found || in
	}
	return out, found
}
