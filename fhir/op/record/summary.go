package record

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/canon"
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/rest"
	"github.com/ytso/ytso/fhir/store"
)

// The profiles of the summary (IPS 2.0.1).
const (
	ipsBase        = "http://hl7.org/fhir/uv/ips/StructureDefinition/"
	ipsBundle      = ipsBase + "Bundle-uv-ips"
	ipsComposition = ipsBase + "Composition-uv-ips"
)

// summary is Patient/$summary: the International Patient Summary of a person,
// made from what the caller may see of the record at this moment and kept
// nowhere. What goes into which section is told at sections.
func (o *operations) summary(ctx context.Context, c *rest.Call) (*rest.Response, error) {
	if err := onlyThese(c.In, "identifier", "profile"); err != nil {
		return nil, err
	}
	if err := summaryProfile(c.In); err != nil {
		return nil, err
	}
	p, err := o.summaryOf(ctx, c)
	if err != nil {
		return nil, err
	}
	s := &summary{
		operations: o, ctx: ctx, reader: c.Reader, filter: c.Access.Filter, base: c.Base, person: p, now: o.Now(), id: o.NewID(),
		docs: map[store.Key]*r4.Doc{}, urls: map[store.Key]string{},
		names: map[string]string{},
	}
	body, err := s.bundle()
	if err != nil {
		return nil, err
	}
	return &rest.Response{Status: http.StatusOK, Resource: body}, nil
}

// summaryProfile takes the profile of the IPS only, of any 2.0 or without a version.
func summaryProfile(in rest.Parameters) error {
	given, err := single(in, "profile")
	if given == "" || err != nil {
		return err
	}
	u, version, _ := canon.Split(given)
	if (u == ipsComposition || u == ipsBundle) && (version == "" || version == "2.0.0" || version == "2.0.1" || version == "2.0") {
		return nil
	}
	return outcome.New(outcome.NotSupported, "record.summary-profile", "Chỉ lập được bản tóm tắt theo hồ sơ IPS 2.0 ("+ipsComposition+").",
		"Summaries are made to the profile of IPS 2.0 only ("+ipsComposition+").").At(parameterAt("profile"))
}

// summaryOf finds whose summary it is: by id, or by an identifier.
func (o *operations) summaryOf(ctx context.Context, c *rest.Call) (*person, error) {
	identifier, err := single(c.In, "identifier")
	if err != nil {
		return nil, err
	}
	if c.ID != "" {
		if identifier != "" {
			return nil, bad("identifier", "không dùng cùng với mã trong đường dẫn", "is not for a Patient that the address names already")
		}
		return findPerson(ctx, c.Reader, c.ID)
	}
	if identifier == "" {
		return nil, outcome.New(outcome.Required, "record.summary-patient", "Hãy ghi số định danh của người bệnh (identifier=hệ thống|số).",
			"Name the patient by an identifier (identifier=system|value).").At(parameterAt("identifier"))
	}
	if strings.HasSuffix(identifier, "|") || strings.Contains(identifier, ",") {
		return nil, bad("identifier", "phải là một số, có dạng hệthống|số", "must be one number, as system|value")
	}
	return o.byIdentifier(ctx, c, identifier)
}

// byIdentifier gives the one person who has an identifier: the golden Patient of
// the records that carry it if the caller may see that one, else the only record.
func (o *operations) byIdentifier(ctx context.Context, c *rest.Call, identifier string) (*person, error) {
	q, err := o.parse(c.Base, "Patient", url.Values{"identifier": {identifier}})
	if err != nil {
		return nil, err
	}
	page, err := c.Reader.Search(ctx, q)
	if err != nil {
		return nil, err
	}
	var found []*person
	for _, res := range page.Matches {
		p, err := personOf(res)
		if err != nil {
			return nil, err
		}
		if p.replacedBy() != "" {
			continue
		}
		golden, err := o.goldenOf(ctx, c, p.id)
		if err != nil {
			return nil, err
		}
		if golden != nil {
			p = golden
		}
		if !slices.ContainsFunc(found, func(x *person) bool { return x.id == p.id }) {
			found = append(found, p)
		}
	}
	switch {
	case len(found) == 0:
		return nil, outcome.New(outcome.NotFound, "record.summary-nobody", "Không tìm thấy người bệnh có số này.", "No patient with this identifier was found.")
	case len(found) > 1 || page.Next != "":
		return nil, outcome.New(outcome.MultipleMatch, "record.summary-several", "Có nhiều hồ sơ mang số này; hãy chọn hồ sơ theo mã.", "Several records carry this identifier; choose one by its id.")
	}
	return found[0], nil
}

// summary is one being made.
type summary struct {
	*operations
	ctx    context.Context
	reader store.Reader
	filter store.Filter
	base   string
	person *person
	now    time.Time
	id     string // of the Bundle

	docs     map[store.Key]*r4.Doc // read as referred to; nil: not there for the caller
	urls     map[store.Key]string  // of what is in the Bundle
	entries  []*item               // in order
	problems *conditions
	names    map[string]string // of codes ("system|code") that some Condition has a text for
}

// item is a resource in the summary.
type item struct {
	key   store.Key
	doc   *r4.Doc
	about *section // whose columns are its narrative; nil: its name is enough
}

// madeSection is a section with what was found for it.
type madeSection struct {
	*section
	items    []*item
	withheld bool // the caller may not see any of its types
}
