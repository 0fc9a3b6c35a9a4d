package book

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/store/storetest"
	"github.com/ytso/ytso/internal/platform/i18n"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/fhirmap"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// upTo lets so many visits of each person in.
func upTo(n int) func(*claim.HOSO) bool {
	seen := map[string]int{}
	return func(h *claim.HOSO) bool {
		k := string(h.XML1.HO_TEN) + string(h.XML1.NGAY_SINH)
		seen[k]++
		return seen[k] <= n
	}
}

// with gives somebody one of whose visits has a resource of a type.
func with(t *testing.T, people map[string]*someone, wanted func(*someone) bool) *someone {
	t.Helper()
	names := make([]string, 0, len(people))
	for n := range people {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		if wanted(people[n]) {
			return people[n]
		}
	}
	t.Fatal("nobody in the province is like that")
	return nil
}

func has(v *fhirmap.Visit, typ string) int {
	n := 0
	for _, r := range v.Own {
		if r.Type == typ {
			n++
		}
	}
	return n
}

// TestBook walks through the books of an invented province.
func TestBook(t *testing.T) {
	w := newWorld(t)
	people := w.people(20, upTo(45))
	ill := busiest(people)

	t.Run("front", func(t *testing.T) {
		w.t = t
		n := w.page(ill.golden, "/so")
		if got, want := len(select_(n, "entry-title")), min(len(ill.visits), pageSize); got != want {
			t.Errorf("%d visits shown, want %d", got, want)
		}
		card := one(t, n, "book-me")
		hidden := select_(card, "<details")
		if len(hidden) == 0 {
			t.Fatal("no number is hidden")
		}
		for _, d := range hidden {
			masked, whole := text(one(t, d, "book-masked")), text(one(t, d, "book-whole"))
			if !strings.HasPrefix(masked, "•") || strings.Count(text(n), whole) != 1 || whole[len(whole)-4:] != masked[len(masked)-4:] {
				t.Errorf("%s of %s", masked, whole)
			}
		}
		if len(select_(one(t, n, "#tom-tat"), "book-rule")) == 0 {
			t.Error("the rules of the summary are not told")
		}
		if next := select_(n, "<a"); len(ill.visits) > pageSize && !slices.ContainsFunc(next, func(a *html.Node) bool { return attr(a, "rel") == "next" }) {
			t.Error("no way to older visits")
		}
	})

	t.Run("every page of every book, and no number or name in an address", func(t *testing.T) {
		w.t = t
		digits := regexp.MustCompile(`\d{9,}`)
		for name, s := range people {
			for _, path := range []string{"/so", "/so/ket-qua", "/so/thuoc", "/so/giay-to", "/so/chi-phi", "/so?tim=ho", "/so/lan-kham/" + s.visits[0].Encounter} {
				n := w.page(s.golden, path)
				one(t, n, "<h1")
				seen := map[string]bool{}
				for c := range n.Descendants() {
					if id := attr(c, "id"); id != "" {
						if seen[id] {
							t.Errorf("%s: id %s twice", path, id)
						}
						seen[id] = true
					}
				}
				for _, a := range select_(n, "<a") {
					href := attr(a, "href")
					plain, err := url.PathUnescape(href)
					if err != nil || strings.Contains(plain, strings.Fields(name)[0]) || digits.MatchString(regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`).ReplaceAllString(plain, "")) {
						t.Errorf("%s links to %s", path, href)
					}
				}
			}
		}
	})

	t.Run("visit", func(t *testing.T) {
		w.t = t
		s := with(t, people, func(s *someone) bool {
			return has(s.visits[0], "Observation") > 2 && has(s.visits[0], "Composition") > 0
		})
		v := s.visits[0]
		n := w.page(s.golden, "/so/lan-kham/"+v.Encounter)
		for _, id := range []string{"#chan-doan", "#thuoc", "#ket-qua", "#dich-vu", "#giay-to", "#chi-phi", "#dien-bien"} {
			one(t, n, id)
		}
		if got := len(select_(one(t, n, "#giay-to"), "row-name")); got != has(v, "Composition") {
			t.Errorf("%d papers, want %d", got, has(v, "Composition"))
		}
		bar := one(t, n, "book-bar")
		wide := 0
		for _, r := range select_(bar, "<rect") {
			var x int
			if _, err := fmt.Sscan(attr(r, "width"), &x); err != nil {
				t.Fatal(err)
			}
			wide += x
		}
		if wide != barWidth {
			t.Errorf("the bar is %d wide", wide)
		}
		if s := text(one(t, n, "book-origin")); !strings.Contains(s, "nhận lúc 09:00 01/06/2026") {
			t.Errorf("source: %s", s)
		}
	})

	t.Run("results", func(t *testing.T) {
		w.t = t
		s := with(t, people, func(s *someone) bool { return len(s.visits) > 8 && has(s.visits[0], "Observation") > 3 })
		n := w.page(s.golden, "/so/ket-qua")
		opened := 0
		for _, row := range select_(n, "row-name") {
			a := one(t, row, "<a")
			c := w.page(s.golden, attr(a, "href"))
			if text(one(t, c, "<h1")) != text(a) {
				t.Errorf("%s opens %s", text(a), text(one(t, c, "<h1")))
			}
			values := select_(one(t, c, "#tat-ca"), "row-name")
			if len(values) > 1 && len(select_(c, "chart")) == 0 {
				t.Errorf("%s: %d values and no line", text(a), len(values))
			}
			for _, v := range values {
				if !strings.HasPrefix(attr(one(t, v, "<a"), "href"), "/so/lan-kham/") {
					t.Errorf("%s: a value leads nowhere", text(a))
				}
			}
			opened++
		}
		if opened < 3 {
			t.Errorf("%d analytes", opened)
		}
		if _, err := w.ask(s.golden, "/so/ket-qua/KHONG-CO", i18n.VI); outcome.KindOf(err) != outcome.NotFound {
			t.Errorf("an analyte that was never measured: %v", err)
		}
	})

	t.Run("papers", func(t *testing.T) {
		w.t = t
		opened := 0
		for _, s := range people {
			for _, a := range select_(w.page(s.golden, "/so/giay-to"), "row-name") {
				n := w.page(s.golden, attr(one(t, a, "<a"), "href"))
				if !strings.Contains(text(one(t, n, "book-paper-who")), "sinh ") {
					t.Errorf("%s does not say whose it is", text(a))
				}
				if len(select_(n, "<dt")) < 5 || text(one(t, n, "<h1")) != text(a) {
					t.Errorf("%s: %s", text(a), text(n))
				}
				for _, dt := range select_(n, "<dt") {
					if strings.Contains(text(dt), "_") {
						t.Errorf("%s: field %s has no name", text(a), text(dt))
					}
				}
				opened++
			}
		}
		if opened < 10 {
			t.Errorf("%d papers", opened)
		}
	})

	t.Run("English", func(t *testing.T) {
		w.t = t
		for _, path := range []string{"/so", "/so/ket-qua", "/so/thuoc", "/so/giay-to", "/so/chi-phi", "/so/lan-kham/" + ill.visits[0].Encounter} {
			n := w.pageIn(ill.golden, path, i18n.EN)
			if attr(one(t, n, "<html"), "lang") != "en" || strings.Contains(text(one(t, n, "title")), "của tôi") {
				t.Errorf("%s is not in English", path)
			}
		}
	})

	t.Run("search", func(t *testing.T) {
		w.t = t
		var found []string
		for _, m := range select_(w.page(ill.golden, "/so?tim=duong+khong+co"), "entry-title") {
			found = append(found, text(m))
		}
		if found != nil {
			t.Errorf("found %q", found)
		}
		first := text(select_(w.page(ill.golden, "/so"), "entry-title")[0])
		n := w.page(ill.golden, "/so?tim="+url.QueryEscape(first))
		if len(select_(n, "entry-title")) == 0 || len(select_(n, "book-me")) != 0 {
			t.Errorf("%s is not found", first)
		}
	})

	t.Run("other people's and what is gone", func(t *testing.T) {
		w.t = t
		other := with(t, people, func(s *someone) bool { return s != ill && has(s.visits[0], "Composition") > 0 })
		paper := ""
		for _, r := range other.visits[0].Own {
			if r.Type == "Composition" {
				paper = r.ID
			}
		}
		mine := ill.visits[0].Encounter
		for _, path := range []string{"/so/lan-kham/" + other.visits[0].Encounter, "/so/giay-to/" + paper, "/so/lan-kham/khong-co", "/so/giay-to/khong-co", "/so/giay-to/" + mine} {
			rec, err := w.ask(ill.golden, path, i18n.VI)
			if outcome.KindOf(err) != outcome.NotFound || rec.Body.Len() > 0 {
				t.Errorf("%s: %v, %d bytes", path, err, rec.Body.Len())
			}
		}
		if _, err := w.ask(other.golden, "/so/giay-to/"+paper, i18n.VI); err != nil {
			t.Errorf("its owner may read it: %v", err)
		}
		if err := w.store.Update(context.Background(), storetest.All, func(tx store.Tx) error {
			return tx.Delete(context.Background(), store.Key{Type: "Encounter", ID: mine}, 0)
		}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.ask(ill.golden, "/so/lan-kham/"+mine, i18n.VI); outcome.KindOf(err) != outcome.NotFound {
			t.Errorf("deleted: %v", err)
		}
	})

	t.Run("audit", func(t *testing.T) {
		w.t = t
		rows := audited(t, w, ill.golden)
		for _, want := range []string{"book.open", "book.visit", "book.results", "book.medicines", "book.papers", "book.costs"} {
			if !strings.Contains(rows, want) {
				t.Errorf("no row says %s", want)
			}
		}
	})
}

// audited gives the actions in the audit rows of an agent.
func audited(t *testing.T, w *world, agent string) string {
	t.Helper()
	var b strings.Builder
	if err := w.store.View(t.Context(), storetest.All, func(r store.Reader) error {
		rows, err := r.Query(t.Context(), `SELECT action FROM audit WHERE agent = $1`, agent)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var s string
			if err := rows.Scan(&s); err != nil {
				return err
			}
			b.WriteString(s + "\n")
		}
		return rows.Err()
	}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestEmptyBook: nothing is broken and nothing is claimed where nothing is known.
func TestEmptyBook(t *testing.T) {
	w := newWorld(t)
	w.golden("nobody", `,"name":[{"text":"Người Ví Dụ"}],"birthDate":"1950"`)
	for _, path := range []string{"/so", "/so/ket-qua", "/so/thuoc", "/so/giay-to", "/so/chi-phi", "/so?nam=2025&tim=ho"} {
		one(t, w.page("nobody", path), "empty")
	}
	n := w.page("nobody", "/so")
	if s := text(one(t, n, "book-me")); s != "Người Ví Dụ Ngày sinh 1950" {
		t.Errorf("%s", s)
	}
	if len(select_(n, "#tom-tat")) != 0 {
		t.Error("a summary of nothing")
	}
}

// TestYearOnlyBirth: a year is shown as a year.
func TestYearOnlyBirth(t *testing.T) {
	w := newWorld(t)
	v := w.receive(visitOfOne("y1", func(h *claim.HOSO) { h.XML1.NGAY_SINH = "195000000000" }), "25901")
	w.golden("year", members(t, v.Patient.Body, "name", "birthDate", "gender", "identifier"), v.Patient.ID)
	if s := text(one(t, w.page("year", "/so"), "book-me")); !strings.Contains(s, "Ngày sinh 1950 Giới tính Nam") {
		t.Errorf("%s", s)
	}
}

// TestMergedPerson: a golden record that was merged away opens the book of the one that replaced it.
func TestMergedPerson(t *testing.T) {
	w := newWorld(t)
	v := w.receive(visitOfOne("m1", nil), "25901")
	w.golden("new", `,"name":[{"text":"Người Ví Dụ"}]`, v.Patient.ID)
	w.put("", element.Resource{Type: "Patient", ID: "old", Body: []byte(`{"resourceType":"Patient","id":"old","meta":{"tag":[{"system":"urn:ytso:tag","code":"golden"}]},"link":[{"other":{"reference":"Patient/new"},"type":"replaced-by"}]}`)})
	n := w.page("old", "/so")
	if len(select_(n, "entry-title")) != 1 || text(one(t, n, "#book-name")) != "Người Ví Dụ" {
		t.Error(text(n))
	}
	w.page("old", "/so/lan-kham/"+v.Encounter)
}

// visitOfOne is a small visit with one medicine.
func visitOfOne(key string, change func(*claim.HOSO)) *claim.HOSO {
	h := &claim.HOSO{Ordinal: 1}
	*h.Add(1).(*claim.XML1) = claim.XML1{
		MA_LK: claim.Text(key), STT: "1", MA_BN: "BN1", HO_TEN: "Người Ví Dụ", GIOI_TINH: "1", NGAY_SINH: "196005010000", MA_BENH_CHINH: "J06.9", CHAN_DOAN_RV: "Cảm <b>lạnh</b>",
		NGAY_VAO: "202603100730", NGAY_RA: "202603100930", MA_LOAI_KCB: "01", MA_CSKCB: "25901", T_TONGCHI_BV: "1000.00", T_BNTT: "1000.00",
	}
	h.Add(2).(*claim.XML2).TEN_THUOC = "Thuốc Ví Dụ"
	for i := range h.XML2 {
		h.XML2[i].MA_LK, h.XML2[i].STT, h.XML2[i].SO_LUONG, h.XML2[i].DON_VI_TINH, h.XML2[i].NGAY_YL = claim.Text(key), "1", "2", "Viên", "202603100800"
	}
	if change != nil {
		change(h)
	}
	return h
}

// TestFiveHundredLines: a stay with five hundred lines of medicines is a page that somebody reads.
func TestFiveHundredLines(t *testing.T) {
	w := newWorld(t)
	v := w.receive(visitOfOne("five", func(h *claim.HOSO) {
		h.XML2 = nil
		for i := range 500 {
			*h.Add(2).(*claim.XML2) = claim.XML2{
				MA_LK: "five", STT: claim.Number(fmt.Sprint(i + 1)), TEN_THUOC: claim.Text(fmt.Sprintf("Thuốc %d", i%5)), HAM_LUONG: "5mg", SO_LUONG: "1", DON_VI_TINH: "Viên",
				LIEU_DUNG: "1 viên/lần x 1 lần/ngày [1 viên]", NGAY_YL: claim.Date12(fmt.Sprintf("2026031008%02d", i/10)), THANH_TIEN_BV: "100", T_BHTT: "100",
			}
		}
	}), "25901")
	w.golden("p", "", v.Patient.ID)
	n := w.page("p", "/so/lan-kham/"+v.Encounter)
	list := one(t, n, "book-medicines")
	if got := len(select_(list, "book-medicine")); got != 5 {
		t.Errorf("%d medicines", got)
	}
	if got := len(select_(list, "<li")); got != 5+500 {
		t.Errorf("%d lines, those taken together counted", got)
	}
	if !strings.Contains(text(list), "Số lượng: 100 viên") {
		t.Errorf("%s", text(list)[:200])
	}
	if got := len(select_(one(t, n, "book-bill"), "<tr")); got != 501 {
		t.Errorf("%d lines of the bill", got)
	}
	if got := len(select_(w.page("p", "/so/thuoc"), "book-medicine")); got != 5 {
		t.Errorf("%d medicines of the day", got)
	}
}

// TestForeignText: what a facility writes is text and never markup.
func TestForeignText(t *testing.T) {
	w := newWorld(t)
	v := w.receive(visitOfOne("x", nil), "25901")
	w.golden("p", "", v.Patient.ID)
	for _, path := range []string{"/so", "/so/lan-kham/" + v.Encounter, "/so?tim=" + url.QueryEscape("lạnh <b>")} {
		rec, err := w.ask("p", path, i18n.VI)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(rec.Body.String(), "<b>lạnh") || !strings.Contains(rec.Body.String(), "&lt;b&gt;l") {
			t.Errorf("%s", path)
		}
		if rec.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be kept by a cache", path)
		}
	}
}

// TestMedicinePages: each line once, and no day on two pages.
func TestMedicinePages(t *testing.T) {
	w := newWorld(t)
	var source string
	for i := range 7 {
		v := w.receive(visitOfOne(fmt.Sprint("v", i), func(h *claim.HOSO) {
			h.XML1.NGAY_VAO, h.XML1.NGAY_RA = claim.Date12(fmt.Sprintf("2026030%d0730", i+1)), claim.Date12(fmt.Sprintf("2026030%d0930", i+1))
			h.XML2 = nil
			for k := range 60 {
				*h.Add(2).(*claim.XML2) = claim.XML2{MA_LK: h.XML1.MA_LK, STT: claim.Number(fmt.Sprint(k + 1)), TEN_THUOC: claim.Text(fmt.Sprintf("Thuốc %d-%d", i, k)), SO_LUONG: "1", NGAY_YL: claim.Date12(fmt.Sprintf("2026030%d08%02d", i+1, k))}
			}
		}), "25901")
		source = v.Patient.ID
	}
	w.golden("p", "", source)
	seen, days := map[string]int{}, map[string]int{}
	pages := 0
	for path := "/so/thuoc"; path != "" && pages < 20; pages++ {
		n := w.page("p", path)
		for _, m := range select_(n, "book-medicine") {
			seen[text(m)]++
		}
		for _, h := range select_(n, "book-handout") {
			days[text(one(t, h, "<a"))]++
		}
		path = ""
		for _, a := range select_(n, "<a") {
			if attr(a, "rel") == "next" {
				path = attr(a, "href")
			}
		}
	}
	if len(seen) != 420 || len(days) != 7 || pages < 4 {
		t.Errorf("%d medicines on %d days on %d pages", len(seen), len(days), pages)
	}
	for k, n := range seen {
		if n != 1 {
			t.Errorf("%s stands %d times", k, n)
		}
	}
	for k, n := range days {
		if n != 1 {
			t.Errorf("%s stands on %d pages", k, n)
		}
	}
}
