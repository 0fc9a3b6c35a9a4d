package authn

import (
	"context"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/trust"
)

// span is how long a session lasts: without a request, and in all.
type span struct{ idle, whole time.Duration }

// Staff share computers at a desk and see many people's records, so their
// sessions end after half an hour of rest and after a shift. A citizen on a
// device of their own sees one book, has no password to come back with, and
// needs a new link each time it ends: a week of rest, a month in all. On a
// shared device a citizen is treated like staff.
var (
	deskSpan = span{30 * time.Minute, 12 * time.Hour}
	ownSpan  = span{7 * 24 * time.Hour, 30 * 24 * time.Hour}
)

func spanOf(a store.Agent, own bool) span {
	if a.Kind == store.Citizen && own {
		return ownSpan
	}
	return deskSpan
}

// seenEvery is how often the last-seen time is written.
const seenEvery = time.Minute

// session is a row of trust_session.
type session struct {
	hash                      string
	agent                     store.Agent
	device                    string
	created, seen, idle, ends int64
}

const sessionColumns = `hash, kind, agent, name, facility, role, device, created, seen, idle, ends`

func (x *session) dest(kind *string) []any {
	return []any{&x.hash, kind, &x.agent.ID, &x.agent.Name, &x.agent.Facility, &x.agent.Role, &x.device, &x.created, &x.seen, &x.idle, &x.ends}
}

// entry is what signing in needs beside the link.
type entry struct {
	Token   string // of the link
	Own     bool   // the device belongs to the person alone
	Device  string // as DeviceName gives it
	Replace string // hash of the browser's session until now, "" when none
	Remote  string
}

// signIn redeems a link for a session and gives the session's token, which is
// always a new one. outcome.NotFound as at Peek. A link that was real leaves an
// audit row when it is refused; one that never was leaves none, so that
// strangers cannot fill the disk.
func (s *Service) signIn(ctx context.Context, e entry) (token string, x session, err error) {
	l, known, err := s.linkOf(ctx, e.Token, `hash = $1`)
	if err != nil || !known {
		return "", x, orDead(err)
	}
	token, now := newToken(), s.now()
	sp := spanOf(l.agent(), e.Own)
	x = session{
		hash: hashOf(token), agent: l.agent(), device: e.Device,
		created: now.UnixMilli(), seen: now.UnixMilli(), idle: sp.idle.Milliseconds(), ends: now.Add(sp.whole).UnixMilli(),
	}
	who := func(a *store.Access) { a.Agent, a.Remote = x.agent, e.Remote }
	err = s.update(ctx, who, noteOf("signin.enter", x.agent), func(tx store.Tx) error {
		if err := takeLink(ctx, tx, e.Token, now); err != nil {
			return err
		}
		if e.Replace != "" {
			if _, err := tx.Exec(ctx, `DELETE FROM trust_session WHERE hash = $1`, e.Replace); err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, `INSERT INTO trust_session (`+sessionColumns+`) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11)`,
			x.hash, string(x.agent.Kind), x.agent.ID, x.agent.Name, x.agent.Facility, x.agent.Role, x.device, x.created, x.seen, x.idle, x.ends)
		return err
	})
	return token, x, err
}

const alive = `ends > $1 AND seen + idle > $1`

// find gives the session of a token, if it has not ended.
func (s *Service) find(ctx context.Context, token string) (x session, found bool, err error) {
	if !TokenShaped(token) {
		return x, false, nil
	}
	var kind string
	err = s.view(ctx, store.Note{Action: "signin.session"}, func(r store.Reader) error {
		found, err = row(ctx, r, `SELECT `+sessionColumns+` FROM trust_session WHERE hash = $2 AND `+alive,
			[]any{s.now().UnixMilli(), hashOf(token)}, x.dest(&kind)...)
		return err
	})
	x.agent.Kind = store.AgentKind(kind)
	return x, found, err
}

// touch writes when the session was last seen, at most once a minute and never
// twice at once. A request does not fail because of it.
func (s *Service) touch(ctx context.Context, x session) {
	now := s.now()
	if now.UnixMilli()-x.seen < seenEvery.Milliseconds() {
		return
	}
	if _, busy := s.beingTouched.LoadOrStore(x.hash, true); busy {
		return
	}
	defer s.beingTouched.Delete(x.hash)
	err := s.update(ctx, func(a *store.Access) { a.Agent = x.agent }, store.Note{Action: "signin.seen"}, func(tx store.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE trust_session SET seen = $1 WHERE hash = $2 AND seen < $1`, now.UnixMilli(), x.hash)
		return err
	})
	if err != nil {
		s.Log.Warn("last seen of a session was not written", "err", err)
	}
}

// Device is a session as its owner sees it.
type Device struct {
	ID            string // for Revoke; tells nothing that opens the session
	Name          string // such as "Chrome · Windows", "" when not known
	Created, Seen time.Time
	Ends          time.Time // unless it rests too long before
	Here          bool      // the session of this request
}

// Devices lists the sessions of who asks, the latest seen first.
func (s *Service) Devices(ctx context.Context) (list []Device, err error) {
	defer outcome.Wrap(&err, "authn.Devices")
	p, err := person(ctx)
	if err != nil {
		return nil, err
	}
	err = s.view(ctx, store.Note{Action: "signin.devices"}, func(r store.Reader) error {
		list = nil
		rows, err := r.Query(ctx, `SELECT `+sessionColumns+` FROM trust_session
			WHERE kind = $2 AND agent = $3 AND role = $4 AND facility = $5 AND `+alive+` ORDER BY seen DESC, hash LIMIT 200`,
			s.now().UnixMilli(), string(p.Agent.Kind), p.Agent.ID, p.Agent.Role, p.Agent.Facility)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var x session
			var kind string
			if err := rows.Scan(x.dest(&kind)...); err != nil {
				return err
			}
			list = append(list, Device{
				ID: x.hash, Name: x.device, Created: time.UnixMilli(x.created).UTC(), Seen: time.UnixMilli(x.seen).UTC(),
				Ends: time.UnixMilli(x.ends).UTC(), Here: x.hash == p.Session,
			})
		}
		return rows.Err()
	})
	return list, err
}

// errNotPerson answers to programs: tokens have no devices.
var errNotPerson = outcome.New(outcome.Forbidden, "signin.no-session",
	"Việc này chỉ dành cho người đã đăng nhập bằng trình duyệt.", "Only somebody signed in with a browser can do this.")

func person(ctx context.Context) (trust.Principal, error) {
	p, ok := trust.From(ctx)
	if !ok || p.Session == "" {
		return p, errNotPerson
	}
	return p, nil
}

const ownSessions = `DELETE FROM trust_session WHERE kind = $1 AND agent = $2 AND role = $3 AND facility = $4`

// Revoke ends one of the sessions of who asks. One that is not theirs is left alone and is no error: it has ended for them.
func (s *Service) Revoke(ctx context.Context, id string) (err error) {
	defer outcome.Wrap(&err, "authn.Revoke")
	_, err = s.revoke(ctx, ownSessions+` AND hash = $5`, id)
	return err
}

// RevokeOthers ends all sessions of who asks but this one, and says how many.
func (s *Service) RevokeOthers(ctx context.Context) (n int64, err error) {
	defer outcome.Wrap(&err, "authn.RevokeOthers")
	p, err := person(ctx)
	if err != nil {
		return 0, err
	}
	return s.revoke(ctx, ownSessions+` AND hash <> $5`, p.Session)
}

func (s *Service) revoke(ctx context.Context, sql, hash string) (n int64, err error) {
	p, err := person(ctx)
	if err != nil {
		return 0, err
	}
	err = s.update(ctx, nil, noteOf("signin.revoke", p.Agent), func(tx store.Tx) error {
		n, err = tx.Exec(ctx, sql, string(p.Agent.Kind), p.Agent.ID, p.Agent.Role, p.Agent.Facility, hash)
		return err
	})
	return n, err
}

// signOut ends the session of a token, if there is one.
func (s *Service) signOut(ctx context.Context, x session) error {
	return s.update(ctx, func(a *store.Access) { a.Agent = x.agent }, noteOf("signin.leave", x.agent), func(tx store.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM trust_session WHERE hash = $1`, x.hash)
		return err
	})
}
