package synth

// Facility is a place of care of the province.
type Facility struct {
	Code, Name string // MA_CSKCB
	Level      string // province, district, station
}

// Facilities lists every facility that a claim file can come from, in the order of the table.
func (p *Province) Facilities() []Facility {
	var list []Facility
	for _, r := range load().facilities {
		list = append(list, Facility{Code: r["code"], Name: r["name"], Level: r["level"]})
	}
	return list
}
