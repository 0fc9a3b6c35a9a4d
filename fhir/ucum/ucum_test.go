package ucum

import (
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

func parse(t testing.TB, code string) *Unit {
	t.Helper()
	u, err := Parse(code)
	if err != nil {
		t.Fatalf("%s: %v", code, err)
	}
	return u
}

// TestUnchanged: the licence allows the tables as they are published, and nothing else.
func TestUnchanged(t *testing.T) {
	sum := sha256.Sum256(essence)
	if got := hex.EncodeToString(sum[:]); got != "dfccea1b5dc284245ebae97edd1dc03c45864da4e87df55bc9851797b4fd0b61" {
		t.Errorf("ucum-essence.xml is not the published file: %s", got)
	}
	if _, err := os.Stat(filepath.Join(".", "LICENSE.md")); err != nil || len(License) < 1000 {
		t.Errorf("the licence must stand beside the tables: %v", err)
	}
}

// TestEveryUnitReads: each code of the tables but those whose function has no value here.
func TestEveryUnitReads(t *testing.T) {
	without := map[string]bool{"[p'diop]": true, "%[slope]": true, "[hp'_X]": true, "[hp'_C]": true, "[hp'_M]": true, "[hp'_Q]": true, "[m/s2/Hz^(1/2)]": true}
	n := 0
	for code := range official().units {
		u, err := Parse(code)
		if without[code] {
			if err == nil {
				t.Errorf("%s reads now: take it off the list", code)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", code, err)
			continue
		}
		n++
		if u.factor.Sign() <= 0 {
			t.Errorf("%s: factor %s", code, u.factor)
		}
	}
	if n != 305+7-len(without) {
		t.Errorf("%d units", n)
	}
}

// TestKnown: values that the specification states or that follow from its definitions.
func TestKnown(t *testing.T) {
	for _, tt := range []struct{ value, from, to, want string }{
		{"1", "[in_i]", "cm", "2.54"}, {"1", "[ft_i]", "[in_i]", "12"}, {"1", "[mi_i]", "m", "1609.344"}, {"1", "[lb_av]", "g", "453.59237"},
		{"1", "[oz_av]", "[lb_av]", "0.0625"}, {"1", "l", "dm3", "1"}, {"1", "L", "mL", "1000"}, {"1", "h", "s", "3600"}, {"1", "wk", "d", "7"},
		{"1", "a", "d", "365.25"}, {"1", "mo", "d", "30.4375"}, {"1", "N", "g.m/s2", "1000"}, {"1", "bar", "Pa", "100000"}, {"1", "m[Hg]", "kPa", "133.3220"},
		{"120", "mm[Hg]", "kPa", "15.99864"}, {"37", "Cel", "K", "310.15"}, {"98.6", "[degF]", "Cel", "37"}, {"-40", "[degF]", "Cel", "-40"}, {"80", "[degRe]", "Cel", "100"},
		{"0", "K", "Cel", "-273.15"}, {"1", "mol", "10*23", "6.02214076"}, {"5", "mmol/L", "mol/m3", "5"}, {"4.5", "10*9/L", "10*3/uL", "4.5"}, {"1", "%", "1", "0.01"},
		{"1", "mg/dL", "g/L", "0.01"}, {"1", "cal_th", "J", "4.184"}, {"1", "deg", "'", "60"}, {"7", "[pH]", "mol/l", "0.0000001"}, {"0.001", "mol/L", "[pH]", "3"},
		{"20", "dB", "1", "100"}, {"3", "bit_s", "1", "8"}, {"60", "{beats}/min", "Hz", "1"}, {"1", "/min{x}", "/h", "60"}, {"1", "kg.m-1.s-2", "Pa", "1"},
		{"2", "(m/s)/h", "m.s-1.h-1", "2"}, {"1", "[iU]/mL", "k[iU]/L", "1"}, {"1", "m[H2O]", "cm[H2O]", "100"}, {"37000", "mCel", "K", "310.15"}, {"1", "[pi].rad", "deg", "180"},
	} {
		v, _ := new(big.Rat).SetString(tt.value)
		want, _ := new(big.Rat).SetString(tt.want)
		got, err := Convert(v, parse(t, tt.from), parse(t, tt.to))
		if err != nil || got.Cmp(want) != 0 {
			t.Errorf("%s %s = %v %s, want %s: %v", tt.value, tt.from, got, tt.to, tt.want, err)
		}
	}
}

func TestBase(t *testing.T) {
	for code, want := range map[string]string{"N": "1000 g.m.s-2", "1": "1 1", "{x}": "1 1", "mg/dL": "10 g.m-3", "[iU]": "1 [iU]", "m/m": "1 1", "10*3": "1000 1"} {
		f, base, ok := parse(t, code).Base()
		if got := f.RatString() + " " + base; got != want || !ok {
			t.Errorf("%s: %s, want %s", code, got, want)
		}
	}
	if _, _, ok := parse(t, "Cel").Base(); ok || !parse(t, "Cel").Special() {
		t.Error("Cel has no factor")
	}
}

func TestRefused(t *testing.T) {
	for _, code := range []string{"", "mgg", "m/", "m..s", "(m", "m)", "{x", "m{a{b}}", "k[in_i]", "Cel2", "Cel/s", "m0", "m99999", "10*999999999", "wk ", " m", "đ", "0", "m{đ}", "kk", "[s]", "month", "m^2", "/", "/m/", ".m", "m-"} {
		if u, err := Parse(code); err == nil {
			t.Errorf("%q was read as %v", code, u.dims)
		}
	}
	if _, err := Convert(big.NewRat(1, 1), parse(t, "m"), parse(t, "s")); err == nil {
		t.Error("a metre is no second")
	}
	if parse(t, "[iU]").Comparable(parse(t, "[arb'U]")) || parse(t, "g").Comparable(parse(t, "[iU]")) {
		t.Error("an arbitrary unit is comparable with itself only")
	}
	if _, err := Convert(big.NewRat(-1, 1), parse(t, "mol/L"), parse(t, "[pH]")); err == nil {
		t.Error("a negative concentration has no pH")
	}
}

// TestThereAndBack: a conversion undone gives the value it started from, exactly.
func TestThereAndBack(t *testing.T) {
	groups := [][]string{{"m", "[in_i]", "km", "[mi_us]", "nm"}, {"g", "[lb_av]", "mg", "t"}, {"s", "wk", "a", "min"}, {"Cel", "K", "[degF]", "[degRe]", "mK"}, {"mg/dL", "g/m3", "[lb_av]/[gal_us]"}, {"Pa", "mm[Hg]", "bar", "[psi]"}}
	rapid.Check(t, func(t *rapid.T) {
		g := rapid.SampledFrom(groups).Draw(t, "group")
		a, errA := Parse(rapid.SampledFrom(g).Draw(t, "from"))
		b, errB := Parse(rapid.SampledFrom(g).Draw(t, "to"))
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		v := big.NewRat(rapid.Int64Range(-1e12, 1e12).Draw(t, "value"), 1000)
		there, err := Convert(v, a, b)
		if err != nil {
			t.Fatal(err)
		}
		back, err := Convert(there, b, a)
		if err != nil || back.Cmp(v) != 0 {
			t.Fatalf("%s %s = %s %s = %s: %v", v, a.Code, there, b.Code, back, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"mg/dL", "10*9/L", "mm[Hg]", "(m/s)2.{x}", "k[iU]/mL", "Cel"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if u, err := Parse(s); err == nil {
			if !u.Comparable(u) || u.factor.Sign() <= 0 {
				t.Errorf("%q: %s", s, u.factor)
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for b.Loop() {
		if _, err := Parse("mmol/L"); err != nil {
			b.Fatal(err)
		}
	}
}

// TestParseAlone: what is read belongs to who reads it, also at once with others.
func TestParseAlone(t *testing.T) {
	a, err := Parse("m")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Parse("m{of rope}"); err != nil || a.Code != "m" {
		t.Errorf("%q became %q: %v", "m", a.Code, err)
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 100 {
				if u, err := Parse("kg"); err != nil || u.Code != "kg" {
					t.Error(u, err)
				}
			}
		})
	}
	group.Wait()
}
