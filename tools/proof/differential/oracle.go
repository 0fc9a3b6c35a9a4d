package main

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// version of the other engine.
const version = "4.6.0"

//go:embed oracle.mjs
var script []byte

// oracle is the other engine, a process that answers line by line.
type oracle struct {
	version string
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Scanner
	dir     string // to be removed
}

func start(dir string, expressions []string) (o *oracle, err error) {
	o = &oracle{version: version}
	if dir == "" {
		if dir, err = os.MkdirTemp("", "differential"); err != nil {
			return nil, err
		}
		o.dir = dir
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "fhirpath")); err != nil {
		text := fmt.Sprintf(`{"private":true,"dependencies":{"fhirpath":%q}}`, version)
		if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte(text), 0o644); err != nil {
			return nil, err
		}
		install := exec.Command("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts")
		install.Dir, install.Stderr = dir, os.Stderr
		if err := install.Run(); err != nil {
			return nil, err
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "oracle.mjs"), script, 0o644); err != nil {
		return nil, err
	}
	o.cmd = exec.Command("node", "oracle.mjs")
	o.cmd.Dir, o.cmd.Stderr = dir, os.Stderr
	if o.in, err = o.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := o.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	o.out = bufio.NewScanner(out)
	o.out.Buffer(nil, 1<<28)
	if err := o.cmd.Start(); err != nil {
		return nil, err
	}
	return o, o.send(map[string]any{"expressions": expressions})
}

func (o *oracle) send(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = o.in.Write(append(b, '\n'))
	return err
}

func (o *oracle) ask(resource []byte, which []int) ([]result, error) {
	if err := o.send(map[string]any{"resource": json.RawMessage(resource), "ask": which}); err != nil {
		return nil, err
	}
	if !o.out.Scan() {
		return nil, fmt.Errorf("the other engine ended: %w", o.out.Err())
	}
	var list []json.RawMessage
	if err := json.Unmarshal(o.out.Bytes(), &list); err != nil || len(list) != len(which) {
		return nil, fmt.Errorf("%d answers to %d questions: %w", len(list), len(which), err)
	}
	out := make([]result, len(list))
	for i, raw := range list {
		out[i] = readResult(raw)
	}
	return out, nil
}

func (o *oracle) close() {
	o.in.Close()
	o.cmd.Wait()
	if o.dir != "" {
		os.RemoveAll(o.dir)
	}
}
