package tosspayments

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Language is the language of the server's messages and descriptive texts.
type Language string

const (
	// LanguageKorean is the default.
	LanguageKorean Language = "ko-KR"
	// LanguageEnglish asks for English texts.
	LanguageEnglish Language = "en-US"
)

// Option configures a [Client]; see [New].
type Option func(*Client) error

// WithHTTPClient sends through a given client, which is not changed: a copy is
// used that does not follow redirects. Its Transport, Timeout and Jar count.
// The default is a client of its own, sized for many callers of one host, which
// notices dead connections within seconds.
//
// Whether a request left the machine is known from the trace of [net/http/httptrace],
// also through wrapping transports; where there is none, a failed call counts as
// possibly sent.
//
// After an attempt without an answer, only the idle connections of a caller's transport
// can be closed. A dead HTTP/2 connection that other requests still use is given up only
// by its pings: set [http.HTTP2Config.SendPingTimeout].
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
// path. Plain http to another machine takes a test key only.
func WithBaseURL(address string) Option {
	return func(c *Client) error {
		u, err := url.Parse(address)
		switch {
		case err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") ||
			u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.User != nil:
			return invalid("WithBaseURL", "must be an absolute http or https address without user, query or fragment")
		case u.RawPath != "" && u.EscapedPath() != u.RawPath:
			return invalid("WithBaseURL", "must have a path that is percent-encoded")
		case u.Scheme == "http" && !isLoopback(u.Hostname()) && !c.key.IsTest():
			return invalid("WithBaseURL", "must begin with https: only a test key may be sent in plain text to another machine")
		}
		c.base = strings.TrimRight(u.String(), "/")
		return nil
	}
}

func isLoopback(host string) bool {
	return strings.EqualFold(host, "localhost") || net.ParseIP(host).IsLoopback()
}

// WithMaxRetries sets how often a call may be sent again after the first attempt; the
// default is 2, and 0 switches re-sending off. A lookup is not a retry, nor is asking
// again for a request that is still running (409), nor is the one attempt under a second
// key that follows where the answer stored for the first decides nothing.
func WithMaxRetries(n int) Option {
	return func(c *Client) error {
		if n < 0 {
			return &ValidationError{Field: "WithMaxRetries", Reason: "must not be negative"}
		}
		c.maxRetries = n
		return nil
	}
}

// WithTimeout bounds one attempt, in place of the defaults of the operations: 15
// seconds, 25 for charges, 60 for long lists, and 60 for what is not sent again.
func WithTimeout(d time.Duration) Option {
	return func(c *Client) error {
		if d <= 0 {
			return &ValidationError{Field: "WithTimeout", Reason: "must be more than 0"}
		}
		c.timeout = d
		return nil
	}
}

// WithLogger logs one record per attempt, at level Debug, or Warn when no usable answer
// arrived: operation, method, path template, status, code, duration and trace id. A field
// of an answer that could not be read is a record at level Warn. Headers and bodies are
// never logged. By default nothing is logged.
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
		if language != LanguageKorean && language != LanguageEnglish {
			return &ValidationError{Field: "WithLanguage", Reason: "must be LanguageKorean or LanguageEnglish"}
		}
		c.language = language
		return nil
	}
}

// WithObserver calls observe after every request, lookups included, for metrics. It
// must be quick and safe for concurrent use.
func WithObserver(observe func(context.Context, Attempt)) Option {
	return func(c *Client) error {
		if observe == nil {
			return &ValidationError{Field: "WithObserver", Reason: "must not be nil"}
		}
		c.observer = observe
		return nil
	}
}

// WithLookupGrace bounds the one lookup that may still be made after the
// caller's context has ended, so that a confirm that was interrupted ends with
// an answer where possible. The default is 5 seconds; 0 means no such lookup.
func WithLookupGrace(d time.Duration) Option {
	return func(c *Client) error {
		if d < 0 {
			return &ValidationError{Field: "WithLookupGrace", Reason: "must not be negative"}
		}
		c.grace = d
		return nil
	}
}

// CallOption changes one call.
type CallOption func(*call)

// WithIdempotencyKey sets the key of the operation: at most 300 visible ASCII
// characters, one per operation, never one per customer or process. Store it before the
// first call, and pass it to every call of the operation, from the handler, the job or
// the next process. Without it each call makes a random one, which [Response] and every
// error carry.
//
// With it the client assumes that an earlier call may have reached the server. It
// therefore looks up what an answer cannot prove, such as a refusal that is about keys
// or about the rate of requests. The server keeps keys per secret key
// ([Client.KeyID]): under another one the same key is a new operation.
//
// The server replays the first answer for 15 days, also a refusal, and whatever the new
// body says. So repeat a key only to repeat the very same request.
//
// Calls that are not a POST ignore it. A partial cancel makes its key from its RefundID
// and takes none.
//
// Source: https://docs.tosspayments.com/reference/using-api/authorization#멱등키-헤더
func WithIdempotencyKey(key string) CallOption {
	return func(c *call) {
		c.idempotencyKey = key
		c.ownKey = true
	}
}

// WithTestCode makes the test environment answer with the given error. It is
// refused with a key that is not a test key. Lookups are sent without it.
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
	// IdempotencyKey is the key of the operation; "" for reads.
	IdempotencyKey string
	// Attempts counts how often the request was sent, lookups not included.
	Attempts int
	// SettledByLookup is set when the outcome was read from the payment, since the
	// call itself had no usable answer. The other fields then describe the lookup's
	// answer.
	SettledByLookup bool
	// Unread names the fields of the answer that could not be read and were left zero,
	// such as "card.approveNo".
	Unread []string
	// Body is the answer as it arrived. It may hold account numbers and secrets, and is
	// not printed.
	Body []byte `json:"-"`
}

// Format writes what String returns, whatever the verb.
func (r Response) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, r.String()) }

// String returns status, attempts and trace id on one line, and nothing of the body.
func (r Response) String() string {
	return fmt.Sprintf("HTTP %d (attempts: %d) [trace %s]", r.StatusCode, r.Attempts, r.TraceID)
}

// LogValue returns what String returns.
func (r Response) LogValue() slog.Value { return slog.StringValue(r.String()) }
