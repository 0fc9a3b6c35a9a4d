package audit

import (
	"cmp"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
)

// Code systems and identifiers of an AuditEvent.
const (
	eventType   = "http://terminology.hl7.org/CodeSystem/audit-event-type"
	dicom       = "http://dicom.nema.org/resources/ontology/DCM"
	interaction = "http://hl7.org/fhir/restful-interaction"
	// ActionSystem has our own names of acts, such as "book.open".
	ActionSystem = "urn:ytso:audit-action"
	// AccountSystem identifies who acted: the account of a person, a machine or a token.
	AccountSystem = "urn:ytso:account"
	roleSystem    = "urn:ytso:role"
	rightPrefix   = "urn:ytso:right:"
)

// kind is what sort of event a row is.
type kind struct {
	system, code, display string // AuditEvent.type
	action                string // C, R, U, D, E
	rest                  string // code of the interaction, "" when it did not come through the FHIR API
	profile               string // of BALP, without "Patient"
}

// interactions are the acts of fhir/rest as FHIR calls them.
var interactions = map[string]struct{ code, action, profile string }{
	"read": {"read", "R", "Read"}, "vread": {"vread", "R", "Read"}, "history": {"history", "R", ""}, "search": {"search", "E", "Query"},
	"create": {"create", "C", "Create"}, "update": {"update", "U", "Update"}, "patch": {"patch", "U", "Update"}, "delete": {"delete", "D", ""},
	"operation": {"operation", "E", ""}, "transaction": {"transaction", "E", ""},
}

// begins gives acts of the rooms their type by the beginning of their name; the first that fits.
var begins = []struct{ prefix, code, display, action string }{
	{"signin.", "110114", "User Authentication", "E"},
	{"door.refused", "110113", "Security Alert", "E"},
	{"fhir.refused", "110113", "Security Alert", "E"},
	{"book.", "110110", "Patient Record", "R"},
	{"exchange.export", "110106", "Export", "R"},
	{"exchange.file", "110106", "Export", "R"},
	{"exchange.subscription.deliver", "110106", "Export", "R"},
	{"province.export", "110106", "Export", "R"},
	{"claims.original", "110106", "Export", "R"},
	{"claims.receive", "110107", "Import", "C"},
	{"exchange.import", "110107", "Import", "C"},
	{"import", "110107", "Import", "C"},
}

func kindOf(x *row) kind {
	name, isRest := strings.CutPrefix(x.action, "fhir.")
	if i, ok := interactions[name]; ok && isRest {
		k := kind{eventType, "rest", "RESTful Operation", i.action, i.code, i.profile}
		switch typ, id := addressed(x.entity); {
		case i.code == "search" && typ != "":
			k.rest = "search-type"
		case i.code == "history" && id != "":
			k.rest = "history-instance"
		case i.code == "history" && typ != "":
			k.rest = "history-type"
		}
		return k
	}
	for _, b := range begins {
		if strings.HasPrefix(x.action, b.prefix) {
			return kind{dicom, b.code, b.display, b.action, "", ""}
		}
	}
	return kind{dicom, "110100", "Application Activity", actionOf(x.actLines), "", ""}
}

// actionOf reads from the records that were touched what sort of act it was.
func actionOf(lines string) string {
	action := "E"
	for line := range strings.Lines(lines) {
		switch verb, rest, _ := strings.Cut(line, " "); verb {
		case "put":
			if strings.HasSuffix(strings.TrimSpace(rest), "/1") && action != "U" {
				action = "C"
			} else {
				action = "U"
			}
		case "delete":
			return "D"
		case "read", "include", "search":
			if action == "E" {
				action = "R"
			}
		}
	}
	return action
}

// addressed reads type and id from the address of a FHIR request.
func addressed(path string) (typ, id string) {
	part := strings.Split(path, "/")
	if !r4.IsResource(part[0]) {
		return "", ""
	}
	if len(part) > 1 && !strings.HasPrefix(part[1], "_") && !strings.HasPrefix(part[1], "$") {
		id = part[1]
	}
	return part[0], id
}

// outcomeOf is the code of AuditEvent.outcome: 4 what the caller did wrong, 8
// what was refused to them or could not be done now, 12 a fault of ours
// (http://terminology.hl7.org/CodeSystem/audit-event-outcome).
func outcomeOf(result string) (code string) {
	switch outcome.Kind(result) {
	case "ok":
		return "0"
	case outcome.Login, outcome.Forbidden, outcome.Throttled, outcome.Timeout, outcome.Transient:
		return "8"
	case outcome.Exception:
		return "12"
	}
	return "4"
}

// subtypes of an event: the interaction of FHIR, and our own name of the act.
func (k kind) subtypes(x *row) []r4.Object {
	own := coding(ActionSystem, cmp.Or(x.action, "store"), "")
	if k.rest == "" {
		return []r4.Object{own}
	}
	return []r4.Object{coding(interaction, k.rest, k.rest), own}
}

func coding(system, code, display string) r4.Object {
	return r4.Object{{Name: "system", Value: system}, {Name: "code", Value: code}, {Name: "display", Value: display}}
}

func concept(c r4.Object) r4.Object { return r4.Object{{Name: "coding", Value: []r4.Object{c}}} }

// userType says as what the user took part (BALP: information recipient of what is read, author of what is written).
func (k kind) userType(x *row) r4.Object {
	switch {
	case x.kind == string(store.System):
		return concept(coding(dicom, "110150", "Application"))
	case k.action == "C" || k.action == "U" || k.action == "D":
		return concept(coding("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "AUT", "author (originator)"))
	}
	return concept(coding("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP", "information recipient"))
}
