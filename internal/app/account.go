package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
)

func accountCommand() command {
	return command{
		name: "account", args: "add",
		summary: "machine account of a hospital's sender; prints its secret once",
		define: func(f *flag.FlagSet) func(context.Context, Streams, []string) error {
			c := accountAdd{}
			c.flags(f)
			f.StringVar(&c.facility, "facility", "", "code of the facility (MA_CSKCB) that sends")
			return c.run
		},
	}
}

type accountAdd struct {
	place
	facility string
}

func (c *accountAdd) run(ctx context.Context, std Streams, args []string) error {
	if len(args) != 1 || args[0] != "add" {
		return usagef("account knows one word: add")
	}
	if c.facility == "" {
		return usagef("account add needs --facility CODE")
	}
	op, err := c.operator(ctx, std)
	if err != nil {
		return err
	}
	a, err := op.AddAccount(ctx, c.facility)
	if err = errors.Join(err, op.Close()); err != nil {
		return err
	}
	fmt.Fprintf(std.Out, "username: %s\npassword: %s\n", a.User, a.Secret)
	fmt.Fprint(std.Err, "Mật khẩu chỉ hiện một lần; phần mềm gửi MD5 của nó, viết hoa.\n"+
		"The password is shown once; the sender sends its MD5 in upper-case hex.\n")
	return nil
}
