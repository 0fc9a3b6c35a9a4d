package province

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/store/storetest"
	"github.com/ytso/ytso/internal/platform/clock"
	"github.com/ytso/ytso/internal/platform/i18n"
	"github.com/ytso/ytso/internal/sqlstore"
	"github.com/ytso/ytso/internal/sqlstore/pgtest"
	"github.com/ytso/ytso/internal/trust"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// house is the room with its store, seen by the department.
type house struct {
	s   *sqlstore.Store
	mux *http.ServeMux
	cat *i18n.Catalogue
}

var now = time.Date(2026, 3, 20, 9, 0, 0, 0, clock.VietNam)

// places names facilities as the register does; 25999 is not in it.
type places struct{}

func (places) Names(_ context.Context, _ store.Reader, codes ...string) (map[string]string, error) {
	known := map[string]string{"25001": "Bệnh viện đa khoa tỉnh Ví Dụ", "25901": "Trạm y tế xã Suối Mây"}
	out := map[string]string{}
	for _, c := range codes {
		if known[c] != "" {
			out[c] = known[c]
		}
	}
	return out, nil
}

// nobody expands no one: the department is no citizen.
type nobody struct{}

func (nobody) Expand(context.Context, string) ([]string, error) { return nil, nil }

func open(t testing.TB, o sqlstore.Options) *house {
	t.Helper()
	s, err := sqlstore.Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	r := New(Deps{Store: s, Gate: trust.NewGate(nobody{}), Facilities: places{}, Clock: clock.Fixed(now)}).Room()
	h := &house{s: s, mux: http.NewServeMux()}
	if h.cat, err = i18n.Load(r.Messages); err != nil {
		t.Fatal(err)
	}
	for _, route := range r.Routes {
		if !slices.Equal(route.Who.Roles, []string{trust.RoleDepartment}) || route.Who.Open {
			t.Errorf("%s lets in %+v", route.Pattern, route.Who)
		}
		h.mux.HandleFunc(route.Pattern, func(w http.ResponseWriter, q *http.Request) {
			if err := route.Handler(w, q); err != nil {
				http.Error(w, err.Error(), outcome.KindOf(err).Status())
			}
		})
	}
	return h
}

func lite(t testing.TB) *house {
	return open(t, sqlstore.Options{Dir: t.TempDir(), Key: bytes.Repeat([]byte{7}, 32)})
}

func engines(t *testing.T, f func(t *testing.T, h *house)) {
	t.Run("sqlite", func(t *testing.T) { f(t, lite(t)) })
	t.Run("postgres", func(t *testing.T) { f(t, open(t, sqlstore.Options{URL: pgtest.URL(t)})) })
}

func (h *house) ask(t testing.TB, role, path string) *httptest.ResponseRecorder {
	t.Helper()
	ctx := trust.With(context.Background(), trust.Principal{Agent: store.Agent{Kind: store.Staff, ID: "so-y-te", Role: role}})
	w := httptest.NewRecorder()
	h.mux.ServeHTTP(w, httptest.NewRequest("GET", path, nil).WithContext(h.cat.Bind(ctx, i18n.VI)))
	return w
}

// page asks as the department and gives the page; anything but 200 fails.
func (h *house) page(t testing.TB, path string) *html.Node {
	t.Helper()
	w := h.ask(t, trust.RoleDepartment, path)
	if w.Code != http.StatusOK {
		t.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	n, err := html.Parse(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, class string) bool {
	return slices.Contains(strings.Fields(attr(n, "class")), class)
}

func words(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// numbers gives every number of a page that opens: address → value. The same address must not show two values.
func numbers(t testing.TB, page *html.Node) map[string]int {
	t.Helper()
	out := map[string]int{}
	for n := range page.Descendants() {
		if n.Data != "a" || !strings.HasPrefix(attr(n, "href"), pathVisits+"?") && !strings.HasPrefix(attr(n, "href"), pathPersons+"?") {
			continue
		}
		_, text, _ := strings.Cut(attr(n, "aria-label"), ": ") // of a bar
		for d := range n.Descendants() {
			if has(d, "figure-value") {
				text = words(d)
			}
		}
		v, err := strconv.Atoi(strings.ReplaceAll(text, ".", ""))
		if err != nil {
			t.Fatalf("%q is no number", text)
		}
		if old, twice := out[attr(n, "href")]; twice && old != v {
			t.Errorf("%s: %d and %d", attr(n, "href"), old, v)
		}
		out[attr(n, "href")] = v
	}
	return out
}

// rows counts the rows of a list over all its pages, and of its file.
func (h *house) rows(t testing.TB, href string) (list, file int) {
	t.Helper()
	download := ""
	for href != "" {
		page := h.page(t, href)
		href = ""
		for n := range page.Descendants() {
			switch {
			case n.Data == "tr" && n.Parent.Data == "tbody":
				list++
			case n.Data == "a" && attr(n, "rel") == "next":
				href = attr(n, "href")
			case n.Data == "a" && strings.Contains(attr(n, "href"), ".csv?"):
				download = attr(n, "href")
			}
		}
	}
	if download == "" {
		return list, 0
	}
	w := h.ask(t, trust.RoleDepartment, download)
	text, marked := strings.CutPrefix(w.Body.String(), "\ufeff")
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || !marked || w.Code != http.StatusOK {
		t.Fatalf("%s: %d, %v", download, w.Code, err)
	}
	return list, len(lines) - 1
}

// visit writes an Encounter.
type visit struct{ status, start, end, place, kind string }

func (v visit) body() string {
	var b strings.Builder
	fmt.Fprintf(&b, `{"resourceType":"Encounter","status":%q,"class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB"}`, v.status)
	b.WriteString(`,"reasonCode":[{"text":"Ho và sốt"}],"diagnosis":[{"condition":{"display":"Nhiễm khuẩn hô hấp"}}],"subject":{"reference":"Patient/p1","display":"Lò Thị Ví Dụ"}`)
	if v.start+v.end != "" {
		b.WriteString(`,"period":{`)
		if v.start != "" {
			fmt.Fprintf(&b, `"start":%q`, v.start)
		}
		if v.end != "" {
			fmt.Fprintf(&b, `%s"end":%q`, strings.Repeat(",", min(len(v.start), 1)), v.end)
		}
		b.WriteString(`}`)
	}
	if v.place != "" {
		fmt.Fprintf(&b, `,"serviceProvider":{"identifier":{"system":%q,"value":%q}}`, element.MACSKCB, v.place)
	}
	if v.kind != "" {
		b.WriteString(`,"type":[`)
		for i, k := range strings.Fields(v.kind) {
			fmt.Fprintf(&b, `%s{"coding":[{"system":%q,"code":%q}]}`, strings.Repeat(",", min(i, 1)), kindSystem, k)
		}
		b.WriteString(`]`)
	}
	return b.String() + `}`
}

func (h *house) put(t testing.TB, list []store.Draft) {
	t.Helper()
	for some := range slices.Chunk(list, 200) {
		var ready []*store.Prepared
		for _, d := range some {
			p, err := h.s.Prepare(d)
			if err != nil {
				t.Fatal(err)
			}
			ready = append(ready, p)
		}
		err := h.s.Update(context.Background(), storetest.All, func(tx store.Tx) error {
			for _, p := range ready {
				if _, err := tx.Put(context.Background(), p); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func draft(typ, body string) store.Draft {
	return store.Draft{Key: store.Key{Type: typ}, Body: []byte(body), Owner: "25001"}
}

// fill writes the visits of a year at its edges, some persons, and a register of two facilities.
func (h *house) fill(t testing.TB) (began map[string]int) {
	t.Helper()
	list := []visit{
		{"finished", "2025-01-01T00:00:00+07:00", "2025-01-01T01:00:00+07:00", "25001", "01"}, // the first minute of the year
		{"finished", "2024-12-31T23:59:00+07:00", "2025-01-02T08:00:00+07:00", "25001", "03"}, // over the turn of the year: belongs to 2024
		{"finished", "2025-01-31T23:59:00+07:00", "2025-02-03T09:00:00+07:00", "25901", "03"}, // over the turn of the month
		{"finished", "2025-01-20T09:00:00+07:00", "2025-05-20T09:00:00+07:00", "25001", "03"}, // over several months
		{"finished", "2025-02-28T17:00:00Z", "2025-02-28T18:00:00Z", "25901", "01"},           // midnight of 1 March in Viet Nam
		{"in-progress", "2025-03-05T10:00:00+07:00", "", "25901", "05"},                       // not over yet
		{"finished", "2025-04-30", "2025-04-30", "25999", "01"},                               // a day, a facility outside the register
		{"finished", "2025-06-10T10:00:00+07:00", "2025-06-10T10:30:00+07:00", "", "01"},      // no facility
		{"finished", "2025-06-11T10:00:00+07:00", "2025-06-11T10:30:00+07:00", "25001", ""},   // no kind
		{"finished", "2025-06-12T10:00:00+07:00", "2025-06-12T10:30:00+07:00", "25001", "77"}, // a kind outside the list
		{"finished", "2025-12-31T23:59:00+07:00", "2026-01-01T08:00:00+07:00", "25001", "01"}, // the last minute
		{"finished", "2026-01-01T00:00:00+07:00", "2026-01-01T02:00:00+07:00", "25001", "01"}, // the next year
		{"planned", "2025-07-01T08:00:00+07:00", "", "25001", "01"},                           // these three are no visits
		{"cancelled", "2025-07-02T08:00:00+07:00", "", "25001", "01"},
		{"entered-in-error", "2025-07-03T08:00:00+07:00", "", "25001", "01"},
		{"finished", "", "2025-08-01T08:00:00+07:00", "25001", "01"}, // nobody knows when these two began
		{"finished", "", "", "25001", "01"},
	}
	for i := range 130 { // more than two pages
		list = append(list, visit{"finished", fmt.Sprintf("2025-09-%02dT%02d:15:00+07:00", 1+i%30, 7+i%9), fmt.Sprintf("2025-09-%02dT%02d:45:00+07:00", 1+i%30, 7+i%9), []string{"25001", "25901", "25998"}[i%3], []string{"01", "05"}[i%2]})
	}
	began = map[string]int{"2025-01": 3, "2025-03": 2, "2025-04": 1, "2025-06": 3, "2025-09": 130, "2025-12": 1}
	drafts := []store.Draft{draft("Patient", `{"resourceType":"Patient","birthDate":"1960-05-01","name":[{"text":"Lò Thị Ví Dụ"}]}`)}
	for _, v := range list {
		drafts = append(drafts, draft("Encounter", v.body()))
	}
	for i := range 57 {
		drafts = append(drafts, draft("Patient", fmt.Sprintf(`{"resourceType":"Patient","meta":{"tag":[{"system":"urn:ytso:tag","code":"golden"}]},
			"identifier":[{"system":%q,"value":"0251600%05d"}],"name":[{"text":"Lò Thị Ví Dụ"}],"gender":"female","birthDate":"%d-05-01"}`, element.CCCD, i, 1930+i)))
	}
	for _, c := range []string{"25001", "25901"} {
		drafts = append(drafts, draft("Organization", fmt.Sprintf(`{"resourceType":"Organization","identifier":[{"system":%q,"value":%q}],"name":"x"}`, element.MACSKCB, c)))
	}
	h.put(t, drafts)
	return began
}

// TestNumberIsItsList: every number on the page opens to a list that has exactly so many rows, on the page and in the file.
func TestNumberIsItsList(t *testing.T) {
	engines(t, func(t *testing.T, h *house) {
		h.fill(t)
		for path, least := range map[string]int{
			pathHome: 13, pathHome + "?ky=2025": 13, pathHome + "?ky=2025-Q2": 13, pathHome + "?ky=2025-09": 13, pathHome + "?ky=2025&co-so=25901": 13,
			pathHome + "?ky=2025&co-so=25998": 13, pathHome + "?tu=2025-01-31&den=2025-06-11": 13, pathHome + "?ky=1999": 3, // no chart of nothing
		} {
			all := numbers(t, h.page(t, path))
			if len(all) < least {
				t.Errorf("%s has %d numbers that open", path, len(all))
			}
			for href, n := range all {
				if list, file := h.rows(t, href); list != n || file != n {
					t.Errorf("%s shows %d; %s lists %d, the file has %d", path, n, href, list, file)
				}
			}
		}
	})
}

// TestVisitBelongsToOneMonth: a stay over the end of a month or year counts once, where it began; months add up to the year.
func TestVisitBelongsToOneMonth(t *testing.T) {
	engines(t, func(t *testing.T, h *house) {
		began := h.fill(t)
		got, sum := map[string]int{}, 0
		all := numbers(t, h.page(t, pathHome+"?ky=2025"))
		for _, m := range around(year, day(2025, 5, 1)).months() {
			n, ok := all[visitsIn(m).href()]
			if !ok {
				t.Fatalf("no number for %v", m)
			}
			if n > 0 {
				got[m.from.Format("2006-01")] = n
			}
			sum += n
		}
		if !maps.Equal(got, began) {
			t.Errorf("by month %v, want %v", got, began)
		}
		if y := all[visitsIn(around(year, day(2025, 5, 1))).href()]; y != sum || y != 140 {
			t.Errorf("the year has %d, its months %d, want 140", y, sum)
		}
		quarters := 0
		for q := range 4 {
			p := around(quarter, day(2025, time.Month(3*q+1), 1))
			quarters += numbers(t, h.page(t, string(home(p, ""))))[visitsIn(p).href()]
		}
		if quarters != sum {
			t.Errorf("the quarters have %d", quarters)
		}
	})
}

// TestPartsAddUp: facilities and kinds make up the whole, also those that no register or list has, and those that are not given.
func TestPartsAddUp(t *testing.T) {
	engines(t, func(t *testing.T, h *house) {
		h.fill(t)
		whole := visitsIn(around(year, day(2025, 5, 1)))
		all := numbers(t, h.page(t, pathHome+"?ky=2025"))
		for what, want := range map[string]map[string]int{
			"place": {
				whole.at("25001").href(): 6 + 44 - 1, whole.at("25901").href(): 3 + 43, whole.at("25998").href(): 43,
				whole.at("25999").href(): 1, whole.with(keyPlace0, "true").href(): 1,
			},
			"kind": {
				whole.with(keyType, kindSystem+"|01").href(): 5 + 65, whole.with(keyType, kindSystem+"|03").href(): 2,
				whole.with(keyType, kindSystem+"|05").href(): 1 + 65, whole.with(keyType, kindSystem+"|77").href(): 1, whole.with(keyType0, "true").href(): 1,
			},
		} {
			sum := 0
			for href, n := range want {
				if all[href] != n {
					t.Errorf("%s %s: %d, want %d", what, href, all[href], n)
				}
				sum += all[href]
			}
			if sum != all[whole.href()] {
				t.Errorf("%ss add up to %d of %d", what, sum, all[whole.href()])
			}
		}
		if text := words(h.page(t, pathHome+"?ky=2025")); !strings.Contains(text, "Cơ sở 25998") || !strings.Contains(text, "Loại hình 77") || strings.Contains(text, "Tổng các dòng khác") {
			t.Errorf("names: %s", text)
		}
		h.put(t, []store.Draft{draft("Encounter", visit{"finished", "2025-10-01T08:00:00+07:00", "", "25001", "01 03"}.body())})
		if text := words(h.page(t, pathHome+"?ky=2025-10")); !strings.Contains(text, "Tổng các dòng khác tổng số lượt") {
			t.Errorf("a visit of two kinds: %s", text)
		}
	})
}

// TestListsTellNoFindings: neither page nor file holds a name, a number or a finding; the audit row says what was looked at.
func TestListsTellNoFindings(t *testing.T) {
	h := lite(t)
	h.fill(t)
	for _, path := range []string{
		pathHome, visitsIn(around(year, day(2025, 5, 1))).href(), strings.Replace(visitsIn(around(year, day(2025, 5, 1))).href(), "?", ".csv?", 1),
		books().href(), strings.Replace(books().href(), "?", ".csv?", 1),
	} {
		body := h.ask(t, trust.RoleDepartment, path).Body.String()
		for _, secret := range []string{"Lò Thị", "0251600", "Nhiễm khuẩn", "Ho và sốt", "Patient/", "p1\""} {
			if strings.Contains(body, secret) {
				t.Errorf("%s shows %q", path, secret)
			}
		}
	}
	var seen []string
	err := h.s.View(t.Context(), storetest.All, func(r store.Reader) error {
		rows, err := r.Query(t.Context(), `SELECT action, detail, purpose FROM audit WHERE agent = $1 ORDER BY seq`, "so-y-te")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var action, detail, purpose string
			if err := rows.Scan(&action, &detail, &purpose); err != nil {
				return err
			}
			if purpose != trust.Operations || !strings.Contains(detail, "?") {
				t.Errorf("%s %s %s", action, detail, purpose)
			}
			seen = append(seen, action)
		}
		return rows.Err()
	})
	if want := []string{"province.figures", "province.list", "province.export", "province.list", "province.export"}; err != nil || !slices.Equal(seen, want) {
		t.Errorf("audit %v, want %v, %v", seen, want, err)
	}
}

// TestDefaultPeriod: the last month that is over and has visits.
func TestDefaultPeriod(t *testing.T) {
	h := lite(t)
	for _, step := range []struct{ add, want string }{
		{"", "Tháng 3/2026"},                          // nothing yet: this month
		{"2026-03-02T08:00:00+07:00", "Tháng 3/2026"}, // only this month has any
		{"2025-11-30T08:00:00+07:00", "Tháng 3/2026"}, // the month before has none
		{"2026-02-10T08:00:00+07:00", "Tháng 2/2026"},
		{"2027-01-01T08:00:00+07:00", "Tháng 2/2026"}, // a slip in the future does not count
	} {
		if step.add != "" {
			h.put(t, []store.Draft{draft("Encounter", visit{status: "finished", start: step.add}.body())})
		}
		for n := range h.page(t, pathHome).Descendants() {
			if n.Data == "h2" {
				if words(n) != step.want {
					t.Errorf("after %q: %s, want %s", step.add, words(n), step.want)
				}
				break
			}
		}
	}
}

func TestPeriods(t *testing.T) {
	for _, tt := range []struct{ query, from, last, before, after string }{
		{"ky=2026-02", "2026-02-01", "2026-02-28", "ky=2026-01", "ky=2026-03"},
		{"ky=2025-12", "2025-12-01", "2025-12-31", "ky=2025-11", "ky=2026-01"},
		{"ky=2026-Q1", "2026-01-01", "2026-03-31", "ky=2025-Q4", "ky=2026-Q2"},
		{"ky=2024", "2024-01-01", "2024-12-31", "ky=2023", "ky=2025"},
		{"tu=2026-01-05&den=2026-01-11", "2026-01-05", "2026-01-11", "den=2026-01-04&tu=2025-12-29", "den=2026-01-18&tu=2026-01-12"},
		{"tu=2026-01-05&den=2026-01-05", "2026-01-05", "2026-01-05", "den=2026-01-04&tu=2026-01-04", "den=2026-01-06&tu=2026-01-06"},
	} {
		v := httptest.NewRequest("GET", "/?"+tt.query, nil).URL.Query()
		p, ok, err := periodOf(v)
		if err != nil || !ok {
			t.Fatalf("%s: %v", tt.query, err)
		}
		if same, _, err := periodOf(url.Values{"tu": {tt.from}, "den": {tt.last}}); err != nil || same != p {
			t.Errorf("%s to %s is %+v, %v", tt.from, tt.last, same, err)
		}
		got := []string{p.from.Format(time.DateOnly), p.last().Format(time.DateOnly), p.before().values().Encode(), p.after().values().Encode(), p.values().Encode()}
		if want := []string{tt.from, tt.last, tt.before, tt.after, v.Encode()}; !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", tt.query, got, want)
		}
	}
}

// TestRefusals: what is not asked for rightly, or by somebody else, is refused and widens nothing.
func TestRefusals(t *testing.T) {
	h := lite(t)
	h.fill(t)
	for path, want := range map[string]int{
		pathHome + "?ky=2026-13": 422, pathHome + "?ky=2026-Q5": 422, pathHome + "?ky=x": 422, pathHome + "?tu=2026-01-05": 422,
		pathHome + "?tu=2026-02-01&den=2026-01-01": 422, pathHome + "?tu=0001-01-01&den=2026-01-01": 422,
		pathVisits: 400, pathVisits + "?subject=Patient/p1": 400, pathVisits + "?date=sa2025-01-01&subject=Patient/p1": 400, pathVisits + "?date=xx": 400,
		pathVisits + "?date=sa2025-01-01&_cursor=zz": 400, pathVisits + ".csv": 400, pathPersons: 400, pathPersons + "?name=Lo": 400,
		pathPersons + ".csv?identifier=0251600": 400,
	} {
		if w := h.ask(t, trust.RoleDepartment, path); w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
	for _, role := range []string{trust.RoleCitizen, trust.RoleAdmin, trust.RoleMachine, "stranger"} {
		if w := h.ask(t, role, pathHome); w.Code == http.StatusOK {
			t.Errorf("%s sees the figures", role)
		}
	}
	if w := h.ask(t, trust.RoleHospital, visitsIn(around(year, day(2025, 5, 1))).href()); w.Code != http.StatusForbidden {
		t.Errorf("a hospital without a facility: %d", w.Code)
	}
}

func TestPercent(t *testing.T) {
	for _, tt := range []struct {
		n, whole int
		want     string
	}{{1, 3, "33,3 %"}, {2, 3, "66,7 %"}, {1, 2000, "0,1 %"}, {1, 2001, "0,0 %"}, {5, 5, "100,0 %"}} {
		if got := percent(tt.n, tt.whole); got != tt.want {
			t.Errorf("%d of %d: %s, want %s", tt.n, tt.whole, got, tt.want)
		}
	}
}
