package claim

import "strings"

// replaced are fields of 4750 that 3176 gave another name (tables_legacy.csv).
// The value is read into the new field and kept under the old name as well.
var replaced = map[string]map[string]string{
	"XML13": {"MA_NOI_DI": "MA_CSKCB_DI", "MA_NOI_DEN": "MA_CSKCB_DEN", "PP_DIEU_TRI": "TINH_TRANG_CT"},
}

// adopt fills new fields from replaced ones where the new one is blank.
func adopt(rec Record) {
	names := replaced[rec.Table().Name]
	for _, x := range rec.Rest().Extra {
		at := fieldAt(rec.Table(), names[x.Name], 0)
		if at >= 0 && rec.Get(at) == "" {
			rec.Set(at, strings.TrimSpace(x.Text))
		}
	}
}

// is4210 tells the format of 2017 by its bare lists as inner roots and by its
// one field for the card (envelope.md §7).
func (f *File) is4210() bool {
	for _, h := range f.HOSO {
		for _, p := range h.Problems {
			if p.Code == WrongRoot && strings.HasPrefix(p.Value, "DSACH_CHI_TIET") {
				return true
			}
		}
		if h.XML1 == nil {
			continue
		}
		for _, x := range h.XML1.rest.Extra {
			if x.Name == "MA_THE" {
				return true
			}
		}
	}
	return false
}

// Release tells which decision's forms a file follows, as far as it shows: by
// legacy fields first, else by the day each visit ended (releases.csv).
func (f *File) Release() Release {
	last := ""
	for _, h := range f.HOSO {
		for i := range h.XML13 {
			for _, x := range h.XML13[i].rest.Extra {
				if replaced["XML13"][x.Name] != "" {
					return QD4750
				}
			}
		}
		if h.XML1 != nil {
			last = max(last, strings.TrimSpace(string(h.XML1.NGAY_RA)))
		}
	}
	switch {
	case last == "" || last >= "20260701":
		return QD1931
	case last >= "20250101":
		return QD3176
	case last >= "20240101":
		return QD4750
	}
	return QD130
}
