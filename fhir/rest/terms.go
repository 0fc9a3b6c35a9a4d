package rest

import (
	"context"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/term"
)

// terms puts codes in the place of what a query says about terminology
// (FHIR R4 search.html#token: :in, :not-in, :above, :below). What can't be
// listed whole is an error: a part of the codes would find a part of the resources.
func (s *Server) terms(ctx context.Context, q *param.Query) error {
	for i := range q.Where {
		if err := s.termsOf(ctx, q.Type, &q.Where[i]); err != nil {
			return err
		}
	}
	return s.termsIn(ctx, q.Type, q.Filter)
}

func (s *Server) termsIn(ctx context.Context, typ string, e *param.Expr) error {
	if e == nil {
		return nil
	}
	if e.Clause != nil {
		return s.termsOf(ctx, typ, e.Clause)
	}
	for _, part := range e.Parts {
		if err := s.termsIn(ctx, typ, part); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) termsOf(ctx context.Context, typ string, c *param.Clause) error {
	switch {
	case c.HasType != "":
		return s.termsOf(ctx, c.HasType, c.Chain)
	case c.Chain != nil:
		return s.termsOf(ctx, c.ChainType, c.Chain)
	case c.Kind != param.Token:
		return nil
	}
	var list func(context.Context, param.Match) ([]term.Code, error)
	modifier := ""
	switch c.Modifier {
	case "in":
		list = s.members
	case "not-in":
		list, modifier = s.members, "not"
	case "above":
		list = s.related(s.above)
	case "below":
		list = s.related(s.below)
	default:
		return nil
	}
	plain := plainCode(typ, c.Param)
	var values []param.Match
	seen := map[term.Code]bool{}
	for _, m := range c.Values {
		codes, err := list(ctx, m)
		if err != nil {
			return err
		}
		for _, code := range codes {
			code = term.Code{System: code.System, Code: code.Code}
			if plain {
				code.System = ""
			}
			if !seen[code] {
				seen[code] = true
				values = append(values, param.Match{Prefix: "eq", Value: param.Value{Param: c.Param, Kind: param.Token, System: code.System, Code: code.Code}})
			}
		}
	}
	if len(values) == 0 { // a set without codes: one that no resource has stands for it
		values = []param.Match{{Prefix: "eq", Value: param.Value{Param: c.Param, Kind: param.Token, System: "urn:ytso:none", Code: "none"}}}
	}
	c.Modifier, c.Values = modifier, values
	return nil
}

// plainCode says whether a parameter is about elements of type code, whose
// system the definition implies and the index does not hold.
func plainCode(typ, code string) bool {
	for _, p := range r4.SearchParameters(typ) {
		if p.Code != code {
			continue
		}
		for path := range strings.SplitSeq(p.Expression, "|") {
			if path = strings.TrimSpace(path); strings.HasPrefix(path, typ+".") {
				e, ok := r4.ElementAt(path)
				return ok && len(e.Types) == 1 && e.Types[0].Code == "code"
			}
		}
	}
	return false
}

func inexact(vi, en string) error { return fail(outcome.NotSupported, "terms", vi, en) }

func (s *Server) members(ctx context.Context, m param.Match) ([]term.Code, error) {
	if s.c.Terms == nil {
		return nil, inexact("Máy chủ không có dịch vụ thuật ngữ.", "The server has no terminology.")
	}
	codes, complete, err := s.c.Terms.Codes(ctx, m.Value.Text)
	if err == nil && !complete {
		err = inexact("Máy chủ không liệt kê được hết mã của bộ giá trị này nên không tìm theo nó.",
			"The server can't list all codes of this value set, so it does not search by it.")
	}
	return codes, err
}

func (s *Server) above(ctx context.Context, system, code string) ([]string, bool, error) {
	return s.c.Terms.Ancestors(ctx, system, code)
}

func (s *Server) below(ctx context.Context, system, code string) ([]string, bool, error) {
	return s.c.Terms.Descendants(ctx, system, code)
}

// related lists the codes above or below one.
func (s *Server) related(which func(ctx context.Context, system, code string) ([]string, bool, error)) func(context.Context, param.Match) ([]term.Code, error) {
	return func(ctx context.Context, m param.Match) ([]term.Code, error) {
		if m.AnySystem || m.Value.System == "" || m.Value.Code == "" || s.c.Terms == nil {
			return nil, inexact("Với :above và :below hãy ghi hệ mã, dạng hệ|mã.", "With :above and :below name the system, as in system|code.")
		}
		codes, ok, err := which(ctx, m.Value.System, m.Value.Code)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, inexact("Máy chủ không có hệ mã này hoặc mã này nên không biết mã nào đứng trên, dưới nó.",
				"The server does not have this code or its system, so it does not know what stands above or below it.")
		}
		out := make([]term.Code, len(codes))
		for i, c := range codes {
			out[i] = term.Code{System: m.Value.System, Code: c}
		}
		return out, nil
	}
}

// maxListed bounds the entries of a List that a search goes by.
const maxListed = 10_000

// listed puts the resources of a List in the place of _list (FHIR R4
// search.html#list). The List is read under the caller's gate, and so is what it names.
func (t *turn) listed(ctx context.Context, q param.Query) (param.Query, error) {
	if q.List == "" {
		return q, nil
	}
	if q.Type == "" {
		return q, fail(outcome.NotSupported, "list", "_list chỉ dùng khi tìm trong một loại tài nguyên.", "_list is for a search of one type.")
	}
	r, err := t.r.Read(ctx, storeKey("List", q.List))
	if err != nil {
		return q, err
	}
	doc, err := r4.Parse(r.Body)
	if err != nil {
		return q, err
	}
	ids := param.Clause{Param: "_id", Kind: param.Token}
	for e := range doc.Root().Get("entry").Elems() {
		k, _, ok := local(e.Get("item").Get("reference").Text())
		if ok && k.Type == q.Type && !e.Get("deleted").Bool() {
			ids.Values = append(ids.Values, param.Match{Prefix: "eq", AnySystem: true, Value: param.Value{Param: "_id", Kind: param.Token, Code: k.ID}})
		}
	}
	if len(ids.Values) > maxListed {
		return q, fail(outcome.TooCostly, "list-long", "List có quá nhiều mục để tìm theo nó.", "The List has too many entries to search by.")
	}
	q.List = ""
	if len(ids.Values) == 0 { // nothing of the type: an id that no resource can have
		ids.Values = []param.Match{{Prefix: "eq", AnySystem: true, Value: param.Value{Param: "_id", Kind: param.Token, Code: "-none-of-this-list-" + strings.Repeat("-", 64)}}}
	}
	q.Where = append(q.Where[:len(q.Where):len(q.Where)], ids)
	return q, nil
}
