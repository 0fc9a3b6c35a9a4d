package authn

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/trust"
)

func TestBearer(t *testing.T) {
	s := lite(t)
	for _, facility := range []string{"", "25001"} {
		text, err := s.IssueToken(t.Context(), "system/Patient.rs system/*.s", facility, 0)
		if err != nil {
			t.Fatal(err)
		}
		p, err := s.bearer(text)
		if err != nil {
			t.Fatal(err)
		}
		if p.Agent.Kind != store.System || p.Agent.Role != trust.RoleMachine || p.Agent.Facility != facility || !strings.HasPrefix(p.Agent.ID, "token/") ||
			!slices.Equal(p.Scopes, []string{"system/Patient.rs", "system/*.s"}) {
			t.Errorf("%+v", p)
		}
		access, err := trust.NewGate(trust.NewPersons(s.Store)).Access(trust.With(t.Context(), p), trust.Payment)
		if err != nil || access.Filter.All != (facility == "") || access.Filter.May("Patient", store.CanUpdate) {
			t.Errorf("the gate gives %+v %v", access.Filter, err)
		}
		s.move(tokenTTL - time.Second)
		if _, err := s.bearer(text); err != nil {
			t.Errorf("a second before its end: %v", err)
		}
		s.move(2 * time.Second)
		if _, err := s.bearer(text); outcome.KindOf(err) != outcome.Login {
			t.Errorf("after its end: %v", err)
		}
	}
}

// A token that was taken once is judged by the clock each time, and one that differs from it by a byte is another.
func TestTokenTakenBefore(t *testing.T) {
	s := lite(t)
	text, err := s.IssueToken(t.Context(), "system/*.s", "25001", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if p, err := s.bearer(text); err != nil || p.Agent.Facility != "25001" {
			t.Fatalf("%+v %v", p, err)
		}
		if len(s.known.m) != 1 {
			t.Fatalf("%d tokens are remembered", len(s.known.m))
		}
		for i := range text {
			other := []byte(text)
			other[i] ^= 1
			if p, err := s.bearer(string(other)); err == nil && i < strings.LastIndexByte(text, '.') {
				t.Fatalf("byte %d changed: %+v", i, p)
			}
		}
	}
	s.move(2 * time.Minute)
	if _, err := s.bearer(text); outcome.KindOf(err) != outcome.Login {
		t.Errorf("after its end: %v", err)
	}
	s.move(-time.Hour)
	if _, err := s.bearer(text); outcome.KindOf(err) != outcome.Login {
		t.Errorf("before its beginning: %v", err)
	}
	for range maxVerified + 10 {
		text, err := s.IssueToken(t.Context(), "system/*.s", "", 0)
		if err == nil {
			_, err = s.bearer(text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if n := len(s.known.m); n > maxVerified {
		t.Errorf("%d tokens are remembered", n)
	}
}

// SECURITY.md case 3: nothing wider than system/ is granted in the first place.
func TestTokensThatAreNotIssued(t *testing.T) {
	s := lite(t)
	for _, tt := range []struct {
		scope, facility string
		ttl             time.Duration
	}{
		{"", "", 0}, {"user/*.*", "", 0}, {"patient/*.rs", "", 0}, {"system/*.cruds user/*.rs", "", 0}, {"system/Newcomer.r", "", 0},
		{"system/*.r", "25 001", 0}, {"system/*.r", "", maxTokenTTL + 1}, {"system/*.r", "", -time.Hour}, {"system/*.r", "", time.Millisecond},
	} {
		if text, err := s.IssueToken(t.Context(), tt.scope, tt.facility, tt.ttl); outcome.KindOf(err) != outcome.Value || text != "" {
			t.Errorf("%+v: %v", tt, err)
		}
	}
}

// SECURITY.md case 5.
func TestForgedTokens(t *testing.T) {
	s := lite(t)
	at := func(d time.Duration) *jwt.NumericDate { return jwt.NewNumericDate(s.Now().Add(d)) }
	valid := func() claims {
		return claims{
			Claims: jwt.Claims{Issuer: issuer, Audience: jwt.Audience{audience}, ID: "j", IssuedAt: at(0), NotBefore: at(0), Expiry: at(time.Hour)},
			Scope:  "system/*.cruds",
		}
	}
	signed := func(key any, alg jose.SignatureAlgorithm, typ jose.ContentType, extra map[jose.HeaderKey]any, c any) string {
		t.Helper()
		o := (&jose.SignerOptions{ExtraHeaders: extra}).WithType(typ)
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, o)
		if err != nil {
			t.Fatal(err)
		}
		text, err := jwt.Signed(signer).Claims(c).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	with := func(change func(*claims)) string {
		c := valid()
		change(&c)
		return signed(s.key, jose.HS256, tokenType, nil, c)
	}
	raw := func(header string) string {
		b, _ := json.Marshal(valid())
		return base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString(b) + "."
	}
	good := with(func(*claims) {})
	if _, err := s.bearer(good); err != nil {
		t.Fatalf("the valid one: %v", err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, _ := x509.MarshalPKIXPublicKey(&rsaKey.PublicKey)
	publicPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
	hs512 := strings.TrimSuffix(raw(`{"alg":"HS512","typ":"at+jwt"}`), ".")
	mac := hmac.New(sha512.New, s.key)
	mac.Write([]byte(hs512))
	hs512 += "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	parts := strings.Split(good, ".")
	flipped := []byte(good)
	flipped[len(parts[0])+5] ^= 1
	for name, text := range map[string]string{
		"alg none":            raw(`{"alg":"none","typ":"at+jwt"}`),
		"alg None":            raw(`{"alg":"None","typ":"at+jwt"}`),
		"alg missing":         raw(`{"typ":"at+jwt"}`),
		"no signature":        parts[0] + "." + parts[1] + ".",
		"RS256":               signed(rsaKey, jose.RS256, tokenType, nil, valid()),
		"RS to HS swap":       signed(publicPEM, jose.HS256, tokenType, nil, valid()),
		"HS512, our key":      hs512,
		"another key":         signed(random(keySize), jose.HS256, tokenType, nil, valid()),
		"key in the header":   signed(jose.JSONWebKey{Key: rsaKey}, jose.RS256, tokenType, map[jose.HeaderKey]any{"jwk": jose.JSONWebKey{Key: rsaKey.Public()}}, valid()),
		"kid as path":         signed(random(keySize), jose.HS256, tokenType, map[jose.HeaderKey]any{"kid": "../../../dev/null"}, valid()),
		"kid as SQL":          signed([]byte(strings.Repeat("x", 32)), jose.HS256, tokenType, map[jose.HeaderKey]any{"kid": "' UNION SELECT 'x"}, valid()),
		"an ID token":         signed(s.key, jose.HS256, "JWT", nil, valid()),
		"expired":             with(func(c *claims) { c.Expiry = at(-time.Second) }),
		"without end":         with(func(c *claims) { c.Expiry = nil }),
		"not yet":             with(func(c *claims) { c.NotBefore = at(2 * time.Second) }),
		"without nbf":         with(func(c *claims) { c.NotBefore = nil }),
		"issued in future":    with(func(c *claims) { c.IssuedAt = at(2 * time.Second) }),
		"without iat":         with(func(c *claims) { c.IssuedAt = nil }),
		"without jti":         with(func(c *claims) { c.ID = "" }),
		"wrong aud":           with(func(c *claims) { c.Audience = jwt.Audience{"ytso.evil.test"} }),
		"without aud":         with(func(c *claims) { c.Audience = nil }),
		"wrong iss":           with(func(c *claims) { c.Issuer = "else" }),
		"without iss":         with(func(c *claims) { c.Issuer = "" }),
		"wide scope":          with(func(c *claims) { c.Scope = "user/*.cruds" }),
		"without scope":       with(func(c *claims) { c.Scope = "" }),
		"one letter changed":  string(flipped),
		"signature cut":       good[:len(good)-3],
		"two dots, no token":  "..",
		"as JSON":             `{"payload":"e30","signatures":[]}.`,
		"too long":            with(func(c *claims) { c.Subject = strings.Repeat("x", maxJWT) }),
		"signed twice nested": signed(s.key, jose.HS256, tokenType, nil, map[string]any{"jwt": good}),
	} {
		if p, err := s.bearer(text); outcome.KindOf(err) != outcome.Login || p.Agent.Kind != "" {
			t.Errorf("%s: %+v %v", name, p, err)
		}
	}
}

// `ytso token` signs beside a running server, which has the store.
func TestSigningNeedsTheKeyFileOnly(t *testing.T) {
	s := lite(t)
	alone, err := New(Deps{Keys: s.Keys, Clock: s.hand})
	if err != nil {
		t.Fatal(err)
	}
	text, err := alone.IssueToken(t.Context(), "system/*.rs", "", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.bearer(text); err != nil {
		t.Error(err)
	}
}
