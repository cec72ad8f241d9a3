package recipes

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/seed238ab19c/tosspayments"
)

// Outcome is what to record about a confirm.
type Outcome struct {
	// State is paid, waiting (for a deposit), failed, refunded, review (a person has to
	// look), new (nothing was sent) or confirming (not known yet).
	State string
	// Code says why it failed.
	Code tosspayments.ErrorCode
	// IdempotencyKey is what the next attempt must carry; "" lets it make one.
	IdempotencyKey string
	Payment        *tosspayments.Payment
}

// OutcomeOf takes what ConfirmPayment has returned.
func OutcomeOf(payment *tosspayments.Payment, err error) Outcome {
	var unknown *tosspayments.OutcomeUnknownError
	var mismatch *tosspayments.MismatchError
	var refused *tosspayments.Error
	switch {
	case err == nil && payment.IsPaid():
		return Outcome{State: "paid", Payment: payment}
	case err == nil:
		return Outcome{State: "waiting", Payment: payment} // a virtual account: no money yet
	case errors.As(err, &unknown) && unknown.Next == tosspayments.NextSameKey:
		return Outcome{State: "confirming", IdempotencyKey: unknown.IdempotencyKey}
	case errors.As(err, &unknown):
		return Outcome{State: "confirming"}
	case errors.As(err, &mismatch):
		return Outcome{State: "review", Payment: mismatch.Payment}
	case errors.Is(err, tosspayments.ErrCanceledSince) && errors.As(err, &refused):
		return Outcome{State: "refunded", Payment: refused.Payment}
	case errors.As(err, &refused):
		return Outcome{State: "failed", Code: refused.Code}
	}
	return Outcome{State: "new"} // *ValidationError, ErrNotSent: nothing has happened
}

// LookAgain finds out how a confirm has ended. A job calls it for each order that has
// been confirming for longer than a confirm takes.
func (s *Shop) LookAgain(ctx context.Context, request tosspayments.ConfirmPaymentRequest, idempotencyKey string) Outcome {
	payment, err := s.Toss.GetPayment(ctx, request.PaymentKey)
	switch {
	case errors.Is(err, tosspayments.ErrNotFoundPayment):
		return Outcome{State: "review"} // the key of another shop, or of the test environment?
	case err != nil:
		return Outcome{State: "confirming", IdempotencyKey: idempotencyKey} // ask again later
	case payment.OrderID != request.OrderID, payment.TotalAmount != request.Amount, payment.Currency != tosspayments.CurrencyKRW:
		return Outcome{State: "review", Payment: payment}
	case payment.IsPaid():
		return Outcome{State: "paid", Payment: payment}
	case payment.IsFullyCanceled():
		return Outcome{State: "refunded", Payment: payment}
	case payment.Status == tosspayments.PaymentStatusWaitingForDeposit:
		return Outcome{State: "waiting", Payment: payment}
	case payment.Status == tosspayments.PaymentStatusAborted, payment.Status == tosspayments.PaymentStatusExpired:
		return Outcome{State: "failed", Payment: payment} // payment.Failure says why
	case payment.Status != tosspayments.PaymentStatusInProgress:
		return Outcome{State: "confirming", IdempotencyKey: idempotencyKey} // a status of tomorrow
	}
	// Not approved, and the ten minutes are not over: approve it now, once.
	if idempotencyKey == "" {
		return OutcomeOf(s.Toss.ConfirmPayment(ctx, request))
	}
	return OutcomeOf(s.Toss.ConfirmPayment(ctx, request, tosspayments.WithIdempotencyKey(idempotencyKey)))
}

// SuccessOnce handles successUrl. However often the buyer comes by, it confirms once and
// shows what is recorded.
func (s *Shop) SuccessOnce(w http.ResponseWriter, r *http.Request) {
	redirect, err := tosspayments.ParseSuccessURL(r.URL)
	if err != nil {
		http.Error(w, "잘못된 주소예요. 결제되지 않았어요.", http.StatusBadRequest)
		return
	}
	order, err := s.Orders.Get(redirect.OrderID) // and check that it is the signed-in buyer's
	if err != nil {
		http.Error(w, "주문을 찾을 수 없어요.", http.StatusNotFound)
		return
	}
	request, err := redirect.ConfirmRequest(order.Amount)
	if err != nil {
		http.Error(w, "주문과 맞지 않는 결제예요. 결제되지 않았어요.", http.StatusBadRequest)
		return
	}
	claimed, err := s.Orders.Claim(order.ID, request.PaymentKey)
	if err != nil {
		http.Error(w, "잠시 후 다시 시도해 주세요. 아직 결제되지 않았어요.", http.StatusServiceUnavailable)
		return
	}
	if claimed {
		// The buyer may close the page: the confirm goes on to its end all the same.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 25*time.Second)
		defer cancel()
		outcome := OutcomeOf(s.Toss.ConfirmPayment(ctx, request))
		if err := s.Orders.Finish(order.ID, outcome.State, outcome.Payment); err != nil {
			slog.Error("not recorded, the job will find it", "order", order.ID, "error", err)
		}
	}
	http.Redirect(w, r, "/orders/"+order.ID, http.StatusSeeOther)
}

// Holds keeps stock, seats or rooms for orders that are being paid.
type Holds interface {
	// Extend moves the end of the order's hold and tells whether it still stood:
	// UPDATE holds SET ends_at = ? WHERE order_id = ? AND ends_at > now().
	Extend(ctx context.Context, orderID string, until time.Time) (bool, error)
}

// ErrHoldOver says that the goods went to somebody else. Nothing was charged.
var ErrHoldOver = errors.New("the hold of the order is over")

// ConfirmHeld confirms only while the goods are held. An error means that nothing was
// sent.
func (s *Shop) ConfirmHeld(ctx context.Context, holds Holds, request tosspayments.ConfirmPaymentRequest) (Outcome, error) {
	// Long enough for the confirm, and for the job that looks again after a lost answer.
	held, err := holds.Extend(ctx, request.OrderID, time.Now().Add(15*time.Minute))
	if err != nil {
		return Outcome{}, err
	}
	if !held {
		return Outcome{}, ErrHoldOver // not confirmed: the payment expires by itself
	}
	return OutcomeOf(s.Toss.ConfirmPayment(ctx, request)), nil
}

// WhyNoSession tells the causes of NOT_FOUND_PAYMENT_SESSION apart, for the log.
func (s *Shop) WhyNoSession(ctx context.Context, paymentKey string) string {
	payment, err := s.Toss.GetPayment(ctx, paymentKey)
	switch {
	case errors.Is(err, tosspayments.ErrNotFoundPayment):
		return "this secret key has no such payment: wrong paymentKey, or keys that are not a pair"
	case err != nil:
		return "cannot tell: " + err.Error()
	case payment.Status == tosspayments.PaymentStatusExpired:
		return fmt.Sprintf("too late: the window was opened at %s", payment.RequestedAt.Format(time.TimeOnly))
	}
	return "the payment is " + string(payment.Status)
}

// CheckedRequest compares the redirect with the stored order. Nothing is sent.
func CheckedRequest(redirect tosspayments.SuccessRedirect, amount tosspayments.Amount, currency string) (tosspayments.ConfirmPaymentRequest, error) {
	request, err := redirect.ConfirmRequest(amount)
	if err != nil {
		return request, err
	}
	request.Currency = currency // the redirect has none: the answer is checked against it
	return request, nil
}

// ApprovedOtherwise returns the payment behind a mismatch, if it was approved: other money
// than was asked for has moved. Otherwise nothing was sent, or nothing approved.
func ApprovedOtherwise(err error) (*tosspayments.Payment, bool) {
	var mismatch *tosspayments.MismatchError
	if !errors.As(err, &mismatch) || mismatch.Payment == nil || !mismatch.Payment.IsPaid() {
		return nil, false
	}
	return mismatch.Payment, true
}

// Pay confirms an order in three steps, each of which may be the last one before a crash.
func (s *Shop) Pay(ctx context.Context, request tosspayments.ConfirmPaymentRequest) error {
	claimed, err := s.Orders.Claim(request.OrderID, request.PaymentKey) // 1. committed
	if err != nil || !claimed {
		return err
	}
	outcome := OutcomeOf(s.Toss.ConfirmPayment(ctx, request)) // 2. no transaction is open
	return s.Record(ctx, request.OrderID, outcome)            // 3. or the job records it
}

// Record writes an outcome down, patiently. When it fails for good, the order stays
// confirming, and LookAgain finds the same outcome later.
func (s *Shop) Record(ctx context.Context, orderID string, outcome Outcome) (err error) {
	ctx = context.WithoutCancel(ctx)
	for pause := 100 * time.Millisecond; pause < 2*time.Second; pause *= 4 {
		if err = s.Orders.Finish(orderID, outcome.State, outcome.Payment); err == nil {
			return nil
		}
		time.Sleep(pause)
	}
	slog.ErrorContext(ctx, "outcome not recorded", "order", orderID, "state", outcome.State, "error", err)
	return err
}

// GiveBack cancels a payment that is recorded as paid, and whose order cannot be
// fulfilled. It may be called again until it returns nil.
func (s *Shop) GiveBack(ctx context.Context, paymentKey string) error {
	_, err := s.Toss.CancelPayment(ctx, paymentKey, tosspayments.CancelPaymentRequest{CancelReason: "재고 부족"})
	if err == nil {
		return nil
	}
	if payment, lookUp := s.Toss.GetPayment(ctx, paymentKey); lookUp == nil && payment.IsFullyCanceled() {
		return nil // by an earlier call
	}
	return err
}

// RefundRow is the intent to give a part back, stored before Toss Payments is asked.
type RefundRow struct {
	ID, PaymentKey string
	Amount         tosspayments.Amount
	// Before is the balance that the refund starts from.
	Before tosspayments.Amount
	// Attempt counts idempotency keys: a key replays its answer for 15 days.
	Attempt int
	// State is pending, done, refused or review.
	State string
	// Account is for a virtual account that has been paid into, else nil.
	Account *tosspayments.RefundReceiveAccount
}

// RunRefund carries out a pending row: when it is made, and from a job until its state is
// another one. Store the row afterwards, together with the payment's balance.
func (s *Shop) RunRefund(ctx context.Context, row *RefundRow) (*tosspayments.Payment, error) {
	payment, err := s.Toss.CancelPaymentPartially(ctx, row.PaymentKey, tosspayments.PartialCancelRequest{
		CancelReason:         row.reason(),
		CancelAmount:         row.Amount,
		RefundableAmount:     &row.Before,
		RefundReceiveAccount: row.Account,
	}, tosspayments.WithIdempotencyKey(fmt.Sprintf("%s-%d", row.ID, row.Attempt)))
	var unknown *tosspayments.OutcomeUnknownError
	var mismatch *tosspayments.MismatchError
	var refused *tosspayments.Error
	switch {
	case err == nil:
		row.State = "done"
	case errors.As(err, &unknown) && unknown.Next == tosspayments.NextNewKey:
		row.Attempt++ // still pending
	case errors.As(err, &mismatch):
		row.State = "review"
	case errors.As(err, &refused):
		return s.refundRefused(ctx, row, err)
	}
	return payment, err
}

// refundRefused looks before it believes: an earlier run of this row may have refunded,
// which is why there is nothing left for this one.
func (s *Shop) refundRefused(ctx context.Context, row *RefundRow, refusal error) (*tosspayments.Payment, error) {
	payment, err := s.Toss.GetPayment(ctx, row.PaymentKey)
	if err != nil {
		return nil, err // still pending
	}
	for _, c := range payment.Cancels {
		if c.CancelReason == row.reason() && c.CancelAmount == row.Amount && c.CancelStatus != tosspayments.CancelStatusAborted {
			row.State = "done"
			return payment, nil
		}
	}
	row.State = "refused" // nothing was refunded: plan again, from payment.Cancelable()
	return payment, refusal
}

// reason names the row, so that its cancel can be told from any other.
func (row *RefundRow) reason() string { return "한 상품 품절 (" + row.ID + ")" }

// Clients has one client for each secret key of the shop.
type Clients struct{ Payments, Billing *tosspayments.Client }

// NewClients reads the keys once, at start.
func NewClients(production bool) (clients Clients, err error) {
	if clients.Payments, err = newClient("TOSS_SECRET_KEY", production); err != nil {
		return clients, err
	}
	clients.Billing, err = newClient("TOSS_BILLING_SECRET_KEY", production)
	return clients, err
}

// newClient keeps a live key off a developer's machine, and a test key, with which nobody
// really pays, out of production.
func newClient(name string, production bool) (*tosspayments.Client, error) {
	key, err := tosspayments.ParseSecretKey(os.Getenv(name))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if key.IsLive() != production {
		return nil, fmt.Errorf("%s: live keys are for production, and no other key is", name)
	}
	return tosspayments.New(os.Getenv(name))
}

// CheckPair finds keys that cannot be a pair. Whether two keys are of the same shop only
// Toss Payments can tell.
func CheckPair(clientKey, secretKey string) error {
	key, err := tosspayments.ParseSecretKey(secretKey)
	switch {
	case err != nil:
		return err
	case strings.HasPrefix(clientKey, "live_") != key.IsLive():
		return errors.New("one key is live, the other is not")
	case strings.Contains(clientKey, "_gck_") != key.IsWidget():
		return errors.New("one key is of the widget set, the other is not")
	}
	return nil
}

// StatusFor is the HTTP status for the shop's own app or page. Those of Toss Payments are
// meant for the shop: a 401 that is passed on would sign the buyer out.
func StatusFor(err error) int {
	var refused *tosspayments.Error
	switch {
	case err == nil:
		return http.StatusOK
	case errors.Is(err, tosspayments.ErrOutcomeUnknown):
		return http.StatusAccepted // being checked: do not pay again
	case !errors.As(err, &refused):
		return http.StatusInternalServerError
	case errors.Is(err, tosspayments.ErrNotFoundPaymentSession): // one code, where you need it
		return http.StatusGone
	}
	switch refused.Code.Class() {
	case tosspayments.ClassBuyerOtherMethod, tosspayments.ClassBuyerRestart:
		return http.StatusPaymentRequired
	case tosspayments.ClassAlreadyDone, tosspayments.ClassNotCancelable:
		return http.StatusConflict
	case tosspayments.ClassWait:
		return http.StatusServiceUnavailable
	}
	slog.Error("refused", "code", refused.Code, "class", refused.Code.Class(), "trace", refused.TraceID)
	return http.StatusInternalServerError // keys, settings or a bug: nothing that the buyer can do
}
