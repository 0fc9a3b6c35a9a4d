package exchange

import (
	"context"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
)

var (
	errLevel = outcome.New(outcome.NotSupported, "exchange.level",
		"Tham số patient chỉ dùng được với POST ở mức Patient hoặc Group.", "The parameter patient belongs to a POST at the level of Patient or Group.")
	errGroup = outcome.New(outcome.NotSupported, "exchange.group",
		"Chỉ xuất được nhóm liệt kê rõ từng người bệnh (actual = true, member.entity là Patient).",
		"Only a group that names its patients can be exported (actual = true, member.entity is a Patient).")
	errNotMember = outcome.New(outcome.NotFound, "exchange.not-member",
		"Có người bệnh được nêu mà không thuộc nhóm hoặc không tồn tại.", "A patient that was named is not in the group, or not there.")
	errManyMembers = outcome.New(outcome.TooCostly, "exchange.many-members",
		"Quá nhiều người bệnh trong một lần xuất. Hãy chia nhóm.", "Too many patients for one export. Split the group.")
	errNoType = outcome.New(outcome.Forbidden, "exchange.no-type",
		"Mã truy cập này không được tìm loại tài nguyên đã nêu, hoặc loại đó không có ở mức xuất này.",
		"This token may not search a type that was named, or that type is not part of this level.")
)

type exportLevel struct {
	group    string
	persons  bool
	patients []string
}

// reach settles whose records are exported.
func (s *Service) reach(ctx context.Context, a store.Access, level exportLevel, spec *exportSpec) error {
	spec.Persons = level.persons
	var wanted []string
	for _, ref := range level.patients {
		id, ok := strings.CutPrefix(strings.TrimPrefix(ref, spec.Base+"/"), "Patient/")
		if !ok || id == "" || strings.Contains(id, "/") {
			return badParameter("patient", "phải là tham chiếu Patient/…", "must be a reference Patient/…")
		}
		wanted = append(wanted, id)
	}
	if level.group == "" && len(wanted) == 0 {
		return nil
	}
	return s.Store.View(ctx, a, func(r store.Reader) error {
		r.Audit(store.Note{Action: "exchange.export", Entity: level.group})
		members := wanted
		if level.group != "" {
			all, err := membersOf(ctx, r, level.group)
			if err != nil {
				return err
			}
			if len(wanted) == 0 {
				members = all
			}
			for _, id := range wanted {
				if !slices.Contains(all, id) {
					return errNotMember
				}
			}
		}
		for _, id := range wanted {
			if _, err := r.Read(ctx, store.Key{Type: "Patient", ID: id}); err != nil {
				return errNotMember.Because(err)
			}
		}
		if len(members) > maxMembers {
			return errManyMembers
		}
		slices.Sort(members)
		spec.Patients = append([]string{}, slices.Compact(members)...) // never nil: nil is everybody
		return nil
	})
}

// membersOf lists the patients of a group (FHIR R4 group.html).
func membersOf(ctx context.Context, r store.Reader, group string) (list []string, err error) {
	res, err := r.Read(ctx, store.Key{Type: "Group", ID: group})
	if err != nil {
		return nil, err
	}
	doc, err := r4.Parse(res.Body)
	if err != nil {
		return nil, err
	}
	if !doc.Root().Get("actual").Bool() {
		return nil, errGroup
	}
	for m := range doc.Root().Get("member").Elems() {
		if m.Get("inactive").Bool() {
			continue
		}
		id, ok := strings.CutPrefix(m.Get("entity").Get("reference").Text(), "Patient/")
		if !ok || strings.Contains(id, "/") {
			return nil, errGroup
		}
		list = append(list, id)
	}
	return list, nil
}
