package app

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ytso/ytso/internal/platform/httpx"
	"github.com/ytso/ytso/internal/room/door"
	"github.com/ytso/ytso/internal/synth"
	"github.com/ytso/ytso/internal/trust"
	"github.com/ytso/ytso/vn/claim"
)

// open are the routes that need no sign-in, as DESIGN.md §4 names them, with
// the door's own steps and the files that pages load; the last two are those of a demonstration.
var open = []string{
	"GET /healthz", "GET /readyz", "GET /fhir/metadata", "POST /api/token/take", "GET /static/{path...}",
	"GET /{$}", "POST /vao", "GET /vao/{token}", "POST /vao/{token}", "POST /ra", "POST /ngon-ngu",
	"GET /tien-do", "POST /thu/{n}",
}

var hole = regexp.MustCompile(`\{[^}]*\}`)

// address makes an address that a pattern matches.
func addressOf(pattern string) (method, path string) {
	method, path, _ = strings.Cut(pattern, " ")
	return method, hole.ReplaceAllString(strings.Replace(path, "{$}", "", 1), "1")
}

func demoNode(t *testing.T) *Node {
	t.Helper()
	p := newPlace(t, "sqlite")
	if err := p.settle(); err != nil {
		t.Fatal(err)
	}
	o := p.options(Streams{Err: testLog{t}})
	o.Tour = func(context.Context) *door.Tour { return &door.Tour{} }
	n, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n
}

// TestClosedRoutes: without credentials nothing opens but the list. A page
// leads to the door, an interface answers 401.
func TestClosedRoutes(t *testing.T) {
	n := demoNode(t)
	web := newWeb(t, n)
	stay := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	var opened []string
	for _, r := range n.routes {
		if r.Who.Open {
			opened = append(opened, r.Pattern)
			continue
		}
		method, path := addressOf(r.Pattern)
		if method == "" || len(r.Who.Roles) == 0 {
			t.Errorf("%s names no method or nobody", r.Pattern)
			continue
		}
		req, err := http.NewRequestWithContext(t.Context(), method, web.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept", "text/html")
		resp, err := stay.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		page := method == http.MethodGet && !strings.HasPrefix(path, "/api/") && !strings.HasPrefix(path+"/", "/fhir/")
		led := resp.StatusCode == http.StatusSeeOther && resp.Header.Get("Location") == "/?den="+url.QueryEscape(path)
		if page && !led || !page && resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: %s to %q", r.Pattern, resp.Status, resp.Header.Get("Location"))
		}
	}
	want := slices.Sorted(slices.Values(open))
	slices.Sort(opened)
	if !slices.Equal(opened, want) {
		t.Errorf("open are\n%q, DESIGN.md §4 lists\n%q", opened, want)
	}
}

// TestTourIsOfTheDemonstrationOnly: a server that is none signs nobody in without a link.
func TestTourIsOfTheDemonstrationOnly(t *testing.T) {
	n := openNode(t, newPlace(t, "sqlite"))
	for _, r := range n.routes {
		if r.Pattern == "GET /tien-do" || r.Pattern == "POST /thu/{n}" {
			t.Errorf("%s is served", r.Pattern)
		}
	}
	if len(n.routes) < 20 {
		t.Errorf("%d routes", len(n.routes))
	}
}

// browser is a person at a browser: cookies, HTML, one language.
type browser struct {
	*http.Client
	t    testing.TB
	base string
}

func newBrowser(t testing.TB, base string) browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return browser{&http.Client{Jar: jar, Timeout: time.Minute}, t, base}
}

// signIn opens a one-time link and confirms it, and gives the page it leads to.
func (b browser) signIn(path string) (at, body string) {
	b.t.Helper()
	if status, body := get(b.t, b.Client, b.base+path); status != http.StatusOK {
		b.t.Fatalf("the link answers %d: %s", status, body)
	}
	resp, err := b.PostForm(b.base+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	resp.Body.Close()
	at = resp.Request.URL.Path
	status, body := get(b.t, b.Client, b.base+at)
	if resp.StatusCode != http.StatusOK || status != http.StatusOK {
		b.t.Fatalf("signing in leads to %s: %d", at, resp.StatusCode)
	}
	return at, body
}

// fill sends a small province in and gives the first person's golden id.
func fill(t testing.TB, n *Node, people int, until time.Time) (p *synth.Province, golden string) {
	t.Helper()
	p = synth.New(synth.Options{People: people, Until: until})
	f := &inflow{node: n, province: p}
	if err := f.register(t.Context()); err != nil {
		t.Fatal(err)
	}
	for file := range p.Files() {
		body, err := claim.Encode(file.Claim)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := n.Receive(t.Context(), parcel{Facility: file.Facility, Name: file.Name, Body: body}); err != nil {
			t.Fatal(err)
		}
	}
	n.claims.Drain()
	return p, goldenOf(t, f, p.Person(0))
}

// goldenOf finds a person who has arrived.
func goldenOf(t testing.TB, f *inflow, who *synth.Person) string {
	t.Helper()
	found, err := newGuide(f, 1).find(t.Context(), []*synth.Person{who})
	if err != nil || found[who.Index] == "" {
		t.Fatalf("person %d has not arrived: %v", who.Index, err)
	}
	return found[who.Index]
}

var september = time.Date(2025, 9, 1, 0, 0, 0, 0, claim.VietNam)

// TestRoleTable: each role at each route. Who is named enters, or is told
// that there is no such record or what the address lacks; everybody else is refused.
func TestRoleTable(t *testing.T) {
	n := openNode(t, newPlace(t, "sqlite"))
	web := newWeb(t, n)
	base := strings.Replace(web.URL, "127.0.0.1", "localhost", 1)
	_, golden := fill(t, n, 1, september)
	for _, role := range linkRoles {
		l := linkFor{Role: role, Name: "Người Thử"}
		switch role {
		case trust.RoleCitizen:
			l.Person = golden
		case trust.RoleDoctor, trust.RoleStation, trust.RoleHospital:
			l.Facility = "25001"
		}
		got, err := n.SignInLink(t.Context(), l)
		if err != nil {
			t.Fatal(err)
		}
		b := newBrowser(t, base)
		b.signIn(got.Path)
		for _, r := range n.routes {
			method, path := addressOf(r.Pattern)
			named := slices.Contains(r.Who.Roles, role)
			if r.Who.Open || method != http.MethodGet && named { // what changes something is tested in its room
				continue
			}
			status, body := knock(t, b.Client, method, base+path, nil)
			in := status == http.StatusOK || status == http.StatusNotFound || status == http.StatusBadRequest || status == http.StatusUnprocessableEntity
			if named != in || !named && status != http.StatusForbidden {
				t.Errorf("%s at %s: %d %.300s", role, r.Pattern, status, body)
			}
			if status == http.StatusOK && strings.Contains(body, "href=\"/ra\"") {
				t.Errorf("%s: leaving is a GET", r.Pattern)
			}
		}
		for _, item := range navigation(n.rooms, role) {
			if status, _ := get(t, b.Client, base+item.Path); status != http.StatusOK {
				t.Errorf("%s has %s in its navigation: %d", role, item.Path, status)
			}
		}
	}
}

// knock asks with headers of its own.
func knock(t testing.TB, c *http.Client, method, address string, header http.Header) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	if header != nil {
		req.Header = header
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// TestMachineTable: a bearer token opens the interfaces made for programs and
// no page, and of those no more than its scopes say; one that is forged or of
// another installation opens nothing.
func TestMachineTable(t *testing.T) {
	n, other := openNode(t, newPlace(t, "sqlite")), openNode(t, newPlace(t, "sqlite"))
	base := strings.Replace(newWeb(t, n).URL, "127.0.0.1", "localhost", 1)
	good, err := n.authn.IssueToken(t.Context(), "system/Claim.crus system/Subscription.rs system/AuditEvent.c", "25001", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	reads, err := n.authn.IssueToken(t.Context(), "system/*.rs", "25001", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := other.authn.IssueToken(t.Context(), "system/*.cruds", "25001", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range n.routes {
		if r.Who.Open {
			continue
		}
		method, path := addressOf(r.Pattern)
		status, body := knock(t, http.DefaultClient, method, base+path, http.Header{"Authorization": {"Bearer " + good}})
		named := slices.Contains(r.Who.Roles, trust.RoleMachine) && r.Pattern != "POST /fhir/$import" // the operator's: a token without facility
		if refused := status == http.StatusForbidden || status == http.StatusUnauthorized; named == refused || status >= 500 {
			t.Errorf("%s: %d %.300s", r.Pattern, status, body)
		}
		if status, body := knock(t, http.DefaultClient, method, base+path, http.Header{"Authorization": {"Bearer " + reads}}); named && !strings.HasPrefix(path+"/", "/fhir/") && (status == http.StatusForbidden) != (method == http.MethodPost) {
			t.Errorf("%s with a token that only reads: %d %.300s", r.Pattern, status, body)
		}
		for _, bad := range []string{foreign, good + "x", "x"} {
			if status, body := knock(t, http.DefaultClient, method, base+path, http.Header{"Authorization": {"Bearer " + bad}}); status != http.StatusUnauthorized {
				t.Errorf("%s with a bad token: %d %.300s", r.Pattern, status, body)
			}
		}
	}
}

// TestNavigationIsEntered: what the navigation shows a role, the route lets it open.
func TestNavigationIsEntered(t *testing.T) {
	n := demoNode(t)
	at := map[string]httpx.Who{}
	for _, r := range n.routes {
		at[r.Pattern] = r.Who
	}
	for _, r := range n.rooms {
		for _, item := range r.Nav {
			for _, role := range item.Roles {
				if who, ok := at["GET "+item.Path]; !ok || !who.Open && !slices.Contains(who.Roles, role) {
					t.Errorf("%s shows %s to %s, who may not enter", r.Name, item.Path, role)
				}
			}
		}
	}
}

// TestServeSignInPage: the whole way of a citizen over HTTP, and the link works once.
func TestServeSignInPage(t *testing.T) {
	n := openNode(t, newPlace(t, "sqlite"))
	web := newWeb(t, n)
	base := strings.Replace(web.URL, "127.0.0.1", "localhost", 1)
	p, golden := fill(t, n, 1, september)
	l, err := n.SignInLink(t.Context(), linkFor{Role: trust.RoleCitizen, Person: golden, Name: p.Person(0).Name})
	if err != nil {
		t.Fatal(err)
	}
	at, body := newBrowser(t, base).signIn(l.Path)
	if at != "/so" || !strings.Contains(body, p.Person(0).Name) {
		t.Errorf("it leads to %s: %.500s", at, body)
	}
	again, err := newBrowser(t, base).PostForm(base+l.Path, nil)
	if err != nil {
		t.Fatal(err)
	}
	again.Body.Close()
	if again.StatusCode != http.StatusNotFound {
		t.Errorf("the link works twice: %s", again.Status)
	}
	styled := regexp.MustCompile(`href="(/static/style\.[0-9a-f]+\.css)"`).FindStringSubmatch(body)
	if styled == nil {
		t.Fatal("the page has no style")
	}
	if status, css := get(t, web.Client(), web.URL+styled[1]); status != http.StatusOK || !strings.Contains(css, "@layer room.book") {
		t.Errorf("style: %d", status)
	}
}

// TestErrorPageIsDressed: also a page that is not there has style, language and a number to ask by.
func TestErrorPageIsDressed(t *testing.T) {
	web := newWeb(t, openNode(t, newPlace(t, "sqlite")))
	status, body := get(t, web.Client(), web.URL+"/khong-co")
	if status != http.StatusNotFound || !strings.Contains(body, "/static/style.") || !strings.Contains(body, "Mã tra cứu") || strings.Contains(body, "ui.") {
		t.Errorf("%d %s", status, body)
	}
}

// TestRefusalIsAudited: somebody who has signed in and knocks at a foreign door leaves a row.
func TestRefusalIsAudited(t *testing.T) {
	n := openNode(t, newPlace(t, "sqlite"))
	base := strings.Replace(newWeb(t, n).URL, "127.0.0.1", "localhost", 1)
	l, err := n.SignInLink(t.Context(), linkFor{Role: trust.RoleAdmin})
	if err != nil {
		t.Fatal(err)
	}
	b := newBrowser(t, base)
	b.signIn(l.Path)
	if status, _ := get(t, b.Client, base+"/dieu-hanh"); status != http.StatusForbidden {
		t.Fatalf("%d", status)
	}
	if got := rowsOf(t, n, `SELECT agent, outcome, detail FROM audit WHERE action = 'door.refused'`, 3); fmt.Sprint(got) != "[[admin forbidden GET /dieu-hanh]]" {
		t.Errorf("%v", got)
	}
}
