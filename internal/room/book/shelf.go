package book

import (
	"context"
	"net/url"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/trust"
)

// shelf is where the resources of one person stand, inside one View.
type shelf struct {
	r      store.Reader
	person string // golden Patient's id, merges followed
	golden r4.Node
	names  Facilities
}

var errNotHere = outcome.New(outcome.NotFound, "book.not-here",
	"Không tìm thấy trang này trong sổ sức khỏe của bạn.", "This page was not found in your health book.")

// open runs f over the shelf of whoever asks. What is gone is not found: in a
// book of one's own there is nothing else to be told about it.
func (b *Book) open(ctx context.Context, note store.Note, f func(shelf) error) error {
	access, err := b.gate.Access(ctx, trust.OwnRequest)
	if err != nil {
		return err
	}
	note.Patients = []string{access.Agent.ID}
	err = b.store.View(ctx, access, func(r store.Reader) error {
		r.Audit(note)
		s := shelf{r: r, person: access.Agent.ID, names: b.facilities}
		if err := s.follow(ctx); err != nil {
			return err
		}
		return f(s)
	})
	if outcome.KindOf(err) == outcome.Deleted {
		return errNotHere.Because(err)
	}
	return err
}

// maxMerges bounds how often one golden Patient may have been merged into the next.
const maxMerges = 16

// follow reads the golden Patient, and the one that replaced it when it was merged away (DESIGN.md decision 9).
func (s *shelf) follow(ctx context.Context) error {
	for range maxMerges {
		var err error
		if s.golden, err = s.read(ctx, "Patient", s.person); err != nil {
			return err
		}
		next := ""
		for l := range s.golden.Get("link").Elems() {
			if l.Get("type").Text() == "replaced-by" {
				next = idOf(l.Get("other"), "Patient")
			}
		}
		if next == "" {
			return nil
		}
		s.person = next
	}
	return errNotHere
}

func (s shelf) read(ctx context.Context, typ, id string) (r4.Node, error) {
	res, err := s.r.Read(ctx, store.Key{Type: typ, ID: id})
	if err != nil {
		return r4.Node{}, err
	}
	return parse(res)
}

func parse(res *store.Resource) (r4.Node, error) {
	d, err := r4.Parse(res.Body)
	if err != nil {
		return r4.Node{}, err
	}
	return d.Root(), nil
}

// page searches once; where is pairs of parameter and value, ANDed to the person.
func (s shelf) page(ctx context.Context, typ string, count int, cursor string, where ...string) (list []r4.Node, next string, err error) {
	v := url.Values{"patient": {"Patient/" + s.person}}
	for i := 0; i+1 < len(where); i += 2 {
		v.Add(where[i], where[i+1])
	}
	q, err := param.Parse(typ, v)
	if err != nil {
		return nil, "", err
	}
	q.Count, q.Cursor = count, cursor
	p, err := s.r.Search(ctx, q)
	if err != nil {
		return nil, "", err
	}
	for _, m := range p.Matches {
		n, err := parse(m)
		if err != nil {
			return nil, "", err
		}
		list = append(list, n)
	}
	return list, p.Next, nil
}

// all gives every match, newest first where the type has a clinical date.
func (s shelf) all(ctx context.Context, typ string, where ...string) (list []r4.Node, err error) {
	for cursor := ""; ; {
		some, next, err := s.page(ctx, typ, param.MaxCount, cursor, where...)
		if err != nil {
			return nil, err
		}
		if list = append(list, some...); next == "" {
			return list, nil
		}
		cursor = next
	}
}

// places names facilities; an unknown one is left out.
func (s shelf) places(ctx context.Context, codes []string) (map[string]string, error) {
	if s.names == nil || len(codes) == 0 {
		return nil, nil
	}
	return s.names.Names(ctx, s.r, codes...)
}

// escape makes a value of a search exact (FHIR R4 search.html#escaping).
func escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, `,`, `\,`, `|`, `\|`, `$`, `\$`).Replace(s)
}

// idOf gives the id of a literal reference to a type, "" when it is none.
func idOf(ref r4.Node, typ string) string {
	id, ok := strings.CutPrefix(ref.Get("reference").Text(), typ+"/")
	if !ok || strings.Contains(id, "/") {
		return ""
	}
	return id
}

// dig goes down by names, through the first item of each list.
func dig(n r4.Node, names ...string) r4.Node {
	for _, name := range names {
		n = n.Get(name)
		if n.Kind() == r4.Array {
			n = n.At(0)
		}
	}
	return n
}
