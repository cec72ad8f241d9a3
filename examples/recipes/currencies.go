package recipes

import (
	"context"

	"github.com/seed238ab19c/tosspayments"
)

// Price is what an order costs: 12.50 and USD. Both are stored with the order.
type Price struct {
	Amount   tosspayments.Amount
	Currency string
}

// ParsePrice reads a price exactly, as no float64 can.
func ParsePrice(amount, currency string) (Price, error) {
	parsed, err := tosspayments.ParseAmount(amount)
	return Price{Amount: parsed, Currency: currency}, err
}

// Confirm confirms the payment of an order at its price. The redirect has an amount and
// no currency: the answer is compared with that of the price.
func (p Price) Confirm(ctx context.Context, toss *tosspayments.Client, redirect tosspayments.SuccessRedirect) (*tosspayments.Payment, error) {
	request, err := redirect.ConfirmRequestIn(p.Currency, p.Amount)
	if err != nil {
		return nil, err
	}
	return toss.ConfirmPayment(ctx, request)
}

// RefundAbroad gives a part back, in the currency of the payment. The wallets of China and
// South-East Asia need a requestID of 6 to 64 characters; for others it is "".
func RefundAbroad(ctx context.Context, toss *tosspayments.Client, refund Refund, currency, requestID string) (tosspayments.Outcome, error) {
	payment, err := toss.CancelPaymentPartially(ctx, refund.PaymentKey, tosspayments.PartialCancelRequest{
		RefundID: refund.ID, CancelReason: refund.Reason,
		CancelAmount: refund.Amount, RefundableAmount: refund.Balance,
		Currency:        currency, // PayPal needs it
		CancelRequestID: requestID,
	})
	return tosspayments.OutcomeOf(payment, err), err
}
