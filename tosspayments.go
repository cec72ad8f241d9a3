// Package tosspayments is a client of Toss Payments (토스페이먼츠), the Korean
// payment service.
//
// # A payment in four steps
//
// The server stores an order (an id from [NewOrderID] and the amount), the
// browser opens the payment window, Toss Payments redirects the buyer back, and
// the server confirms within ten minutes:
//
//	redirect, err := tosspayments.ParseSuccessURL(r.URL)
//	request, err := redirect.ConfirmRequest(order.Amount) // compares the amounts
//	payment, err := client.ConfirmPayment(ctx, request)
//
// # How a call that moves money ends
//
// Confirm, cancel and charge end in exactly one of these ways:
//
//   - a value: it happened.
//   - [*ValidationError], or a [*ConnectionError] that matches [ErrNotSent]:
//     nothing was sent.
//   - [*Error]: the server decided against it, and nothing has moved. Its
//     [ErrorCode] has a [Class], which tells who has to act.
//   - [*OutcomeUnknownError]: it cannot be known yet. It carries the idempotency
//     key and says what may safely be done next.
//   - [*MismatchError]: the answer is about other money or another payment. The
//     payment is attached and has to be looked at.
//
// A time-out is not a failure: the client repeats the request under one
// idempotency key where that is safe, and looks the payment up before it says
// anything else.
//
// # Webhooks
//
// An event is a hint that something has changed; few can prove where they come from,
// and a genuine one may be days old. [WebhookHandler] checks what can be checked, reads
// the payment, and hands both over; it answers 200 once your function has stored them.
//
// # Trying it without an account
//
// Package tosstest has a Toss Payments that runs inside the process.
package tosspayments

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Version is the version of this library; requests carry it as User-Agent.
const Version = "0.1.0"

const (
	defaultMaxRetries  = 2
	defaultSettleGrace = 5 * time.Second
	wholeCallTimeout   = 120 * time.Second
	moneyTimeout       = 60 * time.Second
	readTimeout        = 15 * time.Second
)

// Client calls Toss Payments with one secret key. It is safe for concurrent use;
// make one per key and keep it, since it keeps connections.
type Client struct {
	key        SecretKey
	base       *url.URL
	http       *http.Client
	maxRetries int
	timeout    time.Duration
	grace      time.Duration
	language   Language
	logger     *slog.Logger
	// A closure keeps the header's value, which is the key in another form, from
	// being printed with the Client.
	authorization func() []string
}

// New returns a client for a secret key (test_sk_…, live_sk_…, test_gsk_…,
// live_gsk_…). See [ParseSecretKey] for what is refused.
func New(secretKey string, opts ...Option) (*Client, error) {
	key, err := ParseSecretKey(secretKey)
	if err != nil {
		return nil, err
	}
	c := &Client{
		key:        key,
		base:       &url.URL{Scheme: "https", Host: "api.tosspayments.com"},
		maxRetries: defaultMaxRetries,
		grace:      defaultSettleGrace,
		language:   Korean,
	}
	authorization := []string{key.Authorization()}
	c.authorization = func() []string { return authorization }
	for _, opt := range opts {
		if opt == nil {
			return nil, &ValidationError{Field: "option", Reason: "must not be nil"}
		}
		if err := opt(c); err != nil {
			return nil, err
		}
	}
	c.http = ownHTTPClient(c.http)
	return c, nil
}

// ownHTTPClient returns a copy of client, or the default one for nil, that hands
// redirects back: a followed 302 would turn a POST into a GET.
func ownHTTPClient(client *http.Client) *http.Client {
	var own http.Client
	if client != nil {
		own = *client
	} else {
		own.Transport = newTransport()
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}

// newTransport is the default transport with room for many idle connections to
// one host: with the usual two, most calls of a busy backend dial again.
func newTransport() http.RoundTripper {
	transport, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return http.DefaultTransport
	}
	transport = transport.Clone()
	transport.MaxIdleConns = 0
	transport.MaxIdleConnsPerHost = 1024
	return transport
}

// Do calls an endpoint that the library has no method for, with its
// authentication, limits, retries and errors. in is encoded as JSON unless nil;
// out takes the decoded answer unless nil. path starts with a slash, is already
// percent-encoded, and may have a query.
//
// A POST counts as a call that moves money: it carries an idempotency key, and
// an answer that does not decide it gives an [*OutcomeUnknownError], since there
// is nothing to look up. Other methods are repeated like reads.
func (c *Client) Do(ctx context.Context, method, path string, in, out any, opts ...CallOption) error {
	op := &operation{name: method, method: method, timeout: moneyTimeout, moves: method == http.MethodPost}
	if !isToken(method) {
		return &ValidationError{Field: "method", Reason: "must be an HTTP method"}
	}
	path, query, _ := strings.Cut(path, "?")
	if err := checkPath(path); err != nil {
		return err
	}
	op.template = pathTemplate(path)
	op.name = method + " " + op.template
	var body []byte
	if in != nil {
		encoded, err := json.Marshal(in)
		if err != nil {
			return &ValidationError{Field: "in", Reason: "cannot be encoded as JSON: " + err.Error()}
		}
		body = encoded
	}
	call, err := c.newCall(ctx, op, path, body, opts)
	if err != nil {
		return err
	}
	call.query = query
	decode := func(data []byte) error {
		if out == nil {
			return nil
		}
		return json.Unmarshal(data, out)
	}
	if op.moves {
		_, err := c.move(ctx, call, settlement{decode: decode})
		return err
	}
	return c.read(ctx, call, decode)
}

func checkPath(path string) error {
	segments, ok := strings.CutPrefix(path, "/")
	if !ok {
		return &ValidationError{Field: "path", Reason: "must start with a slash"}
	}
	for segment := range strings.SplitSeq(segments, "/") {
		plain, err := url.PathUnescape(segment)
		if err != nil || plain == "" || plain == "." || plain == ".." || strings.ContainsAny(segment, "#\\ ") {
			return &ValidationError{Field: "path", Reason: "must be percent-encoded, without empty, . or .. segments"}
		}
	}
	return nil
}

// pathTemplate keeps the first two segments: the others may be keys.
func pathTemplate(path string) string {
	parts := strings.SplitN(path, "/", 4)
	if len(parts) == 4 {
		parts[3] = "…"
	}
	return strings.Join(parts, "/")
}
