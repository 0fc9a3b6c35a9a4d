package app

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"

	"github.com/ytso/ytso/fhir/fhirpath"
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

func fhirpathCommand() command {
	return command{
		name:    "fhirpath",
		summary: "answers FHIRPath questions, one JSON object a line (id, expression, resource), in the same order",
		define: func(f *flag.FlagSet) func(context.Context, Streams, []string) error {
			lines := f.Bool("jsonl", false, "questions on standard input, answers on standard output")
			return func(ctx context.Context, std Streams, args []string) error {
				if !*lines || len(args) > 0 {
					return usagef("fhirpath wants --jsonl and no further word")
				}
				return answerLines(ctx, std, answerFHIRPath)
			}
		},
	}
}

// question is a line of `ytso fhirpath --jsonl`.
type question struct {
	ID         json.RawMessage `json:"id"`
	Expression string          `json:"expression"`
	Resource   json.RawMessage `json:"resource"`
}

// answer is what it says: a result, which may be empty, or why there is none.
type answer struct {
	ID     json.RawMessage `json:"id"`
	Result *[]typedValue   `json:"result,omitempty"`
	Error  string          `json:"error,omitempty"`
}

// typedValue is one item. A value is always a string, so that 1.50 keeps its
// zero: a primitive as FHIRPath writes it, a complex element as JSON.
type typedValue struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

const maxLine = 64 << 20

// answerLines answers each line with one line; a line that is no question gets an error and the next is read.
func answerLines(ctx context.Context, std Streams, reply func(context.Context, []byte) any) error {
	in := bufio.NewScanner(std.In)
	in.Buffer(make([]byte, 0, 1<<16), maxLine)
	out := bufio.NewWriter(std.Out)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for in.Scan() {
		if err := ctx.Err(); err != nil {
			return errors.Join(err, out.Flush())
		}
		line := bytes.TrimSpace(in.Bytes())
		if len(line) == 0 {
			continue
		}
		if err := enc.Encode(reply(ctx, bytes.Clone(line))); err != nil {
			return err
		}
		if err := out.Flush(); err != nil { // whoever asks may wait for the answer before the next question
			return err
		}
	}
	return errors.Join(scanError(in.Err()), out.Flush())
}

func scanError(err error) error {
	if errors.Is(err, bufio.ErrTooLong) {
		return outcome.New(outcome.TooLong, "jsonl.line", "Một dòng dài quá 64 MB.", "A line is longer than 64 MB.")
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

func answerFHIRPath(ctx context.Context, line []byte) any {
	var q question
	if err := json.Unmarshal(line, &q); err != nil {
		return answer{ID: q.ID, Error: "jsonl: " + err.Error()}
	}
	result, err := evaluate(ctx, q)
	if err != nil {
		e := outcome.As(err)
		return answer{ID: q.ID, Error: e.Key + ": " + e.EN}
	}
	return answer{ID: q.ID, Result: &result}
}

func evaluate(ctx context.Context, q question) ([]typedValue, error) {
	e, err := fhirpath.Compile(q.Expression)
	if err != nil {
		return nil, err
	}
	var focus fhirpath.Item
	if len(q.Resource) > 0 && string(q.Resource) != "null" {
		d, err := r4.Parse(q.Resource)
		if err != nil {
			return nil, err
		}
		focus = fhirpath.Root(d)
	}
	items, err := e.Run(ctx, focus, nil)
	if err != nil {
		return nil, err
	}
	out := make([]typedValue, 0, len(items))
	for _, i := range items {
		v := typedValue{Type: i.TypeName(), Value: i.Text()}
		if i.Complex() {
			v.Value = string(i.Node.Raw())
		}
		out = append(out, v)
	}
	return out, nil
}
