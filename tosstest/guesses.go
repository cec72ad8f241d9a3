package tosstest

import "github.com/seed238ab19c/tosspayments"

// Guess is a situation in which the real service's code is not known for sure.
// The server answers with the most likely one; [WithGuess] chooses another, to see that an
// integration does not depend on it.
type Guess string

const (
	// ConfirmOtherAmount is a confirm whose amount is not that of the payment:
	// FORBIDDEN_REQUEST. INVALID_REQUEST is likely too.
	ConfirmOtherAmount Guess = "confirm of another amount"
	// ConfirmOtherKeys is a confirm with the secret key of the other pair:
	// NOT_FOUND_PAYMENT_SESSION. The documents name FORBIDDEN_REQUEST as well.
	ConfirmOtherKeys Guess = "confirm with the other pair of keys"
	// WidgetKeyNotEnough is a call that needs the individual secret key, with that of the
	// widget: NOT_SUPPORTED_WIDGET_KEY, which is documented for the browser.
	WidgetKeyNotEnough Guess = "widget key where an individual key is needed"
	// RefundWithoutAccount is a cancel of a deposit that does not say where the money goes:
	// INVALID_REFUND_ACCOUNT_INFO.
	RefundWithoutAccount Guess = "cancel of a deposit without a refund account"
	// UnknownAuthKey is an authKey that was never given, or used before:
	// INVALID_BILL_KEY_REQUEST. INVALID_BILLING_AUTH is likely too.
	UnknownAuthKey Guess = "authKey that is not known"
	// OtherCustomersAuthKey is an authKey that another customer was given:
	// INVALID_CUSTOMER_KEY.
	OtherCustomersAuthKey Guess = "authKey of another customer"
	// UnknownBillingKey is a charge or deletion of a billing key that was never issued:
	// NOT_FOUND_BILLING.
	UnknownBillingKey Guess = "billing key that is not known"
	// SecondDelete is the deletion of a billing key that was deleted before:
	// ALREADY_REMOVED_BILLING_KEY, which is measured for a charge.
	SecondDelete Guess = "second delete of a billing key"
	// UnknownCursor is a startingAfter that is not one of the list's transactions:
	// INVALID_TRANSACTION_KEY, seen once. The documents have INVALID_PAGING_KEY.
	UnknownCursor Guess = "cursor that is not known"
	// ListLimit is a page larger than a list allows: EXCEED_MAX_QUERY_LIMIT.
	ListLimit Guess = "page that is too large"
	// WindowTimeOver is a window that the buyer goes on with after 30 minutes, at failUrl:
	// PAY_PROCESS_ABORTED.
	WindowTimeOver Guess = "window whose time is over"
	// UsedBrandPayCode is an exchange of a code or a refresh token that was never given, or
	// used before:
	// INVALID_REQUEST.
	UsedBrandPayCode Guess = "code of BrandPay that is not known"
	// UnknownPath is a path without an endpoint: NOT_FOUND.
	UnknownPath Guess = "path without an endpoint"
)

var guesses = map[Guess]tosspayments.ErrorCode{
	ConfirmOtherAmount:    tosspayments.ErrForbiddenRequest,
	ConfirmOtherKeys:      tosspayments.ErrNotFoundPaymentSession,
	WidgetKeyNotEnough:    tosspayments.ErrNotSupportedWidgetKey,
	RefundWithoutAccount:  tosspayments.ErrInvalidRefundAccountInfo,
	UnknownAuthKey:        tosspayments.ErrInvalidBillKeyRequest,
	OtherCustomersAuthKey: tosspayments.ErrInvalidCustomerKey,
	UnknownBillingKey:     tosspayments.ErrNotFoundBilling,
	SecondDelete:          tosspayments.ErrAlreadyRemovedBillingKey,
	UnknownCursor:         tosspayments.ErrInvalidTransactionKey,
	ListLimit:             tosspayments.ErrExceedMaxQueryLimit,
	UnknownPath:           tosspayments.ErrNotFound,
	WindowTimeOver:        tosspayments.ErrPayProcessAborted,
	UsedBrandPayCode:      tosspayments.ErrInvalidRequest,
}

// WithGuess sets the code of the answer in a situation in which the real one is not known.
func WithGuess(guess Guess, code tosspayments.ErrorCode) Option {
	return func(s *Server) { s.guesses[guess] = code }
}

func (s *Server) guess(guess Guess) tosspayments.ErrorCode {
	if code, chosen := s.guesses[guess]; chosen {
		return code
	}
	for _, table := range []map[Guess]tosspayments.ErrorCode{guesses, payoutGuesses, brandPayGuesses} {
		if code, known := table[guess]; known {
			return code
		}
	}
	return ""
}
