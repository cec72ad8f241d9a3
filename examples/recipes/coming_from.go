package recipes

import (
	"context"
	"iter"
	"time"

	"github.com/seed238ab19c/tosspayments"
)

// Bridge has the calls of an older client under their names, with a context and an error
// that can be decided by. Callers move one at a time.
type Bridge struct{ Client *tosspayments.Client }

// PaymentConfirm approves a payment. The amount is that of the stored order, never that
// of the redirect.
func (b Bridge) PaymentConfirm(ctx context.Context, paymentKey, orderID string, amount int64) (*tosspayments.Payment, error) {
	return b.Client.ConfirmPayment(ctx, tosspayments.ConfirmPaymentRequest{
		PaymentKey: paymentKey, OrderID: orderID, Amount: tosspayments.Won(amount),
	})
}

// PaymentCancel gives everything back. It may be called again at any time.
func (b Bridge) PaymentCancel(ctx context.Context, paymentKey, reason string) (*tosspayments.Payment, error) {
	return b.Client.CancelPayment(ctx, paymentKey, tosspayments.CancelPaymentRequest{CancelReason: reason})
}

// PaymentCancelPart gives a part back, once for each refundID. The balance is what was
// left when the refund was stored, and stays the same when the call is made again.
func (b Bridge) PaymentCancelPart(ctx context.Context, paymentKey, refundID, reason string, amount, balance int64) (*tosspayments.Payment, error) {
	return b.Client.CancelPaymentPartially(ctx, paymentKey, tosspayments.PartialCancelRequest{
		RefundID: refundID, CancelReason: reason,
		CancelAmount: tosspayments.Won(amount), RefundableAmount: tosspayments.Won(balance),
	})
}

// BillingConfirm charges a stored billing key, once for each order id.
func (b Bridge) BillingConfirm(ctx context.Context, billingKey, customerKey, orderID, orderName string, amount int64) (*tosspayments.Payment, error) {
	return b.Client.ChargeBilling(ctx, tosspayments.NewBillingKey(billingKey, customerKey), tosspayments.ChargeBillingRequest{
		OrderID: orderID, OrderName: orderName, Amount: tosspayments.Won(amount),
	})
}

// TransactionsCheck reads all pages.
func (b Bridge) TransactionsCheck(ctx context.Context, start, end time.Time) iter.Seq2[tosspayments.Transaction, error] {
	return b.Client.AllTransactions(ctx, tosspayments.TransactionQuery{StartDate: start, EndDate: end})
}

// Unfinished finds out how a confirm has ended that the older code sent. It only reads,
// because the idempotency key of that call, if there was one, is not known.
func (b Bridge) Unfinished(ctx context.Context, paymentKey, orderID string, amount int64) (tosspayments.Outcome, error) {
	payment, err := b.Client.ResolvePayment(ctx, tosspayments.ConfirmPaymentRequest{
		PaymentKey: paymentKey, OrderID: orderID, Amount: tosspayments.Won(amount),
	})
	return tosspayments.OutcomeOf(payment, err), err
}
