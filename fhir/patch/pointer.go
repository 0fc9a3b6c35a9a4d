package patch

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ytso/ytso/fhir/r4"
)

// pointer is a JSON Pointer (RFC 6901), unescaped.
type pointer []string

func parsePointer(s string) (pointer, error) {
	if s == "" {
		return nil, nil
	}
	bad := malformed("Đường dẫn không phải JSON Pointer.", "The path is no JSON Pointer.")
	if s[0] != '/' || len(s) > 4096 {
		return nil, bad
	}
	p := pointer(strings.Split(s[1:], "/"))
	if len(p) > r4.MaxDepth {
		return nil, bad
	}
	for i, token := range p {
		for j := range len(token) {
			if token[j] == '~' && (j+1 == len(token) || token[j+1] != '0' && token[j+1] != '1') {
				return nil, bad
			}
		}
		p[i] = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~") // in this order: RFC 6901 §4
	}
	return p, nil
}

// within says whether p is inside of q, and not q itself.
func (p pointer) within(q pointer) bool {
	if len(p) <= len(q) {
		return false
	}
	for i := range q {
		if p[i] != q[i] {
			return false
		}
	}
	return true
}

// absent is the error of a path that leads nowhere.
func (p pointer) absent() error {
	return unfit("path", "Tài nguyên không có chỗ mà đường dẫn của bản vá nói tới.", "The resource has no such place as the path of the patch names.")
}

// index reads an array index; "-" is behind the last item (RFC 6901 §4).
func index(token string, count int) (int, bool) {
	if token == "-" {
		return count, true
	}
	if token == "" || len(token) > 1 && token[0] == '0' || len(token) > 6 {
		return 0, false
	}
	for i := range len(token) {
		if token[i] < '0' || token[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.Atoi(token)
	return n, err == nil
}

// step goes into one member or item, nil when there is none.
func (v *value) step(token string) *value {
	switch v.opens {
	case '{':
		return v.get(token)
	case '[':
		v.look()
		if i, ok := index(token, len(v.items)); ok && i < len(v.items) {
			return v.items[i]
		}
	}
	return nil
}

// follow finds the value at p; change tells every value on the way that it will not stay as it was read.
func (v *value) follow(p pointer, change bool) (*value, error) {
	for _, token := range p {
		next := v.step(token)
		if next == nil {
			return nil, p.absent()
		}
		if change {
			v.touch()
		}
		v = next
	}
	return v, nil
}

// removeAt takes out the value at p.
func (v *value) removeAt(p pointer) (*value, error) {
	if len(p) == 0 {
		return nil, unfit("root", "Không được xoá cả tài nguyên bằng bản vá.", "A patch can't remove the whole resource.")
	}
	in, err := v.follow(p[:len(p)-1], true)
	if err != nil {
		return nil, err
	}
	i := -1
	switch last := p[len(p)-1]; in.opens {
	case '{':
		i = in.find(last)
	case '[':
		in.look()
		if n, ok := index(last, len(in.items)); ok && n < len(in.items) {
			i = n
		}
	}
	if i < 0 {
		return nil, p.absent()
	}
	return in.cut(i), nil
}

// addAt puts a value to p: into an array before the item there, over the member that is there (RFC 6902 §4.1).
func (v *value) addAt(p pointer, to *value) error {
	if len(p) == 0 {
		*v = *to
		return nil
	}
	in, err := v.follow(p[:len(p)-1], true)
	if err != nil {
		return err
	}
	switch last := p[len(p)-1]; in.opens {
	case '{':
		in.set(last, to)
	case '[':
		in.look()
		n, ok := index(last, len(in.items))
		if !ok || n > len(in.items) {
			return unfit("index", fmt.Sprintf("Mảng có %d phần tử, không thêm vào chỗ đó được.", len(in.items)),
				fmt.Sprintf("The array has %d items: nothing can be added there.", len(in.items)))
		}
		in.insert(n, to)
	default:
		return p.absent()
	}
	return nil
}
