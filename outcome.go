package tosspayments

import (
	"errors"
	"fmt"
	"slices"

	"github.com/seed238ab19c/tosspayments/internal/ofread"
)

// Outcome is what a call that makes a payment means for its order. One switch over it
// handles every end of [Client.ConfirmPayment], [Client.ResolvePayment],
// [Client.ChargeBilling], [Client.ChargeKeyIn] and [Client.IssueVirtualAccount].
type Outcome uint8

const (
	// OutcomeUnknown: it cannot be known yet. Leave the order as it is, and ask again
	// later. It is the zero value, and the outcome of every error of a read.
	OutcomeUnknown Outcome = iota
	// OutcomePaid: approved, or the deposit has arrived, and something of it is left.
	// Deliver.
	OutcomePaid
	// OutcomeWaiting: a virtual account is open. No money has arrived yet, or the
	// deposit was taken back. Show the account; stop goods that were released.
	OutcomeWaiting
	// OutcomeCanceled: it was approved, or an account was opened, and nothing of it is
	// left. Close the order.
	OutcomeCanceled
	// OutcomeRefused: the server has decided, and nothing has moved. Tell the buyer;
	// CodeOf(err).Class() says who has to act.
	OutcomeRefused
	// OutcomeNotSent: neither this call nor an earlier one of the same operation has
	// sent anything. The same call may be made again.
	OutcomeNotSent
	// OutcomeMismatch: other money or another payment than asked for. A person has to
	// look at PaymentOf(err).
	OutcomeMismatch
)

// String returns the outcome as a stable word, such as "paid" or "not_sent".
func (o Outcome) String() string {
	switch o {
	case OutcomeUnknown:
		return "unknown"
	case OutcomePaid:
		return "paid"
	case OutcomeWaiting:
		return "waiting"
	case OutcomeCanceled:
		return "canceled"
	case OutcomeRefused:
		return "refused"
	case OutcomeNotSent:
		return "not_sent"
	case OutcomeMismatch:
		return "mismatch"
	}
	return fmt.Sprintf("outcome(%d)", uint8(o))
}

// MarshalText writes the word of [Outcome.String].
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// OutcomeOf returns what the result of a call means for the order. Without an error it
// is the outcome of the payment, which after a confirm, charge or issue is
// [OutcomePaid] or [OutcomeWaiting].
//
// After a cancel a nil error says that it happened; [OutcomeRefused],
// [OutcomeNotSent] and [OutcomeUnknown] are then about the refund, not the order.
//
// An error of a read is [OutcomeUnknown] whatever its type: a lookup that failed, was
// refused or was not sent says nothing about the order.
func OutcomeOf(p *Payment, err error) Outcome {
	var (
		unknown  *OutcomeUnknownError
		canceled *CanceledError
		mismatch *MismatchError
		refusal  *Error
	)
	switch {
	case err == nil && p == nil:
		return OutcomeUnknown
	case err == nil:
		return p.Outcome()
	case errors.As(err, &unknown), ofRead(err):
		return OutcomeUnknown
	case errors.As(err, &canceled):
		return OutcomeCanceled
	case errors.As(err, &mismatch):
		return OutcomeMismatch
	case errors.As(err, &refusal):
		return OutcomeRefused
	case errors.Is(err, ErrNotSent):
		return OutcomeNotSent
	}
	return OutcomeUnknown
}

// ofRead reports whether err is that of a read.
func ofRead(err error) bool {
	var (
		refusal    *Error
		mismatch   *MismatchError
		connection *ConnectionError
		invalid    *ValidationError
		marked     *ofread.Error
	)
	return errors.As(err, &marked) ||
		errors.As(err, &refusal) && refusal.read ||
		errors.As(err, &mismatch) && mismatch.read ||
		errors.As(err, &connection) && connection.read ||
		errors.As(err, &invalid) && invalid.read
}

// asRead marks the local error of a read; the others are marked where they are made.
func asRead(err error) error {
	var invalid *ValidationError
	if errors.As(err, &invalid) {
		return &ValidationError{Field: invalid.Field, Reason: invalid.Reason, read: true}
	}
	return err
}

// Outcome returns what the payment's status means for its order: one of
// [OutcomePaid], [OutcomeWaiting], [OutcomeCanceled], [OutcomeRefused], and
// [OutcomeUnknown] for a payment that is not approved yet or has a status that this
// library does not know.
//
// It does not compare the payment with what was asked for;
// [ConfirmPaymentRequest.Check] does.
func (p *Payment) Outcome() Outcome {
	switch p.Status {
	case PaymentStatusDone:
		return OutcomePaid
	case PaymentStatusWaitingForDeposit:
		if p.VirtualAccount != nil && p.VirtualAccount.Expired {
			return OutcomeRefused
		}
		return OutcomeWaiting
	case PaymentStatusCanceled, PaymentStatusPartialCanceled:
		return p.outcomeOfCancels()
	case PaymentStatusAborted, PaymentStatusExpired:
		return OutcomeRefused
	}
	return OutcomeUnknown
}

// outcomeOfCancels goes by what is left: a payment that was refunded in parts stays
// PARTIAL_CANCELED at balance 0.
func (p *Payment) outcomeOfCancels() Outcome {
	whole := p.Status == PaymentStatusCanceled
	left, known := p.left()
	switch {
	case whole && !known, known && left.IsZero():
		return OutcomeCanceled
	case whole, !known:
		return OutcomeUnknown
	}
	return OutcomePaid
}

// left returns the balance, by the cancels where the answer does not have one. A cancel
// whose amount could not be read hides what is left.
func (p *Payment) left() (left Amount, known bool) {
	if p.BalanceAmount != nil {
		return *p.BalanceAmount, true
	}
	isUnread := func(c Cancel) bool { return c.CancelAmount.IsZero() }
	return p.Cancelable(), len(p.Cancels) > 0 && !slices.ContainsFunc(p.Cancels, isUnread)
}

// refusal makes the error of a payment that came to nothing.
func (p *Payment) refusal(language Language) *Error {
	e := &Error{Code: ErrExpiredPayment, Payment: p}
	switch p.Status {
	case PaymentStatusAborted:
		e.Code = ErrPayProcessAborted
	case PaymentStatusExpired:
		e.Code = ErrNotFoundPaymentSession
	}
	if p.Failure != nil && p.Failure.Code != "" {
		e.Code, e.Message = p.Failure.Code, p.Failure.Message
	}
	if e.Message == "" {
		e.Message = e.Code.message(language)
	}
	return e
}
