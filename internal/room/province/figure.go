package province

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// figure is a number by its definition: the resources of a type that a FHIR search finds.
type figure struct {
	typ   string
	where url.Values
}

// Parameters that a figure may use, and so a list may be asked with. Others are
// refused: this page is for counting, not for looking somebody up.
var (
	visitParams  = []string{"date", keyStatus, keyPlace, keyPlace0, keyType, keyType0}
	personParams = []string{keyTag}
)

const (
	keyStatus = "status:not"
	keyPlace  = "service-provider:identifier"
	keyPlace0 = "service-provider:missing"
	keyType   = "type"
	keyType0  = "type:missing"
	keyTag    = "_tag"
)

// notVisits are the states of an Encounter that is no visit: a plan, called off, or a slip (FHIR R4 valueset-encounter-status.html).
const notVisits = "planned,cancelled,entered-in-error"

// visitsIn counts the visits that began in a period. A visit is in one month
// only: date=sa… asks that it starts after the day before, date=lt… that it
// starts before the day behind (FHIR R4 search.html#prefix). ge and le would
// count a stay over the turn of the month twice.
func visitsIn(p period) figure {
	return figure{"Encounter", url.Values{
		"date":    {"sa" + p.from.AddDate(0, 0, -1).Format(time.DateOnly), "lt" + p.end.Format(time.DateOnly)},
		keyStatus: {notVisits},
	}}
}

// books counts the persons who have a health book: golden Patients (DESIGN.md decision 9).
func books() figure { return figure{"Patient", url.Values{keyTag: {"urn:ytso:tag|golden"}}} }

// with narrows a figure.
func (f figure) with(key, value string) figure {
	where := url.Values{}
	for k, v := range f.where {
		where[k] = v
	}
	where[key] = []string{value}
	return figure{f.typ, where}
}

// at narrows it to a facility; "" changes nothing.
func (f figure) at(facility string) figure {
	if facility == "" {
		return f
	}
	return f.with(keyPlace, element.MACSKCB+"|"+escape(facility))
}

// query is the search: counted for the number, paged for the list.
func (f figure) query() (param.Query, error) { return param.Parse(f.typ, f.where) }

func (f figure) count(ctx context.Context, r store.Reader) (int, error) {
	q, err := f.query()
	if err != nil {
		return 0, err
	}
	q.Summary = "count"
	page, err := r.Search(ctx, q)
	if err != nil {
		return 0, err
	}
	return page.Total, nil
}

// href is the address of the rows.
func (f figure) href() string {
	if f.typ == "Patient" {
		return pathPersons + "?" + f.where.Encode()
	}
	return pathVisits + "?" + f.where.Encode()
}

// text is the search as a person reads it.
func (f figure) text() string {
	var list []string
	for k, v := range f.where {
		for _, s := range v {
			list = append(list, k+"="+s)
		}
	}
	slices.Sort(list)
	return f.typ + "?" + strings.Join(list, "&")
}

var errParam = outcome.New(outcome.NotSupported, "province.param",
	"Danh sách này không nhận điều kiện tìm kiếm ấy. Hãy mở danh sách từ một con số trên trang Điều hành.",
	"This list does not take that condition. Open the list from a number on the province page.")

// figureOf reads the address of a list back. What is not a condition of a figure is refused.
func figureOf(typ string, allowed []string, v url.Values) (figure, error) {
	f := figure{typ, url.Values{}}
	for k, list := range v {
		if k == "_cursor" {
			continue
		}
		if !slices.Contains(allowed, k) {
			return f, errParam
		}
		f.where[k] = list
	}
	if len(f.where) == 0 {
		return f, errParam
	}
	return f, nil
}

// escape writes a value so that a search takes it as it is (FHIR R4 search.html#escaping).
func escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, `,`, `\,`, `|`, `\|`, `$`, `\$`).Replace(s)
}
