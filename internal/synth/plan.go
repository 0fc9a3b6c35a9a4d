package synth

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// planned is one visit before it is written out.
type planned struct {
	person      int
	seq         int // of the person, from 1
	kind        string
	step, steps int // within its story
	story       string
	in          time.Time
}

// plan lists the visits of a person in order of arrival, none of them ending after until.
func (p *Province) plan(who *Person) []planned {
	g := p.rng(streamPlan, who.Index)
	var out []planned
	for _, s := range load().stories {
		if slices.Contains(who.Stories, s["story"]) {
			out = append(out, p.story(who, s, g.IntN(25))...)
		}
	}
	if !slices.Contains(who.Stories, "newborn") && !slices.Contains(who.Stories, "thousand-visits") {
		days := int(p.opt.Until.Sub(begin).Hours() / 24)
		for _, k := range load().visits {
			age := who.age(begin)
			if age < k.int("from") || age > k.int("to") || k["sex"] == "f" && who.Sex == 1 {
				continue
			}
			for left := float64(k.int("rate")) / 1000 * float64(days) / 365; left > 0; left-- {
				if left >= 1 || g.Float64() < left {
					day := begin.AddDate(0, 0, g.IntN(max(days, 1)))
					out = append(out, planned{person: who.Index, kind: k["kind"], step: 0, steps: 1, in: day.Add(time.Duration(7*60+g.IntN(480)) * time.Minute)})
				}
			}
		}
	}
	slices.SortStableFunc(out, func(a, b planned) int { return a.in.Compare(b.in) })
	return p.sober(out)
}

// story spreads the steps of a story over time: "kind@gap in days×count", parted by blanks.
func (p *Province) story(who *Person, s row, start int) []planned {
	var out []planned
	at := begin.AddDate(0, 0, start).Add(7*time.Hour + time.Duration(who.Index%120)*time.Minute)
	for _, step := range strings.Fields(s["steps"]) {
		kind, rest, _ := strings.Cut(step, "@")
		gapText, countText, _ := strings.Cut(rest, "x")
		gap, _ := strconv.Atoi(gapText)
		count, err := strconv.Atoi(countText)
		if err != nil {
			panic("synth: story step " + step)
		}
		pause := time.Duration(gap) * 24 * time.Hour
		if gap == 0 && count > 1 { // as often as the time allows
			pause = p.opt.Until.Sub(at) / time.Duration(count+1)
		}
		if kind == "newborn" {
			at = who.Birth
		}
		for i := range count {
			if gap > 0 && (i > 0 || len(out) > 0) || gap == 0 && i > 0 {
				at = at.Add(pause)
			}
			out = append(out, planned{person: who.Index, kind: kind, step: i, steps: count, story: s["story"], in: at.Truncate(time.Minute)})
			if d := load().kinds[kind].int("days"); d > 0 {
				at = at.AddDate(0, 0, d)
			}
		}
	}
	return out
}

// sober drops what can't be: visits that end after until, that begin before an
// earlier one is over, or that come after death; and numbers the rest.
func (p *Province) sober(list []planned) []planned {
	out := list[:0]
	var busy time.Time
	dead := false
	for _, v := range list {
		k := load().kinds[v.kind]
		end := v.in.AddDate(0, 0, k.int("days")).Add(2 * time.Hour)
		if dead || !v.in.After(busy) || end.After(p.opt.Until) {
			continue
		}
		busy, dead = end, v.kind == "death"
		v.seq = len(out) + 1
		out = append(out, v)
	}
	return out
}
