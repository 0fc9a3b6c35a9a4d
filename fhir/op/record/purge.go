package record

import (
	"bytes"
	"strings"

	"github.com/ytso/ytso/fhir/r4"
)

// ownStem begins the extensions of this program: fields of a claim that FHIR
// has no place for, ethnicity and occupation among them.
const ownStem = "urn:ytso:"

// purge gives the JSON of a value without the extensions of this program. A
// summary goes to people who can't read them, and says no more of a person than
// it has to. Modifier extensions stay: nobody may pass them over. nil: nothing is left.
func purge(n r4.Node) []byte {
	if !bytes.Contains(n.Raw(), []byte(`"`+ownStem)) {
		return n.Raw()
	}
	switch n.Kind() {
	case r4.Map:
		return purgeObject(n)
	case r4.Array:
		return purgeArray(n)
	}
	return n.Raw()
}

func purgeObject(n r4.Node) []byte {
	var out r4.Object
	for name, v := range n.Members() {
		if name == "extension" && v.Kind() == r4.Array {
			var list [][]byte
			for e := range v.Elems() {
				if !strings.HasPrefix(e.Get("url").Text(), ownStem) {
					list = append(list, purge(e))
				}
			}
			if list != nil {
				out.Add(name, joined(list))
			}
			continue
		}
		if text := purge(v); text != nil {
			out.Add(name, r4.Raw(text))
		}
	}
	if out == nil {
		return nil
	}
	return out.JSON()
}

// purgeArray drops objects of which nothing is left; beside primitives
// (_given), where places count, null stands for them.
func purgeArray(n r4.Node) []byte {
	beside := strings.HasPrefix(string(n.Name()), "_")
	var list [][]byte
	left := false
	for e := range n.Elems() {
		text := purge(e)
		if text == nil && beside {
			text = []byte("null")
		}
		if text != nil {
			list = append(list, text)
			left = left || string(text) != "null"
		}
	}
	if !left {
		return nil
	}
	return joined(list)
}

func joined(list [][]byte) r4.Raw {
	return append(append(r4.Raw{'['}, bytes.Join(list, []byte{','})...), ']')
}
