package patch

import (
	"bufio"
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strings"
	"testing"

	"github.com/ytso/ytso/fhir/r4"
)

// cases finds the published cases (FHIR/fhir-test-cases, r4/patch).
func cases(t *testing.T, name string) []byte {
	t.Helper()
	return conformance(t, "patch", name)
}

// conformance reads a file of the official data.
func conformance(t *testing.T, name ...string) []byte {
	t.Helper()
	dir := os.Getenv("YTSO_CONFORMANCE")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "conformance")
	}
	b, err := os.ReadFile(filepath.Join(append([]string{dir}, name...)...))
	if err != nil {
		if os.Getenv("YTSO_TEST_REQUIRE") != "" {
			t.Fatalf("the official data must be there: %v", err)
		}
		t.Skipf("the official data are not beside the project: %v", err)
	}
	return b
}

// sameJSON compares by value: order of members does not matter, number text does.
func sameJSON(t *testing.T, got, want []byte) {
	t.Helper()
	var a, b any
	for text, v := range map[*any][]byte{&a: got, &b: want} {
		d := json.NewDecoder(bytes.NewReader(v))
		d.UseNumber()
		if err := d.Decode(text); err != nil {
			t.Fatalf("%v in %s", err, v)
		}
	}
	if !reflect.DeepEqual(a, b) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestSuiteJSON(t *testing.T) {
	var list []struct {
		Comment              string
		Doc, Patch, Expected json.RawMessage
		Error                string
	}
	if err := json.Unmarshal(cases(t, "json-patch-tests.json"), &list); err != nil {
		t.Fatal(err)
	}
	if len(list) != 16 {
		t.Fatalf("%d cases instead of 16", len(list))
	}
	for _, c := range list {
		t.Run(c.Comment, func(t *testing.T) {
			root := newValue(c.Doc)
			err := applyJSON(root, c.Patch)
			if (err != nil) != (c.Error != "") {
				t.Fatalf("error %v, want %q", err, c.Error)
			}
			if err == nil {
				sameJSON(t, root.append(nil), c.Expected)
			}
		})
	}
}

func TestSuiteXML(t *testing.T) {
	type inner struct {
		XML string `xml:",innerxml"`
	}
	var suite struct {
		Cases []struct {
			Name    string `xml:"name,attr"`
			Target  inner  `xml:"target"`
			Patch   inner  `xml:"patch"`
			Patched inner  `xml:"patched"`
			Error   *inner `xml:"error"`
		} `xml:"case"`
	}
	if err := xml.Unmarshal(withDrafts(cases(t, "xml-patch-tests.xml")), &suite); err != nil {
		t.Fatal(err)
	}
	if len(suite.Cases) != 33 {
		t.Fatalf("%d cases instead of 33", len(suite.Cases))
	}
	for _, c := range suite.Cases {
		t.Run(c.Name, func(t *testing.T) {
			open := `<patch xmlns="http://hl7.org/fhir">`
			if drafts[c.Name[:strings.Index(c.Name, ".  ")+1]] {
				open = `<patch>` // as in RFC 5261 appendix A: its documents are in no namespace
			}
			target, err := parseXML([]byte(c.Target.XML))
			if err == nil {
				err = applyXML(target, []byte(open+c.Patch.XML+`</patch>`))
			}
			if (err != nil) != (c.Error != nil) {
				t.Fatalf("error %v, want %v", err, c.Error)
			}
			if err == nil {
				if got, want := canonical(t, string(target.append(nil))), canonical(t, c.Patched.XML); got != want {
					t.Errorf("got  %s\nwant %s", got, want)
				}
			}
		})
	}
}

// drafts are the four cases that the suite holds as comments.
var drafts = map[string]bool{"A.8.": true, "A.10.": true, "A.14.": true, "A.16.": true}

// withDrafts takes the marks of comments from around cases.
func withDrafts(suite []byte) []byte {
	lines := strings.Split(string(suite), "\n")
	for i, l := range lines {
		if l = strings.TrimSpace(l); l == "<!--" || l == "-->" || l == "no need for this" {
			lines[i] = ""
		}
	}
	return []byte(strings.ReplaceAll(strings.ReplaceAll(strings.Join(lines, "\n"), "<!-.-", "<!--"), "-.->", "-->"))
}

// canonical writes what an XML text says: namespaces instead of prefixes, sorted attributes, no white space between elements.
func canonical(t *testing.T, text string) string {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	var b strings.Builder
	for {
		tok, err := d.Token()
		if err == io.EOF {
			return b.String()
		}
		if err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			fmt.Fprintf(&b, "<{%s}%s", tok.Name.Space, tok.Name.Local)
			var attrs []string
			for _, a := range tok.Attr {
				if a.Name.Local != "xmlns" {
					attrs = append(attrs, fmt.Sprintf(" {%s}%s=%q", a.Name.Space, a.Name.Local, a.Value))
				}
			}
			sort.Strings(attrs)
			b.WriteString(strings.Join(attrs, "") + ">")
		case xml.EndElement:
			b.WriteString("</>")
		case xml.CharData:
			if s := string(tok); strings.TrimSpace(s) != "" {
				b.WriteString(s)
			}
		case xml.Comment:
			fmt.Fprintf(&b, "<!--%s-->", tok)
		case xml.ProcInst:
			fmt.Fprintf(&b, "<?%s %s?>", tok.Target, tok.Inst)
		}
	}
}

func TestSuiteFHIRPath(t *testing.T) {
	lines := bufio.NewScanner(bytes.NewReader(cases(t, "fhir-patch-cases.jsonl")))
	lines.Buffer(nil, 1<<22)
	n := 0
	for lines.Scan() {
		var c struct {
			Name                         string
			Input, Diff, Output          json.RawMessage
			InputXML, DiffXML, OutputXML string
			Error                        bool
		}
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		n++
		for form, read := range map[string]func(j json.RawMessage, x string) (*r4.Doc, error){
			"json": func(j json.RawMessage, _ string) (*r4.Doc, error) { return r4.Parse(j) },
			"xml":  func(_ json.RawMessage, x string) (*r4.Doc, error) { return r4.ParseXML([]byte(x)) },
		} {
			t.Run(c.Name+"/"+form, func(t *testing.T) {
				doc, err := read(c.Input, c.InputXML)
				if err != nil {
					t.Fatal(err)
				}
				diff, err := read(c.Diff, c.DiffXML)
				if err != nil {
					t.Fatal(err)
				}
				got, err := FHIRPath(doc, diff)
				if (err != nil) != c.Error {
					t.Fatalf("error %v, want %v", err, c.Error)
				}
				if err != nil {
					return
				}
				if form == "json" {
					sameJSON(t, got, c.Output)
					return
				}
				after, err := r4.Parse(got)
				if err != nil {
					t.Fatal(err)
				}
				out, err := after.AppendXML(nil)
				if err != nil {
					t.Fatal(err)
				}
				if got, want := canonical(t, string(out)), canonical(t, c.OutputXML); got != want {
					t.Errorf("got  %s\nwant %s", got, want)
				}
			})
		}
	}
	if n != 33 {
		t.Errorf("%d cases instead of 33", n)
	}
}
