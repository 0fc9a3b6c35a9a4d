package r4

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ytso/ytso/fhir/outcome"
)

// TestExamplesThroughXML: each official example goes to XML and back without
// loss, digits of numbers included.
func TestExamplesThroughXML(t *testing.T) {
	for _, line := range examples(t) {
		d, err := Parse(line)
		if err != nil {
			t.Fatal(err)
		}
		x, err := d.AppendXML(nil)
		if err != nil {
			t.Errorf("%s/%s: %v", d.Type(), d.ID(), err)
			continue
		}
		back, err := ParseXML(x)
		if err != nil {
			t.Errorf("%s/%s: %v", d.Type(), d.ID(), err)
			continue
		}
		if got, want := canonical(t, back.Source()), canonical(t, line); !bytes.Equal(got, want) {
			i := 0
			for i < len(got) && i < len(want) && got[i] == want[i] {
				i++
			}
			t.Errorf("%s/%s differs:\n%.200s\n%.200s", d.Type(), d.ID(), got[max(0, i-60):], want[max(0, i-60):])
		}
	}
}

const patientXML = `<?xml version="1.0" encoding="UTF-8"?>
<!-- a comment --><?note x?>
<f:Patient xmlns:f="http://hl7.org/fhir" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://hl7.org/fhir patient.xsd">
  <f:id value="p1"/>
  <f:text><f:status value="generated"/><h:div xmlns:h="http://www.w3.org/1999/xhtml"><h:p title="a&quot;b">Ánh &amp; em</h:p><h:br/></h:div></f:text>
  <f:contained><f:Organization><f:id value="o"/></f:Organization></f:contained>
  <f:extension url="http://x/y"><f:valueDecimal value="1.50"/></f:extension>
  <f:active value="true"/>
  <f:name id="n"><f:given value="Ánh"/><f:given id="g"><f:extension url="http://a"><f:valueCode value="masked"/></f:extension></f:given><f:given value="l&#10;m &lt;"/></f:name>
  <f:deceasedDateTime value="2020-01-02"/>
</f:Patient>`

func TestParseXML(t *testing.T) {
	d, err := ParseXML([]byte(patientXML))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"resourceType":"Patient","id":"p1","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><p title=\"a&quot;b\">Ánh &amp; em</p><br/></div>"},` +
		`"contained":[{"resourceType":"Organization","id":"o"}],"extension":[{"url":"http://x/y","valueDecimal":1.50}],"active":true,` +
		`"name":[{"id":"n","given":["Ánh",null,"l\nm <"],"_given":[null,{"id":"g","extension":[{"url":"http://a","valueCode":"masked"}]},null]}],"deceasedDateTime":"2020-01-02"}`
	if got := string(d.Source()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for path, place := range map[string][2]int{"active": {8, 3}, "name": {9, 3}} {
		if line, column := d.Root().Get(path).Place(); line != place[0] || column > 30 {
			t.Errorf("%s stands at %d, %d", path, line, column)
		}
	}
	if line, _ := d.Root().Get("name").At(0).Get("given").At(2).Place(); line != 9 {
		t.Errorf("given[2] stands in line %d", line)
	}
}

// TestXMLStrict: what FHIR R4 xml.html forbids is an error with its place.
func TestXMLStrict(t *testing.T) {
	patient := func(inner string) string { return `<Patient xmlns="http://hl7.org/fhir">` + inner + `</Patient>` }
	cases := []struct{ src, key, path string }{
		{``, "xml.syntax", ""},
		{`hello`, "xml.text", ""},
		{`<Patient><id value="a"/></Patient>`, "xml.namespace", ""},
		{`<Patient xmlns="http://hl7.org/fhir/v2"/>`, "xml.namespace", ""},
		{`<Human xmlns="http://hl7.org/fhir"/>`, "xml.resource", ""},
		{`<DomainResource xmlns="http://hl7.org/fhir"/>`, "xml.resource", ""},
		{`<HumanName xmlns="http://hl7.org/fhir"/>`, "xml.resource", ""},
		{`<!DOCTYPE Patient [<!ENTITY x "y">]>` + patient(""), "xml.doctype", ""},
		{patient(`<id value="&x;"/>`), "xml.entity", "Patient"},
		{patient(`<id value="&nbsp;"/>`), "xml.entity", "Patient"},
		{patient(`<id value="&#0;"/>`), "xml.entity", "Patient"},
		{patient(`<id value=""/>`), "xml.empty", "Patient.id"},
		{patient(`<id/>`), "xml.empty", "Patient.id"},
		{patient(`<name/>`), "xml.empty", "Patient.name[0]"},
		{patient(`<id value="a" x="b"/>`), "xml.attribute", "Patient.id"},
		{patient(`<id value="a" value="b"/>`), "xml.duplicate", "Patient"},
		{patient(`<name use="official"/>`), "xml.attribute", "Patient.name[0]"},
		{patient(`<nmae><family value="x"/></nmae>`), "xml.unknown", "Patient"},
		{patient(`<name><given value="x"/><family value="x"/></name>`), "xml.order", "Patient.name[0]"},
		{patient(`<gender value="male"/><active value="true"/>`), "xml.order", "Patient"},
		{patient(`<gender value="male"/><gender value="male"/>`), "xml.repeated", "Patient"},
		{patient(`<name><text value="a"/></name><active value="true"/><name><text value="a"/></name>`), "xml.order", "Patient"},
		{patient(`<deceasedBoolean value="true"/><deceasedDateTime value="2020"/>`), "xml.choice", "Patient"},
		{patient(`<active value="1"/>`), "xml.boolean", "Patient.active"},
		{patient(`<multipleBirthInteger value="+1"/>`), "xml.number", "Patient.multipleBirthInteger"},
		{patient(`<multipleBirthInteger value=" 1"/>`), "xml.number", "Patient.multipleBirthInteger"},
		{patient(`text`), "xml.text", "Patient"},
		{patient(`<id value="a">b</id>`), "xml.text", "Patient.id"},
		{patient(`<id value="a"><![CDATA[b]]></id>`), "xml.text", "Patient.id"},
		{patient(`<id value="a"><b/></id>`), "xml.unknown", "Patient.id"},
		{patient(`<id value="a"><extension url="x"><valueCode value="a"/></extension><b/></id>`), "xml.unknown", "Patient.id"},
		{patient(`<contained/>`), "xml.resource", "Patient.contained[0]"},
		{patient(`<contained><Organization><id value="a"/></Organization><Organization><id value="b"/></Organization></contained>`), "xml.resource", "Patient.contained[0]"},
		{patient(`<text><status value="generated"/><div>x</div></text>`), "xml.namespace", "Patient.text"},
		{patient(`<text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml"><svg xmlns="http://www.w3.org/2000/svg"/></div></text>`), "xml.namespace", "Patient.text.div"},
		{patient(`<id value="a"/></Patient>`), "xml.syntax", ""},
		{patient(`<id value="a">`), "xml.syntax", "Patient.id"},
		{patient(`<id value=a/>`), "xml.syntax", "Patient"},
		{patient(`<id value="<"/>`), "xml.syntax", "Patient"},
		{patient(`<f:id value="a"/>`), "xml.namespace", "Patient"},
		{patient(`<id value="a"/`), "xml.syntax", "Patient"},
		{patient(``) + patient(``), "xml.trailing", ""},
		{patient("<id value=\"\x01\"/>"), "xml.control", "Patient"},
		{"\xff", "xml.utf8", ""},
		{`<?xml version="1.0" encoding="UTF-16"?>` + patient(""), "xml.encoding", ""},
		{patient(strings.Repeat("<extension>", 200)), "xml.depth", ""},
		{patient(strings.Repeat(`<contact`+namespaces(60)+`>`, 6)), "xml.namespace", ""},
		{patient(`<!-- -- -->`), "xml.syntax", "Patient"},
	}
	for _, c := range cases {
		_, err := ParseXML([]byte(c.src))
		var e *outcome.Error
		switch {
		case !errors.As(err, &e) || e.Key != c.key:
			t.Errorf("%.120s: %v, want %s", c.src, err, c.key)
		case c.path != "" && (len(e.Expression) != 1 || e.Expression[0] != c.path):
			t.Errorf("%.120s: at %v, want %s", c.src, e.Expression, c.path)
		case c.key != "xml.utf8" && !strings.Contains(e.EN, "line 1, column "):
			t.Errorf("%.120s: no place: %s", c.src, e.EN)
		}
	}
	_, err := ParseXML([]byte("<Patient xmlns=\"http://hl7.org/fhir\">\n <id value=\"a\"/>\n  <idd value=\"a\"/></Patient>"))
	if e := outcome.As(err); !strings.Contains(e.EN, "line 3, column 3") {
		t.Errorf("%v", e)
	}
}

func namespaces(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ` xmlns:n%d="http://x"`, i)
	}
	return b.String()
}

// TestAppendXMLRefuses: what has no place in the tables is not written.
func TestAppendXMLRefuses(t *testing.T) {
	for src, key := range map[string]string{
		`{"resourceType":"Foo"}`:              "xml.resource",
		`{"id":"x"}`:                          "xml.resource",
		`[1]`:                                 "xml.resource",
		`{"resourceType":"Patient","nmae":1}`: "xml.unknown",
		`{"resourceType":"Patient","_name":[{"id":"a"}]}`:                             "xml.unknown",
		`{"resourceType":"Patient","extension":[{"url":"a","_url":{"id":"b"}}]}`:      "xml.unknown",
		`{"resourceType":"Patient","name":{"text":"a"}}`:                              "xml.type",
		`{"resourceType":"Patient","gender":["male"]}`:                                "xml.type",
		`{"resourceType":"Patient","gender":{"a":"b"}}`:                               "xml.type",
		`{"resourceType":"Patient","name":["a"]}`:                                     "xml.type",
		`{"resourceType":"Patient","gender":"\u0001"}`:                                "xml.control",
		`{"resourceType":"Patient","gender":"\uffff"}`:                                "xml.control",
		`{"resourceType":"Patient","text":{"div":"<div>&nbsp;</div>"}}`:               "xml.xhtml",
		`{"resourceType":"Patient","text":{"div":"<p>a</p>"}}`:                        "xml.xhtml",
		`{"resourceType":"Patient","text":{"div":"</div><script/><div>"}}`:            "xml.xhtml",
		`{"resourceType":"Patient","deceasedBoolean":true,"deceasedDateTime":"2020"}`: "xml.choice",
	} {
		d, err := Parse([]byte(src))
		if err != nil {
			t.Fatal(src, err)
		}
		_, err = d.AppendXML(nil)
		if e := outcome.As(err); e.Key != key {
			t.Errorf("%s: %v, want %s", src, err, key)
		}
	}
}

// TestStringsThroughXML: any text that XML can hold comes back as it was.
func TestStringsThroughXML(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.RuneFrom([]rune("aÁ<>&\"'\n\r\t ]-;#x😀"))).Draw(t, "text") + "."
		given := rapid.SliceOfN(rapid.StringOf(rapid.Rune()), 1, 4).Draw(t, "given")
		src := append([]byte(`{"resourceType":"Patient","name":[{"text":`), AppendString(nil, text)...)
		src = append(src, `,"given":[`...)
		for i, g := range given {
			if i > 0 {
				src = append(src, ',')
			}
			src = AppendString(src, "x"+g)
		}
		src = append(src, `]}]}`...)
		d, err := Parse(src)
		if err != nil {
			t.Skip(err) // a control character
		}
		x, err := d.AppendXML(nil)
		if outcome.As(err).Key == "xml.control" {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseXML(x)
		if err != nil {
			t.Fatalf("%s: %v", x, err)
		}
		if got, want := string(back.Source()), string(src); got != want {
			t.Fatalf("%q is not %q", got, want)
		}
	})
}

// FuzzParseXML: nothing panics; what is read can be written, and read again the same.
func FuzzParseXML(f *testing.F) {
	f.Add([]byte(patientXML))
	f.Add([]byte(`<Bundle xmlns="http://hl7.org/fhir"><type value="batch"/><entry><resource><Patient><active value="true"/></Patient></resource></entry></Bundle>`))
	f.Add([]byte(`<Observation xmlns="http://hl7.org/fhir"><valueQuantity><value value="1.0e3"/></valueQuantity></Observation>`))
	f.Add([]byte(`<a xmlns:b="c" b:d='e'><!--x--><?y?><![CDATA[z]]></a>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := ParseXML(b)
		if err != nil {
			return
		}
		x, err := d.AppendXML(nil)
		if err != nil {
			t.Fatalf("%s: %v", d.Source(), err)
		}
		back, err := ParseXML(x)
		if err != nil {
			t.Fatalf("%s: %v", x, err)
		}
		if !bytes.Equal(back.Source(), d.Source()) {
			t.Fatalf("%s is not %s", back.Source(), d.Source())
		}
		for n := d.Root().First(); n.Exists(); n = n.Next(d.Root()) {
			n.Place()
		}
	})
}

// FuzzAppendXML: nothing panics, and what is written can be read.
func FuzzAppendXML(f *testing.F) {
	f.Add([]byte(`{"resourceType":"Patient","name":[{"given":["a",null],"_given":[null,{"id":"x"}]}],"text":{"div":"<div xmlns='http://www.w3.org/1999/xhtml'>a</div>"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := Parse(b)
		if err != nil {
			return
		}
		x, err := d.AppendXML(nil)
		if err != nil {
			return
		}
		s, err := scan(x)
		if err != nil {
			t.Fatalf("%s: %v", x, err)
		}
		s.release()
	})
}

// TestXMLDepth: what is nested as deep as allowed is read, and deeper is an error of XML with its place.
func TestXMLDepth(t *testing.T) {
	for n := 1; n < 120; n++ {
		src := `<Questionnaire xmlns="http://hl7.org/fhir">` + strings.Repeat(`<item>`, n) + `<prefix value="x"><extension url="u"><valueCode value="a"/></extension></prefix>` +
			strings.Repeat(`</item>`, n) + `</Questionnaire>`
		_, err := ParseXML([]byte(src))
		if n < 40 && err != nil || n > 50 && err == nil || err != nil && outcome.As(err).Key != "xml.depth" {
			t.Errorf("%d items: %v", n, err)
		}
	}
}

func TestCheckNarrative(t *testing.T) {
	div := func(s string) string { return `<div xmlns="http://www.w3.org/1999/xhtml">` + s + `</div>` }
	for src, key := range map[string]string{
		div("x"): "", div(`<p class="a" style="color:red">x<br/></p>`): "", div(`<img src="#a" alt="b"/>`): "", div(`<a href="https://x.vn/?a:b">x</a>`): "",
		div(""): "xhtml.empty", div(" <p> </p>"): "xhtml.empty", `<div>x</div>`: "xhtml.namespace", `<p xmlns="http://www.w3.org/1999/xhtml">x</p>`: "xhtml.root",
		div("<script>x</script>"): "xhtml.element", div("<form>x</form>"): "xhtml.element", div("<P>x</P>"): "xhtml.element", div("<object/>x"): "xhtml.element",
		div(`<p onclick="x">x</p>`): "xhtml.attribute", div(`<a href="javascript:x">x</a>`): "xhtml.link", div(`<a href=" Java&#10;Script:x">x</a>`): "xhtml.link",
		div("&nbsp;"): "xml.entity", div("<p>"): "xml.syntax", "x": "xml.text", "": "xml.syntax",
	} {
		err := CheckNarrative([]byte(src))
		if key == "" && err != nil || key != "" && outcome.As(err).Key != key {
			t.Errorf("%s: %v, want %q", src, err, key)
		}
	}
	if raced() {
		return
	}
	good := []byte(div(`<table><tr><td class="a">x &amp; y</td></tr></table>`))
	if n := testing.AllocsPerRun(100, func() {
		if err := CheckNarrative(good); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("%v allocations for a narrative that is right", n)
	}
}

// raced says whether the race detector is on: it lets pools forget what they hold, so that allocations can't be counted.
func raced() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

func TestSafeNarrative(t *testing.T) {
	for src, want := range map[string]string{
		`<div xmlns="http://www.w3.org/1999/xhtml"><p style="x" onclick="y" title="a&amp;b">Á &lt;b&gt;<!-- c --><![CDATA[<i>]]><br/></p></div>`: `<div><p title="a&amp;b">Á &lt;b&gt;&lt;i&gt;<br></p></div>`,
		`<div><script>x</script><blink>y</blink><a href="javascript:z">k</a><a href="#n">n</a></div>`:                                            `<div>y<a rel="noopener noreferrer nofollow">k</a><a href="#n" rel="noopener noreferrer nofollow">n</a></div>`,
		`<div><img src="http://spy/x.png"/><img src="data:image/png;base64,AAAA" alt="q"/><p/></div>`:                                            `<div><img><img src="data:image/png;base64,AAAA" alt="q"><p></p></div>`,
		`<div><SCRIPT>x</SCRIPT><x:p xmlns:x="y" x:title="t">z</x:p></div>`:                                                                      `<div><p>z</p></div>`,
	} {
		got, err := SafeNarrative(src)
		if err != nil || got != want {
			t.Errorf("%s:\n%s\n%s %v", src, got, want, err)
		}
	}
	if _, err := SafeNarrative("<div>a"); err == nil {
		t.Error("what is not well-formed is not shown")
	}
}

// FuzzSafeNarrative: nothing panics, and nothing unsafe comes out.
func FuzzSafeNarrative(f *testing.F) {
	f.Add(`<div xmlns="http://www.w3.org/1999/xhtml"><p title="a&amp;b">x<!-- c --><![CDATA[<i>]]><a href="javascript:x">y</a></p></div>`)
	f.Fuzz(func(t *testing.T, src string) {
		out, err := SafeNarrative(src)
		if err != nil {
			return
		}
		low := strings.ToLower(out)
		for _, bad := range []string{"<script", "<style", "<iframe", "=\"javascript", "<!", "<?"} {
			if strings.Contains(low, bad) {
				t.Fatalf("%q holds %s", out, bad)
			}
		}
	})
}

func BenchmarkXML(b *testing.B) {
	d, err := ParseXML([]byte(patientXML))
	if err != nil {
		b.Fatal(err)
	}
	b.Run("parse", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(patientXML)))
		for b.Loop() {
			if _, err := ParseXML([]byte(patientXML)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("append", func(b *testing.B) {
		b.ReportAllocs()
		var out []byte
		for b.Loop() {
			if out, err = d.AppendXML(out[:0]); err != nil {
				b.Fatal(err)
			}
		}
		b.SetBytes(int64(len(out)))
	})
}

// BenchmarkExamples reads and writes the official examples in both forms.
func BenchmarkExamples(b *testing.B) {
	var docs []*Doc
	var xmls [][]byte
	jsonSize, xmlSize := 0, 0
	for _, line := range examples(b) {
		d, err := Parse(line)
		if err != nil {
			b.Fatal(err)
		}
		x, err := d.AppendXML(nil)
		if err != nil {
			b.Fatal(err)
		}
		docs, xmls = append(docs, d), append(xmls, x)
		jsonSize, xmlSize = jsonSize+len(line), xmlSize+len(x)
	}
	run := func(name string, size int, f func(i int) error) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(size))
			for b.Loop() {
				for i := range docs {
					if err := f(i); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
	run("json", jsonSize, func(i int) error { _, err := Parse(docs[i].Source()); return err })
	run("xml", xmlSize, func(i int) error { _, err := ParseXML(xmls[i]); return err })
	run("encoding-xml", xmlSize, func(i int) error {
		for d := xml.NewDecoder(bytes.NewReader(xmls[i])); ; {
			if _, err := d.Token(); err == io.EOF {
				return nil
			} else if err != nil {
				return err
			}
		}
	})
	var out []byte
	run("append", xmlSize, func(i int) (err error) { out, err = docs[i].AppendXML(out[:0]); return err })
}
