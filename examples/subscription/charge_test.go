package main

import (
	"database/sql"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/examples/internal/shop"
	"github.com/seed238ab19c/tosspayments/examples/internal/shoptest"
	"github.com/seed238ab19c/tosspayments/tosstest"
	"github.com/seed238ab19c/tosspayments/webhook"
)

// noHelp leaves what the library, and net/http for a connection that was used before,
// would settle by themselves to the shop.
var noHelp = []tosspayments.Option{
	tosspayments.WithMaxRetries(0), tosspayments.WithLookupGrace(0),
	tosspayments.WithHTTPClient(&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}),
}

func TestManyBillersChargeOnce(t *testing.T) {
	t.Parallel()
	st := newStand(t)
	customers := []*customer{st.customer(), st.customer(), st.customer()}
	for _, c := range customers {
		require.Equal(t, http.StatusOK, c.issue(st.toss.Register(tosstest.Registration{CustomerKey: c.key()})))
	}
	stores := []*store{st.store, st.open()}
	for _, day := range []string{"2027-01-31 10:00", "2027-02-28 10:00", "2027-03-31 10:00"} {
		st.set(day)
		var billers sync.WaitGroup
		for i := range 20 {
			billers.Go(func() { stores[i%2].round(t.Context()) })
		}
		billers.Wait()
	}
	assert.Len(t, st.moved(), 9)
	assert.Equal(t, 9, st.toss.Calls(tosstest.ChargeBilling), "nobody asked twice")
	assert.Equal(t, 9, strings.Count(st.charges(), "paid"))
}

// TestOneChargePerPeriodInTheDatabase: what the tables themselves refuse.
func TestOneChargePerPeriodInTheDatabase(t *testing.T) {
	st := newStand(t)
	st.customer().register("")
	_, err := st.store.subs.db.Exec(`INSERT INTO charges SELECT 'another', subscription_id, period, 2, amount, 'due', due, first_due, '', 0, 0, '', '', '' FROM charges`)
	require.Error(t, err)
	_, err = st.store.subs.db.Exec(`INSERT INTO charges SELECT 'another', subscription_id, period, 1, amount, 'refused', due, first_due, '', 0, 0, '', '', '' FROM charges`)
	require.Error(t, err)
}

// withRefusedCard is a customer whose card is refused from the second month on.
func withRefusedCard(t *testing.T) (*stand, *customer) {
	t.Helper()
	t.Parallel()
	st := newStand(t)
	c := st.customer()
	c.register("")
	st.toss.SetRefusal(st.billingKey(), tosspayments.ErrRejectCardPayment)
	st.on("2027-02-28 10:00")
	return st, c
}

// asked are the order ids of the charges that Toss Payments was asked for.
func (st *stand) asked() map[string]bool {
	st.t.Helper()
	orders := map[string]bool{}
	for _, request := range st.toss.Requests() {
		if request.Operation == tosstest.ChargeBilling {
			var body struct{ OrderID string }
			require.NoError(st.t, json.Unmarshal(request.Body, &body))
			orders[body.OrderID] = true
		}
	}
	return orders
}

func TestRefusalsFollowTheCalendar(t *testing.T) {
	st, _ := withRefusedCard(t)
	for _, row := range []struct {
		day   string
		calls int
		state string
	}{
		{"2027-02-28 23:59", 2, "active"}, {"2027-03-01 09:59", 2, "active"}, {"2027-03-01 10:00", 3, "active"}, {"2027-03-02 10:00", 3, "active"},
		{"2027-03-03 10:00", 4, "active"}, {"2027-03-04 10:00", 4, "active"}, {"2027-03-05 10:00", 5, "past_due"}, {"2027-04-30 10:00", 5, "past_due"},
	} {
		st.on(row.day)
		assert.Equal(t, row.calls, st.toss.Calls(tosstest.ChargeBilling), row.day)
		assert.Equal(t, row.state, st.state(), row.day)
	}
	assert.Equal(t, []string{"2027-01-1"}, st.moved())
	assert.Len(t, st.asked(), 5, "each attempt is an order of its own")
}

func TestRefusalIsExplained(t *testing.T) {
	st, c := withRefusedCard(t)
	assert.Equal(t, "2027-01 1 paid\n2027-02 1 refused REJECT_CARD_PAYMENT\n2027-02 2 due ", st.charges())
	page := c.Page("/")
	assert.Contains(t, page, "한도를 넘었거나 잔액이 부족해요")
	assert.Contains(t, page, "3월 1일에 다시 결제해요")
}

// TestAnotherCardAfterTheCalendar: the period of today is charged, once; the ones before
// are not.
func TestAnotherCardAfterTheCalendar(t *testing.T) {
	st, c := withRefusedCard(t)
	for _, day := range []string{"2027-03-01 10:00", "2027-03-03 10:00", "2027-03-05 10:00"} {
		st.on(day)
	}
	assert.Contains(t, c.Page("/"), "다른 카드가 필요해요")
	st.on("2027-04-30 10:00")
	c.register("")
	st.round()
	assert.Equal(t, []string{"2027-01-1", "2027-04-1"}, st.moved())
	assert.Equal(t, "active", st.state())
	st.on("2027-05-31 10:00")
	assert.Equal(t, []string{"2027-01-1", "2027-04-1", "2027-05-1"}, st.moved())
}

func TestCalendarSucceedsOnALaterDay(t *testing.T) {
	t.Parallel()
	st := newStand(t)
	st.customer().register("")
	key := st.billingKey()
	st.toss.SetRefusal(key, tosspayments.ErrRejectCardCompany)
	st.on("2027-02-28 10:00")
	st.toss.SetRefusal(key, "")
	st.on("2027-03-01 10:00")
	st.on("2027-03-31 10:00")
	assert.Equal(t, []string{"2027-01-1", "2027-02-2", "2027-03-1"}, st.moved())
}

// TestAnotherCardIsAskedAtOnce: the waiting attempt is made with the new card, and the
// old key is deleted.
func TestAnotherCardIsAskedAtOnce(t *testing.T) {
	t.Parallel()
	st := newStand(t)
	c := st.customer()
	c.register("")
	old := st.billingKey()
	st.toss.SetRefusal(old, tosspayments.ErrInvalidCardExpiration)
	st.on("2027-02-28 10:00")
	c.register("")
	assert.Equal(t, []string{"2027-01-1", "2027-02-2"}, st.moved())
	assert.Equal(t, "active\ndeleted", st.cards())
	assert.Equal(t, 1, st.toss.Calls(tosstest.DeleteBillingKey))
	st.on("2027-03-01 10:00")
	st.on("2027-03-03 10:00")
	assert.Len(t, st.moved(), 2)

	// A card that is changed without need charges nothing.
	c.register("")
	assert.Len(t, st.moved(), 2)
	assert.Equal(t, "active\ndeleted\ndeleted", st.cards())
}

// TestCardThatIsChangedWhileItIsCharged: the charge ends before the old key goes, and
// the new card is asked at once.
func TestCardThatIsChangedWhileItIsCharged(t *testing.T) {
	t.Parallel()
	st := newStand(t)
	c := st.customer()
	c.register("")
	st.toss.SetRefusal(st.billingKey(), tosspayments.ErrInvalidStoppedCard)
	st.set("2027-02-28 10:00")
	require.NoError(t, st.store.subs.planDue(t.Context(), st.time()))
	due, err := st.store.subs.due(t.Context(), st.time())
	require.NoError(t, err)
	require.Len(t, due, 1)
	claimed, err := st.store.subs.claim(t.Context(), due[0], st.time(), st.time(), st.store.lease)
	require.NoError(t, err)

	c.register("")
	assert.Zero(t, st.toss.Calls(tosstest.DeleteBillingKey), "it is being charged")
	payment, err := st.store.ask(t.Context(), claimed)
	require.NoError(t, st.store.record(t.Context(), &claimed.charge, payment, err))
	st.round()
	assert.Equal(t, []string{"2027-01-1", "2027-02-2"}, st.moved())
	assert.Equal(t, "active\ndeleted", st.cards())
}

// TestEventOfADeletedKey marks the card, and nothing else.
func TestEventOfADeletedKey(t *testing.T) {
	st := newStand(t)
	c := st.customer()
	c.register("")
	st.toss.RegisterWebhook(st.url+webhookPath, webhook.BillingDeleted)
	st.toss.RevokeBillingKey(st.billingKey())
	st.toss.WaitWebhooks()
	assert.Contains(t, c.Page("/"), "해지됐다는 알림")
	assert.Equal(t, "active", st.state())
}

// TestDeletedKeyAsksForAnotherCard when it is charged, whether an event has told of it or not.
func TestDeletedKeyAsksForAnotherCard(t *testing.T) {
	t.Parallel()
	for name, told := range map[string]bool{"told by an event": true, "found by a charge": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st := newStand(t)
			c := st.customer()
			c.register("")
			if told {
				st.toss.RegisterWebhook(st.url+webhookPath, webhook.BillingDeleted)
			}
			st.toss.RevokeBillingKey(st.billingKey())
			st.toss.WaitWebhooks()
			for _, day := range []string{"2027-02-28 10:00", "2027-03-01 10:00", "2027-03-03 10:00"} {
				st.on(day)
			}
			assert.Equal(t, "2027-01 1 paid\n2027-02 1 refused ALREADY_REMOVED_BILLING_KEY", st.charges(), "no calendar for a key that is gone")
			assert.Equal(t, "past_due", st.state())
			assert.Contains(t, c.Page("/"), "다른 카드를 등록하면")

			c.register("")
			st.round()
			assert.Equal(t, []string{"2027-01-1", "2027-02-2"}, st.moved())
			assert.Equal(t, "active\ndeleted", st.cards())
		})
	}
}

// TestForgedEventDoesNoHarm: whoever knows a billing key can mark the card, no more.
func TestForgedEventDoesNoHarm(t *testing.T) {
	st := newStand(t)
	c := st.customer()
	c.register("")
	st.toss.RegisterWebhook(st.url + webhookPath)
	st.toss.SendWebhook(webhook.BillingDeleted, map[string]any{"billingKey": "guessed", "reason": nil})
	st.toss.WaitWebhooks()
	assert.Equal(t, "active", st.cards())
	st.toss.SendWebhook(webhook.BillingDeleted, map[string]any{"billingKey": st.billingKey().Key.Reveal(), "reason": nil})
	st.toss.SendWebhook("A_EVENT_OF_TOMORROW", map[string]any{"x": 1})
	st.toss.WaitWebhooks()
	for _, delivery := range st.toss.Deliveries() {
		assert.Equal(t, http.StatusOK, delivery.Status)
	}
	assert.Equal(t, "doubted", st.cards())
	st.on("2027-02-28 10:00")
	assert.Equal(t, []string{"2027-01-1", "2027-02-1"}, st.moved(), "it is charged all the same")
	assert.Equal(t, "active", st.cards(), "and the mark is gone")
}

// TestLostAnswers: whatever happens to the answer, the period is charged once.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]tosstest.Fault{
		"lost before the effect":          {Kind: tosstest.Drop},
		"lost after the effect":           {Kind: tosstest.Drop, AfterEffect: true},
		"lost and not stored":             {Kind: tosstest.Reset, AfterEffect: true, Unstored: true},
		"a 500 with effect":               {Kind: tosstest.Refuse, Code: tosspayments.ErrFailedInternalSystemProcessing, AfterEffect: true},
		"a 500 without effect":            {Kind: tosstest.Refuse, Code: tosspayments.ErrFailedInternalSystemProcessing},
		"an unclear 400 without effect":   {Kind: tosstest.Refuse, Code: tosspayments.ErrProviderError},
		"a code of tomorrow, with effect": {Kind: tosstest.Refuse, Code: "A_CODE_OF_TOMORROW", Status: 400, AfterEffect: true},
		"a page of HTML":                  {Kind: tosstest.BadGateway},
		"too many requests":               {Kind: tosstest.RateLimit},
		"wait":                            {Kind: tosstest.Refuse, Code: tosspayments.ErrForbiddenConsecutiveRequest},
		"DUPLICATED_ORDER_ID":             {Kind: tosstest.Refuse, Code: tosspayments.ErrDuplicatedOrderID, AfterEffect: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st := newStand(t, noHelp...)
			c := st.customer()
			c.register("")
			fault.Operation = tosstest.ChargeBilling
			st.toss.Inject(fault, noReads)
			st.on("2027-02-28 10:00")
			assert.Contains(t, st.charges(), "2027-02 1 charging", "not known yet")
			assert.Contains(t, c.Page("/"), "결제를 확인하고 있어요")
			st.toss.ClearFaults()
			st.pass()
			assert.Equal(t, "2027-01 1 paid\n2027-02 1 paid ", st.charges())
			assert.Equal(t, []string{"2027-01-1", "2027-02-1"}, st.moved())
		})
	}
}

// TestNothingIsSent: Toss Payments cannot be reached.
func TestNothingIsSent(t *testing.T) {
	t.Parallel()
	st := newStand(t, noHelp...)
	st.planned()
	reachable := st.store.toss.Client
	client, err := tosspayments.New(tosstest.DefaultSecretKey, tosspayments.WithBaseURL("http://127.0.0.1:1"), tosspayments.WithMaxRetries(0))
	require.NoError(t, err)
	st.store.toss.Client = client
	st.passInVain()
	st.passInVain()
	assert.Equal(t, "2027-01 1 charging ", st.charges())
	st.store.toss.Client = reachable
	st.pass()
	assert.Equal(t, []string{"2027-01-1"}, st.moved())
}

// TestOrderIDThatWasUsed: what is found under our order id has to be our charge.
func TestOrderIDThatWasUsed(t *testing.T) {
	prepare := func(t *testing.T, amount int64) (*stand, string) {
		st := newStand(t)
		st.customer().register("")
		orderID := strings.Replace(st.rows(`SELECT order_id FROM charges`), "2027-01", "2027-02", 1)
		_, err := st.toss.Client().ChargeBilling(t.Context(), st.billingKey(), tosspayments.ChargeBillingRequest{
			OrderID: orderID, OrderName: planName + " 2027-02", Amount: tosspayments.Won(amount),
		})
		require.NoError(t, err)
		return st, orderID
	}
	t.Run("by this charge", func(t *testing.T) {
		st, _ := prepare(t, 24000)
		st.on("2027-02-28 10:00")
		assert.Equal(t, "2027-01 1 paid\n2027-02 1 paid ", st.charges())
		assert.Len(t, st.moved(), 2)
	})
	t.Run("by another", func(t *testing.T) {
		st, _ := prepare(t, 9000)
		st.on("2027-02-28 10:00")
		st.pass()
		assert.Equal(t, "2027-01 1 paid\n2027-02 1 review ", st.charges())
		assert.Len(t, st.moved(), 2)
		assert.Contains(t, st.log.String(), "level=ERROR")
	})
	t.Run("by this charge, given back since", func(t *testing.T) {
		st, orderID := prepare(t, 24000)
		payment, err := st.toss.Client().GetPaymentByOrderID(t.Context(), orderID)
		require.NoError(t, err)
		_, err = st.toss.Client().CancelPayment(t.Context(), payment.PaymentKey, tosspayments.CancelPaymentRequest{CancelReason: "in the dashboard"})
		require.NoError(t, err)
		st.on("2027-02-28 10:00")
		st.pass()
		assert.Equal(t, "2027-01 1 paid\n2027-02 1 refunded ", st.charges())
		assert.Equal(t, 1, st.toss.Charges(orderID))
	})
}

// TestOurMistakesAreNoRefusals: they are for a person, and no calendar runs.
func TestOurMistakesAreNoRefusals(t *testing.T) {
	t.Parallel()
	st, c, _ := mistaken(t)
	for _, day := range []string{"2027-03-01 10:00", "2027-03-03 10:00", "2027-03-05 10:00"} {
		st.on(day)
	}
	assert.Equal(t, "2027-01 1 paid\n2027-02 1 review NOT_MATCHES_CUSTOMER_KEY", st.charges())
	assert.Equal(t, "active", st.state())
	assert.Equal(t, 2, st.toss.Calls(tosstest.ChargeBilling))
	assert.Contains(t, st.log.String(), "level=ERROR")
	assert.Contains(t, c.Page("/"), "담당자가 확인하고 있어요")
}

// TestMistakeIsPutRight by a person. The attempt is decided; the next one is another order.
func TestMistakeIsPutRight(t *testing.T) {
	t.Parallel()
	st, _, key := mistaken(t)
	st.exec(`UPDATE customers SET customer_key = $1`, key.CustomerKey.Reveal())
	st.exec(`UPDATE cards SET sealed_key = $1`, st.store.vault.seal(key))
	st.resume()
	assert.Equal(t, "2027-01 1 paid\n2027-02 1 refused NOT_MATCHES_CUSTOMER_KEY\n2027-02 2 paid ", st.charges())
	assert.Equal(t, []string{"2027-01-1", "2027-02-2"}, st.moved())
}

// TestOtherMoneyIsNotResumed: the customer may have been charged under the order id, even where
// that payment was not kept.
func TestOtherMoneyIsNotResumed(t *testing.T) {
	st := newStand(t)
	require.NoError(t, st.store.record(t.Context(), st.claim(st.planned()), nil, &tosspayments.MismatchError{Field: "amount"}))
	st.resume()
	assert.Equal(t, "2027-01 1 review ", st.charges())
}

// TestResumeLocksTheSubscriptionFirst, as everybody does who changes its charges. Otherwise
// each of two would have what the other one waits for.
func TestResumeLocksTheSubscriptionFirst(t *testing.T) {
	shoptest.NeedPostgres(t) // SQLite has one writer at a time
	st, _, _ := mistaken(t)
	db, resumed := st.store.subs.db, make(chan error)
	require.NoError(t, shop.InTransaction(t.Context(), db, func(tx *sql.Tx) error {
		if _, err := lock(t.Context(), tx, st.rows(`SELECT id FROM subscriptions`)); err != nil {
			return err
		}
		go func() { resumed <- st.store.subs.resume(t.Context(), st.time()) }()
		shoptest.SomebodyWaits(t, db)
		_, err := tx.Exec(`UPDATE charges SET tries = tries WHERE state = 'review'`)
		return err
	}))
	assert.NoError(t, <-resumed)
}

// mistaken is a customer whose card is charged under the customer key of another.
func mistaken(t *testing.T) (*stand, *customer, tosspayments.BillingKey) {
	t.Helper()
	st := newStand(t)
	c := st.customer()
	c.register("")
	key := st.billingKey()
	st.exec(`UPDATE customers SET customer_key = 'of-another'`)
	// The vault would refuse the pair before Toss Payments does.
	st.exec(`UPDATE cards SET sealed_key = $1`, st.store.vault.seal(tosspayments.NewBillingKey(key.Key.Reveal(), "of-another")))
	st.on("2027-02-28 10:00")
	return st, c, key
}

// TestRowThatWasSwapped: the vault opens no key for another customer.
func TestRowThatWasSwapped(t *testing.T) {
	t.Parallel()
	st := newStand(t)
	st.customer().register("")
	key := st.rows(`SELECT customer_key FROM customers`)
	st.exec(`UPDATE customers SET customer_key = 'of-another'`)
	st.on("2027-02-28 10:00")
	st.pass()
	assert.Equal(t, "2027-01 1 paid\n2027-02 1 charging ", st.charges())
	assert.Equal(t, 1, st.toss.Calls(tosstest.ChargeBilling), "nothing was sent")
	assert.Contains(t, st.log.String(), "level=ERROR")
	st.exec(`UPDATE customers SET customer_key = $1`, key)
	st.pass()
	assert.Equal(t, []string{"2027-01-1", "2027-02-1"}, st.moved())
}

// stoppedScheduler is one that has met a refusal for which the shop is to blame.
func stoppedScheduler(t *testing.T) *stand {
	t.Helper()
	t.Parallel()
	st := newStand(t)
	st.customer().register("")
	st.customer().register("")
	st.toss.Inject(tosstest.Fault{Operation: tosstest.ChargeBilling, Kind: tosstest.Refuse, Code: tosspayments.ErrNotSupportedMethod, Times: 2})
	st.on("2027-02-28 10:00")
	return st
}

// TestWrongKeysStopTheScheduler: keys and contract are the same for every customer.
func TestWrongKeysStopTheScheduler(t *testing.T) {
	st := stoppedScheduler(t)
	calls := st.toss.Calls(tosstest.ChargeBilling)
	st.customer().register("")
	st.on("2027-03-01 10:00")
	st.on("2027-03-03 10:00")
	assert.Equal(t, calls, st.toss.Calls(tosstest.ChargeBilling), "nobody is charged, not even somebody new")
	assert.NotContains(t, st.charges(), "refused", "no calendar runs")
	assert.NotContains(t, st.rows(`SELECT state FROM subscriptions`), "past_due")
	assert.Contains(t, st.log.String(), "the scheduler is stopped")
	assert.Contains(t, st.log.String(), "NOT_SUPPORTED_METHOD")
}

// TestSchedulerGoesOn: the server repeats its answer under the idempotency key that has
// received it.
func TestSchedulerGoesOn(t *testing.T) {
	st := stoppedScheduler(t)
	st.customer().register("")
	st.on("2027-03-03 10:00")
	st.resume()
	assert.ElementsMatch(t, []string{"2027-01-1", "2027-01-1", "2027-02-1", "2027-02-1", "2027-02-1"}, st.moved())
	assert.Equal(t, 5, strings.Count(st.charges(), "paid"))
}

// TestStopHoldsWhatIsInTheQueue: charges that a biller was about to take.
func TestStopHoldsWhatIsInTheQueue(t *testing.T) {
	st := newStand(t)
	orderID := st.planned()
	c := st.claim(orderID)
	require.NoError(t, st.store.record(t.Context(), c, nil, &tosspayments.Error{Code: tosspayments.ErrUnauthorizedKey}))
	require.NoError(t, st.store.settle(t.Context(), orderID))
	st.set("2027-01-31 10:02")
	require.NoError(t, st.store.settle(t.Context(), orderID))
	st.exec(`UPDATE charges SET state = 'due'`)
	require.NoError(t, st.store.charge(t.Context(), orderID))
	assert.Zero(t, st.toss.Calls(tosstest.ChargeBilling))
	st.exec(`DELETE FROM settings WHERE name = 'stopped'`)
	require.NoError(t, st.store.charge(t.Context(), orderID))
	assert.Equal(t, 1, st.toss.Calls(tosstest.ChargeBilling))
}

func TestCancelForgetsTheKey(t *testing.T) {
	st := newStand(t)
	c := st.customer()
	c.register("")
	key := st.billingKey()
	c.cancel()
	c.cancel()
	assert.Contains(t, c.Page("/"), "구독을 해지했어요")
	assert.Equal(t, "deleted ", st.rows(`SELECT state, sealed_key FROM cards`))
	_, err := st.toss.Client().ChargeBilling(t.Context(), key, tosspayments.ChargeBillingRequest{
		OrderID: "order-after-cancel", OrderName: "x", Amount: tosspayments.Won(1000),
	})
	require.ErrorIs(t, err, tosspayments.ErrAlreadyRemovedBillingKey)
}

// In the month that was paid it is another subscription, and has other order ids.
func TestSubscribingAgainAfterACancel(t *testing.T) {
	st := newStand(t)
	c := st.customer()
	c.register("")
	c.cancel()
	st.on("2027-02-28 10:00")
	assert.Equal(t, []string{"2027-01-1"}, st.moved())
	c.register("")
	assert.Equal(t, []string{"2027-01-1", "2027-02-1"}, st.moved())
	st.on("2027-03-28 10:00")
	assert.Equal(t, []string{"2027-01-1", "2027-02-1", "2027-03-1"}, st.moved())
	assert.Equal(t, "active", st.rows(`SELECT state FROM subscriptions WHERE state <> 'canceled'`))
}

func TestCancelEndsTheCalendar(t *testing.T) {
	t.Parallel()
	st := newStand(t)
	c := st.customer()
	c.register(tosspayments.ErrRejectCardPayment)
	assert.Equal(t, "2027-01 1 refused REJECT_CARD_PAYMENT\n2027-01 2 due ", st.charges())
	c.cancel()
	st.on("2027-02-01 10:00")
	assert.Equal(t, "2027-01 1 refused REJECT_CARD_PAYMENT\n2027-01 2 void ", st.charges())
	assert.Equal(t, 1, st.toss.Calls(tosstest.ChargeBilling))

	// Not even when somebody gives the charge back by mistake.
	_, err := st.store.subs.db.Exec(`UPDATE charges SET state = 'due' WHERE state = 'void'`)
	require.NoError(t, err)
	st.round()
	assert.Contains(t, st.charges(), "2027-01 2 due")
	assert.Equal(t, 1, st.toss.Calls(tosstest.ChargeBilling))
}

// TestCancelWhileAChargeIsUnknown: the charge is brought to its end before the key goes.
func TestCancelWhileAChargeIsUnknown(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]bool{"it was made": true, "it was not made yet": false} {
		t.Run(name, func(t *testing.T) {
			st := newStand(t, noHelp...)
			c := st.customer()
			c.register("")
			st.toss.Inject(tosstest.Fault{Operation: tosstest.ChargeBilling, Kind: tosstest.Drop, AfterEffect: after}, noReads)
			st.on("2027-02-28 10:00")
			c.cancel()
			assert.Equal(t, "deleting", st.cards())
			st.toss.ClearFaults()
			st.pass()
			assert.Equal(t, []string{"2027-01-1", "2027-02-1"}, st.moved())
			assert.Contains(t, st.charges(), "2027-02 1 paid")
			assert.Equal(t, "deleted", st.cards())
		})
	}
}

// TestDeletionIsRepeatedUntilItIsKnown.
func TestDeletionIsRepeatedUntilItIsKnown(t *testing.T) {
	for name, fault := range map[string]tosstest.Fault{
		"lost before": {Kind: tosstest.Drop},
		"lost after":  {Kind: tosstest.Drop, AfterEffect: true},
		"refused":     {Kind: tosstest.Refuse, Code: tosspayments.ErrUnauthorizedKey},
	} {
		t.Run(name, func(t *testing.T) {
			st := newStand(t, noHelp...)
			c := st.customer()
			c.register("")
			fault.Operation = tosstest.DeleteBillingKey
			st.toss.Inject(fault)
			c.cancel()
			assert.Equal(t, "deleting", st.cards())
			st.round()
			assert.Equal(t, 1, st.toss.Calls(tosstest.DeleteBillingKey), "not at once again")
			st.pass()
			assert.Equal(t, "deleted", st.cards())
		})
	}
}

// TestShopWasDown: months that went by are not charged; the one of today is, once.
func TestShopWasDown(t *testing.T) {
	st := newStand(t)
	st.customer().register("")
	st.on("2027-06-15 10:00")
	st.round()
	assert.Equal(t, []string{"2027-01-1", "2027-05-1"}, st.moved())
	st.on("2027-06-30 10:00")
	assert.Equal(t, []string{"2027-01-1", "2027-05-1", "2027-06-1"}, st.moved())
}

// TestShopWasDownDuringTheCalendar: a day of the calendar that was missed is made up for,
// and no attempt follows another on the same day.
func TestShopWasDownDuringTheCalendar(t *testing.T) {
	t.Parallel()
	st := newStand(t)
	st.customer().register("")
	st.toss.SetRefusal(st.billingKey(), tosspayments.ErrRejectCardPayment)
	st.on("2027-02-28 10:00")
	st.on("2027-03-03 12:00")
	st.round()
	assert.Equal(t, 3, st.toss.Calls(tosstest.ChargeBilling))
	st.on("2027-03-04 10:00")
	assert.Equal(t, 3, st.toss.Calls(tosstest.ChargeBilling))
	st.on("2027-03-05 10:00")
	assert.Equal(t, 4, st.toss.Calls(tosstest.ChargeBilling))
	assert.Equal(t, "past_due", st.state())
}

// TestShopWasDownUntilTheNextPeriod: an attempt that waited is not made any more.
func TestShopWasDownUntilTheNextPeriod(t *testing.T) {
	t.Parallel()
	st := newStand(t)
	st.customer().register("")
	key := st.billingKey()
	st.toss.SetRefusal(key, tosspayments.ErrRejectCardPayment)
	st.on("2027-02-28 10:00")
	st.toss.SetRefusal(key, "")
	st.on("2027-04-01 10:00")
	assert.Equal(t, []string{"2027-01-1", "2027-03-1"}, st.moved())
	assert.Contains(t, st.charges(), "2027-02 2 void")
}

// TestWhoseLeaseIsOverRecordsNothing: another biller has the charge by then.
func TestWhoseLeaseIsOverRecordsNothing(t *testing.T) {
	st := newStand(t)
	orderID := st.planned()
	slow := st.claim(orderID)
	again, err := st.store.subs.claim(t.Context(), orderID, st.time(), st.time(), st.store.lease)
	require.NoError(t, err)
	assert.Nil(t, again, "it is taken")
	taken, err := st.store.subs.takeOver(t.Context(), orderID, st.time(), st.store.lease)
	require.NoError(t, err)
	assert.Nil(t, taken, "it is not given up")
	st.set("2027-01-31 10:02")
	next, err := st.store.subs.takeOver(t.Context(), orderID, st.time(), st.store.lease)
	require.NoError(t, err)

	refusal := &tosspayments.Error{Code: tosspayments.ErrRejectCardCompany}
	require.NoError(t, st.store.record(t.Context(), slow, nil, refusal))
	assert.Equal(t, "2027-01 1 charging ", st.charges())
	paid := &tosspayments.Payment{Status: tosspayments.PaymentStatusDone}
	require.NoError(t, st.store.record(t.Context(), &next.charge, paid, nil))
	assert.Equal(t, "2027-01 1 paid ", st.charges())
	require.NoError(t, st.store.record(t.Context(), &next.charge, nil, refusal))
	assert.Equal(t, "2027-01 1 paid ", st.charges())
}
