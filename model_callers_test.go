package tosspayments_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/seed238ab19c/tosspayments"
)

// modelOp is one call that moves money, in a world in which it succeeds.
type modelOp struct {
	name string
	// path is where an approval is asked for.
	path string
	// kind is the effect that it is for: approval, cancel, deletion, billing key, transfer.
	kind string
	// target is the order, payment or key whose effects are its own.
	target string
	// keyed: it takes WithIdempotencyKey. A refund with a RefundID has a key of its own.
	keyed, refundID bool
	// shared: it is the same operation whoever makes it, with whatever key.
	shared bool
	// unguarded: nothing but the idempotency key keeps it from happening twice.
	unguarded bool
	world     func(*modelServer)
	call      func(context.Context, *tosspayments.Client, *modelRun, ...tosspayments.CallOption) (*tosspayments.Payment, error)
	resolve   []func(context.Context, *tosspayments.Client) (*tosspayments.Payment, error)
	// rivals are what somebody else may do meanwhile.
	rivals map[string]func(*modelServer)
}

const (
	modelOrder  = "order-0001"
	modelBuyer  = "customer-1"
	modelSecret = "test_sk_zXLkKEypNArWmo50nX3lmeaxYG5R"
	modelRolled = "test_sk_D5GePWvyJnrK0W0k6q8gLzN97Eoq"
	modelTotal  = 10000
	modelPart   = 3000
)

// window is a payment that the buyer has authenticated.
func modelWindow(key, status string) modelPayment {
	return modelPayment{
		Version: "2022-11-16", Type: "NORMAL", PaymentKey: key, OrderID: modelOrder, OrderName: "socks", Status: status,
		Currency: "KRW", TotalAmount: modelTotal, BalanceAmount: modelTotal, RequestedAt: "2026-03-01T10:15:30+09:00",
	}
}

func withPayments(payments ...modelPayment) func(*modelServer) {
	return func(m *modelServer) { m.payments = append(m.payments, payments...) }
}

func withBillingKey(m *modelServer) { m.billing["billing-1"] = true }

// by makes a request in somebody else's name, without going through the network.
func by(path string, body modelBody) func(*modelServer) {
	return func(m *modelServer) {
		m.answer(&modelRequest{method: http.MethodPost, path: path, key: m.nextKey("rival-"), secret: m.secrets[0], body: body})
	}
}

// status changes a payment behind everybody's back.
func status(key, status string) func(*modelServer) {
	return func(m *modelServer) {
		if p := m.payment(key); p != nil && !p.stands() {
			m.change()
			p.Status = status
		}
	}
}

// walletAborts ends the cancels that a wallet is working on without an effect.
func walletAborts(m *modelServer) {
	for _, p := range m.payments {
		for i := range p.Cancels {
			if p.Cancels[i].CancelStatus == "IN_PROGRESS" {
				m.change()
				p.Cancels[i].CancelStatus = "ABORTED"
			}
		}
	}
}

func modelAmount(n int) *int { return &n }

var modelConfirmRequest = tosspayments.ConfirmPaymentRequest{PaymentKey: "pay-1", OrderID: modelOrder, Amount: tosspayments.Won(modelTotal)}

func resolveByKey(ctx context.Context, c *tosspayments.Client) (*tosspayments.Payment, error) {
	return c.ResolvePayment(ctx, modelConfirmRequest)
}

func resolveByOrder(ctx context.Context, c *tosspayments.Client) (*tosspayments.Payment, error) {
	return c.ResolvePaymentByOrderID(ctx, modelOrder, tosspayments.Won(modelTotal))
}

type modelResolve = func(context.Context, *tosspayments.Client) (*tosspayments.Payment, error)

func confirmModel() *modelOp {
	return &modelOp{
		name: "confirm", path: "/v1/payments/confirm", kind: "approval", target: modelOrder, keyed: true, shared: true,
		world:   withPayments(modelWindow("pay-1", "IN_PROGRESS")),
		resolve: []modelResolve{resolveByKey, resolveByOrder},
		call: func(ctx context.Context, c *tosspayments.Client, _ *modelRun, opts ...tosspayments.CallOption) (*tosspayments.Payment, error) {
			return c.ConfirmPayment(ctx, modelConfirmRequest, opts...)
		},
		rivals: map[string]func(*modelServer){
			"confirms": by("/v1/payments/confirm", modelBody{PaymentKey: "pay-1", OrderID: modelOrder, Amount: modelTotal}),
			"cancels":  by("/v1/payments/pay-1/cancel", modelBody{CancelReason: "rival"}),
			"parts":    by("/v1/payments/pay-1/cancel", modelBody{CancelReason: "rival", CancelAmount: modelAmount(modelPart)}),
			"expires":  status("pay-1", "EXPIRED"),
		},
	}
}

// brandPayModel goes through DoPayment, as the packages do that are built on it.
func brandPayModel() *modelOp {
	op := confirmModel()
	op.name, op.path = "do-payment", "/v1/brandpay/payments/confirm"
	op.call = func(ctx context.Context, c *tosspayments.Client, _ *modelRun, opts ...tosspayments.CallOption) (*tosspayments.Payment, error) {
		request := tosspayments.Request{Method: http.MethodPost, Path: "/v1/brandpay/payments/confirm", Body: modelConfirmRequest}
		return c.DoPayment(ctx, request, modelConfirmRequest, opts...)
	}
	return op
}

func chargeModel() *modelOp {
	return &modelOp{
		name: "charge", path: "/v1/billing/billing-1", kind: "approval", target: modelOrder, keyed: true, shared: true,
		world:   withBillingKey,
		resolve: []modelResolve{resolveByOrder},
		call: func(ctx context.Context, c *tosspayments.Client, _ *modelRun, opts ...tosspayments.CallOption) (*tosspayments.Payment, error) {
			return c.ChargeBilling(ctx, tosspayments.NewBillingKey("billing-1", modelBuyer), tosspayments.ChargeBillingRequest{
				OrderID: modelOrder, OrderName: "socks", Amount: tosspayments.Won(modelTotal),
			}, opts...)
		},
		rivals: map[string]func(*modelServer){
			"charges": by("/v1/billing/billing-1", modelBody{OrderID: modelOrder, OrderName: "socks", Amount: modelTotal}),
			"removes": func(m *modelServer) { m.billing["billing-1"] = false },
			"cancels": func(m *modelServer) {
				if p := order(m.payments, modelOrder); p != nil {
					by("/v1/payments/"+p.PaymentKey+"/cancel", modelBody{CancelReason: "rival"})(m)
				}
			},
		},
	}
}

func keyInModel() *modelOp {
	return &modelOp{
		name: "key-in", path: "/v1/payments/key-in", kind: "approval", target: modelOrder, keyed: true, shared: true,
		world:   func(*modelServer) {},
		resolve: []modelResolve{resolveByOrder},
		call: func(ctx context.Context, c *tosspayments.Client, _ *modelRun, opts ...tosspayments.CallOption) (*tosspayments.Payment, error) {
			return c.ChargeKeyIn(ctx, tosspayments.ChargeKeyInRequest{
				OrderID: modelOrder, OrderName: "socks", Amount: tosspayments.Won(modelTotal),
				CardNumber: tosspayments.NewSensitive("4330123412341234"), CardExpirationYear: tosspayments.NewSensitive("30"),
				CardExpirationMonth: tosspayments.NewSensitive("12"), CustomerIdentityNumber: tosspayments.NewSensitive("900101"),
			}, opts...)
		},
		rivals: map[string]func(*modelServer){
			"charges": by("/v1/payments/key-in", modelBody{OrderID: modelOrder, OrderName: "socks", Amount: modelTotal}),
		},
	}
}

func accountModel() *modelOp {
	return &modelOp{
		name: "account", path: "/v1/virtual-accounts", kind: "approval", target: modelOrder, keyed: true, shared: true,
		world:   func(*modelServer) {},
		resolve: []modelResolve{resolveByOrder},
		call: func(ctx context.Context, c *tosspayments.Client, _ *modelRun, opts ...tosspayments.CallOption) (*tosspayments.Payment, error) {
			return c.IssueVirtualAccount(ctx, tosspayments.IssueVirtualAccountRequest{
				OrderID: modelOrder, OrderName: "socks", Amount: tosspayments.Won(modelTotal), CustomerName: "김토스", Bank: "20",
			}, opts...)
		},
		rivals: map[string]func(*modelServer){
			"deposits": func(m *modelServer) {
				if p := order(m.payments, modelOrder); p != nil && p.Status == "WAITING_FOR_DEPOSIT" {
					m.change()
					p.Status = "DONE"
				}
			},
		},
	}
}

func cancelModel() *modelOp {
	return &modelOp{
		name: "cancel", kind: "cancel", target: "pay-1", keyed: true, shared: true,
		world: withPayments(modelWindow("pay-1", "DONE")),
		call: func(ctx context.Context, c *tosspayments.Client, _ *modelRun, opts ...tosspayments.CallOption) (*tosspayments.Payment, error) {
			return c.CancelPayment(ctx, "pay-1", tosspayments.CancelPaymentRequest{CancelReason: "changed mind"}, opts...)
		},
		rivals: map[string]func(*modelServer){
			"aborts":  walletAborts,
			"cancels": by("/v1/payments/pay-1/cancel", modelBody{CancelReason: "changed mind"}),
			"parts":   by("/v1/payments/pay-1/cancel", modelBody{CancelReason: "rival", CancelAmount: modelAmount(modelPart)}),
		},
	}
}

func partModel() *modelOp {
	return &modelOp{
		name: "part", kind: "cancel", target: "pay-1", refundID: true,
		world: withPayments(modelWindow("pay-1", "DONE")),
		call: func(ctx context.Context, c *tosspayments.Client, r *modelRun, opts ...tosspayments.CallOption) (*tosspayments.Payment, error) {
			return c.CancelPaymentPartially(ctx, "pay-1", tosspayments.PartialCancelRequest{
				CancelReason: "changed mind", CancelAmount: tosspayments.Won(modelPart),
				RefundableAmount: tosspayments.Won(r.pin), RefundID: "refund-1",
			}, opts...)
		},
		rivals: map[string]func(*modelServer){
			"alike":   by("/v1/payments/pay-1/cancel", modelBody{CancelReason: "changed mind", CancelAmount: modelAmount(modelPart)}),
			"aborts":  walletAborts,
			"twin":    by("/v1/payments/pay-1/cancel", modelBody{CancelReason: "changed mind [refund-2]", CancelAmount: modelAmount(modelPart)}),
			"cancels": by("/v1/payments/pay-1/cancel", modelBody{CancelReason: "rival"}),
		},
	}
}

// bareModel is a part without a RefundID: good for one call.
func bareModel() *modelOp {
	op := partModel()
	op.name, op.refundID = "bare-part", false
	op.call = func(ctx context.Context, c *tosspayments.Client, r *modelRun, opts ...tosspayments.CallOption) (*tosspayments.Payment, error) {
		return c.CancelPaymentPartially(ctx, "pay-1", tosspayments.PartialCancelRequest{
			CancelReason: "changed mind", CancelAmount: tosspayments.Won(modelPart), RefundableAmount: tosspayments.Won(r.pin),
		}, opts...)
	}
	return op
}

func deleteModel() *modelOp {
	return &modelOp{
		name: "delete", kind: "deletion", target: "billing-1", world: withBillingKey,
		call: func(ctx context.Context, c *tosspayments.Client, _ *modelRun, opts ...tosspayments.CallOption) (*tosspayments.Payment, error) {
			return nil, c.DeleteBillingKey(ctx, tosspayments.NewBillingKey("billing-1", modelBuyer), opts...)
		},
	}
}

func issueModel() *modelOp {
	return &modelOp{
		name: "issue", kind: "billing key", target: "auth-1", keyed: true, world: func(*modelServer) {},
		call: func(ctx context.Context, c *tosspayments.Client, _ *modelRun, opts ...tosspayments.CallOption) (*tosspayments.Payment, error) {
			redirect := tosspayments.BillingRedirect{CustomerKey: modelBuyer, AuthKey: tosspayments.NewSensitive("auth-1")}
			_, err := c.IssueBillingKey(ctx, redirect, opts...)
			return nil, err
		},
	}
}

// transferModel is an endpoint that the library does not know.
func transferModel() *modelOp {
	return &modelOp{
		name: "do", kind: "transfer", target: modelOrder, keyed: true, unguarded: true, world: func(*modelServer) {},
		call: func(ctx context.Context, c *tosspayments.Client, _ *modelRun, opts ...tosspayments.CallOption) (*tosspayments.Payment, error) {
			var out struct {
				ID string `json:"id"`
			}
			body := map[string]any{"orderId": modelOrder, "amount": modelTotal}
			return nil, c.Do(ctx, tosspayments.Request{Method: http.MethodPost, Path: "/v1/transfers", Body: body}, &out, opts...)
		},
	}
}

// modelRun is one run: the server, the caller's calls so far, and what was said of them.
type modelRun struct {
	*modelServer
	*modelScenario
	path  *modelPath
	words []modelWord
	// key is the key of the operation: stored from the start, or that of an error.
	key string
	// pin is the balance that a part expects, pinned that of the first call.
	pin, pinned int64
	// wasGone: nothing was left of the payment before the call's first request.
	wasGone bool
	// rival is what somebody else has not done yet.
	rival  func(*modelServer)
	client *tosspayments.Client
}

// modelWord is what one call said, and what was true at that moment.
type modelWord struct {
	call        int
	outcome     tosspayments.Outcome
	payment     *tosspayments.Payment
	err         error
	took, limit time.Duration
	// key is the one that it was given; fresh: it had a random one, and speaks for itself alone.
	key   string
	fresh bool
	// lookup: it was a ResolvePayment.
	lookup bool
	// own are the effects of the operation so far, all those of anybody.
	own, all int
	// gone: nothing is left of the payment; wasGone: nor was there before the first request.
	// stands: the order has a payment.
	gone, wasGone, stands bool
	// stale: a read showed less than there was. blind: one had no answer that can be used.
	stale, blind bool
}

// happened reports whether the word says that the call has had its effect.
func (w *modelWord) happened() bool { return w.err == nil }

func (w *modelWord) unknown() bool {
	return w.err != nil && w.outcome == tosspayments.OutcomeUnknown
}

// another makes another process of the same merchant.
func (r *modelRun) another(secret string, opts ...tosspayments.Option) {
	client, err := tosspayments.New(secret, append([]tosspayments.Option{
		tosspayments.WithHTTPClient(&http.Client{Transport: r.modelServer}),
	}, opts...)...)
	if err != nil {
		panic(err)
	}
	r.client = client
}

// say makes the call. deadline 0 is none.
func (r *modelRun) say(deadline time.Duration) *modelWord {
	w := modelWord{fresh: r.key == "" && !r.op.refundID}
	var opts []tosspayments.CallOption
	if r.key != "" && r.op.keyed {
		w.key = r.key
		opts = append(opts, tosspayments.WithIdempotencyKey(r.key))
	}
	return r.listen(&w, deadline, func(ctx context.Context) (*tosspayments.Payment, error) {
		return r.op.call(ctx, r.client, r, opts...)
	})
}

// lookUp asks how the operation has ended.
func (r *modelRun) lookUp(resolve modelResolve) *modelWord {
	return r.listen(&modelWord{lookup: true}, 0, func(ctx context.Context) (*tosspayments.Payment, error) {
		return resolve(ctx, r.client)
	})
}

func (r *modelRun) listen(w *modelWord, deadline time.Duration, call func(context.Context) (*tosspayments.Payment, error)) *modelWord {
	w.call = len(r.words) + 1
	ctx := context.WithValue(context.Background(), modelCallNumber{}, w.call)
	w.limit = 120 * time.Second
	if deadline > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, deadline)
		defer cancel()
		w.limit = deadline + r.grace
	}
	start, names := time.Now(), len(r.path.names)
	w.payment, w.err = call(ctx)
	w.took = time.Since(start)
	w.outcome = tosspayments.OutcomeOf(w.payment, w.err)
	w.own, w.all = r.count(w.call), r.count(-1)
	w.gone, w.stands = r.state()
	w.wasGone = r.wasGone && r.path.asked > 0
	for _, name := range r.path.names[names:] {
		w.stale = w.stale || name == "get:stale" || name == "get:404"
		w.blind = w.blind || strings.HasPrefix(name, "get:") && name != "get:stale" || name == "dial"
	}
	if !r.path.healthy {
		r.path.names = append(r.path.names, "|")
	}
	r.path.asked = 0
	r.settle(afterCall)
	var unknown *tosspayments.OutcomeUnknownError
	if errors.As(w.err, &unknown) && r.key == "" && r.op.keyed {
		r.key = unknown.IdempotencyKey
	}
	r.words = append(r.words, *w)
	return &r.words[len(r.words)-1]
}

// count counts the operation's effects that the calls up to the given one have had; -1
// counts those of everybody.
func (r *modelRun) count(upTo int) (n int) {
	for _, e := range r.effects {
		if e.kind == r.op.kind && e.target == r.op.target && (upTo < 0 || e.call > 0 && e.call <= upTo) {
			n++
		}
	}
	return n
}

// by counts those of one call.
func (r *modelRun) by(call int) int { return r.count(call) - r.count(call-1) }

func (r *modelRun) state() (gone, stands bool) {
	p := order(r.payments, modelOrder)
	return p != nil && p.stands() && p.BalanceAmount == 0, p != nil && p.stands()
}

// later lets a minute pass.
func (r *modelRun) later() {
	time.Sleep(time.Minute)
	r.settle(afterAll)
}

// finish follows the advice of the last word to its end, with a server that is well.
func (r *modelRun) finish() {
	r.path.healthy, r.choose = true, r.chooses
	for range 6 {
		if !r.open(&r.words[len(r.words)-1]) {
			break
		}
		r.later()
		r.say(0)
	}
	r.later()
}

// open reports whether a word asks for the call to be made again.
func (r *modelRun) open(w *modelWord) bool { return w.unknown() && r.mayRepeat(w) }

func (r *modelRun) mayRepeat(w *modelWord) bool {
	var unknown *tosspayments.OutcomeUnknownError
	if errors.As(w.err, &unknown) {
		return unknown.Repeatable
	}
	return true // an error of a read: the call itself is always there
}

// chooses answers as the path says; with force, as that says.
func (r *modelRun) chooses(m *modelServer, q *modelRequest) *modelFault {
	f := r.path.choose(m, q, &r.rival)
	if r.path.asked == 1 {
		r.wasGone, _ = r.state()
	}
	return f
}

// forcing lets the path choose only where force has no answer.
func (r *modelRun) forcing(force func(*modelRequest) *modelFault) {
	r.choose = func(m *modelServer, q *modelRequest) *modelFault {
		if f := force(q); f != nil {
			return f
		}
		return r.chooses(m, q)
	}
}

// modelFaultOf finds a fault by name; "" is none.
func modelFaultOf(q *modelRequest, name string) *modelFault {
	faults := writeFaults
	if q.method == http.MethodGet {
		faults = readFaults
	}
	switch name {
	case "dial":
		return &dialFault
	case "":
		return &faults[0]
	}
	for i := range faults {
		if faults[i].name == name {
			return &faults[i]
		}
	}
	panic("no such fault: " + name)
}
