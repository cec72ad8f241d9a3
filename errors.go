package tosspayments

import (
	"fmt"
	"iter"
	"slices"
	"strings"
)

//go:generate go run ./internal/gen/errorcodes

// ErrorCode is a code of Toss Payments, such as REJECT_CARD_COMPANY. Every code
// is itself a sentinel error:
//
//	errors.Is(err, tosspayments.ErrRejectCardCompany)
//
// The constants are the documented codes; the server may send others, which work
// the same way. ErrorCode("") is no code, and no error matches it.
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

// Class tells who has to act. A code that the catalog does not have is
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
	case language == English:
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
	// Korean and English are the documented messages. Where Toss has published
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

// Class answers "who has to act?" for an [ErrorCode].
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

// decided tells whether an answer with such a code means that the server has
// decided and nothing has moved.
func (c Class) decided() bool {
	switch c {
	case ClassBuyerOtherMethod, ClassBuyerRestart, ClassConfiguration, ClassRequest, ClassNotCancelable, ClassAlreadyDone:
		return true
	default:
		return false
	}
}

type sentinel string

func (s sentinel) Error() string { return string(s) }

var (
	// ErrOutcomeUnknown is matched by an [*OutcomeUnknownError].
	ErrOutcomeUnknown error = sentinel("tosspayments: the outcome is unknown")
	// ErrAmountMismatch is matched by a [*MismatchError] about the amount or the
	// currency.
	ErrAmountMismatch error = sentinel("tosspayments: the amount is not the expected one")
	// ErrForeignAnswer is matched by a [*MismatchError] about the payment key, the
	// order id or the customer key: the answer belongs to another payment, mostly because an
	// idempotency key was used for two payments.
	ErrForeignAnswer error = sentinel("tosspayments: the answer is about another payment")
	// ErrNotSent is matched by a [*ConnectionError] when no byte of the request
	// was sent: nothing has happened.
	ErrNotSent error = sentinel("tosspayments: the request was not sent")
	// ErrCanceledSince is matched by the [*Error] of a confirm whose payment was
	// approved and has been cancelled in full since. The payment is attached.
	ErrCanceledSince error = sentinel("tosspayments: the payment was approved and has been cancelled since")
)

// Error is what the server said. For a call that moves money it is a refusal:
// the server has decided, and nothing has moved. (A call whose outcome is not
// known returns an [*OutcomeUnknownError], which never matches *Error.)
//
// Compare codes with [errors.Is], never messages.
type Error struct {
	// Code is "" when the answer had none (HTML, empty, cut off).
	Code ErrorCode
	// Message is for people and may change; long runs of digits in it are masked.
	Message string
	// StatusCode is the HTTP status; 0 when the refusal was read from the payment
	// itself after an answer was lost.
	StatusCode int
	// TraceID identifies the call to Toss Payments' support.
	TraceID string
	// IdempotencyKey is the key that every attempt carried; "" for reads.
	IdempotencyKey string
	// Attempts counts how often the request was sent, lookups not included.
	Attempts int
	// Operation is the call in words, such as "confirm payment".
	Operation string
	// Payment is the payment as a lookup found it, where one was made.
	Payment *Payment
	// Excerpt is the beginning of a body that was not an error object.
	Excerpt string

	cause error
}

// Error returns one line: operation, code, status, message and trace id.
func (e *Error) Error() string {
	var b strings.Builder
	writeOperation(&b, e.Operation)
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
	if e.TraceID != "" {
		fmt.Fprintf(&b, " [trace %s]", e.TraceID)
	}
	return b.String()
}

// Is matches the error's [ErrorCode].
func (e *Error) Is(target error) bool {
	code, ok := target.(ErrorCode)
	return ok && code != "" && e.Code.canonical() == code.canonical()
}

// Unwrap returns [ErrCanceledSince] where it applies, else nil.
func (e *Error) Unwrap() error { return e.cause }

func (c ErrorCode) canonical() ErrorCode {
	if c == ErrNotcancelablePaymentForDormantUser {
		return ErrNotCancelablePaymentForDormantUser
	}
	return c
}

func writeOperation(b *strings.Builder, operation string) {
	b.WriteString("tosspayments: ")
	if operation != "" {
		b.WriteString(operation + ": ")
	}
}

// ValidationError says that a value was refused before anything was sent.
type ValidationError struct {
	// Field is the field or parameter in the API's spelling, such as orderId.
	Field string
	// Reason is the rule that it breaks; it never repeats a secret.
	Reason string
}

// Error returns the field and the rule.
func (e *ValidationError) Error() string { return "tosspayments: " + e.Field + " " + e.Reason }

// NextStep is what may safely be done about an unknown outcome.
type NextStep uint8

const (
	// NextLookUp: look the payment up later, and act on what it says. Do not send
	// the request again with a new key.
	NextLookUp NextStep = iota
	// NextSameKey: send the same request with the same idempotency key, within
	// 15 days of the first attempt; the server performs it at most once.
	NextSameKey
	// NextNewKey: call again without the old idempotency key. The old key would
	// only replay the stored answer, and the server itself prevents a second
	// effect.
	NextNewKey
)

// String returns the advice as a clause.
func (n NextStep) String() string {
	switch n {
	case NextSameKey:
		return "send the same request again with the same idempotency key (WithIdempotencyKey) within 15 days"
	case NextNewKey:
		return "call again with a new idempotency key"
	default:
		return "look the payment up later; do not send the request again with a new key"
	}
}

// OutcomeUnknownError says that a call that moves money may or may not have had
// its effect: neither success nor failure must be recorded. Next says what may
// safely be done.
//
// It matches [ErrOutcomeUnknown] and the transport or context error, but never
// [*Error] or an [ErrorCode].
type OutcomeUnknownError struct {
	Operation           string
	PaymentKey, OrderID string
	// IdempotencyKey is the key of every attempt: store it with the order.
	IdempotencyKey string
	Next           NextStep
	// Payment is the payment as the last lookup found it; nil when none answered.
	Payment *Payment
	// LastAnswer is the server's last answer to the call itself; nil when none
	// arrived.
	LastAnswer *Error
	// Attempts counts how often the request was sent, lookups not included.
	Attempts int

	cause error
}

// Error says that the outcome is unknown, of what, why, and what to do.
func (e *OutcomeUnknownError) Error() string {
	var b strings.Builder
	writeOperation(&b, e.Operation)
	b.WriteString("the outcome is unknown")
	if e.PaymentKey != "" {
		b.WriteString(", payment " + e.PaymentKey)
	}
	if e.OrderID != "" {
		b.WriteString(", order " + e.OrderID)
	}
	fmt.Fprintf(&b, " (attempts: %d): %s", e.Attempts, e.Next)
	switch {
	case e.cause != nil:
		b.WriteString(": " + e.cause.Error())
	case e.LastAnswer != nil:
		b.WriteString(": last answer: " + strings.TrimPrefix(e.LastAnswer.Error(), "tosspayments: "))
	}
	return b.String()
}

// Is matches [ErrOutcomeUnknown].
func (e *OutcomeUnknownError) Is(target error) bool { return target == ErrOutcomeUnknown }

// Unwrap returns the transport or context error, or nil when there was none.
func (e *OutcomeUnknownError) Unwrap() error { return e.cause }

// MismatchError says that money or identity is not what was asked for. Nothing
// of it may be treated as paid or refunded without a look at Payment, which need
// not be approved: it may come from a lookup after an unclear answer.
type MismatchError struct {
	// Operation is "" when nothing was sent (the check of a redirect).
	Operation string
	// Field is amount, currency, paymentKey, orderId or cancelAmount.
	Field string
	// Want is what the caller asked for, Got what arrived.
	Want, Got string
	// Payment is the answer or the lookup that does not fit.
	Payment        *Payment
	IdempotencyKey string
	TraceID        string
	Attempts       int
}

// Error names the field and both values.
func (e *MismatchError) Error() string {
	var b strings.Builder
	writeOperation(&b, e.Operation)
	fmt.Fprintf(&b, "%s is %q, expected %q", e.Field, e.Got, e.Want)
	if e.Operation == "" {
		b.WriteString("; nothing was sent")
	} else if e.Payment != nil {
		fmt.Fprintf(&b, "; the payment that answered is %s", e.Payment.Status)
	}
	return b.String()
}

// Is matches [ErrForeignAnswer] or [ErrAmountMismatch], by the field.
func (e *MismatchError) Is(target error) bool {
	if e.Field == "paymentKey" || e.Field == "orderId" || e.Field == "customerKey" {
		return target == ErrForeignAnswer
	}
	return target == ErrAmountMismatch
}

// ConnectionError says that no answer arrived, and that this leaves nothing in
// doubt: the call was a read, or no attempt got as far as sending anything
// (then it matches [ErrNotSent]). It also matches the error of the network or
// the context.
type ConnectionError struct {
	Operation      string
	IdempotencyKey string
	Attempts       int
	Err            error

	notSent bool
}

// Error says what failed.
func (e *ConnectionError) Error() string {
	var b strings.Builder
	writeOperation(&b, e.Operation)
	if e.notSent {
		b.WriteString("nothing was sent")
	} else {
		b.WriteString("no answer")
	}
	fmt.Fprintf(&b, " (attempts: %d): %v", e.Attempts, e.Err)
	return b.String()
}

// Is matches [ErrNotSent].
func (e *ConnectionError) Is(target error) bool { return e.notSent && target == ErrNotSent }

// Unwrap returns the error of the network or the context.
func (e *ConnectionError) Unwrap() error { return e.Err }
