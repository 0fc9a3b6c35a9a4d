package book

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
	"github.com/ytso/ytso/vn/claim/fhirmap/paper"
)

// sheet is a paper in a list.
type sheet struct {
	ID       string
	Form     string // xml7, xml14, …: code of its form
	Title    string // in Vietnamese, as its form is called
	Number   string // that it carries, "" when none
	On       moment
	Visit    string
	Facility string
	Place    string
}

func sheetOf(c r4.Node) sheet {
	return sheet{
		ID: c.Get("id").Text(), Form: element.Code(c.Get("type"), paper.TypeSystem), Title: cmp.Or(c.Get("title").Text(), dig(c, "type", "text").Text()),
		Number: dig(c, "identifier", "value").Text(), On: moment(c.Get("date").Text()), Visit: idOf(c.Get("encounter"), "Encounter"),
		Facility: dig(c, "custodian", "identifier", "value").Text(),
	}
}

// sheetsOf lists papers, the newest first.
func sheetsOf(compositions []r4.Node) []sheet {
	list := make([]sheet, 0, len(compositions))
	for _, c := range compositions {
		list = append(list, sheetOf(c))
	}
	slices.SortStableFunc(list, func(a, b sheet) int {
		return cmp.Or(b.On.time().Compare(a.On.time()), strings.Compare(a.Title, b.Title), strings.Compare(a.ID, b.ID))
	})
	return list
}

// responseOf is the id of the QuestionnaireResponse that holds what a paper says.
func responseOf(composition r4.Node) string {
	for s := range composition.Get("section").Elems() {
		for e := range s.Get("entry").Elems() {
			if id := idOf(e, "QuestionnaireResponse"); id != "" {
				return id
			}
		}
	}
	return ""
}

// openPaper is one paper with every field.
type openPaper struct {
	Sheet  sheet
	Person person // whose book it is: some forms hold no name
	Fields []paper.Field
}
