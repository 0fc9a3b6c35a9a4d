package app

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ytso/ytso/internal/room/claims"
	"github.com/ytso/ytso/internal/room/registry"
	"github.com/ytso/ytso/internal/synth"
	"github.com/ytso/ytso/internal/synth/fault"
	"github.com/ytso/ytso/internal/trust"
	"github.com/ytso/ytso/vn/claim"
)

// atOnce is how many files of the demonstration are on their way: enough that
// their commits are shared, few enough that pages stay quick.
const atOnce = 12

// Of the invented files every spoiltEvery-th was first sent with a mistake, so
// that the desk of claims has something to give back.
const spoiltEvery = 40

// inflow lets an invented province send its claim files through the gateway of
// the node, each facility with an account of its own.
type inflow struct {
	node     *Node
	base     string // address of the gateway
	province *synth.Province
	watch    func(done, total int)

	mu      sync.Mutex
	total   int
	done    int // visits that have their answer
	ended   bool
	senders map[string]*sender
}

// run sends everything that the node does not know yet. It may be broken off
// and run again: the same options give the same bytes.
func (f *inflow) run(ctx context.Context) error {
	if err := f.register(ctx); err != nil {
		return err
	}
	f.count()
	defer f.leave(context.WithoutCancel(ctx))
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(atOnce)
	n := 0
	for file := range f.province.Files() {
		if ctx.Err() != nil {
			break
		}
		n++
		spoil := n%spoiltEvery == 0
		work.Go(func() error { return f.deliver(ctx, file, spoil) })
	}
	if err := work.Wait(); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
	return nil
}

// register puts the facilities of the province into the register.
func (f *inflow) register(ctx context.Context) error {
	var list []registry.Facility
	for _, p := range f.province.Facilities() {
		list = append(list, registry.Facility{Code: p.Code, Name: p.Name, Level: p.Level})
	}
	return f.node.places.Put(ctx, list)
}

func (f *inflow) count() {
	n := 0
	for range f.province.Files() {
		n++
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.total = n
}

// progress tells how far it is.
func (f *inflow) progress() (done, total int, ended bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.done, f.total, f.ended
}

// deliver sends one file and waits for the answer to its visits.
func (f *inflow) deliver(ctx context.Context, file synth.File, spoil bool) error {
	body, err := claim.Encode(file.Claim)
	if err != nil {
		return err
	}
	if known, err := f.known(ctx, file.Facility, body); err != nil || known {
		f.arrived()
		return err
	}
	from, err := f.sender(ctx, file.Facility)
	if err != nil {
		return err
	}
	if spoil {
		if broken, ok := mistake(body); ok {
			if _, err := f.send(ctx, from, broken); err != nil {
				return err
			}
		}
	}
	v, err := f.send(ctx, from, body)
	if err != nil {
		return err
	}
	if stored := v.HOSO[claims.HOSOStored] + v.HOSO[claims.HOSOUnchanged]; stored != len(file.Claim.HOSO) {
		return fmt.Errorf("%s: %d of %d visits were stored", file.Name, stored, len(file.Claim.HOSO))
	}
	f.arrived()
	return nil
}

// mistake spoils an amount, as senders do: the sum of a line of medicine no longer fits its quantity.
func mistake(clean []byte) (broken []byte, ok bool) {
	for _, k := range fault.Kinds {
		if k.Name == "medicine-amount" {
			broken, _, ok = fault.Plant(k, 1, clean)
		}
	}
	return broken, ok
}

// known says whether an earlier run sent the file already.
func (f *inflow) known(ctx context.Context, facility string, body []byte) (bool, error) {
	a, err := trust.System(trust.JobFlow)
	if err != nil {
		return false, err
	}
	return f.node.claims.Known(ctx, a, facility, body)
}

func (f *inflow) send(ctx context.Context, from *sender, body []byte) (v verdict, err error) {
	receipt, err := from.send(ctx, body)
	if err != nil {
		return v, err
	}
	return answered(ctx, func() (verdict, error) { return from.status(ctx, receipt) })
}

func (f *inflow) arrived() {
	f.mu.Lock()
	f.done++
	done, total := f.done, f.total
	f.mu.Unlock()
	if f.watch != nil {
		f.watch(done, total)
	}
}

// sender gives the software of a facility, with an account made at its first file.
func (f *inflow) sender(ctx context.Context, facility string) (*sender, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := f.senders[facility]; s != nil {
		return s, nil
	}
	a, err := f.node.AddAccount(ctx, facility)
	if err != nil {
		return nil, err
	}
	s := &sender{base: f.base, facility: facility, account: a, client: &http.Client{
		Timeout:   time.Minute,
		Transport: &http.Transport{MaxIdleConnsPerHost: atOnce},
	}}
	if f.senders == nil {
		f.senders = map[string]*sender{}
	}
	f.senders[facility] = s
	return s, nil
}

// leave ends the accounts that were made for the inflow.
func (f *inflow) leave(ctx context.Context) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.senders {
		s.client.CloseIdleConnections()
		if err := f.node.authn.RevokeAccount(ctx, s.account.User); err != nil {
			f.node.log.Error("an account of the demonstration stays", "account", s.account.User, "err", err)
		}
	}
	f.senders = nil
}
