// Command outside uses the library as a program in another module does. With an
// address as its argument it confirms a payment there, otherwise it runs its own
// test server.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// The names that other code depends on.
var (
	_ func(string, ...tosspayments.Option) (*tosspayments.Client, error) = tosspayments.New
	_                                                                    = []tosspayments.Option{
		tosspayments.WithHTTPClient(http.DefaultClient),
		tosspayments.WithBaseURL("https://example.com"),
		tosspayments.WithMaxRetries(2),
		tosspayments.WithTimeout(time.Minute),
		tosspayments.WithLogger(slog.Default()),
		tosspayments.WithLanguage(tosspayments.LanguageEnglish),
		tosspayments.WithLookupGrace(5 * time.Second),
	}
	_ = []tosspayments.CallOption{
		tosspayments.WithIdempotencyKey("key"),
		tosspayments.WithTestCode(tosspayments.ErrRejectCardCompany),
		tosspayments.WithResponse(&tosspayments.Response{}),
	}
	_ func(*url.URL) (tosspayments.SuccessRedirect, error) = tosspayments.ParseSuccessURL
	_ func(*url.URL) (*tosspayments.FailRedirect, error)   = tosspayments.ParseFailURL
	_ func(string) (tosspayments.Amount, error)            = tosspayments.ParseAmount
	_ error                                                = tosspayments.ErrNotFoundPaymentSession
	_ error                                                = &tosspayments.Error{}
	_ error                                                = &tosspayments.ValidationError{}
	_ error                                                = &tosspayments.OutcomeUnknownError{}
	_ error                                                = &tosspayments.CanceledError{}
	_ error                                                = &tosspayments.MismatchError{}
	_ error                                                = &tosspayments.ConnectionError{}
	_ tosspayments.Outcome                                 = tosspayments.OutcomeOf(nil, nil)
	_ tosspayments.Class                                   = tosspayments.ErrRejectCardCompany.Class()
)

func main() {
	ctx := context.Background()
	server, err := tosstest.Start()
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	client, err := tosspayments.New(tosstest.DefaultSecretKey, tosspayments.WithBaseURL(server.URL))
	if err != nil {
		log.Fatal(err)
	}
	redirect := server.Authenticate(tosstest.Checkout{OrderID: "order-0001", OrderName: "socks", Amount: tosspayments.Won(15000)})
	request, err := redirect.ConfirmRequest(tosspayments.Won(15000))
	if err != nil {
		log.Fatal(err)
	}
	payment, err := client.ConfirmPayment(ctx, request)
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.GetPayment(ctx, "no-such-payment")
	if !errors.Is(err, tosspayments.ErrNotFoundPayment) || errors.Is(err, tosspayments.ErrOutcomeUnknown) {
		log.Fatal(err)
	}
	if _, err = client.GetPaymentByOrderID(ctx, "order-0001"); err != nil {
		log.Fatal(err)
	}
	if _, err = client.CancelPaymentPartially(ctx, payment.PaymentKey, tosspayments.PartialCancelRequest{
		CancelReason: "한 상품 품절", CancelAmount: tosspayments.Won(5000), RefundableAmount: payment.Cancelable(),
	}); err != nil {
		log.Fatal(err)
	}
	if _, err = client.CancelPayment(ctx, payment.PaymentKey, tosspayments.CancelPaymentRequest{CancelReason: "변심"}); err != nil {
		log.Fatal(err)
	}
	_, err = client.ResolvePayment(ctx, request)
	if tosspayments.OutcomeOf(nil, err) != tosspayments.OutcomeCanceled || tosspayments.PaymentOf(err) == nil {
		log.Fatal(err)
	}
	units, _ := payment.TotalAmount.Int64()
	fmt.Println(payment.Status, units, payment.Card.Number != "")
}
