package main

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/examples/internal/shop"
	"github.com/seed238ab19c/tosspayments/examples/internal/shoptest"
	"github.com/seed238ab19c/tosspayments/tosstest"
	"github.com/seed238ab19c/tosspayments/webhook"
)

// stand is a Toss Payments with instances of the marketplace over one database.
type stand struct {
	t        *testing.T
	toss     *tosstest.Server
	database string
	markets  []*market
	shops    []*shoptest.Customer
}

func newStand(t *testing.T, instances int, options ...tosspayments.Option) *stand {
	st := &stand{t: t, toss: tosstest.NewServer(t), database: shoptest.Database(t)}
	logger := slog.New(slog.DiscardHandler)
	for range instances {
		m, err := newMarket(t.Context(), st.database, tosstest.DefaultSecurityKey, shop.InSandbox(st.toss, options...), logger)
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, m.db.Close()) })
		m.again = 0
		handler, err := m.handler(tosstest.DefaultSecurityKey)
		require.NoError(t, err)
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		st.markets = append(st.markets, m)
		st.shops = append(st.shops, shoptest.NewCustomer(t, server.URL))
	}
	return st
}

// listen sends events to the instances.
func (st *stand) listen() {
	for _, s := range st.shops {
		st.toss.RegisterWebhook(s.Shop+webhookPath, webhook.PayoutChanged, webhook.SellerChanged)
	}
}

func (st *stand) query(query string) string {
	st.t.Helper()
	list, err := st.markets[0].texts(context.Background(), query)
	require.NoError(st.t, err)
	return strings.Join(list, " ")
}

// seller registers a seller over the page, and returns the id at Toss Payments.
func (st *stand) seller(name string) (ref, id string) {
	st.t.Helper()
	_, err := st.shops[0].Submit("/sellers", url.Values{
		"name": {name}, "email": {"a@b.c"}, "phone": {"01012345678"}, "bank": {"092"}, "account": {"100012345678"},
	})
	require.NoError(st.t, err)
	ref, id = st.query(`SELECT ref FROM sellers WHERE name = '`+name+`'`), st.query(`SELECT toss_id FROM sellers WHERE name = '`+name+`'`)
	require.NotEmpty(st.t, id)
	return ref, id
}

// sell lets a buyer pay at one of the instances.
func (st *stand) sell(instance int, ref string) {
	s := st.shops[instance]
	led, err := s.Submit("/orders", url.Values{"seller": {ref}})
	require.NoError(st.t, err)
	redirect := st.toss.Authenticate(tosstest.Checkout{OrderID: strings.TrimPrefix(led, "/orders/"), OrderName: "장터 물건", Amount: price})
	response, err := s.Client.Get(s.Shop + "/success?" + redirect.Values().Encode())
	require.NoError(st.t, err)
	require.NoError(st.t, response.Body.Close())
}

// assertConserved compares sales, commission, ledgers, payouts and the balance of Toss
// Payments, to the won, where nothing is under way.
func (st *stand) assertConserved(sellers map[string]string) {
	st.t.Helper()
	number := func(query string) int64 {
		var n int64
		require.NoError(st.t, st.markets[0].db.QueryRow(query).Scan(&n))
		return n
	}
	sold := tosspayments.Amount{}
	for _, e := range st.toss.Ledger() {
		require.Equal(st.t, tosstest.Approved, e.Kind)
		sold = sold.Add(e.Amount)
	}
	sales, _ := sold.Int64()
	assert.Equal(st.t, sales, number(`SELECT COALESCE(SUM(amount), 0) FROM orders WHERE state = 'paid'`), "every sale is an order, and the reverse")
	paidOut := int64(0)
	for ref, id := range sellers {
		won, _ := st.toss.PaidOut(id).Int64()
		assert.Equal(st.t, won, number(`SELECT COALESCE(SUM(amount), 0) FROM payouts WHERE state = 'completed' AND seller = '`+ref+`'`), "what the bank has paid")
		paidOut += won
	}
	owed := number(`SELECT COALESCE(SUM(amount), 0) FROM entries`)
	assert.Equal(st.t, sales-sales*commission/100, owed+paidOut, "sales less commission are owed or paid")
	for _, ref := range strings.Fields(st.query(`SELECT ref FROM payouts`)) {
		assert.LessOrEqual(st.t, st.toss.Payouts(ref), 1, "%s was requested twice", ref)
	}
	balance, err := st.markets[0].payouts.GetBalance(context.Background())
	require.NoError(st.t, err)
	left, _ := balance.AvailableAmount.Value.Int64()
	pending, _ := balance.PendingAmount.Value.Int64()
	fees := int64(len(st.toss.Ledger())) * 924 // 2.8 per cent of 30,000, and its VAT
	assert.Equal(st.t, sales-fees, left+pending+paidOut, "sales less fees are at Toss Payments or paid out")
}

func TestMarketplace(t *testing.T) {
	st := newStand(t, 1)
	st.listen()
	m := st.markets[0]
	ref, id := st.seller("김판매")
	assert.Contains(t, st.shops[0].Page("/"), "APPROVAL_REQUIRED")
	st.sell(0, ref)
	assert.Equal(t, "paid", st.query(`SELECT state FROM orders`))
	st.toss.Advance(5 * 24 * time.Hour)
	m.round(t.Context())
	assert.Empty(t, st.query(`SELECT ref FROM payouts`), "not before the identity check")
	_, err := st.shops[0].Submit("/sellers/"+id+"/check", nil)
	require.NoError(t, err)
	m.round(t.Context())
	m.round(t.Context())
	assert.Equal(t, "requested", st.query(`SELECT state FROM payouts`))
	assert.Equal(t, "requested", st.query(`SELECT state FROM batches`))
	st.toss.FailPayout(st.query(`SELECT toss_id FROM payouts`), tosspayments.ErrInvalidAccountNumber)
	st.toss.WaitWebhooks()
	assert.Equal(t, "unpaid", st.query(`SELECT state FROM payouts`))
	st.assertConserved(map[string]string{ref: id})
	m.round(t.Context())
	m.round(t.Context())
	assert.Equal(t, 1, st.toss.CompletePayouts())
	st.toss.WaitWebhooks()
	assert.Equal(t, tosspayments.Won(27_000), st.toss.PaidOut(id))
	assert.Contains(t, st.shops[0].Page("/"), `<b class="paid">27,000원</b>`)
	st.assertConserved(map[string]string{ref: id})
}

// A refused batch gives everything back, and the others are paid with the next one.
func TestARefusedBatch(t *testing.T) {
	st := newStand(t, 1)
	m := st.markets[0]
	ready, readyID := st.seller("준비된")
	late, lateID := st.seller("보류된")
	st.toss.CompleteIdentityCheck(readyID)
	st.toss.CompleteIdentityCheck(lateID)
	st.sell(0, ready)
	st.sell(0, late)
	st.toss.Advance(5 * 24 * time.Hour)
	require.NoError(t, m.readSellers(t.Context()))
	require.NoError(t, m.makeBatch(t.Context()))
	st.toss.RequireKYC(lateID) // after the batch was made
	require.NoError(t, m.runBatches(t.Context()))
	assert.Equal(t, "refused FORBIDDEN_SELLER_PAYOUT", st.query(`SELECT state || ' ' || code FROM batches`))
	st.assertConserved(map[string]string{ready: readyID, late: lateID})
	require.NoError(t, m.readSellers(t.Context()))
	require.NoError(t, m.makeBatch(t.Context()))
	require.NoError(t, m.runBatches(t.Context()))
	assert.Equal(t, 1, st.toss.CompletePayouts())
	require.NoError(t, m.checkPayouts(t.Context()))
	assert.Equal(t, tosspayments.Won(27_000), st.toss.PaidOut(readyID))
	assert.Zero(t, st.toss.PaidOut(lateID))
	st.assertConserved(map[string]string{ready: readyID, late: lateID})
}

// failOne lets the bank refuse one of the payouts that are under way.
func (st *stand) failOne() bool {
	for _, id := range strings.Fields(st.query(`SELECT toss_id FROM payouts WHERE state = 'requested'`)) {
		if p, err := st.markets[0].payouts.GetPayout(st.t.Context(), id); err == nil && !p.Status.IsFinal() {
			st.toss.FailPayout(id, tosspayments.ErrInvalidAccountNumber)
			return true
		}
	}
	return false
}

// Two instances sell and pay out through random faults, lost events and failing payouts: not a
// won is lost, and none is paid twice.
func TestMoneyIsConserved(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	st := newStand(t, 2, tosspayments.WithTimeout(2*time.Second), tosspayments.WithMaxRetries(1))
	sellers := map[string]string{}
	var refs []string
	for i := range 4 {
		ref, id := st.seller(fmt.Sprint("판매자", i))
		st.toss.CompleteIdentityCheck(id)
		refs, sellers[ref] = append(refs, ref), id
	}
	st.listen()
	st.toss.InjectWebhook(tosstest.WebhookFault{Kind: tosstest.LoseWebhook, Times: 5})
	for _, operation := range []tosstest.Operation{tosstest.RequestPayouts, tosstest.ConfirmPayment, tosstest.ListPayouts} {
		for _, kind := range []tosstest.FaultKind{tosstest.Drop, tosstest.Cut, tosstest.BadGateway} {
			st.toss.Inject(tosstest.Fault{Operation: operation, Kind: kind, AfterEffect: true, Times: 2})
			st.toss.Inject(tosstest.Fault{Operation: operation, Kind: tosstest.Drop, Times: 2})
		}
	}
	failures := 0
	for n := 0; n < 12 || failures < 2; n++ {
		require.Less(t, n, 100, "payouts that can fail")
		var group sync.WaitGroup
		for i, m := range st.markets {
			group.Go(func() { st.sell(i, refs[rand.N(len(refs))]) })
			group.Go(func() { m.round(context.Background()) })
		}
		group.Wait()
		st.toss.Advance(12 * time.Hour)
		if failures < 3 && st.failOne() {
			failures++
		}
		st.toss.CompletePayouts()
	}
	st.toss.ClearFaults()
	st.toss.Advance(5 * 24 * time.Hour)
	require.Eventually(t, func() bool {
		st.markets[0].round(context.Background())
		st.toss.CompletePayouts()
		return st.query(`SELECT id FROM orders WHERE state = 'confirming'`)+st.query(`SELECT id FROM batches WHERE state = 'open'`)+
			st.query(`SELECT ref FROM payouts WHERE state IN ('new', 'requested')`) == ""
	}, 30*time.Second, 10*time.Millisecond)
	st.toss.WaitWebhooks()
	assert.Empty(t, st.query(`SELECT id FROM batches WHERE state = 'review'`))
	assert.NotEmpty(t, st.query(`SELECT ref FROM payouts WHERE state = 'unpaid'`), "some have failed")
	st.assertConserved(sellers)
	t.Logf("%d sales", len(st.toss.Ledger()))
}

// Killed at each step of a payout: the instance that is started again finishes it.
func TestKilled(t *testing.T) {
	binary := shoptest.Program(t)
	for _, point := range []string{"before the request", "after the request", "before the record"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			st := newStand(t, 1)
			ref, id := st.seller("김판매")
			st.toss.CompleteIdentityCheck(id)
			st.sell(0, ref)
			st.toss.Advance(5 * 24 * time.Hour)
			between := shoptest.NewBetween(t, st.toss)
			start := func() *shoptest.Process {
				return shoptest.Start(t, binary, []string{"TOSS_SECURITY_KEY=" + tosstest.DefaultSecurityKey},
					"-db", st.database, "-toss", between.URL, "-interval", "50ms", "-again", "100ms")
			}
			started, killed := make(chan *shoptest.Process, 1), make(chan bool)
			requested := func(next func()) {
				process := <-started
				unlock := func() {}
				switch point {
				case "after the request":
					st.toss.Inject(tosstest.Fault{Operation: tosstest.RequestPayouts, Kind: tosstest.Drop, AfterEffect: true})
					next()
				case "before the record":
					unlock = shoptest.Lock(t, st.database, "batches")
					next()
					// The answer has been written; the record waits for the lock.
					time.Sleep(300 * time.Millisecond)
				}
				process.Kill()
				unlock()
				killed <- true
			}
			// The list of payouts has the same path: it is asked for only after a lost answer.
			between.Once("/v2/payouts", requested)
			started <- start()
			select {
			case <-killed:
			case <-time.After(30 * time.Second):
				t.Fatal("it never came so far")
			}
			assert.Equal(t, "open", st.query(`SELECT state FROM batches`), "nobody has recorded it")
			start()
			require.Eventually(t, func() bool { return st.query(`SELECT state FROM payouts`) == "requested" }, 30*time.Second, 20*time.Millisecond)
			st.toss.CompletePayouts()
			require.Eventually(t, func() bool { return st.query(`SELECT state FROM payouts`) == "completed" }, 30*time.Second, 20*time.Millisecond)
			assert.Equal(t, 1, st.toss.Payouts(st.query(`SELECT ref FROM payouts`)))
			st.assertConserved(map[string]string{ref: id})
		})
	}
}

func TestPagesRefuse(t *testing.T) {
	st := newStand(t, 1)
	ref, _ := st.seller("김판매")
	assert.Contains(t, st.shops[0].Page("/orders/none"), "주문을 찾을 수 없어요.")
	assert.Contains(t, st.shops[0].Page("/success?orderId=none"), "결제되지 않았어요")
	assert.Contains(t, st.shops[0].Page("/fail"), "결제하지 못했어요")
	led, err := st.shops[0].Submit("/orders", url.Values{"seller": {ref}})
	require.NoError(t, err)
	assert.Contains(t, st.shops[0].Page(led), "아직 결제하지 않았어요")
	response, err := http.Post(st.shops[0].Shop+webhookPath, "application/json", strings.NewReader(`{"eventType":"payout.changed","entityBody":{"id":"x"}}`))
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusUnauthorized, response.StatusCode, "an event without a signature")
	response, err = http.PostForm(st.shops[0].Shop+"/sellers", url.Values{"name": {"김"}, "account": {"12-34"}})
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusBadRequest, response.StatusCode)
}
