// Command names uses every public name that is promised to stay.
package main

import (
	"context"
	"iter"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/brandpay"
	"github.com/seed238ab19c/tosspayments/payouts"
	"github.com/seed238ab19c/tosspayments/reconcile"
	"github.com/seed238ab19c/tosspayments/tosstest"
	"github.com/seed238ab19c/tosspayments/webhook"
)

type (
	payments = func(*tosspayments.Client, context.Context, tosspayments.ConfirmPaymentRequest, ...tosspayments.CallOption) (*tosspayments.Payment, error)
	reads    = func(*tosspayments.Client, context.Context, string, ...tosspayments.CallOption) (*tosspayments.Payment, error)
	amounts  = func(tosspayments.Amount, tosspayments.Amount) tosspayments.Amount
	ledger   = iter.Seq2[reconcile.Entry, error]
)

var (
	_ func(string, ...tosspayments.Option) (*tosspayments.Client, error) = tosspayments.New
	_ func(*tosspayments.Client) bool                                    = (*tosspayments.Client).IsTest
	_ func(*tosspayments.Client) string                                  = (*tosspayments.Client).KeyID
	_ func(*tosspayments.Client)                                         = (*tosspayments.Client).Close

	_ func(*http.Client) tosspayments.Option                                = tosspayments.WithHTTPClient
	_ func(string) tosspayments.Option                                      = tosspayments.WithBaseURL
	_ func(int) tosspayments.Option                                         = tosspayments.WithMaxRetries
	_ func(time.Duration) tosspayments.Option                               = tosspayments.WithTimeout
	_ func(*slog.Logger) tosspayments.Option                                = tosspayments.WithLogger
	_ func(func(context.Context, tosspayments.Attempt)) tosspayments.Option = tosspayments.WithObserver
	_ func(tosspayments.Language) tosspayments.Option                       = tosspayments.WithLanguage
	_ func(time.Duration) tosspayments.Option                               = tosspayments.WithLookupGrace
	_ func(string) tosspayments.CallOption                                  = tosspayments.WithIdempotencyKey
	_ func(tosspayments.ErrorCode) tosspayments.CallOption                  = tosspayments.WithTestCode
	_ func(*tosspayments.Response) tosspayments.CallOption                  = tosspayments.WithResponse

	_ payments = (*tosspayments.Client).ConfirmPayment
	_ payments = (*tosspayments.Client).ResolvePayment
	_ reads    = (*tosspayments.Client).GetPayment
	_ reads    = (*tosspayments.Client).GetPaymentByOrderID

	_ func(*tosspayments.Client, context.Context, string, tosspayments.Amount, ...tosspayments.CallOption) (*tosspayments.Payment, error) = (*tosspayments.Client).ResolvePaymentByOrderID

	_ func(*tosspayments.Client, context.Context, string, tosspayments.CancelPaymentRequest, ...tosspayments.CallOption) (*tosspayments.Payment, error) = (*tosspayments.Client).CancelPayment
	_ func(*tosspayments.Client, context.Context, string, tosspayments.PartialCancelRequest, ...tosspayments.CallOption) (*tosspayments.Payment, error) = (*tosspayments.Client).CancelPaymentPartially

	_ func(tosspayments.ConfirmPaymentRequest, *tosspayments.Payment) (*tosspayments.Payment, error) = tosspayments.ConfirmPaymentRequest.Check
	_ func(*tosspayments.Payment) *tosspayments.Cancel                                               = (*tosspayments.Payment).LastCancel
	_ func(*tosspayments.Payment) tosspayments.Outcome                                               = (*tosspayments.Payment).Outcome
	_ func(*tosspayments.Payment, error) tosspayments.Outcome                                        = tosspayments.OutcomeOf
	_ func(error) tosspayments.ErrorCode                                                             = tosspayments.CodeOf
	_ func(error) *tosspayments.Payment                                                              = tosspayments.PaymentOf

	_ func(*tosspayments.Client, context.Context, tosspayments.Request, any, ...tosspayments.CallOption) error = (*tosspayments.Client).Do

	_ func(*tosspayments.Client, context.Context, tosspayments.Request, tosspayments.ConfirmPaymentRequest, ...tosspayments.CallOption) (*tosspayments.Payment, error) = (*tosspayments.Client).DoPayment

	_ func(*tosspayments.Client, ...string) (*payouts.Client, error) = payouts.New
	_ func(*tosspayments.Client) *brandpay.Client                    = brandpay.New

	_ func([]byte) (*webhook.Event, error)               = webhook.Parse
	_ func(...string) (*webhook.Verifier, error)         = webhook.NewVerifier
	_ func(string) (tosspayments.Amount, error)          = tosspayments.ParseAmount
	_ func(int64) tosspayments.Amount                    = tosspayments.Won
	_ amounts                                            = tosspayments.Amount.Add
	_ amounts                                            = tosspayments.Amount.Sub
	_ func() string                                      = tosspayments.NewOrderID
	_ func(string) error                                 = tosspayments.ValidateOrderID
	_ func(...tosstest.Option) (*tosstest.Server, error) = tosstest.Start
	_ func(...tosstest.Option) *tosstest.Server          = tosstest.New
	_ func(*tosstest.Server, string) int                 = (*tosstest.Server).Charges
	_ func(*tosstest.Server, time.Duration)              = (*tosstest.Server).Advance
	_ func(*tosstest.Server, ...tosstest.Fault)          = (*tosstest.Server).Inject
	_ func(*tosstest.Server)                             = (*tosstest.Server).ClearFaults

	_ func(context.Context, *tosspayments.Client, tosspayments.Date, ledger, ...tosspayments.CallOption) iter.Seq2[reconcile.Difference, error] = reconcile.Transactions
	_ func(context.Context, *tosspayments.Client, tosspayments.Date, ledger, ...tosspayments.CallOption) iter.Seq2[reconcile.Difference, error] = reconcile.Settlements

	_ = []tosspayments.Outcome{
		tosspayments.OutcomeUnknown, tosspayments.OutcomePaid, tosspayments.OutcomeWaiting, tosspayments.OutcomeCanceled,
		tosspayments.OutcomeRefused, tosspayments.OutcomeNotSent, tosspayments.OutcomeMismatch,
	}
	_ = []error{
		tosspayments.ErrOutcomeUnknown, tosspayments.ErrNotSent, tosspayments.ErrAmountMismatch, tosspayments.ErrForeignAnswer,
		tosspayments.ErrNotFoundPaymentSession, tosspayments.ErrRejectCardCompany,
		&tosspayments.ValidationError{Field: "amount", Reason: "must be more than 0"},
	}
	_ = tosspayments.Request{Method: "POST", Path: "/v1/x", Query: url.Values{}, Header: http.Header{}, Body: 1, Seal: seal, Open: seal}
	_ = webhook.Handler{Handle: handle, Client: client, Verifier: nil, Secret: nil, Logger: nil}
)

func seal(body []byte) ([]byte, error) { return body, nil }

func handle(context.Context, webhook.Delivery) error { return nil }

func client(context.Context, *webhook.Event) (*tosspayments.Client, error) { return nil, nil }

// fields reads what errors promise.
func fields(e *tosspayments.Error, u *tosspayments.OutcomeUnknownError, c *tosspayments.CanceledError, m *tosspayments.MismatchError) []any {
	return []any{
		e.Code, e.Message, e.StatusCode, e.TraceID, e.IdempotencyKey, e.Attempts, e.Payment,
		u.Operation, u.PaymentKey, u.OrderID, u.IdempotencyKey, u.Repeatable, u.Payment, u.LastAnswer, u.Attempts,
		c.Payment, m.Field, m.Want, m.Got, m.Payment,
	}
}

func main() {
	redirect, err := tosspayments.ParseSuccessURL(&url.URL{})
	if err == nil {
		_, _ = redirect.ConfirmRequest(tosspayments.Won(1))
		_, _ = redirect.ConfirmRequestIn("USD", tosspayments.Won(1))
	}
	_, _ = tosspayments.ParseFailURL(&url.URL{})
	_ = fields
}
