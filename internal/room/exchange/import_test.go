package exchange

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ytso/ytso/internal/sqlstore"
	"github.com/ytso/ytso/internal/trust"
)

const ndjsonType = "Content-Type: application/fhir+ndjson"

// TestImport: what is right is written, what is wrong is told by its line, and
// a second time nothing changes; broken off between pieces it goes on.
func TestImport(t *testing.T) {
	engines(t, func(t *testing.T, o sqlstore.Options) {
		b := open(t, o)
		var body strings.Builder
		const n = 900
		for i := range n {
			switch i {
			case 10:
				body.WriteString("{\"resourceType\":\"Patient\"}\n")
			case 11:
				body.WriteString("{\"resourceType\":\"Patient\",\"id\":\"x\",\"nonsense\":1}\n")
			case n - 2:
				body.WriteString("{\"resourceType\":\"Subscription\",\"id\":\"x\",\"status\":\"requested\"}\n")
			case n - 1:
				body.WriteString("{broken")
			default:
				fmt.Fprintf(&body, `{"resourceType":"Patient","id":"p%d","name":[{"text":"Trần Văn Thử %s"}]}`+"\n", i, strings.Repeat("á", 3500))
			}
		}
		w := operator.do(b, "POST", "/fhir/$import", body.String(), "Prefer: respond-async", ndjsonType)
		if w.Code != 202 {
			t.Fatal(w.Code, w.Body)
		}
		at := strings.TrimPrefix(w.Header().Get("Content-Location"), "http://example.com")
		if parts := b.count(`SELECT COUNT(*) FROM exchange_part`); parts != 2 {
			t.Fatalf("%d pieces", parts)
		}
		j, err := b.take(t.Context())
		if err != nil || j == nil {
			t.Fatal(j, err)
		}
		st, err := b.importSlice(t.Context(), j)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.advance(t.Context(), j, st); err != nil {
			t.Fatal(err)
		}
		b.clock.forward(2 * leaseOfStep)
		b.renew(b.Deps) // the process dies between the pieces
		b.run()
		var m struct {
			Error []struct {
				Type, URL string
				Count     int
			}
		}
		operator.wait(b, at)
		w = operator.do(b, "GET", at, "")
		decode(t, w.Body.Bytes(), &m)
		if len(m.Error) != 1 || m.Error[0].Count != 4 {
			t.Fatalf("%s", w.Body)
		}
		told := operator.do(b, "GET", strings.TrimPrefix(m.Error[0].URL, "http://example.com"), "").Body.String()
		for _, text := range []string{`"line 11"`, `"line 12"`, fmt.Sprintf(`"line %d"`, n-1), fmt.Sprintf(`"line %d"`, n), "without id", "nonsense"} {
			if !strings.Contains(told, text) {
				t.Errorf("%q is not told: %s", text, told)
			}
		}
		keys, _ := operator.load(b, operator.wait(b, operator.export(b, "/fhir/$export?_type=Patient")))
		if len(keys) != n-4 {
			t.Errorf("%d stand", len(keys))
		}
		if w := operator.do(b, "GET", strings.Replace(m.Error[0].URL, "http://example.com", "", 1)+"x", ""); w.Code != 404 {
			t.Errorf("%d", w.Code)
		}
	})
}

// TestImportRefusals: only the operator, only the file itself, and nothing is left of what was refused.
func TestImportRefusals(t *testing.T) {
	b := open(t, sqlstore.Options{Dir: t.TempDir(), Key: make([]byte, 32)})
	line := patient("p1")
	line = strings.ReplaceAll(line, "\n", "")
	for _, tt := range []struct {
		as     caller
		body   string
		header []string
		status int
	}{
		{sender, line, []string{"Prefer: respond-async", ndjsonType}, 403},
		{caller{trust.RoleMachine, "token/3", "25001", "system/*.cruds"}, line, []string{"Prefer: respond-async", ndjsonType}, 403},
		{caller{role: trust.RoleAdmin, id: "admin"}, line, []string{"Prefer: respond-async", ndjsonType}, 403},
		{operator, line, []string{ndjsonType}, 400},
		{operator, `{"resourceType":"Parameters","parameter":[{"name":"input","part":[{"name":"url","valueUrl":"http://169.254.169.254/"}]}]}`, []string{"Prefer: respond-async"}, 400},
		{operator, "", []string{"Prefer: respond-async", ndjsonType}, 400},
		{operator, strings.Repeat("x", maxLine+2), []string{"Prefer: respond-async", ndjsonType}, 413},
	} {
		if w := tt.as.do(b, "POST", "/fhir/$import", tt.body, tt.header...); w.Code != tt.status {
			t.Errorf("%+v %v: %d %s", tt.as, tt.header, w.Code, w.Body)
		}
	}
	if n := b.count(`SELECT (SELECT COUNT(*) FROM exchange_job) + (SELECT COUNT(*) FROM exchange_part)`); n != 0 {
		t.Errorf("%d rows are left", n)
	}
	// A token that reads only writes nothing, and is told for each line.
	reads := caller{trust.RoleMachine, "token/4", "", "system/*.rs"}
	w := reads.do(b, "POST", "/fhir/$import", line, "Prefer: respond-async", ndjsonType)
	if w.Code != 202 {
		t.Fatal(w.Code)
	}
	b.run()
	at := strings.TrimPrefix(w.Header().Get("Content-Location"), "http://example.com")
	reads.wait(b, at)
	if w := reads.do(b, "GET", at, ""); !strings.Contains(w.Body.String(), `"error":[{`) {
		t.Errorf("%s", w.Body)
	}
	if n := b.count(`SELECT COUNT(*) FROM ids`); n != 0 {
		t.Error("it wrote")
	}
}
