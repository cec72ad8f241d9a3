package tosstest

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seed238ab19c/tosspayments"
)

const (
	maxIdempotencyKey = 300
	idempotencyPeriod = 15 * 24 * time.Hour
	maxBody           = 1 << 20
)

// request is a request whose body has been read.
type request struct {
	method   string
	segments []string // of the path, unescaped
	query    url.Values
	header   http.Header
	body     []byte
}

func readRequest(r *http.Request) (request, error) {
	out := request{method: r.Method, header: r.Header, query: r.URL.Query()}
	for segment := range strings.SplitSeq(strings.Trim(r.URL.EscapedPath(), "/"), "/") {
		plain, err := url.PathUnescape(segment)
		if err != nil {
			plain = segment
		}
		out.segments = append(out.segments, plain)
	}
	if r.Body == nil {
		return out, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	out.body = body
	return out, err
}

// reply is an answer before it meets the network.
type reply struct {
	status int
	header http.Header
	body   []byte
	// cut ends the connection in the middle of the body.
	cut bool
	// broken ends it before anything.
	broken error
}

func (a *reply) response(r *http.Request) *http.Response {
	var body io.Reader = bytes.NewReader(a.body)
	if a.cut {
		body = io.MultiReader(bytes.NewReader(a.body[:len(a.body)/2]), broken{})
	}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", a.status, http.StatusText(a.status)), StatusCode: a.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.header.Clone(), Body: io.NopCloser(body), ContentLength: int64(len(a.body)), Request: r,
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

type idempotencyID struct{ key, method, path string }

// storedAnswer is what an idempotency key replays; running until it is there.
type storedAnswer struct {
	running bool
	at      time.Time
	reply   reply
	traceID string
}

// serve takes one request through keys, idempotency, faults and the operation.
func (s *Server) serve(r request) reply {
	operation, subject := route(r)
	inEnglish := english(r.header)

	s.mu.Lock()
	traceID := s.hex(16)
	fault := s.nextFault(operation, paymentKeyOf(r, operation, subject))
	logged := Request{
		Operation: operation, Method: r.method, Path: "/" + strings.Join(r.segments, "/"),
		Header: r.header.Clone(), Body: r.body, At: s.now(), Fault: fault,
	}
	logged.Header.Del("Authorization")
	s.mu.Unlock()

	a := s.answer(r, operation, subject, fault, traceID, inEnglish)

	s.mu.Lock()
	defer s.mu.Unlock()
	logged.Status = a.status
	if len(s.requests) == maxRequests {
		s.requests = append(s.requests[:0], s.requests[maxRequests/10:]...)
	}
	s.requests = append(s.requests, logged)
	return a
}

func (s *Server) answer(r request, operation Operation, subject string, fault *Fault, traceID string, inEnglish bool) reply {
	lostBefore := fault != nil && !fault.AfterEffect &&
		(fault.Kind == Drop || fault.Kind == Reset || fault.Kind == BadGateway || fault.Kind == RateLimit)
	if lostBefore {
		return fault.spoil(s, reply{}, inEnglish)
	}
	finish := func(a reply) reply {
		if a.header == nil {
			a.header = http.Header{}
		}
		if a.header.Get(traceHeader) == "" {
			a.header.Set(traceHeader, traceID)
		}
		return a
	}

	s.mu.Lock()
	if refused := s.checkAccess(r, inEnglish); refused != nil {
		s.mu.Unlock()
		return finish(*refused)
	}
	var stored *storedAnswer
	if key := r.header.Get("Idempotency-Key"); key != "" && r.method == http.MethodPost {
		if utf8.RuneCountInString(key) > maxIdempotencyKey {
			s.mu.Unlock()
			return finish(s.refusal(tosspayments.ErrInvalidIdempotencyKey, inEnglish))
		}
		id := idempotencyID{key, r.method, strings.Join(r.segments, "/")}
		if found := s.answers[id]; found != nil && s.now().Sub(found.at) < idempotencyPeriod {
			defer s.mu.Unlock()
			if found.running {
				return finish(s.refusal(tosspayments.ErrIdempotentRequestProcessing, inEnglish))
			}
			a := found.reply
			a.header = a.header.Clone()
			a.header[traceHeader] = []string{traceID + ", " + found.traceID}
			if fault != nil {
				return fault.spoil(s, a, inEnglish)
			}
			return a
		}
		stored = &storedAnswer{running: true, at: s.now(), traceID: traceID}
		s.answers[id] = stored
		defer func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			if stored.running {
				delete(s.answers, id)
			}
		}()
	}
	s.mu.Unlock()

	effect := fault == nil || fault.AfterEffect || fault.Kind == Delay
	var a reply
	if effect {
		before := time.Duration(0)
		if fault != nil && fault.Kind == Delay && !fault.AfterEffect {
			before = fault.Delay
		}
		a = s.present(s.perform(r, operation, subject, before, inEnglish))
	} else {
		// Nothing but a refusal, or one that is cut, remains without the effect.
		code := fault.Code
		if fault.Kind == Cut {
			code = tosspayments.ErrFailedInternalSystemProcessing
		}
		a = s.refusal(code, inEnglish)
	}
	a = finish(a)
	result := a
	if fault != nil {
		if fault.Kind == Delay && fault.AfterEffect {
			wait(context.Background(), fault.Delay)
		}
		result = finish(fault.spoil(s, a, inEnglish))
	}
	if stored != nil {
		keep := a
		if fault != nil && fault.Kind == Refuse {
			keep = result
		}
		forget := fault != nil && fault.Unstored || keep.status >= 500 && s.forgetsServerError
		s.mu.Lock()
		if !forget {
			stored.reply, stored.running = keep, false
		}
		s.mu.Unlock()
	}
	return result
}

const traceHeader = "X-Tosspayments-Trace-Id"

// checkAccess checks the key, then the test code.
func (s *Server) checkAccess(r request, inEnglish bool) *reply {
	refuse := func(code tosspayments.ErrorCode) *reply {
		a := s.refusal(code, inEnglish)
		return &a
	}
	encoded, ok := strings.CutPrefix(r.header.Get("Authorization"), "Basic ")
	plain, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil {
		return refuse(tosspayments.ErrUnauthorizedKey)
	}
	key, colon := strings.CutSuffix(string(plain), ":")
	switch {
	case !colon:
		return refuse(tosspayments.ErrIncorrectBasicAuthFormat)
	case key != s.secretKey:
		return refuse(tosspayments.ErrUnauthorizedKey)
	}
	code := tosspayments.ErrorCode(r.header.Get("Tosspayments-Test-Code"))
	if code == "" || !strings.HasPrefix(key, "test_") {
		return nil
	}
	if _, known := code.Info(); !known {
		return refuse(tosspayments.ErrInvalidTestCode)
	}
	return refuse(code)
}

func route(r request) (operation Operation, subject string) {
	p := r.segments
	if len(p) < 2 || p[0] != "v1" {
		return "", ""
	}
	switch {
	case r.method == http.MethodPost && len(p) == 2 && p[1] == "virtual-accounts":
		return IssueVirtualAccount, ""
	case p[1] == "transactions" || p[1] == "settlements" || p[1] == "cash-receipts" || p[1] == "promotions":
		return routeRecords(r.method, p)
	case p[1] == "billing":
		return routeBilling(r.method, p)
	case r.method == http.MethodPost && len(p) == 2 && p[1] == "payments":
		return CreatePayment, ""
	case len(p) < 3 || p[1] != "payments":
		return "", ""
	case r.method == http.MethodPost && len(p) == 3 && p[2] == "key-in":
		return KeyIn, ""
	case r.method == http.MethodPost && len(p) == 3 && p[2] == "confirm":
		return ConfirmPayment, ""
	case r.method == http.MethodPost && len(p) == 4 && p[3] == "cancel":
		return CancelPayment, p[2]
	case r.method == http.MethodGet && len(p) == 4 && p[2] == "orders":
		return GetPaymentByOrderID, p[3]
	case r.method == http.MethodGet && len(p) == 3:
		return GetPayment, p[2]
	}
	return "", ""
}

// paymentKeyOf is the key of the payment that a request names; "" when it names none.
func paymentKeyOf(r request, operation Operation, subject string) string {
	switch operation {
	case GetPayment, CancelPayment:
		return subject
	case ConfirmPayment:
		var body struct {
			PaymentKey string `json:"paymentKey"`
		}
		_ = json.Unmarshal(r.body, &body)
		return body.PaymentKey
	}
	return ""
}

func (s *Server) perform(r request, operation Operation, subject string, delay time.Duration, inEnglish bool) reply {
	switch operation {
	case ConfirmPayment:
		return s.confirm(r, delay, inEnglish)
	case CancelPayment:
		return s.cancel(r, subject, delay, inEnglish)
	case IssueBillingKey, IssueBillingKeyByCard:
		return s.issueBillingKey(r, operation, inEnglish)
	case CreatePayment:
		return s.createPayment(r, inEnglish)
	case DeleteBillingKey:
		return s.deleteBillingKey(subject, inEnglish)
	case ChargeBilling, KeyIn, IssueVirtualAccount:
		return s.approveOrder(r, operation, subject, delay, inEnglish)
	}
	wait(context.Background(), delay)
	s.mu.Lock()
	defer s.release()
	if a, ok := s.records(r, operation, subject, inEnglish); ok {
		return a
	}
	var p *payment
	switch operation {
	case GetPayment:
		p = s.payments[subject]
	case GetPaymentByOrderID:
		p = s.byOrder[subject]
	default:
		return s.refusal(tosspayments.ErrNotFound, inEnglish)
	}
	if p == nil {
		return s.refusal(tosspayments.ErrNotFoundPayment, inEnglish)
	}
	return s.success(p, inEnglish)
}

func (s *Server) success(p *payment, inEnglish bool) reply {
	s.expire(p)
	return reply{
		status: http.StatusOK,
		header: http.Header{"Content-Type": {"application/json;charset=UTF-8"}},
		body:   p.json(inEnglish),
	}
}

// refusal is an error answer with the documented status and message.
func (s *Server) refusal(code tosspayments.ErrorCode, inEnglish bool) reply {
	info, _ := code.Info()
	status, message := http.StatusBadRequest, info.Korean
	if len(info.Statuses) > 0 {
		status = info.Statuses[0]
	}
	if inEnglish {
		message = info.English
	}
	return reply{
		status: status,
		header: http.Header{"Content-Type": {"application/json;charset=UTF-8"}},
		body:   encode(map[string]string{"code": string(code), "message": message}),
	}
}

// decode reads a request body as the server does: numbers may be strings.
func decode(body []byte, v any) bool { return json.Unmarshal(body, v) == nil }

// hex returns n random bytes in hexadecimal.
func (s *Server) hex(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(s.random.Uint32())
	}
	return hex.EncodeToString(b)
}
