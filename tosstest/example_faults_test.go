package tosstest_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// Every kind of fault, and what a client that does not retry makes of it.
func ExampleServer_Inject_kinds() {
	server := tosstest.New()
	key := payInWindow(server, coffee("order-0001")).PaymentKey
	client := server.Client(tosspayments.WithMaxRetries(0))
	for _, fault := range []tosstest.Fault{
		{Kind: tosstest.Refuse, Code: tosspayments.ErrForbiddenRequest},
		{Kind: tosstest.Delay, Delay: time.Millisecond},
		{Kind: tosstest.Drop},
		{Kind: tosstest.Reset},
		{Kind: tosstest.Cut},
		{Kind: tosstest.BadGateway},
		{Kind: tosstest.RateLimit, RetryAfter: "3"},
	} {
		server.Inject(fault)
		_, err := client.GetPayment(context.Background(), key)
		var refused *tosspayments.Error
		var network *tosspayments.ConnectionError
		switch {
		case errors.As(err, &refused):
			fmt.Println(fault.Kind, "-> status", refused.StatusCode)
		case errors.As(err, &network):
			fmt.Println(fault.Kind, "-> no answer")
		default:
			fmt.Println(fault.Kind, "->", err)
		}
	}
	// Output:
	// refuse -> status 403
	// delay -> <nil>
	// drop -> no answer
	// reset -> no answer
	// cut -> status 500
	// bad gateway -> status 502
	// rate limit -> status 429
}

// The answer is lost after the money has moved. A client that may not send it again looks
// the payment up.
func ExampleFault_afterEffect() {
	server := tosstest.New()
	request, err := server.Authenticate(coffee("order-0001")).ConfirmRequest(tosspayments.Won(15000))
	if err != nil {
		fmt.Println(err)
		return
	}
	server.Inject(tosstest.Fault{Operation: tosstest.ConfirmPayment, OrderID: "order-0001", Kind: tosstest.Drop, AfterEffect: true})
	payment, err := server.Client(tosspayments.WithMaxRetries(0)).ConfirmPayment(context.Background(), request)
	fmt.Println(tosspayments.OutcomeOf(payment, err), server.Calls(tosstest.GetPayment), server.Charges("order-0001"))
	// Output: paid 1 1
}

// A test that has ended with a fault left over has not tested what it was meant to.
func ExampleServer_Faults() {
	server := tosstest.New()
	server.Inject(
		tosstest.Fault{Operation: tosstest.GetPayment, Kind: tosstest.Drop, Times: 3},
		tosstest.Fault{Operation: tosstest.CancelPayment, Kind: tosstest.Drop},
	)
	server.InjectWebhook(tosstest.WebhookFault{Kind: tosstest.LoseWebhook})
	_, err := server.Client(tosspayments.WithMaxRetries(0)).GetPayment(context.Background(), "a-key")
	fmt.Println(err != nil)
	for _, fault := range server.Faults() {
		fmt.Println(fault.Operation, fault.Kind, fault.Times)
	}
	fmt.Println(len(server.WebhookFaults()))

	server.ClearFaults()
	fmt.Println(len(server.Faults()), len(server.WebhookFaults()))
	// Output:
	// true
	// get payment drop 2
	// cancel payment drop 1
	// 1
	// 0 0
}

// Requests that fail at random, the same ones in each run with the same seed. A job makes
// the calls again, with the same keys, when the network is quiet: nobody is charged twice.
func ExampleWithRandomFaults() {
	server := tosstest.New(tosstest.WithRandomFaults(7, 0.3))
	defer server.Close()
	client := server.Client(tosspayments.WithMaxRetries(0), tosspayments.WithLookupGrace(0))
	var requests []tosspayments.ConfirmPaymentRequest
	confirm := func(request tosspayments.ConfirmPaymentRequest) {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Millisecond)
		defer cancel()
		_, _ = client.ConfirmPayment(ctx, request, tosspayments.WithIdempotencyKey(request.OrderID))
	}
	for i := range 20 {
		request, err := server.Authenticate(coffee(fmt.Sprintf("order-%04d", i))).ConfirmRequest(tosspayments.Won(15000))
		if err != nil {
			fmt.Println(err)
			return
		}
		requests = append(requests, request)
		confirm(request)
	}

	server.SetRandomFaults(0)
	for _, request := range requests {
		confirm(request)
		if server.Charges(request.OrderID) > 1 {
			fmt.Println(request.OrderID, "was charged twice")
		}
	}
	fmt.Println(len(requests), "orders")
	// Output: 20 orders
}

// More requests than the service allows in a minute.
func ExampleWithRateLimit() {
	server := tosstest.New(tosstest.WithRateLimit(2))
	key := payInWindow(server, coffee("order-0001")).PaymentKey
	client := server.Client(tosspayments.WithMaxRetries(0))
	for range 3 {
		_, err := client.GetPayment(context.Background(), key)
		fmt.Println(tosspayments.CodeOf(err), err == nil)
	}
	server.Advance(time.Minute)
	_, err := client.GetPayment(context.Background(), key)
	fmt.Println(err)
	// Output:
	// (no error code) true
	// (no error code) true
	// TOO_MANY_REQUESTS false
	// <nil>
}
