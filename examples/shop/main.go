// Command shop is the integration guide as one file: order, payment window, success,
// confirm, record, fail, webhook, job, refund. It runs against a Toss Payments inside this
// process; with TOSS_SECRET_KEY and TOSS_CLIENT_KEY it takes real payments.
package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	_ "embed"
	"html/template"
	"log"
	"log/slog"
	"net/http"
	"os"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
	"github.com/seed238ab19c/tosspayments/webhook"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("").Parse(pageText))

const schema = `
CREATE TABLE IF NOT EXISTS orders (
	id TEXT PRIMARY KEY, amount INTEGER NOT NULL, state TEXT NOT NULL DEFAULT 'new', code TEXT NOT NULL DEFAULT '',
	payment_key TEXT NOT NULL DEFAULT '', idempotency_key TEXT NOT NULL DEFAULT '', key_id TEXT NOT NULL DEFAULT '',
	payment TEXT, version INTEGER NOT NULL DEFAULT 0,
	look_at INTEGER NOT NULL DEFAULT 0 -- when the job looks again; 0 is not
);
CREATE TABLE IF NOT EXISTS refunds (
	id TEXT PRIMARY KEY, order_id TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'pending', problem TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX IF NOT EXISTS one_refund ON refunds (order_id) WHERE state = 'pending';`

type shop struct {
	db                *sql.DB
	toss              *tosspayments.Client
	script, clientKey string
}

type order struct {
	ID, State, PaymentKey, IdempotencyKey, KeyID string
	Amount                                       tosspayments.Amount
	Code                                         tosspayments.ErrorCode
	Payment                                      tosspayments.Stored[*tosspayments.Payment]
	Version, LookAt                              int64
}

func (o *order) request() tosspayments.ConfirmPaymentRequest {
	return tosspayments.ConfirmPaymentRequest{PaymentKey: o.PaymentKey, OrderID: o.ID, Amount: o.Amount}
}

func main() {
	s, err := open("shop.db", os.Getenv("TOSS_SECRET_KEY"), os.Getenv("TOSS_CLIENT_KEY"))
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		for range time.Tick(5 * time.Second) {
			s.job(context.Background())
		}
	}()
	log.Println("http://127.0.0.1:8080")
	server := http.Server{Addr: "127.0.0.1:8080", Handler: s.handler(), ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(server.ListenAndServe())
}

// open connects to Toss Payments and the database. Without keys both are inside this
// process, and forget at its end.
func open(database, secretKey, clientKey string) (*shop, error) {
	if secretKey == "" {
		server, err := tosstest.Start()
		if err != nil {
			return nil, err
		}
		return newShop(":memory:", server.Client(), server.URL+tosstest.ScriptPath, tosstest.DefaultClientKey)
	}
	client, err := tosspayments.New(secretKey)
	if err != nil {
		return nil, err
	}
	return newShop(database, client, "https://js.tosspayments.com/v2/standard", clientKey)
}

func newShop(database string, toss *tosspayments.Client, script, clientKey string) (*shop, error) {
	db, err := sql.Open("sqlite", "file:"+database+"?_pragma=busy_timeout(10000)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	_, err = db.Exec(schema)
	return &shop{db, toss, script, clientKey}, err
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
	sameOrigin := http.NewCrossOriginProtection() // other sites must not post for the buyer
	sameOrigin.AddInsecureBypassPattern("POST /webhook")
	return sameOrigin.Handler(mux)
}

// createOrder stores the order, with its amount, before any window opens.
func (s *shop) createOrder(w http.ResponseWriter, r *http.Request) {
	id := tosspayments.NewOrderID() // cannot be guessed, and so stands for the buyer here
	if _, err := s.db.ExecContext(r.Context(), `INSERT INTO orders (id, amount) VALUES ($1, 15000)`, id); err != nil {
		http.Error(w, "잠시 후 다시 시도해 주세요.", http.StatusInternalServerError)
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
	o, err := s.get(r.Context(), redirect.OrderID)
	if err != nil {
		http.Error(w, "주문을 찾을 수 없어요.", http.StatusNotFound)
		return
	}
	request, err := redirect.ConfirmRequest(o.Amount)
	if err != nil {
		http.Error(w, "주문 금액과 결제 금액이 달라요. 결제되지 않았어요.", http.StatusBadRequest)
		return
	}
	// The buyer may close the page: the confirm goes on to its end all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 25*time.Second)
	defer cancel()
	if err := s.confirm(ctx, o, request); err != nil {
		slog.ErrorContext(ctx, "database", "order", o.ID, "error", err)
	}
	http.Redirect(w, r, "/orders/"+o.ID, http.StatusSeeOther)
}

// confirm claims a new order with its keys, so that a refresh or a second tab does
// nothing, and confirms. No transaction is open meanwhile.
func (s *shop) confirm(ctx context.Context, o *order, request tosspayments.ConfirmPaymentRequest) error {
	result, err := s.db.ExecContext(ctx, `UPDATE orders SET state = 'confirming', payment_key = $2, idempotency_key = $3, key_id = $4,
		look_at = $5, version = version + 1 WHERE id = $1 AND state = 'new'`,
		o.ID, request.PaymentKey, rand.Text(), s.toss.KeyID(), time.Now().Add(time.Minute).Unix())
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return err
	}
	if o, err = s.get(ctx, o.ID); err != nil {
		return err
	}
	payment, err := s.toss.ConfirmPayment(ctx, request, tosspayments.WithIdempotencyKey(o.IdempotencyKey))
	return s.record(ctx, o, payment, err)
}

// record writes down what a confirm or a lookup means for an order. If the order has
// changed since it was read, which an event does, what was seen may be old.
func (s *shop) record(ctx context.Context, o *order, payment *tosspayments.Payment, err error) error {
	state, lookAt := o.State, int64(0)
	switch tosspayments.OutcomeOf(payment, err) {
	case tosspayments.OutcomePaid:
		state = "paid" // here goods go out
	case tosspayments.OutcomeWaiting:
		state, lookAt = "waiting", time.Now().Add(time.Hour).Unix()
	case tosspayments.OutcomeCanceled:
		state = "canceled"
	case tosspayments.OutcomeRefused:
		state = "failed"
	case tosspayments.OutcomeNotSent:
		state = "new"
	case tosspayments.OutcomeMismatch:
		state = "review" // a person looks
	case tosspayments.OutcomeUnknown:
		lookAt = time.Now().Add(time.Minute).Unix()
	}
	slog.InfoContext(ctx, "payment", "order", o.ID, "was", o.State, "is", state, "error", err)
	payment = cmp.Or(payment, tosspayments.PaymentOf(err), o.Payment.Get())
	result, err := s.db.ExecContext(context.WithoutCancel(ctx), `UPDATE orders SET state = $3, code = $4, payment = $5, look_at = $6,
		version = version + 1 WHERE id = $1 AND version = $2`,
		o.ID, o.Version, state, string(tosspayments.CodeOf(err)), tosspayments.Store(payment), lookAt)
	if err != nil || ctx.Err() != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return s.settle(ctx, o.ID)
}

// settle finds out how the payment of an order stands. It reads first; where nothing is
// decided it confirms again under the stored key, which happens once.
func (s *shop) settle(ctx context.Context, id string) error {
	o, err := s.get(ctx, id)
	if err != nil {
		return err
	}
	payment, err := s.toss.ResolvePayment(ctx, o.request())
	if o.State == "confirming" && tosspayments.OutcomeOf(payment, err) == tosspayments.OutcomeUnknown && o.KeyID == s.toss.KeyID() {
		payment, err = s.toss.ConfirmPayment(ctx, o.request(), tosspayments.WithIdempotencyKey(o.IdempotencyKey))
	}
	return s.record(ctx, o, payment, err)
}

// fail changes nothing: anybody can open it.
func (s *shop) fail(w http.ResponseWriter, r *http.Request) {
	fail, err := tosspayments.ParseFailURL(r.URL)
	if err != nil {
		http.Error(w, "잘못된 주소예요. 결제되지 않았어요.", http.StatusBadRequest)
		return
	}
	o, _ := s.get(r.Context(), r.URL.Query().Get("order"))
	s.show(w, explain(fail.Code), o)
}

// wake lets the job look at the order of an event. What the event says is not recorded:
// anybody could have sent it. An order that is not there yet makes it come again.
func (s *shop) wake(ctx context.Context, d webhook.Delivery) error {
	if d.Event.OrderID() == "" {
		return nil
	}
	o, err := s.get(ctx, d.Event.OrderID())
	if err != nil || o.PaymentKey == "" {
		return err
	}
	_, err = s.db.ExecContext(ctx, `UPDATE orders SET look_at = $2, version = version + 1 WHERE id = $1`, o.ID, time.Now().Unix())
	return err
}

// job asks again about every order whose time has come, and repeats refunds that have no
// end yet. Each may be asked for at any time, and happens once.
func (s *shop) job(ctx context.Context) {
	for _, id := range s.ids(ctx, `SELECT id FROM orders WHERE look_at BETWEEN 1 AND $1`) {
		if err := s.settle(ctx, id); err != nil {
			slog.ErrorContext(ctx, "job", "order", id, "error", err)
		}
	}
	for _, id := range s.ids(ctx, `SELECT id FROM refunds WHERE state = 'pending' AND $1 > 0`) {
		s.giveBack(ctx, id)
	}
}

// refund stores the refund before it is asked for. A shop lets its staff do this.
func (s *shop) refund(w http.ResponseWriter, r *http.Request) {
	ctx, id := context.WithoutCancel(r.Context()), rand.Text()
	o, err := s.get(ctx, r.PathValue("id"))
	if err != nil {
		http.Error(w, "주문을 찾을 수 없어요.", http.StatusNotFound)
		return
	}
	_, err = s.db.ExecContext(ctx, `INSERT INTO refunds (id, order_id) SELECT $1, id FROM orders WHERE id = $2 AND state = 'paid'`, id, o.ID)
	if err == nil {
		s.giveBack(ctx, id)
	}
	http.Redirect(w, r, "/orders/"+o.ID, http.StatusSeeOther)
}

// giveBack cancels all that is left, records how the refund has ended, and lets the job
// look at the order.
func (s *shop) giveBack(ctx context.Context, id string) {
	var orderID, paymentKey string
	err := s.db.QueryRowContext(ctx, `SELECT o.id, o.payment_key FROM refunds r JOIN orders o ON o.id = r.order_id WHERE r.id = $1`, id).
		Scan(&orderID, &paymentKey)
	if err != nil {
		return // there is no such refund, or the job tries again
	}
	ctx, cancel := context.WithTimeout(ctx, 25*time.Second)
	defer cancel()
	_, err = s.toss.CancelPayment(ctx, paymentKey, tosspayments.CancelPaymentRequest{CancelReason: "구매자 요청"},
		tosspayments.WithIdempotencyKey("refund-"+id))
	state, problem := "pending", ""
	switch outcome := tosspayments.OutcomeOf(nil, err); {
	case err == nil:
		state = "done"
	case outcome == tosspayments.OutcomeRefused, outcome == tosspayments.OutcomeNotSent:
		state, problem = "refused", err.Error()
	case outcome == tosspayments.OutcomeMismatch:
		state, problem = "review", err.Error()
	}
	ctx = context.WithoutCancel(ctx)
	_, err = s.db.ExecContext(ctx, `UPDATE orders SET look_at = 1, version = version + 1 WHERE id = $1`, orderID)
	if err == nil {
		_, err = s.db.ExecContext(ctx, `UPDATE refunds SET state = $2, problem = $3 WHERE id = $1`, id, state, problem)
	}
	slog.InfoContext(ctx, "refund", "order", orderID, "state", state, "problem", problem, "error", err)
}

func (s *shop) get(ctx context.Context, id string) (*order, error) {
	var o order
	err := s.db.QueryRowContext(ctx, `SELECT id, amount, state, code, payment_key, idempotency_key, key_id, payment, version
		FROM orders WHERE id = $1`, id).
		Scan(&o.ID, &o.Amount, &o.State, &o.Code, &o.PaymentKey, &o.IdempotencyKey, &o.KeyID, &o.Payment, &o.Version)
	return &o, err
}

func (s *shop) ids(ctx context.Context, query string) (ids []string) {
	rows, err := s.db.QueryContext(ctx, query, time.Now().Unix())
	if err != nil {
		return nil
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id string
		if rows.Scan(&id) == nil {
			ids = append(ids, id)
		}
	}
	return ids
}
