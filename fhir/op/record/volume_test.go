package record_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ytso/ytso/fhir/r4"
)

// manyObservations fills a record with n Observations of 40 codes by 5 practitioners.
func manyObservations(t testing.TB, n int) *memory {
	m := newMemory()
	var b strings.Builder
	b.WriteString("owner 25001\n" + `{"resourceType":"Patient","id":"an","name":[{"text":"Nguyễn Văn An"}],"birthDate":"1985-05-12"}` + "\n")
	for i := range n {
		fmt.Fprintf(&b, `{"resourceType":"Observation","id":"o%05d","status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory"}]}],`+
			`"code":{"coding":[{"system":"urn:x","code":"c%d"}]},"subject":{"reference":"Patient/an"},"effectiveDateTime":"%s","performer":[{"reference":"Practitioner/p%d"}],"valueQuantity":{"value":%d}}`+"\n",
			i, i%40, time.Date(2020, 1, 1, i, 0, 0, 0, time.UTC).Format(time.RFC3339), i%5, i)
	}
	b.WriteString("owner \n")
	for i := range 5 {
		fmt.Fprintf(&b, `{"resourceType":"Practitioner","id":"p%d","name":[{"text":"Bác sĩ %d"}]}`+"\n", i, i)
	}
	m.fill(t, b.String())
	return m
}

// TestThousand: a record of a thousand Observations comes whole in one answer
// and whole in pages, and each resource is read about once.
func TestThousand(t *testing.T) {
	const n = 1000
	m := manyObservations(t, n)
	s := newServer(m)
	resp, err := call(t, s, accessOf("operator"), "GET Patient/an/$everything", "")
	if err != nil {
		t.Fatal(err)
	}
	if keys, next := entriesOf(t, resp.Resource); len(keys) != n+6 || next != "" {
		t.Errorf("%d entries, next %q", len(keys), next)
	}
	if m.reads > n+6 {
		t.Errorf("%d reads of %d resources", m.reads, n+6)
	}

	met, pages := map[string]int{}, 0
	for line := "GET Patient/an/$everything?_count=70"; line != ""; pages++ {
		if resp, err = call(t, s, accessOf("operator"), line, ""); err != nil {
			t.Fatal(err)
		}
		keys, next := entriesOf(t, resp.Resource)
		for _, k := range keys {
			met[k]++
		}
		if line = ""; next != "" {
			line = "GET " + next
		}
	}
	if len(met) != n+6 || pages < n/70 || pages > n/70+2 {
		t.Errorf("%d resources in %d pages", len(met), pages)
	}
	for k, times := range met {
		if times > 1 && !strings.Contains(k, "Practitioner") {
			t.Errorf("%s came %d times", k, times)
		}
	}
}

// TestLastOfThousand: the last two of each of 40 codes.
func TestLastOfThousand(t *testing.T) {
	s := newServer(manyObservations(t, 1000))
	resp, err := call(t, s, accessOf("operator"), "GET Observation/$lastn?patient=an&category=laboratory&max=2", "")
	if err != nil {
		t.Fatal(err)
	}
	keys, _ := entriesOf(t, resp.Resource)
	if len(keys) != 80 || !strings.HasSuffix(keys[0], "/o00999") || !strings.HasSuffix(keys[79], "/o00920") {
		t.Errorf("%d: %s … %s", len(keys), keys[0], keys[len(keys)-1])
	}
}

// TestSummaryOfThousand: one result for each code.
func TestSummaryOfThousand(t *testing.T) {
	s := newServer(manyObservations(t, 1000))
	resp, err := call(t, s, accessOf("operator"), "GET Patient/an/$summary", "")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := r4.Parse(resp.Resource)
	if err != nil {
		t.Fatal(err)
	}
	results := 0
	for e := range doc.Root().Get("entry").Elems() {
		if e.Get("resource").Get("resourceType").Text() == "Observation" {
			results++
		}
	}
	if results != 40 {
		t.Errorf("%d results", results)
	}
	if errors := conformsWhole(t, newValidator(), resp.Resource); errors != nil {
		t.Error(errors)
	}
}

// TestTooMany: what can't be told whole is an error.
func TestTooMany(t *testing.T) {
	m := newMemory()
	m.fill(t, `{"resourceType":"Patient","id":"an"}`)
	m.fill(t, `{"resourceType":"Observation","id":"x","status":"final","code":{"text":"x"},"category":[{"text":"x"}],"subject":{"reference":"Patient/an"},"meta":{"tag":[{"code":"t"}]}}`)
	m.endless = true
	for line, key := range map[string]string{"GET Observation/$lastn?patient=an&category:text=x": "record.lastn", "GET Observation/$meta": "record.labels"} {
		_, err := call(t, newServer(m), accessOf("operator"), line, "")
		if err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// TestSummaryEscapes: no text of the record becomes markup.
func TestSummaryEscapes(t *testing.T) {
	m := newMemory()
	evil := `</td></table><script>alert(1)</script><img src=x onerror=\"a\"> ]]> & \u0000 \ufffe`
	m.fill(t, strings.ReplaceAll(`{"resourceType":"Patient","id":"an","name":[{"text":"EVIL"}],"address":[{"text":"EVIL"}],"birthDate":"1985"}
{"resourceType":"Condition","id":"c","code":{"text":"EVIL"},"subject":{"reference":"Patient/an"}}
{"resourceType":"MedicationRequest","id":"m","status":"active","intent":"order","medicationCodeableConcept":{"text":"EVIL"},"subject":{"reference":"Patient/an"},"dosageInstruction":[{"text":"EVIL"}]}
{"resourceType":"Observation","id":"o","status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory"}]}],"code":{"coding":[{"code":"x","display":"EVIL"}]},"subject":{"reference":"Patient/an"},"effectiveDateTime":"2026","valueString":"EVIL","interpretation":[{"text":"EVIL"}]}`, "EVIL", evil))
	resp, err := call(t, newServer(m), accessOf("operator"), "GET Patient/an/$summary", "")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := r4.Parse(resp.Resource)
	if err != nil {
		t.Fatal(err)
	}
	divs := 0
	check := func(n r4.Node) {
		if div := n.Get("text").Get("div"); div.Exists() {
			divs++
			if err := r4.CheckNarrative([]byte(div.Text())); err != nil || strings.Contains(div.Text(), "<script") || strings.Contains(div.Text(), "<img") {
				t.Errorf("%v: %s", err, div.Text())
			}
		}
	}
	for e := range doc.Root().Get("entry").Elems() {
		check(e.Get("resource"))
		for s := range e.Get("resource").Get("section").Elems() {
			check(s)
		}
	}
	if divs < 10 {
		t.Errorf("%d narratives", divs)
	}
}

func entriesOf(t testing.TB, body []byte) (keys []string, next string) {
	t.Helper()
	doc, err := r4.Parse(body)
	if err != nil {
		t.Fatal(err)
	}
	for e := range doc.Root().Get("entry").Elems() {
		keys = append(keys, e.Get("fullUrl").Text())
	}
	for l := range doc.Root().Get("link").Elems() {
		if l.Get("relation").Text() == "next" {
			next = l.Get("url").Text()
		}
	}
	return keys, next
}
