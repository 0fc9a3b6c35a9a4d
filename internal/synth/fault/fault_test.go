package fault

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"testing"
)

// plain is a file with every field that a kind edits.
func plain() []byte {
	part := func(name, body string) string {
		return fmt.Sprintf("<FILEHOSO><LOAIHOSO>%s</LOAIHOSO><NOIDUNGFILE>%s</NOIDUNGFILE></FILEHOSO>", name, base64.StdEncoding.EncodeToString([]byte(body)))
	}
	return []byte("<GIAMDINHHS><THONGTINDONVI><MACSKCB>25901</MACSKCB></THONGTINDONVI><THONGTINHOSO><NGAYLAP>20260101</NGAYLAP><SOLUONGHOSO>1</SOLUONGHOSO><DANHSACHHOSO><HOSO>" +
		part("XML1", "<TONG_HOP><MA_LK>1</MA_LK><MA_BN>B1</MA_BN><HO_TEN>Ví Dụ</HO_TEN></TONG_HOP>") +
		part("XML2", "<A><MA_LK>1</MA_LK><SO_LUONG>2</SO_LUONG><SO_LUONG>3</SO_LUONG></A>") +
		"</HOSO></DANHSACHHOSO></THONGTINHOSO><CHUKYDONVI></CHUKYDONVI></GIAMDINHHS>")
}

// TestPlantedIsThere: a fault changes the bytes, the same seed the same way,
// and what is said of it stands in the file.
func TestPlantedIsThere(t *testing.T) {
	planted := 0
	for _, k := range Kinds {
		a, what, ok := Plant(k, 7, plain())
		if !ok {
			continue
		}
		planted++
		if bytes.Equal(a, plain()) {
			t.Errorf("%s changed nothing", k.Name)
		}
		if b, _, _ := Plant(k, 7, plain()); !bytes.Equal(a, b) {
			t.Errorf("%s is not the same twice", k.Name)
		}
		if what.Kind != k.Name || what.Table == "" {
			t.Errorf("%s: %+v", k.Name, what)
		}
	}
	if planted < 10 {
		t.Errorf("only %d kinds could be planted", planted)
	}
	k := Kind{Name: "x", edit: set("XML2", "SO_LUONG", func(s string) bool { return s == "3" }, to("4"))}
	_, what, ok := Plant(k, 1, plain())
	if want := (Planted{"x", "XML2", 2, "SO_LUONG", "3", "4"}); !ok || what != want {
		t.Errorf("%+v, want %+v", what, want)
	}
}

// TestKinds: at least 40 kinds of fault, each named once, each with what should be said of it.
func TestKinds(t *testing.T) {
	seen, faults := map[string]bool{}, 0
	for _, k := range Kinds {
		if seen[k.Name] || k.Words == "" {
			t.Errorf("%s stands twice or has no words", k.Name)
		}
		seen[k.Name] = true
		if len(k.Expect) > 0 || k.Whole != "" {
			faults++
		}
	}
	if faults < 40 {
		t.Errorf("%d kinds of fault, want at least 40", faults)
	}
}
