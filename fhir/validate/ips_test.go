package validate

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ytso/ytso/fhir/canon"
	"github.com/ytso/ytso/fhir/ips"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/term"
)

// ipsFiles are the official examples of the International Patient Summary, by file name.
func ipsFiles(t testing.TB) map[string][]byte {
	conformance(t, "ips", "LICENSE.txt")
	dir := os.Getenv("YTSO_CONFORMANCE")
	if dir == "" {
		dir = "../../../shared/conformance"
	}
	list, err := os.ReadDir(filepath.Join(dir, "ips", "examples"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, f := range list {
		out[f.Name()] = conformance(t, "ips", "examples", f.Name())
	}
	if len(out) != 44 {
		t.Fatalf("%d examples, want 44", len(out))
	}
	return out
}

func overIPS() *Validator {
	s := append(canon.Sources{ips.New()}, official()...)
	return New(s, term.New(s))
}

// TestIPS: every example is right; the Bundles by the profile of the summary as well.
func TestIPS(t *testing.T) {
	v := overIPS()
	for name, b := range ipsFiles(t) {
		d, err := r4.Parse(b)
		if err != nil {
			t.Fatal(name, err)
		}
		o := Options{}
		if d.Type() == "Bundle" {
			o.Profiles = []string{ips.Bundle}
		}
		issues, err := v.Check(t.Context(), d, o)
		if err != nil {
			t.Fatal(name, err)
		}
		for _, i := range issues {
			if i.Severity == Error {
				t.Errorf("%s: %s %s: %s", name, i.Expression, i.Key, i.EN)
			}
		}
	}
}

// object is JSON that is spoilt.
type object = map[string]any

// entryOf finds the first resource of a type in a Bundle.
func entryOf(b object, typ string) object {
	for _, e := range b["entry"].([]any) {
		if r := e.(object)["resource"].(object); r["resourceType"] == typ {
			return r
		}
	}
	return nil
}

// section finds a section of the Composition by its code.
func section(b object, code string) object {
	list, _ := entryOf(b, "Composition")["section"].([]any)
	for _, s := range list {
		text, _ := json.Marshal(s.(object)["code"])
		if strings.Contains(string(text), `"`+code+`"`) {
			return s.(object)
		}
	}
	return nil
}

// spoil are ways to break a summary; false: the Bundle has nothing to break that way.
var spoil = map[string]func(b object) bool{
	"no problems":      func(b object) bool { return dropSection(b, "11450-4") },
	"no allergies":     func(b object) bool { return dropSection(b, "48765-2") },
	"no medications":   func(b object) bool { return dropSection(b, "10160-0") },
	"no subject":       func(b object) bool { delete(entryOf(b, "Composition"), "subject"); return true },
	"no identifier":    func(b object) bool { delete(b, "identifier"); return true },
	"no timestamp":     func(b object) bool { delete(b, "timestamp"); return true },
	"no author":        func(b object) bool { delete(entryOf(b, "Composition"), "author"); return true },
	"no patient":       func(b object) bool { return dropEntry(b, "Patient") },
	"no composition":   func(b object) bool { return dropEntry(b, "Composition") },
	"another type":     func(b object) bool { b["type"] = "collection"; return true },
	"another code":     func(b object) bool { coding(entryOf(b, "Composition")["type"])["code"] = "11503-0"; return true },
	"patient nameless": func(b object) bool { delete(entryOf(b, "Patient"), "name"); return true },
	"no birth date":    func(b object) bool { delete(entryOf(b, "Patient"), "birthDate"); return true },
	"no section text":  func(b object) bool { delete(section(b, "11450-4"), "text"); return true },
	"no section title": func(b object) bool { delete(section(b, "48765-2"), "title"); return true },
	"another problem":  func(b object) bool { return swapEntry(b, "11450-4", "Condition", "Observation") },
	"an empty section": func(b object) bool {
		s := section(b, "10160-0")
		delete(s, "entry")
		delete(s, "emptyReason")
		return true
	},
	"both and neither": func(b object) bool {
		s := section(b, "10160-0")
		s["emptyReason"] = object{"text": "x"}
		return s["entry"] != nil
	},
	"lost entry":        func(b object) bool { return lose(b) },
	"entry unreachable": func(b object) bool { delete(b["entry"].([]any)[1].(object), "fullUrl"); return true },
}

func coding(c any) object { return c.(object)["coding"].([]any)[0].(object) }

func dropSection(b object, code string) bool {
	c := entryOf(b, "Composition")
	list := c["section"].([]any)
	n := len(list)
	gone := section(b, code)
	c["section"] = slices.DeleteFunc(list, func(s any) bool { return gone != nil && s.(object)["title"] == gone["title"] })
	return len(c["section"].([]any)) < n
}

func dropEntry(b object, typ string) bool {
	list := b["entry"].([]any)
	n := len(list)
	b["entry"] = slices.DeleteFunc(list, func(e any) bool { return e.(object)["resource"].(object)["resourceType"] == typ })
	return len(b["entry"].([]any)) < n
}

// swapEntry makes a section point at a resource of another type.
func swapEntry(b object, code, from, to string) bool {
	s := section(b, code)
	entries, _ := s["entry"].([]any)
	if len(entries) == 0 || entryOf(b, from) == nil {
		return false
	}
	for _, e := range b["entry"].([]any) {
		if e.(object)["resource"].(object)["resourceType"] == to {
			entries[0].(object)["reference"] = e.(object)["fullUrl"]
			return true
		}
	}
	return false
}

// lose makes a section point at nothing.
func lose(b object) bool {
	for _, s := range entryOf(b, "Composition")["section"].([]any) {
		if entries, _ := s.(object)["entry"].([]any); len(entries) > 0 {
			entries[0].(object)["reference"] = "urn:uuid:00000000-0000-4000-8000-000000000000"
			return true
		}
	}
	return false
}

// TestIPSMutations: every way to break a summary is found.
func TestIPSMutations(t *testing.T) {
	v, n := overIPS(), 0
	for name, b := range ipsFiles(t) {
		if !strings.HasPrefix(name, "Bundle-") {
			continue
		}
		for what, f := range spoil {
			var o object
			dec := json.NewDecoder(bytes.NewReader(b))
			dec.UseNumber()
			if err := dec.Decode(&o); err != nil {
				t.Fatal(err)
			}
			if !f(o) {
				continue
			}
			n++
			src, err := json.Marshal(o)
			if err != nil {
				t.Fatal(err)
			}
			d, err := r4.Parse(src)
			if err != nil {
				t.Fatal(what, err)
			}
			issues, err := v.Check(t.Context(), d, Options{Profiles: []string{ips.Bundle}})
			if err != nil {
				t.Fatal(err)
			}
			if !Failed(issues) {
				t.Errorf("%s: not found: %s", name, what)
			}
		}
	}
	if n < 80 {
		t.Errorf("only %d mutations", n)
	}
	t.Logf("%d mutations found", n)
}
