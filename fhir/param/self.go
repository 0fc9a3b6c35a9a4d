package param

import (
	"net/url"
	"strconv"
	"strings"
)

// Self writes the query as it was understood: what the self link of a result
// says was done (search.html#conformance). Reading it again gives the same
// query. It must be taken before anybody rewrites clauses (Each); ignored
// parameters, the compartment and what a caller put into Filter himself are not in it.
func (q Query) Self() url.Values {
	v := url.Values{}
	for _, c := range q.Where {
		v.Add(c.key(), c.text())
	}
	q.Filter.self(v)
	set := func(key, text string) {
		if text != "" {
			v.Set(key, text)
		}
	}
	var sort []string
	for _, s := range q.Sort {
		if s.Desc {
			s.Param = "-" + s.Param
		}
		sort = append(sort, s.Param)
	}
	set("_type", strings.Join(q.Types, ","))
	set("_list", q.List)
	set("_sort", strings.Join(sort, ","))
	set("_elements", strings.Join(q.Elements, ","))
	set("_summary", q.Summary)
	set("_total", q.Total)
	set("_cursor", q.Cursor)
	if q.Count > 0 {
		set("_count", strconv.Itoa(q.Count))
	}
	last := ""
	for _, i := range q.Includes {
		key, text := i.self()
		if all := key + "=" + text; !i.wild || all != last {
			v.Add(key, text)
			last = all
		}
	}
	return v
}

func (i Include) self() (key, text string) {
	key, text = "_include", i.Source+":"+i.Param
	if i.Reverse {
		key = "_revinclude"
	}
	if i.Iterate {
		key += ":iterate"
	}
	if i.wild {
		text = i.Source + ":*"
	}
	if i.Target != "" {
		text += ":" + i.Target
	}
	return key, text
}

func (e *Expr) self(v url.Values) {
	switch {
	case e == nil:
	case e.source[0] != "":
		v.Add(e.source[0], e.source[1])
	case e.Op == "and":
		for _, p := range e.Parts {
			p.self(v)
		}
	}
}

// key writes the name of the parameter with all that stands before its value.
func (c *Clause) key() string {
	switch {
	case c.HasType != "":
		return "_has:" + c.HasType + ":" + c.Param + ":" + c.Chain.key()
	case c.Chain != nil:
		return c.Param + ":" + c.ChainType + "." + c.Chain.key()
	case c.Modifier != "":
		return c.Param + ":" + c.Modifier
	}
	return c.Param
}

func (c *Clause) text() string {
	if c.Chain != nil {
		return c.Chain.text()
	}
	var out []string
	for _, m := range c.Values {
		out = append(out, m.text(c.Modifier))
	}
	return strings.Join(out, ",")
}

func (m Match) text(modifier string) string {
	v, prefix := m.Value, m.Prefix
	if prefix == "eq" {
		prefix = ""
	}
	pair := escape(v.System) + "|" + escape(v.Code)
	switch {
	case modifier == "missing":
		return strconv.FormatBool(m.Missing)
	case v.Kind == Token && len(v.OfType) == 1:
		i := strings.LastIndexByte(v.OfType[0], '|')
		return escape(v.OfType[0][:i]) + "|" + escape(v.OfType[0][i+1:]) + "|" + escape(v.Code)
	case v.Kind == Token && v.Text == "":
		if m.AnySystem {
			return escape(v.Code)
		}
		return pair
	case v.Kind == Reference && modifier == "identifier":
		return pair
	case v.Kind == Reference && v.ID != "":
		return v.Type + "/" + v.ID
	case v.Kind == Date:
		return prefix + v.Text
	case v.Kind == Special:
		return v.Text
	case v.Kind == Number || v.Kind == Quantity:
		if v.Code != "" {
			return prefix + v.Num.String() + "|" + pair
		}
		return prefix + v.Num.String()
	case v.Kind == Composite:
		var parts []string
		for _, p := range m.Parts {
			parts = append(parts, p.text(""))
		}
		return strings.Join(parts, "$")
	}
	return escape(v.Text)
}

// Each calls f with every clause: those of Where and Filter, and the inner ones
// of chains. f may change what it is given.
func (q *Query) Each(f func(*Clause) error) error {
	for i := range q.Where {
		if err := q.Where[i].each(f); err != nil {
			return err
		}
	}
	return q.Filter.each(f)
}

func (c *Clause) each(f func(*Clause) error) error {
	for ; c != nil; c = c.Chain {
		if err := f(c); err != nil {
			return err
		}
	}
	return nil
}

func (e *Expr) each(f func(*Clause) error) error {
	if e == nil {
		return nil
	}
	for _, p := range e.Parts {
		if err := p.each(f); err != nil {
			return err
		}
	}
	return e.Clause.each(f)
}
