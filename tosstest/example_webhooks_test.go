package tosstest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/seed238ab19c/tosspayments/tosstest"
	"github.com/seed238ab19c/tosspayments/webhook"
)

// printStatus is a receiver that prints the order and the status of each payment event.
func printStatus(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	event, err := webhook.Parse(body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	fmt.Println(event.OrderID(), event.ClaimedStatus())
}

// A receiver with an address fails once: the event is repeated after a minute. What was
// sent, and what came back, is kept.
func ExampleServer_RegisterWebhook() {
	server := tosstest.New()
	defer server.Close()
	away := true
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if away {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer shop.Close()
	server.RegisterWebhook(shop.URL, webhook.PaymentStatusChanged)

	payInWindow(server, coffee("order-0001"))
	server.WaitWebhooks()
	away = false
	server.Advance(time.Minute)
	server.WaitWebhooks()
	for _, delivery := range server.Deliveries() {
		fmt.Println(delivery.Event, delivery.OrderID, delivery.RetriedCount, delivery.Status)
	}
	// Output:
	// PAYMENT_STATUS_CHANGED order-0001 0 503
	// PAYMENT_STATUS_CHANGED order-0001 1 200
}

// Every way in which an event comes otherwise than once, at once and in order.
func ExampleServer_InjectWebhook() {
	server := tosstest.New()
	defer server.Close()
	server.RegisterWebhookHandler(http.HandlerFunc(printStatus), webhook.PaymentStatusChanged)
	for i, kind := range []tosstest.WebhookFaultKind{
		tosstest.DuplicateWebhook, tosstest.DelayWebhook, tosstest.EarlyWebhook, tosstest.LoseWebhook, tosstest.HoldWebhook,
	} {
		orderID := fmt.Sprintf("order-%04d", i+1)
		server.InjectWebhook(tosstest.WebhookFault{OrderID: orderID, Kind: kind, Delay: time.Hour})
		fmt.Println(kind)
		payInWindow(server, coffee(orderID))
		server.WaitWebhooks()
	}
	fmt.Println("the next one")
	payInWindow(server, coffee("order-0006"))
	server.WaitWebhooks()
	fmt.Println("an hour later")
	server.Advance(time.Hour)
	server.WaitWebhooks()
	// Output:
	// duplicate
	// order-0001 DONE
	// order-0001 DONE
	// delay
	// early
	// order-0003 DONE
	// lose
	// hold
	// the next one
	// order-0006 DONE
	// order-0005 DONE
	// an hour later
	// order-0002 DONE
}

// Half of all events come twice, late or out of order. None is lost.
func ExampleWithRandomWebhookFaults() {
	server := tosstest.New(tosstest.WithRandomWebhookFaults(7, 0.5))
	defer server.Close()
	server.RegisterWebhookHandler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), webhook.PaymentStatusChanged)
	for i := range 20 {
		payInWindow(server, coffee(fmt.Sprintf("order-%04d", i)))
	}
	server.Advance(2 * time.Minute)
	server.WaitWebhooks()
	told := map[string]bool{}
	for _, delivery := range server.Deliveries() {
		told[delivery.OrderID] = true
	}
	fmt.Println(len(told), len(server.Deliveries()) > 20)
	// Output: 20 true
}

// Somebody sends an event again in the developer centre. Whether it keeps its id is not
// known: a receiver should know it by what it says (Event.Identity).
func ExampleServer_ResendWebhook() {
	for _, options := range [][]tosstest.Option{nil, {tosstest.WithNewTransmissionIDs()}} {
		server := tosstest.New(options...)
		server.RegisterWebhookHandler(http.HandlerFunc(printStatus), webhook.PaymentStatusChanged)
		payInWindow(server, coffee("order-0001"))
		server.WaitWebhooks()
		if err := server.ResendWebhook(server.Deliveries()[0].ID); err != nil {
			fmt.Println(err)
			return
		}
		server.WaitWebhooks()
		sent := server.Deliveries()
		fmt.Println("same id:", sent[0].ID == sent[1].ID)
		server.Close()
	}
	// Output:
	// order-0001 DONE
	// order-0001 DONE
	// same id: true
	// order-0001 DONE
	// order-0001 DONE
	// same id: false
}

// An event that the server does not send by itself, of a type that the library may not
// know either.
func ExampleServer_SendWebhook() {
	server := tosstest.New()
	defer server.Close()
	server.RegisterWebhookHandler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		event, err := webhook.Parse(body)
		if err != nil {
			fmt.Println(err)
			return
		}
		var data struct{ ReservationID string }
		fmt.Println(event.Type, event.Decode(&data), data.ReservationID)
	}))
	server.SendWebhook("RESERVATION_CHANGED", map[string]string{"reservationId": "r-0001"})
	server.WaitWebhooks()
	// Output: RESERVATION_CHANGED <nil> r-0001
}

// Events of payouts are signed with the security key, with both keys while it is being
// replaced, and with the text of the key or its bytes, of which the real one is not known.
// A Verifier accepts all of these.
func ExampleWithSecurityKey() {
	newest, older := strings.Repeat("7e57", 16), strings.Repeat("01d0", 16)
	server := tosstest.New(tosstest.WithSecurityKey(newest, older), tosstest.WithSignatureByKeyBytes())
	defer server.Close()
	verifier, err := webhook.NewVerifier(older)
	if err != nil {
		fmt.Println(err)
		return
	}
	server.RegisterWebhookHandler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		fmt.Println(verifier.Verify(body, webhook.ParseTransmission(r.Header.Get)))
	}), webhook.SellerChanged)
	server.SendWebhook(webhook.SellerChanged, map[string]string{"id": "seller_0001", "status": "APPROVED"})
	server.WaitWebhooks()
	// Output: <nil>
}
