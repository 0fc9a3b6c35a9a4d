package ucum

import (
	_ "embed"
	"encoding/xml"
	"math/big"
	"sync"
)

//go:embed ucum-essence.xml
var essence []byte

// License is the text that goes with every copy of the tables.
//
//go:embed LICENSE.md
var License string

// entry is a unit of the tables.
type entry struct {
	Code      string `xml:"Code,attr"`
	Metric    string `xml:"isMetric,attr"`
	Arbitrary string `xml:"isArbitrary,attr"`
	Value     struct {
		Unit     string `xml:"Unit,attr"`
		Value    string `xml:"value,attr"`
		Function struct {
			Name  string `xml:"name,attr"`
			Value string `xml:"value,attr"`
			Unit  string `xml:"Unit,attr"`
		} `xml:"function"`
	} `xml:"value"`
	base bool
	once sync.Once
	read *Unit // nil: its function has no value here
}

type tables struct {
	units    map[string]*entry
	prefixes map[string]*big.Rat
}

var official = sync.OnceValue(func() *tables {
	var file struct {
		Prefix []struct {
			Code  string `xml:"Code,attr"`
			Value struct {
				Value string `xml:"value,attr"`
			} `xml:"value"`
		} `xml:"prefix"`
		Base []entry `xml:"base-unit"`
		Unit []entry `xml:"unit"`
	}
	d := xml.NewDecoder(newReader(essence))
	d.CharsetReader = asciiReader
	if err := d.Decode(&file); err != nil {
		panic("ucum: ucum-essence.xml: " + err.Error()) // part of the program
	}
	t := &tables{map[string]*entry{}, map[string]*big.Rat{}}
	for _, p := range file.Prefix {
		t.prefixes[p.Code] = rat(p.Value.Value)
	}
	for i := range file.Base {
		e := &file.Base[i]
		e.base, e.Metric = true, "yes"
		t.units[e.Code] = e
	}
	for i := range file.Unit {
		t.units[file.Unit[i].Code] = &file.Unit[i]
	}
	return t
})

func rat(s string) *big.Rat {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		panic("ucum: " + s + " is no number")
	}
	return r
}

// unit is made when it is first asked for; nil when its function has no value here.
func (e *entry) unit() *Unit {
	e.once.Do(func() { e.read = e.define() })
	return e.read
}

// define makes the unit of a table entry from what it is defined by.
func (e *entry) define() *Unit {
	switch {
	case e.base, e.Arbitrary == "yes": // an arbitrary unit is comparable with itself only (UCUM §24)
		return &Unit{factor: big.NewRat(1, 1), dims: []power{{e.Code, 1}}}
	case e.Value.Function.Name != "":
		s := functionOf(e.Value.Function.Name)
		arg, err := Parse(e.Value.Function.Unit)
		if err != nil || s == nil {
			return nil
		}
		return &Unit{factor: new(big.Rat).Mul(rat(e.Value.Function.Value), arg.factor), dims: arg.dims, special: s, scale: big.NewRat(1, 1)}
	}
	of, err := Parse(e.Value.Unit)
	if err != nil {
		return nil
	}
	return &Unit{factor: new(big.Rat).Mul(rat(e.Value.Value), of.factor), dims: of.dims}
}

// lookup finds a unit symbol, with or without a prefix. A whole symbol wins
// over a prefixed one: "cd" is the candela.
func lookup(symbol string) (*Unit, bool) {
	t := official()
	if e, ok := t.units[symbol]; ok {
		u := e.unit()
		return u, u != nil
	}
	for n := 1; n <= 2 && n < len(symbol); n++ {
		prefix, ok := t.prefixes[symbol[:n]]
		e := t.units[symbol[n:]]
		if !ok || e == nil || e.Metric != "yes" {
			continue
		}
		u := e.unit()
		if u == nil {
			return nil, false
		}
		out := *u
		if u.special != nil {
			out.scale = prefix
		} else {
			out.factor = new(big.Rat).Mul(u.factor, prefix)
		}
		return &out, true
	}
	return nil, false
}
