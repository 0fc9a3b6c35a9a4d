package audit

import (
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
)

// sight is what of the log somebody sees.
type sight struct {
	all      bool
	patients []string
	owners   []string
}

var errMayNot = outcome.New(outcome.Forbidden, "audit.forbidden",
	"Bạn không có quyền xem nhật ký truy cập.", "You may not see the audit log.")

// sightOf reads it from the compiled policy.
func sightOf(a store.Access, act store.Acts) (sight, error) {
	f := a.Filter
	if !f.May("AuditEvent", act) || !f.All && len(f.Patients)+len(f.Owners) == 0 {
		return sight{}, errMayNot
	}
	return sight{f.All, f.Patients, f.Owners}, nil
}

func (s sight) sees(x *row) bool {
	return s.all || x.facility != "" && slices.Contains(s.owners, x.facility) || meet(s.patients, x.persons())
}

// full says that nothing of a row that is seen is kept back: it is the viewer's own act, or of the own facility.
func (s sight) full(x *row) bool {
	return s.all || x.facility != "" && slices.Contains(s.owners, x.facility) || s.own(x)
}

func (s sight) own(x *row) bool {
	return x.kind == string(store.Citizen) && slices.Contains(s.patients, x.agent)
}

// shown is a row as the viewer sees it: of somebody else's look, what a citizen may know.
func (s sight) shown(x *row) *row {
	if s.full(x) && !s.own(x) {
		return x
	}
	y := *x
	mine := func(p string) bool { return slices.Contains(s.patients, p) }
	alone := !slices.ContainsFunc(x.patients, func(p string) bool { return !mine(p) })
	y.patients = slices.DeleteFunc(slices.Clone(x.patients), func(p string) bool { return !mine(p) })
	if !alone {
		y.actLines = "" // which of the records are the viewer's the row does not say
	}
	if s.own(x) {
		return &y
	}
	var seen strings.Builder
	for line := range strings.Lines(y.actLines) {
		if !strings.HasPrefix(line, "unseen ") { // a name that was tried and led nowhere may be anybody's
			seen.WriteString(line)
		}
	}
	y.actLines = seen.String()
	y.detail, y.entity, y.request, y.addresses = "", "", "", ""
	if !strings.HasPrefix(y.agent, "system/") { // a job of this server, no account
		y.agent = ""
	}
	return &y
}

func meet(a, b []string) bool {
	return slices.ContainsFunc(a, func(p string) bool { return slices.Contains(b, p) })
}
