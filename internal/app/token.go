package app

import (
	"context"
	"flag"
	"fmt"
	"time"

	"github.com/ytso/ytso/internal/trust"
	"github.com/ytso/ytso/internal/trust/authn"
)

func tokenCommand() command {
	return command{
		name:    "token",
		summary: "a bearer token for the interfaces, made with the key file alone",
		define: func(f *flag.FlagSet) func(context.Context, Streams, []string) error {
			c := token{}
			c.keyFlag(f)
			f.StringVar(&c.scope, "scope", "", `what it may do, for example "system/*.cruds" or "system/Patient.rs"`)
			f.StringVar(&c.facility, "facility", "", "code of the facility whose records it reaches (default: all)")
			f.DurationVar(&c.ttl, "ttl", time.Hour, "how long it holds, at most 24h")
			return c.run
		},
	}
}

type token struct {
	place
	scope, facility string
	ttl             time.Duration
}

func (c *token) run(ctx context.Context, std Streams, args []string) error {
	if len(args) > 0 {
		return usagef("token takes no word %q", args[0])
	}
	if _, err := trust.ParseScopes(c.scope); err != nil {
		return usagef(`--scope wants system/TYPE.cruds, for example "system/*.cruds"`)
	}
	keys, err := c.keys()
	if err != nil {
		return err
	}
	s, err := authn.New(authn.Deps{Keys: keys}) // signing asks nothing of a store
	if err != nil {
		return err
	}
	text, err := s.IssueToken(ctx, c.scope, c.facility, c.ttl)
	if err != nil {
		return err
	}
	fmt.Fprintln(std.Out, text)
	return nil
}
