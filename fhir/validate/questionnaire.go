package validate

import (
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// question is one item of a Questionnaire.
type question struct {
	node     r4.Node
	linkID   string
	typ      string
	required bool
	repeats  bool
	up       *question
	items    []*question
}

// answerForm is a Questionnaire ready for its answers.
type answerForm struct {
	items []*question
	byID  map[string]*question
}

func readForm(n r4.Node) *answerForm {
	f := &answerForm{byID: map[string]*question{}}
	f.items = f.read(n, nil)
	return f
}

func (f *answerForm) read(n r4.Node, up *question) (out []*question) {
	for x := range n.Get("item").Elems() {
		q := &question{node: x, linkID: x.Get("linkId").Text(), typ: x.Get("type").Text(), required: x.Get("required").Bool(), repeats: x.Get("repeats").Bool(), up: up}
		q.items = f.read(x, q)
		if f.byID[q.linkID] == nil {
			f.byID[q.linkID] = q
		}
		out = append(out, q)
	}
	return out
}

// inside says whether a question stands below another, or is it.
func (q *question) inside(of *question) bool {
	for ; q != nil; q = q.up {
		if q == of {
			return true
		}
	}
	return false
}

// questionnaire checks what an item's enableWhen asks (FHIR R4
// questionnaire.html: a question elsewhere in the same Questionnaire; que-7).
func (c *check) questionnaire(e elem) {
	f := readForm(e.v)
	c.items(e, f, f.items)
}

func (c *check) items(e elem, f *answerForm, list []*question) {
	kids := c.children(e)
	defer c.free(kids)
	i := 0
	for _, k := range kids {
		if k.at.name != "item" || i >= len(list) {
			continue
		}
		whens := k.v.Get("enableWhen")
		if whens.Kind() == r4.Array && whens.Len() > 1 && !k.v.Get("enableBehavior").Exists() {
			c.errorf(k, outcome.BusinessRule, "invariant", "Có hơn một enableWhen thì phải có enableBehavior (que-12).", "If there are more than one enableWhen, enableBehavior must be specified (que-12).")
		}
		for w := range whens.Elems() {
			c.enableWhen(k, f, list[i], w)
		}
		c.items(k, f, list[i].items)
		i++
	}
}

func (c *check) enableWhen(k elem, f *answerForm, q *question, w r4.Node) {
	id := w.Get("question").Text()
	switch to := f.byID[id]; {
	case id == "":
	case to == nil:
		c.errorf(k, outcome.BusinessRule, "enable-when", "enableWhen hỏi một câu không có trong bảng hỏi này.", "enableWhen asks a question that this questionnaire does not have.")
	case to == q:
		c.errorf(k, outcome.BusinessRule, "enable-when", "enableWhen không được hỏi chính câu của nó.", "enableWhen must not ask its own question.")
	case to.inside(q):
		c.errorf(k, outcome.BusinessRule, "enable-when", "enableWhen không được hỏi một câu nằm bên trong câu của nó.", "enableWhen must not ask a question inside its own one.")
	}
	if w.Get("operator").Text() == "exists" && w.Get("operator").Exists() && !w.Get("answerBoolean").Exists() && !onlyExtended(w) {
		c.errorf(k, outcome.BusinessRule, "invariant", "Khi operator là exists thì câu trả lời phải là boolean (que-7).", "If the operator is 'exists', the answer must be a boolean (que-7).")
	}
}
