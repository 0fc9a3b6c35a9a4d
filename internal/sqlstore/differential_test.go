package sqlstore

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/store/storetest"
)

// examples are the official ones, a line each.
func examples(t testing.TB) []byte {
	t.Helper()
	dir := os.Getenv("YTSO_CONFORMANCE")
	if dir == "" {
		dir = "../../../shared/conformance"
	}
	f, err := os.Open(filepath.Join(dir, "r4-examples", "examples.ndjson.gz"))
	if err != nil {
		if os.Getenv("CI") == "true" || os.Getenv("YTSO_TEST_REQUIRE") != "" {
			t.Fatal(err)
		}
		t.Skip("the official examples are not beside the project (YTSO_CONFORMANCE)")
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// made are resources that the examples lack: persons with their records, units
// that convert, numbers that floats can't tell apart, texts beyond the index.
func made() (list []string) {
	person := func(id, tag string, links ...string) string {
		var l []string
		for i := 0; i < len(links); i += 2 {
			l = append(l, fmt.Sprintf(`{"other":{"reference":"Patient/%s"},"type":%q}`, links[i], links[i+1]))
		}
		return fmt.Sprintf(`{"resourceType":"Patient","id":%q,"meta":{"tag":[{"system":"urn:ytso:tag","code":%q}]},"gender":"other","name":[{"text":"Người %s"}],"link":[%s]}`, id, tag, id, strings.Join(l, ","))
	}
	list = append(list, person("g1", "golden", "s1", "seealso", "s2", "seealso", "g0", "replaces"), person("g0", "golden-replaced", "g1", "replaced-by"),
		person("g2", "golden", "s3", "seealso"), person("g00", "golden-replaced", "g0", "replaced-by"))
	for i := range 4 {
		list = append(list, fmt.Sprintf(`{"resourceType":"Patient","id":"s%d","gender":%q,"name":[{"text":"Nguyễn Văn %s"}],"birthDate":"19%d0-01"}`, i, []string{"male", "female"}[i%2], []string{"Đông", "Dũng", "An", "Ân"}[i], 5+i))
	}
	units := []string{"mg", "g", "kg", "mmol/L", "[degF]", "Cel", "%", "mm[Hg]"}
	numbers := []string{"1", "1.0", "0.001", "1000", "36.5", "97.7", "100", "3.14159265358979323846", "3.14159265358979323847", "1e3", "-5"}
	for i := range 80 {
		who := []string{"s0", "s1", "s2", "s3", "g1", "g0", "p-none"}[i%7]
		list = append(list, fmt.Sprintf(`{"resourceType":"Observation","id":"o%d","status":%q,"code":{"coding":[{"system":"http://loinc.org","code":"c%d","display":"Đường huyết %d"}],"text":"Chỉ số %d"},"subject":{"reference":"Patient/%s"},
			"effectiveDateTime":"2026-%02d-%02d","valueQuantity":{"value":%s,"system":"http://unitsofmeasure.org","code":%q,"unit":"đv %d"}%s}`, i, []string{"final", "amended"}[i%2], i%5, i%3, i%4, who, 1+i%12, 1+i%28,
			numbers[i%len(numbers)], units[i%len(units)], i%3, []string{"", `,"encounter":{"reference":"Encounter/en1"}`, `,"performer":[{"reference":"Practitioner/dr1"},{"reference":"Organization/org1"}]`}[i%3]))
	}
	for i := range 12 {
		list = append(list, fmt.Sprintf(`{"resourceType":"Encounter","id":"en%d","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/s%d"},"serviceProvider":{"reference":"Organization/org%d"}%s}`, i, i%4, i%3,
			[]string{`,"period":{"start":"2026-02-03","end":"2026-02-05"}`, `,"period":{"end":"2026-03"}`, ``, `,"period":{"start":"2026-01"}`}[i%4]))
	}
	list = append(list, `{"resourceType":"Practitioner","id":"dr1","name":[{"text":"Bác sĩ Hồ"}]}`)
	for i := range 3 {
		list = append(list, fmt.Sprintf(`{"resourceType":"Organization","id":"org%d","name":%q,"partOf":{"reference":"Organization/org%d"}}`, i, []string{"Trạm y tế", strings.Repeat("Bệnh viện ", 12) + "tuyến cuối", strings.Repeat("x", 150) + "y"}[i], i+1))
	}
	return list
}

// world is what is in the store, as a list.
type world struct {
	s    *Store
	all  map[store.Key]*thing
	list []*thing

	access store.Access
}

type thing struct {
	key    store.Key
	doc    *r4.Doc
	values []param.Value
	stands []store.Key // what a reference to it means, and to whom it may lead: of a golden Patient its records too
}

func newWorld(t *testing.T, s *Store, n int) *world {
	w := &world{s: s, access: storetest.All, all: map[store.Key]*thing{}}
	lines := bytes.Split(bytes.TrimSpace(examples(t)), []byte("\n"))
	rnd := rand.New(rand.NewPCG(3, 4))
	rnd.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	types := map[string]int{}
	var bodies [][]byte
	for _, b := range made() {
		bodies = append(bodies, []byte(b))
	}
	for _, line := range lines {
		d, err := r4.Parse(line)
		if err != nil {
			t.Fatal(err)
		}
		if types[d.Type()]++; len(bodies) < n && types[d.Type()] < 25 && len(line) < 60_000 && d.ID() != "" {
			bodies = append(bodies, line)
		}
	}
	var ready []*store.Prepared
	for i, b := range bodies {
		d, err := r4.Parse(b)
		if err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		p, err := s.Prepare(store.Draft{Key: store.Key{Type: d.Type(), ID: d.ID()}, Body: b})
		if err == nil {
			ready = append(ready, p)
		} else if i < len(made()) {
			t.Fatalf("%s: %v", b, err)
		}
	}
	for some := range slices.Chunk(ready, 50) {
		if err := s.Update(t.Context(), storetest.All, func(tx store.Tx) error {
			for _, p := range some {
				if _, err := tx.Put(t.Context(), p); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range ready {
		w.read(t, p.Draft.Key)
	}
	for _, x := range w.list {
		x.stands = w.stands(x)
	}
	return w
}

func (w *world) read(t *testing.T, k store.Key) {
	if w.all[k] != nil {
		return
	}
	if err := w.s.View(t.Context(), storetest.All, func(r store.Reader) error {
		res, err := r.Read(t.Context(), k)
		if err != nil {
			return err
		}
		x := &thing{key: k}
		if x.doc, err = r4.Parse(res.Body); err != nil {
			return err
		}
		x.values, err = param.Extract(x.doc)
		x.values = append(x.values, param.Meta{ID: k.ID, Updated: res.Updated}.Values()...)
		w.all[k], w.list = x, append(w.list, x)
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// stands follows the links of a golden Patient as internal/trust/persons.go does.
func (w *world) stands(x *thing) []store.Key {
	out := []store.Key{x.key}
	for range maxMerges {
		if x == nil || x.key.Type != "Patient" || !golden(x.doc) {
			return out
		}
		next := store.Key{}
		var links []store.Key
		for l := range x.doc.Root().Get("link").Elems() {
			_, id, _ := strings.Cut(l.Get("other").Get("reference").Text(), "/")
			if k := (store.Key{Type: "Patient", ID: id}); l.Get("type").Text() == "replaced-by" {
				next = k
			} else {
				links = append(links, k)
			}
		}
		if next == (store.Key{}) {
			return append(out, links...)
		}
		out, x = append(out, next), w.all[next]
	}
	return out
}

func (w *world) names(x *thing, code string, to *thing) bool {
	return slices.ContainsFunc(x.values, func(v param.Value) bool {
		return v.Param == code && v.Kind == param.Reference && v.ID != "" && slices.Contains(to.stands, store.Key{Type: v.Type, ID: v.ID})
	})
}

// holds is what a clause means, told from the list.
func (w *world) holds(t *testing.T, c param.Clause, x *thing) bool {
	switch {
	case c.HasType != "":
		return slices.ContainsFunc(w.list, func(y *thing) bool {
			return y.key.Type == c.HasType && w.names(y, c.Param, x) && w.holds(t, *c.Chain, y)
		})
	case c.Chain != nil:
		return slices.ContainsFunc(w.list, func(y *thing) bool {
			return y.key.Type == c.ChainType && w.names(x, c.Param, y) && w.holds(t, *c.Chain, y)
		})
	case c.Param == "_text" || c.Param == "_content":
		ok, err := param.HoldsText(x.doc, c)
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	if c.Kind == param.Reference && (c.Modifier == "" || r4.IsResource(c.Modifier)) {
		var more []param.Match
		for _, m := range c.Values {
			more = append(more, m)
			if y := w.all[store.Key{Type: m.Value.Type, ID: m.Value.ID}]; y != nil {
				for _, k := range y.stands {
					n := m
					n.Value.ID = k.ID
					more = append(more, n)
				}
			}
		}
		c.Values = more
	}
	ok, err := param.Official().Holds(c, x.key.Type, x.values)
	if err != nil {
		t.Fatalf("%+v: %v", c, err)
	}
	return ok
}

// naming lists who names a resource.
func (w *world) naming(x *thing) (list []*thing) {
	for _, y := range w.list {
		if slices.ContainsFunc(y.values, func(v param.Value) bool {
			return v.Kind == param.Reference && v.ID != "" && slices.Contains(x.stands, store.Key{Type: v.Type, ID: v.ID})
		}) {
			list = append(list, y)
		}
	}
	return list
}

func (w *world) expr(t *testing.T, e *param.Expr, x *thing) bool {
	switch {
	case e.Clause != nil:
		return w.holds(t, *e.Clause, x)
	case e.Op == "not":
		return !w.expr(t, e.Parts[0], x)
	case e.Op == "or":
		return slices.ContainsFunc(e.Parts, func(p *param.Expr) bool { return w.expr(t, p, x) })
	}
	return !slices.ContainsFunc(e.Parts, func(p *param.Expr) bool { return !w.expr(t, p, x) })
}

func (w *world) expect(t *testing.T, q param.Query) (ids []string) {
	for _, x := range w.list {
		if q.Type != "" && x.key.Type != q.Type || len(q.Types) > 0 && !slices.Contains(q.Types, x.key.Type) {
			continue
		}
		ok := q.Filter == nil || w.expr(t, q.Filter, x)
		for _, c := range q.Where {
			ok = ok && w.holds(t, c, x)
		}
		if ok {
			ids = append(ids, x.key.String())
		}
	}
	slices.Sort(ids)
	return ids
}

// asker makes questions at random.
type asker struct {
	*rand.Rand
	w *world
}

func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

func escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, ",", `\,`, "|", `\|`, "$", `\$`).Replace(s)
}

// ask is a question about a value: key without the parameter's name, and text.
func (a *asker) ask(v param.Value) (modifier, text string) {
	at := func(ms int64) string {
		tm := time.UnixMilli(ms).In(time.FixedZone("", 7*3600))
		return tm.Format(pick(a.Rand, "2006", "2006-01", "2006-01-02", "2006-01-02T15:04:05+07:00"))
	}
	prefix := pick(a.Rand, "", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")
	switch v.Kind {
	case param.Token:
		switch a.IntN(6) {
		case 0:
			return "", escape(v.Code)
		case 1:
			return "", escape(v.System) + "|"
		case 2:
			return "not", escape(v.System) + "|" + escape(v.Code)
		case 3:
			return "text", escape(cutWord(v.Text))
		case 4:
			return "", "|" + escape(v.Code)
		}
		return "", escape(v.System) + "|" + escape(v.Code)
	case param.String:
		text := v.Text
		if a.IntN(2) == 0 {
			text = cutWord(text)
		}
		return pick(a.Rand, "", "", "exact", "contains"), escape(text)
	case param.Date:
		ms := v.Lo
		if ms == param.Earliest || a.IntN(3) == 0 && v.Hi != param.Latest {
			ms = v.Hi
		}
		if ms == param.Latest {
			ms = 0
		}
		return "", prefix + at(ms)
	case param.Reference:
		switch {
		case v.ID != "":
			return pick(a.Rand, "", v.Type), v.Type + "/" + v.ID
		case v.Text != "":
			return pick(a.Rand, "", "below", "above"), escape(v.Text)
		}
		return "identifier", escape(v.System) + "|" + escape(v.Code)
	case param.Number, param.Quantity:
		unit := ""
		if v.Kind == param.Quantity && v.Code != "" {
			unit = pick(a.Rand, "", "|"+escape(v.System)+"|"+escape(v.Code), "||"+escape(v.Code), "||"+escape(v.Text), "|http://unitsofmeasure.org|g", "|http://unitsofmeasure.org|mg")
		}
		return "", prefix + pick(a.Rand, v.Num.String(), "1", "100", "3.14159265358979323846") + unit
	case param.URI:
		return pick(a.Rand, "", "below", "above"), escape(v.Text)
	case param.Composite:
		var parts []string
		for _, p := range v.Parts {
			for {
				m, text := a.ask(p)
				if m == "" && text != "" {
					parts = append(parts, text)
					break
				}
				if p.Kind == param.Reference && p.ID == "" || p.Kind == param.Token && p.Code == "" {
					return "", ""
				}
			}
		}
		return "", strings.Join(parts, "$")
	case param.Special:
		return "", fmt.Sprintf("%v|%v|%d|km", v.Lat, v.Long, a.IntN(3000))
	}
	return "", ""
}

// only leaves the parameters that every type has.
func only(v url.Values, names ...string) url.Values {
	out := url.Values{}
	for _, n := range names {
		if v[n] != nil {
			out[n] = v[n]
		}
	}
	return out
}

// filter is an expression of _filter about a resource.
func (a *asker) filter(x *thing) string {
	term := func() string {
		for range 20 {
			v := pick(a.Rand, x.values...)
			quoted := func(s string) string { return `"` + strings.NewReplacer(`\`, ``, `"`, ``).Replace(s) + `"` }
			switch {
			case v.Kind == param.String:
				return v.Param + pick(a.Rand, " eq ", " ne ", " co ", " sw ", " ew ") + quoted(pick(a.Rand, v.Text, cutWord(v.Text)))
			case v.Kind == param.Token && v.Code != "" && v.Param != "_id":
				return v.Param + pick(a.Rand, " eq ", " ne ") + quoted(v.Code)
			case v.Kind == param.Date && v.Lo != param.Earliest:
				return v.Param + pick(a.Rand, " eq ", " gt ", " le ", " po ", " sa ") + time.UnixMilli(v.Lo).UTC().Format("2006-01-02")
			case v.Kind == param.Reference && v.ID != "":
				return v.Param + " eq " + quoted(v.Type+"/"+v.ID)
			}
		}
		return "_id eq " + x.key.ID
	}
	switch a.IntN(4) {
	case 0:
		return "not (" + term() + ")"
	case 1:
		return term() + pick(a.Rand, " and ", " or ") + term()
	case 2:
		return "(" + term() + " or " + term() + ") and not (" + term() + ")"
	}
	return term()
}

func cutWord(s string) string {
	r := []rune(s)
	return string(r[:min(len(r), 5)])
}

// question is a key and a text about a resource.
func (a *asker) question(x *thing, depth int) (key, text string) {
	if depth > 0 && a.IntN(3) == 0 {
		if key, text = a.chained(x, depth); key != "" {
			return key, text
		}
	}
	if len(x.values) == 0 {
		return "_id", x.key.ID
	}
	v := pick(a.Rand, x.values...)
	switch a.IntN(12) {
	case 0:
		return v.Param + ":missing", pick(a.Rand, "true", "false")
	case 1:
		if p := param.TextOf(x.doc, "_content"); len(p) > 0 {
			return pick(a.Rand, "_content", "_text"), cutWord(pick(a.Rand, p...))
		}
	}
	m, text := a.ask(v)
	if a.IntN(4) == 0 {
		if m2, more := a.ask(v); m2 == m && more != "" {
			text += "," + more
		}
	}
	if m != "" {
		m = ":" + m
	}
	return v.Param + m, text
}

func (a *asker) chained(x *thing, depth int) (key, text string) {
	if a.IntN(2) == 0 { // who names it?
		for _, y := range a.w.naming(x) {
			if a.IntN(2) == 0 {
				continue
			}
			for _, v := range y.values {
				if v.Kind == param.Reference && v.ID != "" && slices.Contains(x.stands, store.Key{Type: v.Type, ID: v.ID}) {
					key, text = a.question(y, depth-1)
					return "_has:" + y.key.Type + ":" + v.Param + ":" + key, text
				}
			}
		}
		return "", ""
	}
	for _, i := range a.Perm(len(x.values)) {
		v := x.values[i]
		if v.Kind != param.Reference || v.ID == "" {
			continue
		}
		if y := a.w.all[store.Key{Type: v.Type, ID: v.ID}]; y != nil {
			key, text = a.question(y, depth-1)
			return v.Param + ":" + v.Type + "." + key, text
		}
	}
	return "", ""
}

// TestDifferential: what the store finds is what the clauses mean, told of each
// resource in memory; the same by pages, and by the count. It holds as well
// when the other ends of references are too many to be listed, and for who sees
// only a part: then nothing behind what is not seen leads anywhere.
func TestDifferential(t *testing.T) {
	engines(t, func(t *testing.T, options func(t *testing.T) Options) {
		w := newWorld(t, openTest(t, options(t)), 420)
		a := &asker{rand.New(rand.NewPCG(5, 6)), w}
		kinds := map[string]int{}
		usual := w.s.bounds
		w.compare(t, a, 700, kinds)
		w.s.bounds.probe, w.s.bounds.inner, w.s.bounds.named = 3, 1, 1
		w.compare(t, a, 400, kinds)
		w.s.bounds = usual
		part := w.part(t, store.Filter{Patients: []string{"g1", "g0", "s1", "s3", "example"}, Owners: []string{"F1"}, Public: true, Types: map[string]store.Acts{
			"*": store.Everything, "Encounter": store.CanRead}})
		part.compare(t, a, 500, kinds)
		w.s.bounds.probe, w.s.bounds.inner, w.s.bounds.named = 3, 1, 1
		part.compare(t, a, 300, kinds)
		t.Log(kinds)
		for kind, least := range map[string]int{"asked": 1200, "found": 6000, "_has": 60, "chain": 100, "_filter": 100, "_type": 100} {
			if kinds[kind] < least {
				t.Errorf("%s: %d", kind, kinds[kind])
			}
		}
	})
}

// part is the world as who has less access sees it.
func (w *world) part(t *testing.T, f store.Filter) *world {
	p := &world{s: w.s, all: w.all, access: storetest.All}
	p.access.Filter = f
	p.access.Agent.Kind = store.Citizen
	for _, x := range w.list {
		if err := w.s.View(t.Context(), p.access, func(r store.Reader) error { _, err := r.Read(t.Context(), x.key); return err }); err == nil && f.May(x.key.Type, store.CanSearch) {
			p.list = append(p.list, x)
		}
	}
	if len(p.list) < 20 || len(p.list) > len(w.list)*9/10 {
		t.Errorf("%d of %d are seen", len(p.list), len(w.list))
	}
	return p
}

func (w *world) compare(t *testing.T, a *asker, n int, kinds map[string]int) {
	bad := 0
	for range n {
		x := pick(a.Rand, a.w.list...)
		if a.IntN(4) == 0 { // one that others name
			if y := a.w.all[pick(a.Rand, store.Key{Type: "Patient", ID: "g1"}, store.Key{Type: "Patient", ID: "s1"}, store.Key{Type: "Organization", ID: "org1"}, store.Key{Type: "Encounter", ID: "en1"})]; y != nil {
				x = y
			}
		}
		values := url.Values{}
		for range pick(a.Rand, 1, 1, 1, 2, 3) {
			if key, text := a.question(x, 2); text != "" {
				values[key] = append(values[key], text)
			}
		}
		typ := x.key.Type
		if a.IntN(4) == 0 {
			values["_filter"] = []string{a.filter(x)}
		}
		if a.IntN(8) == 0 { // several types at once
			values = only(values, "_id", "_content", "_lastUpdated", "_tag", "_profile", "_filter")
			typ, values["_type"] = "", []string{pick(a.Rand, x.key.Type+",Patient", "Observation,"+x.key.Type, "Observation,Patient,Organization")}
			kinds["_type"]++
		}
		q, err := param.Parse(typ, values)
		if err != nil || len(q.Where) == 0 && q.Filter == nil {
			continue
		}
		count(kinds, values, q)
		want := w.expect(t, q)
		q.Count = pick(a.Rand, 1, 3, 7, 1000)
		if len(want) > 40 {
			q.Count = 1000
		}
		got, total, err := w.search(t.Context(), q)
		if outcome.KindOf(err) == outcome.TooCostly && w.s.bounds.inner == 1 || outcome.KindOf(err) == outcome.Forbidden && w.access.Agent.Kind == store.Citizen {
			kinds["refused"]++
			continue
		}
		kinds["asked"]++
		kinds["found"] += len(want)
		if err != nil || !slices.Equal(got, want) || total != len(want) {
			t.Errorf("%s?%s\n got %v (%d) %v\nwant %v", typ, values.Encode(), got, total, err, want)
			if bad++; bad > 8 {
				return
			}
		}
	}
}

func count(kinds map[string]int, values url.Values, q param.Query) {
	for k := range values {
		switch {
		case strings.HasPrefix(k, "_has"):
			kinds["_has"]++
		case strings.Contains(k, "."):
			kinds["chain"]++
		}
	}
	if q.Filter != nil {
		kinds["_filter"]++
	}
}

// search walks all pages, then counts.
func (w *world) search(ctx context.Context, q param.Query) (ids []string, total int, err error) {
	err = w.s.View(ctx, w.access, func(r store.Reader) error {
		for range 1000 {
			p, err := r.Search(ctx, q)
			if err != nil {
				return err
			}
			for _, m := range p.Matches {
				ids = append(ids, m.Key.String())
			}
			if q.Cursor = p.Next; q.Cursor == "" {
				break
			}
		}
		q.Summary = "count"
		p, err := r.Search(ctx, q)
		if err == nil {
			total = p.Total
		}
		return err
	})
	slices.Sort(ids)
	return ids, total, err
}
