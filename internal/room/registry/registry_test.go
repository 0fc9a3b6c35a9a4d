package registry_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/store/storetest"
	"github.com/ytso/ytso/internal/room/registry"
	"github.com/ytso/ytso/internal/sqlstore"
	"github.com/ytso/ytso/internal/sqlstore/pgtest"
	"github.com/ytso/ytso/internal/synth"
	"github.com/ytso/ytso/internal/trust"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func engines(t *testing.T, f func(t *testing.T, s *sqlstore.Store)) {
	for name, options := range map[string]func(t *testing.T) sqlstore.Options{
		"sqlite": func(t *testing.T) sqlstore.Options {
			return sqlstore.Options{Dir: t.TempDir(), Key: bytes.Repeat([]byte{7}, 32)}
		},
		"postgres": func(t *testing.T) sqlstore.Options { return sqlstore.Options{URL: pgtest.URL(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			s, err := sqlstore.Open(t.Context(), options(t))
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			f(t, s)
		})
	}
}

func view(t *testing.T, s store.Store, a store.Access, f func(r store.Reader) error) {
	t.Helper()
	if err := s.View(t.Context(), a, f); err != nil {
		t.Fatal(err)
	}
}

// TestFacilities: what was put is listed and named; a new name replaces the old one under the same id, the same
// facts again write no new version.
func TestFacilities(t *testing.T) {
	engines(t, func(t *testing.T, s *sqlstore.Store) {
		ctx := t.Context()
		g := registry.New(registry.Deps{Store: s, IDs: s.Namespace()})
		want := []registry.Facility{
			{Code: "25001", Name: "Bệnh viện đa khoa tỉnh Ví Dụ", Level: registry.Province, Province: "Phú Thọ"},
			{Code: "25901", Name: "Trạm y tế xã Suối Mây", Level: registry.Station},
			{Code: `K1,2|$\3`, Name: "Phòng khám Mã Lạ"},
		}
		for range 2 {
			if err := g.Put(ctx, want); err != nil {
				t.Fatal(err)
			}
		}
		want[1].Name = "Trạm y tế phường Suối Mây"
		if err := g.Put(ctx, want[1:2]); err != nil {
			t.Fatal(err)
		}
		view(t, s, storetest.All, func(r store.Reader) error {
			list, err := g.Facilities(ctx, r)
			if d := cmp.Diff(want, list); d != "" {
				t.Error(d)
			}
			if err != nil {
				return err
			}
			names, err := g.Names(ctx, r, "25901", "25999", "", "25001", `K1,2|$\3`, "25001")
			if d := cmp.Diff(map[string]string{"25001": want[0].Name, "25901": want[1].Name, `K1,2|$\3`: want[2].Name}, names); d != "" {
				t.Error(d)
			}
			return err
		})
		versions := map[string]int{}
		view(t, s, storetest.All, func(r store.Reader) error {
			for _, f := range want {
				res, err := r.Read(ctx, store.Key{Type: "Organization", ID: g.ID(f.Code)})
				if err != nil {
					return err
				}
				versions[f.Code] = res.Version
			}
			return nil
		})
		if d := cmp.Diff(map[string]int{"25001": 1, "25901": 2, `K1,2|$\3`: 1}, versions); d != "" {
			t.Error(d)
		}
	})
}

// TestManyNames: more codes than one parameter may hold.
func TestManyNames(t *testing.T) {
	engines(t, func(t *testing.T, s *sqlstore.Store) {
		g := registry.New(registry.Deps{Store: s, IDs: s.Namespace()})
		var list []registry.Facility
		var codes []string
		for i := range 420 {
			f := registry.Facility{Code: fmt.Sprintf("%05d", 10000+i), Name: fmt.Sprintf("Trạm y tế số %d", i), Level: registry.Station}
			list, codes = append(list, f), append(codes, f.Code)
		}
		if err := g.Put(t.Context(), list); err != nil {
			t.Fatal(err)
		}
		view(t, s, storetest.All, func(r store.Reader) error {
			names, err := g.Names(t.Context(), r, codes...)
			if len(names) != 420 || names["10419"] != "Trạm y tế số 419" {
				t.Errorf("%d names", len(names))
			}
			return err
		})
	})
}

// TestWhoSeesNames: the register is there for each role that sees records with facility codes in them.
func TestWhoSeesNames(t *testing.T) {
	s, err := sqlstore.Open(t.Context(), sqlstore.Options{Dir: t.TempDir(), Key: bytes.Repeat([]byte{7}, 32)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	g := registry.New(registry.Deps{Store: s, IDs: s.Namespace()})
	var list []registry.Facility
	for _, f := range synth.New(synth.Options{}).Facilities() {
		list = append(list, registry.Facility{Code: f.Code, Name: f.Name, Level: f.Level})
	}
	if err := g.Put(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	for role, purpose := range map[string]string{
		trust.RoleCitizen: trust.OwnRequest, trust.RoleDepartment: trust.Operations, trust.RoleHospital: trust.Payment, trust.RoleStation: trust.Treatment,
	} {
		ctx := trust.With(t.Context(), trust.Principal{Agent: store.Agent{Kind: store.Staff, ID: "p", Role: role, Facility: "25901"}})
		a, err := trust.NewGate(alone{}).Access(ctx, purpose)
		if err != nil {
			t.Fatal(err)
		}
		view(t, s, a, func(r store.Reader) error {
			names, err := g.Names(ctx, r, "25001")
			if names["25001"] == "" {
				t.Errorf("%s does not see the name", role)
			}
			return err
		})
	}
}

// TestRefusals: what is no facility is not half stored.
func TestRefusals(t *testing.T) {
	s, err := sqlstore.Open(t.Context(), sqlstore.Options{Dir: t.TempDir(), Key: bytes.Repeat([]byte{7}, 32)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	g := registry.New(registry.Deps{Store: s, IDs: s.Namespace()})
	good := registry.Facility{Code: "25001", Name: "Bệnh viện"}
	for _, tt := range []struct {
		bad  registry.Facility
		want outcome.Kind
	}{
		{registry.Facility{Code: " ", Name: "x"}, outcome.Required}, {registry.Facility{Code: "25002"}, outcome.Required},
		{registry.Facility{Code: "25002", Name: "x", Level: "moon"}, outcome.Value},
	} {
		if err := g.Put(t.Context(), []registry.Facility{good, tt.bad}); outcome.KindOf(err) != tt.want {
			t.Errorf("%+v: %v", tt.bad, err)
		}
	}
	view(t, s, storetest.All, func(r store.Reader) error {
		list, err := g.Facilities(t.Context(), r)
		if len(list) != 0 {
			t.Errorf("%d facilities", len(list))
		}
		return err
	})
}

// alone is a person of one record.
type alone struct{}

func (alone) Expand(_ context.Context, golden string) ([]string, error) { return []string{golden}, nil }
