package synth

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/ytso/ytso/vn/claim"
)

// writer writes one visit as a HOSO.
type writer struct {
	p        *Province
	g        *rand.Rand
	v        planned
	who      *Person
	kind     row
	facility row
	out      time.Time
	h        *claim.HOSO
	key      claim.Text // MA_LK
	doctor   claim.Text
	head     claim.Text
	insured  bool
}

func (p *Province) file(v planned) File {
	who := p.Person(v.person)
	k := load().kinds[v.kind]
	w := &writer{p: p, g: p.rng(streamVisit, v.person<<12|v.seq), v: v, who: who, kind: k, h: &claim.HOSO{Ordinal: 1}}
	w.facility = w.place()
	w.out = v.in.Add(time.Duration(70+w.g.IntN(50)) * time.Minute)
	if d := k.int("days"); d > 0 {
		w.out = time.Date(v.in.Year(), v.in.Month(), v.in.Day()+d, 10, w.g.IntN(60), 0, 0, v.in.Location())
	}
	if t := k["type"]; t == "02" || t == "05" || t == "07" { // a series ends with its last day (envelope.md §4)
		w.out = time.Date(v.in.Year(), v.in.Month(), v.in.Day(), 23, 59, 0, 0, v.in.Location())
	}
	w.key = claim.Text(fmt.Sprintf("%s.%07d.%04d", w.facility["code"], v.person+1, v.seq))
	w.doctor = claim.Text(fmt.Sprintf("%06d/PT-GPHN", 100+w.g.IntN(40)))
	w.head = claim.Text("0000" + w.facility["code"][3:] + "/PT-GPHN")
	w.insured = who.Card != "" && k["category"] != "uninsured"
	w.write()
	code := w.facility["code"]
	sent := w.out.Add(2 * time.Hour)
	return File{
		Name: fmt.Sprintf("%s_%s_%s.xml", sent.Format("20060102"), code, w.key), Facility: code, Sent: sent,
		Claim: &claim.File{
			Kind: claim.Claim, MACSKCB: code, NGAYLAP: sent.Format("20060102"), SOLUONGHOSO: "1", HOSO: []*claim.HOSO{w.h},
		},
	}
}

// place is where a kind of visit happens for this person.
func (w *writer) place() row {
	var fit []row
	for _, f := range load().facilities {
		if f["level"] == w.kind["level"] && (f["level"] != "station" || f["code"] == w.who.Station) {
			fit = append(fit, f)
		}
	}
	return fit[w.who.Index/4%len(fit)]
}

func (w *writer) write() {
	w.summary()
	w.services()
	w.drugs()
	w.results()
	w.notes()
	for _, n := range strings.Fields(w.kind["papers"]) {
		w.paper(n)
	}
	w.money()
}

func at[T ~string](t time.Time) T { return T(t.Format("200601021504")) }
func on[T ~string](t time.Time) T { return T(t.Format("20060102")) }

// category is MA_DOITUONG_KCB (codelists/ma_doituong_kcb.csv).
func (w *writer) category() claim.Text {
	switch {
	case !w.insured:
		return "9"
	case w.kind["category"] == "emergency":
		return "2"
	case w.kind["category"] == "newborn":
		return "1.7"
	case w.facility["code"] == w.who.Station:
		return "1.1"
	}
	return "1.3"
}

func (w *writer) summary() {
	who, k := w.who, w.kind
	x := w.h.Add(1).(*claim.XML1)
	*x = claim.XML1{
		MA_LK: w.key, STT: "1", MA_BN: claim.Text(who.patientNumber(w.facility["code"])), HO_TEN: claim.Text(who.Name), SO_CCCD: claim.Text(who.Number),
		NGAY_SINH: claim.BirthDate12(who.BirthText), GIOI_TINH: claim.Number(strconv.Itoa(who.Sex)), MA_QUOCTICH: claim.Text(who.Nation),
		MA_DANTOC: claim.Text(who.Ethnic), MA_NGHE_NGHIEP: claim.Text(who.Occupation), DIA_CHI: claim.Text(who.Address), MATINH_CU_TRU: "25",
		MAXA_CU_TRU: claim.Text(who.Commune), DIEN_THOAI: claim.Text(who.Phone), LY_DO_VV: claim.Text(k["reason"]), CHAN_DOAN_VAO: claim.Text(k["diagnosis"]),
		CHAN_DOAN_RV: claim.Text(k["diagnosis"]), MA_BENH_CHINH: claim.Text(k["icd"]), MA_BENH_KT: claim.Text(k["other"]), MA_DOITUONG_KCB: w.category(),
		NGAY_VAO: at[claim.Date12](w.v.in), NGAY_RA: at[claim.Date12](w.out), SO_NGAY_DTRI: claim.Number(strconv.Itoa(k.int("days") + 1)),
		PP_DIEU_TRI: "Nội khoa", KET_QUA_DTRI: "2", MA_LOAI_RV: "1", GHI_CHU: "Uống thuốc đúng liều; đến khám ngay khi nặng hơn",
		NGAY_TTOAN: at[claim.Date12](w.out.Add(-time.Minute)), NAM_QT: claim.Number(w.out.Format("2006")), THANG_QT: claim.Number(strconv.Itoa(int(w.out.Month()))),
		MA_LOAI_KCB: claim.Text(k["type"]), MA_KHOA: claim.Text(k["department"]), MA_CSKCB: claim.Text(w.facility["code"]),
		CAN_NANG: claim.Text(w.weight()), MA_HSBA: claim.Text(fmt.Sprintf("HS%s%04d", w.v.in.Format("060102"), w.who.Index%10000)), MA_TTDV: w.head,
	}
	if w.insured {
		x.MA_THE_BHYT, x.MA_DKBD = claim.Text(who.Card), claim.Text(who.Station)
		x.GT_THE_TU, x.GT_THE_DEN = on[claim.Date8List](time.Date(w.v.in.Year(), 1, 1, 0, 0, 0, 0, w.v.in.Location())), on[claim.Date8List](time.Date(w.v.in.Year()+1, 12, 31, 0, 0, 0, 0, w.v.in.Location()))
		if strings.HasPrefix(who.Card, "TE1") && who.Birth.Year() == w.v.in.Year() {
			x.GT_THE_TU = on[claim.Date8List](who.Birth)
		}
	}
	if x.MA_DOITUONG_KCB == "1.3" {
		x.MA_NOI_DI, x.GIAY_CHUYEN_TUYEN = claim.Text(who.Station), claim.Text(fmt.Sprintf("%d/%s", 1+w.g.IntN(900), w.v.in.Format("2006")))
	}
	if k.int("days") > 0 {
		x.NGAY_VAO_NOI_TRU, x.LY_DO_VNT = at[claim.Date12](w.v.in.Add(30*time.Minute)), "Cần theo dõi và điều trị nội trú"
	}
	w.outcome(x)
}

// outcome bends the summary where a kind of visit ends otherwise.
func (w *writer) outcome(x *claim.XML1) {
	switch w.v.kind {
	case "death":
		x.KET_QUA_DTRI = "5"
	case "refer":
		x.KET_QUA_DTRI, x.MA_LOAI_RV, x.MA_NOI_DEN = "4", "2", "25001"
	case "birth":
		x.CAN_NANG_CON = claim.Text(strconv.Itoa(2600 + w.g.IntN(12)*100))
	case "fracture":
		x.MA_TAI_NAN = "4"
	}
	if strings.Contains(" "+w.kind["papers"]+" ", " 14 ") {
		x.NGAY_TAI_KHAM = on[claim.Date8List](w.out.AddDate(0, 0, 28))
	}
}

// weight in kg, by age: a child grows, a grown person keeps theirs.
func (w *writer) weight() string {
	years := w.v.in.Sub(w.who.Birth).Hours() / 24 / 365.25
	kg := 48 + float64(w.who.Index%25)
	switch {
	case years < 1:
		kg = 3.2 + years*6
	case years < 16:
		kg = 9 + (years-1)*2.7
	}
	return strconv.FormatFloat(kg, 'f', 1, 64)
}

func (w *writer) services() {
	for _, id := range strings.Fields(w.kind["services"]) {
		s := load().services[id]
		qty := 1
		if s["group"] == "15" {
			qty = max(w.kind.int("days"), 1)
		}
		done := w.v.in.Add(time.Duration(10+5*len(w.h.XML3)) * time.Minute)
		*w.h.Add(3).(*claim.XML3) = claim.XML3{
			MA_LK: w.key, STT: claim.Number(strconv.Itoa(len(w.h.XML3))), MA_DICH_VU: claim.Text(s["code"]), MA_NHOM: claim.Number(s["group"]),
			TEN_DICH_VU: claim.Text(s["name"]), DON_VI_TINH: claim.Text(s["unit"]), PHAM_VI: "1", SO_LUONG: claim.Decimal(strconv.Itoa(qty)),
			DON_GIA_BV: claim.Decimal(s["price"]), DON_GIA_BH: claim.Decimal(s["price"]), TYLE_TT_DV: "100", TYLE_TT_BH: "100",
			MA_KHOA: claim.Text(w.kind["department"]), MA_BAC_SI: w.doctor, NGUOI_THUC_HIEN: w.doctor, NGAY_YL: at[claim.Date12](done.Add(-5 * time.Minute)),
			NGAY_TH_YL: at[claim.Date12](done), NGAY_KQ: at[claim.Date12](done.Add(20 * time.Minute)), MA_PTTT: "1", MA_MAY: claim.Text(s["machine"]),
		}
		if r := &w.h.XML3[len(w.h.XML3)-1]; s["group"] == "15" {
			r.MA_GIUONG, r.NGAY_KQ = claim.Text(fmt.Sprintf("H%03d", 1+w.g.IntN(60))), at[claim.Date12](w.out)
		}
	}
}

func (w *writer) drugs() {
	for _, item := range strings.Fields(w.kind["drugs"]) {
		id, n := amount(item)
		w.drug(load().drugs[id], n)
	}
	if w.v.story == "many-drugs" { // one stay with a line for each dose
		ids := []string{"FUR", "BIS", "SPI", "PAR", "OME"}
		for len(w.h.XML2) < 500 {
			w.drug(load().drugs[ids[len(w.h.XML2)%len(ids)]], 1)
		}
	}
}

func (w *writer) drug(d row, n int) {
	order := w.v.in.Add(time.Duration(25+len(w.h.XML2)/4) * time.Minute)
	*w.h.Add(2).(*claim.XML2) = claim.XML2{
		MA_LK: w.key, STT: claim.Number(strconv.Itoa(len(w.h.XML2))), MA_THUOC: claim.Text(d["code"]), MA_NHOM: "4", TEN_THUOC: claim.Text(d["name"]),
		DON_VI_TINH: claim.Text(d["unit"]), HAM_LUONG: claim.Text(d["strength"]), DUONG_DUNG: claim.Text(d["route"]), DANG_BAO_CHE: claim.Text(d["form"]),
		LIEU_DUNG: claim.Text(fmt.Sprintf("%s [%d %s]", d["dose"], n, strings.ToLower(d["unit"]))), CACH_DUNG: claim.Text(d["use"]),
		SO_DANG_KY: claim.Text(d["registration"]), TT_THAU: "12/QĐ-SYT;G1;N4;2025", PHAM_VI: "1", TYLE_TT_BH: "100",
		SO_LUONG: claim.Decimal(strconv.Itoa(n)), DON_GIA: claim.Decimal(d["price"]), MA_KHOA: claim.Text(w.kind["department"]), MA_BAC_SI: w.doctor,
		NGAY_YL: at[claim.Date12](order), MA_PTTT: "1", NGUON_CTRA: "1",
	}
	if w.kind.int("days") > 0 {
		w.h.XML2[len(w.h.XML2)-1].NGAY_TH_YL = at[claim.Date12](order.Add(15 * time.Minute))
	}
}

// results writes laboratory values, which move along a story, and the readings of pictures.
func (w *writer) results() {
	done := w.v.in.Add(50 * time.Minute)
	for _, item := range strings.Fields(w.kind["labs"]) {
		id, course, _ := strings.Cut(item, ":")
		a := load().analytes[id]
		*w.h.Add(4).(*claim.XML4) = claim.XML4{
			MA_LK: w.key, STT: claim.Number(strconv.Itoa(len(w.h.XML4))), MA_DICH_VU: claim.Text(load().services[a["service"]]["code"]), MA_CHI_SO: claim.Text(a["code"]),
			TEN_CHI_SO: claim.Text(a["name"]), GIA_TRI: claim.Text(w.value(a, course)), DON_VI_DO: claim.Text(a["unit"]), NGAY_KQ: at[claim.Date12](done), MA_BS_DOC_KQ: w.doctor,
		}
	}
	for _, s := range w.h.XML3 {
		if s.MA_NHOM == "2" || s.MA_NHOM == "3" {
			*w.h.Add(4).(*claim.XML4) = claim.XML4{
				MA_LK: w.key, STT: claim.Number(strconv.Itoa(len(w.h.XML4))), MA_DICH_VU: s.MA_DICH_VU, MO_TA: "Đã thực hiện đúng kỹ thuật; hình ảnh rõ",
				KET_LUAN: claim.Text("Phù hợp với chẩn đoán: " + w.kind["diagnosis"]), NGAY_KQ: s.NGAY_KQ, MA_BS_DOC_KQ: w.doctor,
			}
		}
	}
}

// value is the result of an analyte at this step, "from>to" over the story, with some scatter.
func (w *writer) value(a row, course string) string {
	fromText, toText, moves := strings.Cut(course, ">")
	from, err := strconv.ParseFloat(fromText, 64)
	if err != nil {
		panic("synth: labs " + course)
	}
	v := from
	if to, err := strconv.ParseFloat(toText, 64); moves && err == nil && w.v.steps > 1 {
		v += (to - from) * float64(w.v.step) / float64(w.v.steps-1)
	}
	sd, err := strconv.ParseFloat(a["sd"], 64)
	if err != nil {
		panic("synth: sd of " + a["id"])
	}
	v += w.g.NormFloat64() * sd / 3
	return strconv.FormatFloat(max(v, 0), 'f', a.int("places"), 64)
}

// vitals of somebody at a moment: an infant's heart and breath go faster, and
// nobody takes their blood pressure.
func (w *writer) vitals(t time.Time) string {
	pulse, temp := 72+w.g.IntN(24), 36.5+float64(w.g.IntN(12))/10
	if w.who.age(t) < 1 {
		return fmt.Sprintf("M%d_T%.1f_NT%d", pulse+50, 36.6+(temp-36.5)/2, 35+w.g.IntN(15))
	}
	return fmt.Sprintf("M%d_T%.1f_HA%d/%d", pulse, temp, 110+w.g.IntN(45), 65+w.g.IntN(25))
}

func (w *writer) notes() {
	for d := range max(w.kind.int("days"), 1) {
		t := w.v.in.Add(15*time.Minute).AddDate(0, 0, d)
		text := fmt.Sprintf("%s. CSST<%s>", w.kind["note"], w.vitals(t))
		*w.h.Add(5).(*claim.XML5) = claim.XML5{
			MA_LK: w.key, STT: claim.Number(strconv.Itoa(d + 1)), DIEN_BIEN_LS: claim.Text(text), THOI_DIEM_DBLS: at[claim.Date12](t), NGUOI_THUC_HIEN: w.doctor,
		}
	}
}
