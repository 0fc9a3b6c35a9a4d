package ui

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/internal/platform/i18n"
)

// bound is a context as a page gets it.
func bound(t *testing.T, l i18n.Lang) context.Context {
	t.Helper()
	c, err := i18n.Load(Messages())
	if err != nil {
		t.Fatal(err)
	}
	a, err := NewAssets("1.2.3", Dress{Name: "look", Style: ".look-none { color: var(--ink); }"})
	if err != nil {
		t.Fatal(err)
	}
	return a.Bind(c.Bind(t.Context(), l))
}

func render(t *testing.T, ctx context.Context, c templ.Component) string {
	t.Helper()
	var b bytes.Buffer
	if err := c.Render(ctx, &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// all puts components one after the other.
func all(list ...templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		for _, c := range list {
			if err := c.Render(ctx, w); err != nil {
				return err
			}
		}
		return nil
	})
}

// in puts children into a component that has room for them.
func in(outer templ.Component, list ...templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return outer.Render(templ.WithChildren(ctx, all(list...)), w)
	})
}

func month(y, m int) int64 { return time.Date(y, time.Month(m), 12, 2, 0, 0, 0, time.UTC).UnixMilli() }

// hba1c is an invented course.
func hba1c() Line {
	l := Line{Title: "HbA1c", Unit: "%", Low: math.NaN(), High: 6.5}
	for i, v := range []float64{9.1, 8.4, 7.9, 7.2, 6.8, 6.4} {
		l.Points = append(l.Points, Point{month(2024, 3+4*i), v, fmt.Sprintf("12/%02d/%d: %s %%", (2+4*i)%12+1, 2024+(2+4*i)/12, Number3(fmt.Sprint(v)))})
	}
	return l
}

func glucose() Line {
	l := Line{Title: "Glucose máu lúc đói", Unit: "mmol/L", Low: 3.9, High: 6.4}
	for i := range 60 {
		v := 6.1 + math.Sin(float64(i)/4)*1.4 + float64(i%7)/10
		l.Points = append(l.Points, Point{month(2021, 1+i), v, fmt.Sprintf("%d: %.1f mmol/L", i, v)})
	}
	return l
}

func citizen() Viewer {
	return Viewer{Name: "Nguyễn Thị Lan", Role: "Công dân", Nav: []Tab{
		{Link{"/so", "Sổ sức khỏe"}, true}, {Link{"/so/thuoc", "Thuốc"}, false}, {Link{"/so/ket-qua", "Kết quả"}, false}, {Link{"/so/giay-to", "Giấy tờ"}, false}, {Link{"/so/nguoi-xem", "Ai đã xem"}, false},
	}}
}

func officer() Viewer {
	return Viewer{Name: "Trần Văn Hòa", Role: "Sở Y tế", Nav: []Tab{
		{Link{"/dieu-hanh", "Điều hành"}, true}, {Link{"/giam-dinh", "Hồ sơ giám định"}, false}, {Link{"/quan-tri", "Quản trị"}, false},
	}}
}

type page struct {
	name string
	v    Viewer
	c    templ.Component
}

// gallery shows every component with invented content.
func gallery() []page {
	return []page{
		{"so", citizen(), bookPage()},
		{"luot", citizen(), visitPage()},
		{"dieu-hanh", officer(), provincePage()},
		{"gui", officer(), formPage()},
		{"cua", Viewer{}, doorPage()},
		{"loi", citizen(), ErrorPage(outcome.New(outcome.NotFound, "x", "Không có trang nào ở địa chỉ này. Xin kiểm tra lại địa chỉ hoặc về trang đầu.", "There is no page at this address. Please check the address or go to the first page."), "K7QD-2MXA-PB4E-77QH")},
	}
}

func bookPage() templ.Component {
	return in(Page(Frame{Title: "Sổ sức khỏe của tôi", Lead: "Mọi lần khám, thuốc và kết quả của cô Lan, từ các bệnh viện và trạm y tế trong tỉnh.", Reading: true}),
		in(Card("toi", "Tôi"), Facts([]Fact{{"Họ và tên", "Nguyễn Thị Lan", ""}, {"Ngày sinh", "12/05/1962 (64 tuổi)", ""}, {"Thẻ bảo hiểm y tế", "Còn hạn đến 31/12/2026", ""}, {"Nơi đăng ký khám ban đầu", "Trạm Y tế xã Ea Kao", "/co-so"}, {"Trống", "", ""}})),
		Notice(Warn, "Có một kết quả cần hỏi bác sĩ", "HbA1c ngày 12/03/2026 cao hơn khoảng bình thường."),
		in(Card("", "Thuốc đang dùng"), Rows([]Row{
			{Name: "Metformin 500 mg", Note: "Uống sáng 1 viên, chiều 1 viên, sau ăn", Href: "/so/thuoc/1", Tag: Tag{Good, "còn 12 ngày"}},
			{Name: "Amlodipin 5 mg", Note: "Uống sáng 1 viên", Href: "/so/thuoc/2", Tag: Tag{Warn, "còn 2 ngày"}},
			{Name: "Atorvastatin 20 mg", Note: "Uống tối 1 viên", Value: "30 viên"},
		})),
		in(Card("", "Kết quả theo thời gian"), Chart(hba1c())),
		TimeLine([]Year{
			{"2026", []Entry{
				{Date: "12/03/2026", Title: "Đái tháo đường típ 2", Place: "Bệnh viện Đa khoa vùng Tây Nguyên", Text: "Khám ngoại trú · 4 thuốc · 6 kết quả", Tags: []Tag{{Warn, "1 kết quả ngoài khoảng"}, {Calm, "Có hẹn tái khám"}}, Href: "/so/1"},
				{Date: "03/02/2026", Title: "Tăng huyết áp vô căn (nguyên phát)", Place: "Trạm Y tế xã Ea Kao", Text: "Khám ngoại trú · 2 thuốc", Href: "/so/2"},
			}},
			{"2025", []Entry{
				{Date: "20/11/2025 – 27/11/2025", Title: "Viêm phổi, tác nhân không xác định", Place: "Bệnh viện Đa khoa tỉnh", Text: "Nội trú 7 ngày · 11 thuốc · 23 kết quả", Tags: []Tag{{Good, "Ra viện, đỡ"}}, Href: "/so/3"},
				{Date: "02/09/2025", Title: "Tiêm chủng: cúm mùa", Place: "Trạm Y tế xã Ea Kao"},
			}},
		}),
		in(Card("", ""), Empty("Chưa có giấy tờ", "Giấy ra viện, giấy nghỉ việc hưởng BHXH sẽ hiện ở đây khi cơ sở khám chữa bệnh gửi lên.")),
		Pager(Link{"/so?truoc=1", "Mới hơn"}, Link{"/so?sau=1", "Cũ hơn"}),
	)
}

func visitPage() templ.Component {
	result := func(v, tone, word string) []templ.Component {
		return []templ.Component{Text(v), Badge(Tone(tone), word)}
	}
	rows := [][]templ.Component{}
	for _, r := range [][5]string{
		{"Glucose máu lúc đói", "8,2 mmol/L", "3,9 – 6,4", "warn", "cao hơn"}, {"HbA1c", "7,2 %", "đến 6,5", "warn", "cao hơn"},
		{"Creatinin", "72 µmol/L", "44 – 80", "good", "trong khoảng"}, {"Kali", "6,4 mmol/L", "3,5 – 5,1", "bad", "rất cao"},
	} {
		rows = append(rows, append([]templ.Component{Text(r[0])}, append(result(r[1], r[3], r[4])[:1], Text(r[2]), result(r[1], r[3], r[4])[1])...))
	}
	return in(Page(Frame{Title: "Khám ngày 12/03/2026", Lead: "Bệnh viện Đa khoa vùng Tây Nguyên", Back: Link{"/so", "Sổ sức khỏe"}, Reading: true}),
		in(Card("", "Kết quả xét nghiệm"), Table(Grid{Caption: "Hóa sinh máu", Columns: []Column{{"Xét nghiệm", false}, {"Kết quả", true}, {"Bình thường", true}, {"So với bình thường", false}}, Rows: rows}),
			Chart(glucose()), Spark(hba1c())),
		in(Card("", "Ai trả tiền"), Table(Grid{Columns: []Column{{"Khoản", false}, {"Số tiền", true}}, Rows: [][]templ.Component{
			{Text("Quỹ bảo hiểm y tế"), Text("1.234.500 ₫")}, {Text("Tôi cùng chi trả"), Text("308.625 ₫")}, {Text("Tổng chi phí"), Text("1.543.125 ₫")},
		}})),
		in(More("Nguồn của trang này"), Text("Hồ sơ 2503… gửi ngày 13/03/2026 08:15.")))
}

func provincePage() templ.Component {
	months := Count{Title: "Lượt khám theo tháng", Upright: true}
	for i := range 12 {
		months.Bars = append(months.Bars, Bar{Name: fmt.Sprintf("%02d/2026", i+1), Short: fmt.Sprintf("T%d", i+1), Value: float64(820 + (i*i*37)%400), Href: "/dieu-hanh/danh-sach?thang=" + fmt.Sprint(i+1)})
	}
	few := Count{Upright: true, Bars: []Bar{{Name: "Quý 1", Value: 1200, Text: "1.200", Href: "#1"}, {Name: "Quý 2", Value: 1420, Text: "1.420", Href: "#2"}, {Name: "Quý 3", Value: 0, Href: "#3"}}}
	places := Count{Bars: []Bar{
		{Name: "Bệnh viện Đa khoa vùng Tây Nguyên", Value: 4210, Text: "4.210", Note: "48 %", Href: "#a"}, {Name: "Bệnh viện Đa khoa tỉnh", Value: 2810, Text: "2.810", Note: "32 %", Href: "#b"}, {Name: "Trạm Y tế xã Ea Kao", Value: 96, Note: "1 %", Href: "#c"},
	}}
	rows := [][]templ.Component{}
	for i, n := range []string{"Bệnh viện Đa khoa vùng Tây Nguyên", "Trạm Y tế xã Ea Kao", "Trung tâm Y tế Buôn Hồ"} {
		state := []templ.Component{Badge(Good, "Đã nhận đủ"), Badge(Warn, "12 hồ sơ cần sửa"), Badge(Bad, "Từ chối cả tệp")}[i]
		rows = append(rows, []templ.Component{Text("20260312-00" + fmt.Sprint(i)), Text(n), Text("12/03/2026 08:15"), Text("1.234"), state})
	}
	return in(Page(Frame{Title: "Điều hành", Lead: "Lượt khám và số người có sổ, tính từ hồ sơ các cơ sở đã gửi. Mỗi con số mở ra danh sách phía sau."}),
		in(Filters("/dieu-hanh", "Xem"), Field(Input{Name: "tu", Label: "Từ ngày", Type: "date", Value: "2026-01-01"}), Field(Input{Name: "den", Label: "Đến ngày", Type: "date", Value: "2026-03-31"}), Select(Input{Name: "co-so", Label: "Cơ sở", Optional: true}, []Option{{"", "Tất cả", ""}, {"1", "Bệnh viện Đa khoa tỉnh", ""}})),
		in(Figures(), Figure(Number{"Lượt khám", "12.480", "tháng 3 năm 2026", "/x"}), Figure(Number{"Người có sổ", "8.214", "+ 312 so với tháng trước", "/y"}), Figure(Number{"Chi phí quỹ trả", "2,31 tỷ ₫", "", ""})),
		in(Deck(), in(Card("", "Theo tháng"), Bars(months)), in(Card("", "Theo quý"), Bars(few))),
		in(Card("", "Theo cơ sở"), Bars(places)),
		in(Card("", "Tệp đã nhận"), Table(Grid{Caption: "Tệp mới nhất", Columns: []Column{{"Mã giao dịch", false}, {"Cơ sở", false}, {"Nhận lúc", false}, {"Hồ sơ", true}, {"Trạng thái", false}}, Rows: rows})),
		Notice(Calm, "Số liệu đang được cập nhật", "Lần tính gần nhất: 08:15 12/03/2026."),
		Notice(Good, "Đã nhận đủ hồ sơ tháng 2", ""),
		Notice(Bad, "Ba cơ sở chưa gửi hồ sơ", "Hạn gửi là ngày 05 hằng tháng."),
	)
}

func formPage() templ.Component {
	wrong := Input{Name: "so", Label: "Số định danh cá nhân", Hint: "12 chữ số, in ở mặt trước thẻ căn cước.", Fault: "Số này chỉ có 11 chữ số. Xin nhập đủ 12 chữ số.", Value: "00123456789", Short: true, More: templ.Attributes{"inputmode": "numeric", "autocomplete": "off"}}
	form := templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		io.WriteString(w, `<form class="form" method="post" action="/x">`)
		err := all(Faults(wrong), Field(wrong),
			Field(Input{Name: "ten", Label: "Họ và tên", Value: "Đặng Thị Ngọc Ẩn"}),
			Area(Input{Name: "ghi", Label: "Ghi chú", Optional: true}),
			Select(Input{Name: "gioi", Label: "Giới tính", Short: true}, []Option{{"1", "Nam", ""}, {"2", "Nữ", ""}}),
			Radios(Input{Name: "cach", Label: "Nhận kết quả bằng", Value: "a"}, []Option{{"a", "Điện thoại", "Miễn phí"}, {"b", "Giấy", ""}}),
			Check("dong-y", Option{"1", "Tôi đồng ý", ""}, true),
			in(Buttons(), Submit("Gửi hồ sơ"), templ.Raw(`<a class="button" href="/">Thôi</a><button class="danger">Xóa</button><button disabled>Đang gửi</button>`)),
		).Render(ctx, w)
		io.WriteString(w, `</form>`)
		return err
	})
	return in(Page(Frame{Title: "Gửi hồ sơ giám định", Back: Link{"/giam-dinh", "Hồ sơ giám định"}, Script: []string{HTMX}}),
		in(Card("", "Chọn tệp"), Drop(Upload{Name: "tep", Label: "Chọn tệp hồ sơ XML", Hint: "Tệp GIAMDINHHS theo Quyết định 3176, tối đa 64 MB. Có thể chọn nhiều tệp.", Accept: ".xml", Many: true})),
		in(Card("", "Tiến độ"), Progress("Đang đọc 1.234 hồ sơ", 42),
			Steps([]Step{{"Nhận tệp", "12/03/2026 08:15, 1.234 hồ sơ", Done, "/x"}, {"Kiểm tra", "42 % đã xong", Now, ""}, {"Ghi vào sổ", "", Next, ""}, {"Trả kết quả", "3 hồ sơ bị từ chối", Wrong, ""}})),
		in(Card("", "Thông tin người bệnh"), form))
}

func doorPage() templ.Component {
	return in(Page(Frame{Title: "Y Tế Số", Lead: "Sổ sức khỏe điện tử của người dân trong tỉnh. Một lần ghi, mọi sổ đều có.", Reading: true}),
		Notice(Calm, "Đây là bản trình diễn", "Mọi người và mọi hồ sơ ở đây đều do máy đặt ra."),
		Progress("Tỉnh mẫu đang chảy vào: 212 trên 300 người", 71),
		templ.Raw(`<h2>Đi một vòng</h2>`),
		Tour([]Stop{
			{"Người dân", "Sổ của cô Lan", "Đái tháo đường từ 2024, HbA1c giảm dần. Xem thuốc, kết quả, ai trả tiền.", "/vao/1", "Mở sổ"},
			{"Bác sĩ", "Bàn khám", "Một trang trên máy tính bảng: bệnh nền, dị ứng, thuốc đang dùng.", "/vao/2", "Vào bàn khám"},
			{"Bệnh viện", "Hồ sơ giám định", "Gửi một tệp, xem từng lỗi và cách sửa.", "/vao/3", "Xem hồ sơ"},
			{"Sở Y tế", "Điều hành", "Mỗi con số mở ra đúng những dòng phía sau.", "/vao/4", "Xem số liệu"},
		}))
}

// TestLook renders the gallery and holds each page against what the strict
// Content-Security-Policy and a screen reader need. With YTSO_LOOK=DIR it is
// left there, to be opened in a browser.
func TestLook(t *testing.T) {
	dir := os.Getenv("YTSO_LOOK")
	for _, l := range []i18n.Lang{i18n.VI, i18n.EN} {
		ctx := bound(t, l)
		for _, p := range gallery() {
			html := render(t, WithViewer(ctx, p.v), p.c)
			sound(t, p.name+" "+string(l), html)
			if dir != "" && l == i18n.VI {
				leave(t, filepath.Join(dir, p.name+".html"), []byte(strings.ReplaceAll(html, `"/static/`, `"static/`)))
			}
		}
		if dir != "" {
			for path, b := range assetsOf(ctx).tree {
				leave(t, filepath.Join(dir, "static", path), bytes.ReplaceAll(b, []byte("url(/static/"), []byte("url(")))
			}
		}
	}
}

var (
	attribute = regexp.MustCompile(`<[a-z][^>]*\s(style|on[a-z]+)=`)
	inline    = regexp.MustCompile(`<style|<script(?:[^>]*)>[^<]`)
	idAttr    = regexp.MustCompile(`\sid="([^"]*)"`)
	forAttr   = regexp.MustCompile(`\s(?:for|aria-describedby)="([^"]*)"`)
	keyLeft   = regexp.MustCompile(`\bui\.[a-z-]+`)
)

// sound checks what must hold of every page.
func sound(t *testing.T, name, html string) {
	t.Helper()
	if m := attribute.FindString(html); m != "" {
		t.Errorf("%s: the policy of the page forbids %s", name, m)
	}
	if m := inline.FindString(html); m != "" {
		t.Errorf("%s: the policy of the page forbids %s", name, m)
	}
	var ids []string
	for _, m := range idAttr.FindAllStringSubmatch(html, -1) {
		if m[1] == "" || slices.Contains(ids, m[1]) {
			t.Errorf("%s: id %q is empty or stands twice", name, m[1])
		}
		ids = append(ids, m[1])
	}
	for _, m := range forAttr.FindAllStringSubmatch(html, -1) {
		for id := range strings.FieldsSeq(m[1]) {
			if !slices.Contains(ids, id) {
				t.Errorf("%s: nothing has the id %q", name, id)
			}
		}
	}
	if m := keyLeft.FindString(html); m != "" {
		t.Errorf("%s: message %s is missing", name, m)
	}
	if strings.Count(html, "<h1>") != 1 || strings.Count(html, "<main ") != 1 || !strings.Contains(html, `<html lang="`) {
		t.Errorf("%s: not one h1, one main, one language", name)
	}
	for _, bad := range []string{"NaN", "Inf", `href=""`, `class=""`, "%!"} {
		if strings.Contains(html, bad) {
			t.Errorf("%s: holds %s", name, bad)
		}
	}
}

func leave(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}
