package canon

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/ytso/ytso/fhir/r4"
)

// Table is a Source over definitions that were packed into one file by
// tools/canongen: an index, and chunks of resources that are unpacked when one
// of them is asked for. Nothing is unpacked before the first Find.
//
// The file: length of the index (4 bytes, big endian), the index, the chunks,
// each of these a zstd frame. A line of the index has four columns parted by
// tabs for each resource: type, url, version, length; a line with one column ends a
// chunk and tells the length of its frame. Resources of one url stand oldest first.
type Table struct {
	packed []byte
	index  func() (map[string][]entry, error)
}

type entry struct {
	typ, version           string
	frame, frameLen        int
	offset, length, serial int
}

// NewTable makes a Source over a packed file, which it keeps.
func NewTable(packed []byte) *Table {
	t := &Table{packed: packed}
	t.index = sync.OnceValues(t.read)
	return t
}

var errTable = errors.New("canon: the table of definitions is damaged")

func unpack(frame []byte) ([]byte, error) {
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	defer dec.Close()
	return dec.DecodeAll(frame, nil)
}

func (t *Table) read() (map[string][]entry, error) {
	if len(t.packed) < 4 {
		return nil, errTable
	}
	n := int(binary.BigEndian.Uint32(t.packed))
	if n > len(t.packed)-4 {
		return nil, errTable
	}
	text, err := unpack(t.packed[4 : 4+n])
	if err != nil {
		return nil, err
	}
	index, frame := map[string][]entry{}, 4+n
	var chunk []entry
	var urls []string
	offset, serial := 0, 0
	for line := range strings.Lines(string(text)) {
		col := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		size, err := strconv.Atoi(col[len(col)-1])
		if err != nil || size < 0 {
			return nil, errTable
		}
		if len(col) == 4 {
			chunk, urls = append(chunk, entry{typ: col[0], version: col[2], offset: offset, length: size, serial: serial}), append(urls, col[1])
			offset, serial = offset+size, serial+1
			continue
		}
		if len(col) != 1 || frame+size > len(t.packed) {
			return nil, errTable
		}
		for i, e := range chunk {
			e.frame, e.frameLen = frame, size
			index[urls[i]] = append(index[urls[i]], e)
		}
		frame, chunk, urls, offset = frame+size, chunk[:0], urls[:0], 0
	}
	return index, nil
}

// Find is described at Source.
func (t *Table) Find(_ context.Context, typ, url, version string) (*r4.Doc, error) {
	index, err := t.index()
	if err != nil {
		return nil, err
	}
	list := index[url]
	for i := len(list) - 1; i >= 0; i-- {
		if e := list[i]; (typ == "" || e.typ == typ) && (version == "" || e.version == version) {
			return t.open(e)
		}
	}
	return nil, nil
}

func (t *Table) open(e entry) (*r4.Doc, error) {
	text, err := unpack(t.packed[e.frame : e.frame+e.frameLen])
	if err != nil {
		return nil, err
	}
	if e.offset+e.length > len(text) {
		return nil, errTable
	}
	return r4.Parse([]byte(string(text[e.offset : e.offset+e.length]))) // a copy: the chunk is let go of
}

// List gives the canonicals ("url|version") of a type that the table holds, in the order of the table.
func (t *Table) List(typ string) ([]string, error) {
	index, err := t.index()
	if err != nil {
		return nil, err
	}
	var serials []int
	at := map[int]string{}
	for url, list := range index {
		for _, e := range list {
			if e.typ == typ {
				serials = append(serials, e.serial)
				at[e.serial] = fmt.Sprintf("%s|%s", url, e.version)
			}
		}
	}
	return inOrder(serials, at), nil
}

func inOrder(serials []int, at map[int]string) []string {
	slices.Sort(serials)
	out := make([]string, len(serials))
	for i, s := range serials {
		out[i] = at[s]
	}
	return out
}
