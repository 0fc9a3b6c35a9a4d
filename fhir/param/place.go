package param

import (
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/ytso/ytso/fhir/decimal"
	"github.com/ytso/ytso/fhir/fhirpath"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/ucum"
)

// defaultRadius is taken when "near" names no distance: how far is then the
// server's own choice (FHIR R4 location.html#positional); the self link says it.
const defaultRadius = "10"

// place reads a Location.position.
func place(i fhirpath.Item) []Value {
	lat, okLat := degrees(i.Node.Get("latitude"), 90)
	long, okLong := degrees(i.Node.Get("longitude"), 180)
	if !okLat || !okLong {
		return nil
	}
	return []Value{{Lat: lat, Long: long}}
}

func degrees(n r4.Node, most float64) (float64, bool) {
	f, err := strconv.ParseFloat(n.Text(), 64)
	return f, err == nil && math.Abs(f) <= most
}

// nearby reads latitude|longitude|distance|units; the text is written back in
// full, as the self link has it.
func nearby(m *Match, key, s string) error {
	part := split(s, '|')
	for i := range part {
		part[i] = unescape(part[i])
	}
	if len(part) < 2 || len(part) > 4 {
		return bad(key, "phải có dạng vĩđộ|kinhđộ|khoảngcách|đơnvị", "must be latitude|longitude|distance|units")
	}
	part = append(part, "", "")[:4]
	if part[2] == "" {
		if part[3] != "" {
			return bad(key, "có đơn vị nhưng không có khoảng cách", "has units but no distance")
		}
		part[2] = defaultRadius
	}
	if part[3] == "" {
		part[3] = "km"
	}
	var lim = [3]float64{90, 180, math.Inf(1)}
	var num [3]float64
	for i := range num {
		d, err := decimal.Parse(part[i])
		if num[i] = d.Float64(); err != nil || math.Abs(num[i]) > lim[i] {
			return bad(key, "vĩ độ, kinh độ hoặc khoảng cách không đúng", "the latitude, longitude or distance is not right")
		}
	}
	metres, ok := length(part[3])
	if m.Radius = num[2] * metres; !ok || m.Radius < 0 {
		return bad(key, "khoảng cách phải dùng đơn vị độ dài UCUM, ví dụ km, m, [mi_i]", "the distance must be in a UCUM unit of length, such as km, m, [mi_i]")
	}
	m.Value.Lat, m.Value.Long, m.Value.Text = num[0], num[1], strings.Join(part, "|")
	return nil
}

// length says how many metres a unit is.
func length(code string) (float64, bool) {
	if code == "mi_us" { // the examples of location.html write it without brackets
		code = "[mi_us]"
	}
	u, err := ucum.Parse(code)
	if err != nil {
		return 0, false
	}
	m, err := ucum.Parse("m")
	if err != nil {
		return 0, false
	}
	x, err := ucum.Convert(big.NewRat(1, 1), u, m)
	if err != nil {
		return 0, false
	}
	f, _ := x.Float64()
	return f, true
}

// earth is the mean radius in metres (IUGG R1).
const earth = 6371008.8

// distance is that of the great circle, in metres.
func distance(lat1, long1, lat2, long2 float64) float64 {
	const rad = math.Pi / 180
	a, b, l := lat1*rad, lat2*rad, (long2-long1)*rad
	x := math.Cos(b) * math.Sin(l)
	y := math.Cos(a)*math.Sin(b) - math.Sin(a)*math.Cos(b)*math.Cos(l)
	return earth * math.Atan2(math.Hypot(x, y), math.Sin(a)*math.Sin(b)+math.Cos(a)*math.Cos(b)*math.Cos(l))
}
