package i18n

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

// set is one room's messages.
func set(vi, en string) fs.FS {
	return fstest.MapFS{"vi.json": {Data: []byte(vi)}, "en.json": {Data: []byte(en)}}
}

func TestT(t *testing.T) {
	c, err := Load(
		set(`{"a.hello": "Xin chào {name}, {n} lượt khám", "a.plain": "Sổ"}`, `{"a.hello": "Hello {name}, {n} visits", "a.plain": "Book"}`),
		set(`{"b.twice": "{x} và {x}"}`, `{"b.twice": "{x} and {x}"}`))
	if err != nil {
		t.Fatal(err)
	}
	vi, en := c.Bind(t.Context(), VI), c.Bind(t.Context(), EN)
	for _, x := range []struct{ got, want string }{
		{T(vi, "a.hello", "name", "Lan", "n", "3"), "Xin chào Lan, 3 lượt khám"},
		{T(en, "a.hello", "n", "3", "name", "Lan"), "Hello Lan, 3 visits"},
		{T(en, "a.hello", "name", "{n}", "n", "3"), "Hello {n}, 3 visits"}, // a value is no pattern
		{T(vi, "a.plain"), "Sổ"},
		{T(vi, "b.twice", "x", "1"), "1 và 1"},
		{T(vi, "b.twice", "x"), "{x} và {x}"}, // a hole without value is seen
		{T(vi, "a.missing"), "a.missing"},
		{T(t.Context(), "a.plain"), "a.plain"},
		{T((&Catalogue{}).Bind(t.Context(), VI), "a.plain"), "a.plain"},
		{Pick(vi, "câu", "sentence"), "câu"},
		{Pick(en, "câu", "sentence"), "sentence"},
		{Pick(en, "câu", ""), "câu"},
		{string(Of(t.Context())), "vi"},
		{string(Of(en)), "en"},
	} {
		if x.got != x.want {
			t.Errorf("%q, want %q", x.got, x.want)
		}
	}
	if !c.Has("a.plain") || c.Has("a.missing") {
		t.Error("Has is wrong")
	}
}

func TestLoadRefuses(t *testing.T) {
	for _, c := range []struct {
		sets []fs.FS
		want string
	}{
		{[]fs.FS{set(`{"a": "1"}`, `{}`)}, "a has no English"},
		{[]fs.FS{set(`{}`, `{"a": "1"}`)}, "a has no Vietnamese"},
		{[]fs.FS{set(`{"a": "{x}"}`, `{"a": "{y}"}`)}, "a has other {holes}"},
		{[]fs.FS{set(`{"a": "{x}"}`, `{"a": "x"}`)}, "a has other {holes}"},
		{[]fs.FS{set(`{"a": "1"}`, `{"a": "1"}`), set(`{"a": "2"}`, `{"a": "2"}`)}, "a stands twice"},
		{[]fs.FS{set(`{"a": "1", "a": "2"}`, `{"a": "1"}`)}, "a stands twice"},
		{[]fs.FS{set(`{"a": " "}`, `{"a": "1"}`)}, "a is empty"},
		{[]fs.FS{set(`{"a": "{x"}`, `{"a": "{x"}`)}, "open hole"},
		{[]fs.FS{set(`{"a": 1}`, `{"a": "1"}`)}, "vi.json: message a"},
		{[]fs.FS{set(`{"a": "1"`, `{"a": "1"}`)}, "vi.json"},
		{[]fs.FS{set(`["a"]`, `{"a": "1"}`)}, "vi.json"},
		{[]fs.FS{fstest.MapFS{"vi.json": {Data: []byte(`{}`)}}}, "en.json"},
	} {
		if _, err := Load(c.sets...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.want, err)
		}
	}
}
