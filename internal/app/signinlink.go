package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"

	"github.com/ytso/ytso/internal/platform/clock"
	"github.com/ytso/ytso/internal/trust"
)

func signInLinkCommand() command {
	return command{
		name:    "signin-link",
		summary: "an address that signs one person in once",
		define: func(f *flag.FlagSet) func(context.Context, Streams, []string) error {
			c := signInLink{}
			c.flags(f)
			f.StringVar(&c.who.Role, "role", "", strings.Join(linkRoles, ", "))
			f.StringVar(&c.who.Facility, "facility", "", "code of the facility, for doctor, station and hospital")
			f.StringVar(&c.who.Person, "person", "", "id of the person's golden Patient, for citizen")
			f.StringVar(&c.who.Name, "name", "", "as shown in the corner of the page and in the log of access")
			f.StringVar(&c.url, "url", "http://localhost:8080", "address of the server as the person reaches it")
			return c.run
		},
	}
}

// linkRoles are the roles that a person can sign in with.
var linkRoles = []string{trust.RoleCitizen, trust.RoleDoctor, trust.RoleStation, trust.RoleHospital, trust.RoleDepartment, trust.RoleAdmin}

type signInLink struct {
	place
	who linkFor
	url string
}

func (c *signInLink) check(args []string) error {
	atFacility := slices.Contains([]string{trust.RoleDoctor, trust.RoleStation, trust.RoleHospital}, c.who.Role)
	switch {
	case len(args) > 0:
		return usagef("signin-link takes no word %q", args[0])
	case !slices.Contains(linkRoles, c.who.Role):
		return usagef("--role wants one of %s", strings.Join(linkRoles, ", "))
	case atFacility && c.who.Facility == "":
		return usagef("role %s needs --facility CODE", c.who.Role)
	case c.who.Role == trust.RoleCitizen && c.who.Person == "":
		return usagef("role citizen needs --person GOLDEN-ID")
	}
	return nil
}

func (c *signInLink) run(ctx context.Context, std Streams, args []string) error {
	if err := c.check(args); err != nil {
		return err
	}
	op, err := c.operator(ctx, std)
	if err != nil {
		return err
	}
	l, err := op.SignInLink(ctx, c.who)
	if err = errors.Join(err, op.Close()); err != nil {
		return err
	}
	fmt.Fprintln(std.Out, strings.TrimSuffix(c.url, "/")+l.Path)
	until := l.Expires.In(clock.VietNam).Format("15:04 02/01/2006")
	fmt.Fprintf(std.Err, "Dùng được một lần, đến %s.\nGood once, until %s.\n", until, until)
	return nil
}
