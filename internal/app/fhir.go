package app

import (
	"github.com/ytso/ytso/fhir/canon"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/term"
	"github.com/ytso/ytso/fhir/validate"
	"github.com/ytso/ytso/internal/room/exchange"
)

// meetOthers makes the FHIR interface: what it knows of definitions, terms and
// rules, and the room that serves it.
func (h *house) meetOthers() error {
	source := canon.Sources{}
	terms := term.New(source)
	official := param.Official()
	h.exchange = exchange.NewService(exchange.Deps{
		Store: h.store, Gate: h.gate, Check: validate.New(source, terms), Terms: terms, Source: source,
		Params: func() *param.Registry { return official },
		Clock:  h.clock, Log: h.log.With("room", "exchange"), Software: version(), Started: h.clock.Now(),
	})
	return nil
}
