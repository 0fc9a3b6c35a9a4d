package synth

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Person is somebody who does not exist.
type Person struct {
	Index      int // from 0
	Name       string
	Sex        int // 1 male, 2 female
	Birth      time.Time
	BirthText  string // NGAY_SINH as the files write it
	Ethnic     string
	Nation     string // MA_QUOCTICH
	Number     string // personal number or passport; blank for a newborn
	Card       string // blank when not insured
	Commune    string
	Address    string
	Station    string // facility of first registration
	Phone      string
	Occupation string
	Stories    []string
}

// begin is the first day of the province: 34 provinces, no districts.
var begin = time.Date(2025, 7, 1, 0, 0, 0, 0, time.FixedZone("+07", 7*3600))

func (p *Province) rng(stream, index int) *rand.Rand {
	return rand.New(rand.NewPCG(p.opt.Seed, uint64(stream)<<40|uint64(index)))
}

// streams of random numbers: one cause never moves another.
const (
	streamHouse = iota + 1
	streamPerson
	streamPlan
	streamVisit
)

// Person makes person i, the same each time it is asked for.
func (p *Province) Person(i int) *Person {
	t := load()
	house, g := p.rng(streamHouse, i/4), p.rng(streamPerson, i)
	group := pick(house, t.ethnic, "weight")
	commune := t.communes[house.IntN(len(t.communes))]
	family := pick(house, t.names[group["manner"]+"/family"], "weight")["word"]
	who := &Person{Index: i, Ethnic: group["code"], Nation: "000", Commune: commune["code"], Station: commune["station"]}
	from, to := 0, 94
	band := pick(g, t.ages, [2]string{"male", "female"}[g.IntN(2)])
	from, to = band.int("from"), band.int("to")
	who.Sex = 1 + g.IntN(2)
	for _, s := range t.stories {
		named := s.int("person") == i+1
		if named {
			from, to = s.int("from"), s.int("to")
			if s["sex"] == "f" {
				who.Sex = 2
			}
		}
	}
	age := from + g.IntN(to-from+1)
	who.Birth = begin.AddDate(-age, 0, -g.IntN(360)-1)
	who.BirthText = who.Birth.Format("20060102") + "0000"
	if age == 0 { // hour and minute count while somebody is a newborn
		who.Birth = who.Birth.Add(time.Duration(1+g.IntN(1439)) * time.Minute)
		who.BirthText = who.Birth.Format("200601021504")
	}
	who.Name = p.name(g, group["manner"], family, who.Sex)
	who.Address = fmt.Sprintf("Xóm %d, xã %s, tỉnh Phú Thọ", 1+house.IntN(14), commune["name"])
	who.Phone = fmt.Sprintf("0900%06d", g.IntN(1_000_000))
	who.Number = number(g, who)
	who.Card = card(g, who, age)
	who.Occupation = "00"
	for _, s := range t.stories {
		fits := age >= s.int("from") && age <= s.int("to") && (s["sex"] == "" || who.Sex == 2)
		named := s.int("person") == i+1
		if drawn := g.IntN(1000) < s.int("share"); named || fits && drawn && i >= len(t.stories) {
			who.Stories = append(who.Stories, s["story"])
		}
	}
	special(g, who)
	if slices.Contains(who.Stories, "newborn") { // named after the mother until the birth is registered (QĐ 3176 bảng XML1, HO_TEN)
		who.Name = "Con bà " + p.name(house, group["manner"], family, 2)
	}
	return who
}

func (p *Province) name(g *rand.Rand, manner, family string, sex int) string {
	part := [2]string{"m", "f"}[sex-1]
	t := load()
	words := []string{family, pick(g, t.names[manner+"/middle_"+part], "weight")["word"], pick(g, t.names[manner+"/given_"+part], "weight")["word"]}
	return strings.Join(strings.Fields(strings.Join(words, " ")), " ")
}

// number is a personal number (spec/vn/01-identity.md §1.1): province 025, century and sex, year, six digits.
func number(g *rand.Rand, who *Person) string {
	century := (who.Birth.Year()-1900)/100*2 + who.Sex - 1
	return fmt.Sprintf("025%d%02d%06d", century, who.Birth.Year()%100, g.IntN(1_000_000))
}

// card is a card of 15 characters: two letters of the group, one of the benefit, province, ten digits.
func card(g *rand.Rand, who *Person, age int) string {
	letters := "GD4"
	switch {
	case age < 6:
		letters = "TE1"
	case age >= 62 && g.IntN(3) == 0:
		letters = "HT3"
	case who.Ethnic != "01" && g.IntN(3) == 0:
		letters = "HN2"
	case age < 22:
		letters = "HS4"
	case g.IntN(2) == 0:
		letters = "DN4"
	}
	if g.IntN(14) == 0 && age >= 6 {
		return "" // not insured
	}
	return fmt.Sprintf("%s25%010d", letters, g.Int64N(10_000_000_000))
}

// special bends the persons of the stories that are about who somebody is.
func special(g *rand.Rand, who *Person) {
	for _, s := range who.Stories {
		switch s {
		case "uninsured":
			who.Card = ""
		case "year-only":
			who.Birth = time.Date(who.Birth.Year(), 1, 1, 0, 0, 0, 0, begin.Location())
			who.BirthText = who.Birth.Format("2006") + "00000000"
		case "foreigner":
			who.Name, who.Nation, who.Ethnic, who.Card = "Anna Example", "101", "56", ""
			who.Number = fmt.Sprintf("X%07d", g.IntN(10_000_000))
		case "soldier":
			who.Card = fmt.Sprintf("QN525%010d", g.Int64N(10_000_000_000))
		case "newborn":
			who.Birth = begin.AddDate(0, 0, 30+g.IntN(20)).Add(time.Duration(8*60+g.IntN(600)) * time.Minute)
			who.BirthText = who.Birth.Format("200601021504")
			who.Number = ""
			who.Card = fmt.Sprintf("TE125%010d", g.Int64N(10_000_000_000))
		default: // the long stories are about people who are insured
			if who.Card == "" {
				who.Card = fmt.Sprintf("GD425%010d", g.Int64N(10_000_000_000))
			}
		}
	}
}

// age in whole years on a day.
func (w *Person) age(on time.Time) int {
	n := on.Year() - w.Birth.Year()
	if on.YearDay() < w.Birth.YearDay() {
		n--
	}
	return n
}

// patientNumber is MA_BN of a person at a facility.
func (w *Person) patientNumber(facility string) string {
	return fmt.Sprintf("%s%07d", facility[2:], w.Index+1)
}
