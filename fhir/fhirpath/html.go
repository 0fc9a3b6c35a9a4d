package fhirpath

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// allowed are the elements that a narrative may hold (FHIR R4 narrative.html, txt-1).
var allowed = words(`a abbr acronym b big blockquote br caption cite code col colgroup dd dfn div dl dt em h1 h2 h3 h4 h5 h6 hr i img li ol p pre q samp
	small span strong sub sup table tbody td tfoot th thead tr tt ul var`)

// attributes that any element may have, and those of single elements.
var attributes = words(`title style class id lang xml:lang dir accesskey tabindex span width align valign char charoff
	abbr axis headers scope rowspan colspan cellpadding cellspacing border frame rules summary cite name href rel rev charset hreflang type shape coords
	src alt longdesc height usemap ismap start value compact datetime`)

func words(s string) map[string]bool {
	out := map[string]bool{}
	for w := range strings.FieldsSeq(s) {
		out[w] = true
	}
	return out
}

const xhtml = "http://www.w3.org/1999/xhtml"

// htmlChecks says whether a narrative holds nothing but what txt-1 allows, and something at all (txt-2).
func htmlChecks(r *run, c *call, _, in []Item) []Item {
	i, ok := r.single(in, c.at)
	if !ok {
		return nil
	}
	s, isText := i.value().(string)
	if !isText || !r.tick(1+len(s)/8) {
		return boolean(false)
	}
	return boolean(narrative(s))
}

func narrative(s string) bool {
	d := xml.NewDecoder(strings.NewReader(s))
	d.Entity = xml.HTMLEntity
	depth, filled, roots := 0, false, 0
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return filled && depth == 0 && roots == 1
		}
		if err != nil {
			return false
		}
		switch t := t.(type) {
		case xml.StartElement:
			if depth == 0 {
				if roots++; t.Name.Local != "div" || roots > 1 {
					return false
				}
			}
			if depth++; depth > 200 || t.Name.Space != xhtml || !element(t) {
				return false
			}
			filled = filled || t.Name.Local == "img"
		case xml.EndElement:
			depth--
		case xml.CharData:
			if text := strings.TrimSpace(string(t)); text != "" {
				if depth == 0 {
					return false
				}
				filled = true
			}
		case xml.ProcInst, xml.Directive:
			return false
		}
	}
}

func element(t xml.StartElement) bool {
	if !allowed[t.Name.Local] {
		return false
	}
	for _, a := range t.Attr {
		name := a.Name.Local
		if a.Name.Space == "http://www.w3.org/XML/1998/namespace" || a.Name.Space == "xml" {
			name = "xml:" + name
		}
		script := strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Value)), "javascript:")
		if name != "xmlns" && a.Name.Space != "xmlns" && !attributes[name] || script {
			return false
		}
	}
	return true
}
