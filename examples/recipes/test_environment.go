package recipes

import (
	"context"
	"errors"

	"github.com/seed238ab19c/tosspayments"
)

// CheckKey makes one harmless call: it reads a payment that does not exist. Nil means
// that the key works.
func CheckKey(ctx context.Context, client *tosspayments.Client) error {
	_, err := client.GetPayment(ctx, "no-such-payment")
	if errors.Is(err, tosspayments.ErrNotFoundPayment) {
		return nil
	}
	return err
}

// Rehearse asks the test environment for an error of a confirm, and returns what it means
// for the order. No payment has to exist for it.
func Rehearse(ctx context.Context, client *tosspayments.Client, code tosspayments.ErrorCode) (tosspayments.Outcome, error) {
	request := tosspayments.ConfirmPaymentRequest{
		PaymentKey: "no-such-payment", OrderID: tosspayments.NewOrderID(), Amount: tosspayments.Won(1000),
	}
	payment, err := client.ConfirmPayment(ctx, request, tosspayments.WithTestCode(code))
	return tosspayments.OutcomeOf(payment, err), err
}
