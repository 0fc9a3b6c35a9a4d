package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// server is the log's.
type server struct {
	base, token string
	client      *http.Client
}

// largest is more than any answer takes.
const largest = 64 << 10

func (w *witness) server() (s server, err error) {
	u, err := url.Parse(w.log)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return s, errUsage
	}
	s = server{base: strings.TrimSuffix(w.log, "/"), client: &http.Client{
		Timeout:       30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // the token goes nowhere else
	}}
	if w.tokenFile == "" {
		return s, nil
	}
	if ip := net.ParseIP(u.Hostname()); u.Scheme == "http" && u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return s, errors.New("the token is not sent without encryption: use https")
	}
	b, err := os.ReadFile(w.tokenFile)
	s.token = strings.TrimSpace(string(b))
	return s, err
}

func (s server) get(ctx context.Context, path string) ([]byte, error) {
	return s.do(ctx, http.MethodGet, path, nil)
}

func (s server) post(ctx context.Context, path string, body []byte) error {
	_, err := s.do(ctx, http.MethodPost, path, body)
	return err
}

func (s server) do(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, s.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if s.token != "" {
		req.Header.Set("Authorization", "Bearer "+s.token)
	}
	req.Header.Set("Accept", "application/json, text/plain")
	if body != nil {
		req.Header.Set("Content-Type", "text/plain; charset=utf-8")
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, largest+1))
	switch {
	case err != nil:
		return nil, err
	case resp.StatusCode >= 300:
		return nil, fmt.Errorf("%s %s answers %s: %.300s", method, path, resp.Status, answer)
	case len(answer) > largest:
		return nil, fmt.Errorf("%s %s answers too much", method, path)
	}
	return answer, nil
}
