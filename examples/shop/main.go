// Command shop is the integration guide as one file: order, payment window, success,
// confirm, record, fail, webhook, job, refund. It runs against an in-process fake of Toss
// Payments; with TOSS_SECRET_KEY and TOSS_CLIENT_KEY it takes real payments. The file
// web.go has the rest of a shop: start, rows, buyers, pages.
package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/webhook"
)

// An order is new, confirming, waiting (for a deposit), paid, refunding, or has ended:
// canceled, failed, review (a person has to look).
const schema = `
CREATE TABLE IF NOT EXISTS orders (
	id TEXT PRIMARY KEY, buyer TEXT NOT NULL, amount INTEGER NOT NULL, created_at INTEGER NOT NULL,
	state TEXT NOT NULL DEFAULT 'new', code TEXT NOT NULL DEFAULT '',
	payment_key TEXT NOT NULL DEFAULT '', idempotency_key TEXT NOT NULL DEFAULT '', payment TEXT,
	version INTEGER NOT NULL DEFAULT 0, -- counts changes and events
	look_at INTEGER NOT NULL DEFAULT 0  -- when the job looks again; 0 is not
);
CREATE INDEX IF NOT EXISTS orders_of_buyer ON orders (buyer);
CREATE INDEX IF NOT EXISTS orders_due ON orders (look_at);`

type order struct {
	ID, State, PaymentKey, IdempotencyKey string
	Amount                                tosspayments.Amount
	Code                                  tosspayments.ErrorCode
	Payment                               tosspayments.Stored[*tosspayments.Payment]
	CreatedAt, Version                    int64
}

func (o *order) request() tosspayments.ConfirmPaymentRequest {
	return tosspayments.ConfirmPaymentRequest{PaymentKey: o.PaymentKey, OrderID: o.ID, Amount: o.Amount}
}

type shop struct {
	db                        *sql.DB
	toss                      *tosspayments.Client
	origin, script, clientKey string
	posts                     limiter
}

func (s *shop) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { s.show(w, "한 번에 한 봉지만 팔아요.", nil) })
	mux.HandleFunc("POST /orders", s.createOrder)
	mux.HandleFunc("GET /orders/{id}", s.showOrder)
	mux.HandleFunc("GET /success", s.success)
	mux.HandleFunc("GET /fail", s.fail)
	mux.HandleFunc("POST /orders/{id}/refund", s.refund)
	mux.Handle("POST /webhook", &webhook.Handler{Handle: s.wake, Logger: slog.Default()})
	return s.protect(mux)
}

// createOrder stores the order, with its amount, before any window opens.
func (s *shop) createOrder(w http.ResponseWriter, r *http.Request) {
	id := tosspayments.NewOrderID()
	_, err := s.db.ExecContext(r.Context(), `INSERT INTO orders (id, buyer, amount, created_at) VALUES ($1, $2, 15000, $3)`,
		id, s.buyer(w, r), time.Now().Unix())
	if err != nil {
		s.failed(w, err)
		return
	}
	http.Redirect(w, r, "/orders/"+id, http.StatusSeeOther)
}

// success is where the buyer comes back to. Nothing is paid yet, and all values went
// through the buyer's hands.
func (s *shop) success(w http.ResponseWriter, r *http.Request) {
	redirect, err := tosspayments.ParseSuccessURL(r.URL)
	if err != nil {
		http.Error(w, "잘못된 주소예요. 결제되지 않았어요.", http.StatusBadRequest)
		return
	}
	o, err := s.ofBuyer(w, r, redirect.OrderID)
	if err != nil {
		s.failed(w, err)
		return
	}
	request, err := redirect.ConfirmRequest(o.Amount)
	if err != nil && o.State == "new" {
		http.Error(w, "주문 금액과 결제 금액이 달라요. 결제되지 않았어요.", http.StatusBadRequest)
		return
	}
	if err == nil {
		s.begin(r.Context(), o.ID, "new", "confirming", request.PaymentKey)
	}
	http.Redirect(w, r, "/orders/"+o.ID, http.StatusSeeOther)
}

// begin claims an order for a confirm or a refund. Its keys are stored before anything is
// sent, and of two tabs or clicks only one finds it in the state that it comes from.
func (s *shop) begin(ctx context.Context, id, from, to, paymentKey string) {
	if s.change(ctx, `UPDATE orders SET state = $3, payment_key = $4, idempotency_key = $5, look_at = $6, version = version + 1
		WHERE id = $1 AND state = $2`, id, from, to, paymentKey, rand.Text(), time.Now().Add(time.Minute).Unix()) {
		s.settle(ctx, id)
	}
}

// settle does what an order waits for, and finds out how its payment stands. It may be
// called at any time and as often as you like: under its stored key a confirm or a refund
// happens once, and each call returns how it has ended. No transaction is open meanwhile.
func (s *shop) settle(ctx context.Context, id string) {
	// The buyer may close the page: what has begun goes on to its end all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 25*time.Second)
	defer cancel()
	// What an event has overtaken is looked up again, so that the newest counts.
	for recorded, tries := false, 0; !recorded && tries < 5; tries++ {
		o, err := s.get(ctx, id)
		if err != nil {
			slog.ErrorContext(ctx, "database", "order", id, "error", err)
			return
		}
		payment, err := s.ask(ctx, o)
		recorded = s.record(ctx, o, payment, err)
	}
}

func (s *shop) ask(ctx context.Context, o *order) (*tosspayments.Payment, error) {
	switch o.State {
	case "confirming":
		return s.toss.ConfirmPayment(ctx, o.request(), tosspayments.WithIdempotencyKey(o.IdempotencyKey))
	case "refunding":
		return s.toss.CancelPayment(ctx, o.PaymentKey, tosspayments.CancelPaymentRequest{CancelReason: "구매자 요청"},
			tosspayments.WithIdempotencyKey(o.IdempotencyKey))
	}
	return s.toss.ResolvePayment(ctx, o.request())
}

// record writes down what an outcome means for an order, and reports whether it did. If the
// order has changed since it was read, which an event does, what was seen may be old.
func (s *shop) record(ctx context.Context, o *order, payment *tosspayments.Payment, err error) (recorded bool) {
	state, lookAt := o.State, int64(0)
	switch outcome := tosspayments.OutcomeOf(payment, err); {
	case outcome == tosspayments.OutcomePaid:
		state = "paid" // here goods go out
	case outcome == tosspayments.OutcomeWaiting:
		state, lookAt = "waiting", time.Now().Add(time.Hour).Unix()
	case outcome == tosspayments.OutcomeCanceled:
		state = "canceled"
	case outcome == tosspayments.OutcomeMismatch:
		state = "review"
	case outcome == tosspayments.OutcomeUnknown: // ever more rarely, as the order gets old
		lookAt = time.Now().Unix() + max(60, (time.Now().Unix()-o.CreatedAt)/2)
	case o.State == "refunding": // refused: the order stays paid
		state = "paid"
	case outcome == tosspayments.OutcomeNotSent:
		state = "new"
	default:
		state = "failed"
	}
	payment = cmp.Or(payment, tosspayments.PaymentOf(err), o.Payment.Get())
	recorded = s.change(context.WithoutCancel(ctx), `UPDATE orders SET state = $3, code = $4, payment = $5, look_at = $6, version = version + 1
		WHERE id = $1 AND version = $2`, o.ID, o.Version, state, string(tosspayments.CodeOf(err)), tosspayments.Store(payment), lookAt)
	slog.InfoContext(ctx, "payment", "order", o.ID, "was", o.State, "is", state, "recorded", recorded, "error", err)
	return recorded
}

// refund gives everything back. A shop lets its staff do this.
func (s *shop) refund(w http.ResponseWriter, r *http.Request) {
	o, err := s.ofBuyer(w, r, r.PathValue("id"))
	if err != nil {
		s.failed(w, err)
		return
	}
	s.begin(r.Context(), o.ID, "paid", "refunding", o.PaymentKey)
	http.Redirect(w, r, "/orders/"+o.ID, http.StatusSeeOther)
}

// fail changes nothing: anybody can open it.
func (s *shop) fail(w http.ResponseWriter, r *http.Request) {
	fail, err := tosspayments.ParseFailURL(r.URL)
	if err != nil {
		http.Error(w, "잘못된 주소예요. 결제되지 않았어요.", http.StatusBadRequest)
		return
	}
	o, err := s.ofBuyer(w, r, r.URL.Query().Get("order"))
	if err != nil {
		s.failed(w, err)
		return
	}
	s.show(w, explain(fail.Code), o)
}

// wake lets the job look at the order of an event, if it waits for one: all others are
// looked at anyway, or have ended. What the event says is not recorded, and an order that is
// due keeps its place: anybody could have sent the event.
func (s *shop) wake(ctx context.Context, d webhook.Delivery) error {
	_, err := s.db.ExecContext(ctx, `UPDATE orders SET look_at = CASE WHEN look_at BETWEEN 1 AND $2 THEN look_at ELSE $2 END, version = version + 1
		WHERE id = $1 AND state IN ('waiting', 'paid')`, d.Event.OrderID(), time.Now().Unix())
	return err
}

// job settles every order whose time has come.
func (s *shop) job(ctx context.Context) {
	id, err := s.next(ctx)
	for ; err == nil; id, err = s.next(ctx) {
		s.settle(ctx, id)
	}
	if !errors.Is(err, sql.ErrNoRows) {
		slog.ErrorContext(ctx, "database", "error", err)
	}
}

// next takes the order that has been due for the longest time, confirms last: a payment key
// that somebody made up takes seconds to look up. Whoever takes the order has a minute; it
// stays due until its outcome is recorded.
func (s *shop) next(ctx context.Context) (id string, err error) {
	err = s.db.QueryRowContext(ctx, `UPDATE orders SET look_at = $2 WHERE id = (SELECT id FROM orders WHERE look_at BETWEEN 1 AND $1
		ORDER BY state = 'confirming', look_at LIMIT 1) RETURNING id`, time.Now().Unix(), time.Now().Add(time.Minute).Unix()).Scan(&id)
	return id, err
}
