package tosstest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/brandpay"
	"github.com/seed238ab19c/tosspayments/payouts"
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
		assert.Equal(t, server.Deliveries(), deliveries)
		assert.Equal(t, server.Ledger(), entries)
		assert.Empty(t, requests[0].Answer, "the fault ate it")
		assert.Contains(t, string(requests[1].Answer), "order-0001")
		assert.NotEmpty(t, deliveries)
		assert.Len(t, entries, 2)
	})
}

// Sellers, payouts and customers of BrandPay are told too, and what a file has brought.
func TestObserverOfPayoutsAndBrandPay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // It is Saturday, 1 January 2000 in here.
		path := filepath.Join(t.TempDir(), "state")
		observed := func(path string) (*tosstest.Server, func() []string) {
			var mu sync.Mutex
			var told []string
			server := tosstest.New(tosstest.WithObserver(func(c tosstest.Change) {
				mu.Lock()
				defer mu.Unlock()
				var about struct{ ID, Status string }
				switch {
				case c.Seller != nil:
					assert.NoError(t, json.Unmarshal(c.Seller, &about))
					told = append(told, "seller "+about.Status)
				case c.Payout != nil:
					assert.NoError(t, json.Unmarshal(c.Payout, &about))
					told = append(told, about.ID+" "+about.Status)
				case c.Customer != nil:
					told = append(told, fmt.Sprintf("%s %t %d", c.Customer.CustomerKey, c.Customer.Agreed, len(c.Customer.Methods)))
				case c.Payment != nil:
					told = append(told, "payment")
				case c.Entry != nil:
					told = append(told, "entry")
				}
			}))
			require.NoError(t, server.KeepState(path))
			t.Cleanup(server.Close)
			return server, func() []string {
				mu.Lock()
				defer mu.Unlock()
				defer func() { told = nil }()
				return told
			}
		}
		server, told := observed(path)
		server.RegisterWebhookHandler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		client := payoutClient(t, server)
		server.AddBalance(tosspayments.Won(1_000_000))
		seller := registeredSeller(t, client, "shop-0001", payouts.BusinessTypeIndividual)
		server.CompleteIdentityCheck(seller.ID)
		server.CompleteKYC(seller.ID)
		assert.Equal(t, []string{"seller APPROVAL_REQUIRED", "seller PARTIALLY_APPROVED", "seller APPROVED"}, told())
		later := expressPayout("p-2", seller.ID, 1000)
		later.ScheduleType, later.PayoutDate = payouts.ScheduleScheduled, tosspayments.Date{Year: 2000, Month: 1, Day: 3}
		sent, err := client.RequestPayouts(t.Context(), []payouts.PayoutRequest{expressPayout("p-1", seller.ID, 1000), later})
		require.NoError(t, err)
		server.CompletePayout(sent[0].ID)
		assert.Equal(t, []string{"FPA_000001 IN_PROGRESS", "FPA_000002 REQUESTED", "FPA_000001 COMPLETED"}, told())
		time.Sleep(24 * time.Hour)
		assert.Empty(t, told())
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		assert.Equal(t, []string{"FPA_000002 IN_PROGRESS"}, told(), "its day has come, with nobody asking")
		assert.Panics(t, func() { server.CompletePayout(sent[0].ID) }, "it has ended")

		token := issueToken(t, server, "customer-1")
		card := server.AddBrandPayCard("customer-1", "61")
		server.RemoveBrandPayMethod("customer-1", card)
		assert.Equal(t, []string{"customer-1 true 0", "customer-1 true 0", "customer-1 true 1", "customer-1 true 0"}, told())
		assert.Panics(t, func() { server.RemoveBrandPayMethod("customer-1", card) }, "it is gone")
		server.ExpireBrandPayToken("customer-1")
		_, err = brandpay.New(server.Client()).Customer(*token, nil).GetMethods(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 2, server.Calls(tosstest.IssueBrandPayToken), "it was refreshed")
		assert.Panics(t, func() { server.ExpireBrandPayToken("customer-2") }, "there is none")
		_, err = client.DeleteSeller(t.Context(), seller.ID)
		require.NoError(t, err)
		pay(t, server, socks("order-0001"))
		told()

		again, told := observed(copyOfNow(t, path))
		assert.Equal(t, []string{"payment", "entry", "seller DELETED", "FPA_000001 COMPLETED", "FPA_000002 IN_PROGRESS", "customer-1 true 0"}, told())
		again.CompletePayout(sent[1].ID)
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
