package exchange

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/trust"
)

const (
	maxImport  = 2 << 30  // bytes of one upload
	maxLine    = 16 << 20 // bytes of one resource in it
	importPart = 4 << 20  // bytes kept, and read again, at a time
)

var (
	errNDJSON = outcome.New(outcome.NotSupported, "exchange.import-type",
		"Gửi thẳng tệp NDJSON làm thân yêu cầu (application/fhir+ndjson). Máy chủ không tự tải tệp từ địa chỉ khác.",
		"Send the NDJSON file itself as the body (application/fhir+ndjson). This server fetches no file from another address.")
	errOperatorOnly = outcome.New(outcome.Forbidden, "exchange.operator-only",
		"Chỉ người vận hành (mã truy cập không gắn cơ sở) được nhập dữ liệu hàng loạt.",
		"Only the operator (a token without facility) may import in bulk.")
	errLongLine = outcome.New(outcome.TooLong, "exchange.long-line",
		"Có dòng dài quá 16 MB.", "A line is longer than 16 MB.")
	errNoLines = outcome.New(outcome.Structure, "exchange.no-lines",
		"Tệp không có dòng nào.", "The file has no line.")
)

// importPlace is how far an import has come: lines before it are written or told of.
type importPlace struct {
	Part  int64 // that is read next, from 1
	Lines int   // before it
	File  file  // of faults
}

// startImport takes an NDJSON file in and answers where its progress is told
// (kick-off and status as in FHIR R4 async.html). The file is kept, in pieces,
// before the answer: what was acknowledged survives a restart.
func (s *Service) startImport(w http.ResponseWriter, r *http.Request) error {
	if p, _ := trust.From(r.Context()); p.Agent.Facility != "" || p.Scopes == nil {
		return errOperatorOnly
	}
	if !prefers(r, "respond-async") {
		return errNoAsync
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || !slices.Contains([]string{"application/fhir+ndjson", "application/ndjson", "application/x-ndjson"}, kind) {
		return errNDJSON
	}
	if _, err := s.access(r.Context()); err != nil {
		return err
	}
	jobID, err := s.enqueue(r.Context(), kindImport, base(r)+"/$import", struct{}{}, importPlace{Part: 1, File: file{N: 1}}, s.receiving)
	if err != nil {
		return err
	}
	if err := s.receive(r, jobID); err != nil {
		return errors.Join(err, s.cancel(context.WithoutCancel(r.Context()), s.system, jobID, ""))
	}
	w.Header().Set("Content-Location", base(r)+"/$job/"+jobID)
	w.WriteHeader(http.StatusAccepted)
	return nil
}

// receiving holds a job back until its file is here whole. One whose upload was
// cut off by the end of the process is taken away when its time is over.
func (s *Service) receiving(tx store.Tx, jobID string) error {
	_, err := tx.Exec(context.Background(), `UPDATE exchange_job SET state = 'receiving', expires = $2 WHERE id = $1`,
		jobID, s.Clock.Now().Add(keptFor).UnixMilli())
	return err
}

// receive keeps the body in pieces of whole lines, then lets the job begin.
func (s *Service) receive(r *http.Request, jobID string) error {
	in := bufio.NewReaderSize(r.Body, 1<<20)
	f := file{N: 1, Role: roleInput}
	for {
		lines, n, err := wholeLines(in)
		if err != nil && err != io.EOF {
			var long *http.MaxBytesError
			if errors.As(err, &long) || errors.Is(err, errLongLine) {
				return err
			}
			return errBody.Because(err)
		}
		if len(lines) > 0 {
			p := f.add(lines, n)
			keep := func(tx store.Tx) error {
				tx.Audit(store.Note{Action: "exchange.import.receive", Entity: jobID})
				return p.put(r.Context(), tx, jobID)
			}
			if err := s.Store.Update(r.Context(), s.system, keep); err != nil {
				return err
			}
		}
		if err == io.EOF {
			break
		}
	}
	if f.Parts == 0 {
		return errNoLines
	}
	err := s.Store.Update(r.Context(), s.system, func(tx store.Tx) error {
		tx.Audit(store.Note{Action: "exchange.import.received", Entity: jobID})
		_, err := tx.Exec(r.Context(), `UPDATE exchange_job SET state = 'waiting', expires = 0, updated = $2 WHERE id = $1 AND state = 'receiving'`,
			jobID, s.Clock.Now().UnixMilli())
		return err
	})
	if err == nil {
		s.wake()
	}
	return err
}

// wholeLines reads lines until there is enough for a piece. io.EOF comes with the last.
func wholeLines(in *bufio.Reader) (lines []byte, n int64, err error) {
	for len(lines) < importPart {
		begun := len(lines)
		for {
			part, err := in.ReadSlice('\n')
			lines = append(lines, part...)
			if len(lines)-begun > maxLine {
				return nil, 0, errLongLine
			}
			if err == bufio.ErrBufferFull {
				continue
			}
			if err != nil {
				if len(lines) > begun {
					n++
				}
				return lines, n, err
			}
			break
		}
		n++
	}
	return lines, n, nil
}

// importSlice takes one piece in, under the operator's right as it is now, and
// keeps what was wrong with which line.
func (s *Service) importSlice(ctx context.Context, j *Job) (st step, err error) {
	defer outcome.Wrap(&err, "exchange.import %s", j.ID)
	var at importPlace
	if err := json.Unmarshal(j.Place, &at); err != nil {
		return st, err
	}
	a, err := s.behalf(ctx, j.Principal, j.ID)
	if err != nil {
		return st, err
	}
	var body []byte
	var in file
	err = s.Store.View(ctx, s.system, func(r store.Reader) error {
		list, err := files(ctx, r, j.ID)
		if err != nil {
			return err
		}
		for _, f := range list {
			if f.Role == roleInput {
				in = f
			}
		}
		body, err = part(ctx, r, j.ID, in.N, at.Part)
		return err
	})
	if err != nil {
		return st, err
	}
	t, err := s.Take(ctx, a, "", ndjson(body))
	if err != nil {
		return st, err
	}
	faults := faultLines(t.Faults, at.Lines)
	at.Part, at.Lines = at.Part+1, at.Lines+bytes.Count(body, []byte("\n"))
	st = step{Done: int64(t.Written + t.Unchanged), Note: fmt.Sprintf("line %d", at.Lines), End: at.Part > in.Parts}
	if len(faults) > 0 {
		p := at.File.grow(roleError, "OperationOutcome").add(faults, int64(len(t.Faults)))
		at.File = p.file
		st.Write = func(ctx context.Context, tx store.Tx) error { return p.put(ctx, tx, j.ID) }
	}
	st.Place = at
	return st, nil
}

// faultLines are faults as OperationOutcomes, one a line, each with the line that it is of.
func faultLines(list []Fault, before int) (out []byte) {
	for _, f := range list {
		line := fmt.Sprintf("line %d", before+f.Place)
		issue := r4.Object{
			{Name: "severity", Value: "error"}, {Name: "code", Value: strings.Replace(string(f.Kind), "stale", "conflict", 1)},
			{Name: "details", Value: r4.Object{{Name: "text", Value: f.EN}}}, {Name: "diagnostics", Value: line},
			{Name: "expression", Value: f.Expression},
		}
		out = append(r4.Object{{Name: "resourceType", Value: "OperationOutcome"}, {Name: "issue", Value: []r4.Object{issue}}}.AppendJSON(out), '\n')
	}
	return out
}
