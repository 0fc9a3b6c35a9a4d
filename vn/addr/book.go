package addr

import (
	"strings"
	"sync"
	"time"

	"github.com/ytso/ytso/fhir/fold"
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/vn/law"
)

// Place is a place as far as it is known: blank units are not. All of one list.
type Place struct{ Province, District, Commune law.Place }

// Smallest is the smallest unit that is known.
func (p Place) Smallest() law.Place {
	switch {
	case p.Commune.Code != "":
		return p.Commune
	case p.District.Code != "":
		return p.District
	}
	return p.Province
}

// Old says whether the place is of the lists that ended on 30/06/2025.
func (p Place) Old() bool { return p.Smallest().Old }

// String is the place as it is written: "Xã Ví Dụ, Huyện Ví Dụ, Tỉnh Ví Dụ".
func (p Place) String() string {
	var out []string
	for _, u := range []law.Place{p.Commune, p.District, p.Province} {
		if u.Code != "" {
			out = append(out, u.Full)
		}
	}
	return strings.Join(out, ", ")
}

// lastOld is the last day of the lists of before.
const lastOld = "2025-06-30"

type key struct {
	level law.PlaceLevel
	old   bool
	text  string // a code, or a name as keyOf gives it
}

// book is the tables, ready to look up.
type book struct {
	byCode map[key]law.Place
	byName map[key][]law.Place
	names  map[string]bool             // every name of a unit, as keyOf gives it
	to     map[string][]law.Succession // by From
	from   map[string][]law.Succession // by To
}

var tables = sync.OnceValue(func() *book {
	b := &book{map[key]law.Place{}, map[key][]law.Place{}, map[string]bool{}, map[string][]law.Succession{}, map[string][]law.Succession{}}
	for _, p := range law.Places() {
		k := key{p.Level, p.Old, p.Code}
		if have, ok := b.byCode[k]; !ok || have.Until < p.Until {
			b.byCode[k] = p
		}
		k.text = keyOf(p.Name)
		b.byName[k] = append(b.byName[k], p)
		b.names[k.text] = true
	}
	for alias, name := range aliases {
		for _, old := range []bool{true, false} {
			k := key{law.ProvinceLevel, old, name}
			b.byName[key{law.ProvinceLevel, old, alias}] = b.byName[k]
		}
	}
	for _, s := range law.Successions() {
		b.to[s.From], b.from[s.To] = append(b.to[s.From], s), append(b.from[s.To], s)
	}
	return b
})

// aliases are other names that provinces go by, as keyOf gives them.
var aliases = map[string]string{
	"hcm": "hochiminh", "tphcm": "hochiminh", "saigon": "hochiminh", "hn": "hanoi", "thuathienhue": "hue", "tthue": "hue", "brvt": "bariavungtau", "vungtau": "bariavungtau",
	"daclac": "daklak", "darlac": "daklak", "dacnong": "daknong", "congtum": "kontum",
}

// keyOf folds a name so that spellings meet: no marks, blanks, hyphens or leading zeros.
func keyOf(name string) string {
	k := strings.ReplaceAll(fold.Key(name), " ", "")
	if number(k) {
		return strings.TrimLeft(k, "0")
	}
	return k
}

// of makes a whole place of its smallest unit.
func (b *book) of(u law.Place) Place {
	p := Place{Province: b.byCode[key{law.ProvinceLevel, u.Old, u.Province}]}
	if u.District != "" {
		p.District = b.byCode[key{law.DistrictLevel, true, u.District}]
	}
	if u.Level == law.CommuneLevel {
		p.Commune = u
	}
	return p
}

// Find gives the place that a code named on a day. ok is false when it named
// none: the same code may name another place on another day.
func Find(level law.PlaceLevel, code string, on time.Time) (p Place, ok bool) {
	b := tables()
	old := on.Before(law.Merger())
	u, ok := b.byCode[key{level, old, code}]
	if !ok || old && u.Until != "" && u.Until < on.In(law.Merger().Location()).Format(time.DateOnly) {
		return p, false
	}
	return b.of(u), true
}

// Became is a place of today that a place of before went to.
type Became struct {
	Place     Place
	Whole     bool // all of it went there; false: a part, how much is not known
	Main      bool // the one to take when only one can be
	Confirmed bool // two lists have it
}

// ErrUnknownFate says that the tables do not tell what became of a place.
var ErrUnknownFate = outcome.New(outcome.NotSupported, "addr.unknown-fate",
	"Chưa có bảng cho biết đơn vị này nay thuộc đâu. Xin chọn lại xã, phường hiện nay.", "No table tells what became of this unit. Please choose the commune of today.")

// Today gives what became of a place, the main one first; a place of today is
// itself. Of a district or province only the province is told, but for island
// districts that are communes now. Several answers are a question to ask.
func Today(p Place) ([]Became, error) {
	b, u := tables(), p.Smallest()
	switch {
	case u.Code == "":
		return nil, ErrUnknownFate
	case !u.Old:
		return []Became{{p, true, true, true}}, nil
	}
	var out []Became
	if u.Level != law.ProvinceLevel && (u.Level == law.DistrictLevel || u.Until == lastOld) {
		for _, s := range b.to[u.Code] {
			next := Became{b.of(b.byCode[key{law.CommuneLevel, false, s.To}]), s.Whole, s.Main, s.Confirmed}
			if s.Main {
				out = append([]Became{next}, out...)
			} else {
				out = append(out, next)
			}
		}
	}
	if len(out) > 0 {
		return out, nil
	}
	code, ok := law.ProvinceToday(u.Province)
	if u.Level == law.CommuneLevel || !ok {
		return nil, ErrUnknownFate
	}
	return []Became{{b.of(b.byCode[key{law.ProvinceLevel, false, code}]), true, true, true}}, nil
}

// Before gives the communes of before that went to a commune of today, whole or in part.
func Before(p Place) []Became {
	b := tables()
	if p.Commune.Code == "" || p.Commune.Old {
		return nil
	}
	var out []Became
	for _, s := range b.from[p.Commune.Code] {
		level := law.CommuneLevel
		if len(s.From) == 3 {
			level = law.DistrictLevel
		}
		out = append(out, Became{b.of(b.byCode[key{level, true, s.From}]), s.Whole, s.Main, s.Confirmed})
	}
	return out
}
