package door

import (
	"net/http"
	"slices"

	"github.com/ytso/ytso/internal/platform/httpx"
	"github.com/ytso/ytso/internal/trust"
	"github.com/ytso/ytso/internal/trust/authn"
)

// devicesView is the page of the devices that are signed in.
type devicesView struct {
	List   []authn.Device
	Others bool // there is a device beside this one
	Shared bool // the account is that of a desk
	Done   bool // something was just ended
}

// devices is GET /thiet-bi.
func (d *Door) devices(w http.ResponseWriter, r *http.Request) error {
	list, err := d.Authn.Devices(r.Context())
	if err != nil {
		return err
	}
	slices.SortStableFunc(list, func(a, b authn.Device) int { // this one first, then the latest seen
		switch {
		case a.Here:
			return -1
		case b.Here:
			return 1
		}
		return 0
	})
	p, _ := trust.From(r.Context())
	v := devicesView{List: list, Shared: p.Agent.Role != trust.RoleCitizen, Done: r.URL.Query().Get("xong") != ""}
	for _, x := range list {
		v.Others = v.Others || !x.Here
	}
	return httpx.HTML(w, r, http.StatusOK, devicesPage(v))
}

// revoke is POST /thiet-bi: one device (id), or all others (khac).
func (d *Door) revoke(w http.ResponseWriter, r *http.Request) (err error) {
	if r.PostFormValue("khac") != "" {
		_, err = d.Authn.RevokeOthers(r.Context())
	} else {
		err = d.Authn.Revoke(r.Context(), r.PostFormValue("id"))
	}
	if err != nil {
		return err
	}
	return httpx.Redirect(w, r, "/thiet-bi?xong=1")
}
