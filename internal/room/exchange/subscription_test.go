package exchange

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ytso/ytso/internal/sqlstore"
	"github.com/ytso/ytso/internal/trust"
)

// endpoint is somebody's system that takes notifications.
type endpoint struct {
	*httptest.Server
	mu     sync.Mutex
	calls  []call
	status atomic.Int64
}

type call struct {
	method, path, body string
	header             http.Header
}

func newEndpoint(t testing.TB) *endpoint {
	e := &endpoint{}
	e.status.Store(200)
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		e.mu.Lock()
		defer e.mu.Unlock()
		status := int(e.status.Load())
		if status < 300 {
			e.calls = append(e.calls, call{r.Method, r.URL.Path, string(body), r.Header.Clone()})
		}
		if status == 302 {
			w.Header().Set("Location", e.URL+"/inside")
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(e.Close)
	return e
}

func (e *endpoint) taken() []call {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.calls)
}

func (e *endpoint) allowed(d *Deps) { d.Endpoints = Endpoints{Allowed: []string{e.URL + "/nhan"}} }

// told lists the notifications taken, as "type numbers keys".
func (e *endpoint) told(t testing.TB) (list []string) {
	t.Helper()
	for _, c := range e.taken() {
		list = append(list, summary(t, []byte(c.body)))
	}
	return list
}

func summary(t testing.TB, body []byte) string {
	t.Helper()
	var b struct {
		Type  string
		Entry []struct {
			Resource struct {
				ResourceType, ID string
				Parameter        []struct {
					Name, ValueCode string
					Part            []struct {
						Name, ValueString string
						ValueReference    struct{ Reference string }
					}
				}
			}
			Request struct{ Method string }
		}
	}
	if err := json.Unmarshal(body, &b); err != nil {
		t.Fatalf("%v in %.300s", err, body)
	}
	if b.Type != "history" || len(b.Entry) == 0 || b.Entry[0].Resource.ResourceType != "Parameters" {
		t.Fatalf("no notification: %.300s", body)
	}
	out := ""
	for _, p := range b.Entry[0].Resource.Parameter {
		if p.Name == "type" {
			out = p.ValueCode
		}
		for _, part := range p.Part {
			out += strings.TrimRight(" "+part.ValueString+strings.TrimPrefix(part.ValueReference.Reference, "http://example.com/fhir/"), " ")
		}
	}
	for _, en := range b.Entry[1:] {
		out += " " + en.Request.Method + ":" + en.Resource.ID
	}
	return out
}

func subscribe(endpoint, content, topic string, filters ...string) string {
	ext := ""
	for i, f := range filters {
		if i > 0 {
			ext += ","
		}
		ext += fmt.Sprintf(`{"url":%q,"valueString":%q}`, extFilter, f)
	}
	at := ""
	if endpoint != "" {
		at = fmt.Sprintf(`"endpoint":%q,"header":["Authorization: Bearer mật-khẩu"],`, endpoint)
	}
	return fmt.Sprintf(`{"resourceType":"Subscription","status":"requested","reason":"Thử","criteria":%q,"_criteria":{"extension":[%s]},
		"channel":{"type":"rest-hook",%s"payload":"application/fhir+json","_payload":{"extension":[{"url":%q,"valueCode":%q}]}}}`, topic, ext, at, extContent, content)
}

// create makes a Subscription and gives its id.
func (c caller) create(b *bench, body string) string {
	b.t.Helper()
	w := c.do(b, "POST", "/fhir/Subscription", body, "Prefer: return=representation")
	if w.Code != http.StatusCreated {
		b.t.Fatalf("%d %s", w.Code, w.Body)
	}
	var head struct{ ID string }
	if err := json.Unmarshal(w.Body.Bytes(), &head); err != nil {
		b.t.Fatal(err)
	}
	if strings.Contains(w.Body.String(), "mật-khẩu") {
		b.t.Error("the secret is in the answer")
	}
	return head.ID
}

func (c caller) state(b *bench, id string) string {
	b.t.Helper()
	var head struct{ Status string }
	w := c.do(b, "GET", "/fhir/Subscription/"+id, "")
	if err := json.Unmarshal(w.Body.Bytes(), &head); err != nil {
		b.t.Fatal(err, w.Body)
	}
	return head.Status
}

// active waits until a subscription has begun.
func (c caller) active(b *bench, id string) {
	b.t.Helper()
	b.until("it is active", func() bool { return c.state(b, id) == "active" })
}

// TestSubscription: handshake, then each event once and in order, as much of it
// as the content says, and nothing of another facility.
func TestSubscription(t *testing.T) {
	engines(t, func(t *testing.T, o sqlstore.Options) {
		e := newEndpoint(t)
		b := open(t, o, e.allowed).run()
		b.put("25001", observation("before", "p", "final"))
		full := sender.create(b, subscribe(e.URL+"/nhan/du", contentFull, topicBase+"resource-change", "Observation?status=final"))
		sender.active(b, full)
		b.put("25001", observation("o1", "p", "final"), observation("o2", "p", "preliminary"))
		b.put("25002", observation("foreign", "p", "final"))
		b.put("25001", observation("o2", "p", "final"))
		b.delete("Observation", "o1")
		want := []string{
			"handshake", "event-notification 1 Observation/o1 POST:o1", "event-notification 2 Observation/o2 PUT:o2", "event-notification 3 Observation/o1 DELETE:",
		}
		b.until("all came", func() bool { return len(e.taken()) >= len(want) })
		time.Sleep(50 * time.Millisecond)
		if got := e.told(t); !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
		for _, c := range e.taken() {
			if c.header.Get("Authorization") != "Bearer mật-khẩu" || c.method != "POST" || c.path != "/nhan/du" {
				t.Errorf("%s %s %v", c.method, c.path, c.header)
			}
		}
		w := sender.do(b, "GET", "/fhir/Subscription/"+full, "")
		if !strings.Contains(w.Body.String(), `Authorization: ***`) || strings.Contains(w.Body.String(), "mật-khẩu") {
			t.Errorf("%s", w.Body)
		}
		if n := b.count(`SELECT COUNT(*) FROM exchange_subscription WHERE delivered = 3 AND events = 3`); n != 1 {
			t.Error("the counts are wrong")
		}
		w = sender.do(b, "GET", "/fhir/Subscription/"+full+"/$status", "")
		if w.Code != 200 || !strings.Contains(w.Body.String(), `"valueString":"3"`) || !strings.Contains(w.Body.String(), "query-status") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		w = sender.do(b, "GET", "/fhir/Subscription/"+full+"/$events?eventsSinceNumber=2&content=id-only", "")
		if got := summary(t, w.Body.Bytes()); got != "query-event 2 Observation/o2 3 Observation/o1 PUT: DELETE:" {
			t.Errorf("%q", got)
		}
		other := caller{trust.RoleMachine, "25002_BV", "25002", ""}
		for _, what := range []string{"", "/$status", "/$events"} {
			if w := other.do(b, "GET", "/fhir/Subscription/"+full+what, ""); w.Code != 404 {
				t.Errorf("another facility gets %s: %d", what, w.Code)
			}
		}
		if w := sender.do(b, "DELETE", "/fhir/Subscription/"+full, ""); w.Code >= 300 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		if n := b.count(`SELECT (SELECT COUNT(*) FROM exchange_subscription) + (SELECT COUNT(*) FROM exchange_event)`); n != 0 {
			t.Errorf("%d rows are left", n)
		}
	})
}

// TestSubscriptionContents: empty names nothing, id-only names and shows nothing; R4's own kind posts nothing or puts the resource.
func TestSubscriptionContents(t *testing.T) {
	engines(t, func(t *testing.T, o sqlstore.Options) {
		e := newEndpoint(t)
		b := open(t, o, e.allowed).run()
		plain := `{"resourceType":"Subscription","status":"requested","reason":"Thử","criteria":"Observation?status=final","channel":{"type":"rest-hook","endpoint":%q%s}}`
		for _, body := range []string{
			subscribe(e.URL+"/nhan/empty", contentEmpty, topicBase+"resource-new", "Observation"),
			subscribe(e.URL+"/nhan/id", contentID, topicBase+"resource-new", "Observation"),
			fmt.Sprintf(plain, e.URL+"/nhan/ping", ""),
			fmt.Sprintf(plain, e.URL+"/nhan/put", `,"payload":"application/fhir+xml"`),
		} {
			sender.active(b, sender.create(b, body))
		}
		b.put("25001", observation("o1", "p", "final"))
		b.until("all came", func() bool { return len(e.taken()) >= 6 })
		got := map[string]string{}
		for _, c := range e.taken() {
			what := c.body
			if strings.HasPrefix(c.body, "{") {
				what = summary(t, []byte(c.body))
			}
			if what != notifyHandshake {
				got[c.method+" "+c.path] = what
			}
		}
		if got["POST /nhan/empty"] != "event-notification 1" || got["POST /nhan/id"] != "event-notification 1 Observation/o1 POST:" || got["POST /nhan/ping"] != "" ||
			!strings.Contains(got["PUT /nhan/put/Observation/o1"], `<value value="1.50"/>`) || len(got) != 4 {
			t.Errorf("%q", got)
		}
	})
}

// TestSubscriptionRetry: a dead endpoint is tried again, later and later, holds
// up no other, and ends in error with the reason; taken back, it gets all in order.
func TestSubscriptionRetry(t *testing.T) {
	engines(t, func(t *testing.T, o sqlstore.Options) {
		dead, alive := newEndpoint(t), newEndpoint(t)
		b := open(t, o, func(d *Deps) {
			d.Endpoints.Allowed = []string{dead.URL + "/nhan", alive.URL + "/nhan"}
		}).run()
		body := subscribe(dead.URL+"/nhan", contentID, topicBase+"resource-new", "Observation")
		one := sender.create(b, body)
		two := sender.create(b, subscribe(alive.URL+"/nhan", contentID, topicBase+"resource-new", "Observation"))
		sender.active(b, one)
		sender.active(b, two)
		dead.status.Store(302) // and a redirect is not followed
		for i := range 3 {
			b.put("25001", observation(fmt.Sprint("o", i), "p", "final"))
		}
		b.until("the other has all", func() bool { return len(alive.taken()) == 4 })
		tried := int64(0)
		b.until("it gives up", func() bool {
			if n := b.count(`SELECT tries FROM exchange_subscription WHERE id = $1`, one); n > tried {
				tried = n
				b.clock.forward(longestPause)
				b.wakeFeed()
			}
			return sender.state(b, one) == "error"
		})
		if tried != maxTries-1 {
			t.Errorf("%d tries", tried)
		}
		if w := sender.do(b, "GET", "/fhir/Subscription/"+one, ""); !strings.Contains(w.Body.String(), errAnswer.EN) {
			t.Errorf("%s", w.Body)
		}
		dead.status.Store(200)
		again := strings.Replace(strings.Replace(body, `"status"`, fmt.Sprintf(`"id":%q,"status"`, one), 1), "Bearer mật-khẩu", mask, 1)
		if w := sender.do(b, "PUT", "/fhir/Subscription/"+one, again); w.Code != 200 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		b.until("it gets all", func() bool { return len(dead.taken()) >= 5 })
		want := []string{"handshake", "handshake"}
		for i := range 3 {
			want = append(want, fmt.Sprintf("event-notification %d Observation/o%d POST:", i+1, i))
		}
		if got := dead.told(t); !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
		if calls := dead.taken(); calls[4].header.Get("Authorization") != "Bearer mật-khẩu" {
			t.Error("the masked header was not the kept one")
		}
	})
}

// TestSubscriptionRestart: what happened while the process was away is told after its start, from where it stood.
func TestSubscriptionRestart(t *testing.T) {
	engines(t, func(t *testing.T, o sqlstore.Options) {
		e := newEndpoint(t)
		b := open(t, o, e.allowed).run()
		id := sender.create(b, subscribe(e.URL+"/nhan", contentID, topicBase+"resource-new", "Observation"))
		sender.active(b, id)
		var want []string
		for i := range 5 {
			b.put("25001", observation(fmt.Sprintf("a%d", i), "p", "final"))
			want = append(want, fmt.Sprintf("event-notification %d Observation/a%d POST:", i+1, i))
			if i == 2 {
				b.stop()
			}
		}
		b.renew(b.Deps)
		b.clock.forward(holdFor + time.Second) // the lease of the process that was
		b.run()
		b.until("all came", func() bool { return len(e.taken()) >= 6 })
		got := slices.Compact(e.told(t))[1:]
		if !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
	})
}

// TestSubscriptionRight: under a right that was taken away nothing is matched, and the subscription says why.
func TestSubscriptionRight(t *testing.T) {
	e := newEndpoint(t)
	b := open(t, sqlstore.Options{Dir: t.TempDir(), Key: make([]byte, 32)}, e.allowed).run()
	id := sender.create(b, subscribe(e.URL+"/nhan", contentFull, topicBase+"resource-new", "Observation"))
	sender.active(b, id)
	b.revoked.Store(sender.id, true)
	b.put("25001", observation("o1", "p", "final"))
	b.until("it ends", func() bool { return sender.state(b, id) == "error" })
	if len(e.taken()) != 1 {
		t.Errorf("%q", e.told(t))
	}
}

// TestSubscriptionRefusals: what can't be served is refused when it is asked for.
func TestSubscriptionRefusals(t *testing.T) {
	b := open(t, sqlstore.Options{Dir: t.TempDir(), Key: make([]byte, 32)}, func(d *Deps) {
		d.Endpoints.Allowed = []string{"https://his.example.vn/fhir", "http://127.0.0.1:9"}
	})
	ok := subscribe("https://his.example.vn/fhir/nhan", contentID, topicBase+"resource-new", "Observation")
	swap := func(from, to string) string {
		if !strings.Contains(ok, from) {
			t.Fatalf("%q is not there", from)
		}
		return strings.Replace(ok, from, to, 1)
	}
	for _, tt := range []struct{ body, key string }{
		{swap("https://his.example.vn/fhir", "https://his.example.vn.evil.test/fhir"), "exchange.endpoint-closed"},
		{swap("https://his.example.vn/fhir", "https://his.example.vn/other"), "exchange.endpoint-closed"},
		{swap("https://his.example.vn/fhir/nhan", "https://his.example.vn/fhir/../inside"), "exchange.endpoint-closed"},
		{swap("https://his.example.vn/fhir/nhan", "https://his.example.vn/fhirnhan"), "exchange.endpoint-closed"},
		{swap("https://his.example.vn/", "https://his.example.vn:8443/"), "exchange.endpoint-closed"},
		{swap("https://his.example.vn/", "https://u:p@his.example.vn/"), "exchange.endpoint-form"},
		{swap("https://his.example.vn/", "http://his.example.vn/"), "exchange.endpoint-form"},
		{swap("https://his.example.vn/", "http://169.254.169.254/"), "exchange.endpoint-form"},
		{swap("rest-hook", "websocket"), "exchange.channel"},
		{swap("rest-hook", "email"), "exchange.channel"},
		{swap("rest-hook", "message"), "exchange.channel"},
		{swap(topicBase+"resource-new", "urn:other"), "exchange.topic"},
		{swap(topicBase+"resource-new", topicBase+"visit"), "exchange.topic-filter"},
		{swap(`"valueString":"Observation"`, `"valueString":"Observation?subject:Patient.name=x"`), "exchange.criteria"},
		{swap(`"valueString":"Observation"`, `"valueString":"Observation?_sort=date"`), "exchange.criteria"},
		{swap(`"valueString":"Observation"`, `"valueString":"Observation?nonsense=1"`), "param"},
		{swap("Authorization: Bearer", "Host: x"), "exchange.header"},
		{swap("Authorization: Bearer mật-khẩu", "Authorization: ***"), "exchange.mask"},
		{swap(`"status":"requested"`, `"status":"error"`), "exchange.status"},
		{swap(`"application/fhir+json"`, `"text/csv"`), "exchange.payload"},
	} {
		w := sender.do(b, "POST", "/fhir/Subscription", tt.body)
		if w.Code < 400 || w.Code >= 500 || !strings.Contains(w.Body.String(), "OperationOutcome") {
			t.Errorf("%s: %d %s", tt.key, w.Code, w.Body)
		}
	}
	if w := sender.do(b, "POST", "/fhir/Subscription", ok); w.Code != 201 {
		t.Errorf("the one that is right: %d %s", w.Code, w.Body)
	}
	// The same holds inside a Bundle, and for a patch.
	bundle := `{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"POST","url":"Subscription"},"resource":` + swap("rest-hook", "websocket") + `}]}`
	if w := sender.do(b, "POST", "/fhir", bundle); w.Code < 400 || w.Code >= 500 {
		t.Errorf("in a Bundle: %d %s", w.Code, w.Body)
	}
	for _, role := range []string{trust.RoleCitizen, trust.RoleDoctor, trust.RoleHospital, trust.RoleDepartment, trust.RoleAdmin} {
		if w := (caller{role: role, id: "x", facility: "25001"}).do(b, "POST", "/fhir/Subscription", ok); w.Code != 403 && w.Code != 404 {
			t.Errorf("%s: %d %s", role, w.Code, w.Body)
		}
	}
	if w := sender.do(b, "GET", "/fhir/Subscription/1/$get-ws-binding-token", ""); w.Code != 400 {
		t.Errorf("websocket: %d", w.Code)
	}
	if n := b.count(`SELECT COUNT(*) FROM exchange_subscription`); n != 1 {
		t.Errorf("%d subscriptions", n)
	}
}

// TestEndpointInside: a name that leads inside is not called, whatever stands on the list.
func TestEndpointInside(t *testing.T) {
	e := newEndpoint(t)
	inside := Endpoints{Allowed: []string{"https://localhost.example.vn"}}
	_, entry, err := inside.admit("https://localhost.example.vn/x")
	if err != nil {
		t.Fatal(err)
	}
	c := inside.client(entry)
	req, err := http.NewRequestWithContext(t.Context(), "POST", e.URL, nil) // as if the name led there
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := c.Do(req); err == nil {
		resp.Body.Close()
		t.Error("a private address was called")
	}
	if len(e.taken()) != 0 {
		t.Error("it arrived")
	}
}

// TestStream: a listener gets events as they come, and after a cut those behind the last it had.
func TestStream(t *testing.T) {
	engines(t, func(t *testing.T, o sqlstore.Options) {
		b := open(t, o).run()
		web := httptest.NewServer(b.edge)
		defer func() { b.EndStreams(); web.CloseClientConnections(); web.Close() }()
		id := sender.create(b, subscribe("", contentID, topicBase+"resource-new", "Observation"))
		sender.active(b, id)
		listen := func(last string) (*bufio.Scanner, func()) {
			ctx, cancel := context.WithCancel(t.Context())
			req, err := http.NewRequestWithContext(ctx, "GET", web.URL+"/fhir/Subscription/"+id+"/$events", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header = http.Header{"X-Role": {sender.role}, "X-Id": {sender.id}, "X-Facility": {sender.facility}, "Accept": {"text/event-stream"}}
			if last != "" {
				req.Header.Set("Last-Event-Id", last)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != 200 || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
				t.Fatalf("%s %s", resp.Status, resp.Header)
			}
			sc := bufio.NewScanner(resp.Body)
			sc.Buffer(nil, 1<<20)
			return sc, func() { cancel(); resp.Body.Close() }
		}
		next := func(sc *bufio.Scanner) (id, what string) {
			for sc.Scan() {
				switch line := sc.Bytes(); {
				case bytes.HasPrefix(line, []byte("id: ")):
					id = string(line[4:])
				case bytes.HasPrefix(line, []byte("data: ")):
					what = strings.Replace(summary(t, line[6:]), web.URL+"/fhir/", "", 1)
				case len(line) == 0 && what != "":
					return id, what
				}
			}
			t.Fatal("the stream ended")
			return "", ""
		}
		sc, cut := listen("")
		if _, what := next(sc); what != notifyHandshake {
			t.Errorf("%q", what)
		}
		b.put("25001", observation("o1", "p", "final"))
		if n, what := next(sc); n != "1" || what != "event-notification 1 Observation/o1 POST:" {
			t.Errorf("%s %q", n, what)
		}
		cut()
		b.put("25001", observation("o2", "p", "final"))
		b.put("25001", observation("o3", "p", "final"))
		sc, cut = listen("1")
		defer cut()
		next(sc)
		for i := 2; i <= 3; i++ {
			if n, what := next(sc); n != fmt.Sprint(i) || what != fmt.Sprintf("event-notification %d Observation/o%d POST:", i, i) {
				t.Errorf("%s %q", n, what)
			}
		}
		b.EndStreams()
		for sc.Scan() {
		}
	})
}

// TestSubscriptionWays: made in a transaction and changed by a patch it passes the
// same door; its secret stays what it was, and no version of it shows it.
func TestSubscriptionWays(t *testing.T) {
	engines(t, func(t *testing.T, o sqlstore.Options) {
		e := newEndpoint(t)
		b := open(t, o, e.allowed).run()
		bundle := `{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"PUT","url":"Subscription/s1"},"resource":` +
			strings.Replace(subscribe(e.URL+"/nhan", contentID, topicBase+"resource-new", "Observation"), `"status"`, `"id":"s1","status"`, 1) + `}]}`
		if w := sender.do(b, "POST", "/fhir", bundle); w.Code != 200 || strings.Contains(w.Body.String(), "mật-khẩu") {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		sender.active(b, "s1")
		patch := func(status string) {
			t.Helper()
			w := sender.do(b, "PATCH", "/fhir/Subscription/s1", `[{"op":"replace","path":"/status","value":"`+status+`"}]`, "Content-Type: application/json-patch+json")
			if w.Code != 200 || strings.Contains(w.Body.String(), "mật-khẩu") {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
		}
		patch("off")
		b.put("25001", observation("while-off", "p", "final"))
		time.Sleep(100 * time.Millisecond)
		if n := b.count(`SELECT events FROM exchange_subscription`); n != 0 || sender.state(b, "s1") != "off" {
			t.Errorf("%d events while it is off", n)
		}
		patch("requested")
		b.until("it goes on from where it stood", func() bool { return len(e.taken()) == 3 })
		if c := e.taken()[2]; c.header.Get("Authorization") != "Bearer mật-khẩu" || !strings.Contains(c.body, "Observation/while-off") {
			t.Errorf("%v %s", c.header, c.body)
		}
		if w := sender.do(b, "GET", "/fhir/Subscription/s1/_history", ""); w.Code != 200 || strings.Contains(w.Body.String(), "mật-khẩu") {
			t.Errorf("%d: the history shows the secret", w.Code)
		}
		moved := strings.NewReplacer(`"status"`, `"id":"s1","status"`, "Bearer mật-khẩu", mask, "/nhan", "/nhan/khac").Replace(
			subscribe(e.URL+"/nhan", contentID, topicBase+"resource-new", "Observation"))
		if w := sender.do(b, "PUT", "/fhir/Subscription/s1", moved); w.Code != 422 {
			t.Errorf("a masked secret follows to another endpoint: %d", w.Code)
		}
	})
}
