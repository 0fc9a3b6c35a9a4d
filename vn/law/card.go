package law

import (
	"strconv"
	"sync"
	"time"
)

// CardObject is a group of insured people (the first two letters of a card)
// as the law of a day has it. What is not known of it is blank or 0.
type CardObject struct {
	Code  string
	Payer string // employer_employee, social_insurance, state_budget, state_budget_support, household
	Name  string // in Vietnamese; "" when its meaning is not verified
	Level int    // benefit level 1 to 5
}

var cardObjects = sync.OnceValue(func() []record { return readTable("vn/bhyt_object_codes.csv") })

// CardGroup finds a group of insured people on a day. The list is not whole:
// a card is never refused because ok is false (spec/vn/02-bhyt.md §2.1).
func CardGroup(code string, on time.Time) (o CardObject, ok bool) {
	for _, r := range cardObjects() {
		if r["code"] == code && within(r["valid_from"], r["valid_to"], day(on)) {
			o = CardObject{Code: code, Payer: r["payer_group"]}
			o.Level, _ = strconv.Atoi(r["benefit_level_digit"])
			if l, err := Find("ma_doituong_the", on); err == nil {
				c, _ := l.Find(code, on)
				o.Name = c.VI
			}
			return o, true
		}
	}
	return o, false
}

var benefits = sync.OnceValue(func() []record { return readTable("vn/bhyt_benefit_levels.csv") })

// Benefit gives the percentage that the fund pays at a benefit level on a day, before route and exemptions.
func Benefit(level int, on time.Time) (percent int, ok bool) {
	for _, r := range benefits() {
		if r["digit"] == strconv.Itoa(level) && within(r["valid_from"], r["valid_to"], day(on)) {
			percent, err := strconv.Atoi(r["percent"])
			return percent, err == nil
		}
	}
	return 0, false
}
