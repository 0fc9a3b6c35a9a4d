package claims

import (
	"bytes"
	"context"
	"encoding/csv"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/blob"
	"github.com/ytso/ytso/internal/platform/i18n"
	"github.com/ytso/ytso/internal/platform/sheet"
	"github.com/ytso/ytso/vn/claim/check"
)

// original is GET /giam-dinh/{maGiaoDich}/ban-goc: the bytes as they were received.
func (s *Service) original(w http.ResponseWriter, r *http.Request) error {
	p, a, err := s.caller(r, store.CanRead)
	if err != nil {
		return err
	}
	var rec Receipt
	var body []byte
	err = s.Store.View(r.Context(), a, func(rd store.Reader) (err error) {
		rd.Audit(store.Note{Action: "claims.original", Entity: r.PathValue("maGiaoDich")})
		if rec, err = findReceipt(r.Context(), rd, r.PathValue("maGiaoDich"), p.Agent.Facility); err != nil {
			return err
		}
		body, err = blob.Get(r.Context(), rd, rec.Blob)
		return err
	})
	if err != nil {
		return err
	}
	attach(w, "application/octet-stream", fileName(rec))
	_, _ = w.Write(body) // the caller has gone: nobody is left to tell
	return nil
}

// fileName is the name under which the original was sent, else one made of its number.
func fileName(r Receipt) string {
	name := path.Base(strings.ReplaceAll(r.Name, `\`, "/"))
	if name == "." || name == "/" {
		return r.ID + ".xml"
	}
	return name
}

func attach(w http.ResponseWriter, contentType, name string) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	w.Header().Set("Cache-Control", "no-store")
}

// maxLines bounds the lines of one list of findings.
const maxLines = 200_000

// findingsCSV is GET /giam-dinh/{maGiaoDich}/loi.csv: all findings as a table for a spreadsheet.
func (s *Service) findingsCSV(w http.ResponseWriter, r *http.Request) error {
	p, a, err := s.caller(r, store.CanRead)
	if err != nil {
		return err
	}
	ctx, id := r.Context(), r.PathValue("maGiaoDich")
	var list []check.Finding
	err = s.Store.View(ctx, a, func(rd store.Reader) (err error) {
		rd.Audit(store.Note{Action: "claims.findings", Entity: id})
		if _, err = findReceipt(ctx, rd, id, p.Agent.Facility); err != nil {
			return err
		}
		list, err = listFindings(ctx, rd, id, 0, 1<<40, maxLines)
		return err
	})
	if err != nil {
		return err
	}
	b, err := spreadsheet(ctx, list)
	if err != nil {
		return err
	}
	attach(w, "text/csv; charset=utf-8", "loi-"+id+".csv")
	_, _ = w.Write(b) // the caller has gone: nobody is left to tell
	return nil
}

// spreadsheet writes findings as CSV with a byte-order mark, without which
// spreadsheets take Vietnamese letters for others.
func spreadsheet(ctx context.Context, list []check.Finding) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("\ufeff")
	out := csv.NewWriter(&b)
	out.UseCRLF = true
	head := []string{"hoso", "ma-lk", "severity", "rule", "table", "row", "field", "sentence", "mend"}
	for i, k := range head {
		head[i] = i18n.T(ctx, "claims.column."+k)
	}
	if err := out.Write(head); err != nil {
		return nil, err
	}
	for _, f := range list {
		line := []string{
			blankZero(f.HOSO), f.MA_LK, i18n.T(ctx, "claims.severity."+string(f.Severity)), f.Rule, f.Table, blankZero(f.Row), f.Field,
			i18n.Pick(ctx, f.VI, f.EN), f.MendVI,
		}
		for i := range line {
			line[i] = sheet.Cell(line[i])
		}
		if err := out.Write(line); err != nil {
			return nil, err
		}
	}
	out.Flush()
	return b.Bytes(), out.Error()
}

func blankZero(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
