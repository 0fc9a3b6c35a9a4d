package addr

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ytso/ytso/vn/law"
	"github.com/ytso/ytso/vn/person"
)

func TestCompare(t *testing.T) {
	for _, c := range []struct{ a, b, key string }{
		{"Phường Ba Đình, Hà Nội", "phuong ba dinh, tp ha noi", "place.same"},
		{"Phường Phúc Xá, Quận Ba Đình, Hà Nội", "Phường Hồng Hà, Hà Nội", "place.successor"},
		{"Phường Phúc Xá, Quận Ba Đình, Hà Nội", "Phường Trúc Bạch, Quận Ba Đình, Hà Nội", "place.district"},
		{"Phường Phúc Xá, Quận Ba Đình, Hà Nội", "Hà Nội", "place.province"},
		{"Tỉnh Hoà Bình", "Tỉnh Vĩnh Phúc", "place.province"}, {"Tỉnh Hoà Bình", "Hà Nội", "place.differs"}, {"", "Hà Nội", ""},
	} {
		a, _ := Parse(c.a, time.Time{})
		b, _ := Parse(c.b, time.Time{})
		x, y := Compare(a.Places, b.Places), Compare(b.Places, a.Places)
		if x.Key != c.key || x != y {
			t.Errorf("%q (%s) and %q (%s): %v, %v, want %s", c.a, told(a), c.b, told(b), x, y, c.key)
		}
	}
}

// TestCompareByRule: a place is itself; it is its successor's where it went there whole and alone; both ways say the same.
func TestCompareByRule(t *testing.T) {
	places := law.Places()
	anyPlace := rapid.Custom(func(t *rapid.T) Place {
		return tables().of(places[rapid.IntRange(0, len(places)-1).Draw(t, "place")])
	})
	rapid.Check(t, func(t *rapid.T) {
		p, q := anyPlace.Draw(t, "p"), anyPlace.Draw(t, "q")
		x, y := Compare([]Place{p}, []Place{q}), Compare([]Place{q}, []Place{p})
		if x != y || x.VI() == "" || x.EN() == "" {
			t.Fatalf("%s and %s: %v, %v", p, q, x, y)
		}
		if p.Commune.Code == "" {
			return
		}
		if s := Compare([]Place{p}, []Place{p}); s.Key != "place.same" {
			t.Fatalf("%s: %v", p, s)
		}
		if s := Compare([]Place{p}, []Place{p, q}); p != q && s.Key != "place.perhaps" {
			t.Fatalf("%s or %s: %v", p, q, s)
		}
		list, err := Today(p)
		if err != nil || !p.Old() {
			return
		}
		s := Compare([]Place{p}, []Place{list[0].Place})
		if want := map[bool]string{true: "place.successor", false: "place.perhaps"}[len(list) == 1]; s != person.Seen(want) {
			t.Fatalf("%s and %s: %v, want %s", p, list[0].Place, s, want)
		}
	})
}
