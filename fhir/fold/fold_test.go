package fold

import (
	"slices"
	"testing"

	"golang.org/x/text/unicode/norm"
)

func TestKeyMeets(t *testing.T) {
	for _, p := range [][2]string{
		{"Nguyễn Thị Đào", "nguyen thi dao"},
		{norm.NFD.String("Nguyễn Thị Đào"), "nguyen thi dao"},
		{"H'Hen Niê", "h hen nie"},
		{"  ĐẶNG   Văn-Ân ", "dang van an"},
		{"Ksor Blĕ", "ksor ble"},
		{"", ""},
		{"—", ""},
	} {
		if got := Key(p[0]); got != p[1] {
			t.Errorf("Key(%q) = %q, want %q", p[0], got, p[1])
		}
	}
}

func TestSortKeyIsDictionaryOrder(t *testing.T) {
	want := []string{"An", "Ánh", "Ăn", "Ân", "Bình", "Dung", "Đức", "Em", "Ên", "Oanh", "Ông", "Ơn", "Tu", "Tư"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, func(a, b string) int {
		switch ka, kb := SortKey(a), SortKey(b); {
		case ka < kb:
			return -1
		case ka > kb:
			return 1
		}
		return 0
	})
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
