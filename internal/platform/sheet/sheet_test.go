package sheet

import "testing"

func TestCell(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "LK1": "LK1", "25904.0000001.0002": "25904.0000001.0002", "1-2": "1-2", "Khám; cấp thuốc": "Khám; cấp thuốc",
		"=1+1": "'=1+1", "-1": "'-1", "+1": "'+1", "@x": "'@x", "＝1": "'＝1",
		" =1": "' =1", "\t=1": "' =1", "\ufeff=1": "'\ufeff=1", `"=1`: `'"=1`,
		"a\n=1": "a =1", "a\r\n=1;b": "a  =1;b", "a;=1": "a;'=1", "a; -1;@b": "a;' -1;'@b", "a;\n=1": "a;' =1", "\x00=1": "' =1",
	} {
		if got := Cell(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
