package book

import (
	"context"
	_ "embed"
	"encoding/csv"
	"strings"
	"sync"

	"github.com/ytso/ytso/internal/platform/i18n"
)

// A claim has words for the main diagnosis only; the accompanying ones are bare
// codes (QĐ 3176 bảng XML1, MA_BENH_KT). diseases.csv gives everyday names to
// the categories of ICD-10 (WHO, 2019) that people live with; a code that is
// not in it is shown as a code.
//
//go:embed diseases.csv
var diseasesCSV string

var diseases = sync.OnceValue(func() map[string]kind {
	rows, err := csv.NewReader(strings.NewReader(diseasesCSV)).ReadAll()
	if err != nil {
		panic(err) // the table is embedded, and a test reads it
	}
	m := make(map[string]kind, len(rows))
	for _, r := range rows[1:] {
		m[r[0]] = kind{r[0], r[1], r[2]}
	}
	return m
})

// everyday is the name of a code's category, zero when the table has none.
func everyday(code string) kind {
	if len(code) < 3 {
		return kind{}
	}
	return diseases()[strings.ToUpper(code[:3])]
}

// called gives the name of a diagnosis: the facility's words, else the everyday name of its category, else its code.
func called(ctx context.Context, text, code string) string {
	if text != code || code == "" {
		return text
	}
	if d := everyday(code); d.VI != "" {
		return i18n.Pick(ctx, d.VI, d.EN)
	}
	return t(ctx, "code", "code", code)
}
