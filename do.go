package tosspayments

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Request is a call of an endpoint that the library has no method for.
type Request struct {
	// Name names the call in errors and logs; "" is the method and the beginning of the
	// path.
	Name string
	// Method is an HTTP method in capitals.
	Method string
	// Path starts with a slash and is percent-encoded already.
	Path  string
	Query url.Values
	// Header is sent in addition, and Authorization in place of the secret key's. Give an
	// idempotency key with [WithIdempotencyKey].
	Header http.Header
	// Body is encoded as JSON, with the texts of what is [Sensitive] in it; bytes are sent
	// as they are, and nil means no body.
	Body any
	// Seal makes the bytes of each attempt from those of Body, and Open the JSON from
	// those of an answer; both may be nil. An error answer that Open refuses is read
	// as it is.
	Seal, Open func([]byte) ([]byte, error)
	// Timeout bounds one attempt where the client has no [WithTimeout]; 0 is 15 seconds.
	Timeout time.Duration
	// Find looks for the effect of the call where the answers do not decide it. False
	// without an error says that it saw none. A [*MismatchError] ends the call; any other
	// error says that it does not know. It is used by [Client.Do] only, and never for a
	// read.
	Find func(ctx context.Context) (found bool, err error)
	// Compare says what a payment that stands under the order id has other than what the
	// call makes, beyond amount and currency; nil if nothing. It is used by
	// [Client.DoPayment] without a payment key only, and may be nil.
	Compare func(p *Payment) *MismatchError
	// MovesNothing says that no money is at stake. A refusal is then believed also under
	// an idempotency key that an earlier call may have used, except one about keys or
	// contract, which says nothing about that call.
	MovesNothing bool
}

// Do makes a call with the client's authentication, limits, retries and errors.
//
// The answer is decoded into out. Fields that cannot be read stay zero, and are named in
// [Response.Unread]. Of an answer of API v2 (a path that begins with /v2/) out gets the
// entityBody. If out is a func([]byte) (unread []string, err error), it decodes the
// answer itself; its error means that the answer is not usable. If out is nil, the answer
// is not read.
//
// GET and HEAD are reads. Every other method may change something, so that an answer
// which does not decide it gives an [*OutcomeUnknownError]. POST carries an idempotency
// key and is sent again under it, DELETE is sent again too, and others are not.
//
// A refusal is believed only where no earlier attempt, and no earlier call under the same
// key, can have had the effect. Otherwise req.Find decides: if it finds the effect, the
// call has happened, and Do returns nil without having filled out. If two looks find
// nothing, a refusal is believed, also one with a code that the library does not know.
// Without Find there is nothing to look up, and the outcome is unknown. For what is
// answered with a payment use [Client.DoPayment].
func (c *Client) Do(ctx context.Context, req Request, out any, opts ...CallOption) error {
	call, err := c.newRequestCall(ctx, req, opts)
	switch {
	case err != nil && isRead(req.Method):
		return asRead(err)
	case err != nil:
		return err
	case isRead(req.Method):
		return c.read(ctx, call, req.decoder(out))
	}
	_, err = c.resolve(ctx, call, plan{
		decode: req.decoder(out), search: req.Find, movesNothing: req.MovesNothing,
		once: req.Method != http.MethodPost && req.Method != http.MethodDelete,
	})
	return err
}

// decoder decodes an answer into out.
func (r *Request) decoder(out any) func([]byte) ([]string, error) {
	decode, ok := out.(func([]byte) ([]string, error))
	switch {
	case out == nil:
		decode = func([]byte) ([]string, error) { return nil, nil }
	case !ok:
		decode = decodeInto(out)
	}
	if !strings.HasPrefix(r.Path, "/v2/") {
		return decode
	}
	return func(body []byte) ([]string, error) {
		body, err := entityBody(body)
		if err != nil {
			return nil, err
		}
		return decode(body)
	}
}

// entityBody takes the envelope of API v2 off. An answer without one is left as it is.
func entityBody(body []byte) ([]byte, error) {
	var envelope struct {
		EntityBody json.RawMessage `json:"entityBody"`
		Error      json.RawMessage `json:"error"`
	}
	switch err := json.Unmarshal(body, &envelope); {
	case err != nil:
		return body, nil
	case len(envelope.Error) > 0 && string(envelope.Error) != "null":
		return nil, errAnswered
	case len(envelope.EntityBody) == 0:
		return body, nil
	}
	return envelope.EntityBody, nil
}

// errAnswered is the problem of a 2xx answer that holds an error.
var errAnswered = error(sentinel("it is an error with the status of a success"))

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
	return c.resolve(ctx, call, order{
		id: want.OrderID, amount: want.Amount, currency: want.Currency, language: c.language, differs: req.Compare,
	}.plan())
}

func (c *Client) newRequestCall(ctx context.Context, req Request, opts []CallOption) (*call, error) {
	if err := req.validate(); err != nil {
		return nil, err
	}
	op := &operation{method: req.Method, template: pathTemplate(req.Path), timeout: moneyTimeout}
	op.name = cmp.Or(req.Name, op.method+" "+op.template)
	switch req.Method {
	case http.MethodGet, http.MethodHead:
		op.timeout = readTimeout
	case http.MethodPost, http.MethodDelete:
	default:
		op.timeout = onlyAttemptTimeout
	}
	if req.Timeout > 0 {
		op.timeout = req.Timeout
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
