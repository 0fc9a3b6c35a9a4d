package check

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/ytso/ytso/fhir/canon"
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/rest"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/validate"
)

// asked is one call of $validate.
type asked struct {
	*rest.Call
	mode    string
	profile string
	doc     *r4.Doc // what is checked, nil in mode delete
	line    int     // where it begins in what was received: lines and columns before it
	column  int
	found   []validate.Issue
}

// validate is $validate. Whatever is wrong with the resource, or stands in the
// way of the act that mode names, is an issue of an answer with status 200; an
// error says that nothing could be found out.
//
//   - create, update, delete: also whether the caller may do so; update and delete need a resource that is there.
//   - profile: the stored resource against the profile, as without a mode when no resource is given.
//
// Nothing is written, so what only the writing itself finds out is not told: whether the resource would belong to those whose
// records the caller may write.
func (o *operations) validate(ctx context.Context, c *rest.Call) (*rest.Response, error) {
	a := &asked{Call: c}
	if err := o.read(ctx, a); err != nil {
		return nil, err
	}
	a.rights()
	if a.doc != nil {
		options := validate.Options{Resolve: a.resolve}
		if a.profile != "" {
			options.Profiles = []string{a.profile}
		}
		issues, err := o.Check.Check(ctx, a.doc, options)
		if err != nil {
			return nil, err
		}
		for _, i := range issues {
			a.found = append(a.found, a.placed(i))
		}
	}
	if !validate.Failed(a.found) {
		a.found = append(a.found, validate.Issue{Severity: "information", Code: outcome.Informational, Key: "check.valid", VI: a.fineVI(), EN: a.fineEN()})
	}
	return &rest.Response{Status: http.StatusOK, Resource: c.Server.OutcomeOf(ctx, a.found)}, nil
}

func (a *asked) fineVI() string {
	if a.doc == nil {
		return "Có thể xóa tài nguyên này."
	}
	return "Không thấy lỗi nào."
}

func (a *asked) fineEN() string {
	if a.doc == nil {
		return "This resource can be deleted."
	}
	return "No errors were found."
}

// bad is the error of a parameter.
func bad(k outcome.Kind, name, vi, en string) error {
	return outcome.New(k, "check."+name, vi, en).At(fmt.Sprintf("Parameters.parameter.where(name='%s')", name))
}

// read takes the parameters, and the stored resource where it is about that one.
func (o *operations) read(ctx context.Context, a *asked) error {
	for name := range a.In.Values() {
		if name != "mode" && name != "profile" {
			return outcome.New(outcome.Invalid, "check.parameter", fmt.Sprintf("$validate không có tham số “%.64s”.", name), fmt.Sprintf("$validate has no parameter %.64q.", name))
		}
	}
	a.mode = a.In.Text("mode")
	if len(a.In.Texts("mode")) > 1 || len(a.In.Texts("profile")) > 1 {
		return bad(outcome.Invalid, "mode", "Chỉ nêu một mode và một profile.", "Give one mode and one profile only.")
	}
	if err := a.body(); err != nil {
		return err
	}
	if err := o.wanted(ctx, a); err != nil {
		return err
	}
	given := a.doc != nil
	switch a.mode {
	case "", "create":
	case "update", "delete", "profile":
		if a.ID == "" {
			return bad(outcome.Invalid, "mode", "mode này chỉ dùng với một tài nguyên đã có (Loại/mã/$validate).", "This mode is for one stored resource only (Type/id/$validate).")
		}
	default:
		return bad(outcome.Value, "mode", "mode chỉ nhận create, update, delete, profile.", "mode takes create, update, delete or profile.")
	}
	if a.mode == "profile" && (given || a.profile == "") {
		return bad(outcome.Invalid, "profile", "mode=profile kiểm tra tài nguyên đã lưu theo profile được nêu, không kèm nội dung.", "mode=profile checks the stored resource against the profile that is named, without a resource in the request.")
	}
	if !given && a.mode != "delete" && (a.ID == "" || a.mode == "create" || a.mode == "update") {
		return bad(outcome.Required, "resource", "Hãy gửi tài nguyên cần kiểm tra (resource).", "Send the resource to be checked (resource).")
	}
	if a.mode == "create" || given && a.mode == "" {
		return nil
	}
	return a.stored(ctx, given)
}

// body finds the resource in the request, and where it begins in the text received.
func (a *asked) body() error {
	if a.Doc != nil && a.Doc.Type() != "Parameters" {
		a.doc = a.Doc
		return nil
	}
	n := a.In.Resource("resource")
	if !n.Exists() {
		return nil
	}
	var err error
	if a.doc, err = r4.Parse(n.Raw()); err != nil {
		return err
	}
	if a.line, a.column = n.Place(); strings.Contains(a.Header.Get("Content-Type"), "xml") {
		a.line = 0 // the places of the JSON made of it are nobody's
	}
	return nil
}

// placed moves the place of an issue from the resource to the text received.
func (a *asked) placed(i validate.Issue) validate.Issue {
	switch {
	case a.Doc == nil, a.Doc.Type() == "Parameters" && a.line == 0: // what is stored has no place
		i.Line, i.Column = 0, 0
	case a.Doc.Type() == "Parameters" && i.Line > 0:
		if i.Line == 1 {
			i.Column += a.column - 1
		}
		i.Line += a.line - 1
	}
	return i
}

// wanted checks that the profile is at hand: without it nothing could be said.
func (o *operations) wanted(ctx context.Context, a *asked) error {
	if a.profile = a.In.Text("profile"); a.profile == "" {
		return nil
	}
	url, version, _ := canon.Split(a.profile)
	def, err := o.Source.Find(ctx, "StructureDefinition", url, version)
	if err != nil {
		return err
	}
	if def == nil {
		return bad(outcome.NotSupported, "profile", "Máy chủ không có profile này nên không kiểm tra theo nó được.", "The server does not have this profile, so nothing can be checked against it.")
	}
	return nil
}

// stored reads the resource of the address: to be checked itself, or to be changed.
func (a *asked) stored(ctx context.Context, given bool) error {
	r, err := a.Reader.Read(ctx, store.Key{Type: a.Type, ID: a.ID})
	if err != nil {
		return err
	}
	if text := a.Header.Get("If-Match"); text != "" && a.mode != "profile" && text != `W/"`+strconv.Itoa(r.Version)+`"` {
		a.issue(outcome.Stale, "stale", "", "Phiên bản nêu trong If-Match không phải phiên bản hiện hành.", "The version that If-Match names is not the current one.")
	}
	if !given && a.mode != "delete" {
		a.doc, err = r4.Parse(r.Body)
	}
	return err
}

func (a *asked) issue(k outcome.Kind, key, expression, vi, en string) {
	a.found = append(a.found, validate.Issue{Severity: validate.Error, Code: k, Key: "check." + key, Expression: expression, VI: vi, EN: en})
}

// rights tells what stands in the way of the act beside the content.
func (a *asked) rights() {
	acts := map[string]store.Acts{"create": store.CanCreate, "update": store.CanUpdate, "delete": store.CanDelete}
	if act := acts[a.mode]; act != 0 && !a.Access.Filter.May(a.Type, act) {
		a.issue(outcome.Forbidden, "forbidden", "", "Bạn không có quyền thực hiện việc này với loại hồ sơ này.", "You may not do this with this type of record.")
	}
	if a.doc == nil {
		return
	}
	typ := a.doc.Type()
	if r4.IsResource(typ) && typ != a.Type { // what is no resource at all, the check itself tells
		a.issue(outcome.Invalid, "other-type", typ, "Loại tài nguyên khác với loại trong địa chỉ.", "The resource is of another type than the address.")
	}
	if a.mode == "update" && a.doc.ID() != a.ID {
		a.issue(outcome.Value, "other-id", typ+".id", "Mã tài nguyên phải đúng như trong địa chỉ.", "The id of the resource must be that of the address.")
	}
}

// resolve tells what a reference to this server names, for the caller.
func (a *asked) resolve(ctx context.Context, ref string) (typ string, found bool, err error) {
	rest, here := strings.CutPrefix(ref, a.Base+"/")
	part := strings.Split(rest, "/")
	if len(part) < 2 || !r4.IsResource(part[0]) || !here && strings.Contains(ref, ":") {
		return "", false, nil // of another server, or none at all: the check knows what to make of it
	}
	_, err = a.Reader.Read(ctx, store.Key{Type: part[0], ID: part[1]})
	switch outcome.KindOf(err) {
	case outcome.NotFound, outcome.Deleted, outcome.Forbidden:
		return part[0], false, nil
	}
	return part[0], err == nil, err
}
