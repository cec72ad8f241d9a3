package tosstest_test

import (
	"encoding/json"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// What an observer is told is what a reader of all state finds.
func TestObserver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var statuses []tosspayments.PaymentStatus
		var requests []tosstest.Request
		var deliveries []tosstest.Delivery
		var entries []tosstest.Entry
		server := tosstest.New(tosstest.WithObserver(func(c tosstest.Change) {
			mu.Lock()
			defer mu.Unlock()
			switch {
			case c.Payment != nil:
				var p tosspayments.Payment
				assert.NoError(t, json.Unmarshal(c.Payment, &p))
				statuses = append(statuses, p.Status)
			case c.Request != nil:
				requests = append(requests, *c.Request)
			case c.Delivery != nil:
				deliveries = append(deliveries, *c.Delivery)
			case c.Entry != nil:
				entries = append(entries, *c.Entry)
			}
		}))
		defer server.Close()
		server.RegisterWebhookHandler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		redirect := server.Authenticate(tosstest.Checkout{
			OrderID: "order-0001", OrderName: "socks", Amount: tosspayments.Won(1000), Method: tosspayments.MethodVirtualAccount,
		})
		request, err := redirect.ConfirmRequest(tosspayments.Won(1000))
		require.NoError(t, err)
		server.Inject(tosstest.Fault{Kind: tosstest.Drop, AfterEffect: true})
		_, err = server.Client().ConfirmPayment(t.Context(), request)
		require.NoError(t, err)
		require.NoError(t, server.Deposit("order-0001", tosspayments.Won(1000)))
		require.NoError(t, server.Bounce("order-0001"))
		require.NoError(t, server.ExpireAccount("order-0001"))
		server.OpenWindow(tosstest.Checkout{OrderID: "order-0002", OrderName: "socks", Amount: tosspayments.Won(1000)})
		server.Advance(time.Hour)
		server.WaitWebhooks()

		mu.Lock()
		defer mu.Unlock()
		assert.Equal(t, []tosspayments.PaymentStatus{
			"IN_PROGRESS", "WAITING_FOR_DEPOSIT", "DONE", "WAITING_FOR_DEPOSIT", "WAITING_FOR_DEPOSIT", "READY", "EXPIRED",
		}, statuses)
		assert.Equal(t, server.Requests(), requests)
		require.NotEmpty(t, requests)
		assert.Empty(t, requests[0].Answer, "the fault ate it")
		assert.Contains(t, string(requests[1].Answer), "order-0001")
		assert.Equal(t, server.Deliveries(), deliveries)
		require.NotEmpty(t, deliveries)
		assert.Equal(t, server.Ledger(), entries)
		assert.Len(t, entries, 2)
	})
}

func TestFaultsThatWait(t *testing.T) {
	server := tosstest.NewServer(t)
	fault := tosstest.Fault{Operation: tosstest.GetPayment, Kind: tosstest.RateLimit, Times: 2}
	held := tosstest.WebhookFault{Kind: tosstest.HoldWebhook, Times: 1}
	server.Inject(fault)
	server.InjectWebhook(held)
	assert.Equal(t, []tosstest.Fault{fault}, server.Faults())
	assert.Equal(t, []tosstest.WebhookFault{held}, server.WebhookFaults())
	_, _ = server.Client(tosspayments.WithMaxRetries(0)).GetPayment(t.Context(), "key")
	assert.Equal(t, 1, server.Faults()[0].Times)
	server.ClearFaults()
	assert.Empty(t, server.Faults())
	assert.Empty(t, server.WebhookFaults())
}
