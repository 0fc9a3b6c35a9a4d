package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// witness is one outsider of one log.
type witness struct{ key, memory, log, vkey, tokenFile string }

// forkError is what must never be signed.
type forkError struct{ text string }

func (e forkError) Error() string { return e.text }

func forkf(format string, args ...any) error { return forkError{fmt.Sprintf(format, args...)} }

// makeKey makes the key file, mode 0600, and prints the verifier key. A file that is there is kept.
func makeKey(path, name string, out io.Writer) error {
	if path == "" || name == "" {
		return errUsage
	}
	skey, vkey, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(skey + "\n" + vkey + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	fmt.Fprintln(out, vkey)
	return nil
}

// keys are read from files and flags anew for each round.
type keys struct {
	own      note.Signer
	ownCheck note.Verifier
	log      note.Verifier
}

func (w *witness) keys() (k keys, err error) {
	if w.key == "" || w.memory == "" || w.log == "" || w.vkey == "" {
		return k, errUsage
	}
	b, err := os.ReadFile(w.key)
	if err != nil {
		return k, err
	}
	lines := strings.Split(string(b), "\n")
	if len(lines) < 2 {
		return k, fmt.Errorf("%s is not a key file", w.key)
	}
	if k.own, err = note.NewSigner(lines[0]); err != nil {
		return k, fmt.Errorf("%s: %w", w.key, err)
	}
	if k.ownCheck, err = note.NewVerifier(lines[1]); err != nil {
		return k, fmt.Errorf("%s: %w", w.key, err)
	}
	k.log, err = note.NewVerifier(w.vkey)
	return k, err
}

// checkpoint is a note with what it says.
type checkpoint struct {
	note *note.Note
	tree tlog.Tree
}

// read opens a checkpoint that all of the keys must have signed.
func read(msg []byte, must ...note.Verifier) (c checkpoint, err error) {
	if c.note, err = note.Open(msg, note.VerifierList(must...)); err != nil {
		return c, err
	}
	for _, v := range must {
		if !signed(c.note, v) {
			return c, fmt.Errorf("it is not signed by %s", v.Name())
		}
	}
	lines := strings.Split(c.note.Text, "\n")
	if len(lines) != 4 || lines[0] != must[0].Name() || lines[3] != "" {
		return c, errors.New("it is not a checkpoint of this log")
	}
	if c.tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil || c.tree.N < 1 {
		return c, errors.New("its size is no number")
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return c, errors.New("its root is no hash")
	}
	copy(c.tree.Hash[:], root)
	return c, nil
}

func signed(n *note.Note, v note.Verifier) bool {
	for _, s := range n.Sigs {
		if s.Name == v.Name() && s.Hash == v.KeyHash() {
			return true
		}
	}
	return false
}

// once does one round and prints the co-signed checkpoint.
func (w *witness) once(ctx context.Context, out io.Writer) error {
	k, err := w.keys()
	if err != nil {
		return err
	}
	server, err := w.server()
	if err != nil {
		return err
	}
	msg, err := server.get(ctx, "/nhat-ky/checkpoint")
	if err != nil {
		return err
	}
	now, err := read(msg, k.log)
	if err != nil {
		return fmt.Errorf("the log's checkpoint: %w", err)
	}
	if err := w.continues(ctx, server, k, now); err != nil {
		var fork forkError
		if errors.As(err, &fork) { // kept beside the memory: both are signed by the log and convict it
			err = errors.Join(err, keep(w.memory+".fork", msg))
		}
		return err
	}
	if msg, err = note.Sign(&note.Note{Text: now.note.Text, Sigs: now.note.Sigs}, k.own); err != nil {
		return err
	}
	if err := keep(w.memory, msg); err != nil { // before anybody sees it: what was signed is never forgotten
		return err
	}
	fmt.Fprintf(out, "%s\n", msg)
	return server.post(ctx, "/nhat-ky/cosignature", msg)
}

// continues says that a checkpoint does not contradict the one in memory.
// Without a memory the first is believed.
func (w *witness) continues(ctx context.Context, server server, k keys, now checkpoint) error {
	msg, err := os.ReadFile(w.memory)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	before, err := read(msg, k.log, k.ownCheck)
	if err != nil {
		return fmt.Errorf("%s, this witness's memory, is damaged, or of another key: %w", w.memory, err)
	}
	switch {
	case now.tree == before.tree:
		return nil
	case now.tree.N < before.tree.N:
		return forkf("Nhật ký từng có %d dòng, nay chỉ còn %d: bản cũ được khôi phục hoặc bị cắt.\nThe log had %d rows and now has %d: an older copy was put back, or it was cut.",
			before.tree.N, now.tree.N, before.tree.N, now.tree.N)
	case now.tree.N == before.tree.N:
		return forkf("Có hai nhật ký khác nhau cùng dài %d dòng.\nThere are two different logs of %d rows.", now.tree.N, now.tree.N)
	}
	b, err := server.get(ctx, fmt.Sprintf("/nhat-ky/proof?old=%d&size=%d", before.tree.N, now.tree.N))
	if err != nil {
		return err
	}
	var proof struct{ Proof tlog.TreeProof }
	if err := json.Unmarshal(b, &proof); err != nil {
		return fmt.Errorf("the proof: %w", err)
	}
	if err := tlog.CheckTree(proof.Proof, now.tree.N, now.tree.Hash, before.tree.N, before.tree.Hash); err != nil {
		return forkf("Nhật ký %d dòng không nối tiếp nhật ký %d dòng đã ký trước đây.\nThe log of %d rows does not continue the log of %d rows that was signed before.",
			now.tree.N, before.tree.N, now.tree.N, before.tree.N)
	}
	return nil
}

// keep replaces a file as a whole, and it is on disk when keep returns.
func keep(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".witness-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
