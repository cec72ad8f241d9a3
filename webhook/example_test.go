package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
	"github.com/seed238ab19c/tosspayments/webhook"
)

// A shop never records an event: it marks the order, and a job reads the payment. An
// event that is faster than the order comes again.
func Example() {
	server := tosstest.New()
	defer server.Close()
	client := server.Client()
	secrets := map[string]tosspayments.Sensitive{} // in a shop a column of its orders
	var lookSoon []string                          // UPDATE orders SET look_at = now() WHERE id = $1

	server.RegisterWebhookHandler(&webhook.Handler{
		Secret: func(_ context.Context, orderID string) (tosspayments.Sensitive, error) {
			secret, known := secrets[orderID]
			if !known {
				return secret, webhook.ErrNotMine
			}
			return secret, nil
		},
		Handle: func(_ context.Context, d webhook.Delivery) error {
			orderID := d.Event.OrderID()
			if orderID == "" {
				return nil // about something that this shop does not use
			}
			if _, known := secrets[orderID]; !known {
				return errors.New("no such order yet") // the event is delivered again
			}
			fmt.Println(d.Event.Type, d.Verified)
			lookSoon = append(lookSoon, orderID)
			return nil
		},
	}, webhook.DepositCallback)

	account, err := client.IssueVirtualAccount(context.Background(), tosspayments.IssueVirtualAccountRequest{
		OrderID: "order-0001", OrderName: "원두 1kg", Amount: tosspayments.Won(15000), CustomerName: "김토스", Bank: "20",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	server.WaitWebhooks() // this one was too early
	secrets["order-0001"] = account.Secret
	if err := server.Deposit("order-0001", tosspayments.Won(15000)); err != nil {
		fmt.Println(err)
		return
	}
	server.WaitWebhooks()

	for _, orderID := range lookSoon { // the job
		payment, err := client.ResolvePaymentByOrderID(context.Background(), orderID, tosspayments.Won(15000))
		fmt.Println(orderID, "is", tosspayments.OutcomeOf(payment, err))
	}
	// Output:
	// DEPOSIT_CALLBACK by secret
	// order-0001 is paid
}

// With a Client the payment has been read when Handle is called, and the order's own
// request judges it. Here the event of a window that the buyer has left arrives after
// the payment of the next one: it decides nothing.
func ExampleHandler() {
	server := tosstest.New()
	defer server.Close()
	client := server.Client()
	stored := map[string]tosspayments.ConfirmPaymentRequest{} // in a shop columns of its orders

	server.RegisterWebhookHandler(&webhook.Handler{
		Client: func(context.Context, *webhook.Event) (*tosspayments.Client, error) { return client, nil },
		Handle: func(_ context.Context, d webhook.Delivery) error {
			if d.Payment == nil {
				return nil
			}
			request, known := stored[d.Payment.OrderID]
			if !known {
				return errors.New("no such order yet") // the event is delivered again
			}
			payment, err := request.Check(d.Payment)
			fmt.Println(d.Event.ClaimedStatus(), "means", tosspayments.OutcomeOf(payment, err))
			return nil // in a shop: record(ctx, order, payment, err)
		},
	}, webhook.PaymentStatusChanged)

	checkout := tosstest.Checkout{OrderID: "order-0001", OrderName: "원두 1kg", Amount: tosspayments.Won(15000)}
	server.InjectWebhook(tosstest.WebhookFault{Kind: tosstest.DelayWebhook, Delay: time.Hour})
	server.Authenticate(checkout)
	server.Advance(11 * time.Minute) // nobody confirms it
	request, err := server.Authenticate(checkout).ConfirmRequest(checkout.Amount)
	if err != nil {
		fmt.Println(err)
		return
	}
	stored[request.OrderID] = request
	if _, err := client.ConfirmPayment(context.Background(), request); err != nil {
		fmt.Println(err)
		return
	}
	server.WaitWebhooks()
	server.Advance(time.Hour)
	server.WaitWebhooks()
	// Output:
	// DONE means paid
	// EXPIRED means unknown
}

// A consumer that takes longer than the ten seconds works from a queue.
func ExampleHandler_queue() {
	// In a shop this is a table of its database: what is in memory is lost in a crash.
	queue := make(chan webhook.Delivery, 1)
	handler := &webhook.Handler{Handle: func(_ context.Context, d webhook.Delivery) error {
		select {
		case queue <- d:
			return nil
		default:
			return errors.New("the queue is full") // the event is delivered again
		}
	}}
	body := []byte(`{"eventType":"BILLING_DELETED","data":{"billingKey":"key-1","reason":null}}`)
	fmt.Println(handler.Receive(context.Background(), body, webhook.Transmission{}))
	fmt.Println(handler.Receive(context.Background(), body, webhook.Transmission{}))
	fmt.Println((<-queue).Event.Type)
	// Output:
	// 200
	// 500
	// BILLING_DELETED
}

func ExampleParse() {
	event, err := webhook.Parse([]byte(`{"createdAt":"2026-03-01T13:05:44.000000","secret":"ps_secret","status":"DONE",
		"transactionKey":"T1","orderId":"order-0001"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	stored := tosspayments.NewSensitive("ps_secret") // Payment.Secret, as it was stored
	fmt.Println(event.Type, event.OrderID(), event.ClaimedStatus(), event.MatchesSecret(stored))
	// Output: DEPOSIT_CALLBACK order-0001 DONE true
}

// The steps of a Handler one by one, for an event from a queue: the same change is known by
// its identity, and the payment is read before anything is decided.
func ExampleEvent_FetchPayment() {
	server := tosstest.New()
	client := server.Client()
	request, err := server.Authenticate(tosstest.Checkout{OrderID: "order-0001", OrderName: "원두 1kg", Amount: tosspayments.Won(15000)}).ConfirmRequest(tosspayments.Won(15000))
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := client.ConfirmPayment(context.Background(), request); err != nil {
		fmt.Println(err)
		return
	}
	body := fmt.Appendf(nil, `{"eventType":"PAYMENT_STATUS_CHANGED","createdAt":"2026-03-01T13:05:44.000000",
		"data":{"paymentKey":%q,"orderId":"order-0001","status":"ABORTED","totalAmount":15000}}`, request.PaymentKey)

	seen := map[string]bool{} // in a shop a unique column
	for range 2 {
		event, err := webhook.Parse(body)
		if err != nil {
			fmt.Println(err)
			return
		}
		if seen[event.Identity()] {
			fmt.Println("seen before")
			continue
		}
		seen[event.Identity()] = true
		payment, err := event.FetchPayment(context.Background(), client)
		if err == nil {
			payment, err = request.Check(payment)
		}
		fmt.Println("the event says", event.ClaimedStatus(), "and the server", tosspayments.OutcomeOf(payment, err))
	}
	// Output:
	// the event says ABORTED and the server paid
	// seen before
}

// A test signs an event as Toss Payments does.
func ExampleSign() {
	const at = "2026-03-06T09:30:01+09:00"
	body := []byte(`{"eventType":"payout.changed","eventId":"evt_1","entityBody":{"id":"FPA_1","status":"COMPLETED"}}`)
	signature, err := webhook.Sign(tosstest.DefaultSecurityKey, body, at, false)
	if err != nil {
		fmt.Println(err)
		return
	}
	verifier, err := webhook.NewVerifier(tosstest.DefaultSecurityKey)
	if err != nil {
		fmt.Println(err)
		return
	}
	handler := &webhook.Handler{Verifier: verifier, Handle: func(_ context.Context, d webhook.Delivery) error {
		var payout struct{ ID, Status string }
		err := d.Event.Decode(&payout)
		fmt.Println(payout.ID, payout.Status, d.Verified)
		return err
	}}
	fmt.Println(handler.Receive(context.Background(), body, webhook.Transmission{Time: at, Signature: signature}))
	fmt.Println(handler.Receive(context.Background(), body, webhook.Transmission{Time: at}))
	// Output:
	// FPA_1 COMPLETED by signature
	// 200
	// 401
}

// While the security key is being replaced, events that either of two keys has signed are
// verified.
func ExampleNewVerifier() {
	oldKey, newKey := strings.Repeat("0a", 32), strings.Repeat("1b", 32)
	verifier, err := webhook.NewVerifier(oldKey, newKey)
	if err != nil {
		fmt.Println(err)
		return
	}
	body, sent := []byte(`{"eventType":"payout.changed"}`), "2026-03-01T10:15:30+09:00"
	signature, err := webhook.Sign(newKey, body, sent, false)
	if err != nil {
		fmt.Println(err)
		return
	}
	header := http.Header{
		"Tosspayments-Webhook-Signature":         {signature},
		"Tosspayments-Webhook-Transmission-Time": {sent},
	}
	transmission := webhook.ParseTransmission(header.Get)
	fmt.Println(verifier.Verify(body, transmission))
	fmt.Println(errors.Is(verifier.Verify([]byte(`{"eventType":"seller.changed"}`), transmission), webhook.ErrSignature))
	// Output:
	// <nil>
	// true
}
