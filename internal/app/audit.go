package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/ytso/ytso/internal/platform/clock"
	"github.com/ytso/ytso/internal/trust/keyfile"
	"github.com/ytso/ytso/internal/trust/ledger"
)

func auditCommand() command {
	return command{
		name: "audit", args: "verify | key | witness VKEY",
		summary: "verify: was the audit log changed, cut or put back; key: what witnesses pin; witness: register who co-signs",
		define: func(f *flag.FlagSet) func(context.Context, Streams, []string) error {
			c := auditing{}
			c.flags(f)
			f.Func("witness", "file of a witness outside with the newest checkpoint it has seen; may be given several times", func(path string) error {
				c.witnesses = append(c.witnesses, path)
				return nil
			})
			return c.run
		},
	}
}

type auditing struct {
	place
	witnesses []string
}

func (c *auditing) run(ctx context.Context, std Streams, args []string) error {
	word := ""
	if len(args) > 0 {
		word = args[0]
	}
	switch {
	case word == "verify" && len(args) == 1, word == "key" && len(args) == 1, word == "witness" && len(args) == 2:
	default:
		return usagef("audit knows: verify [--witness FILE]…, key, witness VKEY")
	}
	outside, err := c.outside()
	if err != nil {
		return err
	}
	if word == "verify" {
		return c.verify(ctx, std, outside)
	}
	op, err := c.operator(ctx, std)
	if err != nil {
		return err
	}
	switch word {
	case "key":
		var key string
		if key, err = op.LedgerKey(ctx, nothing{}); err == nil {
			fmt.Fprintln(std.Out, key)
		}
	case "witness":
		var name string
		if name, err = op.AddWitness(ctx, args[1]); err == nil {
			fmt.Fprintf(std.Out, "Đã ghi nhận bên làm chứng %s.\nWitness %s is registered.\n", name, name)
		}
	}
	return errors.Join(err, op.Close())
}

// outside reads the files of witnesses.
func (c *auditing) outside() (ledger.Notes, error) {
	notes := ledger.Notes{}
	for _, path := range c.witnesses {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		notes[path] = b
	}
	return notes, nil
}

// verify asks the server that has the folder open. Without one it opens the
// store and nothing else: a node would go on with the log, and sign it.
func (c *auditing) verify(ctx context.Context, std Streams, outside ledger.Notes) error {
	if err := c.settle(); err != nil {
		return err
	}
	var r ledger.Report
	var err error
	if server, ok := c.server(); ok {
		r, err = server.VerifyAudit(ctx, outside)
	} else {
		r, err = verifyAlone(ctx, c.options(std), outside)
	}
	if err != nil {
		return err
	}
	return tell(std.Out, r, len(outside))
}

func (c *auditing) server() (*remote, bool) {
	if c.data == "" {
		return nil, false
	}
	return dialControl(c.data)
}

func verifyAlone(ctx context.Context, o Options, outside ledger.Notes) (r ledger.Report, err error) {
	h := house{clock: clock.System{}, log: o.Log}
	if h.keys, err = keyfile.Open(o.Key); err != nil {
		return r, err
	}
	if err := h.openStore(ctx, o); err != nil {
		return r, err
	}
	l, err := ledger.New(ledger.Deps{Base: h.store, Keys: h.keys, Clock: h.clock, Log: h.log})
	if err == nil {
		r, err = l.Verify(ctx, outside)
	}
	return r, errors.Join(err, h.store.Close())
}

func tell(out io.Writer, r ledger.Report, outside int) error {
	for _, f := range r.Findings {
		fmt.Fprintf(out, "%s\n    %s\n", f.VI, f.EN)
	}
	if r.More > 0 {
		fmt.Fprintf(out, "… và %d điều nữa.\n    … and %d more.\n", r.More, r.More)
	}
	fmt.Fprintf(out, "Đã đối chiếu %d dòng, %d điểm chốt, %d chữ ký làm chứng, %d tệp của bên làm chứng; %d dòng chưa vào nhật ký băm, %d dòng chưa ký. Gốc: %s\n",
		r.Rows, r.Checkpoints, r.Cosignatures, outside, r.Waiting, r.Unsigned, r.Root)
	fmt.Fprintf(out, "Compared %d rows, %d checkpoints, %d co-signatures, %d files of witnesses; %d rows are not in the log yet, %d are not signed. Root: %s\n",
		r.Rows, r.Checkpoints, r.Cosignatures, outside, r.Waiting, r.Unsigned, r.Root)
	if len(r.Findings) > 0 {
		return errFindings
	}
	if outside == 0 {
		fmt.Fprint(out, "Không có tệp của bên làm chứng (--witness): ai giữ cả cơ sở dữ liệu lẫn khóa, hoặc khôi phục bản cũ, thì chưa bị phát hiện.\n"+
			"Without a witness's file (--witness) somebody who holds both database and key, or who put an older copy back, is not found.\n")
	}
	return nil
}

// LedgerKey is described at operator.
func (n *Node) LedgerKey(context.Context, nothing) (string, error) { return n.ledger.Key(), nil }

// AddWitness is described at operator.
func (n *Node) AddWitness(ctx context.Context, vkey string) (string, error) {
	return n.ledger.AddWitness(ctx, vkey)
}

// VerifyAudit is described at operator.
func (n *Node) VerifyAudit(ctx context.Context, outside ledger.Notes) (ledger.Report, error) {
	return n.ledger.Verify(ctx, outside)
}

func (r *remote) LedgerKey(ctx context.Context, _ nothing) (string, error) {
	return ask[string](ctx, r, "ledger-key", nothing{})
}

func (r *remote) AddWitness(ctx context.Context, vkey string) (string, error) {
	return ask[string](ctx, r, "add-witness", vkey)
}

func (r *remote) VerifyAudit(ctx context.Context, outside ledger.Notes) (ledger.Report, error) {
	return ask[ledger.Report](ctx, r, "verify-audit", outside)
}
