package book

import (
	"strings"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// person is who the book is about.
type person struct {
	Name      string
	Birth     moment
	Sex       string // FHIR administrative gender
	Number    number
	Card      string // insurance card, "" when none is known
	CardUntil moment
	Address   string
	Phone     string
}

// number is the number that names the person, shown in part.
type number struct{ Kind, Value string } // Kind is a message key

// Masked leaves the last four signs: a look over the shoulder does not tell the rest.
func (n number) Masked() string { return mask(n.Value) }

const shown = 4

func mask(s string) string {
	r := []rune(s)
	if len(r) <= shown {
		return strings.Repeat("•", len(r))
	}
	return strings.Repeat("•", len(r)-shown) + string(r[len(r)-shown:])
}

// numbers in the order in which they are shown.
var numbers = []number{
	{"number.cccd", element.CCCD}, {"number.cmnd", element.OldCMND}, {"number.passport", element.Passport},
	{"number.bhxh", element.BHXH},
}

func personOf(patient r4.Node, coverages []r4.Node) person {
	p := person{
		Name: fullName(dig(patient, "name")), Birth: moment(patient.Get("birthDate").Text()), Sex: patient.Get("gender").Text(),
		Card: identifier(patient, element.BHYT), Address: address(dig(patient, "address")),
	}
	for _, k := range numbers {
		if v := identifier(patient, k.Value); v != "" {
			p.Number = number{k.Kind, v}
			break
		}
	}
	for t := range patient.Get("telecom").Elems() {
		if t.Get("system").Text() == "phone" && p.Phone == "" {
			p.Phone = t.Get("value").Text()
		}
	}
	for _, c := range coverages {
		until := moment(dig(c, "period", "end").Text())
		if card := identifier(c, element.BHYT); card != "" && (p.Card == "" || card == p.Card || c.Get("subscriberId").Text() == p.Card) && p.CardUntil.before(until) {
			p.Card, p.CardUntil = card, until
		}
	}
	return p
}

// identifier gives the value of the last identifier of a system: the newest stands last.
func identifier(n r4.Node, system string) (value string) {
	for i := range n.Get("identifier").Elems() {
		if i.Get("system").Text() == system {
			value = i.Get("value").Text()
		}
	}
	return value
}

func fullName(n r4.Node) string {
	if t := n.Get("text").Text(); t != "" {
		return t
	}
	words := []string{n.Get("family").Text()} // the Vietnamese order: family name first
	for g := range n.Get("given").Elems() {
		words = append(words, g.Text())
	}
	return strings.TrimSpace(strings.Join(words, " "))
}

func address(n r4.Node) string {
	if t := n.Get("text").Text(); t != "" {
		return t
	}
	var part []string
	for _, l := range []string{"line", "city", "district", "state"} {
		for x := range n.Get(l).Elems() {
			if x.Text() != "" {
				part = append(part, x.Text())
			}
		}
	}
	return strings.Join(part, ", ")
}
