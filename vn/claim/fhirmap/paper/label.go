package paper

import (
	"bytes"
	_ "embed"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/vn/claim"
)

// labelTable names the fields for the people who read a paper. A line without a
// table holds for all of them; one with a table goes before it.
//
//go:embed labels.csv
var labelTable []byte

var labels = sync.OnceValue(func() map[string]string {
	lines, err := csv.NewReader(bytes.NewReader(labelTable)).ReadAll()
	if err != nil {
		panic(fmt.Sprintf("paper: labels.csv: %v", err)) // part of the program
	}
	out := make(map[string]string, len(lines))
	for _, l := range lines[1:] {
		out[l[0]+"."+l[1]] = l[2]
	}
	return out
})

func labelVI(table, field string) string {
	if l := labels()[table+"."+field]; l != "" {
		return l
	}
	return labels()["."+field]
}

// Field is a line of a paper as people read it.
type Field struct {
	Name             string // of the law, for example "CHAN_DOAN_RV"; "+…" is an element of no form
	LabelVI, LabelEN string
	Text             string // dates as 10/03/2026, codes by their names
	Order            int    // on the form
}

// Fields lists what a paper says, in the order of its form; elements of no form
// stand last. It is empty for a resource that is no paper.
func Fields(response r4.Node) (out []Field) {
	n := tableOf(response)
	if n == 0 {
		return nil
	}
	t := &claim.Tables[n]
	for i := range response.Get("item").Elems() {
		link := i.Get("linkId").Text()
		if f := t.Field(link); f != nil {
			out = append(out, Field{f.Name, labelVI(t.Name, f.Name), f.MeaningEN, readable(f, i), f.Order})
			continue
		}
		var texts []string
		for a := range i.Get("answer").Elems() {
			texts = append(texts, a.Get("valueString").Text())
		}
		name := strings.TrimPrefix(link, "+")
		out = append(out, Field{link, "Ngoài biểu mẫu: " + name, "Beside the form: " + name, strings.Join(texts, "; "), len(t.Fields) + 100 + len(out)})
	}
	slices.SortStableFunc(out, func(a, b Field) int { return a.Order - b.Order })
	return out
}

// readable is the text of a field for people: a code by its name, a date as Vietnamese write it.
func readable(f *claim.Field, item r4.Node) string {
	var out []string
	for a := range item.Get("answer").Elems() {
		if d := a.Get("valueCoding").Get("display").Text(); d != "" {
			out = append(out, d)
			continue
		}
		out = append(out, day(f.Type, textOfAnswer(f, a)))
	}
	return strings.Join(out, "; ")
}

// day writes a date of the claim as 10/03/2026, 08:15 10/03/2026, 03/2026 or 2026; other text stays.
func day(typ claim.Type, text string) string {
	const toDay, toMinute = "02/01/2006", "15:04 02/01/2006"
	switch typ {
	case claim.TDate8, claim.TDate8List, claim.TDate12, claim.TDate12List, claim.TDate8Or12:
		if t, ok := claim.Date12(text).Time(); ok {
			return t.Format(toMinute)
		}
		if t, ok := claim.Date8(text).Time(); ok {
			return t.Format(toDay)
		}
	case claim.TBirthDate12:
		switch t, known := claim.BirthDate12(text).Time(); known {
		case claim.ToYear:
			return t.Format("2006")
		case claim.ToMonth:
			return t.Format("01/2006")
		case claim.ToDay:
			return t.Format(toDay)
		case claim.ToMinute:
			return t.Format(toMinute)
		}
	}
	return text
}
