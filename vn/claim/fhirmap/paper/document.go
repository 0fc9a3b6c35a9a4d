package paper

import (
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// kind is what sort of paper it is.
func (p *paper) kind() r4.Object {
	return r4.Object{{Name: "coding", Value: []r4.Object{element.Coding(TypeSystem, code(p.table), p.title)}}, {Name: "text", Value: p.title}}
}

// facility is the facility that gave the paper.
func (p *paper) facility() r4.Object {
	return element.Logical("Organization", element.MACSKCB, p.Facility)
}

// author is the practitioner who wrote it, else the facility.
func (p *paper) author() r4.Object {
	licence := p.first("MA_BS", "MA_BAC_SI", "MA_TTDV")
	if licence == "" {
		return p.facility()
	}
	o := element.Logical("Practitioner", element.CCHN, licence)
	if licence == p.get("MA_BS") {
		o.Add("display", p.get("TEN_BS"))
	}
	return o
}

// composition is the paper as a document. What it says stands in the response that it has as entry.
func (p *paper) composition() element.Resource {
	r, o := p.resource("Composition")
	if ids := p.numbers(); len(ids) > 0 {
		o.Add("identifier", ids[0])
	}
	o.Add("status", "final")
	o.Add("type", p.kind())
	o.Add("subject", element.Ref("Patient", p.Patient))
	o.Add("encounter", element.Ref("Encounter", p.Encounter))
	if p.written != "" {
		o.Add("date", p.written)
	} else {
		o.Add("_date", unknown)
	}
	o.Add("author", []r4.Object{p.author()})
	o.Add("title", p.title)
	if secret(p.row) {
		o.Add("confidentiality", "R")
	}
	if head := p.get("MA_TTDV"); head != "" {
		o.Add("attester", []r4.Object{{{Name: "mode", Value: "legal"}, {Name: "party", Value: element.Logical("Practitioner", element.CCHN, head)}}})
	}
	o.Add("custodian", p.facility())
	o.Add("section", []r4.Object{{
		{Name: "title", Value: p.title}, {Name: "code", Value: p.kind()},
		{Name: "entry", Value: []r4.Object{element.Ref("QuestionnaireResponse", p.id("QuestionnaireResponse"))}},
	}})
	r.Body = o.JSON()
	return r
}

// unknown is a primitive that must be there and is not known (FHIR R4 extension-data-absent-reason.html).
var unknown = r4.Object{{Name: "extension", Value: []r4.Object{{
	{Name: "url", Value: "http://hl7.org/fhir/StructureDefinition/data-absent-reason"}, {Name: "valueCode", Value: "unknown"},
}}}}

// reference is how the paper is found.
func (p *paper) reference() element.Resource {
	r, o := p.resource("DocumentReference")
	ids := p.numbers()
	if len(ids) > 0 {
		o.Add("masterIdentifier", ids[0])
		o.Add("identifier", ids)
	}
	o.Add("status", "current")
	o.Add("docStatus", "final")
	o.Add("type", p.kind())
	o.Add("subject", element.Ref("Patient", p.Patient))
	if !p.at.IsZero() {
		o.Add("date", p.at.Format("2006-01-02T15:04:05+07:00"))
	}
	o.Add("author", []r4.Object{p.author()})
	o.Add("custodian", p.facility())
	o.Add("description", p.title)
	if secret(p.row) {
		o.Add("securityLabel", []r4.Object{{{Name: "coding", Value: hivLabels}}})
	}
	document := "Composition/" + p.id("Composition")
	o.Add("content", []r4.Object{{{Name: "attachment", Value: r4.Object{
		{Name: "contentType", Value: "application/fhir+json"}, {Name: "language", Value: "vi"},
		{Name: "url", Value: document}, {Name: "title", Value: p.title}, {Name: "creation", Value: p.written},
	}}}})
	o.Add("context", r4.Object{
		{Name: "encounter", Value: []r4.Object{element.Ref("Encounter", p.Encounter)}},
		{Name: "period", Value: p.period()},
		{Name: "related", Value: []r4.Object{{{Name: "reference", Value: document}}}},
	})
	r.Body = o.JSON()
	return r
}
