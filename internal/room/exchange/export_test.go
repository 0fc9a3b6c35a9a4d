package exchange

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ytso/ytso/internal/sqlstore"
	"github.com/ytso/ytso/internal/trust"
)

type manifestOf struct {
	TransactionTime      string
	Request              string
	RequiresAccessToken  bool
	Output, Deleted, Err []struct {
		Type, URL string
		Count     int64
	}
}

// export kicks off and gives the status address.
func (c caller) export(b *bench, target string) string {
	b.t.Helper()
	w := c.do(b, "GET", target, "", "Prefer: respond-async", "Accept: application/fhir+json")
	if w.Code != http.StatusAccepted {
		b.t.Fatalf("%s: %d %s", target, w.Code, w.Body)
	}
	at := w.Header().Get("Content-Location")
	if !strings.HasPrefix(at, "http://example.com/fhir/$job/") {
		b.t.Fatalf("Content-Location %q", at)
	}
	return strings.TrimPrefix(at, "http://example.com")
}

// wait polls to the end.
func (c caller) wait(b *bench, at string) (m manifestOf) {
	b.t.Helper()
	b.until("the export ends", func() bool {
		w := c.do(b, "GET", at, "")
		if w.Code == http.StatusAccepted {
			if w.Header().Get("X-Progress") == "" || w.Header().Get("Retry-After") == "" {
				b.t.Fatal("no X-Progress or Retry-After")
			}
			return false
		}
		if w.Code != http.StatusOK {
			b.t.Fatalf("%d %s", w.Code, w.Body)
		}
		if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil {
			b.t.Fatal(err)
		}
		if w.Header().Get("Expires") == "" || !m.RequiresAccessToken {
			b.t.Fatal("no Expires, or no token wanted")
		}
		return true
	})
	return m
}

// load gets all files of a manifest and holds them against their counts.
func (c caller) load(b *bench, m manifestOf) (keys []string, text string) {
	b.t.Helper()
	for _, f := range m.Output {
		w := c.do(b, "GET", strings.TrimPrefix(f.URL, "http://example.com"), "")
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/fhir+ndjson" {
			b.t.Fatalf("%s: %d %s", f.URL, w.Code, w.Header().Get("Content-Type"))
		}
		got := keysOf(b.t, w.Body.String())
		if int64(len(got)) != f.Count {
			b.t.Errorf("%s has %d lines, the manifest says %d", f.URL, len(got), f.Count)
		}
		for _, k := range got {
			if !strings.HasPrefix(k, f.Type+"/") {
				b.t.Errorf("%s in the file of %s", k, f.Type)
			}
		}
		keys, text = append(keys, got...), text+w.Body.String()
	}
	slices.Sort(keys)
	return keys, text
}

func fillSome(b *bench) {
	for i := range 3 {
		id := fmt.Sprintf("p%d", i)
		b.put("25001", patient(id), observation("o"+id, id, "final"), observation("q"+id, id, "preliminary"))
	}
	b.put("25002", patient("other"), observation("oother", "other", "final"))
	b.put("", `{"resourceType":"Organization","id":"org","name":"Trạm Y tế Thử"}`)
}

// TestExportLevels: what each level gives, and to whom: the operator all, a facility its own and the registers.
func TestExportLevels(t *testing.T) {
	engines(t, func(t *testing.T, o sqlstore.Options) {
		b := open(t, o).run()
		fillSome(b)
		b.put("", `{"resourceType":"Group","id":"g","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/p1"}},{"entity":{"reference":"Patient/p2"},"inactive":true}]}`)
		b.put("25001", `{"resourceType":"Observation","id":"ward","status":"final","code":{"text":"x"},"subject":{"reference":"Location/1"}}`)
		own := "Observation/op0 Observation/op1 Observation/op2 Observation/qp0 Observation/qp1 Observation/qp2 "
		for _, tt := range []struct {
			as           caller
			target, want string
		}{
			{operator, "/fhir/$export", "Group/g Observation/oother " + own + "Observation/ward Organization/org Patient/other Patient/p0 Patient/p1 Patient/p2"},
			{operator, "/fhir/Patient/$export", "Group/g Observation/oother " + own + "Patient/other Patient/p0 Patient/p1 Patient/p2"},
			{operator, "/fhir/Group/g/$export", "Group/g Observation/op1 Observation/qp1 Patient/p1"},
			{operator, "/fhir/$export?_type=Patient,Organization", "Organization/org Patient/other Patient/p0 Patient/p1 Patient/p2"},
			{operator, "/fhir/Patient/$export?_type=Observation&_typeFilter=Observation%3Fstatus%3Dpreliminary", "Observation/qp0 Observation/qp1 Observation/qp2"},
			{operator, "/fhir/$export?_type=Observation&_typeFilter=Observation%3Fstatus%3Dpreliminary,Observation%3Fsubject%3DPatient%2Fp1", "Observation/op1 Observation/qp0 Observation/qp1 Observation/qp2"},
			{sender, "/fhir/$export", own + "Observation/ward Organization/org Patient/p0 Patient/p1 Patient/p2"},
			{sender, "/fhir/Patient/$export", own + "Patient/p0 Patient/p1 Patient/p2"},
			{caller{trust.RoleMachine, "token/9", "25002", "system/Observation.rs"}, "/fhir/$export", "Observation/oother"},
		} {
			m := tt.as.wait(b, tt.as.export(b, tt.target))
			got, text := tt.as.load(b, m)
			want := strings.Fields(tt.want)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("%+v %s:\n%q, want\n%q", tt.as, tt.target, got, want)
			}
			if strings.Contains(text, "valueQuantity") && !strings.Contains(text, "1.50") {
				t.Error("a number lost its text")
			}
			if m.Request != "http://example.com"+tt.target {
				t.Errorf("request %q", m.Request)
			}
		}
	})
}

// TestExportRefusals: who may not, and what can't be done, is told at the kick-off.
func TestExportRefusals(t *testing.T) {
	b := open(t, sqlstore.Options{Dir: t.TempDir(), Key: make([]byte, 32)})
	fillSome(b)
	for _, role := range []string{trust.RoleCitizen, trust.RoleDoctor, trust.RoleHospital, trust.RoleStation, trust.RoleDepartment, trust.RoleAdmin, ""} {
		want := http.StatusForbidden
		if role == "" {
			want = http.StatusUnauthorized
		}
		for _, target := range []string{"/fhir/$export", "/fhir/Patient/$export", "/fhir/Group/g/$export", "/fhir/$job/1", "/fhir/$job/1/1.ndjson"} {
			if w := (caller{role: role, id: "x", facility: "25001"}).do(b, "GET", target, "", "Prefer: respond-async"); w.Code != want ||
				!strings.Contains(w.Body.String(), "OperationOutcome") {
				t.Errorf("%q at %s: %d %s", role, target, w.Code, w.Body)
			}
		}
	}
	for _, tt := range []struct {
		as     caller
		target string
		status int
	}{
		{operator, "/fhir/$export?_outputFormat=text/csv", 400},
		{operator, "/fhir/$export?_type=Nonsense", 403},
		{operator, "/fhir/$export?organizeOutputBy=Patient", 400},
		{operator, "/fhir/$export?includeAssociatedData=LatestProvenanceResources", 400},
		{operator, "/fhir/$export?_since=2026", 400},
		{operator, "/fhir/$export?_typeFilter=Observation", 400},
		{operator, "/fhir/$export?_typeFilter=Observation%3F_sort%3Ddate", 400},
		{operator, "/fhir/$export?_typeFilter=Observation%3Fnonsense%3D1", 400},
		{operator, "/fhir/$export?_type=Patient&_typeFilter=Observation%3Fstatus%3Dfinal", 400},
		{operator, "/fhir/Patient/$export?patient=Patient/p0", 400},
		{operator, "/fhir/Patient/$export?_type=Organization", 403},
		{operator, "/fhir/Group/none/$export", 404},
		{sender, "/fhir/Group/g/$export", 403}, // groups are the operator's
		{sender, "/fhir/$export?_type=AuditEvent", 403},
	} {
		if w := tt.as.do(b, "GET", tt.target, "", "Prefer: respond-async"); w.Code != tt.status {
			t.Errorf("%s: %d %s", tt.target, w.Code, w.Body)
		}
	}
	if w := operator.do(b, "GET", "/fhir/$export", ""); w.Code != 400 {
		t.Errorf("without Prefer: %d", w.Code)
	}
	if w := operator.do(b, "GET", "/fhir/$export?organizeOutputBy=Patient", "", "Prefer: respond-async, handling=lenient"); w.Code != 202 {
		t.Errorf("lenient: %d %s", w.Code, w.Body)
	}
}

// TestExportPost: the parameters of a POST, in both forms, and the patients that only it may name.
func TestExportPost(t *testing.T) {
	engines(t, func(t *testing.T, o sqlstore.Options) {
		b := open(t, o).run()
		fillSome(b)
		body := `{"resourceType":"Parameters","parameter":[{"name":"patient","valueReference":{"reference":"Patient/p0"}},{"name":"_type","valueString":"Observation"},
			{"name":"_elements","valueString":"Observation.value"}]}`
		xml := `<Parameters xmlns="http://hl7.org/fhir"><parameter><name value="patient"/><valueReference><reference value="Patient/p0"/></valueReference></parameter></Parameters>`
		w := operator.do(b, "POST", "/fhir/Patient/$export", body, "Prefer: respond-async")
		if w.Code != 202 {
			t.Fatal(w.Code, w.Body)
		}
		keys, text := operator.load(b, operator.wait(b, strings.TrimPrefix(w.Header().Get("Content-Location"), "http://example.com")))
		if fmt.Sprint(keys) != "[Observation/op0 Observation/qp0]" || strings.Contains(text, "subject") || !strings.Contains(text, "SUBSETTED") ||
			!strings.Contains(text, `"value":1.50`) || !strings.Contains(text, `"status":"final"`) {
			t.Errorf("%v %s", keys, text)
		}
		w = operator.do(b, "POST", "/fhir/Patient/$export", xml, "Prefer: respond-async", "Content-Type: application/fhir+xml")
		if w.Code != 202 {
			t.Fatal(w.Code, w.Body)
		}
		keys, _ = operator.load(b, operator.wait(b, strings.TrimPrefix(w.Header().Get("Content-Location"), "http://example.com")))
		if fmt.Sprint(keys) != "[Observation/op0 Observation/qp0 Patient/p0]" {
			t.Errorf("%v", keys)
		}
		body = strings.Replace(body, "Patient/p0", "Patient/nobody", 1)
		if w := operator.do(b, "POST", "/fhir/Patient/$export", body, "Prefer: respond-async"); w.Code != 404 {
			t.Errorf("a patient who is not there: %d", w.Code)
		}
		if w := sender.do(b, "POST", "/fhir/Patient/$export", strings.Replace(body, "nobody", "other", 1), "Prefer: respond-async"); w.Code != 404 {
			t.Errorf("another facility's patient: %d", w.Code)
		}
	})
}

// TestExportClient: a job and its files are its client's alone, gone when cancelled or expired, and closed when the right is taken away.
func TestExportClient(t *testing.T) {
	engines(t, func(t *testing.T, o sqlstore.Options) {
		b := open(t, o).run()
		fillSome(b)
		at := sender.export(b, "/fhir/$export")
		m := sender.wait(b, at)
		file := strings.TrimPrefix(m.Output[0].URL, "http://example.com")
		for _, other := range []caller{operator, {trust.RoleMachine, "25001_BV2", "25001", ""}, {trust.RoleMachine, "token/2", "25001", "system/*.rs"}} {
			for _, target := range []string{at, file} {
				if w := other.do(b, "GET", target, ""); w.Code != 404 {
					t.Errorf("%+v gets %s: %d", other, target, w.Code)
				}
			}
			if w := other.do(b, "DELETE", at, ""); w.Code != 404 {
				t.Errorf("%+v cancels: %d", other, w.Code)
			}
		}
		b.revoked.Store(sender.id, true)
		if w := sender.do(b, "GET", file, ""); w.Code != 401 {
			t.Errorf("revoked: %d", w.Code)
		}
		b.revoked.Delete(sender.id)
		if w := sender.do(b, "DELETE", at, ""); w.Code != 202 {
			t.Errorf("cancel: %d", w.Code)
		}
		if w := sender.do(b, "GET", at, ""); w.Code != 404 {
			t.Errorf("after cancel: %d", w.Code)
		}
		if n := b.count(`SELECT (SELECT COUNT(*) FROM exchange_job) + (SELECT COUNT(*) FROM exchange_file) + (SELECT COUNT(*) FROM exchange_part)`); n != 0 {
			t.Errorf("%d rows are left", n)
		}
		// A token is another one tomorrow, with the same rights.
		at = operator.export(b, "/fhir/$export?_type=Patient")
		operator.wait(b, at)
		if w := (caller{trust.RoleMachine, "token/77", "", "system/*.cruds"}).do(b, "GET", at, ""); w.Code != 200 {
			t.Errorf("the next token: %d", w.Code)
		}
		b.clock.forward(keptFor + time.Minute)
		b.sweep(t.Context())
		if n := b.count(`SELECT (SELECT COUNT(*) FROM exchange_job) + (SELECT COUNT(*) FROM exchange_part)`); n != 0 {
			t.Errorf("%d rows live on after their time", n)
		}
	})
}

// TestExportResumes: broken off after any slice it goes on from there, and
// gives each resource once; a right taken away in between ends it.
func TestExportResumes(t *testing.T) {
	engines(t, func(t *testing.T, o sqlstore.Options) {
		b := open(t, o)
		var list []string
		for i := range 1200 {
			list = append(list, patient(fmt.Sprintf("p%04d", i)))
		}
		b.put("25001", list...)
		at := sender.export(b, "/fhir/$export?_type=Patient,Observation")
		slices1 := 0
		for {
			j, err := b.take(t.Context())
			if err != nil || j == nil {
				t.Fatal(j, err)
			}
			st, err := b.exportSlice(t.Context(), j)
			if err != nil {
				t.Fatal(err)
			}
			if slices1 == 1 { // the process dies between reading and writing
				slices1++
				b.renew(b.Deps)
				b.clock.forward(2 * leaseOfStep)
				continue
			}
			if err := b.advance(t.Context(), j, st); err != nil {
				t.Fatal(err)
			}
			if st.End {
				break
			}
			slices1++
			b.clock.forward(2 * leaseOfStep)
			b.renew(b.Deps) // and after each
		}
		keys, _ := sender.load(b, sender.wait(b, at))
		if len(keys) != 1200 || len(slices.Compact(keys)) != 1200 || slices1 < 4 {
			t.Errorf("%d resources, %d different, %d slices", len(keys), len(slices.Compact(keys)), slices1)
		}
		at = sender.export(b, "/fhir/$export")
		b.revoked.Store(sender.id, true)
		b.run()
		b.until("it fails", func() bool { return b.count(`SELECT COUNT(*) FROM exchange_job WHERE state = 'failed'`) == 1 })
		if w := sender.do(b, "GET", at, ""); w.Code != 401 || !strings.Contains(w.Body.String(), "OperationOutcome") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}

// TestExportSince: the next export finds what the last one could not have, and what is deleted.
func TestExportSince(t *testing.T) {
	engines(t, func(t *testing.T, o sqlstore.Options) {
		b := open(t, o).run()
		fillSome(b)
		b.clock.forward(time.Minute)
		first := operator.wait(b, operator.export(b, "/fhir/$export?_type=Patient"))
		b.clock.forward(time.Minute)
		b.put("25001", patient("new"))
		b.delete("Patient", "p0")
		b.clock.forward(time.Minute)
		next := operator.wait(b, operator.export(b, "/fhir/$export?_type=Patient&_since="+first.TransactionTime))
		keys, _ := operator.load(b, next)
		if fmt.Sprint(keys) != "[Patient/new]" || len(next.Deleted) != 1 {
			t.Fatalf("%v, deleted %v", keys, next.Deleted)
		}
		w := operator.do(b, "GET", strings.TrimPrefix(next.Deleted[0].URL, "http://example.com"), "")
		if !strings.Contains(w.Body.String(), `"url":"Patient/p0"`) || !strings.Contains(w.Body.String(), `"method":"DELETE"`) {
			t.Errorf("%s", w.Body)
		}
	})
}

// TestTooManyJobs: one client can't fill the disk with exports.
func TestTooManyJobs(t *testing.T) {
	b := open(t, sqlstore.Options{Dir: t.TempDir(), Key: make([]byte, 32)})
	for range maxWaiting {
		operator.export(b, "/fhir/$export?_type=Patient")
	}
	if w := operator.do(b, "GET", "/fhir/$export", "", "Prefer: respond-async"); w.Code != http.StatusTooManyRequests {
		t.Errorf("%d", w.Code)
	}
	sender.export(b, "/fhir/$export")
}

// BenchmarkExport measures an export from kick-off to manifest.
func BenchmarkExport(b *testing.B) {
	e := open(b, sqlstore.Options{Dir: b.TempDir(), Key: make([]byte, 32)}).run()
	const n = 5000
	var list []string
	for i := range n {
		list = append(list, patient(fmt.Sprint("p", i)))
	}
	e.put("25001", list...)
	for b.Loop() {
		at := operator.export(e, "/fhir/$export?_type=Patient")
		operator.wait(e, at)
		operator.do(e, "DELETE", at, "")
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "resources/s")
}
