package term

import (
	"context"
	_ "embed"

	"github.com/ytso/ytso/fhir/canon"
	"github.com/ytso/ytso/fhir/r4"
)

// tables are the code systems, value sets and concept maps of hl7.fhir.r4.core
// 4.0.1 (CC0-1.0), packed by tools/canongen: codes, displays, designations,
// hierarchies and rules without prose. Three large copies of other bodies' lists are
// not in it (tools/canongen says which).
//
//go:embed tables.zst
var tables []byte

// Official gives the terminology of R4 itself; nothing is unpacked before the first Find.
func Official() *Tables { return &Tables{canon.NewTable(tables)} }

// Tables are the terminology of R4. They are Dated: since its publication nothing of 4.0.1 has changed.
type Tables struct{ *canon.Table }

// published is the day of FHIR 4.0.1 (R4 index.html).
const published = "2019-11-01"

// FindOn is described at Dated.
func (t *Tables) FindOn(ctx context.Context, typ, url, day string) (*r4.Doc, error) {
	if day < published {
		return nil, nil
	}
	return t.Find(ctx, typ, url, "")
}
