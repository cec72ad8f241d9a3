package tosstest

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seed238ab19c/tosspayments"
)

const (
	maxIdempotencyKey = 300
	idempotencyPeriod = 15 * 24 * time.Hour
	traceHeader       = "X-Tosspayments-Trace-Id"
)

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

// serve notes a request, answers it and notes the answer.
func (s *Server) serve(r *request) reply {
	s.mu.Lock()
	r.traceID = s.hex(16)
	logged := s.logged(r)
	r.fault = s.nextFault(&logged)
	logged.Fault = r.fault
	s.mu.Unlock()

	a := s.answer(r)

	s.mu.Lock()
	defer s.mu.Unlock()
	logged.Status, logged.Answer = a.status, a.body
	s.identify(r, &logged)
	s.requests.add(logged, len(logged.Body)+len(logged.Answer))
	s.tell(Change{Request: &logged})
	return a
}

// answer takes a request through its four phases.
func (s *Server) answer(r *request) reply {
	if r.fault.losesRequest() {
		s.pause(r.fault)
		return r.fault.spoil(r, reply{})
	}
	if code := s.access(r); code != "" {
		s.pause(r.fault)
		return r.mark(r.refuse(code))
	}
	if s.tooFast(r) {
		s.pause(r.fault)
		return r.mark(reply{status: http.StatusTooManyRequests})
	}
	place, replayed := s.replay(r)
	if replayed != nil {
		s.pause(r.fault)
		return r.mark(r.fault.spoil(r, *replayed))
	}
	truth := r.mark(s.perform(r, place))
	told := r.mark(r.fault.spoil(r, truth))
	s.store(r, place, truth)
	return told
}

// access checks the secret key, then the test code, and returns what is refused.
func (s *Server) access(r *request) (refused tosspayments.ErrorCode) {
	if r.operation.ofCustomer() {
		return s.customerAccess(r)
	}
	if r.shop, refused = s.shopOf(r.header); refused != "" {
		if strings.HasPrefix(r.path, "/v1/brandpay/") && r.bearer() != "" {
			return s.guess(WrongAuthorization)
		}
		return refused
	}
	if r.shop == &s.widget && !r.operation.ofWidget() {
		return s.guess(WidgetKeyNotEnough)
	}
	code := tosspayments.ErrorCode(r.header.Get("Tosspayments-Test-Code"))
	if code == "" || !strings.HasPrefix(r.shop.secretKey, "test_") {
		return ""
	}
	if _, known := code.Info(); !known {
		return tosspayments.ErrInvalidTestCode
	}
	return code
}

// idempotencyID is the scope of an idempotency key. The body is no part of it.
type idempotencyID struct {
	shop              *merchant
	key, method, path string
}

// storedAnswer is what an idempotency key replays; running until it is there.
type storedAnswer struct {
	id      idempotencyID
	running bool
	// forgotten is set where the answer is not kept.
	forgotten bool
	at        time.Time
	status    int
	body      []byte
	traceID   string
}

// idempotencyKey is "" where the header has no effect.
func (r *request) idempotencyKey() string {
	if r.method != http.MethodPost {
		return ""
	}
	return r.header.Get("Idempotency-Key")
}

// replay returns the answer that is kept under the request's idempotency key, or else
// the place to keep it, which is nil without a key.
func (s *Server) replay(r *request) (place *storedAnswer, replayed *reply) {
	key := r.idempotencyKey()
	if key == "" {
		return nil, nil
	}
	if utf8.RuneCountInString(key) > maxIdempotencyKey {
		a := r.mark(r.refuse(tosspayments.ErrInvalidIdempotencyKey))
		return nil, &a
	}
	id := idempotencyID{r.shop, key, r.method, r.path}
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.answers[id]
	switch {
	case found == nil || s.clock.now().Sub(found.at) >= idempotencyPeriod:
		place = &storedAnswer{id: id, running: true, at: s.clock.now(), traceID: r.traceID}
		s.addAnswer(place)
		return place, nil
	case found.running:
		a := r.mark(r.refuse(tosspayments.ErrIdempotentRequestProcessing))
		return nil, &a
	}
	// Two trace ids, that of this request first, are all that tells a replay.
	a := ok(found.body)
	a.status = found.status
	a.header.Set(traceHeader, r.traceID+", "+found.traceID)
	return nil, &a
}

// addAnswer adds the place of an answer, and drops those whose time is over.
func (s *Server) addAnswer(a *storedAnswer) {
	s.answers[a.id] = a
	s.answerTimes = append(s.answerTimes, a)
	for s.clock.now().Sub(s.answerTimes[0].at) >= idempotencyPeriod {
		if oldest := s.answerTimes[0]; s.answers[oldest.id] == oldest {
			delete(s.answers, oldest.id)
		}
		s.answerTimes[0] = nil
		s.answerTimes = s.answerTimes[1:]
	}
}

// perform does what is asked for, unless the fault prevents it.
func (s *Server) perform(r *request, place *storedAnswer) (a reply) {
	f := r.fault
	if f.prevents() {
		s.pause(f)
		// Nothing but a refusal, or one that is cut, remains without the effect.
		if f.Kind == Cut {
			return r.refuse(tosspayments.ErrFailedInternalSystemProcessing)
		}
		return r.refuse(f.Code)
	}
	pause := func() { s.pause(f) }
	if f != nil && !f.AfterEffect {
		r.pause = pause
	}
	if !r.operation.asksCompany() {
		r.hold()
	}
	s.change(func() {
		a = s.present(r.handle(s, r), r.shop)
		s.keep(r, place, a)
	})
	if f != nil && f.AfterEffect {
		r.pause = pause
	}
	// What was refused at once has not asked the company, and waits here.
	r.hold()
	return a
}

// keep notes the answer under its idempotency key, in the change that it is about: the
// truth where the answer will be lost, but a refusal on purpose as it is told.
func (s *Server) keep(r *request, place *storedAnswer, truth reply) {
	if place == nil {
		return
	}
	f := r.fault
	if f != nil && f.Kind == Refuse {
		truth = f.spoil(r, truth)
	}
	if place.forgotten = f != nil && f.Unstored || truth.status >= 500 && s.forgetsServerError; place.forgotten {
		return
	}
	place.status, place.body = truth.status, bytes.Clone(truth.body)
	s.unsaved.answers = append(s.unsaved.answers, place)
}

// store lets the next request with the same idempotency key have the answer.
func (s *Server) store(r *request, place *storedAnswer, truth reply) {
	if place == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.fault.prevents() {
		s.keep(r, place, truth)
		s.save()
	}
	if place.running = false; place.forgotten && s.answers[place.id] == place {
		delete(s.answers, place.id)
	}
}

// mark adds the headers of every answer of the API itself.
func (r *request) mark(a reply) reply {
	if a.header == nil {
		a.header = http.Header{}
	}
	if a.header.Get(traceHeader) == "" {
		a.header.Set(traceHeader, r.traceID)
	}
	if key := r.idempotencyKey(); key != "" {
		a.header.Set("Idempotency-Key", key)
	}
	return a
}

func (s *Server) notFound(r *request) reply { return r.refuse(s.guess(UnknownPath)) }

func ok(body []byte) reply {
	return reply{status: http.StatusOK, header: http.Header{"Content-Type": {"application/json;charset=UTF-8"}}, body: body}
}

// refuse is an error answer with the documented status and message.
func (r *request) refuse(code tosspayments.ErrorCode) reply {
	info, _ := code.Info()
	status, message := http.StatusBadRequest, info.Korean
	if len(info.Statuses) > 0 {
		status = info.Statuses[0]
	}
	if r.english {
		message = info.English
	}
	body := map[string]any{"code": code, "message": message}
	if status == http.StatusUnauthorized {
		body["data"] = nil
	}
	a := ok(encode(body))
	if strings.HasPrefix(r.path, "/v2/") {
		a.body = r.errorEnvelope(code, message)
	}
	a.status = status
	return a
}

// decode reads a request body as the server does: numbers may be strings, and a member
// in other letters is another one, which encoding/json would take.
func decode(body []byte, v any) bool {
	return json.Unmarshal(exact(body, reflect.TypeOf(v)), v) == nil
}

// exact leaves out what a type does not have by its exact name.
func exact(data json.RawMessage, t reflect.Type) json.RawMessage {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()):
	case t.Kind() == reflect.Slice:
		var list []json.RawMessage
		if json.Unmarshal(data, &list) != nil || list == nil {
			return data
		}
		for i := range list {
			list[i] = exact(list[i], t.Elem())
		}
		return encode(list)
	case t.Kind() == reflect.Struct:
		var members, known map[string]json.RawMessage
		if json.Unmarshal(data, &members) != nil || members == nil {
			return data
		}
		known = map[string]json.RawMessage{}
		for name, of := range declared(t) {
			if value, ok := members[name]; ok {
				known[name] = exact(value, of)
			}
		}
		return encode(known)
	}
	return data
}

// declared are the types of the members that a struct has in JSON.
func declared(t reflect.Type) map[string]reflect.Type {
	types, depth := map[string]reflect.Type{}, map[string]int{}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous || name == "" || depth[name] > 0 && depth[name] <= len(f.Index) {
			continue
		}
		types[name], depth[name] = f.Type, len(f.Index)
	}
	return types
}

// hex returns n random bytes in hexadecimal.
func (s *Server) hex(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(s.random.Uint32())
	}
	return hex.EncodeToString(b)
}

// alphanumeric is a text of n random digits and letters.
func (s *Server) alphanumeric(n int) string {
	const characters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	b := make([]byte, n)
	for i := range b {
		b[i] = characters[s.random.IntN(len(characters))]
	}
	return string(b)
}
