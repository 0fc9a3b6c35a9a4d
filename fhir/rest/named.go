package rest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/validate"
)

// named is a resource of this server that a literal reference names.
type named struct {
	key     store.Key // the zero Key: an address that only an entry of the same Bundle could have had
	version string    // "" when it names the resource, whatever its version
	at      r4.Node   // one place that names it
}

// maxReferences bounds what one resource may name: each is looked up while the writer waits.
const maxReferences = 50_000

// namedBy gives what a link names on this server. An address that begins with
// urn:uuid: or urn:oid: is that of a Bundle's entry, and a search is for a
// transaction to resolve: what is left of them names nothing.
func namedBy(l link) (named, bool) {
	if l.kind != literal || l.text == "" || l.text[0] == '#' {
		return named{}, false
	}
	k, version, ok := local(l.text)
	_, _, search := conditional(l.text)
	return named{k, version, l.node}, ok || search || strings.HasPrefix(l.text, "urn:uuid:") || strings.HasPrefix(l.text, "urn:oid:")
}

// pathOf writes the FHIRPath of a node by walking to it.
func pathOf(to r4.Node) string {
	at, _ := to.Range()
	n := to.Root()
	path := n.Get("resourceType").Text()
	for {
		next, name := r4.Node{}, ""
		for v := n.First(); v.Exists(); v = v.Next(n) {
			if from, end := v.Range(); from <= at && at < end {
				next, name = v, string(v.Name())
				if n.Kind() == r4.Array {
					name = fmt.Sprintf("[%d]", index(n, v))
				} else {
					name = "." + name
				}
				break
			}
		}
		if !next.Exists() {
			return path
		}
		path += name
		n = next
	}
}

func index(list, item r4.Node) (i int) {
	from, _ := item.Range()
	for v := list.First(); v.Exists(); v = v.Next(list) {
		if at, _ := v.Range(); at == from {
			return i
		}
		i++
	}
	return -1
}

// named refuses references to what is not there or not visible to the caller.
// A Patient that the caller may not see can't be named even where references
// are Loose: the record would appear in that person's compartment. What the
// version before named already may have gone since: a record of what is gone
// can still be corrected.
func (t *turn) named(ctx context.Context, refs []named, made *store.Resource) error {
	var issues []validate.Issue
	for _, ref := range refs {
		if t.s.c.Loose && (ref.key.Type != "Patient" || t.q.Access.Filter.All) {
			continue
		}
		ok, err := false, error(nil)
		switch {
		case ref.key.Type == "":
		case ref.version != "":
			ok, err = t.seesVersion(ctx, ref)
		default:
			ok, err = t.sees(ctx, ref.key)
		}
		if !ok && err == nil {
			ok, err = t.before(ctx, ref.key, made)
		}
		if err != nil {
			return err
		}
		if !ok && len(issues) < validate.MaxIssues {
			issues = append(issues, validate.Issue{
				Severity: validate.Error, Code: outcome.BusinessRule, Expression: pathOf(ref.at), Key: "rest.reference",
				VI: "Tham chiếu trỏ tới một tài nguyên không có trên máy chủ, đã bị xóa, hoặc bạn không được xem.",
				EN: "The reference names a resource that is not on this server, was deleted, or is not yours to see.",
			})
		}
	}
	return validate.Refusal(issues)
}

// before says whether the version before the one made named a resource too.
func (t *turn) before(ctx context.Context, k store.Key, made *store.Resource) (bool, error) {
	if k.Type == "" {
		return false, nil
	}
	if !made.Changed || made.Version < 2 {
		return !made.Changed, nil
	}
	old, err := t.r.ReadVersion(ctx, made.Key, made.Version-1)
	switch outcome.KindOf(err) {
	case outcome.NotFound, outcome.Deleted, outcome.Forbidden:
		return false, nil
	}
	if err != nil {
		return false, err
	}
	doc, err := r4.Parse(old.Body)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(linksOf(doc), func(l link) bool { n, ok := namedBy(l); return ok && n.key == k }), nil
}

// seesVersion says whether a version is there and visible: that of a resource
// deleted since can still be named, as what tells of the deletion must.
func (t *turn) seesVersion(ctx context.Context, ref named) (bool, error) {
	n, err := strconv.Atoi(ref.version)
	if err != nil || n < 1 {
		return false, nil
	}
	_, err = t.r.ReadVersion(ctx, ref.key, n)
	switch outcome.KindOf(err) {
	case outcome.NotFound, outcome.Forbidden:
		return false, nil
	case outcome.Deleted: // the deletion itself
		return true, nil
	}
	return err == nil, err
}

// sees says whether a resource is there and visible, which one transaction asks once.
func (t *turn) sees(ctx context.Context, k store.Key) (bool, error) {
	if ok, known := t.there[k]; known {
		return ok, nil
	}
	_, err := t.r.Read(ctx, k)
	switch outcome.KindOf(err) {
	case outcome.NotFound, outcome.Deleted, outcome.Forbidden:
		t.there[k] = false
		return false, nil
	}
	if err != nil {
		return false, err
	}
	t.there[k] = true
	return true, nil
}
