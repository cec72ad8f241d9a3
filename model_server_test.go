package tosspayments_test

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// modelServer is a small and exact Toss Payments, as an http.RoundTripper: payments and
// their guards, and a store of answers by idempotency key. Something outside chooses how
// each request is answered, and when what is still running takes its effect.
//
// It shares no code with tosstest or the library, so that a wrong rule does not agree with itself.
type modelServer struct {
	rules   modelRules
	secrets []string // the Authorization values that are let in
	// choose says how a request is answered.
	choose func(*modelServer, *modelRequest) *modelFault

	mu       sync.Mutex
	payments []modelPayment
	billing  map[string]bool // by billing key: whether it can be charged
	used     map[string]bool // auth keys that have been exchanged
	kept     map[modelKey]modelAnswer
	running  []modelRunning
	effects  []modelEffect
	// old are the payments before the last change, for reads that lag behind.
	old  []modelPayment
	keys int
	// sent counts the connections on which something other than a read was sent, by call.
	sent map[int]int
	// requests counts all of them; the number of one is its trace id.
	requests int
}

// modelRules are what the reference does not know of the server.
type modelRules struct {
	// keeps5xx: a 5xx answer is kept for its idempotency key, as a 4xx is.
	keeps5xx bool
	// marksReplays: the trace id of a replayed answer is followed by that of the first.
	marksReplays bool
	// runsLong: a request may run on after its answer was given. Its key gets a 409
	// meanwhile, and another key for the same payment or order is told to wait.
	runsLong bool
	// unguarded: what runs on takes its effect whatever has happened since, and other keys
	// are not told to wait. A payment is confirmed once all the same.
	unguarded bool
	// limitFirst: limits are checked before duplicates, so that what has happened already
	// may be refused.
	limitFirst bool
	// wallet: a cancel is IN_PROGRESS until the wallet has decided.
	wallet bool
}

// modelKey is the scope of an idempotency key; the body is not part of it.
type modelKey struct{ secret, method, path, key string }

// modelAnswer is an HTTP answer, or the lack of one.
type modelAnswer struct {
	status int
	body   string
	header http.Header
	trace  string
	cut    bool // the body ends in the middle
	hangs  bool // nothing comes until the attempt is given up
	err    error
}

type modelPayment struct {
	Version            string        `json:"version"`
	Type               string        `json:"type"`
	PaymentKey         string        `json:"paymentKey"`
	OrderID            string        `json:"orderId"`
	OrderName          string        `json:"orderName"`
	Status             string        `json:"status"`
	Currency           string        `json:"currency"`
	TotalAmount        int           `json:"totalAmount"`
	BalanceAmount      int           `json:"balanceAmount"`
	RequestedAt        string        `json:"requestedAt"`
	LastTransactionKey string        `json:"lastTransactionKey,omitempty"`
	Cancels            []modelCancel `json:"cancels"`
	Card               *modelCard    `json:"card"`
	VirtualAccount     *modelDeposit `json:"virtualAccount"`
	Failure            *modelFailure `json:"failure"`
}

type modelCard struct {
	Amount int `json:"amount"`
}

type modelDeposit struct {
	AccountNumber string `json:"accountNumber"`
	BankCode      string `json:"bankCode"`
	Expired       bool   `json:"expired"`

	// frees: the order id may be used again once the account has expired.
	frees bool
}

var modelAccount = &modelDeposit{AccountNumber: "X123", BankCode: "20"}

type modelCancel struct {
	TransactionKey   string `json:"transactionKey"`
	CancelAmount     int    `json:"cancelAmount"`
	RefundableAmount int    `json:"refundableAmount"`
	CancelReason     string `json:"cancelReason"`
	CancelStatus     string `json:"cancelStatus"`
}

type modelFailure struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// modelEffect is one entry of the ledger: what has moved, and on whose behalf.
type modelEffect struct {
	call   int // the number of the caller's call; 0 is somebody else
	kind   string
	target string // payment key of a cancel, order id of an approval, else the key
	amount int
	reason string
}

// modelRunning is a request that has not come to its end.
type modelRunning struct {
	key    modelKey
	target string // order or payment that other keys wait for
	lands  modelLanding
	end    func()
}

// modelLanding says when something that is under way takes its effect.
type modelLanding uint8

const (
	// afterNext: after the next request was answered.
	afterNext modelLanding = iota
	// afterCall: when the caller's call has returned.
	afterCall
	// afterAll: a minute later, or at the end.
	afterAll
)

// modelRequest is a request as the server reads it.
type modelRequest struct {
	method, path, key, secret string
	call                      int
	// read reads the body. What is not sent must not be read.
	read func()
	body modelBody
	// connect tells the request's trace that there is a connection.
	connect func()
}

type modelBody struct {
	PaymentKey, OrderID, OrderName string
	Amount                         int
	CancelReason                   string
	CancelAmount, RefundableAmount *int
	AuthKey, CustomerKey           string
}

func (q *modelRequest) scope() modelKey { return modelKey{q.secret, q.method, q.path, q.key} }

// modelCallNumber is the key of a context value: the number of the caller's call.
type modelCallNumber struct{}

func newModelServer(rules modelRules) *modelServer {
	return &modelServer{
		rules: rules, billing: map[string]bool{}, used: map[string]bool{},
		kept: map[modelKey]modelAnswer{}, sent: map[int]int{},
	}
}

var (
	errModelDial = &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	errModelLost = errors.New("connection reset by peer")
	// errModelRunaway ends a call that never stops asking.
	errModelRunaway = errors.New("the model has had enough requests of this call")
)

// RoundTrip answers one request.
func (m *modelServer) RoundTrip(r *http.Request) (*http.Response, error) {
	a := m.serve(r, newModelRequest(r))
	if a.hangs {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	if a.err != nil {
		return nil, a.err
	}
	return a.response(r), nil
}

func (m *modelServer) serve(r *http.Request, q *modelRequest) modelAnswer {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.requests++; m.requests > 2000 {
		panic(errModelRunaway)
	}
	fault := m.choose(m, q)
	trace := httptrace.ContextClientTrace(r.Context())
	if trace != nil && trace.GetConn != nil {
		trace.GetConn(r.URL.Host)
	}
	q.connect = func() {
		if q.method != http.MethodGet {
			m.sent[q.call]++
		}
		if trace != nil && trace.GotConn != nil {
			trace.GotConn(httptrace.GotConnInfo{})
		}
	}
	if fault.name != "dial" {
		q.read()
	}
	before := len(m.running)
	a := fault.act(m, q)
	if a.trace == "" {
		a.trace = m.trace()
	}
	m.land(before, afterNext)
	return a
}

func newModelRequest(r *http.Request) *modelRequest {
	q := &modelRequest{
		method: r.Method, path: r.URL.Path, key: r.Header.Get("Idempotency-Key"), secret: r.Header.Get("Authorization"),
	}
	q.call, _ = r.Context().Value(modelCallNumber{}).(int)
	q.read = sync.OnceFunc(func() {
		if r.Body == nil {
			return
		}
		data, err := io.ReadAll(r.Body)
		if err == nil && len(data) > 0 {
			err = json.Unmarshal(data, &q.body)
		}
		if err != nil {
			panic(err)
		}
	})
	return q
}

func (a modelAnswer) response(r *http.Request) *http.Response {
	var body io.Reader = strings.NewReader(a.body)
	if a.cut {
		body = io.MultiReader(strings.NewReader(a.body[:len(a.body)/2]), modelCutReader{})
	}
	header := http.Header{"X-Tosspayments-Trace-Id": {a.trace}}
	maps.Copy(header, a.header)
	return &http.Response{
		StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: io.NopCloser(body), ContentLength: int64(len(a.body)), Request: r,
	}
}

type modelCutReader struct{}

func (modelCutReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func modelRefusal(status int, code string) modelAnswer {
	return modelAnswer{status: status, body: `{"code":"` + code + `","message":"message"}`}
}

// answer is what the server does when nothing goes wrong.
func (m *modelServer) answer(q *modelRequest) modelAnswer {
	if a, decided := m.replay(q); decided {
		return a
	}
	a := m.perform(q)
	m.keep(q, a)
	return a
}

// replay is what comes before anything is performed: who asks, and whether this key has
// an answer already or is running.
func (m *modelServer) replay(q *modelRequest) (a modelAnswer, decided bool) {
	if !slices.Contains(m.secrets, q.secret) {
		return modelRefusal(401, "UNAUTHORIZED_KEY"), true
	}
	if q.method != http.MethodPost {
		return a, false
	}
	if len(q.key) > 300 {
		return modelRefusal(400, "INVALID_IDEMPOTENCY_KEY"), true
	}
	if a, ok := m.kept[q.scope()]; ok && q.key != "" {
		if m.rules.marksReplays {
			a.trace = m.trace() + ", " + a.trace
		}
		return a, true
	}
	target := m.target(q)
	for _, r := range m.running {
		switch {
		case r.key == q.scope() && q.key != "":
			return modelRefusal(409, "IDEMPOTENT_REQUEST_PROCESSING"), true
		case r.target == target && target != "" && !m.rules.unguarded:
			a := modelRefusal(400, "ALREADY_PROCESSING_REQUEST")
			m.keep(q, a)
			return a, true
		}
	}
	return a, false
}

// trace is the id of the request that is being answered.
func (m *modelServer) trace() string { return "trace" + strconv.Itoa(m.requests) }

func (m *modelServer) keep(q *modelRequest, a modelAnswer) {
	a.trace = m.trace()
	if q.method == http.MethodPost && q.key != "" && (a.status < 500 || m.rules.keeps5xx) {
		m.kept[q.scope()] = a
	}
}

// perform checks the guards, and then takes the effect.
func (m *modelServer) perform(q *modelRequest) modelAnswer {
	op := m.operation(q)
	if refusal := op.guard(); refusal.status != 0 {
		return refusal
	}
	return op.effect()
}

// refuses reports whether the guards refuse the request.
func (m *modelServer) refuses(q *modelRequest) bool { return m.operation(q).guard().status != 0 }

// run lets the request run on after its answer. keep says what its key has afterwards: it
// is given what the request has come to.
func (m *modelServer) run(q *modelRequest, lands modelLanding, keep func(modelAnswer)) {
	m.running = append(m.running, modelRunning{q.scope(), m.target(q), lands, func() {
		op := m.operation(q)
		if refusal := op.guard(); refusal.status != 0 && (!m.rules.unguarded || q.body.PaymentKey != "") {
			keep(refusal)
			return
		}
		keep(op.effect())
	}})
}

// arrive lets the request reach the server later; nobody reads the answer.
func (m *modelServer) arrive(q *modelRequest, lands modelLanding) {
	m.running = append(m.running, modelRunning{lands: lands, end: func() { m.answer(q) }})
}

// land ends what is due among the first n of running, one after the other.
func (m *modelServer) land(n int, due modelLanding) {
	for i := 0; i < n; {
		r := m.running[i]
		if r.lands > due {
			i++
			continue
		}
		m.running = slices.Delete(m.running, i, i+1)
		n--
		r.end()
	}
}

// settle ends all that is due once a call has returned (afterCall), or at all (afterAll).
func (m *modelServer) settle(due modelLanding) { m.land(len(m.running), due) }

// target is the payment or the order that a request is about.
func (m *modelServer) target(q *modelRequest) string {
	switch {
	case m.isCancel(q):
		return q.path
	case q.body.PaymentKey != "":
		return q.body.PaymentKey
	}
	return q.body.OrderID
}

// modelOperation is one route: guard refuses (status 0 lets pass), effect performs.
type modelOperation struct {
	guard, effect func() modelAnswer
}

func (m *modelServer) operation(q *modelRequest) modelOperation {
	path := strings.TrimPrefix(q.path, "/v1/")
	billingKey, isBilling := strings.CutPrefix(path, "billing/")
	switch {
	case path == "payments/confirm" || path == "brandpay/payments/confirm":
		return modelOperation{func() modelAnswer { return m.guardConfirm(q) }, func() modelAnswer { return m.confirm(q) }}
	case path == "payments/key-in" || path == "virtual-accounts":
		return modelOperation{func() modelAnswer { return m.guardOrder(q) }, func() modelAnswer { return m.charge(q, "NORMAL") }}
	case path == "billing/authorizations/issue":
		return modelOperation{func() modelAnswer { return m.guardIssue(q) }, func() modelAnswer { return m.issue(q) }}
	case isBilling && q.method == http.MethodDelete:
		return modelOperation{func() modelAnswer { return m.guardBilling(billingKey) }, func() modelAnswer { return m.remove(q, billingKey) }}
	case isBilling:
		return modelOperation{func() modelAnswer {
			if refusal := m.guardBilling(billingKey); refusal.status != 0 {
				return refusal
			}
			return m.guardOrder(q)
		}, func() modelAnswer { return m.charge(q, "BILLING") }}
	case strings.HasSuffix(path, "/cancel"):
		key := strings.TrimSuffix(strings.TrimPrefix(path, "payments/"), "/cancel")
		return modelOperation{func() modelAnswer { return m.guardCancel(q, key) }, func() modelAnswer { return m.cancel(q, key) }}
	case path == "transfers":
		return modelOperation{func() modelAnswer { return modelAnswer{} }, func() modelAnswer { return m.transfer(q) }}
	}
	notFound := func() modelAnswer { return modelRefusal(404, "NOT_FOUND") }
	return modelOperation{notFound, notFound}
}

func (m *modelServer) isCancel(q *modelRequest) bool { return strings.HasSuffix(q.path, "/cancel") }

// abort leaves what a refused approval leaves: an ABORTED payment.
func (m *modelServer) abort(q *modelRequest) {
	failure := &modelFailure{"REJECT_CARD_COMPANY", "message"}
	switch p := m.payment(q.body.PaymentKey); {
	case p != nil:
		m.change()
		p.Status, p.Failure = "ABORTED", failure
	case q.body.OrderID != "" && q.body.Amount > 0 && !strings.HasSuffix(q.path, "/transfers"):
		m.change()
		made := m.made(q, "NORMAL", "ABORTED")
		made.Failure = failure
		m.payments = append(m.payments, made)
	}
}

// change keeps how the payments were before, for reads that lag behind.
func (m *modelServer) change() {
	m.old = append(make([]modelPayment, 0, len(m.payments)), m.payments...)
	for i := range m.old {
		m.old[i].Cancels = slices.Clone(m.old[i].Cancels)
	}
}

func (m *modelServer) payment(key string) *modelPayment {
	for i := range m.payments {
		if m.payments[i].PaymentKey == key {
			return &m.payments[i]
		}
	}
	return nil
}

// order is the payment that a lookup by order id shows: the newest of those that count,
// else the newest.
func order(payments []modelPayment, id string) *modelPayment {
	var found *modelPayment
	for i := range payments {
		p := &payments[i]
		if p.OrderID == id && (found == nil || p.stands() || !found.stands()) {
			found = p
		}
	}
	return found
}

// stands reports whether the payment was ever approved, or its account is open.
func (p *modelPayment) stands() bool {
	switch p.Status {
	case "WAITING_FOR_DEPOSIT":
		return p.VirtualAccount == nil || !p.VirtualAccount.Expired
	case "DONE", "CANCELED", "PARTIAL_CANCELED":
		return true
	}
	return false
}

// takesOrder reports whether no other payment can be made under the order id.
func (p *modelPayment) takesOrder() bool {
	return p.stands() || p.Status == "WAITING_FOR_DEPOSIT" && !p.VirtualAccount.frees
}

func (p *modelPayment) answer() modelAnswer {
	body, err := json.Marshal(p)
	if err != nil {
		panic(err)
	}
	return modelAnswer{status: 200, body: string(body)}
}

// read answers a lookup from the given payments.
func (m *modelServer) read(q *modelRequest, payments []modelPayment) modelAnswer {
	if !slices.Contains(m.secrets, q.secret) {
		return modelRefusal(401, "UNAUTHORIZED_KEY")
	}
	path := strings.TrimPrefix(q.path, "/v1/payments/")
	if id, byOrder := strings.CutPrefix(path, "orders/"); byOrder {
		if p := order(payments, id); p != nil {
			return p.answer()
		}
	}
	for i := range payments {
		if payments[i].PaymentKey == path {
			return payments[i].answer()
		}
	}
	return modelRefusal(404, "NOT_FOUND_PAYMENT")
}

func (m *modelServer) nextKey(prefix string) string {
	m.keys++
	return prefix + strconv.Itoa(m.keys)
}

func (m *modelServer) guardConfirm(q *modelRequest) modelAnswer {
	p := m.payment(q.body.PaymentKey)
	switch {
	case p == nil || p.Status == "EXPIRED" || p.Status == "ABORTED" || p.Status == "READY":
		return modelRefusal(404, "NOT_FOUND_PAYMENT_SESSION")
	case p.stands():
		return modelRefusal(400, "ALREADY_PROCESSED_PAYMENT")
	case p.OrderID != q.body.OrderID || p.TotalAmount != q.body.Amount:
		return modelRefusal(403, "FORBIDDEN_REQUEST")
	}
	if other := order(m.payments, p.OrderID); other.stands() {
		return modelRefusal(400, "DUPLICATED_ORDER_ID")
	}
	return modelAnswer{}
}

func (m *modelServer) confirm(q *modelRequest) modelAnswer {
	m.change()
	p := m.payment(q.body.PaymentKey)
	p.Status = "DONE"
	if p.VirtualAccount != nil {
		p.Status = "WAITING_FOR_DEPOSIT"
	}
	p.BalanceAmount, p.LastTransactionKey = p.TotalAmount, m.nextKey("T")
	m.effects = append(m.effects, modelEffect{call: q.call, kind: "approval", target: p.OrderID, amount: p.TotalAmount})
	return p.answer()
}

func (m *modelServer) guardOrder(q *modelRequest) modelAnswer {
	if p := order(m.payments, q.body.OrderID); p != nil && p.takesOrder() {
		return modelRefusal(400, "DUPLICATED_ORDER_ID")
	}
	return modelAnswer{}
}

func (m *modelServer) guardBilling(key string) modelAnswer {
	usable, known := m.billing[key]
	switch {
	case !known:
		return modelRefusal(404, "NOT_FOUND_BILLING")
	case !usable:
		return modelRefusal(400, "ALREADY_REMOVED_BILLING_KEY")
	}
	return modelAnswer{}
}

// made is the payment that a charge makes.
func (m *modelServer) made(q *modelRequest, kind, status string) modelPayment {
	p := modelPayment{
		Version: "2022-11-16", Type: kind, PaymentKey: m.nextKey("pay-"), OrderID: q.body.OrderID, OrderName: q.body.OrderName,
		Status: status, Currency: "KRW", TotalAmount: q.body.Amount, RequestedAt: "2026-03-01T10:15:30+09:00",
	}
	if strings.HasSuffix(q.path, "virtual-accounts") {
		p.VirtualAccount = modelAccount
	} else {
		p.Card = &modelCard{q.body.Amount}
	}
	return p
}

func (m *modelServer) charge(q *modelRequest, kind string) modelAnswer {
	m.change()
	p := m.made(q, kind, "DONE")
	if p.VirtualAccount != nil {
		p.Status = "WAITING_FOR_DEPOSIT"
	}
	p.BalanceAmount, p.LastTransactionKey = p.TotalAmount, m.nextKey("T")
	m.payments = append(m.payments, p)
	m.effects = append(m.effects, modelEffect{call: q.call, kind: "approval", target: p.OrderID, amount: p.TotalAmount})
	return p.answer()
}

func (m *modelServer) guardIssue(q *modelRequest) modelAnswer {
	if m.used[q.body.AuthKey] {
		return modelRefusal(400, "INVALID_AUTHORIZE_AUTH")
	}
	return modelAnswer{}
}

func (m *modelServer) issue(q *modelRequest) modelAnswer {
	m.used[q.body.AuthKey] = true
	key := m.nextKey("billing-")
	m.billing[key] = true
	m.effects = append(m.effects, modelEffect{call: q.call, kind: "billing key", target: q.body.AuthKey})
	return modelAnswer{status: 200, body: `{"mId":"m","customerKey":"` + q.body.CustomerKey + `","billingKey":"` + key + `","method":"카드"}`}
}

func (m *modelServer) remove(q *modelRequest, key string) modelAnswer {
	m.billing[key] = false
	m.effects = append(m.effects, modelEffect{call: q.call, kind: "deletion", target: key})
	return modelAnswer{status: 200}
}

// transfer stands for an endpoint that the library does not know, and that has no guard
// but the idempotency key.
func (m *modelServer) transfer(q *modelRequest) modelAnswer {
	m.effects = append(m.effects, modelEffect{call: q.call, kind: "transfer", target: q.body.OrderID, amount: q.body.Amount})
	return modelAnswer{status: 200, body: `{"id":"` + m.nextKey("transfer-") + `"}`}
}

func (m *modelServer) guardCancel(q *modelRequest, key string) modelAnswer {
	p := m.payment(key)
	if p == nil {
		return modelRefusal(404, "NOT_FOUND_PAYMENT")
	}
	amount := p.BalanceAmount
	if q.body.CancelAmount != nil {
		amount = *q.body.CancelAmount
	}
	over := amount > p.BalanceAmount || p.BalanceAmount == 0
	switch {
	case p.Status == "CANCELED":
		return modelRefusal(400, "ALREADY_CANCELED_PAYMENT")
	case !p.stands():
		return modelRefusal(403, "NOT_CANCELABLE_PAYMENT")
	case over && m.rules.limitFirst:
		return modelRefusal(403, "NOT_CANCELABLE_AMOUNT")
	case q.body.RefundableAmount != nil && *q.body.RefundableAmount != p.BalanceAmount:
		return modelRefusal(400, "NOT_MATCHES_REFUNDABLE_AMOUNT")
	case over:
		return modelRefusal(403, "NOT_CANCELABLE_AMOUNT")
	case p.Status == "WAITING_FOR_DEPOSIT" && q.body.CancelAmount != nil:
		return modelRefusal(403, "NOT_ALLOWED_PARTIAL_REFUND_WAITING_DEPOSIT")
	}
	return modelAnswer{}
}

func (m *modelServer) cancel(q *modelRequest, key string) modelAnswer {
	m.change()
	p := m.payment(key)
	amount := p.BalanceAmount
	if q.body.CancelAmount != nil {
		amount = *q.body.CancelAmount
	}
	p.LastTransactionKey = m.nextKey("C")
	entry := modelCancel{
		TransactionKey: p.LastTransactionKey, CancelAmount: amount, RefundableAmount: p.BalanceAmount - amount,
		CancelReason: q.body.CancelReason, CancelStatus: "DONE",
	}
	effect := modelEffect{call: q.call, kind: "cancel", target: key, amount: amount, reason: q.body.CancelReason}
	if m.rules.wallet {
		entry.CancelStatus = "IN_PROGRESS"
		p.Cancels = append(p.Cancels, entry)
		m.running = append(m.running, modelRunning{target: q.path, lands: afterAll, end: func() { m.walletDone(key, entry, effect) }})
		return p.answer()
	}
	p.Cancels = append(p.Cancels, entry)
	m.canceled(p, effect)
	return p.answer()
}

// canceled takes the amount off the balance, and writes the ledger.
func (m *modelServer) canceled(p *modelPayment, e modelEffect) {
	p.BalanceAmount -= e.amount
	if p.BalanceAmount == 0 && len(p.Cancels) == 1 {
		p.Status = "CANCELED"
	} else {
		p.Status = "PARTIAL_CANCELED"
	}
	m.effects = append(m.effects, e)
}

// walletDone ends a cancel that was in progress.
func (m *modelServer) walletDone(key string, entry modelCancel, e modelEffect) {
	p := m.payment(key)
	for i := range p.Cancels {
		if p.Cancels[i].TransactionKey == entry.TransactionKey && p.Cancels[i].CancelStatus == "IN_PROGRESS" {
			m.change()
			p.Cancels[i].CancelStatus = "DONE"
			m.canceled(p, e)
		}
	}
}
