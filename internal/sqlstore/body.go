package sqlstore

import (
	"strconv"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// A stored body is JSON with a slot where meta.versionId and meta.lastUpdated
// go. The bytes before the JSON are a format number and the place of the slot;
// members other than id and meta keep the bytes they came with.
const formatJSON = 1

// instant is how meta.lastUpdated is written (FHIR R4 datatypes.html#instant).
const instant = "2006-01-02T15:04:05.000Z"

var (
	errShape = outcome.New(outcome.Structure, "store.not-a-resource",
		"Nội dung không phải một tài nguyên FHIR.", "The content is no FHIR resource.")
	errType = outcome.New(outcome.Invalid, "store.other-type",
		"Loại tài nguyên trong nội dung khác với loại được yêu cầu.", "The content's resourceType is not the type it was sent to.").At("resourceType")
	errID = outcome.New(outcome.Value, "store.id",
		"Mã tài nguyên chỉ gồm 1–64 chữ cái không dấu, chữ số, “-” và “.”.",
		"A resource id has 1 to 64 letters A–Z, a–z, digits, “-” and “.”.").At("id")
)

// seal makes the stored form of a resource under the given id.
func seal(d *r4.Doc, typ, id string) ([]byte, error) {
	root := d.Root()
	if root.Kind() != r4.Map {
		return nil, errShape
	}
	if d.Type() != typ || !r4.IsResource(typ) {
		return nil, errType
	}
	if !validID(id) {
		return nil, errID
	}
	src := d.Source()
	b := make([]byte, 3, len(src)+80) // format and slot
	b = append(b, `{"resourceType":"`...)
	b = append(b, typ...)
	b = append(b, `","id":"`...)
	b = append(b, id...)
	b = append(b, `","meta":{`...)
	slot := len(b)
	for name, v := range root.Get("meta").Members() {
		if name == "versionId" || name == "lastUpdated" {
			continue
		}
		b = member(b, name, v)
	}
	b = append(b, '}')
	for name, v := range root.Members() {
		if name == "resourceType" || name == "id" || name == "meta" {
			continue
		}
		b = member(b, name, v)
	}
	b = append(b, '}')
	if slot > 0xffff {
		return nil, errShape
	}
	b[0], b[1], b[2] = formatJSON, byte(slot>>8), byte(slot)
	return b, nil
}

func member(b []byte, name string, v r4.Node) []byte {
	b = append(b, ',')
	b = r4.AppendString(b, name)
	b = append(b, ':')
	return append(b, v.Raw()...)
}

func validID(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	for i := range len(id) {
		switch c := id[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '.':
		default:
			return false
		}
	}
	return true
}

var errBody = outcome.New(outcome.Exception, "store.damaged",
	"Bản ghi lưu trữ bị hỏng.", "A stored record is damaged.")

// open fills the slot.
func open(b []byte, version int, updated time.Time) ([]byte, error) {
	if len(b) < 3 || b[0] != formatJSON {
		return nil, errBody
	}
	slot := int(b[1])<<8 | int(b[2])
	if slot < 3 || slot >= len(b) {
		return nil, errBody
	}
	out := make([]byte, 0, len(b)+70)
	out = append(out, b[3:slot]...)
	out = append(out, `"versionId":"`...)
	out = strconv.AppendInt(out, int64(version), 10)
	out = append(out, `","lastUpdated":"`...)
	out = updated.UTC().AppendFormat(out, instant)
	out = append(out, '"')
	return append(out, b[slot:]...), nil
}
