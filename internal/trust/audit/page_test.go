package audit_test

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/sqlstore"
	"github.com/ytso/ytso/internal/trust"
	"github.com/ytso/ytso/internal/trust/audit"
)

// rows writes n rows straight into the log: of the first person, every tenth of
// the other, by a hundred accounts; the oldest is a fault.
func (d *desk) rows(t testing.TB, n int) {
	t.Helper()
	a, err := trust.System(trust.JobIndex)
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now().Add(-time.Duration(n) * time.Second).UnixMilli()
	if err := d.store.Update(t.Context(), a, func(tx store.Tx) error {
		for i := range n {
			who, result := "an-1", "ok"
			if i%10 == 9 {
				who = "binh-1"
			}
			if i == 0 {
				result = "exception"
			}
			seq := int64(1_000_000 + i)
			if _, err := tx.Exec(t.Context(), `INSERT INTO audit (seq, at, kind, agent, name, facility, role, purpose, rule, action, outcome, entity, detail, acts, request, remote, patients, nonce)
				VALUES ($1,$2,'staff',$3,'Điều dưỡng Đỗ Thị Ửng','25001','doctor','TREAT','doctor.own-facility','fhir.read',$4,$5,'',$6,'','192.0.2.1',$7,$8)`,
				seq, begin+int64(i)*1000, fmt.Sprintf("doctor:%d", i%100), result, "Patient/"+who, "read Patient/"+who+"/1\n", who, []byte("0123456789abcdef")); err != nil {
				return err
			}
			if _, err := tx.Exec(t.Context(), `INSERT INTO audit_patient (patient, seq) VALUES ($1, $2)`, who, seq); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// TestPages: 12,000 rows are each shown once and in order, though others are
// written meanwhile; what is rare is found, over pages that may be empty.
func TestPages(t *testing.T) {
	engines(t, func(t *testing.T, d *desk) {
		const n = 12_000
		d.rows(t, n)
		an := citizen("golden-an", "Trần Văn Ẩn")
		seen, last := map[string]bool{}, "9999"
		path := "/AuditEvent?_count=400&subtype=read&agent-name=ung"
		for pages := 0; path != ""; pages++ {
			b := d.search(t, an, path)
			for _, e := range b.Entry {
				if seen[e.FullURL] {
					t.Fatalf("%s twice", e.FullURL)
				}
				_, at, _ := strings.Cut(string(e.Resource), `"recorded":"`)
				if at = at[:24]; at > last {
					t.Fatalf("%s after %s", at, last)
				}
				seen[e.FullURL], last = true, at
			}
			d.note(t, staff(trust.RoleDoctor, "25001"), trust.Treatment, store.Note{Action: "fhir.read", Patients: []string{"an-2"}}, nil)
			if path = b.next(); pages > n/400+2 {
				t.Fatal("pages without end")
			}
		}
		if len(seen) != n*9/10 {
			t.Errorf("%d rows, want %d", len(seen), n*9/10)
		}
		if b := d.search(t, an, "/AuditEvent?_summary=count&agent-name=ung"); len(b.Entry) != 0 || *b.Total != n*9/10 {
			t.Errorf("%d entries, total %d", len(b.Entry), *b.Total)
		}
		found := 0
		path = "/AuditEvent?outcome=12"
		for pages := 0; path != ""; pages++ {
			b := d.search(t, everything, path)
			if path = b.next(); pages == 0 && (len(b.Entry) != 0 || path == "") || pages > 3 {
				t.Fatalf("page %d has %d entries and next %q", pages, len(b.Entry), path)
			}
			found += len(b.Entry)
		}
		if found != 1 {
			t.Errorf("the fault is found %d times", found)
		}
		d.byAgent(t)
	})
}

// byAgent looks along the index of an agent.
func (d *desk) byAgent(t *testing.T) {
	b := d.search(t, everything, "/AuditEvent?_total=accurate&_count=10&agent:identifier=urn:ytso:account|doctor:7&patient=an-1&date=ge2020")
	if len(b.Entry) != 10 || *b.Total != 120 || b.next() == "" {
		t.Errorf("%d of %d", len(b.Entry), *b.Total)
	}
}

// TestCrowd: rows about very many persons make short pages, and none is lost.
func TestCrowd(t *testing.T) {
	engines(t, func(t *testing.T, d *desk) {
		for i := range 20 {
			var crowd []string
			for j := range 150 {
				crowd = append(crowd, fmt.Sprintf("p%d-%d", i, j))
			}
			d.note(t, staff(trust.RoleHospital, "25001"), trust.Treatment, store.Note{Action: "test.crowd", Patients: crowd}, nil)
		}
		found, pages := 0, 0
		for path := "/AuditEvent?subtype=test.crowd"; path != ""; pages++ {
			b := d.search(t, everything, path)
			found, path = found+len(b.Entry), b.next()
		}
		if found != 20 || pages != 3 {
			t.Errorf("%d rows on %d pages", found, pages)
		}
		// One of a crowd is told of the look, and nothing of the others.
		d.note(t, staff(trust.RoleHospital, "25001"), trust.Treatment, store.Note{Action: "test.crowd", Patients: []string{"an-1", "p0-1"}, Entity: "Group/g", Detail: "p0-1"}, nil)
		b := d.search(t, citizen("golden-an", "Ẩn"), "/AuditEvent?subtype=test.crowd")
		if len(b.Entry) != 1 || strings.Contains(string(b.Entry[0].Resource), "p0-1") || strings.Contains(string(b.Entry[0].Resource), "Group") {
			t.Errorf("%d rows: %s", len(b.Entry), line(b, "p0"))
		}
	})
}

// TestPlans: every way through the log goes along an index and sorts nothing.
func TestPlans(t *testing.T) {
	d := newDesk(t, sqlstore.Options{Dir: t.TempDir(), Key: bytes.Repeat([]byte{7}, 32)})
	a, err := trust.System(trust.JobIndex)
	if err != nil {
		t.Fatal(err)
	}
	for name, sql := range audit.Streams {
		var arg any = "x"
		if name == "all" || name == "one" {
			arg = int64(1)
		}
		if err := d.store.View(t.Context(), a, func(r store.Reader) error {
			rows, err := r.Query(t.Context(), `EXPLAIN QUERY PLAN `+sql, arg, int64(9), int64(9))
			if err != nil {
				return err
			}
			defer rows.Close()
			steps := 0
			for rows.Next() {
				var id, parent, unused int64
				var detail string
				if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
					return err
				}
				if steps++; !strings.HasPrefix(detail, "SEARCH") {
					t.Errorf("%s: %s", name, detail)
				}
			}
			if steps == 0 {
				t.Errorf("%s: no plan", name)
			}
			return rows.Err()
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestEveryAct: each request leaves one row, also those that fail, HEAD and
// what the caller has already (SECURITY.md attack case 39).
func TestEveryAct(t *testing.T) {
	engines(t, func(t *testing.T, d *desk) {
		p := machine("may-c", "25003")
		patient := `{"resourceType":"Patient","id":"c1","name":[{"text":"Phạm Thị Cẩm"}]}`
		for _, x := range []struct {
			method, path, body string
			header             []string
			code               int
			subtype, outcome   string
			rows               int
		}{
			{"PUT", "/Patient/c1", patient, nil, 201, "update", "0", 1},
			{"GET", "/Patient/c1", "", nil, 200, "read", "0", 1},
			{"HEAD", "/Patient/c1", "", nil, 200, "read", "0", 1},
			{"GET", "/Patient/c1", "", []string{"If-None-Match", `W/"1"`}, 304, "read", "0", 1},
			{"GET", "/Patient/c1/_history", "", nil, 200, "history-instance", "0", 1},
			{"GET", "/Patient?name=cam", "", nil, 200, "search-type", "0", 1},
			{"POST", "/Patient/_search?name=cam", "", nil, 200, "search-type", "0", 1},
			{"GET", "/Patient/c2", "", nil, 404, "read", "4", 1},
			{"GET", "/Basic/c2", "", nil, 403, "read", "8", 1},
			{"DELETE", "/Patient/c1", "", nil, 403, "delete", "8", 1},
			{"PUT", "/Patient/c1", patient, []string{"If-Match", `W/"7"`}, 412, "update", "4", 1},
			{"PUT", "/Patient/c1", `{"resourceType":"Patient","id":"c1","nonsense":1}`, nil, 400, "", "4", 1},
			{"PUT", "/Patient/c1", `{"resourceType"`, nil, 400, "", "4", 1},
			{"GET", "/Patient?nonsense=1", "", nil, 400, "", "4", 1},
			{"GET", "/Nonsense", "", nil, 404, "", "4", 1},
			{"PUT", "/AuditEvent/1", `{"resourceType":"AuditEvent","id":"1"}`, nil, 405, "", "4", 1},
			{"GET", "/AuditEvent", "", nil, 200, "search-type", "0", 1},
			{"POST", "/", `{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"Patient/c1"}},{"request":{"method":"GET","url":"Patient/none"}},{"request":{"method":"GET","url":"Nonsense"}}]}`, nil, 200, "", "4", 3},
			{"POST", "/", `{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"GET","url":"Patient/c1"}}]}`, nil, 200, "transaction", "0", 1},
		} {
			before := d.count(t, p)
			if code, body := d.ask(t, p, x.method, x.path, x.body, x.header...); code != x.code {
				t.Errorf("%s %s: %d %s", x.method, x.path, code, body)
			}
			if got := d.count(t, p) - before; got != x.rows {
				t.Errorf("%s %s leaves %d rows, want %d", x.method, x.path, got, x.rows)
			}
			newest := string(d.search(t, everything, "/AuditEvent?_count=1&agent:identifier=urn:ytso:account|may-c").Entry[0].Resource)
			if x.subtype != "" && !strings.Contains(newest, `"code":"`+x.subtype+`"`) || !strings.Contains(newest, `"outcome":"`+x.outcome+`"`) || !strings.Contains(newest, "req-may-c") {
				t.Errorf("%s %s leaves %s", x.method, x.path, newest)
			}
			if strings.Contains(newest, "cam") || strings.Contains(newest, "Cẩm") {
				t.Errorf("%s %s keeps a name: %s", x.method, x.path, newest)
			}
		}
		// The look at the log is in the log, and about whom it showed.
		d.search(t, everything, "/AuditEvent?patient=c1")
		if b := d.search(t, everything, "/AuditEvent?patient=c1&agent:identifier=urn:ytso:account|token/1"); len(b.Entry) == 0 {
			t.Error("the operator's look at the log is not about the patient")
		}
	})
}

func (d *desk) count(t *testing.T, p trust.Principal) int {
	t.Helper()
	return *d.search(t, everything, "/AuditEvent?_summary=count&agent:identifier=urn:ytso:account|"+p.Agent.ID).Total
}

// BenchmarkPage is a citizen's newest page of 50 among 10,000 rows, and an operator's.
func BenchmarkPage(b *testing.B) {
	d := newDesk(b, sqlstore.Options{Dir: b.TempDir(), Key: bytes.Repeat([]byte{7}, 32)})
	d.rows(b, 10_000)
	for name, p := range map[string]trust.Principal{"citizen": citizen("golden-an", "Ẩn"), "operator": everything} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				r := httptest.NewRequestWithContext(trust.With(b.Context(), p), "GET", "/AuditEvent?subtype=read", nil)
				w := httptest.NewRecorder()
				if err := d.server.Handler(w, r); err != nil || w.Code != 200 {
					b.Fatal(err, w.Code)
				}
			}
		})
	}
}
