package authn

import (
	"context"
	"encoding/hex"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
)

var (
	errFacility = outcome.New(outcome.Value, "signin.facility",
		"Mã cơ sở khám chữa bệnh chỉ gồm chữ và số, ví dụ 25001.", "A facility code has letters and digits only, for example 25001.")
	errNoAccount = outcome.New(outcome.NotFound, "signin.no-account",
		"Không có tài khoản máy mang tên này đang còn hiệu lực.", "There is no machine account of this name in force.")
	// errCredentials answers for unknown, revoked and wrong alike.
	errCredentials = outcome.New(outcome.Login, "signin.credentials",
		"Sai tài khoản hoặc mật khẩu.", "The account or the password is wrong.")
	errThrottled = outcome.New(outcome.Throttled, "signin.throttled",
		"Có quá nhiều lần thử đăng nhập. Xin đợi một phút rồi thử lại.", "Too many attempts to sign in. Please wait a minute and try again.")
)

// Tries of token/take. An address gets fewer than an account, so that nobody
// can lock a hospital's sender out from one place; a sender takes one token an hour.
// Names that no account can have share one count.
const (
	addressEvery, addressBurst = 6 * time.Second, 20
	accountEvery, accountBurst = 2 * time.Second, 60
)

// networkOf is what tries are counted by: of an IPv6 address the /64 that one line owns.
func networkOf(remote string) string {
	a, err := netip.ParseAddr(remote)
	if err != nil || a.Is4() {
		return remote
	}
	return netip.PrefixFrom(a, 64).Masked().String()
}

// maxAccounts bounds the senders of one facility.
const maxAccounts = 99

// AddAccount makes a machine account of a hospital's sender, named as the
// insurer gateway names them (spec/qd3176/gateway.md §1: 25001_BV), and gives
// its secret, which cannot be shown again.
func (s *Service) AddAccount(ctx context.Context, facility string) (user, secret string, err error) {
	defer outcome.Wrap(&err, "authn.AddAccount")
	if !facilityForm.MatchString(facility) {
		return "", "", errFacility
	}
	secret = newSecret()
	phc, err := s.hash(ctx, md5Hex(secret))
	if err != nil {
		return "", "", err
	}
	err = s.update(ctx, nil, store.Note{Action: "signin.account", Entity: facility}, func(tx store.Tx) error {
		for n := 1; n <= maxAccounts; n++ {
			user = facility + "_BV"
			if n > 1 {
				user += strconv.Itoa(n)
			}
			added, err := tx.Exec(ctx, `INSERT INTO trust_account (name, facility, phc, created, used, revoked) VALUES ($1,$2,$3,$4,0,0)
				ON CONFLICT (name) DO NOTHING`, user, facility, phc, s.now().UnixMilli())
			if err != nil || added == 1 {
				return err
			}
		}
		return outcome.New(outcome.Conflict, "signin.accounts", "Cơ sở này đã có quá nhiều tài khoản máy.", "This facility has too many machine accounts.")
	})
	if err != nil {
		return "", "", err
	}
	return user, secret, nil
}

// RevokeAccount ends a machine account and all tokens it took. Its name is not
// given out again. outcome.NotFound when there is no such account in force.
func (s *Service) RevokeAccount(ctx context.Context, user string) (err error) {
	defer outcome.Wrap(&err, "authn.RevokeAccount")
	return s.update(ctx, nil, store.Note{Action: "signin.account-revoke", Entity: nameable(user)}, func(tx store.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE trust_account SET revoked = $1 WHERE name = $2 AND revoked = 0`, s.now().UnixMilli(), user)
		if err != nil {
			return err
		}
		if n == 0 {
			return errNoAccount
		}
		_, err = tx.Exec(ctx, `DELETE FROM trust_token WHERE account = $1`, user)
		return err
	})
}

// APIKey is the session of a machine account (spec/qd3176/gateway.md §2).
type APIKey struct {
	AccessToken string    `json:"access_token"`
	IDToken     string    `json:"id_token"`
	TokenType   string    `json:"token_type"`
	Username    string    `json:"username"`
	Expires     time.Time `json:"expires_in"` // UTC date-time, to the second
}

// keyTTL is what clients assume when expires_in is missing (spec/qd3176/gateway.md §2).
const keyTTL = time.Hour

// TakeToken signs a machine account in by the MD5 of its secret in hex, upper
// or lower case. outcome.Login for wrong, unknown and revoked alike, after the
// same work; outcome.Throttled when the address, the account or the server has
// too many tries at once.
func (s *Service) TakeToken(ctx context.Context, user, md5hex, remote string) (_ APIKey, err error) {
	defer outcome.Wrap(&err, "authn.TakeToken")
	note := store.Note{Action: "signin.take", Entity: nameable(user)}
	if !s.byAddress.Allow(networkOf(remote)) || !s.byAccount.Allow(note.Entity) {
		return APIKey{}, errThrottled
	}
	phc, facility, err := s.account(ctx, note.Entity)
	if err != nil {
		return APIKey{}, err
	}
	fits, weak, err := s.verify(ctx, phc, strings.ToUpper(md5hex))
	if err != nil {
		return APIKey{}, err
	}
	if !fits || facility == "" || !isMD5(md5hex) {
		return APIKey{}, s.refuse(ctx, remote, note, errCredentials)
	}
	if weak {
		if phc, err = s.hash(ctx, strings.ToUpper(md5hex)); err != nil {
			return APIKey{}, err
		}
	}
	return s.grant(ctx, note, facility, phc, strings.ToUpper(md5hex), remote)
}

// account gives the hash and the facility of an account in force; of any other a hash that nothing fits.
func (s *Service) account(ctx context.Context, user string) (phc, facility string, err error) {
	var found bool
	err = s.view(ctx, store.Note{Action: "signin.account-read"}, func(r store.Reader) error {
		found, err = row(ctx, r, `SELECT phc, facility FROM trust_account WHERE name = $1 AND revoked = 0`, []any{user}, &phc, &facility)
		return err
	})
	if err == nil && !found {
		phc, facility = s.dummy, ""
	}
	return phc, facility, err
}

// grant keeps the hashes of new tokens. An account that was revoked meanwhile gets none.
func (s *Service) grant(ctx context.Context, note store.Note, facility, phc, md5upper, remote string) (APIKey, error) {
	now := s.now()
	user := note.Entity
	k := APIKey{AccessToken: newToken(), IDToken: newToken(), TokenType: "bearer", Username: user, Expires: now.Add(keyTTL).UTC().Truncate(time.Second)}
	who := func(a *store.Access) { a.Agent, a.Remote = machine(user, facility), remote }
	err := s.update(ctx, who, note, func(tx store.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE trust_account SET used = $1, phc = $2 WHERE name = $3 AND revoked = 0`, now.UnixMilli(), phc, user)
		if err != nil {
			return err
		}
		if n == 0 {
			return errCredentials
		}
		_, err = tx.Exec(ctx, `INSERT INTO trust_token (hash, idhash, proof, account, facility, created, expires) VALUES ($1,$2,$3,$4,$5,$6,$7)`,
			hashOf(k.AccessToken), hashOf(k.IDToken), proofOf(k.AccessToken, md5upper), user, facility, now.UnixMilli(), k.Expires.UnixMilli())
		return err
	})
	if err != nil {
		return APIKey{}, err
	}
	return k, nil
}

func machine(user, facility string) store.Agent {
	return store.Agent{Kind: store.Machine, ID: user, Name: user, Facility: facility, Role: "machine"}
}

// proofOf binds the passwordHash of a call to its access token: without the
// token, which is not stored, no guess at the hash can be tried.
func proofOf(access, md5upper string) string { return hashOf(access + " " + md5upper) }

// key is a row of trust_token.
type key struct{ idhash, proof, account, facility string }

func (s *Service) keyOf(ctx context.Context, access string) (k key, found bool, err error) {
	if !TokenShaped(access) {
		return k, false, nil
	}
	err = s.view(ctx, store.Note{Action: "signin.token"}, func(r store.Reader) error {
		found, err = row(ctx, r, `SELECT idhash, proof, account, facility FROM trust_token WHERE hash = $1 AND expires > $2`,
			[]any{hashOf(access), s.now().UnixMilli()}, &k.idhash, &k.proof, &k.account, &k.facility)
		return err
	})
	return k, found, err
}

var accountForm = regexp.MustCompile(`^[0-9A-Za-z]{1,20}_BV[0-9]{0,2}$`)

// nameable gives an account name that can stand in the audit row: what is
// typed into the wrong field may be a secret.
func nameable(user string) string {
	if accountForm.MatchString(user) {
		return user
	}
	return ""
}

func isMD5(text string) bool {
	b, err := hex.DecodeString(text)
	return err == nil && len(b) == 16
}
