package audit

import (
	"cmp"
	"encoding/base64"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
)

// renderer writes rows as AuditEvents.
type renderer struct {
	names    names
	facility string // identifier system of facilities
	base     string // address of the FHIR API
}

// resource renders a row that has been cut to what its viewer sees.
func (w renderer) resource(x *row) *store.Resource {
	at := time.UnixMilli(x.at).UTC()
	id := w.names.of(x.seq)
	return &store.Resource{Key: store.Key{Type: "AuditEvent", ID: id}, Version: 1, Updated: at, Body: w.body(x, id, at)}
}

func (w renderer) body(x *row, id string, at time.Time) []byte {
	k := kindOf(x)
	stamp := at.Format("2006-01-02T15:04:05.000Z")
	agents, entities := w.agents(x, k), w.entities(x)
	meta := r4.Object{{Name: "versionId", Value: "1"}, {Name: "lastUpdated", Value: stamp}}
	if p := profileOf(x, k); p != "" {
		meta.Add("profile", []string{"https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit." + p})
	}
	o := r4.Object{
		{Name: "resourceType", Value: "AuditEvent"}, {Name: "id", Value: id}, {Name: "meta", Value: meta},
		{Name: "type", Value: coding(k.system, k.code, k.display)}, {Name: "subtype", Value: k.subtypes(x)}, {Name: "action", Value: k.action},
		{Name: "recorded", Value: stamp}, {Name: "outcome", Value: outcomeOf(x.outcome)},
	}
	if x.outcome != "ok" {
		o.Add("outcomeDesc", x.outcome)
	}
	if p := purpose(x); p != nil {
		o.Add("purposeOfEvent", []r4.Object{p})
	}
	o.Add("agent", agents)
	o.Add("source", r4.Object{
		{Name: "site", Value: w.base}, {Name: "observer", Value: r4.Object{{Name: "display", Value: "ytso"}}},
		{Name: "type", Value: []r4.Object{coding("http://terminology.hl7.org/CodeSystem/security-source-type", "4", "Application Server")}},
	})
	o.Add("entity", entities)
	return o.JSON()
}

// profileOf is the BALP profile that the row has all of: an interaction that
// succeeded, from a known address, with one record or query, of one person or none.
func profileOf(x *row, k kind) string {
	if k.profile == "" || x.outcome != "ok" || x.addresses == "" || len(x.patients) > 1 {
		return ""
	}
	if k.profile != "Query" && len(x.objects()) != 1 || k.profile == "Query" && len(x.objects()) > 0 {
		return ""
	}
	if len(x.patients) == 1 {
		return "Patient" + k.profile
	}
	return k.profile
}

func purpose(x *row) r4.Object {
	if x.purpose == "" {
		return nil
	}
	code := x.purpose
	if code == "SYSADMIN" { // as the version of v3-ActReason in R4 calls it
		code = "HSYSADMIN"
	}
	return concept(coding("http://terminology.hl7.org/CodeSystem/v3-ActReason", code, ""))
}

// agents are who acted, for whom, from where, and this server.
func (w renderer) agents(x *row, k kind) []r4.Object {
	list := []r4.Object{w.user(x, k)}
	if x.facility != "" {
		list = append(list, r4.Object{
			{Name: "type", Value: concept(coding("http://terminology.hl7.org/CodeSystem/v3-RoleClass", "PROV", "healthcare provider"))},
			{Name: "who", Value: r4.Object{{Name: "type", Value: "Organization"}, {Name: "identifier", Value: identifier(w.facility, x.facility)}, {Name: "display", Value: x.facility}}},
			{Name: "requestor", Value: false},
		})
	}
	client, server := coding(dicom, "110153", "Source Role ID"), coding(dicom, "110152", "Destination Role ID")
	if k.action == "R" { // what is read flows the other way
		client, server = server, client
	}
	if x.addresses != "" {
		network := r4.Object{{Name: "address", Value: x.addresses}}
		if _, err := netip.ParseAddr(x.addresses); err == nil {
			network.Add("type", "2")
		}
		list = append(list, r4.Object{
			{Name: "type", Value: concept(client)}, {Name: "who", Value: r4.Object{{Name: "display", Value: x.addresses}}},
			{Name: "requestor", Value: false}, {Name: "network", Value: network},
		})
	}
	return append(list, r4.Object{
		{Name: "type", Value: concept(server)}, {Name: "who", Value: r4.Object{{Name: "display", Value: w.base}}},
		{Name: "requestor", Value: false}, {Name: "network", Value: r4.Object{{Name: "address", Value: w.base}, {Name: "type", Value: "5"}}},
	})
}

func (w renderer) user(x *row, k kind) r4.Object {
	var who r4.Object
	if x.kind == string(store.Citizen) && x.agent != "" {
		who.Add("reference", "Patient/"+x.agent)
	} else if x.agent != "" {
		who.Add("identifier", identifier(AccountSystem, x.agent))
	}
	who.Add("display", cmp.Or(x.name, x.role))
	o := r4.Object{{Name: "type", Value: k.userType(x)}}
	if x.role != "" {
		o.Add("role", []r4.Object{concept(coding(roleSystem, x.role, ""))})
	}
	o.Add("who", who)
	o.Add("name", x.name)
	o.Add("requestor", true)
	if x.right != "" {
		o.Add("policy", []string{rightPrefix + url.PathEscape(x.right)})
	}
	if p := purpose(x); p != nil {
		o.Add("purposeOfUse", []r4.Object{p})
	}
	return o
}

func identifier(system, value string) r4.Object {
	return r4.Object{{Name: "system", Value: system}, {Name: "value", Value: value}}
}

var (
	systemObject = coding("http://terminology.hl7.org/CodeSystem/audit-entity-type", "2", "System Object")
	person       = coding("http://terminology.hl7.org/CodeSystem/audit-entity-type", "1", "Person")
)

func objectRole(code, display string) r4.Object {
	return coding("http://terminology.hl7.org/CodeSystem/object-role", code, display)
}

// lifecycles of what was touched (http://terminology.hl7.org/CodeSystem/dicom-audit-lifecycle).
var lifecycles = map[string]r4.Object{
	"read": lifecycle("6", "Access / Use"), "include": lifecycle("6", "Access / Use"), "put": lifecycle("3", "Amendment"), "delete": lifecycle("14", "Logical deletion"),
}

func lifecycle(code, display string) r4.Object {
	return coding("http://terminology.hl7.org/CodeSystem/dicom-audit-lifecycle", code, display)
}

// entities are the persons, the records, what was asked, and the request.
func (w renderer) entities(x *row) []r4.Object {
	var list []r4.Object
	for _, p := range x.patients[:min(len(x.patients), maxShown)] {
		list = append(list, r4.Object{
			{Name: "what", Value: r4.Object{{Name: "reference", Value: "Patient/" + p}}}, {Name: "type", Value: person}, {Name: "role", Value: objectRole("1", "Patient")},
		})
	}
	for _, o := range x.objects() {
		e := r4.Object{
			{Name: "what", Value: r4.Object{{Name: "reference", Value: o.reference}}}, {Name: "type", Value: systemObject},
			{Name: "role", Value: objectRole("4", "Domain Resource")},
		}
		life := lifecycles[o.verb]
		if o.verb == "put" && strings.HasSuffix(o.reference, "/_history/1") {
			life = lifecycle("1", "Origination / Creation")
		}
		e.Add("lifecycle", life)
		if o.verb == "unseen" {
			e.Add("description", "not there, or not visible to who asked")
		}
		list = append(list, e)
	}
	if q := w.asked(x); q != nil {
		list = append(list, q)
	}
	if x.request != "" {
		list = append(list, r4.Object{
			{Name: "what", Value: r4.Object{{Name: "identifier", Value: r4.Object{{Name: "value", Value: x.request}}}}},
			{Name: "type", Value: coding("https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType", "XrequestId", "")},
		})
	}
	return list
}

// asked is the search, or what else the act was about. A search is kept as
// understood, without names and numbers of papers (fhir/rest), its parameters apart by blanks.
func (w renderer) asked(x *row) r4.Object {
	if x.action == "fhir.search" {
		if x.entity+x.detail == "" {
			return nil
		}
		text := x.entity + "?" + x.detail
		return r4.Object{
			{Name: "type", Value: systemObject}, {Name: "role", Value: objectRole("24", "Query")}, {Name: "description", Value: text},
			{Name: "query", Value: base64.StdEncoding.EncodeToString([]byte(text))},
		}
	}
	if x.entity+x.detail == "" {
		return nil
	}
	return r4.Object{
		{Name: "type", Value: coding("http://terminology.hl7.org/CodeSystem/audit-entity-type", "4", "Other")}, {Name: "role", Value: objectRole("20", "Job")},
		{Name: "name", Value: x.entity}, {Name: "description", Value: x.detail},
	}
}
