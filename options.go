package tosspayments

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Language is the language of the server's messages and descriptive texts.
type Language string

const (
	// Korean is the default.
	Korean Language = "ko-KR"
	// English asks for English texts.
	English Language = "en-US"
)

// Option configures a [Client]; see [New].
type Option func(*Client) error

// WithHTTPClient sends through a given client, which is not changed: a copy is
// used that does not follow redirects. Its Transport, Timeout and Jar count.
// The default is a client of its own, sized for many callers of one host.
//
// Whether a request left the machine can be told for certain only with a plain
// [*http.Transport]; through another RoundTripper a failed call counts as
// possibly sent.
func WithHTTPClient(client *http.Client) Option {
	return func(c *Client) error {
		if client == nil {
			return &ValidationError{Field: "WithHTTPClient", Reason: "must not be nil"}
		}
		c.http = client
		return nil
	}
}

// WithBaseURL sends to another address than https://api.tosspayments.com: a test
// server, a sandbox, a proxy. It must be absolute (http or https) and may have a
// path.
func WithBaseURL(address string) Option {
	return func(c *Client) error {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") ||
			u.RawQuery != "" || u.Fragment != "" || u.User != nil {
			return &ValidationError{Field: "WithBaseURL", Reason: "must be an absolute http or https address without user, query or fragment"}
		}
		u.Path = strings.TrimRight(u.Path, "/")
		u.RawPath = ""
		c.base = u
		return nil
	}
}

// WithMaxRetries sets how often a call may be sent again after the first attempt;
// the default is 2, and 0 switches re-sending off. Looking a payment up to
// settle an outcome is not a retry and happens with 0 too.
func WithMaxRetries(n int) Option {
	return func(c *Client) error {
		if n < 0 {
			return &ValidationError{Field: "WithMaxRetries", Reason: "must not be negative"}
		}
		c.maxRetries = n
		return nil
	}
}

// WithTimeout bounds one attempt, in place of the defaults of the operations: 60
// seconds for confirm and cancel, 15 seconds for reads.
func WithTimeout(d time.Duration) Option {
	return func(c *Client) error {
		if d <= 0 {
			return &ValidationError{Field: "WithTimeout", Reason: "must be more than 0"}
		}
		c.timeout = d
		return nil
	}
}

// WithLogger logs one record per attempt, at level Debug, or Warn when no usable
// answer arrived: method, path template, status, duration and trace id. Headers
// and bodies are never logged. The default is no log.
func WithLogger(logger *slog.Logger) Option {
	return func(c *Client) error {
		if logger == nil {
			return &ValidationError{Field: "WithLogger", Reason: "must not be nil"}
		}
		c.logger = logger
		return nil
	}
}

// WithLanguage sets the language of messages and descriptive texts in answers.
func WithLanguage(language Language) Option {
	return func(c *Client) error {
		if language != Korean && language != English {
			return &ValidationError{Field: "WithLanguage", Reason: "must be Korean or English"}
		}
		c.language = language
		return nil
	}
}

// WithSettleGrace bounds the one lookup that may still be made after the
// caller's context has ended, so that a confirm that was interrupted ends with
// an answer where possible. The default is 5 seconds; 0 means no such lookup.
func WithSettleGrace(d time.Duration) Option {
	return func(c *Client) error {
		if d < 0 {
			return &ValidationError{Field: "WithSettleGrace", Reason: "must not be negative"}
		}
		c.grace = d
		return nil
	}
}

// CallOption changes one call.
type CallOption func(*call)

// WithIdempotencyKey sets the idempotency key of a POST: at most 300 characters,
// one per operation, never one per customer or process. Without it, each call
// makes a random one, which [Response] and every error carry.
//
// The server replays the first answer for 15 days, also a refusal, and whatever
// the new body says. So repeat a key only to repeat the very same request.
//
// Source: https://docs.tosspayments.com/reference/using-api/authorization#멱등키-헤더
func WithIdempotencyKey(key string) CallOption {
	return func(c *call) {
		c.idempotencyKey = key
		c.hasIdempotencyKey = true
	}
}

// WithTestCode makes the test environment answer with the given error. It is
// refused with a key that is not a test key. Lookups that settle the outcome are
// sent without it.
func WithTestCode(code ErrorCode) CallOption {
	return func(c *call) { c.testCode = code }
}

// WithResponse fills r with the details of the answer, also when the call fails.
func WithResponse(r *Response) CallOption {
	return func(c *call) { c.response = r }
}

// Response describes the answer that decided a call.
type Response struct {
	// StatusCode is 0 when no answer arrived.
	StatusCode int
	Header     http.Header
	TraceID    string
	// IdempotencyKey is the key that every attempt carried; "" for reads.
	IdempotencyKey string
	// Attempts counts how often the request was sent, lookups not included.
	Attempts int
	// SettledByLookup tells that the outcome was read from the payment, since
	// the call itself had no usable answer. The other fields then describe the
	// lookup's answer.
	SettledByLookup bool
	// Body is the answer as it arrived. It may hold account numbers and secrets.
	Body []byte
}
