package ledger

import (
	"context"
	"regexp"

	"golang.org/x/mod/sumdb/note"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/trust"
)

var (
	errWitnessKey = outcome.New(outcome.Value, "ledger.witness-key",
		"Khóa của bên làm chứng phải có dạng tên+mã+khóa, như chương trình làm chứng in ra.",
		"The key of a witness reads name+hash+key, as the witness program prints it.")
	errWitnessTwice = outcome.New(outcome.Conflict, "ledger.witness-twice",
		"Đã có bên làm chứng mang tên này.", "There is a witness of this name already.")
	errNoWitness = outcome.New(outcome.Forbidden, "ledger.no-witness",
		"Không có chữ ký của bên làm chứng nào đã đăng ký.", "It is signed by no witness that is registered.")
	errUnknownCheckpoint = outcome.New(outcome.Conflict, "ledger.unknown-checkpoint",
		"Điểm chốt này khác với điểm chốt mà nhật ký đang giữ.", "This checkpoint differs from what the log holds.")
)

var witnessName = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z./_-]{0,63}$`)

// AddWitness registers an outsider's verifier key, whose co-signatures are
// kept from now on. outcome.Conflict for a name that is taken.
func (l *Ledger) AddWitness(ctx context.Context, vkey string) (name string, err error) {
	defer outcome.Wrap(&err, "ledger.AddWitness")
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return "", errWitnessKey.Because(err)
	}
	if !witnessName.MatchString(v.Name()) || v.Name() == l.verifier.Name() {
		return "", errWitnessKey
	}
	a, err := trust.System(trust.JobLedger)
	if err != nil {
		return "", err
	}
	return v.Name(), l.Base.Update(ctx, a, func(tx store.Tx) error {
		tx.Audit(store.Note{Action: "ledger.witness", Entity: v.Name(), Detail: vkey}) // a public key
		n, err := tx.Exec(ctx, `INSERT INTO ledger_witness (name, vkey, added) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING`,
			v.Name(), vkey, l.Clock.Now().UnixMilli())
		if err == nil && n == 0 {
			err = errWitnessTwice
		}
		return err
	})
}

func witnesses(ctx context.Context, r store.Reader) (list []note.Verifier, err error) {
	rows, err := r.Query(ctx, `SELECT vkey FROM ledger_witness ORDER BY name`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var vkey string
		if err := rows.Scan(&vkey); err != nil {
			return nil, err
		}
		v, err := note.NewVerifier(vkey)
		if err != nil {
			return nil, errWitnessKey.Because(err)
		}
		list = append(list, v)
	}
	return list, rows.Err()
}

// Cosign keeps the signatures of registered witnesses under a checkpoint that
// this log has signed. outcome.Conflict when the checkpoint is not the one the
// log holds: then there are two logs.
func (l *Ledger) Cosign(ctx context.Context, msg []byte) (err error) {
	defer outcome.Wrap(&err, "ledger.Cosign")
	return l.Base.Unaudited(ctx, func(tx store.Tx) error {
		known, err := witnesses(ctx, tx)
		if err != nil {
			return err
		}
		n, tree, err := l.open(msg, known...)
		if err != nil {
			return err
		}
		held, _, err := l.at(ctx, tx, `WHERE size = $1`, tree.N)
		if outcome.KindOf(err) == outcome.NotFound || err == nil && held != tree {
			return errUnknownCheckpoint
		}
		if err != nil {
			return err
		}
		kept := 0
		for _, s := range n.Sigs {
			if s.Name == l.verifier.Name() {
				continue
			}
			if _, err := tx.Exec(ctx, `INSERT INTO ledger_cosignature (size, name, at, line) VALUES ($1, $2, $3, $4) ON CONFLICT (size, name) DO NOTHING`,
				tree.N, s.Name, l.Clock.Now().UnixMilli(), "— "+s.Name+" "+s.Base64+"\n"); err != nil {
				return err
			}
			kept++
		}
		if kept == 0 {
			return errNoWitness
		}
		return nil
	})
}

// cosigned gives a checkpoint with the signatures of its witnesses.
func cosigned(ctx context.Context, r store.Reader, size int64, msg []byte) ([]byte, error) {
	rows, err := r.Query(ctx, `SELECT line FROM ledger_cosignature WHERE size = $1 ORDER BY name`, size)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return nil, err
		}
		msg = append(msg, line...)
	}
	return msg, rows.Err()
}
