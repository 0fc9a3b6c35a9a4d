package param

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/ytso/ytso/fhir/outcome"
)

// TestMeets: type, compartment and lists, beside what holds.txt asks.
func TestMeets(t *testing.T) {
	d := doc(t, hba1c)
	m := Meta{ID: "o", Updated: noon}
	for _, c := range []struct {
		q    Query
		want bool
	}{
		{Query{Type: "Observation"}, true}, {Query{Type: "Patient"}, false}, {Query{}, true},
		{Query{Types: []string{"Patient", "Observation"}}, true}, {Query{Types: []string{"Patient"}}, false},
		{Query{Type: "Observation", CompartmentType: "Patient", CompartmentID: "p1"}, true},
		{Query{Type: "Observation", CompartmentType: "Patient", CompartmentID: "p2"}, false},
		{Query{Type: "Observation", CompartmentType: "Encounter", CompartmentID: "e1"}, true},
		{Query{Type: "Observation", CompartmentType: "Device", CompartmentID: "p1"}, false},
	} {
		if ok, err := Official().Meets(c.q, d, m, nil); err != nil || ok != c.want {
			t.Errorf("%+v: %v %v", c.q, ok, err)
		}
	}
	if _, err := Official().Meets(Query{Type: "Observation", List: "l"}, d, m, nil); outcome.KindOf(err) != outcome.NotSupported {
		t.Errorf("_list: %v", err)
	}
	broken := Query{Type: "Observation", Filter: &Expr{Op: "nand", Parts: []*Expr{{Clause: &Clause{Param: "code", Kind: Token, Modifier: "missing", Values: []Match{{}}}}}}}
	if _, err := Official().Meets(broken, d, m, nil); err == nil {
		t.Error("an operator that there is not")
	}
	for _, c := range []Clause{
		{Param: "code", Kind: Token, Modifier: "in", Values: []Match{{}}}, {Param: "code", Kind: Token, Modifier: "exact", Values: []Match{{}}},
		{Param: "subject", Kind: Reference, ChainType: "Patient", Chain: &Clause{Param: "name", Kind: String}}, {Param: "colour", Kind: Token}, {Param: "_text", Kind: String},
		{Param: "date", Kind: Date, Modifier: "exact", Values: []Match{{}}}, {Param: "subject", Kind: Reference, Modifier: "Location2", Values: []Match{{}}}, {Param: "code-value-quantity", Kind: Composite, Modifier: "text", Values: []Match{{}}},
	} {
		if ok, err := Official().Holds(c, "Observation", nil); ok || outcome.KindOf(err) != outcome.NotSupported {
			t.Errorf("%+v: %v %v", c, ok, err)
		}
	}
}

// TestCompartments: a resource is in its own, and in those that its references name.
func TestCompartments(t *testing.T) {
	d := doc(t, `{"resourceType":"Encounter","id":"e1","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/p1"},"participant":[{"individual":{"reference":"Practitioner/d1"}}],"serviceProvider":{"reference":"Organization/o1"}}`)
	values, err := Extract(d)
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[[2]string]bool{
		{"Encounter", "e1"}: true, {"Encounter", "e2"}: false, {"Patient", "p1"}: true, {"Patient", "d1"}: false, {"Practitioner", "d1"}: true, {"Organization", "o1"}: false, {"Device", "e1"}: false,
	} {
		if got := InCompartment(at[0], at[1], "Encounter", "e1", values); got != want {
			t.Errorf("%v: %v", at, got)
		}
	}
	// every parameter of a compartment is a reference that the type has
	for _, of := range []string{"Patient", "Encounter", "RelatedPerson", "Practitioner", "Device"} {
		for typ, codes := range Compartment(of) {
			for _, code := range codes {
				p, err := Official().find(typ, code)
				if err != nil || p.Kind != Reference || !p.pointsAt(of) {
					t.Errorf("%s: %s.%s: %v", of, typ, code, err)
				}
			}
		}
	}
}

// TestFromRat: decimals that end come out exactly, all others to forty digits.
func TestFromRat(t *testing.T) {
	g := rand.New(rand.NewPCG(5, 6))
	for range 5000 {
		x := big.NewRat(g.Int64N(1_000_000_000)-500_000_000, []int64{1, 2, 5, 8, 1000, 3, 7, 1_000_000_007}[g.IntN(8)])
		for range g.IntN(60) {
			x.Mul(x, []*big.Rat{big.NewRat(10, 1), big.NewRat(1, 10)}[g.IntN(2)])
		}
		d, ok := fromRat(x)
		y, read := new(big.Rat).SetString(d.String())
		if !ok || !read {
			t.Fatalf("%s gives %s", x, d)
		}
		if x.Sign() == 0 {
			continue
		}
		off := new(big.Rat).Sub(x, y)
		off.Quo(off, x).Abs(off)
		if off.Cmp(new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Exp(big.NewInt(10), big.NewInt(38), nil))) > 0 {
			t.Fatalf("%s gives %s", x.FloatString(60), d)
		}
		if _, ends := x.FloatPrec(); ends && off.Sign() != 0 {
			t.Fatalf("%s is not exact: %s", x.FloatString(60), d)
		}
	}
}

// TestUnits: what is the same amount is found in any unit, what lies beside it is not.
func TestUnits(t *testing.T) {
	for _, c := range []struct{ value, unit, asked, askedUnit, want string }{
		{"1", "g", "1000", "mg", "yes"}, {"1000", "mg", "1", "g", "yes"}, {"1", "kg", "1e6", "mg", "yes"}, {"37", "Cel", "98.6", "[degF]", "yes"}, {"37", "Cel", "310.15", "K", "yes"}, {"37", "Cel", "37", "K", "no"},
		{"120", "mm[Hg]", "15.9986", "kPa", "yes"}, {"5", "mmol/L", "5", "mol/m3", "yes"}, {"5", "mmol/L", "5", "mg/dL", "no"}, {"60", "/min", "1", "Hz", "yes"}, {"1", "h", "60", "min", "yes"}, {"50", "%", "0.5", "1", "yes"},
		{"1", "nonsense", "1", "nonsense", "yes"}, {"1", "nonsense", "1", "g", "no"}, {"7.4", "[pH]", "7.4", "[pH]", "yes"}, {"1", "g", "1", "mg", "no"},
	} {
		d := doc(t, fmt.Sprintf(`{"resourceType":"Observation","id":"o","valueQuantity":{"value":%s,"system":"http://unitsofmeasure.org","code":%q}}`, c.value, c.unit))
		ok, err := holds(t, d, "value-quantity="+c.asked+"|http://unitsofmeasure.org|"+c.askedUnit)
		if got := map[bool]string{true: "yes", false: "no"}[ok]; err != nil || got != c.want {
			t.Errorf("%+v: %s %v", c, got, err)
		}
	}
}
