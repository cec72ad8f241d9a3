package tosstest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
	"github.com/seed238ab19c/tosspayments/webhook"
)

// coffee is an order of the examples, as a shop hands it to the payment window.
func coffee(orderID string) tosstest.Checkout {
	return tosstest.Checkout{OrderID: orderID, OrderName: "원두 1kg", Amount: tosspayments.Won(15000)}
}

// payInWindow is a buyer who pays in the window, and a shop that confirms.
func payInWindow(server *tosstest.Server, checkout tosstest.Checkout) *tosspayments.Payment {
	request, err := server.Authenticate(checkout).ConfirmRequest(checkout.Amount)
	if err != nil {
		panic(err)
	}
	payment, err := server.Client().ConfirmPayment(context.Background(), request)
	if err != nil {
		panic(err)
	}
	return payment
}

// payIntoAccount is a buyer who asks for a virtual account, and pays into it.
func payIntoAccount(server *tosstest.Server, orderID string) *tosspayments.Payment {
	checkout := coffee(orderID)
	checkout.Method = tosspayments.MethodVirtualAccount
	payment := payInWindow(server, checkout)
	if err := server.Deposit(orderID, checkout.Amount); err != nil {
		panic(err)
	}
	return payment
}

// A program starts a server that listens, and talks to it over the network.
func ExampleStart() {
	server, err := tosstest.Start()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	client, err := tosspayments.New(tosstest.DefaultSecretKey, tosspayments.WithBaseURL(server.URL))
	if err != nil {
		fmt.Println(err)
		return
	}
	redirect := server.Authenticate(tosstest.Checkout{OrderID: "order-0001", OrderName: "원두 1kg", Amount: tosspayments.Won(15000)})
	payment, err := client.GetPayment(context.Background(), redirect.PaymentKey)
	fmt.Println(payment.Status, err)
	// Output: IN_PROGRESS <nil>
}

// A buyer who comes back after more than ten minutes.
func ExampleServer_Advance() {
	server := tosstest.New()
	redirect := server.Authenticate(tosstest.Checkout{OrderID: "order-0001", OrderName: "원두 1kg", Amount: tosspayments.Won(15000)})
	request, err := redirect.ConfirmRequest(tosspayments.Won(15000))
	if err != nil {
		fmt.Println(err)
		return
	}
	before := server.Now()
	server.Advance(11 * time.Minute)
	_, err = server.Client().ConfirmPayment(context.Background(), request)
	fmt.Println(server.Now().Sub(before).Round(time.Minute))
	fmt.Println(errors.Is(err, tosspayments.ErrNotFoundPaymentSession), server.Charges("order-0001"))
	// Output:
	// 11m0s
	// true 0
}

// The money moves, the answer is lost, and nobody may look: the library says that it does
// not know.
func ExampleServer_Inject() {
	server := tosstest.New()
	redirect := server.Authenticate(tosstest.Checkout{OrderID: "order-0001", OrderName: "원두 1kg", Amount: tosspayments.Won(15000)})
	request, err := redirect.ConfirmRequest(tosspayments.Won(15000))
	if err != nil {
		fmt.Println(err)
		return
	}
	server.Inject(
		tosstest.Fault{Operation: tosstest.ConfirmPayment, Kind: tosstest.Drop, AfterEffect: true},
		tosstest.Fault{Operation: tosstest.GetPayment, Kind: tosstest.Refuse, Code: tosspayments.ErrForbiddenRequest, Times: 100},
	)
	_, err = server.Client(tosspayments.WithMaxRetries(0)).ConfirmPayment(context.Background(), request)
	var unknown *tosspayments.OutcomeUnknownError
	fmt.Println(errors.As(err, &unknown), server.Charges("order-0001"))
	// The same call, with the same key, is made again when the network is back.
	server.ClearFaults()
	payment, err := server.Client().ConfirmPayment(context.Background(), request, tosspayments.WithIdempotencyKey(unknown.IdempotencyKey))
	fmt.Println(tosspayments.OutcomeOf(payment, err), server.Charges("order-0001"))
	// Output:
	// true 1
	// paid 1
}

// A shop books deposits, and each one once: the first is told twice at the same moment,
// the second while the database is away.
func ExampleServer_RegisterWebhookHandler() {
	server := tosstest.New()
	defer server.Close()
	client := server.Client()

	var mu sync.Mutex
	booked, away := map[string]bool{}, false
	server.RegisterWebhookHandler(&webhook.Handler{
		Client: func(context.Context, *webhook.Event) (*tosspayments.Client, error) { return client, nil },
		Handle: func(_ context.Context, d webhook.Delivery) error {
			mu.Lock()
			defer mu.Unlock()
			switch {
			case away:
				fmt.Println("not stored")
				return errors.New("the database is away")
			case !d.Payment.IsPaid():
				return nil
			case booked[d.Event.Identity()]:
				fmt.Println("known already")
				return nil
			}
			booked[d.Event.Identity()] = true
			fmt.Println(d.Payment.OrderID, "is paid")
			return nil
		},
	}, webhook.DepositCallback)

	deposit := func(orderID string) {
		if err := server.Deposit(orderID, tosspayments.Won(15000)); err != nil {
			fmt.Println(err)
		}
		server.WaitWebhooks()
	}
	for _, orderID := range []string{"order-0001", "order-0002"} {
		_, err := client.IssueVirtualAccount(context.Background(), tosspayments.IssueVirtualAccountRequest{
			OrderID: orderID, OrderName: "원두 1kg", Amount: tosspayments.Won(15000), CustomerName: "김토스", Bank: "20",
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		server.WaitWebhooks()
	}

	server.InjectWebhook(tosstest.WebhookFault{OrderID: "order-0001", Kind: tosstest.DuplicateWebhook})
	deposit("order-0001")

	away = true
	deposit("order-0002")
	away = false
	server.Advance(time.Minute)
	server.WaitWebhooks()
	// Output:
	// order-0001 is paid
	// known already
	// not stored
	// order-0002 is paid
}

// Two requests for one payment at the same moment: the first is held before the money
// moves, and the test sees what the second one gets.
func ExampleServer_Gate() {
	server := tosstest.New()
	client := server.Client()
	redirect := server.Authenticate(tosstest.Checkout{OrderID: "order-0001", OrderName: "원두 1kg", Amount: tosspayments.Won(15000)})
	request, err := redirect.ConfirmRequest(tosspayments.Won(15000))
	if err != nil {
		fmt.Println(err)
		return
	}
	gate := server.Gate(tosstest.Fault{Operation: tosstest.ConfirmPayment})
	var first sync.WaitGroup
	first.Go(func() {
		payment, err := client.ConfirmPayment(context.Background(), request)
		fmt.Println("first:", tosspayments.OutcomeOf(payment, err))
	})
	<-gate.Arrived()
	payment, err := client.GetPayment(context.Background(), request.PaymentKey)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("meanwhile:", payment.Status, server.Charges("order-0001"))
	gate.Open()
	first.Wait()
	fmt.Println(server.Charges("order-0001"))
	// Output:
	// meanwhile: IN_PROGRESS 0
	// first: paid
	// 1
}

// An answer as a proxy or a later version of the service may change it: the amount is a
// text, and the status one that nobody knows.
func ExampleFault_rewrite() {
	server := tosstest.New()
	key := server.OpenWindow(tosstest.Checkout{OrderID: "order-0001", OrderName: "원두 1kg", Amount: tosspayments.Won(15000)})
	server.Inject(tosstest.Fault{
		Operation: tosstest.GetPayment, Kind: tosstest.Rewrite, AfterEffect: true,
		Rewrite: func(a *tosstest.Answer) {
			a.Body = bytes.Replace(a.Body, []byte(`"totalAmount":15000`), []byte(`"totalAmount":"15000"`), 1)
			a.Body = bytes.Replace(a.Body, []byte(`"READY"`), []byte(`"ON_HOLD"`), 1)
		},
	})
	payment, err := server.Client().GetPayment(context.Background(), key)
	fmt.Println(payment.Status, payment.TotalAmount, err)
	// Output: ON_HOLD 15000 <nil>
}

// The pair of keys for the widget: what it opens, its own secret key confirms.
func ExampleServer_WidgetClient() {
	server := tosstest.New()
	redirect := server.Authenticate(tosstest.Checkout{OrderID: "order-0001", OrderName: "원두 1kg", Amount: tosspayments.Won(15000), Widget: true})
	request, err := redirect.ConfirmRequest(tosspayments.Won(15000))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = server.Client().ConfirmPayment(context.Background(), request)
	fmt.Println(tosspayments.CodeOf(err))
	payment, err := server.WidgetClient().ConfirmPayment(context.Background(), request)
	fmt.Println(payment.MID == tosstest.DefaultWidgetMID, err)
	// Output:
	// NOT_FOUND_PAYMENT_SESSION
	// true <nil>
}
