package audit

import (
	"net/url"
	"slices"

	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/store"
)

// quick are the search parameters whose values are read from the row itself, so
// that a row that is not looked for need not be rendered. They must be what
// param.Extract finds in the AuditEvent.
var quick = []string{"_id", "action", "agent", "agent-name", "agent-role", "date", "outcome", "policy", "subtype", "type"}

func isQuick(c param.Clause) bool { return slices.Contains(quick, c.Param) && c.Modifier != "text" }

// values gives the values of the quick parameters of a row as its viewer sees it.
func (w renderer) values(x *row) []param.Value {
	k := kindOf(x)
	token := func(name, system, code string) param.Value {
		return param.Value{Param: name, Kind: param.Token, System: system, Code: code}
	}
	list := []param.Value{
		token("_id", "", w.names.of(x.seq)), token("action", "", k.action), token("outcome", "", outcomeOf(x.outcome)), token("type", k.system, k.code),
		{Param: "date", Kind: param.Date, Lo: x.at, Hi: x.at + 1},
	}
	for _, s := range k.subtypes(x) {
		list = append(list, token("subtype", s[0].Value.(string), s[1].Value.(string)))
	}
	if x.agent != "" {
		v := param.Value{Param: "agent", Kind: param.Reference, System: AccountSystem, Code: x.agent}
		if x.kind == string(store.Citizen) {
			v = param.Value{Param: "agent", Kind: param.Reference, Type: "Patient", ID: x.agent}
		}
		list = append(list, v)
	}
	if x.facility != "" {
		list = append(list, param.Value{Param: "agent", Kind: param.Reference, System: w.facility, Code: x.facility})
	}
	if x.name != "" {
		list = append(list, param.Value{Param: "agent-name", Kind: param.String, Text: x.name})
	}
	if x.role != "" {
		list = append(list, token("agent-role", roleSystem, x.role))
	}
	if x.right != "" {
		list = append(list, param.Value{Param: "policy", Kind: param.URI, Text: rightPrefix + url.PathEscape(x.right)})
	}
	return list
}
