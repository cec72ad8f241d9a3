package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
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
	// added is money at Toss Payments that no sale has brought.
	added int64
}

func newStand(t *testing.T, instances int, options ...tosspayments.Option) *stand {
	st := &stand{t: t, toss: tosstest.NewServer(t), database: shoptest.Database(t)}
	logger := slog.New(slog.DiscardHandler)
	for range instances {
		m, err := newMarket(t.Context(), st.database, tosstest.DefaultSecurityKey, shop.InSandbox(st.toss, options...), logger)
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, m.db.Close()) })
		m.again = 0
		m.limits.Count = 10_000 // every buyer of a test has the same address
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
	list, err := shop.Texts(context.Background(), st.markets[0].db, query)
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

// buy lets a buyer pay at one of the instances, and returns the id of the order.
func (st *stand) buy(shop *shoptest.Customer, ref string) string {
	st.t.Helper()
	led, err := shop.Submit("/orders", url.Values{"seller": {ref}})
	require.NoError(st.t, err)
	id := strings.TrimPrefix(led, "/orders/")
	_ = st.comeBack(shop, id)
	return id
}

// comeBack authenticates the payment of an order, and comes back from the window.
func (st *stand) comeBack(shop *shoptest.Customer, id string) error {
	redirect := st.toss.Authenticate(tosstest.Checkout{OrderID: id, OrderName: "장터 물건", Amount: price})
	response, err := shop.Client.Get(shop.Shop + "/success?" + redirect.Values().Encode())
	if err != nil {
		return err
	}
	return response.Body.Close()
}

// refund asks for money back: "" is all that is left.
func (st *stand) refund(shop *shoptest.Customer, id, left, amount string) error {
	_, err := shop.Submit("/orders/"+id+"/refund", url.Values{"left": {left}, "amount": {amount}})
	return err
}

func (st *stand) number(query string) int64 {
	st.t.Helper()
	var n int64
	require.NoError(st.t, st.markets[0].db.QueryRow(query).Scan(&n))
	return n
}

// assertConserved compares sales, fees, refunds, commission, ledgers, payouts and the balance of
// Toss Payments, to the won, where nothing is under way.
func (st *stand) assertConserved() {
	st.t.Helper()
	var sold, refunded, fees int64
	for _, e := range st.toss.Ledger() {
		won, _ := e.Amount.Int64()
		fee := won * 28 / 1000 // and its VAT
		if e.Kind == tosstest.Canceled {
			refunded, fees = refunded+won, fees-fee-fee/10
			continue
		}
		sold, fees = sold+won, fees+fee+fee/10
	}
	assert.Equal(st.t, sold, st.number(`SELECT COALESCE(SUM(amount), 0) FROM orders WHERE state = 'paid'`), "every sale is an order, and the reverse")
	assert.Equal(st.t, refunded, st.number(`SELECT COALESCE(SUM(refunded), 0) FROM orders`), "every refund is one of an order, and the reverse")
	for ref := range strings.FieldsSeq(st.query(`SELECT ref FROM sellers`)) {
		st.assertLedger(ref)
	}
	paidOut := int64(0)
	for id := range strings.FieldsSeq(st.query(`SELECT DISTINCT destination FROM payouts`)) {
		won, _ := st.toss.PaidOut(id).Int64()
		assert.Equal(st.t, won, st.number(`SELECT COALESCE(SUM(amount), 0) FROM payouts WHERE state = 'completed' AND destination = '`+id+`'`), "what the bank has paid")
		paidOut += won
	}
	for ref := range strings.FieldsSeq(st.query(`SELECT ref FROM payouts`)) {
		assert.LessOrEqual(st.t, st.toss.Payouts(ref), 1, "%s was requested twice", ref)
	}
	balance, err := st.markets[0].payouts.GetBalance(context.Background())
	require.NoError(st.t, err)
	left, _ := balance.AvailableAmount.Value.Int64()
	pending, _ := balance.PendingAmount.Value.Int64()
	assert.Equal(st.t, sold-refunded-fees+st.added, left+pending+paidOut, "sales less refunds and fees are at Toss Payments or paid out")
}

// assertLedger compares what a seller is owed with the seller's share of what is left of each
// sale, less what was paid.
func (st *stand) assertLedger(ref string) {
	st.t.Helper()
	owed := -st.number(`SELECT COALESCE(SUM(amount), 0) FROM payouts WHERE state = 'completed' AND seller = '` + ref + `'`)
	for id := range strings.FieldsSeq(st.query(`SELECT id FROM orders WHERE state = 'paid' AND seller = '` + ref + `'`)) {
		left, _ := price.Int64()
		for _, amount := range st.toss.Refunds(id) {
			won, _ := amount.Int64()
			left -= won
		}
		owed += share(left)
	}
	assert.Equal(st.t, owed, st.number(`SELECT COALESCE(SUM(amount), 0) FROM entries WHERE seller = '`+ref+`'`), "what is owed to %s", ref)
}

// underWay is what has not ended. A registration that was cut off before its request stays
// open for a while.
const underWay = `SELECT id FROM orders WHERE state = 'confirming' UNION ALL SELECT id FROM refunds WHERE state = 'open'
	UNION ALL SELECT id FROM batches WHERE state = 'open' UNION ALL SELECT ref FROM payouts WHERE state IN ('new', 'requested')`

// sold is a marketplace where one sale is to be paid out, and its seller has still to prove
// who they are.
func sold(t *testing.T) (st *stand, id string) {
	t.Helper()
	st = newStand(t, 1)
	st.listen()
	ref, id := st.seller("김판매")
	st.buy(st.shops[0], ref)
	require.Equal(t, "paid", st.query(`SELECT state FROM orders`))
	st.toss.Advance(5 * 24 * time.Hour)
	return st, id
}

// requested is a marketplace whose payout was requested, for the sale of a seller.
func requested(t *testing.T) (st *stand, id string) {
	t.Helper()
	st, id = sold(t)
	_, err := st.shops[0].Submit("/sellers/"+id+"/check", nil)
	require.NoError(t, err)
	for range 2 {
		st.markets[0].round(t.Context())
	}
	return st, id
}

func TestNoPayoutBeforeTheIdentityCheck(t *testing.T) {
	st, _ := sold(t)
	assert.Contains(t, st.shops[0].Page("/"), "본인인증이 필요해요")
	st.markets[0].round(t.Context())
	assert.Empty(t, st.query(`SELECT ref FROM payouts`))
}

func TestSaleIsPaidOut(t *testing.T) {
	st, id := requested(t)
	assert.Equal(t, "requested", st.query(`SELECT state FROM payouts`))
	assert.Equal(t, "requested", st.query(`SELECT state FROM batches`))
	assert.Equal(t, 1, st.toss.CompletePayouts())
	st.toss.WaitWebhooks()
	assert.Equal(t, tosspayments.Won(27_000), st.toss.PaidOut(id))
	assert.Contains(t, st.shops[0].Page("/"), `<dd class="paid">27,000원</dd>`)
	st.assertConserved()
}

// TestPayoutThatFails is made again with the next batch.
func TestPayoutThatFails(t *testing.T) {
	st, id := requested(t)
	st.toss.FailPayout(st.query(`SELECT toss_id FROM payouts`), tosspayments.ErrInvalidAccountNumber)
	st.toss.WaitWebhooks()
	assert.Equal(t, "unpaid", st.query(`SELECT state FROM payouts`))
	st.assertConserved()
	for range 2 {
		st.markets[0].round(t.Context())
	}
	assert.Equal(t, 1, st.toss.CompletePayouts())
	st.toss.WaitWebhooks()
	assert.Equal(t, tosspayments.Won(27_000), st.toss.PaidOut(id))
	st.assertConserved()
}

// selling is a marketplace with a balance, and a seller who can be paid.
func selling(t *testing.T) (st *stand, ref, id string) {
	t.Helper()
	st = newStand(t, 1)
	st.toss.AddBalance(tosspayments.Won(100_000))
	st.added = 100_000
	ref, id = st.seller("김판매")
	st.toss.CompleteIdentityCheck(id)
	require.NoError(t, st.markets[0].readSellers(t.Context()))
	return st, ref, id
}

// owed is what a seller is owed, or owes.
func (st *stand) owed(ref string) int64 {
	return st.number(`SELECT SUM(amount) FROM entries WHERE seller = '` + ref + `'`)
}

func (st *stand) payOut() {
	st.t.Helper()
	st.markets[0].round(st.t.Context())
	st.toss.CompletePayouts()
	require.NoError(st.t, st.markets[0].checkPayouts(st.t.Context()))
}

// TestRefundBeforeThePayout takes the seller's share back.
func TestRefundBeforeThePayout(t *testing.T) {
	st, ref, _ := selling(t)
	shop := st.shops[0]
	order := st.buy(shop, ref)
	require.NoError(t, st.refund(shop, order, "30000", "9,999"))
	assert.Contains(t, shop.Page("/orders/"+order), "일부 환불됐어요")
	assert.Equal(t, share(20_001), st.owed(ref), "the commission is that of what is left")
	st.assertConserved()
	require.NoError(t, st.refund(shop, order, "20001", ""))
	assert.Contains(t, shop.Page("/orders/"+order), "전액 환불됐어요")
	assert.Zero(t, st.owed(ref))
	st.assertConserved()
}

// TestRefundAfterThePayout: what the seller was paid already is owed, and taken out of the
// next sale.
func TestRefundAfterThePayout(t *testing.T) {
	st, ref, id := selling(t)
	shop := st.shops[0]
	order := st.buy(shop, ref)
	st.payOut()
	require.NoError(t, st.refund(shop, order, "30000", "10000"))
	require.NoError(t, st.refund(shop, order, "20000", ""))
	assert.Equal(t, int64(-27_000), st.owed(ref), "the ledger carries the debt")
	assert.Contains(t, shop.Page("/"), `<dd class="debt">27,000원</dd>`)
	st.assertConserved()
	for _, paid := range []int64{27_000, 27_000, 54_000} { // nothing for the debt, nor for the sale that makes up for it
		st.payOut()
		assert.Equal(t, tosspayments.Won(paid), st.toss.PaidOut(id))
		st.buy(shop, ref)
	}
	st.assertConserved()
}

// What is refused goes back into the ledger, and a form that is sent twice is one refund.
func TestRefusedRefunds(t *testing.T) {
	t.Parallel() // it mostly waits
	st := newStand(t, 1)
	shop := st.shops[0]
	ref, _ := st.seller("김판매")
	id := st.buy(shop, ref)
	st.toss.Inject(tosstest.Fault{Operation: tosstest.CancelPayment, Kind: tosstest.Refuse, Code: tosspayments.ErrNotCancelablePayment})
	require.NoError(t, st.refund(shop, id, "30000", ""))
	assert.Equal(t, "refused NOT_CANCELABLE_PAYMENT", st.query(`SELECT state || ' ' || code FROM refunds`))
	assert.Contains(t, shop.Page("/orders/"+id), "환불이 거절됐어요.")
	st.assertConserved()

	for _, amount := range []string{"0", "-1", "30001", "1.5", "x"} {
		response, err := shop.Client.PostForm(shop.Shop+"/orders/"+id+"/refund", url.Values{"left": {"30000"}, "amount": {amount}})
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		assert.Equal(t, http.StatusBadRequest, response.StatusCode, amount)
	}
	require.NoError(t, st.refund(shop, id, "30000", "10000"))
	require.NoError(t, st.refund(shop, id, "30000", "10000"))
	assert.Equal(t, []tosspayments.Amount{tosspayments.Won(10_000)}, st.toss.Refunds(id))
	assert.Contains(t, shop.Page("/orders/"+id), "일부 환불됐어요")
	st.assertConserved()
}

// Of many who want the same money back at once, at two instances, one gets it.
func TestRefundsAtOnce(t *testing.T) {
	st := newStand(t, 2)
	ref, _ := st.seller("김판매")
	for range 5 {
		id := st.buy(st.shops[0], ref)
		var group sync.WaitGroup
		for i := range 8 {
			group.Go(func() { assert.NoError(t, st.refund(st.shops[i%2], id, "30000", "")) })
		}
		group.Wait()
	}
	require.NoError(t, st.markets[0].runRefunds(t.Context()))
	assert.Equal(t, int64(5), st.number(`SELECT COUNT(*) FROM refunds WHERE state = 'done'`))
	st.assertConserved()
}

// planned is a refund of all that is left of an order.
func (st *stand) planned(o *order) *refund {
	st.t.Helper()
	id, err := st.markets[0].planRefund(st.t.Context(), o, o.Left())
	require.NoError(st.t, err)
	return &refund{ID: id, OrderID: o.ID, PaymentKey: o.PaymentKey, Amount: o.Left(), Refundable: o.Left()}
}

// TestRefundsLockTheOrderFirst: otherwise one that is planned would read what was left before
// another one, or each of the two would have what the other one waits for.
func TestRefundsLockTheOrderFirst(t *testing.T) {
	shoptest.NeedPostgres(t) // SQLite has one writer at a time
	st := newStand(t, 1)
	m := st.markets[0]
	ref, _ := st.seller("김판매")
	o, err := m.order(t.Context(), st.buy(st.shops[0], ref))
	require.NoError(t, err)
	locked := func(do func() error, then string) {
		ended := make(chan error)
		require.NoError(t, shop.InTransaction(t.Context(), m.db, func(tx *sql.Tx) error {
			if err := shop.LockOrder(t.Context(), tx, o.ID); err != nil {
				return err
			}
			go func() { ended <- do() }()
			shoptest.SomebodyWaits(t, m.db)
			_, err := tx.Exec(then, o.ID)
			return err
		}))
		assert.NoError(t, <-ended)
	}
	first := st.planned(o)
	locked(func() error { return m.recordRefund(t.Context(), first, nil) }, `UPDATE refunds SET code = code WHERE order_id = $1`)
	assert.Equal(t, "done", st.query(`SELECT state FROM refunds`))
	_, err = m.db.Exec(`UPDATE orders SET refunded = 0`)
	require.NoError(t, err)
	locked(func() error {
		id, err := m.planRefund(t.Context(), o, o.Left())
		assert.Empty(t, id, "it is refunded by now")
		return err
	}, `UPDATE orders SET refunded = amount WHERE id = $1`)
}

// A registration without an answer is found by its reference; one that never arrived is
// forgotten.
func TestInterruptedRegistrations(t *testing.T) {
	st := newStand(t, 1, tosspayments.WithMaxRetries(0))
	m := st.markets[0]
	form := url.Values{"name": {"김판매"}, "email": {"a@b.c"}, "phone": {"01012345678"}, "bank": {"092"}, "account": {"100012345678"}}
	st.toss.Inject(tosstest.Fault{Operation: tosstest.RegisterSeller, Kind: tosstest.Drop, AfterEffect: true})
	_, err := st.shops[0].Submit("/sellers", form)
	require.NoError(t, err)
	assert.Contains(t, st.shops[0].Page("/"), "등록을 확인하고 있어요")
	require.NoError(t, m.findSellers(t.Context()))
	assert.Equal(t, "APPROVAL_REQUIRED", st.query(`SELECT status FROM sellers`))

	// net/http sends a request once more of which a reused connection is dropped.
	st.toss.Inject(tosstest.Fault{Operation: tosstest.RegisterSeller, Kind: tosstest.Drop, Times: 2})
	_, err = st.shops[0].Submit("/sellers", form)
	require.NoError(t, err)
	require.NoError(t, m.findSellers(t.Context()))
	st.toss.ClearFaults()
	assert.Equal(t, int64(2), st.number(`SELECT COUNT(*) FROM sellers`))
	m.now = func() time.Time { return time.Now().Add(longestRegistration + time.Minute) }
	require.NoError(t, m.findSellers(t.Context()))
	assert.Equal(t, int64(1), st.number(`SELECT COUNT(*) FROM sellers`))
}

// A batch whose key the server may have forgotten is looked for, and not requested again.
func TestAnOldBatch(t *testing.T) {
	for _, paid := range []bool{false, true} {
		st := newStand(t, 1, tosspayments.WithMaxRetries(0))
		m := st.markets[0]
		st.toss.AddBalance(tosspayments.Won(100_000))
		st.added = 100_000
		ref, id := st.seller("김판매")
		st.toss.CompleteIdentityCheck(id)
		require.NoError(t, m.readSellers(t.Context()))
		st.buy(st.shops[0], ref)
		require.NoError(t, m.makeBatch(t.Context()))
		if paid {
			st.toss.Inject(tosstest.Fault{Operation: tosstest.RequestPayouts, Kind: tosstest.Drop, AfterEffect: true})
			st.toss.Inject(tosstest.Fault{Operation: tosstest.ListPayouts, Kind: tosstest.BadGateway, Times: 10})
			require.NoError(t, m.runBatches(t.Context()))
			st.toss.ClearFaults()
		}
		m.now = func() time.Time { return time.Now().Add(keysLast) }
		require.NoError(t, m.runBatches(t.Context()))
		assert.Equal(t, map[bool]string{false: "review", true: "requested"}[paid], st.query(`SELECT state FROM batches`))
	}
}

// A refused batch gives everything back, and the others are paid with the next one.
func TestARefusedBatch(t *testing.T) {
	t.Parallel() // it mostly waits
	st := newStand(t, 1)
	m := st.markets[0]
	ready, readyID := st.seller("준비된")
	late, lateID := st.seller("보류된")
	st.toss.CompleteIdentityCheck(readyID)
	st.toss.CompleteIdentityCheck(lateID)
	st.buy(st.shops[0], ready)
	st.buy(st.shops[0], late)
	st.toss.Advance(5 * 24 * time.Hour)
	require.NoError(t, m.readSellers(t.Context()))
	require.NoError(t, m.makeBatch(t.Context()))
	st.toss.RequireKYC(lateID) // after the batch was made
	require.NoError(t, m.runBatches(t.Context()))
	assert.Equal(t, "refused FORBIDDEN_SELLER_PAYOUT", st.query(`SELECT state || ' ' || code FROM batches`))
	st.assertConserved()
	require.NoError(t, m.readSellers(t.Context()))
	require.NoError(t, m.makeBatch(t.Context()))
	require.NoError(t, m.runBatches(t.Context()))
	assert.Equal(t, 1, st.toss.CompletePayouts())
	require.NoError(t, m.checkPayouts(t.Context()))
	assert.Equal(t, tosspayments.Won(27_000), st.toss.PaidOut(readyID))
	assert.Zero(t, st.toss.PaidOut(lateID))
	st.assertConserved()
}

// failOne lets the bank refuse one of the payouts that are under way.
func (st *stand) failOne() bool {
	for id := range strings.FieldsSeq(st.query(`SELECT toss_id FROM payouts WHERE state = 'requested'`)) {
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
	t.Parallel()
	st := newStand(t, 2, tosspayments.WithTimeout(2*time.Second), tosspayments.WithMaxRetries(1))
	var refs []string
	for i := range 4 {
		ref, id := st.seller(fmt.Sprint("셀러", i))
		st.toss.CompleteIdentityCheck(id)
		refs = append(refs, ref)
	}
	st.listen()
	st.toss.InjectWebhook(tosstest.WebhookFault{Kind: tosstest.LoseWebhook, Times: 5})
	for _, operation := range []tosstest.Operation{tosstest.RequestPayouts, tosstest.ConfirmPayment, tosstest.ListPayouts, tosstest.CancelPayment} {
		for _, kind := range []tosstest.FaultKind{tosstest.Drop, tosstest.BadGateway} {
			st.toss.Inject(tosstest.Fault{Operation: operation, Kind: kind, AfterEffect: true, Times: 2})
			st.toss.Inject(tosstest.Fault{Operation: operation, Kind: tosstest.Drop, Times: 2})
		}
	}
	failures := 0
	for n := 0; n < 8 || failures < 2; n++ {
		require.Less(t, n, 100, "payouts that can fail")
		var group sync.WaitGroup
		for i, m := range st.markets {
			group.Go(func() {
				id := st.buy(st.shops[i], refs[rand.N(len(refs))])
				if rand.N(2) == 0 {
					st.refundSome(i, id)
				}
			})
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
		return st.query(underWay) == ""
	}, 2*time.Minute, 10*time.Millisecond)
	st.toss.WaitWebhooks()
	assert.Empty(t, st.query(`SELECT id FROM batches WHERE state = 'review'`))
	assert.NotEmpty(t, st.query(`SELECT ref FROM payouts WHERE state = 'unpaid'`), "some have failed")
	assert.NotZero(t, st.number(`SELECT SUM(refunded) FROM orders`))
	st.assertConserved()
	t.Logf("%d sales and refunds", len(st.toss.Ledger()))
}

// refundSome asks for a part back, and for all that is left of another order.
func (st *stand) refundSome(instance int, id string) {
	s := st.shops[instance]
	_ = st.refund(s, id, "30000", strconv.Itoa(1+rand.N(30_000)))
	orders, err := shop.List(context.Background(), st.markets[instance].db, func(rows *sql.Rows) (row [2]string, err error) {
		return row, rows.Scan(&row[0], &row[1])
	}, `SELECT id, CAST(amount - refunded AS TEXT) FROM orders WHERE state = 'paid' AND amount > refunded`)
	if assert.NoError(st.t, err) && len(orders) > 0 {
		o := orders[rand.N(len(orders))]
		_ = st.refund(s, o[0], o[1], "")
	}
}

func TestRunAndShutDown(t *testing.T) {
	var out shoptest.Buffer
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		done <- run(ctx, config{address: "127.0.0.1:0", interval: time.Minute}, &out, slog.New(slog.DiscardHandler))
	}()
	require.Eventually(t, func() bool { return strings.Contains(out.String(), "http://") }, 30*time.Second, 10*time.Millisecond)
	assert.Contains(t, shoptest.NewCustomer(t, out.Line()).Page("/"), "나눔 장터")
	cancel()
	require.NoError(t, <-done)
	for _, said := range []string{"SANDBOX", "marketplace.db", "-db keeps them", "try: "} {
		assert.Contains(t, out.String(), said)
	}
}

// TestPaymentsThatNobodyKnows are looked up ever more rarely.
func TestPaymentsThatNobodyKnows(t *testing.T) {
	st := newStand(t, 1)
	m := st.markets[0]
	ref, _ := st.seller("김판매")
	led, err := st.shops[0].Submit("/orders", url.Values{"seller": {ref}})
	require.NoError(t, err)
	o, err := m.order(t.Context(), strings.TrimPrefix(led, "/orders/"))
	require.NoError(t, err)
	for age, wait := range map[time.Duration]time.Duration{0: time.Minute, time.Hour: time.Minute, 24 * time.Hour: 11 * time.Hour} {
		m.again = time.Minute
		_, err := m.db.Exec(`UPDATE orders SET state = 'confirming'`)
		require.NoError(t, err)
		o.MadeAt = time.Now().Add(-age)
		require.NoError(t, m.record(t.Context(), o, nil, nil))
		assert.InDelta(t, time.Now().Add(wait).Unix(), st.number(`SELECT look_at FROM orders`), 5, age)
	}
}

// TestMadeUpPayments are looked up five in a round, and then left alone: a round comes to its
// end, and the next one to others.
func TestMadeUpPayments(t *testing.T) {
	st := newStand(t, 1)
	m := st.markets[0]
	m.again = time.Minute
	for i := range 8 {
		_, err := m.db.Exec(`INSERT INTO orders (id, seller, amount, state, payment_key, made_at, look_at) VALUES ($1, '', 30000, 'confirming', $1, $2, $3)`,
			fmt.Sprint("made-up-", i), m.now().Unix(), 100-i)
		require.NoError(t, err)
	}
	for _, left := range []string{"made-up-2 made-up-1 made-up-0", "", ""} {
		require.NoError(t, m.settleOrders(t.Context()))
		assert.Equal(t, left, st.query(`SELECT id FROM orders WHERE look_at <= 100 ORDER BY look_at`))
	}
	assert.Equal(t, 8, st.toss.Calls(tosstest.GetPayment), "once each")
}

// TestTooManyPosts: each writes a row or calls Toss Payments. Events do not count.
func TestTooManyPosts(t *testing.T) {
	st := newStand(t, 1)
	ref, _ := st.seller("김판매")
	st.markets[0].limits.Count = 3 // the seller was the first
	for _, want := range []int{http.StatusOK, http.StatusOK, http.StatusTooManyRequests} {
		response, err := st.shops[0].Client.PostForm(st.shops[0].Shop+"/orders", url.Values{"seller": {ref}})
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		assert.Equal(t, want, response.StatusCode)
	}
	for _, path := range []string{"/sellers", "/sellers/x/check", "/orders/x/refund"} {
		response, err := http.PostForm(st.shops[0].Shop+path, nil)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		assert.Equal(t, http.StatusTooManyRequests, response.StatusCode, path)
	}
	assert.Equal(t, int64(2), st.number(`SELECT COUNT(*) FROM orders`))
}

func TestOrdersThatAreNotThere(t *testing.T) {
	st := newStand(t, 1)
	assert.Contains(t, st.shops[0].Page("/orders/none"), "주문을 찾을 수 없어요.")
	assert.Contains(t, st.shops[0].Page("/success?orderId=none"), "결제되지 않았어요")
}

// TestTamperedLinkOfAPaidOrder leads to the order, and says nothing of its own.
func TestTamperedLinkOfAPaidOrder(t *testing.T) {
	st := newStand(t, 1)
	ref, _ := st.seller("김판매")
	id := st.buy(st.shops[0], ref)
	assert.Contains(t, st.shops[0].Page("/success?paymentKey=x&amount=100&orderId="+id), "결제됐어요")
}

// TestWaitingPages ask whether something has changed; see watch in shop.js.
func TestWaitingPages(t *testing.T) {
	st := newStand(t, 1)
	ref, _ := st.seller("김판매")
	id := st.buy(st.shops[0], ref)
	_, err := st.markets[0].db.Exec(`UPDATE orders SET state = 'confirming'`)
	require.NoError(t, err)
	before := st.shops[0].Page("/orders/" + id + "/state")
	var answer struct{ Message string }
	require.NoError(t, json.Unmarshal([]byte(before), &answer))
	assert.Contains(t, st.shops[0].Page("/orders/"+id), `watch("/orders/`+id+`/state", "`+answer.Message+`")`)
	_, err = st.markets[0].db.Exec(`UPDATE orders SET state = 'paid'`)
	require.NoError(t, err)
	assert.NotEqual(t, before, st.shops[0].Page("/orders/"+id+"/state"))
}

func TestUnpaidOrder(t *testing.T) {
	st := newStand(t, 1)
	ref, _ := st.seller("김판매")
	led, err := st.shops[0].Submit("/orders", url.Values{"seller": {ref}})
	require.NoError(t, err)
	page := st.shops[0].Page(led)
	assert.Contains(t, page, "아직 결제하지 않았어요")
	assert.Contains(t, page, `<button id="pay" disabled>`, "until its script has run")
	assert.Regexp(t, "<noscript>.*자바스크립트를 켜", page)
	fail := "/fail?message=x&order=" + strings.TrimPrefix(led, "/orders/") + "&code="
	assert.Contains(t, st.shops[0].Page(fail+"REJECT_CARD_COMPANY"), "결제하지 못했어요")
	canceled := st.shops[0].Page(fail + "PAY_PROCESS_CANCELED")
	assert.Contains(t, canceled, "결제를 그만두셨어요", "it is no failure")
	assert.Contains(t, canceled, `href="`+led+`"`, "the order can still be paid")
}

func TestEventWithoutASignature(t *testing.T) {
	st := newStand(t, 1)
	response, err := http.Post(st.shops[0].Shop+webhookPath, "application/json", strings.NewReader(`{"eventType":"payout.changed","entityBody":{"id":"x"}}`))
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusUnauthorized, response.StatusCode)
}

func TestSellerWhoIsRefused(t *testing.T) {
	st := newStand(t, 1)
	response, err := http.PostForm(st.shops[0].Shop+"/sellers", url.Values{"name": {"김"}, "account": {"12-34"}})
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusBadRequest, response.StatusCode)
	assert.Empty(t, st.query(`SELECT name FROM sellers`), "is not kept")
}
