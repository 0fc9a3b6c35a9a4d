package httpx

import (
	"encoding/xml"
	"net/http"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/internal/platform/i18n"
)

// Shapes of FHIR R4 operationoutcome.html.
type (
	operationOutcome struct {
		ResourceType string  `json:"resourceType"`
		ID           string  `json:"id"` // the reference
		Issue        []issue `json:"issue"`
	}
	issue struct {
		Severity   string   `json:"severity"`
		Code       string   `json:"code"`
		Details    sentence `json:"details"`
		Expression []string `json:"expression,omitempty"`
	}
	sentence struct {
		Text string `json:"text"`
	}
)

func writeOutcome(a *answer, r *http.Request, e *outcome.Error) {
	o := operationOutcome{ResourceType: "OperationOutcome", ID: RequestID(r.Context()), Issue: []issue{{
		Severity: severity(e.Kind), Code: code(e.Kind),
		Details: sentence{i18n.Pick(r.Context(), e.VI, e.EN)}, Expression: e.Expression,
	}}}
	a.Header().Add("Vary", "Accept")
	if wantsXML(r) {
		writeXML(a, a.statusOf(e), o)
		return
	}
	writeJSON(a, "application/fhir+json; charset=utf-8", a.statusOf(e), o)
}

// wantsXML says which of the two forms of FHIR the caller asks for: by _format,
// else by Accept, else JSON (FHIR R4 http.html#mime-type).
func wantsXML(r *http.Request) bool {
	if f := strings.ToLower(r.URL.Query().Get("_format")); f != "" {
		return strings.Contains(f, "xml")
	}
	isXML := func(t string) bool { return accepts(r, t) }
	return (isXML("application/fhir+xml") || isXML("application/xml") || isXML("text/xml")) &&
		!accepts(r, "application/fhir+json") && !accepts(r, "application/json") && !accepts(r, "text/html")
}

// value is a primitive of FHIR in XML (FHIR R4 xml.html).
type value struct {
	V string `xml:"value,attr"`
}

type xmlOutcome struct {
	XMLName xml.Name   `xml:"http://hl7.org/fhir OperationOutcome"`
	ID      value      `xml:"id"`
	Issue   []xmlIssue `xml:"issue"`
}

type xmlIssue struct {
	Severity   value   `xml:"severity"`
	Code       value   `xml:"code"`
	Text       value   `xml:"details>text"`
	Expression []value `xml:"expression"`
}

// writeXML writes what can't fail to encode.
func writeXML(a *answer, status int, o operationOutcome) {
	x := xmlOutcome{ID: value{o.ID}}
	for _, i := range o.Issue {
		one := xmlIssue{Severity: value{i.Severity}, Code: value{i.Code}, Text: value{i.Details.Text}}
		for _, e := range i.Expression {
			one.Expression = append(one.Expression, value{e})
		}
		x.Issue = append(x.Issue, one)
	}
	b, err := xml.Marshal(x)
	if err != nil {
		panic(err)
	}
	a.Header().Set("Content-Type", "application/fhir+xml; charset=utf-8")
	a.WriteHeader(status)
	_, _ = a.Write(append([]byte(xml.Header), b...)) // the caller has gone: nobody is left to tell
}
