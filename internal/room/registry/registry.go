// Package registry is the room of the registers that explain records: today
// the facilities, as Organizations found by their code (MA_CSKCB). The public
// register of licensed places (/tra-cuu) stands on the same resources.
//
// Law: Luật Khám bệnh, chữa bệnh 15/2023/QH15 điều 104 (levels of care); the
// code of a facility is that of QĐ 384/QĐ-BYT and the insurer.
package registry

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/room"
	"github.com/ytso/ytso/internal/trust"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// Deps is what the room needs of the house.
type Deps struct {
	Store store.Store
	IDs   element.Namespace // of the installation: the id of a facility is made of its code
}

// Registry keeps the registers.
type Registry struct{ d Deps }

// New makes the registry.
func New(d Deps) *Registry { return &Registry{d} }

// Room brings the room; its public page belongs to a later issue.
func (g *Registry) Room() room.Room { return room.Room{Name: "registry"} }

// Facility is a place of care.
type Facility struct {
	Code     string // MA_CSKCB
	Name     string
	Level    string // a Level, "" when not known
	Province string // name, "" when not known
}

// Levels of a Facility.
const (
	Province = "province" // hospital of the province
	District = "district" // hospital or medical centre of an area
	Station  = "station"  // station of a commune or ward
)

// Levels is the code system of Levels, with their names in Vietnamese.
const Levels = element.List + "loai-co-so"

var levelNames = map[string]string{
	Province: "Bệnh viện tuyến tỉnh", District: "Bệnh viện, trung tâm y tế khu vực", Station: "Trạm y tế",
}

var errFacility = outcome.New(outcome.Required, "registry.facility",
	"Cơ sở khám bệnh, chữa bệnh phải có mã và tên.", "A facility needs a code and a name.")

// Put writes facilities into the register, all or none. One that is there
// already is brought up to date; the same facts again change nothing.
// outcome.Required when code or name is blank, outcome.Value for an unknown level.
func (g *Registry) Put(ctx context.Context, list []Facility) (err error) {
	defer outcome.Wrap(&err, "registry.Put")
	access, err := trust.System(trust.JobImport)
	if err != nil {
		return err
	}
	var drafts []*store.Prepared
	for _, f := range list {
		d, err := g.organization(f)
		if err != nil {
			return err
		}
		p, err := g.d.Store.Prepare(d)
		if err != nil {
			return err
		}
		drafts = append(drafts, p)
	}
	return g.d.Store.Update(ctx, access, func(tx store.Tx) error {
		tx.Audit(store.Note{Action: "registry.put", Detail: fmt.Sprintf("%d facilities", len(drafts))})
		for _, p := range drafts {
			if _, err := tx.Put(ctx, p); err != nil {
				return err
			}
		}
		return nil
	})
}

// organization is the facility as FHIR (FHIR R4 organization.html). It has no
// owner: nobody's record, and everybody may see it.
func (g *Registry) organization(f Facility) (store.Draft, error) {
	code, name := element.Clean(f.Code), element.Clean(f.Name)
	if code == "" || name == "" {
		return store.Draft{}, errFacility
	}
	level, known := levelNames[f.Level]
	if !known && f.Level != "" {
		return store.Draft{}, outcome.New(outcome.Value, "registry.level",
			fmt.Sprintf("Không có loại cơ sở “%.40s”.", f.Level), fmt.Sprintf("There is no level of care %.40q.", f.Level))
	}
	key := store.Key{Type: "Organization", ID: g.ID(code)}
	o := r4.Object{
		{Name: "resourceType", Value: key.Type},
		{Name: "id", Value: key.ID},
		{Name: "identifier", Value: []r4.Object{{{Name: "system", Value: element.MACSKCB}, {Name: "value", Value: code}}}},
		{Name: "active", Value: true},
		{Name: "type", Value: []r4.Object{element.Concept(Levels, f.Level, level, level)}},
		{Name: "name", Value: name},
		{Name: "address", Value: []r4.Object{{{Name: "state", Value: element.Clean(f.Province)}}}},
	}
	return store.Draft{Key: key, Body: o.JSON()}, nil
}

// ID is the id of a facility's Organization: the same for the same code on one installation.
func (g *Registry) ID(code string) string { return g.d.IDs.ID("facility", element.Clean(code)) }

// chunk is how many codes one parameter asks for; param bounds them at 200.
const chunk = 150

// Names gives the names of facilities by code. A code that the register does
// not have is left out. The look-ups are part of the caller's own View.
func (g *Registry) Names(ctx context.Context, r store.Reader, codes ...string) (map[string]string, error) {
	names := make(map[string]string, len(codes))
	codes = slices.Compact(slices.Sorted(slices.Values(codes)))
	for some := range slices.Chunk(codes, chunk) {
		var asked []string
		for _, c := range some {
			if c != "" {
				asked = append(asked, element.MACSKCB+"|"+escape(c))
			}
		}
		if len(asked) == 0 {
			continue
		}
		list, err := search(ctx, r, url.Values{"identifier": {strings.Join(asked, ",")}})
		if err != nil {
			return nil, err
		}
		for _, f := range list {
			names[f.Code] = f.Name
		}
	}
	return names, nil
}

// Facilities lists the whole register in order of code.
func (g *Registry) Facilities(ctx context.Context, r store.Reader) ([]Facility, error) {
	list, err := search(ctx, r, url.Values{"identifier": {element.MACSKCB + "|"}})
	slices.SortFunc(list, func(a, b Facility) int { return strings.Compare(a.Code, b.Code) })
	return list, err
}

// search reads every page of a search for facilities.
func search(ctx context.Context, r store.Reader, v url.Values) (list []Facility, err error) {
	q, err := param.Parse("Organization", v)
	if err != nil {
		return nil, err
	}
	for q.Count = param.MaxCount; ; {
		page, err := r.Search(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, m := range page.Matches {
			f, err := facility(m.Body)
			if err != nil {
				return nil, err
			}
			list = append(list, f)
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return list, nil
		}
	}
}

// facility reads an Organization back.
func facility(body []byte) (f Facility, err error) {
	d, err := r4.Parse(body)
	if err != nil {
		return f, err
	}
	for id := range d.Root().Get("identifier").Elems() {
		if id.Get("system").Text() == element.MACSKCB {
			f.Code = id.Get("value").Text()
		}
	}
	f.Name = d.Root().Get("name").Text()
	for t := range d.Root().Get("type").Elems() {
		if c := element.Code(t, Levels); c != "" {
			f.Level = c
		}
	}
	for a := range d.Root().Get("address").Elems() {
		f.Province = a.Get("state").Text()
	}
	return f, nil
}

// escape writes a value so that a search takes it as it is (FHIR R4 search.html#escaping).
func escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, `,`, `\,`, `|`, `\|`, `$`, `\$`).Replace(s)
}
