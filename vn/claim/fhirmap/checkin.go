package fhirmap

import (
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/vn/claim"
)

// ErrNoKey says that a check-in has no MA_LK, so that nothing could ever meet it.
var ErrNoKey = outcome.New(outcome.Required, "fhirmap.no-ma-lk",
	"Thông tin vào khám không có mã lượt khám (MA_LK).", "The check-in carries no key of its visit (MA_LK).")

// CheckIn turns a row of XML0 into a visit that has begun: the person, their
// cards and an Encounter in progress. The claim of the same facility and MA_LK
// has the same Encounter, so it takes its place. What the row says about the
// first cost is not mapped: the claim brings it with its amount.
func (m *Mapper) CheckIn(row *claim.XML0, src Source) (v *Visit, err error) {
	defer outcome.Wrap(&err, "fhirmap.CheckIn")
	x := &claim.XML1{}
	for i, f := range x.Table().Fields {
		x.Set(i, claim.ByName(row, f.Name)) // XML0 names what it shares with XML1 alike
	}
	if blank(&x.MA_LK) {
		return nil, ErrNoKey
	}
	w := m.writer(x, src, clean(x.MA_LK))
	w.coverages()
	w.encounterOf("in-progress")
	w.provenance(src)
	return &w.Visit, nil
}
