package term

import (
	"context"
	"embed"
	"io/fs"
	"strconv"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/rest"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/term"
)

//go:embed migrations
var migrations embed.FS

// Name is the name under which the migrations are numbered, and the prefix of the table.
const Name = "termop"

// Migrations are those of the table of $closure.
func Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder is embedded
	}
	return sub
}

// Bounds of concepts: in one closure table, and in all tables of a caller.
const (
	maxClosure = 20_000
	maxOwned   = 200_000
)

var errClosureRight = outcome.New(outcome.Forbidden, "term.closure-right",
	"Bảng bao đóng được lưu trên máy chủ nên cần quyền tạo ConceptMap.", "Closure tables are kept on the server, so they need the right to create a ConceptMap.")

var errClosureFull = outcome.New(outcome.TooCostly, "term.closure-full",
	"Bảng bao đóng đã đủ số mã cho phép.", "The closure table holds as many concepts as it may.")

// held is a concept of a closure table with the version of the table that brought it.
type held struct {
	term.Code
	since int
}

// closure is FHIR R4 terminology-service.html#closure: a table of each caller,
// who may create ConceptMaps, under a name of its choosing. Without concepts and version it begins anew; with
// concepts it answers the relations that they bring; with a version the
// relations that came after it.
func (o *operations) closure(ctx context.Context, c *rest.Call) (*rest.Response, error) {
	name, owner := c.In.Text("name"), c.Access.Agent.ID
	if name == "" || len(name) > 200 {
		return nil, bad("name", "cần tên bảng, dài nhất 200 byte", "the name of the table is needed, at most 200 bytes")
	}
	if !c.Access.Filter.May("ConceptMap", store.CanCreate) {
		return nil, errClosureRight
	}
	concepts, since := c.In.All("concept"), c.In.Text("version")
	if err := c.Tx.Claim(ctx, "closure\n"+owner+"\n"+name); err != nil {
		return nil, err
	}
	if len(concepts) == 0 && since == "" {
		_, err := c.Tx.Exec(ctx, `DELETE FROM termop_closure WHERE owner = $1 AND name = $2`, owner, name)
		return closureMap(name, 0, nil, o), err
	}
	table, version, err := readClosure(ctx, c, owner, name)
	if err != nil {
		return nil, err
	}
	after := version
	if since != "" {
		if len(concepts) > 0 {
			return nil, bad("version", "không đi cùng concept", "does not go with concept")
		}
		if after, err = strconv.Atoi(since); err != nil {
			return nil, bad("version", "không phải phiên bản của bảng này", "is no version of this table")
		}
	} else {
		if table, err = o.enlarge(ctx, c, owner, name, table, version+1); err != nil {
			return nil, err
		}
		version = max(version, newest(table))
	}
	pairs, err := o.pairs(ctx, table, after)
	if err != nil {
		return nil, err
	}
	return closureMap(name, version, pairs, o), nil
}

func newest(table []held) (v int) {
	for _, h := range table {
		v = max(v, h.since)
	}
	return v
}

func readClosure(ctx context.Context, c *rest.Call, owner, name string) (table []held, version int, err error) {
	rows, err := c.Tx.Query(ctx, `SELECT version, system, code FROM termop_closure WHERE owner = $1 AND name = $2 ORDER BY version, system, code`, owner, name)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var h held
		if err := rows.Scan(&h.since, &h.System, &h.Code.Code); err != nil {
			return nil, 0, err
		}
		table = append(table, h)
	}
	return table, newest(table), rows.Err()
}

func countOwned(ctx context.Context, c *rest.Call, owner string) (n int, err error) {
	rows, err := c.Tx.Query(ctx, `SELECT COUNT(*) FROM termop_closure WHERE owner = $1`, owner)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&n); err != nil {
			return 0, err
		}
	}
	return n, rows.Err()
}

// enlarge adds the concepts of the call that the table does not have.
func (o *operations) enlarge(ctx context.Context, c *rest.Call, owner, name string, table []held, version int) ([]held, error) {
	owned, err := countOwned(ctx, c, owner)
	if err != nil {
		return nil, err
	}
	has := map[[2]string]bool{}
	for _, h := range table {
		has[[2]string{h.System, h.Code.Code}] = true
	}
	for _, p := range c.In.All("concept") {
		code := coding(p.Get("valueCoding"))
		key := [2]string{code.System, code.Code}
		if has[key] {
			continue
		}
		if _, err := o.d.Terms.Lookup(ctx, code, term.At{}); err != nil {
			return nil, err
		}
		if owned++; len(table) == maxClosure || owned > maxOwned {
			return nil, errClosureFull
		}
		has[key] = true
		table = append(table, held{term.Code{System: code.System, Code: code.Code}, version})
		_, err := c.Tx.Exec(ctx, `INSERT INTO termop_closure (owner, name, version, system, code) VALUES ($1, $2, $3, $4, $5)`, owner, name, version, code.System, code.Code)
		if err != nil {
			return nil, err
		}
	}
	return table, nil
}

// pairs gives each concept with those of the table that subsume it, where one of both came after a version.
func (o *operations) pairs(ctx context.Context, table []held, after int) (list [][2]term.Code, err error) {
	at := map[[2]string]held{}
	for _, h := range table {
		at[[2]string{h.System, h.Code.Code}] = h
	}
	for _, h := range table {
		above, ok, err := o.d.Terms.Ancestors(ctx, h.System, h.Code.Code)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue // a system whose hierarchy doesn't subsume brings no relations
		}
		for _, code := range above[1:] {
			if p, ok := at[[2]string{h.System, code}]; ok && (h.since > after || p.since > after) {
				list = append(list, [2]term.Code{h.Code, p.Code})
			}
		}
	}
	return list, nil
}

// closureMap tells relations as a ConceptMap: each element is specialised by its target.
func closureMap(name string, version int, pairs [][2]term.Code, o *operations) *rest.Response {
	var groups []r4.Object
	for i := 0; i < len(pairs); {
		system := pairs[i][0].System
		var elements []r4.Object
		for ; i < len(pairs) && pairs[i][0].System == system; i++ {
			target := []r4.Object{{{Name: "code", Value: pairs[i][1].Code}, {Name: "equivalence", Value: "subsumes"}}}
			elements = append(elements, r4.Object{{Name: "code", Value: pairs[i][0].Code}, {Name: "target", Value: target}})
		}
		groups = append(groups, r4.Object{{Name: "source", Value: system}, {Name: "target", Value: system}, {Name: "element", Value: elements}})
	}
	return resource(r4.Object{
		{Name: "resourceType", Value: "ConceptMap"}, {Name: "version", Value: strconv.Itoa(version)}, {Name: "name", Value: name},
		{Name: "status", Value: "active"}, {Name: "experimental", Value: true}, {Name: "date", Value: o.d.Now().UTC().Format("2006-01-02T15:04:05.000Z")},
		{Name: "group", Value: groups},
	})
}
