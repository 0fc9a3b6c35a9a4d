package claims

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/httpx"
	"github.com/ytso/ytso/internal/platform/i18n"
	"github.com/ytso/ytso/internal/platform/ui"
	"github.com/ytso/ytso/internal/sqlstore"
	"github.com/ytso/ytso/internal/trust"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/check"
)

// caller is who a request comes from, put into its context by the test's authentication.
type caller struct{ role, facility string }

// site serves the room behind the real edge, with its style and modules.
func site(t testing.TB, b *bench) http.Handler {
	t.Helper()
	c, err := i18n.Load(ui.Messages(), messages)
	if err != nil {
		t.Fatal(err)
	}
	r := b.Room()
	assets, err := ui.NewAssets("", ui.Dress{Name: r.Name, Style: r.Style, Static: r.Static})
	if err != nil {
		t.Fatal(err)
	}
	static := httpx.Route{Pattern: "GET /static/", Who: httpx.Open, Handler: httpx.Static(assets.FS(), time.Hour)}
	h, err := httpx.New(httpx.Config{
		Routes: append(r.Routes, static), Catalogue: c, Strict: true,
		Viewer: func(ctx context.Context, _ string) context.Context { return assets.Bind(ctx) },
		Authenticate: func(r *http.Request) (context.Context, error) {
			kind := store.Staff
			role := r.Header.Get("X-Role")
			switch role {
			case "":
				return r.Context(), nil
			case trust.RoleMachine:
				kind = store.Machine
			}
			f := r.Header.Get("X-Facility")
			p := trust.Principal{Agent: store.Agent{Kind: kind, ID: "acc-" + f, Name: "Người gửi", Role: role, Facility: f}}
			if scope := r.Header.Get("X-Scope"); scope != "" {
				p.Scopes = strings.Fields(scope)
			}
			return trust.With(r.Context(), p), nil
		},
		Role: func(ctx context.Context) (string, bool) {
			p, ok := trust.From(ctx)
			return p.Agent.Role, ok
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (c caller) do(t testing.TB, h http.Handler, method, target, contentType string, body io.Reader) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, target, body)
	r.Header.Set("X-Role", c.role)
	r.Header.Set("X-Facility", c.facility)
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func (c caller) get(t testing.TB, h http.Handler, target string) *httptest.ResponseRecorder {
	t.Helper()
	return c.do(t, h, "GET", target, "", nil)
}

// post sends a form to a path of the gateway.
func (c caller) post(t testing.TB, h http.Handler, path string, form url.Values) gatewayAnswer {
	t.Helper()
	w := c.do(t, h, "POST", "/api/qd130/"+path, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
	var ans gatewayAnswer
	if err := json.Unmarshal(w.Body.Bytes(), &ans); err != nil {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return ans
}

func formOf(body []byte, edit ...func(url.Values)) url.Values {
	v := url.Values{
		"username": {home + "_BV"}, "loaiHoSo": {"130"}, "maTinh": {home[:2]}, "maCSKCB": {home}, "fileHSBase64": {base64.StdEncoding.EncodeToString(body)},
	}
	for _, e := range edit {
		e(v)
	}
	return v
}

func with(name, value string) func(url.Values) { return func(v url.Values) { v.Set(name, value) } }

var (
	machine  = caller{trust.RoleMachine, home}
	hospital = caller{trust.RoleHospital, home}
	station  = caller{trust.RoleStation, home}
	stranger = caller{trust.RoleHospital, "25002"}
)

// TestGateway: every answer of the sending paths (spec/qd3176/gateway.md §3), and that what could be read is kept.
func TestGateway(t *testing.T) {
	clean := bundle("20260410", visit("LK1"))
	checkIn, err := claim.Encode(&claim.File{Kind: claim.CheckIn, CheckIns: []claim.XML0{{MA_LK: "LK5", STT: "1", MA_BN: "1", MA_CSKCB: claim.Text(home), NGAY_VAO: "202604100700", NGAY_YL: "202604100710", NGAY_SINH: "198505120000"}}})
	if err != nil {
		t.Fatal(err)
	}
	assessment, err := claim.Encode(&claim.File{Kind: claim.Assessment, Assessments: []claim.XML12{{HO_TEN: "Y-Ví Dụ Niê"}}})
	if err != nil {
		t.Fatal(err)
	}
	lines := func(v url.Values) { // as some senders write base64
		s := v.Get("fileHSBase64")
		v.Set("fileHSBase64", s[:76]+"\r\n"+strings.ReplaceAll(s[76:], "+", " "))
	}
	for _, c := range []struct {
		name, path string
		form       url.Values
		code, says string
		kept       bool
	}{
		{"claim", "guiHoSoXmlQD3176", formOf(clean), "200", "Đã tiếp nhận", true},
		{"claim by the path of 4750", "guiHoSoXmlQD4750", formOf(clean), "200", "Đã tiếp nhận", true},
		{"claim by the path of 130", "guiHoSoXmlQD130", formOf(clean, lines), "200", "Đã tiếp nhận", true},
		{"byte-order mark", "guiHoSoXmlQD3176", formOf(append([]byte("\ufeff"), clean...)), "200", "Đã tiếp nhận", true},
		{"no maTinh", "guiHoSoXmlQD3176", formOf(clean, with("maTinh", "")), "200", "Đã tiếp nhận", true},
		{"check-in", "checkInKcbQd3176", formOf(checkIn, with("loaiHoSo", "0")), "200", "Đã tiếp nhận", true},
		{"check-in by the path of 130", "checkInKcbQd130", formOf(checkIn, with("loaiHoSo", "0")), "200", "Đã tiếp nhận", true},
		{"assessment", "guiDuLieuGdykQd130", formOf(assessment, with("loaiHoSo", "12")), "200", "Đã nhận và lưu bản gốc", true},
		{"wrong loaiHoSo", "guiHoSoXmlQD3176", formOf(clean, with("loaiHoSo", "0")), "400", "loaiHoSo", true},
		{"no loaiHoSo", "guiHoSoXmlQD3176", formOf(clean, with("loaiHoSo", "")), "400", "loaiHoSo", true},
		{"another facility in the form", "guiHoSoXmlQD3176", formOf(clean, with("maCSKCB", "25002")), "403", "maCSKCB", true},
		{"another province", "guiHoSoXmlQD3176", formOf(clean, with("maTinh", "01")), "400", "maTinh", true},
		{"another facility in the file", "guiHoSoXmlQD3176", formOf(bytes.Replace(clean, []byte("<MACSKCB>"+home), []byte("<MACSKCB>25002"), 1)), "403", "MACSKCB", true},
		{"a check-in by the door of claims", "guiHoSoXmlQD3176", formOf(checkIn), "422", "checkInKcb", true},
		{"cut off", "guiHoSoXmlQD3176", formOf(clean[:len(clean)/2]), "422", "cắt cụt", true},
		{"no XML", "guiHoSoXmlQD3176", formOf([]byte("hello")), "422", "XML", true},
		{"bad base64", "guiHoSoXmlQD3176", formOf(clean, with("fileHSBase64", "@@@@")), "400", "base64", true},
		{"no file", "guiHoSoXmlQD3176", formOf(nil), "400", "fileHSBase64", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := open(t, sqlstore.Options{Dir: t.TempDir(), Key: make([]byte, 32)}).run()
			h := site(t, b)
			ans := machine.post(t, h, c.path, c.form)
			if ans.MaKetQua != c.code || !strings.Contains(ans.ThongDiep, c.says) {
				t.Errorf("%+v, want %s … %s", ans, c.code, c.says)
			}
			if (ans.MaGiaoDich != "") != c.kept || c.kept && len(ans.ThoiGianTiepNhan) != 14 {
				t.Errorf("%+v", ans)
			}
			if n := b.number(`SELECT COUNT(*) FROM blob`); (n == 1) != c.kept {
				t.Errorf("%d originals kept", n)
			}
			if !c.kept {
				return
			}
			b.Drain()
			var st statusAnswer
			w := machine.get(t, h, "/api/kcb/tra-cuu-trang-thai/"+ans.MaGiaoDich)
			if err := json.Unmarshal(w.Body.Bytes(), &st); err != nil || st.MaGiaoDich != ans.MaGiaoDich {
				t.Fatalf("%v %s", err, w.Body)
			}
			if refused := st.TrangThai == Refused; refused == (c.code == "200") || st.TrangThai == Waiting || st.DienGiai == "" {
				t.Errorf("status %+v", st)
			}
		})
	}
	t.Run("too long", func(t *testing.T) {
		b := open(t, sqlstore.Options{Dir: t.TempDir(), Key: make([]byte, 32)})
		body := io.MultiReader(strings.NewReader("loaiHoSo=130&fileHSBase64="), io.LimitReader(zeros{}, maxForm))
		w := machine.do(t, site(t, b), "POST", "/api/qd130/guiHoSoXmlQD3176", "application/x-www-form-urlencoded", body)
		if !strings.Contains(w.Body.String(), `"maKetQua":"413"`) || !strings.Contains(w.Body.String(), "quá lớn") {
			t.Errorf("%d %.200s", w.Code, w.Body)
		}
	})
	t.Run("strangers", func(t *testing.T) {
		b := open(t, sqlstore.Options{Dir: t.TempDir(), Key: make([]byte, 32)})
		h := site(t, b)
		if ans := (caller{}).post(t, h, "guiHoSoXmlQD3176", formOf(clean)); ans.MaKetQua != "401" {
			t.Errorf("nobody: %+v", ans)
		}
		if ans := (caller{trust.RoleCitizen, ""}).post(t, h, "guiHoSoXmlQD3176", formOf(clean)); ans.MaKetQua != "403" {
			t.Errorf("a citizen: %+v", ans)
		}
		if ans := (caller{trust.RoleMachine, ""}).post(t, h, "guiHoSoXmlQD3176", formOf(clean)); ans.MaKetQua != "403" {
			t.Errorf("an account without facility: %+v", ans)
		}
	})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'A'
	}
	return len(p), nil
}

// TestStatus: per HOSO with rule, table, row, field, sentence and what to do; page by page; by MA_LK; to the sender's facility only.
func TestStatus(t *testing.T) {
	engines(t, func(t *testing.T, o sqlstore.Options) {
		b := open(t, o).run()
		h := site(t, b)
		ans := machine.post(t, h, "guiHoSoXmlQD3176", formOf(bundle("20260410", visit("LK 1+", spoilt), visit("LK2"))))
		b.Drain()
		for _, c := range []caller{machine, hospital, station} {
			var st statusAnswer
			if err := json.Unmarshal(c.get(t, h, "/api/kcb/tra-cuu-trang-thai/"+strings.ToLower(ans.MaGiaoDich)).Body.Bytes(), &st); err != nil {
				t.Fatal(err)
			}
			if st.TrangThai != Done || len(st.HoSo) != 2 || st.HoSo[0].TrangThai != HOSORefused || st.HoSo[1].TrangThai != HOSOStored || st.HoSo[1].MaLuotKham != "e-LK2" {
				t.Errorf("%s: %+v", c.role, st)
			}
			f := st.HoSo[0].Loi[0]
			if f.QuyTac != "ID-016" || f.Bang != "XML1" || f.Truong != "MA_HSBA" || f.ThongBao == "" || f.CachSua == "" || f.Message == "" || f.MucDo != "error" {
				t.Errorf("%+v", f)
			}
			if len(st.ChuaKiemTraTep) == 0 || len(st.HoSo[1].ChuaKiemTra) == 0 {
				t.Error("what was not checked must be said")
			}
		}
		var st statusAnswer
		if err := json.Unmarshal(machine.get(t, h, "/api/kcb/tra-cuu-trang-thai/"+ans.MaGiaoDich+"?sau=1").Body.Bytes(), &st); err != nil || len(st.HoSo) != 1 || st.HoSo[0].ThuTu != 2 {
			t.Errorf("%v %+v", err, st)
		}
		var by keyAnswer
		if err := json.Unmarshal(machine.get(t, h, "/api/kcb/tra-cuu-trang-thai?maLK="+url.QueryEscape("LK 1+")).Body.Bytes(), &by); err != nil || len(by.LanGui) != 1 {
			t.Fatalf("%v %+v", err, by)
		}
		if one := by.LanGui[0]; one.MaGiaoDich != ans.MaGiaoDich || one.HieuLuc || one.HoSo.ThuTu != 1 || len(one.HoSo.Loi) != 1 {
			t.Errorf("%+v", one)
		}
		for _, c := range []struct {
			who    caller
			target string
			code   int
		}{
			{stranger, "/api/kcb/tra-cuu-trang-thai/" + ans.MaGiaoDich, 404},
			{machine, "/api/kcb/tra-cuu-trang-thai/KHONGCO", 404},
			{machine, "/api/kcb/tra-cuu-trang-thai/" + ans.MaGiaoDich + "?sau=x", 400},
			{machine, "/api/kcb/tra-cuu-trang-thai", 422},
			{caller{trust.RoleDepartment, ""}, "/api/kcb/tra-cuu-trang-thai/" + ans.MaGiaoDich, 403},
			{caller{}, "/api/kcb/tra-cuu-trang-thai/" + ans.MaGiaoDich, 401},
		} {
			if w := c.who.get(t, h, c.target); w.Code != c.code {
				t.Errorf("%s of %s: %d, want %d", c.target, c.who.role, w.Code, c.code)
			}
		}
		if w := stranger.get(t, h, "/api/kcb/tra-cuu-trang-thai?maLK=LK2"); !strings.Contains(w.Body.String(), `"lanGui":[]`) {
			t.Errorf("a stranger sees %s", w.Body)
		}
	})
}

// page is a parsed page.
type page struct {
	*html.Node
	t testing.TB
}

func (c caller) open(t testing.TB, h http.Handler, target string) page {
	t.Helper()
	w := c.get(t, h, target)
	if w.Code != 200 {
		t.Fatalf("%s: %d %.300s", target, w.Code, w.Body)
	}
	return parsed(t, w)
}

func parsed(t testing.TB, w *httptest.ResponseRecorder) page {
	t.Helper()
	if strings.Contains(w.Body.String(), "claims.") && strings.Contains(text(mustParse(t, w)), "claims.") {
		t.Errorf("a sentence is missing: %.200s", text(mustParse(t, w))[strings.Index(text(mustParse(t, w)), "claims."):])
	}
	return page{mustParse(t, w), t}
}

func mustParse(t testing.TB, w *httptest.ResponseRecorder) *html.Node {
	t.Helper()
	n, err := html.Parse(bytes.NewReader(w.Body.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode && d.Parent.Data != "script" && d.Parent.Data != "style" {
			b.WriteString(d.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// all finds elements by a small selector: tag, .class, #id, or tag.class, parted by blanks for descent.
func (p page) all(selector string) (list []*html.Node) {
	list = []*html.Node{p.Node}
	for _, step := range strings.Fields(selector) {
		var next []*html.Node
		for _, n := range list {
			for d := range n.Descendants() {
				if d.Type == html.ElementNode && fitsStep(d, step) {
					next = append(next, d)
				}
			}
		}
		list = next
	}
	return list
}

func fitsStep(n *html.Node, step string) bool {
	tag, class, byClass := strings.Cut(step, ".")
	tag, id, byID := strings.Cut(tag, "#")
	return (tag == "" || n.Data == tag) && (!byID || attr(n, "id") == id) &&
		(!byClass || strings.Contains(" "+attr(n, "class")+" ", " "+class+" "))
}

// says gives the text of what a selector finds.
func (p page) says(selector string) string {
	var parts []string
	for _, n := range p.all(selector) {
		parts = append(parts, text(n))
	}
	return strings.Join(parts, " | ")
}

func (p page) want(selector string, parts ...string) {
	p.t.Helper()
	got := p.says(selector)
	for _, s := range parts {
		if !strings.Contains(got, s) {
			p.t.Errorf("%s says %.600q, want %q", selector, got, s)
		}
	}
}

// TestPages: list, file, HOSO, rule, downloads; nobody's name anywhere; nothing for strangers.
func TestPages(t *testing.T) {
	engines(t, func(t *testing.T, o sqlstore.Options) {
		b := open(t, o).run()
		h := site(t, b)
		hospital.open(t, h, "/giam-dinh").want(".empty", "Chưa nhận được tệp", "Gửi hồ sơ")

		_, a := b.as(trust.RoleMachine, home)
		good, err := b.Receive(t.Context(), a, Upload{Facility: home, Door: "gateway", Name: "sach.xml", Body: bundle("20260410", visit("LK1"))})
		if err != nil {
			t.Fatal(err)
		}
		b.clock.day("20260422")
		var many []*claim.HOSO
		for i := range 60 {
			key := fmt.Sprintf("LK%03d", i)
			switch {
			case i%10 == 3:
				many = append(many, visit(key, spoilt))
			case i == 8: // ID-002 shows the name that it speaks of
				many = append(many, visit(key, func(h *claim.HOSO) { h.XML1.HO_TEN = "Đinh Thị Kín 2" }))
			case i == 7:
				many = append(many, visit(key, func(h *claim.HOSO) { h.XML2[1].SO_LUONG = "-1" }))
			default:
				many = append(many, visit(key))
			}
		}
		bad, err := b.Receive(t.Context(), a, Upload{Facility: home, Door: "page", Name: "nhieu.xml", Body: bundle("20260420", many...)})
		if err != nil {
			t.Fatal(err)
		}
		cut, err := b.Receive(t.Context(), a, Upload{Facility: home, Door: "page", Name: "<b>cụt</b>.xml", Body: bundle("20260420", many...)[:5000]})
		if err != nil {
			t.Fatal(err)
		}
		b.Drain()

		list := hospital.open(t, h, "/giam-dinh")
		rows := list.all(".claims-files tbody tr")
		if len(rows) != 3 || !strings.Contains(text(rows[0]), "<b>cụt</b>.xml") || !strings.Contains(text(rows[2]), "sach.xml") {
			t.Fatalf("%d rows: %s", len(rows), list.says(".claims-files tbody tr"))
		}
		if !strings.Contains(text(rows[2]), "Mã liên kết LK1") || strings.Contains(text(rows[1]), "LK0") {
			t.Errorf("a file of one HOSO must say its MA_LK, another none: %s", list.says(".claims-files tbody tr"))
		}
		list.want(".claims-files tbody tr", "Không nhận cả tệp", "53 đã ghi nhận", "7 có lỗi", "1 đã ghi nhận")
		for target, want := range map[string][]string{
			"?trang-thai=co-loi": {"nhieu.xml"}, "?trang-thai=khong-nhan": {"cụt"}, "?trang-thai=khong-loi": {"sach.xml"}, "?ngay=2026-04-20": {"sach.xml"},
			"?tim=LK033": {"nhieu.xml"}, "?tim=" + strings.ToLower(good.ID): {"sach.xml"}, "?tim=LK1&ngay=2026-04-20&trang-thai=khong-loi": {"sach.xml"},
		} {
			p := hospital.open(t, h, "/giam-dinh"+target)
			if n := len(p.all(".claims-files tbody tr")); n != 1 {
				t.Errorf("%s: %d rows", target, n)
			}
			p.want(".claims-files", want...)
		}
		hospital.open(t, h, "/giam-dinh?tim=KHONGCO").want(".empty", "Không có tệp nào như vậy")

		file := hospital.open(t, h, "/giam-dinh/"+bad.ID)
		file.want("h1", "nhieu.xml")
		file.want(".figure", "Có lỗi, chưa ghi nhận", "Đã ghi nhận", "53")
		groups := file.all(".claims-group")
		if len(groups) == 0 || !strings.Contains(text(groups[0]), "ID-016") || !strings.Contains(text(groups[0]), "6 chỗ trong 6 hồ sơ") {
			t.Errorf("the most frequent error must come first: %.300s", file.says(".claims-group"))
		}
		file.want(".claims-group", "Cách sửa", "LK003", "XML1 · MA_HSBA", "Xem cả 6 chỗ", "XML2 · dòng 2")
		file.want("#chua-kiem-tra", "không có nghĩa là đã đạt", "chữ ký số", "quy tắc khác")
		if n := len(file.all("#ho-so tbody tr")); n != 50 {
			t.Errorf("%d HOSO on the page", n)
		}
		next := file.all("#ho-so .pager a")
		if len(next) != 1 {
			t.Fatal("no way on")
		}
		if p := hospital.open(t, h, strings.Split(attr(next[0], "href"), "#")[0]); len(p.all("#ho-so tbody tr")) != 10 {
			t.Errorf("the second page has %s", p.says("#ho-so tbody"))
		}
		if p := hospital.open(t, h, "/giam-dinh/"+bad.ID+"?trang-thai=refused"); len(p.all("#ho-so tbody tr")) != 7 {
			t.Errorf("refused: %s", p.says("#ho-so tbody"))
		}
		rule := hospital.open(t, h, "/giam-dinh/"+bad.ID+"/quy-tac/ID-016?muc=error")
		if len(rule.all("tbody tr")) != 6 {
			t.Errorf("rule: %s", rule.says("tbody"))
		}
		one := hospital.open(t, h, "/giam-dinh/"+bad.ID+"/ho-so/8")
		one.want("h1", "LK007")
		one.want(".card", "XML2 – Bảng 2", "Cách sửa", "dòng 2")
		hospital.open(t, h, "/giam-dinh/"+good.ID+"/ho-so/1").want(".notice", "Không thấy lỗi nào")
		hospital.open(t, h, "/giam-dinh/"+cut.ID).want("main .buttons", "Gửi bản đã sửa") // no dead end
		if s := hospital.open(t, h, "/giam-dinh/"+good.ID).says("main .buttons"); strings.Contains(s, "Gửi bản đã sửa") {
			t.Errorf("nothing is to be mended: %s", s)
		}
		hospital.open(t, h, "/giam-dinh/"+cut.ID).want(".notice", "Không nhận cả tệp", "cắt cụt", "Bản gốc vẫn được lưu")
		station.open(t, h, "/giam-dinh/"+bad.ID)

		// Names of people stand in the files, not on the pages.
		hospital.open(t, h, "/giam-dinh/"+bad.ID+"/ho-so/9").want(".claims-findings", "ID-002", "[họ tên]")
		for _, target := range []string{"", "/" + bad.ID, "/" + bad.ID + "/ho-so/9", "/" + bad.ID + "/quy-tac/ID-002?muc=warning", "/" + bad.ID + "/loi.csv"} {
			if w := hospital.get(t, h, "/giam-dinh"+target); strings.Contains(w.Body.String(), "Kín") || strings.Contains(w.Body.String(), string(many[0].XML1.HO_TEN)) {
				t.Errorf("%s names a person", target)
			}
		}
		if w := machine.get(t, h, "/api/kcb/tra-cuu-trang-thai/"+bad.ID); !strings.Contains(w.Body.String(), "ID-002") || strings.Contains(w.Body.String(), "Kín") {
			t.Error("the status names a person, or says nothing of ID-002")
		}

		csv := hospital.get(t, h, "/giam-dinh/"+bad.ID+"/loi.csv")
		if s := csv.Body.String(); !strings.HasPrefix(s, "\ufeff") || !strings.Contains(s, "LK003,Lỗi,ID-016,XML1") || !strings.Contains(csv.Header().Get("Content-Disposition"), "attachment") {
			t.Errorf("%.300q %v", s, csv.Header())
		}
		orig := hospital.get(t, h, "/giam-dinh/"+good.ID+"/ban-goc")
		if !bytes.Equal(orig.Body.Bytes(), bundle("20260410", visit("LK1"))) || !strings.Contains(orig.Header().Get("Content-Disposition"), `attachment; filename=sach.xml`) {
			t.Errorf("%v", orig.Header())
		}
		if n := b.number(`SELECT COUNT(*) FROM audit WHERE action = 'claims.original' AND entity = $1 AND outcome = 'ok'`, good.ID); n != 1 {
			t.Errorf("%d audit rows of the download", n)
		}

		for _, target := range []string{"", "/ban-goc", "/loi.csv", "/ho-so/1", "/quy-tac/ID-016", "/tien-do"} {
			if w := stranger.get(t, h, "/giam-dinh/"+bad.ID+target); w.Code != 404 {
				t.Errorf("a stranger opens %s: %d", target, w.Code)
			}
			if w := (caller{trust.RoleDepartment, ""}).get(t, h, "/giam-dinh/"+bad.ID+target); w.Code != 403 {
				t.Errorf("the department opens %s: %d", target, w.Code)
			}
		}
		stranger.open(t, h, "/giam-dinh").want(".empty", "Chưa nhận được")
		for target, code := range map[string]int{
			"?trang-thai=x": 422, "?ngay=hom-qua": 422, "?truoc=-1": 400, "/" + bad.ID + "/ho-so/61": 404, "/" + bad.ID + "/ho-so/0": 404, "/" + bad.ID + "/quy-tac/NONE-1": 404,
			"/" + bad.ID + "?trang-thai=x": 422, "/da-gui": 404,
		} {
			if w := hospital.get(t, h, "/giam-dinh"+target); w.Code != code {
				t.Errorf("%s: %d, want %d", target, w.Code, code)
			}
		}
	})
}

// TestListPages: the list goes on by keyset and loses nothing.
func TestListPages(t *testing.T) {
	engines(t, func(t *testing.T, o sqlstore.Options) {
		b := open(t, o).run()
		for i := range 65 {
			b.send(bundle("20260410", visit(fmt.Sprint("LK", i), spoilt)))
		}
		b.Drain()
		h, seen := site(t, b), map[string]bool{}
		target, pages := "/giam-dinh?trang-thai=co-loi", 0
		for ; target != ""; pages++ {
			p := hospital.open(t, h, target)
			for _, a := range p.all(".claims-files tbody a") {
				seen[attr(a, "href")] = true
			}
			target = ""
			for _, a := range p.all(".pager a") {
				if attr(a, "rel") == "next" {
					target = attr(a, "href")
				}
			}
		}
		if len(seen) != 65 || pages != 3 {
			t.Errorf("%d files on %d pages", len(seen), pages)
		}
	})
}

// TestWaitingPage: while a file waits the page says how far it is, with a way to look again.
func TestWaitingPage(t *testing.T) {
	b := open(t, sqlstore.Options{Dir: t.TempDir(), Key: make([]byte, 32)}) // nothing runs
	rec := b.send(bundle("20260410", visit("LK1"), visit("LK2")))
	h := site(t, b)
	p := hospital.open(t, h, "/giam-dinh/"+rec.ID)
	p.want(".notice", "Đang xử lý", "Tải lại trang")
	if len(p.all("progress")) != 1 || len(p.all("script")) != 1 {
		t.Error("no bar, or no module that follows")
	}
	if w := hospital.get(t, h, "/giam-dinh/"+rec.ID+"/tien-do"); strings.TrimSpace(w.Body.String()) != `{"state":"waiting","percent":0}` {
		t.Errorf("%s", w.Body)
	}
	hospital.open(t, h, "/giam-dinh").want(".claims-files", "2 chờ xử lý")
}

// files makes a multipart form.
func files(t testing.TB, list ...[2]string) (contentType string, body *bytes.Buffer) {
	t.Helper()
	body = &bytes.Buffer{}
	w := multipart.NewWriter(body)
	for _, f := range list {
		p, err := w.CreateFormFile("tep", f[0])
		if err == nil {
			_, err = io.WriteString(p, f[1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return w.FormDataContentType(), body
}

// TestUpload: one file leads to its receipt, several to a list of them, none to a sentence.
func TestUpload(t *testing.T) {
	b := open(t, sqlstore.Options{Dir: t.TempDir(), Key: make([]byte, 32)}).run()
	h := site(t, b)
	form := hospital.open(t, h, "/giam-dinh/gui").all("form.claims-upload")
	if len(form) != 1 || attr(form[0], "enctype") != "multipart/form-data" || attr(form[0], "method") != "post" || attr(form[0], "action") != "/giam-dinh/gui" {
		t.Fatal("no plain form")
	}
	kind, body := files(t, [2]string{"một.xml", string(bundle("20260410", visit("LK1")))})
	w := hospital.do(t, h, "POST", "/giam-dinh/gui", kind, body)
	if w.Code != 303 {
		t.Fatalf("%d %.300s", w.Code, w.Body)
	}
	b.Drain()
	hospital.open(t, h, w.Header().Get("Location")).want("h1", "một.xml")

	kind, body = files(t, [2]string{"a.xml", string(bundle("20260410", visit("LK2")))}, [2]string{"b.xml", "no XML"}, [2]string{"", ""})
	w = hospital.do(t, h, "POST", "/giam-dinh/gui", kind, body)
	if w.Code != 303 {
		t.Fatalf("%d %.300s", w.Code, w.Body)
	}
	b.Drain()
	p := hospital.open(t, h, w.Header().Get("Location"))
	p.want(".claims-files", "a.xml", "b.xml", "1 đã ghi nhận", "Không nhận cả tệp")
	if w := stranger.get(t, h, w.Header().Get("Location")); w.Code != 404 {
		t.Errorf("a stranger sees the upload: %d", w.Code)
	}

	kind, body = files(t, [2]string{"", ""})
	if w = hospital.do(t, h, "POST", "/giam-dinh/gui", kind, body); w.Code != 422 {
		t.Errorf("nothing chosen: %d", w.Code)
	}
	parsed(t, w).want(".field-fault", "Bạn chưa chọn tệp nào")
	if w = hospital.do(t, h, "POST", "/giam-dinh/gui", "application/x-www-form-urlencoded", strings.NewReader("tep=1")); w.Code != 400 {
		t.Errorf("no multipart form: %d", w.Code)
	}

	kind, body = files(t, [2]string{"c.xml", string(bundle("20260410", visit("LK3")))}, [2]string{"d.xml", string(bundle("20260410", visit("LK4")))})
	w = hospital.do(t, h, "POST", "/giam-dinh/gui", kind, bytes.NewReader(body.Bytes()[:body.Len()-2000]))
	if w.Code != 400 {
		t.Errorf("broken off: %d", w.Code)
	}
	p = parsed(t, w)
	p.want(".notice", "d.xml", "đứt giữa chừng")
	p.want(".claims-files", "c.xml")
}

// TestScopes: a token does at the gateway no more than its scopes say, and a refusal has its audit row.
func TestScopes(t *testing.T) {
	b := open(t, sqlstore.Options{Dir: t.TempDir(), Key: bytes.Repeat([]byte{7}, 32)}).run()
	h := site(t, b)
	form := formOf(bundle("20260410", visit("LK1")))
	id := machine.post(t, h, "guiHoSoXmlQD3176", form).MaGiaoDich
	b.Drain()
	ask := func(scope, method, target string) int {
		r := httptest.NewRequest(method, target, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("X-Role", trust.RoleMachine)
		r.Header.Set("X-Facility", home)
		r.Header.Set("X-Scope", scope)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	for _, c := range []struct {
		scope             string
		send, look, byKey int
	}{
		{"system/*.cruds", 200, 200, 200},
		{"system/Claim.cu", 200, 403, 403},
		{"system/Claim.rs", 403, 200, 200},
		{"system/Claim.c", 403, 403, 403},
		{"system/Patient.cruds", 403, 403, 403},
	} {
		if got := ask(c.scope, "POST", "/api/qd130/guiHoSoXmlQD3176"); got != c.send {
			t.Errorf("%s sends: %d", c.scope, got)
		}
		if got := ask(c.scope, "GET", "/api/kcb/tra-cuu-trang-thai/"+id); got != c.look {
			t.Errorf("%s asks by number: %d", c.scope, got)
		}
		if got := ask(c.scope, "GET", "/api/kcb/tra-cuu-trang-thai?maLK=LK1"); got != c.byKey {
			t.Errorf("%s asks by key: %d", c.scope, got)
		}
	}
	if n := b.number(`SELECT COUNT(*) FROM audit WHERE action = 'claims.refused' AND outcome = 'forbidden'`); n != 9 {
		t.Errorf("%d refusals in the audit", n)
	}
	nowhere := caller{trust.RoleMachine, ""}
	if w := nowhere.get(t, h, "/api/kcb/tra-cuu-trang-thai/"+id); w.Code != 403 {
		t.Errorf("without a facility: %d", w.Code)
	}
}

// TestSeveralFiles: a form with two files, of which only one would be taken, is refused whole.
func TestSeveralFiles(t *testing.T) {
	b := open(t, sqlstore.Options{Dir: t.TempDir(), Key: bytes.Repeat([]byte{7}, 32)}).run()
	h := site(t, b)
	one := bundle("20260410", visit("LK1"))
	for _, name := range []string{"fileHSBase64", "maCSKCB", "loaiHoSo", "maTinh"} {
		form := formOf(one)
		form.Add(name, form.Get(name))
		if ans := machine.post(t, h, "guiHoSoXmlQD3176", form); ans.MaKetQua != "400" || ans.MaGiaoDich != "" {
			t.Errorf("%s twice: %+v", name, ans)
		}
	}
	if n := b.number(`SELECT COUNT(*) FROM claims_receipt`); n != 0 {
		t.Errorf("%d files were taken", n)
	}
}

// TestNoFormula: what a file held does not become a formula in a spreadsheet, however it parts cells.
func TestNoFormula(t *testing.T) {
	table, err := spreadsheet(t.Context(), []check.Finding{{MA_LK: "a\n=1+1;=2", Rule: "ID-001", VI: "=3"}, {MA_LK: "=4"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range regexp.MustCompile(`[,;\r\n"]+`).Split(string(table), -1) {
		if strings.HasPrefix(word, "=") {
			t.Errorf("%q in %s", word, table)
		}
	}
}

// TestSentences: every state, kind and lack has its words in both languages.
func TestSentences(t *testing.T) {
	c, err := i18n.Load(messages)
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, s := range hosoStates {
		keys = append(keys, "claims.count."+string(s), "claims.hoso."+string(s), "claims.note."+string(s))
		if hosoWords[s] == "" || hosoTones[s] == "" {
			t.Errorf("no words for %s", s)
		}
	}
	for f := range clauses {
		if f != "" {
			keys = append(keys, "claims.files."+f)
		}
	}
	for _, k := range []claim.Kind{claim.Claim, claim.CheckIn, claim.Assessment} {
		keys = append(keys, "claims.kind."+string(k))
	}
	for _, w := range []string{"signature", "facilities", "practitioners", "card_lookup", "history", "other_facility", "catalogue", "amount"} {
		keys = append(keys, "claims.want."+w)
	}
	for _, k := range keys {
		if !c.Has(k) {
			t.Errorf("no sentence %s", k)
		}
	}
}
