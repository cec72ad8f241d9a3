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
		type state struct {
			Statuses   []tosspayments.PaymentStatus
			Requests   []tosstest.Request
			Deliveries []tosstest.Delivery
			Entries    []tosstest.Entry
		}
		var mu sync.Mutex
		var told state
		server := tosstest.New(tosstest.WithObserver(func(c tosstest.Change) {
			mu.Lock()
			defer mu.Unlock()
			switch {
			case c.Payment != nil:
				var p tosspayments.Payment
				assert.NoError(t, json.Unmarshal(c.Payment, &p))
				told.Statuses = append(told.Statuses, p.Status)
			case c.Request != nil:
				told.Requests = append(told.Requests, *c.Request)
			case c.Delivery != nil:
				told.Deliveries = append(told.Deliveries, *c.Delivery)
			case c.Entry != nil:
				told.Entries = append(told.Entries, *c.Entry)
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
		assert.Equal(t, state{
			Statuses: []tosspayments.PaymentStatus{
				"IN_PROGRESS", "WAITING_FOR_DEPOSIT", "DONE", "WAITING_FOR_DEPOSIT", "WAITING_FOR_DEPOSIT", "READY", "EXPIRED",
			},
			Requests: server.Requests(), Deliveries: server.Deliveries(), Entries: server.Ledger(),
		}, told)
		assert.Empty(t, told.Requests[0].Answer, "the fault ate it")
		assert.Contains(t, string(told.Requests[1].Answer), "order-0001")
		assert.NotEmpty(t, told.Deliveries)
		assert.Len(t, told.Entries, 2)
	})
}

// observed keeps its state in path, which it may have from another; told are the changes
// that an observer was told of since the last call.
func observed(t *testing.T, path string) (server *tosstest.Server, told func() []string) {
	t.Helper()
	var mu sync.Mutex
	var changes []string
	server = tosstest.New(tosstest.WithObserver(func(c tosstest.Change) {
		mu.Lock()
		defer mu.Unlock()
		var about struct{ ID, Status string }
		switch {
		case c.Seller != nil:
			assert.NoError(t, json.Unmarshal(c.Seller, &about))
			changes = append(changes, "seller "+about.Status)
		case c.Payout != nil:
			assert.NoError(t, json.Unmarshal(c.Payout, &about))
			changes = append(changes, about.ID+" "+about.Status)
		case c.Customer != nil:
			changes = append(changes, fmt.Sprintf("%s %t %d", c.Customer.CustomerKey, c.Customer.Agreed, len(c.Customer.Methods)))
		case c.Payment != nil:
			changes = append(changes, "payment")
		case c.Entry != nil:
			changes = append(changes, "entry")
		}
	}))
	require.NoError(t, server.KeepState(path))
	t.Cleanup(server.Close)
	return server, func() []string {
		mu.Lock()
		defer mu.Unlock()
		defer func() { changes = nil }()
		return changes
	}
}

// paidSeller is a seller with two payouts: one at once, which has arrived, and one for
// Monday. It is Saturday, 1 January 2000 in a bubble.
func paidSeller(t *testing.T, server *tosstest.Server, client *payouts.Client) (id string, sent []payouts.Payout) {
	t.Helper()
	server.AddBalance(tosspayments.Won(1_000_000))
	seller := registeredSeller(t, client, "shop-0001", payouts.BusinessTypeIndividual)
	server.CompleteIdentityCheck(seller.ID)
	server.CompleteKYC(seller.ID)
	later := expressPayout("p-2", seller.ID, 1000)
	later.ScheduleType, later.PayoutDate = payouts.ScheduleScheduled, tosspayments.Date{Year: 2000, Month: 1, Day: 3}
	sent, err := client.RequestPayouts(t.Context(), []payouts.PayoutRequest{expressPayout("p-1", seller.ID, 1000), later})
	require.NoError(t, err)
	server.CompletePayout(sent[0].ID)
	return seller.ID, sent
}

func TestObserverOfPayouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, told := observed(t, filepath.Join(t.TempDir(), "state"))
		server.RegisterWebhookHandler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		_, sent := paidSeller(t, server, payoutClient(t, server))
		assert.Equal(t, []string{
			"seller APPROVAL_REQUIRED", "seller PARTIALLY_APPROVED", "seller APPROVED",
			"FPA_000001 IN_PROGRESS", "FPA_000002 REQUESTED", "FPA_000001 COMPLETED",
		}, told())
		assert.Panics(t, func() { server.CompletePayout(sent[0].ID) }, "it has ended")

		time.Sleep(24 * time.Hour)
		assert.Empty(t, told())
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		assert.Equal(t, []string{"FPA_000002 IN_PROGRESS"}, told(), "its day has come, with nobody asking")
	})
}

func TestObserverOfBrandPay(t *testing.T) {
	server, told := observed(t, filepath.Join(t.TempDir(), "state"))
	issueToken(t, server, "customer-1")
	card := server.AddBrandPayCard("customer-1", "61")
	server.RemoveBrandPayMethod("customer-1", card)
	assert.Equal(t, []string{"customer-1 true 0", "customer-1 true 0", "customer-1 true 1", "customer-1 true 0"}, told())
	assert.Panics(t, func() { server.RemoveBrandPayMethod("customer-1", card) }, "it is gone")
}

func TestBrandPayTokensExpire(t *testing.T) {
	server := tosstest.New()
	token := issueToken(t, server, "customer-1")
	server.ExpireBrandPayToken("customer-1")
	_, err := brandpay.New(server.Client()).Customer(*token, nil).GetMethods(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 2, server.Calls(tosstest.IssueBrandPayToken), "it was refreshed")
	assert.Panics(t, func() { server.ExpireBrandPayToken("customer-2") }, "there is none")
}

// What a file has brought is told too, as it stands.
func TestObserverOfAFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "state")
		server, _ := observed(t, path)
		server.RegisterWebhookHandler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		client := payoutClient(t, server)
		id, sent := paidSeller(t, server, client)
		time.Sleep(48 * time.Hour)
		_, err := client.DeleteSeller(t.Context(), id)
		require.NoError(t, err)
		issueToken(t, server, "customer-1")
		pay(t, server, socks("order-0001"))

		again, told := observed(t, copyOfNow(t, path))
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
