package authn

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/internal/trust"
)

func (s house) add(t *testing.T, facility string) (user, md5 string) {
	t.Helper()
	user, secret, err := s.AddAccount(t.Context(), facility)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(strings.ReplaceAll(secret, "-", "")); n*5 < 120 {
		t.Fatalf("a secret of %d bits", n*5)
	}
	return user, md5Hex(secret)
}

// MD5 of "abc", RFC 1321 A.5, as senders write it.
func TestMD5OfTheProtocol(t *testing.T) {
	if got := md5Hex("abc"); got != "900150983CD24FB0D6963F7D28E17F72" {
		t.Error(got)
	}
}

func TestAccounts(t *testing.T) {
	engines(t, func(t *testing.T, s house) {
		user, md5 := s.add(t, "25001")
		second, md52 := s.add(t, "25001")
		if user != "25001_BV" || second != "25001_BV2" || md5 == md52 {
			t.Fatalf("%s %s", user, second)
		}
		k, err := s.TakeToken(t.Context(), user, strings.ToLower(md5), "192.0.2.1")
		if err != nil {
			t.Fatal(err)
		}
		if k.Username != user || !k.Expires.Equal(s.Now().Add(time.Hour)) || k.AccessToken == k.IDToken {
			t.Errorf("%+v", k)
		}
		b, _ := json.Marshal(k)
		want := fmt.Sprintf(`{"access_token":%q,"id_token":%q,"token_type":"bearer","username":"25001_BV","expires_in":"2026-03-10T02:00:00Z"}`, k.AccessToken, k.IDToken)
		if string(b) != want {
			t.Errorf("on the wire %s", b)
		}
		for _, wrong := range [][2]string{
			{user, md52}, {second, md5}, {"25001_BV3", md5}, {"25002_BV", md5}, {"", ""}, {user, ""}, {user, md5[:31]}, {user, md5 + "0"}, {strings.ToLower(user), md5}, {user + " ", md5},
		} {
			if _, err := s.TakeToken(t.Context(), wrong[0], wrong[1], "192.0.2.2"); outcome.KindOf(err) != outcome.Login || outcome.As(err).VI != errCredentials.VI {
				t.Errorf("%q: %v", wrong[0], err)
			}
		}
		if err := s.RevokeAccount(t.Context(), user); err != nil {
			t.Fatal(err)
		}
		if _, found, _ := s.keyOf(t.Context(), k.AccessToken); found {
			t.Error("a token outlives its account")
		}
		if _, err := s.TakeToken(t.Context(), user, md5, "192.0.2.3"); outcome.KindOf(err) != outcome.Login {
			t.Errorf("revoked: %v", err)
		}
		if err := s.RevokeAccount(t.Context(), user); outcome.KindOf(err) != outcome.NotFound {
			t.Errorf("revoked twice: %v", err)
		}
		if third, _ := s.add(t, "25001"); third != "25001_BV3" {
			t.Errorf("a name is given out again: %s", third)
		}
		if _, err := s.TakeToken(t.Context(), second, md52, "192.0.2.3"); err != nil {
			t.Errorf("the other account: %v", err)
		}
	})
}

// A revocation between the check of the secret and the grant gives no token.
func TestRevokedWhileTaking(t *testing.T) {
	engines(t, func(t *testing.T, s house) {
		user, md5 := s.add(t, "25001")
		phc, facility, err := s.account(t.Context(), user)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.RevokeAccount(t.Context(), user); err != nil {
			t.Fatal(err)
		}
		if _, err := s.grant(t.Context(), note(user), facility, phc, md5, ""); outcome.KindOf(err) != outcome.Login {
			t.Errorf("granted: %v", err)
		}
	})
}

func TestOldHashIsMadeAnew(t *testing.T) {
	s := lite(t)
	user, md5 := s.add(t, "25001")
	s.cost = standard
	salt := random(16)
	old := cost{8, 1, 1}
	a, _ := trust.System(trust.JobSignIn)
	if err := s.Store.Update(t.Context(), a, exec(`UPDATE trust_account SET phc = $1`, old.phc(salt, old.key(md5, salt)))); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := s.TakeToken(t.Context(), user, md5, "192.0.2.1"); err != nil {
			t.Fatal(err)
		}
		if got := s.texts(t, 1, `SELECT phc FROM trust_account`)[0]; !strings.HasPrefix(got, "$argon2id$v=19$m=19456,t=2,p=1$") {
			t.Error(got)
		}
	}
}

func TestPHC(t *testing.T) {
	good := hopeless(standard)
	if _, _, _, err := readPHC(good); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{
		"", "x", strings.Replace(good, "argon2id", "argon2i", 1), strings.Replace(good, "v=19", "v=16", 1),
		strings.Replace(good, "m=19456", "m=4194304", 1), strings.Replace(good, "t=2", "t=1000", 1), strings.Replace(good, "t=2", "t=0", 1),
		strings.Replace(good, "p=1", "p=0", 1), good[:len(good)-4], good + "$",
	} {
		if _, _, _, err := readPHC(bad); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}

// The work for an unknown account is that of a known one: both hash once at the same cost.
func TestUnknownAccountCostsTheSame(t *testing.T) {
	s := lite(t)
	fresh, err := New(s.Deps)
	if err != nil {
		t.Fatal(err)
	}
	s.Service = fresh
	user, _ := s.add(t, "25001")
	for _, name := range []string{user, "99999_BV", ""} {
		phc, _, err := s.account(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if c, _, _, err := readPHC(phc); err != nil || c != standard {
			t.Errorf("%q: cost %+v %v", name, c, err)
		}
	}
}

// SECURITY.md case 10: guesses from one place, from many places, and by many at once.
func TestGuesses(t *testing.T) {
	guess := func(s house, user, remote string) outcome.Kind {
		_, err := s.TakeToken(context.Background(), user, md5Hex("guess"), remote)
		return outcome.KindOf(err)
	}
	t.Run("one address", func(t *testing.T) {
		s := lite(t)
		user, md5 := s.add(t, "25001")
		got := map[outcome.Kind]int{}
		for i := range 200 {
			got[guess(s, fmt.Sprintf("%05d_BV", i), fmt.Sprintf("2001:db8::%x", i+1))]++ // one line owns a whole /64
		}
		if got[outcome.Login] != addressBurst || got[outcome.Throttled] != 200-addressBurst {
			t.Errorf("%v", got)
		}
		if _, err := s.TakeToken(t.Context(), user, md5, "192.0.2.9"); err != nil {
			t.Errorf("the sender elsewhere: %v", err)
		}
		s.move(addressEvery)
		if k := guess(s, user, "2001:db8::1"); k != outcome.Login {
			t.Errorf("after a rest: %s", k)
		}
	})
	t.Run("many addresses", func(t *testing.T) {
		s := lite(t)
		user, _ := s.add(t, "25001")
		got := map[outcome.Kind]int{}
		for i := range 100 {
			got[guess(s, user, fmt.Sprintf("198.51.100.%d", i))]++
		}
		if got[outcome.Login] != accountBurst {
			t.Errorf("%v", got)
		}
	})
	t.Run("at once", func(t *testing.T) {
		s := lite(t)
		var wg sync.WaitGroup
		most := 0
		done := make(chan struct{})
		go func() {
			defer close(done)
			for i := 0; i < 1000; i++ {
				most = max(most, len(s.slots))
				time.Sleep(100 * time.Microsecond)
			}
		}()
		for i := range 20 {
			wg.Go(func() { guess(s, fmt.Sprintf("%05d_BV", i), fmt.Sprintf("198.51.100.%d", i)) })
		}
		wg.Wait()
		<-done
		if most > hashers || cap(s.slots) != hashers {
			t.Errorf("%d hashes at once", most)
		}
	})
}

func BenchmarkHash(b *testing.B) {
	b.ReportAllocs()
	salt := random(16)
	for b.Loop() {
		standard.key("900150983CD24FB0D6963F7D28E17F72", salt)
	}
}
