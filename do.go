package tosspayments

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// Request is a call of an endpoint that the library has no method for.
type Request struct {
	// Method is an HTTP method in capitals.
	Method string
	// Path starts with a slash and is percent-encoded already.
	Path  string
	Query url.Values
	// Header is sent in addition, and Authorization in place of the secret key's. An
	// idempotency key belongs into [WithIdempotencyKey].
	Header http.Header
	// Body is encoded as JSON, with the texts of what is [Sensitive] in it; bytes are
	// sent as they are, and nil is no body.
	Body any
	// Seal makes the bytes of each attempt from those of Body, and Open the JSON from
	// those of an answer; both may be nil. An error answer that Open refuses is read
	// as it is.
	Seal, Open func([]byte) ([]byte, error)
}

// Do makes a call with the client's authentication, limits, retries and errors. out
// takes the decoded answer unless it is nil.
//
// GET and HEAD are reads. Every other method may change something, so that an answer
// which does not decide it gives an [*OutcomeUnknownError]: there is nothing to look
// up. POST carries an idempotency key and is sent again under it, DELETE is sent again
// too, and others are not. A refusal is believed only where no earlier attempt, and no
// earlier call under the same key, can have had the effect; for what is answered with a
// payment, [Client.DoPayment] can tell more.
func (c *Client) Do(ctx context.Context, req Request, out any, opts ...CallOption) error {
	call, err := c.newRequestCall(ctx, req, opts)
	if err != nil {
		return err
	}
	decode := func([]byte) ([]string, error) { return nil, nil }
	if out != nil {
		decode = func(body []byte) ([]string, error) { return nil, json.Unmarshal(body, out) }
	}
	if isRead(req.Method) {
		return c.read(ctx, call, decode)
	}
	_, err = c.resolve(ctx, call, plan{decode: decode, once: req.Method != http.MethodPost && req.Method != http.MethodDelete})
	return err
}

// DoPayment makes a call that is answered with a payment, and ends as
// [Client.ConfirmPayment] does: it is settled by want.PaymentKey or, where that is
// empty, by want.OrderID.
func (c *Client) DoPayment(ctx context.Context, req Request, want ConfirmPaymentRequest, opts ...CallOption) (*Payment, error) {
	if req.Method != http.MethodPost {
		return nil, &ValidationError{Field: "method", Reason: "must be POST"}
	}
	if err := want.validateOrder(); err != nil {
		return nil, err
	}
	if want.PaymentKey != "" {
		if err := checkNewPaymentKey(want.PaymentKey); err != nil {
			return nil, err
		}
	}
	call, err := c.newRequestCall(ctx, req, opts)
	if err != nil {
		return nil, err
	}
	if want.PaymentKey != "" {
		return c.resolve(ctx, call, c.confirmPlan(want))
	}
	return c.resolve(ctx, call, order{id: want.OrderID, amount: want.Amount, currency: want.Currency, language: c.language}.plan())
}

func (c *Client) newRequestCall(ctx context.Context, req Request, opts []CallOption) (*call, error) {
	if err := req.validate(); err != nil {
		return nil, err
	}
	op := &operation{method: req.Method, template: pathTemplate(req.Path), timeout: moneyTimeout}
	op.name = op.method + " " + op.template
	switch req.Method {
	case http.MethodGet, http.MethodHead:
		op.timeout = readTimeout
	case http.MethodPost, http.MethodDelete:
	default:
		op.timeout = onlyAttemptTimeout
	}
	call, err := c.newCall(ctx, op, req.Path, req.Body, opts)
	if err != nil {
		return nil, err
	}
	call.query, call.header = req.Query.Encode(), http.Header{}
	call.seal, call.open = req.Seal, req.Open
	for name, values := range req.Header {
		for _, value := range values {
			call.header.Add(name, value)
		}
	}
	for _, value := range call.header.Values("Authorization") {
		_, credentials, _ := strings.Cut(value, " ")
		call.secrets = append(call.secrets, value, credentials)
	}
	return call, nil
}

// pathTemplate keeps the first two segments: the others may be keys.
func pathTemplate(path string) string {
	parts := strings.SplitN(path, "/", 4)
	if len(parts) == 4 {
		parts[3] = "…"
	}
	return strings.Join(parts, "/")
}
