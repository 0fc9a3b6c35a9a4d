package exchange

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
)

// guarded is the store as the REST server gets it. A Subscription passes here
// on every path, also inside a Bundle: it is read, refused when it can't be
// served, its secrets taken out, and its row written in the same transaction.
type guarded struct {
	store.Store
	s *Service
}

// parcel is a Subscription between Prepare and Put.
type parcel struct {
	engine any // of the store
	spec   subSpec
	secret map[string]string
	off    bool
}

// Prepare is described at store.Store.
func (g guarded) Prepare(d store.Draft) (*store.Prepared, error) {
	if d.Key.Type == "SearchParameter" {
		if err := g.s.usable(d.Body); err != nil {
			return nil, err
		}
	}
	if d.Key.Type == "Patient" && d.Owner != "" {
		if err := forged(d.Body); err != nil {
			return nil, err
		}
	}
	if d.Key.Type != "Subscription" {
		return g.Store.Prepare(d)
	}
	doc, err := r4.Parse(d.Body)
	if err != nil {
		return nil, err
	}
	root := doc.Root()
	status := root.Get("status").Text()
	p := parcel{off: status == "off"}
	switch status {
	case "requested", "active", "off":
	default:
		return nil, errSubscriptionStatus.At("Subscription.status")
	}
	if p.spec, p.secret, err = readSubscription(root); err != nil {
		return nil, err
	}
	if p.spec.Endpoint != "" {
		if _, _, err := g.s.Endpoints.admit(p.spec.Endpoint); err != nil {
			return nil, outcome.As(err).At("Subscription.channel.endpoint")
		}
	}
	if _, err := p.spec.conditions(g.s.Params()); err != nil {
		return nil, err
	}
	state := "requested"
	if p.off {
		state = "off"
	}
	d.Body, d.Doc = withStatus(root, state, ""), nil // what was read before holds the secrets
	out, err := g.Store.Prepare(d)
	if err != nil {
		return nil, err
	}
	p.engine = out.Engine
	sealed := *out
	sealed.Engine = p
	return &sealed, nil
}

var errForged = outcome.New(outcome.BusinessRule, "exchange.golden",
	"Nhãn này chỉ máy chủ gắn cho hồ sơ chung của một người; cơ sở không được tự gắn.",
	"Only the server marks the record that stands for a person so; a facility may not.").At("Patient.meta.tag")

// forged refuses a facility's record that says of itself that it stands for a
// person: figures count persons by that tag (DESIGN.md decision 9).
func forged(body []byte) error {
	doc, err := r4.Parse(body)
	if err != nil {
		return err
	}
	for t := range doc.Root().Get("meta").Get("tag").Elems() {
		if code := t.Get("code").Text(); t.Get("system").Text() == "urn:ytso:tag" && (code == "golden" || code == "golden-replaced") {
			return errForged
		}
	}
	return nil
}

// Update is described at store.Store.
func (g guarded) Update(ctx context.Context, a store.Access, f func(store.Tx) error) error {
	err := g.Store.Update(ctx, a, func(tx store.Tx) error { return f(guardedTx{tx, g.s}) })
	if err == nil {
		g.s.wakeFeed()
	}
	return err
}

type guardedTx struct {
	store.Tx
	s *Service
}

// Put is described at store.Tx.
func (t guardedTx) Put(ctx context.Context, p *store.Prepared) (*store.Resource, error) {
	own, ok := p.Engine.(parcel)
	if !ok {
		return t.Tx.Put(ctx, p)
	}
	plain := *p
	plain.Engine = own.engine
	res, err := t.Tx.Put(ctx, &plain)
	if err != nil {
		return nil, err
	}
	return res, t.s.keepSubscription(ctx, t.Tx, res, own)
}

// Delete is described at store.Tx.
func (t guardedTx) Delete(ctx context.Context, k store.Key, ifMatch int) error {
	if err := t.Tx.Delete(ctx, k, ifMatch); err != nil || k.Type != "Subscription" {
		return err
	}
	for _, sql := range []string{`DELETE FROM exchange_event WHERE sub = $1`, `DELETE FROM exchange_subscription WHERE id = $1`} {
		if _, err := t.Tx.Exec(ctx, sql, k.ID); err != nil {
			return err
		}
	}
	return nil
}

// maxSubscriptions bounds those of one facility, or of the operator.
const maxSubscriptions = 50

var (
	errManySubscriptions = outcome.New(outcome.TooCostly, "exchange.many-subscriptions",
		"Cơ sở này đã có quá nhiều đăng ký nhận thông báo. Hãy xóa bớt.", "This facility has too many subscriptions. Delete some.")
	errMask = outcome.New(outcome.Value, "exchange.mask",
		"Dòng header được che (***) nhưng chưa có giá trị nào được lưu trước đó.", "A header line is masked (***), but no value was kept before.")
)

// keepSubscription writes the room's row of a Subscription. It starts anew
// from what was matched already: a change of endpoint or filter loses no event.
func (s *Service) keepSubscription(ctx context.Context, tx store.Tx, res *store.Resource, p parcel) error {
	principal, err := keepPrincipal(ctx)
	if err != nil {
		return err
	}
	old, err := subscriptions(ctx, tx, `WHERE id = $1`, res.Key.ID)
	if err != nil {
		return err
	}
	if len(old) == 0 {
		n, err := number(ctx, tx, `SELECT COUNT(*) FROM exchange_subscription WHERE facility = $1`, res.Owner)
		if err != nil {
			return err
		}
		if n >= maxSubscriptions {
			return errManySubscriptions
		}
	}
	if err := s.unmask(&p, old); err != nil {
		return err
	}
	secret, err := json.Marshal(p.secret)
	if err != nil {
		return err
	}
	p.spec.Base = baseOf(ctx)
	spec, err := json.Marshal(p.spec)
	if err != nil {
		return err
	}
	state := "requested"
	if p.off {
		state = "off"
	}
	_, err = tx.Exec(ctx, `INSERT INTO exchange_subscription
		(id, version, state, facility, principal, spec, secret, begun, commits, seq, events, delivered, tries, due, spoke, paused, lease, holder, fault, created)
		VALUES ($1,$2,$3,$4,$5,$6,$7,0,0,0,0,0,0,0,0,0,0,'','',$8)
		ON CONFLICT (id) DO UPDATE SET version = $2, state = $3, facility = $4, principal = $5, spec = $6, secret = $7, tries = 0, due = 0, fault = ''`,
		res.Key.ID, int64(res.Version), state, res.Owner, principal, spec, s.sealer.seal(secret, res.Key.ID), s.Clock.Now().UnixMilli())
	return err
}

// unmask puts the kept value in the place of a masked header line.
func (s *Service) unmask(p *parcel, old []*subscription) error {
	for name, v := range p.secret {
		if v != mask {
			continue
		}
		if len(old) == 0 {
			return errMask.At("Subscription.channel.header")
		}
		kept, err := s.secretOf(old[0])
		if err != nil {
			return err
		}
		if kept[name] == "" || old[0].Spec.Endpoint != p.spec.Endpoint { // a secret is not sent to where it was not meant for
			return errMask.At("Subscription.channel.header")
		}
		p.secret[name] = kept[name]
	}
	return nil
}

func (s *Service) secretOf(sub *subscription) (map[string]string, error) {
	text, err := s.sealer.open(sub.Secret, sub.ID)
	if err != nil {
		return nil, err
	}
	secret := map[string]string{}
	if err := json.Unmarshal(text, &secret); err != nil {
		return nil, fmt.Errorf("secret of a subscription: %w", err)
	}
	return secret, nil
}

type baseKey struct{}

// baseOf is the address of the API in the request that ctx is of.
func baseOf(ctx context.Context) string {
	b, _ := ctx.Value(baseKey{}).(string)
	return strings.TrimSuffix(b, "/")
}
