package exchange

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
)

// send posts a notification Bundle.
func (s *Service) send(ctx context.Context, sub *subscription, bundle []byte) error {
	body, err := inFormat(bundle, sub.Spec.Mime)
	if err != nil {
		return err
	}
	return s.call(ctx, sub, http.MethodPost, sub.Spec.Endpoint, sub.Spec.Mime, body)
}

// sendPlain notifies as R4 by itself does: an empty POST, or with a payload the
// resource as an update (FHIR R4 subscription.html#rest-hook).
func (s *Service) sendPlain(ctx context.Context, sub *subscription, e shown) error {
	if sub.Spec.Mime == "" {
		return s.call(ctx, sub, http.MethodPost, sub.Spec.Endpoint, "", nil)
	}
	if !e.focus || e.body == nil {
		return nil // not to be seen any more
	}
	body, err := inFormat(e.body, sub.Spec.Mime)
	if err != nil {
		return err
	}
	at, err := url.JoinPath(sub.Spec.Endpoint, e.Key.Type, e.Key.ID)
	if err != nil {
		return errEndpointForm.Because(err)
	}
	return s.call(ctx, sub, http.MethodPut, at, sub.Spec.Mime, body)
}

// call sends one request to an endpoint that the operator still allows.
func (s *Service) call(ctx context.Context, sub *subscription, method, address, mime string, body []byte) error {
	_, entry, err := s.Endpoints.admit(address)
	if err != nil {
		return err
	}
	secret, err := s.secretOf(sub)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return errEndpointForm.Because(err)
	}
	for _, name := range sub.Spec.Headers {
		req.Header.Set(name, secret[strings.ToLower(name)])
	}
	if len(body) > 0 {
		req.Header.Set("Content-Type", mime+"; charset=utf-8")
	}
	req.Header.Set("User-Agent", "ytso")
	c := s.Endpoints.client(entry)
	defer c.CloseIdleConnections()
	resp, err := c.Do(req)
	if err != nil {
		if e := (*outcome.Error)(nil); errors.As(err, &e) {
			return e
		}
		return errUnreachable.Because(reason(err))
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // what it says is not looked at
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return errAnswer.Because(fmt.Errorf("status %d", resp.StatusCode))
	}
	return nil
}

// reason is why a call failed without its address, which may hold a secret.
func reason(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
