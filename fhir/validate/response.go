package validate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// response holds answers against their Questionnaire (FHIR R4 questionnaireresponse.html#notes).
type response struct {
	*check
	form *answerForm
	root elem
	done bool // status says that nothing more will be answered: what is required must be there
}

// questionnaireResponse finds the Questionnaire: contained, or by its canonical.
func (c *check) questionnaireResponse(e elem) {
	canonical := e.v.Get("questionnaire").Text()
	if c.o.Questionnaire != "" && e.in.up == nil {
		canonical = c.o.Questionnaire
	}
	if canonical == "" {
		return
	}
	var form r4.Node
	if canonical[0] == '#' {
		to, _ := containedIn(e.in.holder, canonical[1:])
		form = to.v
	} else if d := c.find("Questionnaire", canonical); d != nil {
		form = d.Root()
	}
	if form.Get("resourceType").Text() != "Questionnaire" {
		if c.v.source != nil && c.err == nil {
			c.warnf(e, outcome.NotFound, "questionnaire-unknown", "Không có bảng hỏi này, nên không kiểm tra được câu trả lời.", "The questionnaire is not at hand, so the answers were not checked.")
		}
		return
	}
	status := e.v.Get("status").Text()
	r := &response{check: c, form: readForm(form), root: e, done: status == "completed" || status == "amended"}
	r.rules(e, form)
	r.level(e, r.form.items, []elem{e})
}

// items lists the items below an element of the response.
func (r *response) items(e elem) (out []elem) {
	kids := r.children(e)
	for _, k := range kids {
		if k.at.name == "item" {
			out = append(out, k)
		}
	}
	r.free(kids)
	return out
}

// level checks the items below e, which answer the questions of list; around are the elements from the root to e.
func (r *response) level(e elem, list []*question, around []elem) {
	if !r.tick() || len(around) > 100 {
		return
	}
	given := r.items(e)
	last := -1
	byQuestion := make([][]elem, len(list))
	for _, k := range given {
		id := k.v.Get("linkId").Text()
		i := slices.IndexFunc(list, func(q *question) bool { return q.linkID == id })
		switch {
		case id == "":
		case i < 0 && r.form.byID[id] == nil:
			r.errorf(e, outcome.NotFound, "link-id", "Bảng hỏi không có linkId của một mục trả lời.", "An item's linkId is not in the questionnaire.")
		case i < 0:
			r.errorf(k, outcome.Structure, "item-place", "Mục này không ở chỗ mà bảng hỏi định.", "This item is not where the questionnaire has it.")
		default:
			if i < last {
				r.errorf(k, outcome.Structure, "item-order", "Các mục phải theo thứ tự của bảng hỏi.", "Items must be in the order of the questionnaire.")
			}
			last = max(last, i)
			byQuestion[i] = append(byQuestion[i], k)
		}
	}
	for i, q := range list {
		r.question(e, q, byQuestion[i], around)
	}
}

func (r *response) question(e elem, q *question, given, around []elem) {
	enabled := r.enabled(q, around)
	switch {
	case len(given) == 0:
		if enabled && q.required && r.done {
			r.missing(e, q)
		}
		return
	case q.typ != "group" && len(given) > 1, q.typ == "group" && !q.repeats && len(given) > 1:
		r.errorf(given[1], outcome.Structure, "item-once", "Chỉ được có một mục mang linkId này.", "Only one item of this linkId may be there.")
	}
	for _, k := range given {
		r.rules(k, q.node)
		if !enabled && (k.v.Get("answer").Exists() || k.v.Get("item").Exists()) {
			r.errorf(k, outcome.BusinessRule, "not-enabled", "Mục này có trả lời dù không được mở theo enableWhen.", "The item is answered though its enableWhen does not enable it.")
			continue
		}
		if text, want := k.v.Get("text").Text(), q.node.Get("text").Text(); text != "" && want != "" && text != want {
			r.errorf(k, outcome.Value, "item-text", "text khác với bảng hỏi.", "text is not that of the questionnaire.")
		}
		r.item(k, q, append(slices.Clone(around), k), enabled)
	}
}

func (r *response) missing(e elem, q *question) {
	r.add(e, fault{kind: outcome.Required, key: "answer-required", vi: fmt.Sprintf("Thiếu trả lời cho mục bắt buộc %q.", q.linkID), en: fmt.Sprintf("The required item %q is not answered.", q.linkID)})
}

func (r *response) item(k elem, q *question, around []elem, enabled bool) {
	answers := k.v.Get("answer")
	switch q.typ {
	case "group":
		if answers.Exists() {
			r.errorf(k, outcome.Structure, "group-answer", "Nhóm không được có trả lời (answer).", "A group must not have answers.")
		}
		if q.required && r.done && !k.v.Get("item").Exists() {
			r.errorf(k, outcome.Required, "answer-required", "Nhóm bắt buộc không có mục nào.", "The required group has no items.")
		}
		r.level(k, q.items, around)
		return
	case "display":
		if answers.Exists() || k.v.Get("item").Exists() {
			r.errorf(k, outcome.Structure, "group-answer", "Mục hiển thị không được có trả lời.", "A display item must not be answered.")
		}
		return
	}
	if k.v.Get("item").Exists() {
		r.errorf(k, outcome.Structure, "item-place", "Mục con của một câu hỏi phải nằm trong answer.", "Items below a question must be inside its answer.")
	}
	if q.required && enabled && r.done && !answers.Exists() {
		r.missing(k, q)
	}
	r.answers(k, q, around)
}

func (r *response) answers(k elem, q *question, around []elem) {
	var list []elem
	kids := r.children(k)
	for _, a := range kids {
		if a.at.name == "answer" {
			list = append(list, a)
		}
	}
	r.free(kids)
	if len(list) > 1 && !q.repeats {
		r.errorf(k, outcome.Value, "answer-once", "Câu hỏi này chỉ nhận một trả lời.", "Only one answer is allowed here.")
	}
	if n, ok := q.integer(structures + "questionnaire-minOccurs"); ok && len(list) < n && len(list) > 0 {
		r.errorf(k, outcome.Value, "answer-count", "Phải có ít nhất %[1]d trả lời.", "At least %[1]d answers are needed.", n)
	}
	if n, ok := q.integer(structures + "questionnaire-maxOccurs"); ok && len(list) > n {
		r.errorf(k, outcome.Value, "answer-count", "Chỉ được nhiều nhất %[1]d trả lời.", "At most %[1]d answers are allowed.", n)
	}
	for _, a := range list {
		inner := r.children(a)
		for _, v := range inner {
			if v.at.name == "value" {
				r.value(v, a, q, len(list))
			}
		}
		r.free(inner)
		r.level(a, q.items, append(slices.Clone(around), a))
	}
}

// answerTypes are the types by which each type of question is answered (FHIR R4 valueset-item-type.html).
var answerTypes = map[string][]string{
	"boolean": {"boolean"}, "decimal": {"decimal"}, "integer": {"integer"}, "date": {"date"}, "dateTime": {"dateTime"}, "time": {"time"},
	"string": {"string"}, "text": {"string"}, "url": {"uri"}, "attachment": {"Attachment"}, "reference": {"Reference"}, "quantity": {"Quantity"},
	"choice": {"Coding"}, "open-choice": {"Coding", "string"},
}

// chosen are the types of what can be offered (FHIR R4 questionnaire.html, answerOption.value[x]).
var chosen = []string{"Coding", "date", "time", "integer", "string"}

// value holds the value of one answer against its question.
func (r *response) value(v, answer elem, q *question, count int) {
	options := q.node.Get("answerOption")
	allowed := slices.Clone(answerTypes[q.typ])
	if q.typ == "choice" || q.typ == "open-choice" {
		for o := range options.Elems() {
			if t := optionType(o); t != "" && !slices.Contains(allowed, t) {
				allowed = append(allowed, t)
			}
		}
		if !options.Exists() || q.typ == "open-choice" {
			allowed = chosen // nothing says which of them
		}
	}
	if len(allowed) > 0 && !slices.Contains(allowed, v.at.of) {
		all := strings.Join(allowed, ", ")
		r.errorf(v, outcome.Value, "answer-type", "Trả lời phải thuộc kiểu: %[1]s.", "The answer must be of the type: %[1]s.", all)
		return
	}
	r.limits(v, q)
	r.option(v, answer, q, options, count)
	if set := q.node.Get("answerValueSet").Text(); set != "" {
		r.fromSet(v, q, set)
	}
}

func optionType(o r4.Node) string {
	for m := range o.Members() {
		if t, ok := strings.CutPrefix(m, "value"); ok {
			if s := strings.ToLower(t[:1]) + t[1:]; r4.PrimitiveOf(s) != r4.None {
				return s
			}
			return t
		}
	}
	return ""
}

// option: the answer is one of those offered; an exclusive one stands alone.
func (r *response) option(v, answer elem, q *question, options r4.Node, count int) {
	if !options.Exists() {
		return
	}
	for o := range options.Elems() {
		for m, x := range o.Members() {
			if !strings.HasPrefix(m, "value") || !sameAnswer(v.v, x) {
				continue
			}
			if flag := extensionOf(o, structures+"questionnaire-optionExclusive"); flag.Get("valueBoolean").Bool() && count > 1 {
				r.errorf(answer, outcome.Value, "answer-exclusive", "Lựa chọn này chỉ được chọn một mình.", "This option must be chosen alone.")
			}
			return
		}
	}
	if q.typ == "open-choice" {
		return
	}
	r.errorf(v, outcome.Value, "answer-option", "Trả lời không nằm trong các lựa chọn của bảng hỏi.", "The answer is not one of the options of the questionnaire.")
}

// sameAnswer compares an answer with an option: codes by system and code.
func sameAnswer(a, b r4.Node) bool {
	if a.Kind() == r4.Map && b.Kind() == r4.Map && (a.Get("code").Exists() || b.Get("code").Exists()) && !a.Get("value").Exists() {
		return a.Get("code").Text() == b.Get("code").Text() && a.Get("system").Text() == b.Get("system").Text()
	}
	if a.Kind() == r4.Map {
		return matches(a, b)
	}
	return equal(a, b)
}

// fromSet: the answer is a code of a value set, or the words of one.
func (r *response) fromSet(v elem, q *question, set string) {
	if set[0] == '#' || q.typ == "open-choice" || q.typ == "choice" && v.at.of != "Coding" {
		return // a value set inside the Questionnaire is known to no service
	}
	switch a := r.inSet(v, set); a {
	case no, none:
		r.errorf(v, outcome.Value, "answer-option", "Trả lời không thuộc bộ mã %[1]s.", "The answer is not in the value set %[1]s.", set)
	case open:
		r.warnf(v, outcome.NotSupported, "code-open", "Không kiểm tra được mã theo bộ mã %[1]s vì thiếu bộ mã hoặc bảng mã.", "The code could not be checked: the value set %[1]s or a code system that it needs is not at hand.", set)
	}
}
