// Package synth invents a province: people with names, ages, families, numbers
// and cards, and their visits to stations and hospitals from 1 July 2025 on,
// written as claim files. Nobody in it exists. The same options give the same
// bytes. What happens how often stands in the tables of folder data, not in
// the code.
package synth

import (
	"bytes"
	"embed"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
)

//go:embed data/*.csv
var data embed.FS

type row map[string]string

// int reads a whole number; the tables are part of the program, so a damaged cell panics and the tests find it.
func (r row) int(col string) int {
	n, err := strconv.Atoi(r[col])
	if err != nil {
		panic(fmt.Sprintf("synth: column %s: %v", col, err))
	}
	return n
}

func read(name string) []row {
	text, err := data.ReadFile("data/" + name + ".csv")
	if err != nil {
		panic(err)
	}
	lines, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		panic(fmt.Sprintf("synth: %s: %v", name, err))
	}
	out := make([]row, 0, len(lines))
	for _, l := range lines[1:] {
		r := row{}
		for i, h := range lines[0] {
			r[h] = l[i]
		}
		out = append(out, r)
	}
	return out
}

// tables is everything of folder data, read once.
type tables struct {
	ages, ethnic, facilities, communes, visits, stories []row
	names                                               map[string][]row // by manner/part
	drugs, services, analytes, kinds                    map[string]row
}

var load = sync.OnceValue(func() *tables {
	t := &tables{
		ages: read("ages"), ethnic: read("ethnic"), facilities: read("facilities"), communes: read("communes"),
		visits: read("visits"), stories: read("stories"), names: map[string][]row{},
		drugs: by("id", read("drugs")), services: by("id", read("services")), analytes: by("id", read("analytes")),
	}
	t.kinds = by("kind", t.visits)
	for _, r := range read("names") {
		k := r["manner"] + "/" + r["part"]
		t.names[k] = append(t.names[k], r)
	}
	return t
})

func by(col string, rows []row) map[string]row {
	out := map[string]row{}
	for _, r := range rows {
		out[r[col]] = r
	}
	return out
}

// pick draws a row by a column of weights.
func pick(g *rand.Rand, rows []row, weight string) row {
	sum := 0
	for _, r := range rows {
		sum += r.int(weight)
	}
	n := g.IntN(sum)
	for _, r := range rows {
		if n -= r.int(weight); n < 0 {
			return r
		}
	}
	return rows[len(rows)-1]
}

// amount splits "CODE*28".
func amount(item string) (code string, n int) {
	code, text, _ := strings.Cut(item, "*")
	n, err := strconv.Atoi(text)
	if err != nil {
		panic("synth: " + item)
	}
	return code, n
}
