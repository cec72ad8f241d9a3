package recipes

import (
	"bytes"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// subscribed is a shop with a registered card, in time that does not pass.
func subscribed(t *testing.T, test func(t *testing.T, shop *Shop, server *tosstest.Server, key tosspayments.BillingKey, row *Charge)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		server := tosstest.New()
		shop := &Shop{Toss: server.Client()}
		billing, err := shop.Toss.IssueBillingKey(t.Context(), server.Register(tosstest.Registration{CustomerKey: "customer-1"}))
		require.NoError(t, err)
		row := &Charge{Subscription: "sub7", Period: "2026-03", Amount: tosspayments.Won(9900), State: "charging"}
		test(t, shop, server, billing.BillingKey, row)
	})
}

func TestAPeriodIsChargedOnce(t *testing.T) {
	subscribed(t, func(t *testing.T, shop *Shop, server *tosstest.Server, key tosspayments.BillingKey, row *Charge) {
		for range 3 {
			row.State = "charging" // by another scheduler, or after a restore
			require.NoError(t, shop.RunCharge(t.Context(), key, row))
			assert.Equal(t, "paid", row.State)
			assert.NotEmpty(t, row.PaymentKey)
			time.Sleep(10 * 24 * time.Hour) // the server forgets idempotency keys, and no order id
		}
		assert.Equal(t, 1, server.Charges("sub7-2026-03-0"))
	})
}

func TestAnOrderIDThatBelongsToOtherMoney(t *testing.T) {
	subscribed(t, func(t *testing.T, shop *Shop, _ *tosstest.Server, key tosspayments.BillingKey, row *Charge) {
		require.NoError(t, shop.RunCharge(t.Context(), key, row))
		time.Sleep(30 * 24 * time.Hour)
		row.State, row.Amount = "charging", tosspayments.Won(19900)
		require.Error(t, shop.RunCharge(t.Context(), key, row))
		assert.Equal(t, "review", row.State)
	})
}

func TestAMonthThatWasGivenBack(t *testing.T) {
	subscribed(t, func(t *testing.T, shop *Shop, _ *tosstest.Server, key tosspayments.BillingKey, row *Charge) {
		require.NoError(t, shop.RunCharge(t.Context(), key, row))
		_, err := shop.Toss.CancelPayment(t.Context(), row.PaymentKey, tosspayments.CancelPaymentRequest{CancelReason: "고객 요청"})
		require.NoError(t, err)
		time.Sleep(20 * 24 * time.Hour)
		require.Error(t, shop.RunCharge(t.Context(), key, row))
		assert.Equal(t, "canceled", row.State, "no access")
	})
}

func TestALostCharge(t *testing.T) {
	for _, charged := range []bool{true, false} {
		subscribed(t, func(t *testing.T, shop *Shop, server *tosstest.Server, key tosspayments.BillingKey, row *Charge) {
			breakDown(server, charged)
			for range 2 {
				require.ErrorIs(t, shop.RunCharge(t.Context(), key, row), tosspayments.ErrOutcomeUnknown)
				assert.Equal(t, "charging", row.State)
				assert.Equal(t, 5*time.Minute, time.Until(row.NextAt))
				time.Sleep(time.Until(row.NextAt))
			}
			server.ClearFaults()
			require.NoError(t, shop.RunCharge(t.Context(), key, row))
			assert.Equal(t, "paid", row.State)
			assert.Equal(t, 1, server.Charges("sub7-2026-03-0"))
		})
	}
}

func TestASecondRunWithTheWrongKey(t *testing.T) {
	subscribed(t, func(t *testing.T, shop *Shop, server *tosstest.Server, key tosspayments.BillingKey, row *Charge) {
		breakDown(server, true)
		require.Error(t, shop.RunCharge(t.Context(), key, row))
		server.ClearFaults()
		for _, operation := range []tosstest.Operation{tosstest.ChargeBilling, tosstest.GetPaymentByOrderID} {
			server.Inject(tosstest.Fault{Operation: operation, Kind: tosstest.Refuse, Code: tosspayments.ErrUnauthorizedKey, Status: 401, Times: 1000})
		}
		require.Error(t, shop.RunCharge(t.Context(), key, row))
		assert.Equal(t, "charging", row.State)
		server.ClearFaults()
		require.NoError(t, shop.RunCharge(t.Context(), key, row))
		assert.Equal(t, "paid", row.State)
	})
}

// refuseForGood runs a charge that the card refuses until no further run is planned.
func refuseForGood(t *testing.T, shop *Shop, server *tosstest.Server, key tosspayments.BillingKey, row *Charge) {
	t.Helper()
	server.SetRefusal(key, tosspayments.ErrRejectCardPayment)
	for attempt, days := range []int{1, 2, 2} {
		require.ErrorIs(t, shop.RunCharge(t.Context(), key, row), tosspayments.ErrRejectCardPayment)
		assert.Equal(t, attempt+1, server.Calls(tosstest.ChargeBilling), "never again at once")
		assert.Equal(t, "due", row.State)
		assert.Equal(t, time.Duration(days)*24*time.Hour, time.Until(row.NextAt))
		time.Sleep(time.Until(row.NextAt))
	}
	assert.Equal(t, "sub7-2026-03-3", row.OrderID())
	require.Error(t, shop.RunCharge(t.Context(), key, row))
}

func TestRefusalsWaitForTheCalendar(t *testing.T) {
	subscribed(t, func(t *testing.T, shop *Shop, server *tosstest.Server, key tosspayments.BillingKey, row *Charge) {
		refuseForGood(t, shop, server, key, row)
		assert.Equal(t, "failed", row.State, "not for ever")
	})
}

func TestACustomerAsksForAnotherRun(t *testing.T) {
	subscribed(t, func(t *testing.T, shop *Shop, server *tosstest.Server, key tosspayments.BillingKey, row *Charge) {
		refuseForGood(t, shop, server, key, row)
		server.SetRefusal(key, "")
		row.State = "charging"
		require.NoError(t, shop.RunCharge(t.Context(), key, row))
		assert.Equal(t, "paid", row.State)
		assert.Equal(t, 1, server.Charges("sub7-2026-03-4"))
	})
}

func TestARefusalThatWasNeverStored(t *testing.T) {
	subscribed(t, func(t *testing.T, shop *Shop, server *tosstest.Server, key tosspayments.BillingKey, row *Charge) {
		server.SetRefusal(key, tosspayments.ErrRejectCardPayment)
		_ = shop.RunCharge(t.Context(), key, &Charge{Subscription: row.Subscription, Period: row.Period, Amount: row.Amount})
		require.ErrorIs(t, shop.RunCharge(t.Context(), key, row), tosspayments.ErrRejectCardPayment, "the row was never stored")
		assert.Equal(t, "due", row.State)
		assert.Equal(t, 1, row.Attempt)
	})
}

func TestACardThatIsGone(t *testing.T) {
	for name, end := range map[string]func(*tosstest.Server, tosspayments.BillingKey){
		"deleted": (*tosstest.Server).RevokeBillingKey,
		"stopped": func(s *tosstest.Server, key tosspayments.BillingKey) {
			s.SetRefusal(key, tosspayments.ErrInvalidStoppedCard)
		},
	} {
		subscribed(t, func(t *testing.T, shop *Shop, server *tosstest.Server, key tosspayments.BillingKey, row *Charge) {
			end(server, key)
			require.Error(t, shop.RunCharge(t.Context(), key, row))
			assert.Equal(t, "card", row.State, name)
			assert.Zero(t, row.Refusals)

			billing, err := shop.Toss.IssueBillingKey(t.Context(), server.Register(tosstest.Registration{CustomerKey: "customer-1"}))
			require.NoError(t, err)
			require.NoError(t, shop.RunCharge(t.Context(), billing.BillingKey, row))
			assert.Equal(t, 1, server.Charges("sub7-2026-03-1"))
		})
	}
}

func TestWrongDataIsNoCardFailure(t *testing.T) {
	subscribed(t, func(t *testing.T, shop *Shop, server *tosstest.Server, key tosspayments.BillingKey, row *Charge) {
		mixed := tosspayments.NewBillingKey(key.Key.Reveal(), "customer-2")
		require.ErrorIs(t, shop.RunCharge(t.Context(), mixed, row), tosspayments.ErrNotMatchesCustomerKey)
		assert.Equal(t, "review", row.State)
		assert.Zero(t, row.Refusals)
		assert.Zero(t, row.Attempt)
	})
}

func TestAMonthIsChargedOnce(t *testing.T) {
	quietly(t, func(t *testing.T, s *stand) {
		redirect := s.server.Register(tosstest.Registration{CustomerKey: "customer-1"})
		var key tosspayments.BillingKey
		store := func(k tosspayments.BillingKey) error { key = k; return nil }
		require.Error(t, s.Subscribe(t.Context(), redirect, "customer-2", store))
		require.NoError(t, s.Subscribe(t.Context(), redirect, "customer-1", store))
		march := time.Date(2026, time.March, 1, 0, 0, 0, 0, time.UTC)
		s.request.OrderID = "sub7-2026-03"
		breakDown(s.server, true)
		require.NoError(t, s.ChargeMonth(t.Context(), "sub7", march, key))
		assert.Equal(t, "new", s.order().State, "not known")
		s.server.ClearFaults()
		for range 2 {
			require.NoError(t, s.ChargeMonth(t.Context(), "sub7", march, key))
			assert.Equal(t, "paid", s.order().State)
		}
		assert.Equal(t, 1, s.server.Charges("sub7-2026-03"))

		_, err := s.Toss.CancelPayment(t.Context(), s.order().Payment.PaymentKey, tosspayments.CancelPaymentRequest{CancelReason: "고객 요청"})
		require.NoError(t, err)
		time.Sleep(20 * 24 * time.Hour)
		require.NoError(t, s.ChargeMonth(t.Context(), "sub7", march, key))
		assert.Equal(t, "canceled", s.order().State)
	})
}

func TestRegistrationSurvivesAReload(t *testing.T) {
	server := tosstest.NewServer(t)
	shop := &Shop{Toss: server.Client()}
	redirect := server.Register(tosstest.Registration{CustomerKey: "customer-1"})
	page := &url.URL{Path: "/registered", RawQuery: url.Values{
		"customerKey": {redirect.CustomerKey}, "authKey": {redirect.AuthKey.Reveal()},
	}.Encode()}
	var keys []tosspayments.BillingKey
	store := func(key tosspayments.BillingKey) error { keys = append(keys, key); return nil }
	require.Error(t, shop.RegisterCard(t.Context(), page, "customer-2", store))
	require.NoError(t, shop.RegisterCard(t.Context(), page, "customer-1", store))
	require.NoError(t, shop.RegisterCard(t.Context(), page, "customer-1", store))
	require.Len(t, keys, 2)
	assert.Equal(t, keys[0], keys[1])
	require.Error(t, shop.RegisterCard(t.Context(), new(url.URL), "customer-1", store))
}

func TestBillingKeysAreSealed(t *testing.T) {
	secret := bytes.Repeat([]byte{7}, 32)
	key := tosspayments.BillingKey{CustomerKey: tosspayments.NewSensitive("customer-1"), Key: tosspayments.NewSensitive("billing-key")}
	sealed, err := SealBillingKey(secret, "customer-1", key)
	require.NoError(t, err)
	assert.NotContains(t, string(sealed), "billing-key")
	opened, err := OpenBillingKey(secret, "customer-1", sealed)
	require.NoError(t, err)
	assert.Equal(t, key, opened)
	_, err = OpenBillingKey(secret, "customer-2", sealed)
	require.Error(t, err, "the row of another customer")
	_, err = SealBillingKey(secret[:5], "customer-1", key)
	require.Error(t, err)
}
