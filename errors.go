package tosspayments

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"
)

//go:generate go run ./internal/gen/errorcodes

// ErrorCode is a code of Toss Payments, such as REJECT_CARD_COMPANY. Every code
// is itself a sentinel error:
//
//	errors.Is(err, tosspayments.ErrRejectCardCompany)
//
// The constants are the documented codes; the server may send others, which work the same
// way. ErrorCode("") is not a code, and no error matches it.
//
// Source: https://docs.tosspayments.com/reference/error-codes
type ErrorCode string

// Error returns the code.
func (c ErrorCode) Error() string {
	if c == "" {
		return "(no error code)"
	}
	return string(c)
}

// Class returns who has to act. A code that the catalog does not have is
// [ClassUnknown].
func (c ErrorCode) Class() Class {
	info := c.info()
	if info == nil {
		return ClassUnknown
	}
	return info.Class
}

// Info returns what the catalog knows of the code, and whether it has it.
func (c ErrorCode) Info() (CodeInfo, bool) {
	info := c.info()
	if info == nil {
		return CodeInfo{}, false
	}
	return info.clone(), true
}

func (c ErrorCode) info() *CodeInfo {
	i, found := slices.BinarySearchFunc(codeTable[:], c, func(info CodeInfo, c ErrorCode) int {
		return strings.Compare(string(info.Code), string(c))
	})
	if !found {
		return nil
	}
	return &codeTable[i]
}

// message returns the documented message, or "".
func (c ErrorCode) message(language Language) string {
	info := c.info()
	switch {
	case info == nil:
		return ""
	case language == LanguageEnglish:
		return info.English
	}
	return info.Korean
}

// CodeInfo is what the catalog knows of an [ErrorCode].
type CodeInfo struct {
	Code  ErrorCode
	Class Class
	// Statuses are the HTTP statuses the code comes with; empty when it never
	// comes over HTTP, or none is documented. Do not decide by them.
	Statuses []int
	// Korean and English are the documented messages. Where Toss Payments has published
	// none, they are the library's own wording.
	Korean, English string
	// Operations are the places where the code is documented to occur.
	Operations []string
	// Unconfirmed is set when only one source names the code.
	Unconfirmed bool
	// Note is a remark in English, mostly "".
	Note string
}

func (i CodeInfo) clone() CodeInfo {
	i.Statuses = slices.Clone(i.Statuses)
	i.Operations = slices.Clone(i.Operations)
	return i
}

// ErrorCodes yields the whole catalog, sorted by code.
func ErrorCodes() iter.Seq[CodeInfo] {
	return func(yield func(CodeInfo) bool) {
		for i := range codeTable {
			if !yield(codeTable[i].clone()) {
				return
			}
		}
	}
}

// Class says who has to act on an [ErrorCode].
type Class uint8

const (
	// ClassUnknown says nothing about the outcome: a server error, or a code that
	// the catalog does not have. Look the payment up before acting on it.
	ClassUnknown Class = iota
	// ClassBuyerOtherMethod: refused by the card company, bank or fraud check;
	// the buyer takes another card or method, or corrects the input.
	ClassBuyerOtherMethod
	// ClassBuyerRestart: the buyer has left, or the session is over; the buyer
	// starts the payment, or the card registration, again.
	ClassBuyerRestart
	// ClassConfiguration: keys, contract or merchant settings; the merchant acts.
	ClassConfiguration
	// ClassRequest: the request is wrong; a bug in the program, or wrong data.
	ClassRequest
	// ClassNotCancelable: the payment's state, amount or period does not allow
	// this cancel; the merchant decides what else to do.
	ClassNotCancelable
	// ClassAlreadyDone: the effect exists already; look it up.
	ClassAlreadyDone
	// ClassWait: another request is running, there were too many, or the
	// service is closed at this hour; ask again later.
	ClassWait
)

// String returns the class as a few words of English.
func (c Class) String() string {
	switch c {
	case ClassBuyerOtherMethod:
		return "buyer: use another method"
	case ClassBuyerRestart:
		return "buyer: start again"
	case ClassConfiguration:
		return "merchant: keys, contract or settings"
	case ClassRequest:
		return "developer: wrong request"
	case ClassNotCancelable:
		return "merchant: this cancel is not possible"
	case ClassAlreadyDone:
		return "already done: look it up"
	case ClassWait:
		return "wait and ask again"
	default:
		return "unknown outcome: look it up"
	}
}

type sentinel string

func (s sentinel) Error() string { return string(s) }

var (
	// ErrOutcomeUnknown is matched by an [*OutcomeUnknownError].
	ErrOutcomeUnknown = error(sentinel("tosspayments: the outcome is unknown"))
	// ErrNotSent is matched by a [*ValidationError], and by a [*ConnectionError] when
	// no connection was got for any attempt: nothing has happened.
	ErrNotSent = error(sentinel("tosspayments: the request was not sent"))
	// ErrAmountMismatch is matched by a [*MismatchError] about the amount or the
	// currency.
	ErrAmountMismatch = error(sentinel("tosspayments: the amount is not the expected one"))
	// ErrForeignAnswer is matched by a [*MismatchError] about identity (a payment key, order
	// id, customer key, payout, seller or wallet method): the answer belongs to another one,
	// mostly because an idempotency key was used for two.
	ErrForeignAnswer = error(sentinel("tosspayments: the answer is about another payment"))
)

// CallDetails is what every error of a call says about the call.
type CallDetails struct {
	// Operation is the call in words, such as "confirm payment"; "" if there was none.
	Operation string
	// IdempotencyKey is the key of the operation; "" for calls that carry none.
	IdempotencyKey string
	// TraceID identifies the answer to Toss Payments' support.
	TraceID string
	// Attempts counts how often the request was sent, lookups not included.
	Attempts int

	// read marks errors of reads, which say nothing about an order.
	read bool
}

func (d *CallDetails) prefix() string {
	if d.Operation == "" {
		return "tosspayments: "
	}
	return "tosspayments: " + d.Operation + ": "
}

// Error is what the server said. For a call that moves money it is a refusal: the
// server has decided, and nothing has moved. (A call whose outcome is not known
// returns an [*OutcomeUnknownError], which never matches *Error.)
//
// Compare codes with [errors.Is] or [CodeOf], never messages.
type Error struct {
	CallDetails
	// Code is "" when the answer had none (HTML, empty, cut off).
	Code ErrorCode
	// Message is for people and may change; long runs of digits in it are masked.
	Message string
	// StatusCode is the HTTP status; 0 when the refusal was read from the payment
	// itself.
	StatusCode int
	// RetryAfter is how long the server asked to wait; 0 when it did not say.
	RetryAfter time.Duration
	// Payment is the payment as a lookup found it; nil when none was made.
	Payment *Payment
	// Excerpt is the beginning of a body that was not an error object.
	Excerpt string
}

// Error returns one line: operation, code, status, message and trace id.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.prefix())
	if e.Code != "" {
		b.WriteString(string(e.Code))
	} else {
		b.WriteString("an answer without an error code")
	}
	if e.StatusCode != 0 {
		fmt.Fprintf(&b, " (HTTP %d)", e.StatusCode)
	}
	switch {
	case e.Message != "":
		b.WriteString(": " + e.Message)
	case e.Excerpt != "":
		fmt.Fprintf(&b, ": %q", e.Excerpt)
	}
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, " (asks to wait %s)", e.RetryAfter)
	}
	if e.TraceID != "" {
		fmt.Fprintf(&b, " [trace %s]", e.TraceID)
	}
	return b.String()
}

// Is matches the error's [ErrorCode].
func (e *Error) Is(target error) bool { return e.Code.is(target) }

// is reports whether target is the same code, in either of its spellings.
func (c ErrorCode) is(target error) bool {
	code, ok := target.(ErrorCode)
	return ok && code != "" && c.canonical() == code.canonical()
}

func (c ErrorCode) canonical() ErrorCode {
	if c == ErrNotcancelablePaymentForDormantUser {
		return ErrNotCancelablePaymentForDormantUser
	}
	return c
}

// ValidationError says that a value was refused before anything was sent. It matches
// [ErrNotSent].
type ValidationError struct {
	// Field is the field or parameter in the API's spelling, such as orderId.
	Field string
	// Reason is the rule that it breaks; it never repeats a secret.
	Reason string

	read bool
}

// Error returns the field and the rule.
func (e *ValidationError) Error() string { return "tosspayments: " + e.Field + " " + e.Reason }

// Is matches [ErrNotSent].
func (e *ValidationError) Is(target error) bool { return target == ErrNotSent }

// OutcomeUnknownError says that a call that moves money may or may not have had its
// effect: record neither success nor failure, and ask again later.
//
// It matches [ErrOutcomeUnknown] and the error of the network or the context, but
// never [*Error] or an [ErrorCode].
type OutcomeUnknownError struct {
	CallDetails
	PaymentKey, OrderID string
	// Repeatable reports whether the same call may be made again at any time, with
	// IdempotencyKey (see [WithIdempotencyKey]) and the same secret key (see
	// [Client.KeyID]): it then happens at most once. It is false where a wallet is
	// still working on a cancel, where a refund without a RefundID cannot be told from
	// its twin, and for methods that are not repeated. Then look the payment up later.
	Repeatable bool
	// Payment is the payment as it was last seen; nil when nothing showed it.
	Payment *Payment
	// LastAnswer is the server's last answer to the call itself; nil when none
	// arrived.
	LastAnswer *Error

	cause error
}

// Error says that the outcome is unknown, of what, why, and what to do.
func (e *OutcomeUnknownError) Error() string {
	var b strings.Builder
	b.WriteString(e.prefix() + "the outcome is unknown")
	if e.PaymentKey != "" {
		fmt.Fprintf(&b, ", payment %q", e.PaymentKey)
	}
	if e.OrderID != "" {
		fmt.Fprintf(&b, ", order %q", e.OrderID)
	}
	fmt.Fprintf(&b, " (attempts: %d): ", e.Attempts)
	switch {
	case !e.Repeatable:
		b.WriteString("look it up later; do not make the call again")
	case e.IdempotencyKey != "":
		b.WriteString("make the same call again later, with its idempotency key")
	default:
		b.WriteString("make the same call again later")
	}
	switch {
	case e.cause != nil:
		b.WriteString(": " + strings.TrimPrefix(e.cause.Error(), e.prefix()))
	case e.LastAnswer != nil:
		b.WriteString(": last answer: " + strings.TrimPrefix(e.LastAnswer.Error(), e.prefix()))
	}
	return b.String()
}

// Is matches [ErrOutcomeUnknown].
func (e *OutcomeUnknownError) Is(target error) bool { return target == ErrOutcomeUnknown }

// Unwrap returns the error of the network or the context; nil when there was none.
func (e *OutcomeUnknownError) Unwrap() error { return e.cause }

// CanceledError says that a payment was approved, or a virtual account was opened, and
// that nothing of it is left: it has been cancelled since.
type CanceledError struct {
	CallDetails
	// Payment is the payment with its cancels.
	Payment *Payment
}

// Error names the payment and its order.
func (e *CanceledError) Error() string {
	text := e.prefix() + "the payment has been cancelled since"
	if e.Payment != nil {
		text += fmt.Sprintf(", payment %q, order %q", e.Payment.PaymentKey, e.Payment.OrderID)
	}
	return text
}

// MismatchError says that money or identity is not what was asked for. Nothing of it
// may be treated as paid or refunded before a person has looked at Payment, which need
// not be approved.
type MismatchError struct {
	// CallDetails.Operation is "" when nothing was sent (the check of a redirect).
	CallDetails
	// Field is the field in the API's spelling: amount, currency, paymentKey, orderId …
	Field string
	// Want is what the caller asked for, Got what arrived.
	Want, Got string
	// Payment is the answer or the lookup that does not fit.
	Payment *Payment
}

// Error names the field and both values.
func (e *MismatchError) Error() string {
	text := fmt.Sprintf("%s%s is %q, expected %q", e.prefix(), e.Field, e.Got, e.Want)
	switch {
	case e.Operation == "":
		return text + "; nothing was sent"
	case e.Payment != nil:
		return text + "; the payment that answered is " + oneLine(string(e.Payment.Status), maxExcerptBytes)
	}
	return text
}

// Is matches [ErrForeignAnswer] or [ErrAmountMismatch], by the field.
func (e *MismatchError) Is(target error) bool {
	switch e.Field {
	case "paymentKey", "orderId", "orderName", "customerKey", "method", "methodKey",
		"payoutId", "refPayoutId", "destination", "sellerId", "refSellerId":
		return target == ErrForeignAnswer
	}
	return target == ErrAmountMismatch
}

// ConnectionError says that no answer arrived. As the end of a call it leaves nothing
// in doubt: the call was a read, or nothing was sent (then it matches [ErrNotSent]).
// It also matches the error of the network or the context.
type ConnectionError struct {
	CallDetails
	Err error

	notSent bool
}

// Error says what failed.
func (e *ConnectionError) Error() string {
	what := "no answer"
	if e.notSent {
		what = "nothing was sent"
	}
	return fmt.Sprintf("%s%s (attempts: %d): %v", e.prefix(), what, e.Attempts, e.Err)
}

// Is matches [ErrNotSent].
func (e *ConnectionError) Is(target error) bool { return e.notSent && target == ErrNotSent }

// Unwrap returns the error of the network or the context.
func (e *ConnectionError) Unwrap() error { return e.Err }

// CodeOf returns the code of an [*Error], of a [*FailRedirect] or of a bare
// [ErrorCode], however deep it is wrapped; "" when err has none.
func CodeOf(err error) ErrorCode {
	var refusal *Error
	var redirect *FailRedirect
	var code ErrorCode
	switch {
	case errors.As(err, &refusal):
		return refusal.Code
	case errors.As(err, &redirect):
		return redirect.Code
	case errors.As(err, &code):
		return code
	}
	return ""
}

// PaymentOf returns the payment that an error of this package carries, whichever it
// is; nil when it carries none.
func PaymentOf(err error) *Payment {
	var unknown *OutcomeUnknownError
	var canceled *CanceledError
	var mismatch *MismatchError
	var refusal *Error
	switch {
	case errors.As(err, &unknown):
		return unknown.Payment
	case errors.As(err, &canceled):
		return canceled.Payment
	case errors.As(err, &mismatch):
		return mismatch.Payment
	case errors.As(err, &refusal):
		return refusal.Payment
	}
	return nil
}
