package blob

import (
	"bytes"
	"context"
	"testing"

	"github.com/ytso/ytso/fhir/outcome"
)

// table stands for the database: rows by hash, the first insert stays.
type table map[string]row

type row struct {
	size int64
	body []byte
}

func (t table) Exec(_ context.Context, _ string, args ...any) (int64, error) {
	hash := args[0].(string)
	if _, ok := t[hash]; ok {
		return 0, nil
	}
	t[hash] = row{args[1].(int64), args[2].([]byte)}
	return 1, nil
}

func (t table) Query(_ context.Context, _ string, args ...any) (*result, error) {
	r, ok := t[args[0].(string)]
	return &result{r, ok}, nil
}

type result struct {
	row
	left bool
}

func (r *result) Next() bool { was := r.left; r.left = false; return was }
func (r *result) Err() error { return nil }
func (r *result) Close()     {}
func (r *result) Scan(dest ...any) error {
	*dest[0].(*int64), *dest[1].(*[]byte) = r.size, r.body
	return nil
}

func TestPutGet(t *testing.T) {
	ctx, db := context.Background(), table{}
	for _, body := range [][]byte{nil, []byte("<GIAMDINHHS/>"), bytes.Repeat([]byte("Nguyễn "), 100_000)} {
		p := Pack(body)
		if err := p.Put(ctx, db); err != nil {
			t.Fatal(err)
		}
		got, err := Get(ctx, db, p.Hash)
		if err != nil || !bytes.Equal(got, body) {
			t.Errorf("%d bytes came back as %d, %v", len(body), len(got), err)
		}
	}
	// FIPS 180-2: SHA-256 of "abc"
	if h := Hash([]byte("abc")); h != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" {
		t.Errorf("hash of abc is %s", h)
	}
	if _, err := Get(ctx, db, Hash([]byte("other"))); outcome.KindOf(err) != outcome.NotFound {
		t.Errorf("unknown hash: %v", err)
	}
}

func TestDamageIsSeen(t *testing.T) {
	ctx, db := context.Background(), table{}
	p := Pack([]byte("original"))
	if err := p.Put(ctx, db); err != nil {
		t.Fatal(err)
	}
	hash, good, other := p.Hash, db[p.Hash], Pack([]byte("replaced")).packed
	for name, bad := range map[string]row{
		"other content": {8, other}, "cut off": {8, good.body[:len(good.body)-3]}, "not zstd": {8, []byte("x")}, "other size": {7, good.body},
	} {
		db[hash] = bad
		if _, err := Get(ctx, db, hash); outcome.KindOf(err) != outcome.Exception {
			t.Errorf("%s: %v", name, err)
		}
	}
}
