package check

import "time"

// Context is what the rules may ask beside the file (rules.csv column needs).
// A nil member is not known: the rules that need it are "not checked".
type Context struct {
	Facilities    Facilities
	Practitioners Practitioners
	CardLookup    CardLookup
	Signature     Signature
}

// Facilities knows the facility codes (MA_CSKCB).
type Facilities interface {
	Known(code string, on time.Time) bool
}

// Practitioners knows who may sign for a facility.
type Practitioners interface {
	Signs(number, facility string, on time.Time) bool
}

// CardLookup gives the insurer's answer about a card (the_bhyt_ma_ket_qua.csv); ok is false without one.
type CardLookup interface {
	Answer(card string, on time.Time) (code string, ok bool)
}

// Signature judges the CHUKYDONVI of the file at hand.
type Signature interface {
	Valid() bool
}
