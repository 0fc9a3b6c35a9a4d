package authn

import (
	"context"
	"regexp"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/trust"
)

// LinkFor says whom a one-time link signs in.
type LinkFor struct {
	Role     string
	Facility string        // MA_CSKCB; not of a citizen
	Person   string        // golden Patient of a citizen; account of staff, "" for the desk of the facility
	Name     string        // as shown to the person whose record is opened
	TTL      time.Duration // 0: 15 minutes; at most a week
}

// Link is a path below the server's address, and when it ends.
type Link struct {
	Path    string
	Expires time.Time
}

// DeadLink is the key of the error for links that are wrong, used or expired.
const DeadLink = "signin.link"

// LinkPath is where links are redeemed.
const LinkPath = "/vao/"

const (
	linkTTL    = 15 * time.Minute
	maxLinkTTL = 7 * 24 * time.Hour
)

var (
	errLinkFor = outcome.New(outcome.Value, "signin.link-for",
		"Đường dẫn đăng nhập cần một vai trò (citizen, doctor, station, hospital, department, admin), mã người dân cho citizen, mã cơ sở cho doctor, station và hospital, và thời hạn không quá 7 ngày.",
		"A sign-in link needs a role (citizen, doctor, station, hospital, department, admin), the person for a citizen, the facility for doctor, station and hospital, and at most 7 days.")
	// errLink answers for links that are wrong, used or expired alike.
	errLink = outcome.New(outcome.NotFound, DeadLink,
		"Đường dẫn đăng nhập không còn dùng được. Mỗi đường dẫn chỉ dùng được một lần và có hạn. Hãy xin cơ sở y tế gửi cho bạn đường dẫn mới.",
		"This sign-in link can no longer be used. Each link works once and for a limited time. Please ask the health facility for a new one.")
)

var facilityForm = regexp.MustCompile(`^[0-9A-Za-z]{1,20}$`)

func (l LinkFor) valid() bool {
	if l.Facility != "" && !facilityForm.MatchString(l.Facility) || l.TTL < 0 || l.TTL > maxLinkTTL {
		return false
	}
	switch l.Role {
	case trust.RoleCitizen:
		return l.Person != "" && l.Facility == ""
	case trust.RoleDoctor, trust.RoleStation, trust.RoleHospital:
		return l.Facility != ""
	case trust.RoleDepartment, trust.RoleAdmin:
		return true
	}
	return false
}

// agent is who will have signed in. Staff without an account of their own act as the desk of their facility.
func (l LinkFor) agent() store.Agent {
	a := store.Agent{Kind: store.Staff, ID: l.Person, Name: l.Name, Facility: l.Facility, Role: l.Role}
	if l.Role == trust.RoleCitizen {
		a.Kind = store.Citizen
	} else if a.ID == "" {
		a.ID = strings.TrimSuffix(l.Role+":"+l.Facility, ":")
	}
	return a
}

// noteOf names in the audit row whom a sign-in is about.
func noteOf(action string, a store.Agent) store.Note {
	n := store.Note{Action: action, Entity: a.Role}
	if a.Kind == store.Citizen {
		n.Patients = []string{a.ID}
	} else {
		n.Entity = strings.TrimSuffix(a.Role+" "+a.Facility, " ")
	}
	return n
}

// NewLink makes a link that signs somebody in once. outcome.Value when l names nobody.
func (s *Service) NewLink(ctx context.Context, l LinkFor) (_ Link, err error) {
	defer outcome.Wrap(&err, "authn.NewLink")
	if !l.valid() {
		return Link{}, errLinkFor
	}
	if l.TTL == 0 {
		l.TTL = linkTTL
	}
	token, now := newToken(), s.now()
	expires := now.Add(l.TTL)
	err = s.update(ctx, nil, noteOf("signin.link", l.agent()), func(tx store.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO trust_link (hash, role, facility, person, name, created, expires, used) VALUES ($1,$2,$3,$4,$5,$6,$7,0)`,
			hashOf(token), l.Role, l.Facility, l.Person, l.Name, now.UnixMilli(), expires.UnixMilli())
		return err
	})
	if err != nil {
		return Link{}, err
	}
	return Link{LinkPath + token, expires}, nil
}

// Peek tells whom a link would sign in, and does not use it up: programs that
// look through messages open every link they see. outcome.NotFound for a link
// that is wrong, used or expired.
func (s *Service) Peek(ctx context.Context, token string) (l LinkFor, err error) {
	defer outcome.Wrap(&err, "authn.Peek")
	l, found, err := s.linkOf(ctx, token, `hash = $1 AND used = 0 AND expires > $2`, s.now().UnixMilli())
	if err != nil || !found {
		return LinkFor{}, orDead(err)
	}
	return l, nil
}

// orDead is err, or that the link is dead.
func orDead(err error) error {
	if err != nil {
		return err
	}
	return errLink
}

// linkOf reads the link of a token ($1 is its hash); found is false when there is none.
func (s *Service) linkOf(ctx context.Context, token, where string, args ...any) (l LinkFor, found bool, err error) {
	if !TokenShaped(token) {
		return l, false, nil
	}
	err = s.view(ctx, store.Note{Action: "signin.peek"}, func(r store.Reader) error {
		found, err = row(ctx, r, `SELECT role, facility, person, name FROM trust_link WHERE `+where,
			append([]any{hashOf(token)}, args...), &l.Role, &l.Facility, &l.Person, &l.Name)
		return err
	})
	return l, found, err
}

// takeLink uses a link up: of any number who try at once, one gets it.
func takeLink(ctx context.Context, tx store.Tx, token string, now time.Time) error {
	n, err := tx.Exec(ctx, `UPDATE trust_link SET used = $1 WHERE hash = $2 AND used = 0 AND expires > $1`, now.UnixMilli(), hashOf(token))
	if err == nil && n != 1 {
		err = errLink
	}
	return err
}
