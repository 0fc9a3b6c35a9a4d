package trust

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
)

// StorePersons expands a person over the links of golden Patients as the store has them now.
type StorePersons struct{ store store.Store }

// NewPersons reads links from st.
func NewPersons(st store.Store) StorePersons { return StorePersons{st} }

var errNoPerson = outcome.New(outcome.NotFound, "trust.no-person",
	"Không tìm thấy sổ sức khỏe của người này.", "This person's health book was not found.")

// maxMerges bounds how often one golden Patient may have been merged into the next.
const maxMerges = 16

// Expand is described at Persons. A golden Patient that was merged away is
// followed to the one that replaced it (link.type replaced-by, FHIR R4
// valueset-link-type.html). Links of source records are never followed: what a
// facility writes into its own record must not open another person's.
func (s StorePersons) Expand(ctx context.Context, golden string) (ids []string, err error) {
	defer outcome.Wrap(&err, "trust.Expand")
	access, err := System(JobLinks)
	if err != nil {
		return nil, err
	}
	err = s.store.View(ctx, access, func(r store.Reader) error {
		r.Audit(store.Note{Action: "person.expand", Patients: []string{golden}})
		ids, err = expand(ctx, r, golden)
		return err
	})
	if err != nil {
		return nil, err
	}
	return ids, nil
}

func expand(ctx context.Context, r store.Reader, golden string) ([]string, error) {
	ids := []string{golden}
	for range maxMerges {
		res, err := r.Read(ctx, store.Key{Type: "Patient", ID: golden})
		if err != nil {
			if k := outcome.KindOf(err); k == outcome.NotFound || k == outcome.Deleted {
				return nil, errNoPerson.Because(err)
			}
			return nil, err
		}
		if res.Owner != "" { // a facility's record is no person
			return nil, errNoPerson
		}
		next, links, err := linksOf(res.Body)
		if err != nil {
			return nil, err
		}
		if next == "" {
			for _, id := range links {
				if !slices.Contains(ids, id) {
					ids = append(ids, id)
				}
			}
			return ids, nil
		}
		if slices.Contains(ids, next) {
			break // a circle of merges is a fault of the data: show nothing
		}
		golden, ids = next, append(ids, next)
	}
	return nil, errNoPerson
}

// linksOf reads Patient.link: the replacing Patient, if any, and all others.
func linksOf(body []byte) (replacedBy string, links []string, err error) {
	var p struct {
		Link []struct {
			Other struct{ Reference string }
			Type  string
		}
	}
	if err := json.Unmarshal(body, &p); err != nil {
		return "", nil, err
	}
	for _, l := range p.Link {
		id, ok := strings.CutPrefix(l.Other.Reference, "Patient/")
		if !ok || id == "" || strings.Contains(id, "/") {
			continue // another server's record, or a version
		}
		if l.Type == "replaced-by" {
			replacedBy = id
			continue
		}
		links = append(links, id)
	}
	return replacedBy, links, nil
}
