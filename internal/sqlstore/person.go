package sqlstore

import (
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
)

// Tags of golden Patients (DESIGN.md decision 9).
const (
	tagSystem   = "urn:ytso:tag"
	tagGolden   = "golden"
	tagReplaced = "golden-replaced"
)

// links are the entries of a golden Patient in the table person: who took its
// place, else the records it names. They count only while it is nobody's: the
// links that a facility writes into its own record open no other.
func (h hasher) links(k store.Key, d *r4.Doc) (out []entry) {
	if k.Type != "Patient" || !golden(d) {
		return nil
	}
	g := h.target(k.Type, k.ID)
	for l := range d.Root().Get("link").Elems() {
		id, ok := strings.CutPrefix(l.Get("other").Get("reference").Text(), "Patient/")
		if !ok || id == "" || strings.Contains(id, "/") {
			continue // another server's record, or a version
		}
		e := entry{t: person, a: h.target("Patient", id), b: sourceLink, c: g}
		if l.Get("type").Text() == "replaced-by" {
			e.b = replacedLink
		}
		out = append(out, e)
	}
	if slices.ContainsFunc(out, func(e entry) bool { return e.b == replacedLink }) {
		out = slices.DeleteFunc(out, func(e entry) bool { return e.b == sourceLink })
	}
	slices.SortFunc(out, compareEntries)
	return slices.Compact(out)
}

func golden(d *r4.Doc) bool {
	for t := range d.Root().Get("meta").Get("tag").Elems() {
		if code := t.Get("code").Text(); t.Get("system").Text() == tagSystem && (code == tagGolden || code == tagReplaced) {
			return true
		}
	}
	return false
}
