package recipes

import "github.com/seed238ab19c/tosspayments"

// CheckedRequest compares the redirect with an order in any currency. Nothing is sent.
func CheckedRequest(redirect tosspayments.SuccessRedirect, amount tosspayments.Amount, currency string) (tosspayments.ConfirmPaymentRequest, error) {
	return redirect.ConfirmRequestIn(currency, amount) // the redirect has no currency: the answer is checked against it
}

// ApprovedOtherwise returns the payment behind a mismatch, if it stands: other money than
// was asked for has moved. Otherwise nothing was sent, or nothing is left.
func ApprovedOtherwise(err error) (*tosspayments.Payment, bool) {
	payment := tosspayments.PaymentOf(err)
	if tosspayments.OutcomeOf(nil, err) != tosspayments.OutcomeMismatch || payment == nil {
		return nil, false
	}
	return payment, payment.Outcome() == tosspayments.OutcomePaid
}
