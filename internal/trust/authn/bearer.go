package authn

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/id"
	"github.com/ytso/ytso/internal/trust"
)

// Bearer tokens of `ytso token` are JWT access tokens (RFC 9068) signed with a
// key that is derived from the machine's key file.
const (
	issuer      = "ytso"
	audience    = "ytso"
	tokenType   = "at+jwt" // RFC 9068 §2.1: no other kind of JWT is taken for one
	tokenTTL    = time.Hour
	maxTokenTTL = 24 * time.Hour // there is no revocation but a new key file
	maxJWT      = 4 << 10
)

// claims are those of RFC 7519 with scope (RFC 8693 §4.2) and our facility.
type claims struct {
	jwt.Claims
	Scope    string `json:"scope"`
	Facility string `json:"facility,omitempty"` // MA_CSKCB
}

var (
	errTTL = outcome.New(outcome.Value, "signin.ttl",
		"Thời hạn của mã truy cập phải từ 1 giây đến 24 giờ.", "A token lasts from one second to 24 hours.")
	errToken = outcome.New(outcome.Login, "signin.token",
		"Mã truy cập không đúng hoặc đã hết hạn. Hãy lấy mã mới.", "The access token is wrong or has expired. Please get a new one.")
)

// IssueToken signs a bearer token, for which the key file is enough: the
// service may be one without a store. ttl 0 is one hour. outcome.Value for a
// scope, a facility or a ttl that cannot be.
func (s *Service) IssueToken(_ context.Context, scope, facility string, ttl time.Duration) (_ string, err error) {
	defer outcome.Wrap(&err, "authn.IssueToken")
	if _, err := trust.ParseScopes(scope); err != nil {
		return "", err
	}
	if facility != "" && !facilityForm.MatchString(facility) {
		return "", errFacility
	}
	if ttl == 0 {
		ttl = tokenTTL
	}
	if ttl < time.Second || ttl > maxTokenTTL {
		return "", errTTL
	}
	now := s.now()
	return sign(s.key, claims{
		Claims: jwt.Claims{
			Issuer: issuer, Audience: jwt.Audience{audience}, ID: id.UUID(),
			IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(ttl)),
		},
		Scope: scope, Facility: facility,
	})
}

func sign(key []byte, c claims) (string, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: key}, (&jose.SignerOptions{}).WithType(tokenType))
	if err != nil {
		return "", err
	}
	return jwt.Signed(signer).Claims(c).Serialize()
}

// bearer reads a signed token: this algorithm, this key, these claims, and nothing that lacks one of them.
func (s *Service) bearer(text string) (p trust.Principal, err error) {
	c, err := s.readJWT(text)
	if err != nil {
		return p, errToken.Because(err)
	}
	return trust.Principal{
		Agent:  store.Agent{Kind: store.System, ID: "token/" + c.ID, Name: "ytso token", Role: trust.RoleMachine, Facility: c.Facility},
		Scopes: strings.Fields(c.Scope), // never nil, which would mean all: ParseScopes refuses a blank list
	}, nil
}

func (s *Service) readJWT(text string) (c claims, err error) {
	if len(text) > maxJWT {
		return c, fmt.Errorf("token of %d bytes", len(text))
	}
	name := sha256.Sum256([]byte(text))
	c, known := s.known.get(name)
	if !known {
		if c, err = s.checkJWT(text); err != nil {
			return c, err
		}
	}
	if err := c.ValidateWithLeeway(jwt.Expected{Issuer: issuer, AnyAudience: jwt.Audience{audience}, Time: s.now()}, 0); err != nil {
		return c, err
	}
	if !known {
		s.known.put(name, c)
	}
	return c, nil
}

// checkJWT reads a token whose signature is right, whatever the time is.
func (s *Service) checkJWT(text string) (c claims, err error) {
	t, err := jwt.ParseSigned(text, []jose.SignatureAlgorithm{jose.HS256})
	if err != nil {
		return c, err
	}
	if err := t.Claims(s.key, &c); err != nil {
		return c, err
	}
	if len(t.Headers) != 1 || t.Headers[0].ExtraHeaders[jose.HeaderType] != tokenType {
		return c, fmt.Errorf("not an access token")
	}
	if c.Expiry == nil || c.NotBefore == nil || c.IssuedAt == nil || c.ID == "" { // each is judged only when it is there
		return c, fmt.Errorf("a claim is missing")
	}
	_, err = trust.ParseScopes(c.Scope)
	return c, err
}

// verified remembers the claims of tokens whose signature was found right, by
// the hash of their whole text: a machine sends the same one for an hour. The
// times in them are judged at each request. The key is one for the life of the
// process, and there is no other revocation (maxTokenTTL); nobody without it
// puts anything in here.
type verified struct {
	mu sync.Mutex
	m  map[[sha256.Size]byte]claims
}

// maxVerified bounds what is remembered.
const maxVerified = 1024

func (v *verified) get(name [sha256.Size]byte) (claims, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	c, ok := v.m[name]
	return c, ok
}

func (v *verified) put(name [sha256.Size]byte, c claims) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.m == nil || len(v.m) >= maxVerified {
		v.m = map[[sha256.Size]byte]claims{}
	}
	v.m[name] = c
}
