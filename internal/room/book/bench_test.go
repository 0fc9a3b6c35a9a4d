package book

import (
	"fmt"
	"testing"
	"time"

	"github.com/ytso/ytso/internal/platform/i18n"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// BenchmarkBook opens pages of people with many visits, each with three diagnoses, two medicines and three results.
func BenchmarkBook(b *testing.B) {
	for _, visits := range []int{300, 1000} {
		w := newWorld(b)
		var last, source string
		var waiting []element.Resource
		for i := range visits {
			day := time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC).AddDate(0, 0, -3*i)
			v := w.mapped(visitOfOne(fmt.Sprint("b", i), func(h *claim.HOSO) {
				x := h.XML1
				x.NGAY_VAO, x.NGAY_RA, x.MA_BENH_CHINH, x.MA_BENH_KT, x.LY_DO_VV = claim.Date12(day.Format("200601021504")), claim.Date12(day.Add(time.Hour).Format("200601021504")), "E11.9", "I10;E78.5", "Khám và lĩnh thuốc định kỳ"
				x.NGAY_TAI_KHAM, x.GHI_CHU = claim.Date8List(day.AddDate(0, 0, 28).Format("20060102")), "Uống thuốc đúng liều"
				h.XML2 = nil
				for k, name := range []string{"Metformin VD", "Gliclazid VD"} {
					*h.Add(2).(*claim.XML2) = claim.XML2{MA_LK: x.MA_LK, STT: claim.Number(fmt.Sprint(k + 1)), TEN_THUOC: claim.Text(name), SO_LUONG: "28", DON_VI_TINH: "Viên", LIEU_DUNG: "1 viên/lần x 1 lần/ngày [28 viên]", NGAY_YL: x.NGAY_VAO, THANH_TIEN_BV: "1000", T_BHTT: "1000"}
				}
				for k, code := range []string{"GLUCOSE", "HBA1C", "CREATININ"} {
					*h.Add(4).(*claim.XML4) = claim.XML4{MA_LK: x.MA_LK, STT: claim.Number(fmt.Sprint(k + 1)), MA_DICH_VU: claim.Text(fmt.Sprintf("23.%04d", k)), MA_CHI_SO: claim.Text(code), TEN_CHI_SO: claim.Text(code), GIA_TRI: "6.1", DON_VI_DO: "mmol/L", NGAY_KQ: x.NGAY_VAO}
				}
			}), "25901")
			if i == 0 {
				last = v.Encounter
			}
			source = v.Patient.ID
			if waiting = append(waiting, resources(v)...); len(waiting) > 1000 || i == visits-1 {
				w.put("25901", waiting...)
				waiting = nil
			}
		}
		w.golden("p", `,"name":[{"text":"Người Ví Dụ"}],"gender":"male","birthDate":"1960-05-01"`, source)
		for _, page := range []struct{ name, path string }{
			{"front", "/so"}, {"older", "/so?nam=2025"}, {"search", "/so?tim=metformin"}, {"visit", "/so/lan-kham/" + last}, {"results", "/so/ket-qua"},
			{"trend", "/so/ket-qua/HBA1C"}, {"medicines", "/so/thuoc"}, {"costs", "/so/chi-phi"},
		} {
			b.Run(fmt.Sprintf("%s/%d", page.name, visits), func(b *testing.B) {
				size := 0
				for b.Loop() {
					rec, err := w.ask("p", page.path, i18n.VI)
					if err != nil {
						b.Fatal(err)
					}
					size = rec.Body.Len()
				}
				b.ReportMetric(float64(size)/1024, "KiB/page")
			})
		}
	}
}
