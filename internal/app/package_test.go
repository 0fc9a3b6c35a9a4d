package app

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/store/canonical"
	"github.com/ytso/ytso/fhir/term"
	"github.com/ytso/ytso/internal/trust"
)

// packed writes a FHIR package into a file.
func packed(t *testing.T, name string, files map[string]string) {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for name, text := range files {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text)), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, name, b.String())
}

func system(n int) string {
	var b strings.Builder
	b.WriteString(`{"resourceType":"CodeSystem","id":"own","url":"urn:thu:lon","version":"1","status":"active","content":"complete","concept":[{"code":"R","display":"Gốc","concept":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"code":"C%d","display":"Mã số %d"}`, i, i)
	}
	b.WriteString(`]}]}`)
	return b.String()
}

// definitionsOf looks definitions up as the server does.
func definitionsOf(t *testing.T, n *Node) (*canonical.Source, *term.Service) {
	t.Helper()
	src := canonical.New(n.store, func() (store.Access, error) { return trust.System(trust.JobPackage) })
	return src, term.New(src)
}

// TestPackageAdd: definitions of a package are stored once, beside a running
// server and without one; what is wrong with one of them is told and keeps nothing else out.
func TestPackageAdd(t *testing.T) {
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			p, file := newPlace(t, engine), filepath.Join(t.TempDir(), "p.tgz")
			files := map[string]string{
				"package/package.json":     `{"name":"vn.thu","version":"0.1.0","fhirVersions":["4.0.1"],"dependencies":{"hl7.fhir.r4.core":"4.0.1"}}`,
				"package/vs.json":          `{"resourceType":"ValueSet","id":"vs","url":"urn:thu:vs","version":"1","status":"active","compose":{"include":[{"system":"urn:thu:lon"}]}}`,
				"package/cs.json":          system(6000),
				"package/example/pat.json": `{"resourceType":"Patient","id":"p"}`,
			}
			packed(t, file, files)
			args := append([]string{"package", "add", file}, p.args()...)
			for i, want := range []string{"2 definitions written, 0 unchanged, 0 refused, 1 other files", "0 definitions written, 2 unchanged"} {
				if code, out, errs := call(t, args...); code != 0 || !strings.Contains(out, want) || !strings.Contains(out, "hl7.fhir.r4.core#4.0.1") {
					t.Errorf("time %d: exit %d, %s%s", i, code, out, errs)
				}
			}
			n := openNode(t, p)
			src, terms := definitionsOf(t, n)
			if d, err := src.Find(t.Context(), "CodeSystem", "urn:thu:lon", "1"); err != nil || d == nil || d.Root().Get("content").Text() != "not-present" || d.Root().Get("count").Text() != "6001" || d.ID() == "own" {
				t.Errorf("the code system: %v %.300s", err, d.Source())
			}
			for code, want := range map[string]term.Verdict{"R": term.Member, "C0": term.Member, "C1000": term.Member, "C5999": term.Member, "C6000": term.NotMember} {
				if got, err := terms.Member(t.Context(), "urn:thu:vs", term.Code{System: "urn:thu:lon", Code: code}, false); got != want || err != nil {
					t.Errorf("%s: %d %v", code, got, err)
				}
			}
			files["package/bad.json"] = `{"resourceType":"ValueSet","url":"urn:thu:bad","status":"active","colour":"red"}`
			files["package/cs.json"] = system(6001)
			packed(t, file, files)
			if engine == "postgres" { // without a socket
				if err := n.Close(); err != nil {
					t.Fatal(err)
				}
			}
			if code, out, errs := call(t, args...); code != 1 || !strings.Contains(out, "1 definitions written, 1 unchanged, 1 refused") || !strings.Contains(out, "urn:thu:bad (bad.json)") {
				t.Errorf("with a bad one: exit %d, %s%s", code, out, errs)
			}
			if engine == "postgres" {
				return
			}
			_, terms = definitionsOf(t, n)
			if got, _ := terms.Member(t.Context(), "urn:thu:vs", term.Code{System: "urn:thu:lon", Code: "C6000"}, false); got != term.Member {
				t.Error("the concepts are the old ones")
			}
		})
	}
}

// TestPackageAddList: a list of 70,000 medicines is stored and looked up.
func TestPackageAddList(t *testing.T) {
	p, dir := newPlace(t, "sqlite"), t.TempDir()
	csv, mapping := filepath.Join(dir, "thuoc.csv"), filepath.Join(dir, "map.json")
	var b strings.Builder
	b.WriteString("\uFEFFMA;TEN;NHOM\n")
	for i := range 70_000 {
		fmt.Fprintf(&b, "T%05d;Thuốc số %d;\n", i, i)
	}
	write(t, csv, b.String())
	write(t, mapping, `{"url":"urn:thu:thuoc","version":"2026-01-01","name":"Thuoc","title":"Danh mục thuốc","language":"vi","code":"MA","display":"TEN","parent":"NHOM"}`)
	args := append([]string{"package", "add", "--csv", csv, "--map", mapping}, p.args()...)
	for i, want := range []string{"70000 codes; 2 resources written, 0 unchanged", "70000 codes; 0 resources written, 2 unchanged"} {
		if code, out, errs := call(t, args...); code != 0 || !strings.Contains(out, want) {
			t.Errorf("time %d: exit %d, %s%s", i, code, out, errs)
		}
	}
	_, terms := definitionsOf(t, openNode(t, p))
	x, err := terms.Expand(t.Context(), term.Expand{URL: "urn:thu:thuoc/vs", Filter: "thuoc 69999", Count: 10})
	if err != nil || x.Total != 1 || x.Entries[0].Code.Code != "T69999" {
		t.Errorf("%+v %v", x, err)
	}
	write(t, csv, "MA;TEN;NHOM\nA;Một;\nB;Hai;C\n")
	if code, _, errs := call(t, args...); code != 1 || !strings.Contains(errs, "Line 3: there is no parent") || !strings.Contains(errs, "Dòng 3") {
		t.Errorf("a bad list: exit %d, %s", code, errs)
	}
}

func TestPackageWrongCalls(t *testing.T) {
	for _, args := range [][]string{{"package"}, {"package", "fly"}, {"package", "add"}, {"package", "add", "--csv", "x"}} {
		if code, _, errs := call(t, args...); code != 2 {
			t.Errorf("%v: exit %d, %s", args, code, errs)
		}
	}
	p := newPlace(t, "sqlite")
	no := filepath.Join(t.TempDir(), "no.tgz")
	if code, _, _ := call(t, append([]string{"package", "add", no}, p.args()...)...); code != 1 {
		t.Errorf("no file: exit %d", code)
	}
	if err := os.WriteFile(no, []byte("no package"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := call(t, append([]string{"package", "add", no}, p.args()...)...); code != 1 || !strings.Contains(errs, "no FHIR package") {
		t.Errorf("no package: exit %d %s", code, errs)
	}
}

// TestTerminologyServed: what the program knows and what is loaded beside the
// running server is asked for over HTTP; a client can't write another meaning of what R4 defines.
func TestTerminologyServed(t *testing.T) {
	p, dir := newPlace(t, "sqlite"), t.TempDir()
	n := openNode(t, p)
	base := strings.Replace(newWeb(t, n).URL, "127.0.0.1", "localhost", 1) + "/fhir/"
	token, err := n.authn.IssueToken(t.Context(), "system/*.cruds", "25001", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(path string, status int, want ...string) {
		t.Helper()
		got, body := knock(t, http.DefaultClient, http.MethodGet, base+path, http.Header{"Authorization": {"Bearer " + token}})
		if got != status {
			t.Errorf("%s: %d %.500s", path, got, body)
		}
		for _, w := range want {
			if !strings.Contains(body, w) {
				t.Errorf("%s: no %s in %.500s", path, w, body)
			}
		}
	}
	ask("ValueSet/$expand?url=urn:thu:benh/vs", 404, "OperationOutcome")
	csv, mapping := filepath.Join(dir, "icd.csv"), filepath.Join(dir, "map.json")
	write(t, csv, "MA,TEN,NAME,CHA\nA90-A99,Sốt do virus,,\nA90,Sốt xuất huyết Dengue,Dengue fever,A90-A99\n")
	write(t, mapping, `{"url":"urn:thu:benh","version":"2026","name":"Benh","language":"vi","code":"MA","display":"TEN","displays":{"en":"NAME"},"parent":"CHA"}`)
	if code, out, errs := call(t, append([]string{"package", "add", "--csv", csv, "--map", mapping}, p.args()...)...); code != 0 {
		t.Fatalf("exit %d %s%s", code, out, errs)
	}
	ask("ValueSet/$expand?url=urn:thu:benh/vs&filter=sot+xuat+huyet", 200, `"total":1`, "Dengue")
	ask("ValueSet?url=urn:thu:benh/vs&_total=accurate", 200, `"total":1`)
	ask("CodeSystem/$lookup?system=urn:thu:benh&code=A90&displayLanguage=en", 200, "Dengue fever", `"A90-A99"`)
	ask("CodeSystem/$subsumes?system=urn:thu:benh&codeA=A90-A99&codeB=A90", 200, `"subsumes"`)
	ask("ValueSet/$validate-code?url=urn:thu:benh/vs&system=urn:thu:benh&code=A91", 200, `"valueBoolean":false`)
	ask("CodeSystem/$lookup?system=http://hl7.org/fhir/administrative-gender&code=female&displayLanguage=vi", 200, "Nữ")
	ask("ValueSet/$expand?url=urn:ytso:vs:ma_loai_kcb&date=2026-07-31", 200, `"total":10`)
	ask("ValueSet/$expand?url=urn:ytso:vs:ma_loai_kcb&date=2026-08-01", 200, `"total":16`)
	ask("ConceptMap/$translate?url=http://hl7.org/fhir/ConceptMap/101&system=http://hl7.org/fhir/address-use&code=home", 200, `v3-AddressUse`)

	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, base+"CodeSystem/evil", strings.NewReader(
		`{"resourceType":"CodeSystem","id":"evil","url":"http://hl7.org/fhir/administrative-gender","version":"9","status":"active","content":"complete","concept":[{"code":"robot"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/fhir+json"}}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	ask("CodeSystem/$validate-code?url=http://hl7.org/fhir/administrative-gender&code=robot", 200, `"valueBoolean":false`)
}
