package exchange

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/internal/sqlstore"
	"github.com/ytso/ytso/internal/sqlstore/pgtest"
)

const village = `{"resourceType":"SearchParameter","id":"village","url":"http://example.org/village","name":"village","status":"active","description":"Thôn bản",
	"code":"village","base":["Patient"],"type":"string","expression":"Patient.extension.where(url = 'http://example.org/village').value.ofType(string)"}`

func villager(id, place string) string {
	return fmt.Sprintf(`{"resourceType":"Patient","id":%q,"extension":[{"url":"http://example.org/village","valueString":%q}]}`, id, place)
}

// found searches, and gives the ids in the order of the answer.
func (c caller) found(b *bench, target string) (status int, ids string) {
	b.t.Helper()
	w := c.do(b, "GET", target, "")
	var bundle struct {
		Entry []struct{ Resource struct{ ID string } }
	}
	decode(b.t, w.Body.Bytes(), &bundle)
	var list []string
	for _, e := range bundle.Entry {
		list = append(list, e.Resource.ID)
	}
	return w.Code, strings.Join(list, " ")
}

// TestSearchParameter: a parameter of our own is refused until its index is
// made, finds what was there before then, also after a restart, and is gone when it is deleted.
func TestSearchParameter(t *testing.T) {
	engines(t, func(t *testing.T, o sqlstore.Options) {
		b := open(t, o)
		b.put("25001", villager("old", "Nà Phặc"), villager("other", "Pác Nặm"))
		const query = "/fhir/Patient?village=na+phac"
		if status, _ := operator.found(b, query); status != 400 {
			t.Errorf("unknown: %d", status)
		}
		if w := operator.do(b, "PUT", "/fhir/SearchParameter/village", village); w.Code != 201 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		if status, ids := operator.found(b, query); status != 400 {
			t.Errorf("before its index is made: %d %s", status, ids)
		}
		if w := operator.do(b, "POST", "/fhir/$reindex", ""); w.Code != 202 || !strings.Contains(w.Body.String(), `"valueBoolean":true`) {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		b.run()
		b.until("it answers", func() bool { status, _ := operator.found(b, query); return status == 200 })
		if _, ids := operator.found(b, query); ids != "old" {
			t.Errorf("%q", ids)
		}
		b.put("25001", villager("new", "Na Phac"))
		if _, ids := operator.found(b, query+"&_sort=_id"); ids != "new old" {
			t.Errorf("%q", ids)
		}
		b.stop()
		b.params.Store(param.Official()) // as at the start of the program
		b.renew(b.Deps)
		if err := b.Learn(t.Context()); err != nil {
			t.Fatal(err)
		}
		if status, ids := operator.found(b, query+"&_sort=_id"); status != 200 || ids != "new old" {
			t.Errorf("after a restart: %d %q", status, ids)
		}
		if n := b.count(`SELECT COUNT(*) FROM exchange_job WHERE kind = 'reindex'`); n != 1 {
			t.Errorf("%d jobs", n)
		}
		if w := operator.do(b, "PUT", "/fhir/SearchParameter/bad", strings.NewReplacer(`"id":"village"`, `"id":"bad"`, "Patient.extension", "Patient.(").Replace(village)); w.Code < 400 || w.Code > 499 {
			t.Errorf("an expression that is none: %d", w.Code)
		}
		if w := operator.do(b, "DELETE", "/fhir/SearchParameter/village", ""); w.Code > 299 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		if status, _ := operator.found(b, query); status != 400 {
			t.Errorf("after its end: %d", status)
		}
	})
}

// TestDefinitionsOfOthers: what another process on the same database wrote is in use here soon after.
func TestDefinitionsOfOthers(t *testing.T) {
	o := sqlstore.Options{URL: pgtest.URL(t)}
	one, two := open(t, o), open(t, o, func(d *Deps) { d.Shared = true })
	two.run()
	one.run()
	time.Sleep(300 * time.Millisecond) // its first round takes the place from which it hears
	if w := operator.do(one, "PUT", "/fhir/SearchParameter/village", village); w.Code != 201 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	one.put("25001", villager("a", "Nà Phặc"))
	two.until("it knows", func() bool {
		status, ids := operator.found(two, "/fhir/Patient?village=na+phac")
		return status == 200 && ids == "a"
	})
}

// TestOneJob: a definition that is written while the workers are at it makes its index once.
func TestOneJob(t *testing.T) {
	engines(t, func(t *testing.T, o sqlstore.Options) {
		b := open(t, o)
		b.put("25001", villager("old", "Nà Phặc"), villager("other", "Pác Nặm"))
		b.run()
		if w := operator.do(b, "PUT", "/fhir/SearchParameter/village", village); w.Code != 201 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		b.until("it answers", func() bool { status, _ := operator.found(b, "/fhir/Patient?village=na+phac"); return status == 200 })
		b.until("its job has ended", func() bool {
			return b.count(`SELECT COUNT(*) FROM exchange_job WHERE kind = 'reindex' AND state = 'done'`) > 0
		})
		if n := b.count(`SELECT COUNT(*) FROM exchange_job WHERE kind = 'reindex'`); n != 1 {
			t.Errorf("%d jobs", n)
		}
		if n := b.count(`SELECT SUM(done) FROM exchange_job WHERE kind = 'reindex'`); n != 3 {
			t.Errorf("%d resources were told", n)
		}
	})
}
