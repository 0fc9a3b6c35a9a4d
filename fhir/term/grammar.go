package term

import (
	"strings"
	"sync"

	"golang.org/x/text/language"

	"github.com/ytso/ytso/fhir/ucum"
)

// The systems that this package knows without a definition (FHIR R4 terminologies-systems.html).
const (
	systemUCUM     = "http://unitsofmeasure.org"
	systemBCP47    = "urn:ietf:bcp:47"
	systemMIME     = "urn:ietf:bcp:13"
	systemCurrency = "urn:iso:std:iso:4217"
	systemCountry  = "urn:iso:std:iso:3166"
)

// countrySet is the value set of R4 that lists the two-letter codes of ISO 3166-1.
const countrySet = "http://hl7.org/fhir/ValueSet/iso3166-1-2"

// countries makes the system of countries of the value set of R4 that lists
// them: a fragment, since the codes of three letters and digits share its url.
func (e *evaluation) countries() (*codeSystem, error) {
	set, err := e.set(countrySet)
	if err != nil || set == nil {
		return nil, err
	}
	c := &codeSystem{url: systemCountry, name: "ISO 3166", content: "fragment", index: map[string]int32{}}
	for _, in := range set.includes {
		for _, l := range in.codes {
			if _, twice := c.index[l.code]; in.system == systemCountry && !twice {
				c.index[l.code] = int32(len(c.concepts))
				c.concepts = append(c.concepts, concept{code: l.code, display: l.display})
			}
		}
	}
	c.words = sync.OnceValue(c.fold)
	return c, nil
}

// grammar tells the codes of a system that has too many to list.
type grammar interface {
	valid(code string) bool
	display(code string) string
}

var builtIns = map[string]func() *codeSystem{
	systemUCUM:     sync.OnceValue(func() *codeSystem { return ruled(systemUCUM, "UCUM", units{}) }),
	systemBCP47:    sync.OnceValue(func() *codeSystem { return ruled(systemBCP47, "BCP 47", languages{}) }),
	systemMIME:     sync.OnceValue(func() *codeSystem { return ruled(systemMIME, "MIME types (BCP 13)", mediaTypes{}) }),
	systemCurrency: sync.OnceValue(currencySystem),
}

func builtIn(url string) *codeSystem {
	if make, ok := builtIns[url]; ok {
		return make()
	}
	return nil
}

func ruled(url, name string, g grammar) *codeSystem {
	return &codeSystem{url: url, name: name, content: "complete", grammar: g, words: func() []string { return nil }}
}

// impliedSet gives the value sets that a system defines by its own url: all of
// UCUM, and the units comparable to one (FHIR R4 ucum.html#implicit).
func impliedSet(url string) *set {
	rest, ok := strings.CutPrefix(url, systemUCUM+"/vs")
	if !ok {
		return nil
	}
	in := clause{system: systemUCUM}
	if unit, one := strings.CutPrefix(rest, "/"); one {
		if _, err := ucum.Parse(unit); err != nil {
			return nil
		}
		in.filters = []filter{{property: "comparable", op: "=", value: unit}}
	} else if rest != "" {
		return nil
	}
	return &set{url: url, name: "UCUM", includes: []clause{in}, composed: true}
}

type units struct{}

func (units) valid(code string) bool { _, err := ucum.Parse(code); return err == nil }
func (units) display(string) string  { return "" }

// comparable says whether two units measure the same kind of thing; ok is false when one is none.
func (units) comparable(a, b string) (same, ok bool) {
	x, err := ucum.Parse(a)
	if err != nil {
		return false, false
	}
	y, err := ucum.Parse(b)
	if err != nil {
		return false, false
	}
	return x.Comparable(y), true
}

// canonical is the property "canonical" of a unit (FHIR R4 ucum.html#properties).
func (units) canonical(code string) (string, bool) {
	u, err := ucum.Parse(code)
	if err != nil {
		return "", false
	}
	_, base, _ := u.Base()
	return base, true
}

type languages struct{}

// valid: well-formed by RFC 5646 with subtags that the registry has. Underscores are Java's, not BCP 47's.
func (languages) valid(code string) bool {
	if strings.Contains(code, "_") {
		return false
	}
	_, err := language.Parse(code)
	return err == nil
}

func (languages) display(string) string { return "" }

type mediaTypes struct{}

// valid: type "/" subtype of RFC 6838 §4.2, and parameters of RFC 2045 §5.1.
func (mediaTypes) valid(code string) bool {
	name, rest, more := strings.Cut(code, ";")
	kind, sub, ok := strings.Cut(strings.TrimRight(name, " "), "/")
	if !ok || !restrictedName(kind) || !restrictedName(sub) {
		return false
	}
	for more {
		var p string
		p, rest, more = cutParameter(rest)
		key, value, ok := strings.Cut(strings.TrimSpace(p), "=")
		quoted := len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"'
		if !ok || !restrictedName(key) || value == "" || !quoted && strings.ContainsAny(value, " ()<>@,;:\\\"/[]?=") {
			return false
		}
	}
	return true
}

func (mediaTypes) display(string) string { return "" }

// cutParameter cuts at the next semicolon that stands in no quotes.
func cutParameter(s string) (p, rest string, more bool) {
	quoted := false
	for i := range len(s) {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ';' && !quoted:
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}

func restrictedName(s string) bool {
	if s == "" || len(s) > 127 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && (i == 0 || strings.IndexByte("!#$&-^_.+", c) < 0) {
			return false
		}
	}
	return true
}

// currencies are the codes of ISO 4217 in force, with those of funds and
// metals, as R4 lists them and as amended since (SLE, VED, XCG, ZWG).
const currencies = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF " +
	"CHE CHF CHW CLF CLP CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GGP GHS GIP GMD GNF " +
	"GTQ GYD HKD HNL HRK HTG HUF IDR ILS IMP INR IQD IRR ISK JEP JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD " +
	"MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR " +
	"RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TVD TWD TZS UAH UGX " +
	"USD USN UYI UYU UYW UZS VED VEF VES VND VUV WST XAF XAG XAU XBA XBB XBC XBD XCD XCG XDR XOF XPD XPF XPT XSU XTS XUA XXX YER ZAR ZMW ZWG ZWL"

func currencySystem() *codeSystem {
	c := &codeSystem{url: systemCurrency, name: "ISO 4217", content: "complete", index: map[string]int32{}}
	for code := range strings.FieldsSeq(currencies) {
		c.index[code] = int32(len(c.concepts))
		c.concepts = append(c.concepts, concept{code: code})
	}
	c.words = sync.OnceValue(c.fold)
	return c
}
