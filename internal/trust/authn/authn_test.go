package authn

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/db"
	"github.com/ytso/ytso/internal/sqlstore"
	"github.com/ytso/ytso/internal/sqlstore/pgtest"
	"github.com/ytso/ytso/internal/trust"
	"github.com/ytso/ytso/internal/trust/keyfile"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// hand is a clock that a test moves.
type hand struct {
	mu sync.Mutex
	at time.Time
}

func (h *hand) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.at
}

func (h *hand) move(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at = h.at.Add(d)
}

// house is a service over a store, with its clock.
type house struct {
	*Service
	*hand
}

func open(t *testing.T, o sqlstore.Options) house {
	t.Helper()
	h := &hand{at: time.Date(2026, 3, 10, 1, 0, 0, 0, time.UTC)}
	o.Clock, o.Sets = h, []db.Set{{Room: "trust", FS: Migrations()}}
	st, err := sqlstore.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	keys, err := keyfile.Open(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Deps{Store: st, Keys: keys, Clock: h})
	if err != nil {
		t.Fatal(err)
	}
	s.cost = cost{64, 1, 1} // quick
	s.dummy = hopeless(s.cost)
	return house{s, h}
}

func lite(t *testing.T) house {
	return open(t, sqlstore.Options{Dir: t.TempDir(), Key: bytes.Repeat([]byte{7}, 32)})
}

func engines(t *testing.T, f func(t *testing.T, s house)) {
	t.Run("sqlite", func(t *testing.T) { f(t, lite(t)) })
	t.Run("postgres", func(t *testing.T) { f(t, open(t, sqlstore.Options{URL: pgtest.URL(t)})) })
}

// texts gives the first columns of a query, joined by blanks.
func (s house) texts(t *testing.T, columns int, sql string, args ...any) (list []string) {
	t.Helper()
	a, err := trust.System(trust.JobSignIn)
	if err != nil {
		t.Fatal(err)
	}
	err = s.Store.View(t.Context(), a, func(r store.Reader) error {
		list = nil
		rows, err := r.Query(t.Context(), sql, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			cells := make([]string, columns)
			dest := make([]any, columns)
			for i := range cells {
				dest[i] = &cells[i]
			}
			if err := rows.Scan(dest...); err != nil {
				return err
			}
			list = append(list, strings.Join(cells, " "))
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// audit lists action, outcome, agent and entity of the rows so far.
func (s house) audit(t *testing.T) []string {
	return s.texts(t, 4, `SELECT action, outcome, agent, entity FROM audit ORDER BY seq`)
}

var citizen = LinkFor{Role: trust.RoleCitizen, Person: "golden-1", Name: "Bà Bàn Thị Mai"}

func (s house) token(t *testing.T, l LinkFor) string {
	t.Helper()
	link, err := s.NewLink(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(link.Path, LinkPath)
}

func (s house) session(t *testing.T, l LinkFor, own bool) string {
	t.Helper()
	token, _, err := s.signIn(t.Context(), entry{Token: s.token(t, l), Own: own, Device: "Chrome · Windows"})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func (s house) alive(t *testing.T, token string) bool {
	t.Helper()
	_, found, err := s.find(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// as is the context of a session.
func (s house) as(t *testing.T, token string) context.Context {
	t.Helper()
	x, found, err := s.find(t.Context(), token)
	if err != nil || !found {
		t.Fatalf("no session: %v", err)
	}
	return trust.With(t.Context(), trust.Principal{Agent: x.agent, Session: x.hash})
}

func TestLinkSignsInOnce(t *testing.T) {
	engines(t, func(t *testing.T, s house) {
		token := s.token(t, citizen)
		for range 3 { // scanners of messages open links
			l, err := s.Peek(t.Context(), token)
			if err != nil || l.Name != citizen.Name || l.Role != citizen.Role {
				t.Fatalf("peek: %+v %v", l, err)
			}
		}
		var wg sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			wg.Go(func() { _, _, errs[i] = s.signIn(context.Background(), entry{Token: token}) })
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else if outcome.As(err).Key != "signin.link" {
				t.Error(err)
			}
		}
		if won != 1 {
			t.Errorf("%d of 8 at once got in", won)
		}
	})
}

// Wrong, used and expired must not be told apart.
func TestDeadLinksLookTheSame(t *testing.T) {
	s := lite(t)
	used, old := s.token(t, citizen), s.token(t, citizen)
	before := len(s.audit(t))
	if _, _, err := s.signIn(t.Context(), entry{Token: used}); err != nil {
		t.Fatal(err)
	}
	s.move(linkTTL)
	for name, token := range map[string]string{"wrong": newToken(), "used": used, "expired": old, "blank": "", "long": strings.Repeat("a", 5000), "form": "../" + old} {
		_, err1 := s.Peek(t.Context(), token)
		_, _, err2 := s.signIn(t.Context(), entry{Token: token})
		for _, err := range []error{err1, err2} {
			if e := outcome.As(err); e.Key != errLink.Key || e.VI != errLink.VI || e.Kind != errLink.Kind || e.Cause != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	// One sign-in, and the refusals of the two that were real.
	if rows := s.audit(t)[before:]; strings.Count(strings.Join(rows, "\n"), "signin.enter not-found golden-1") != 2 || len(rows) != 3 {
		t.Errorf("audit: %v", rows)
	}
}

func TestWhoMayHaveALink(t *testing.T) {
	s := lite(t)
	for _, l := range []LinkFor{
		{}, {Role: "machine", Facility: "01001"}, {Role: "operator-token"}, {Role: "newcomer"}, {Role: trust.RoleCitizen},
		{Role: trust.RoleCitizen, Person: "g", Facility: "01001"}, {Role: trust.RoleHospital}, {Role: trust.RoleStation}, {Role: trust.RoleDoctor, Person: "p"},
		{Role: trust.RoleHospital, Facility: "01 001"}, {Role: trust.RoleAdmin, TTL: maxLinkTTL + 1}, {Role: trust.RoleAdmin, TTL: -1},
	} {
		if _, err := s.NewLink(t.Context(), l); outcome.KindOf(err) != outcome.Value {
			t.Errorf("%+v: %v", l, err)
		}
	}
	for l, want := range map[LinkFor]store.Agent{
		citizen: {Kind: store.Citizen, ID: "golden-1", Name: citizen.Name, Role: "citizen"},
		{Role: "hospital", Facility: "01001", Name: "Bàn giám định"}: {Kind: store.Staff, ID: "hospital:01001", Name: "Bàn giám định", Facility: "01001", Role: "hospital"},
		{Role: "doctor", Facility: "01001", Person: "bs-1"}:          {Kind: store.Staff, ID: "bs-1", Facility: "01001", Role: "doctor"},
		{Role: "department"}: {Kind: store.Staff, ID: "department", Role: "department"},
	} {
		if _, x, err := s.signIn(t.Context(), entry{Token: s.token(t, l)}); err != nil || x.agent != want {
			t.Errorf("%+v: %+v %v", l, x.agent, err)
		}
	}
}

func TestSessionEnds(t *testing.T) {
	desk := LinkFor{Role: trust.RoleHospital, Facility: "01001"}
	const minute, hour, day = time.Minute, time.Hour, 24 * time.Hour
	for _, tt := range []struct {
		who         LinkFor
		own         bool
		idle, whole time.Duration
	}{
		{desk, false, 30 * minute, 12 * hour}, {desk, true, 30 * minute, 12 * hour}, {citizen, false, 30 * minute, 12 * hour}, {citizen, true, 7 * day, 30 * day},
	} {
		s := lite(t)
		rest, all := s.session(t, tt.who, tt.own), s.session(t, tt.who, tt.own)
		for left := tt.whole; left > 0; {
			step := min(tt.idle-minute, left)
			left -= step
			if left == 0 {
				step -= time.Millisecond
			}
			s.move(step)
			x, found, err := s.find(t.Context(), all)
			if err != nil || !found {
				t.Fatalf("%s own=%v: ended %v too early: %v", tt.who.Role, tt.own, left, err)
			}
			s.touch(t.Context(), x)
		}
		if s.alive(t, rest) {
			t.Errorf("%s own=%v: a session without a request outlives %v", tt.who.Role, tt.own, tt.idle)
		}
		s.move(time.Millisecond)
		if s.alive(t, all) {
			t.Errorf("%s own=%v: outlives %v", tt.who.Role, tt.own, tt.whole)
		}
	}
}

func TestLastSeenAtMostOnceAMinute(t *testing.T) {
	engines(t, func(t *testing.T, s house) {
		token := s.session(t, citizen, true)
		for range 150 { // one request a second
			x, _, err := s.find(t.Context(), token)
			if err != nil {
				t.Fatal(err)
			}
			s.touch(t.Context(), x)
			s.move(time.Second)
		}
		if n := strings.Count(strings.Join(s.audit(t), "\n"), "signin.seen ok golden-1"); n != 2 {
			t.Errorf("written %d times in 150 seconds, want 2", n)
		}
	})
}

func TestDevices(t *testing.T) {
	engines(t, func(t *testing.T, s house) {
		mine := []string{s.session(t, citizen, true)}
		s.move(time.Minute)
		mine = append(mine, s.session(t, citizen, false), s.session(t, citizen, true))
		others := s.session(t, LinkFor{Role: trust.RoleCitizen, Person: "golden-2"}, true)
		staff := s.session(t, LinkFor{Role: trust.RoleDoctor, Facility: "01001", Person: "golden-1"}, true) // same id, another kind
		ctx := s.as(t, mine[0])
		list, err := s.Devices(ctx)
		if err != nil || len(list) != 3 || !list[2].Here || list[0].Here || list[0].Name != "Chrome · Windows" {
			t.Fatalf("%+v %v", list, err)
		}
		for _, foreign := range []string{others, staff} {
			if err := s.Revoke(ctx, hashOf(foreign)); err != nil {
				t.Error(err)
			}
		}
		if err := s.Revoke(ctx, hashOf(mine[1])); err != nil {
			t.Fatal(err)
		}
		if s.alive(t, mine[1]) || !s.alive(t, others) || !s.alive(t, staff) {
			t.Error("revoking ends one's own session, and nobody else's")
		}
		if n, err := s.RevokeOthers(ctx); n != 1 || err != nil || !s.alive(t, mine[0]) || s.alive(t, mine[2]) {
			t.Errorf("others: %d %v", n, err)
		}
		sender := trust.With(t.Context(), trust.Principal{Agent: machine("01001_BV", "01001")})
		if _, err := s.Devices(sender); outcome.KindOf(err) != outcome.Forbidden {
			t.Errorf("devices of a program: %v", err)
		}
		if err := s.Revoke(t.Context(), hashOf(mine[0])); outcome.KindOf(err) != outcome.Forbidden || !s.alive(t, mine[0]) {
			t.Errorf("revoked by nobody: %v", err)
		}
	})
}

func TestSweep(t *testing.T) {
	engines(t, func(t *testing.T, s house) {
		keep := s.session(t, citizen, true)
		s.session(t, LinkFor{Role: trust.RoleAdmin}, false)
		s.token(t, citizen)
		user, secret, err := s.AddAccount(t.Context(), "01001")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.TakeToken(t.Context(), user, md5Hex(secret), "127.0.0.1"); err != nil {
			t.Fatal(err)
		}
		count := func() string {
			return fmt.Sprint(len(s.texts(t, 1, `SELECT hash FROM trust_session`)), len(s.texts(t, 1, `SELECT hash FROM trust_link`)),
				len(s.texts(t, 1, `SELECT hash FROM trust_token`)), len(s.texts(t, 1, `SELECT name FROM trust_account`)))
		}
		if got := count(); got != "2 3 1 1" {
			t.Fatal(got)
		}
		s.move(2 * time.Hour)
		if err := s.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := count(); got != "1 0 0 1" || !s.alive(t, keep) {
			t.Errorf("sessions, links, tokens, accounts after sweeping: %s", got)
		}
	})
}

// Nothing that opens anything is in the database, and each act has its row.
func TestSecretsAreNotStored(t *testing.T) {
	engines(t, func(t *testing.T, s house) {
		link := s.token(t, citizen)
		session, _, err := s.signIn(t.Context(), entry{Token: link, Remote: "192.0.2.7"})
		if err != nil {
			t.Fatal(err)
		}
		user, secret, err := s.AddAccount(t.Context(), "01001")
		if err != nil {
			t.Fatal(err)
		}
		k, err := s.TakeToken(t.Context(), user, md5Hex(secret), "192.0.2.8")
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.TakeToken(t.Context(), user, md5Hex("wrong"), "192.0.2.8")
		if outcome.KindOf(err) != outcome.Login {
			t.Fatal(err)
		}
		if _, err = s.TakeToken(t.Context(), secret, secret, "192.0.2.8"); outcome.KindOf(err) != outcome.Login {
			t.Fatal(err)
		}
		var all []string
		all = append(all, s.texts(t, 4, `SELECT hash, agent, name, device FROM trust_session`)...)
		all = append(all, s.texts(t, 3, `SELECT hash, person, name FROM trust_link`)...)
		all = append(all, s.texts(t, 3, `SELECT name, facility, phc FROM trust_account`)...)
		all = append(all, s.texts(t, 4, `SELECT hash, idhash, proof, account FROM trust_token`)...)
		all = append(all, s.texts(t, 8, `SELECT action, entity, detail, acts, agent, name, remote, request FROM audit`)...)
		for what, x := range map[string]string{"link": link, "session": session, "secret": secret, "md5": md5Hex(secret), "access": k.AccessToken, "id": k.IDToken} {
			for _, line := range all {
				if strings.Contains(line, x) {
					t.Errorf("%s stands in clear: %s", what, line)
				}
			}
		}
		want := []string{
			"signin.link ok system/trust.sign-in citizen",
			"signin.enter ok golden-1 citizen",
			"signin.account ok system/trust.sign-in 01001",
			"signin.take ok 01001_BV 01001_BV",
			"signin.take login system/trust.sign-in 01001_BV",
			"signin.take login system/trust.sign-in ",
		}
		if got := s.audit(t); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("audit:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if got := s.texts(t, 2, `SELECT p.patient, a.action FROM audit_patient p JOIN audit a ON a.seq = p.seq ORDER BY a.seq`); strings.Join(got, ", ") != "golden-1 signin.link, golden-1 signin.enter" {
			t.Errorf("a citizen's own log has %v", got)
		}
		if got := s.texts(t, 1, `SELECT remote FROM audit WHERE action = 'signin.enter'`); len(got) != 1 || got[0] != "192.0.2.7" {
			t.Errorf("remote of the sign-in: %v", got)
		}
	})
}
