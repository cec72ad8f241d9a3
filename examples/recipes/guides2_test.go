package recipes

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// desk is a database in memory: accounts, and what webhooks have left.
type desk struct {
	sync.Mutex
	order  AccountOrder
	secret tosspayments.Sensitive
	tasks  []string
	// beforeSave runs once, between the look and the record.
	beforeSave func()

	lookAt []string
	events map[string]string
	ended  []string
	broken error
}

func (d *desk) Get(context.Context, string) (AccountOrder, error) {
	d.Lock()
	defer d.Unlock()
	return d.order, nil
}

func (d *desk) Save(_ context.Context, order AccountOrder, task string) (bool, error) {
	if run := d.beforeSave; run != nil {
		d.beforeSave = nil
		run()
	}
	d.Lock()
	defer d.Unlock()
	if order.Version != d.order.Version {
		return false, nil
	}
	order.Version++
	d.order = order
	if task != "" {
		d.tasks = append(d.tasks, task)
	}
	return true, nil
}

func (d *desk) Secret(_ context.Context, orderID string) (tosspayments.Sensitive, error) {
	if orderID != d.order.ID {
		return tosspayments.Sensitive{}, nil
	}
	return d.secret, nil
}

func (d *desk) LookSoon(_ context.Context, orderID string) error {
	d.Lock()
	defer d.Unlock()
	d.lookAt = append(d.lookAt, orderID)
	return d.broken
}

func (d *desk) Once(_ context.Context, identity string, body []byte) error {
	d.Lock()
	defer d.Unlock()
	if _, again := d.events[identity]; !again {
		d.events[identity] = string(body)
	}
	return d.broken
}

func (d *desk) CardEnded(_ context.Context, key tosspayments.Sensitive) error {
	d.Lock()
	defer d.Unlock()
	d.ended = append(d.ended, key.Reveal())
	return d.broken
}

// job looks at all orders that events have marked.
func (d *desk) job(t *testing.T, shop *Shop) {
	d.Lock()
	marked := d.lookAt
	d.lookAt = nil
	d.Unlock()
	for _, id := range marked {
		require.NoError(t, shop.LookAtAccount(t.Context(), d, id))
	}
}

// openAccount issues an account, and registers the receiver of its events.
func openAccount(t *testing.T, server *tosstest.Server) (*Shop, *desk, *tosspayments.Payment) {
	t.Helper()
	shop := &Shop{Toss: server.Client()}
	order := Order{ID: "order-0001", Name: "원두 1kg", Amount: tosspayments.Won(15000)}
	payment, err := shop.Account(t.Context(), order, "20", "김토스")
	require.NoError(t, err)
	d := &desk{
		order:  AccountOrder{ID: order.ID, PaymentKey: payment.PaymentKey, Amount: order.Amount, State: "waiting"},
		secret: payment.Secret, events: map[string]string{},
	}
	receiver, err := Receiver(d, tosstest.DefaultSecurityKey)
	require.NoError(t, err)
	receiver.Logger = nil
	server.RegisterWebhookHandler(receiver)
	return shop, d, payment
}

func TestGoodsAreReleasedOncePerDeposit(t *testing.T) {
	server := tosstest.NewServer(t)
	shop, desk, payment := openAccount(t, server)
	assert.Contains(t, ShowAccount(payment), payment.VirtualAccount.AccountNumber.Reveal())
	assert.Contains(t, ShowAccount(payment), "15000원")

	require.Error(t, server.Deposit("order-0001", tosspayments.Won(100)), "the bank refuses another amount")
	server.InjectWebhook(tosstest.WebhookFault{Kind: tosstest.DuplicateWebhook, Times: 2})
	require.NoError(t, server.Deposit("order-0001", tosspayments.Won(15000)))
	server.WaitWebhooks()
	assert.Len(t, desk.lookAt, 4, "two kinds of event, each twice")
	desk.job(t, shop)
	assert.Equal(t, []string{"release"}, desk.tasks)
	assert.Equal(t, "paid", desk.order.State)

	require.NoError(t, server.Bounce("order-0001"))
	server.WaitWebhooks()
	desk.job(t, shop)
	assert.Equal(t, []string{"release", "stop"}, desk.tasks)
	assert.Equal(t, "waiting", desk.order.State)

	server.InjectWebhook(tosstest.WebhookFault{Kind: tosstest.LoseWebhook, Times: 2})
	require.NoError(t, server.Deposit("order-0001", tosspayments.Won(15000)))
	server.WaitWebhooks()
	assert.Empty(t, desk.lookAt)
	require.NoError(t, shop.LookAtAccount(t.Context(), desk, "order-0001"), "no event: the job polls")
	assert.Equal(t, []string{"release", "stop", "release"}, desk.tasks)
}

func TestALateLookDoesNotOverwrite(t *testing.T) {
	server := tosstest.NewServer(t)
	shop, desk, _ := openAccount(t, server)
	require.NoError(t, server.Deposit("order-0001", tosspayments.Won(15000)))
	desk.beforeSave = func() { // the first look has read DONE, and has not recorded it
		require.NoError(t, server.Bounce("order-0001"))
		require.NoError(t, shop.LookAtAccount(t.Context(), desk, "order-0001"))
	}
	require.NoError(t, shop.LookAtAccount(t.Context(), desk, "order-0001"))
	assert.Equal(t, "waiting", desk.order.State)
	assert.Empty(t, desk.tasks)
}

func TestAccountExpiresSilently(t *testing.T) {
	server := tosstest.NewServer(t)
	shop, desk, _ := openAccount(t, server)
	require.NoError(t, server.ExpireAccount("order-0001"))
	server.WaitWebhooks()
	assert.Empty(t, server.Deliveries())
	require.NoError(t, shop.LookAtAccount(t.Context(), desk, "order-0001"))
	assert.Equal(t, "expired", desk.order.State)
	assert.Empty(t, desk.tasks)
}

func TestOtherPaymentsOfAnAccount(t *testing.T) {
	order := AccountOrder{ID: "order-0001", Amount: tosspayments.Won(15000), State: "paid"}
	zero := tosspayments.Won(0)
	for name, row := range map[string]struct {
		payment tosspayments.Payment
		state   string
	}{
		"other money":      {tosspayments.Payment{OrderID: "order-0001", TotalAmount: tosspayments.Won(1), Status: "DONE"}, "review"},
		"unknown status":   {tosspayments.Payment{OrderID: "order-0001", TotalAmount: order.Amount, Status: "OF_TOMORROW"}, "review"},
		"cancelled":        {tosspayments.Payment{OrderID: "order-0001", TotalAmount: order.Amount, Status: "CANCELED"}, "canceled"},
		"refunded in bits": {tosspayments.Payment{OrderID: "order-0001", TotalAmount: order.Amount, Status: "PARTIAL_CANCELED", BalanceAmount: &zero}, "canceled"},
	} {
		row.payment.VirtualAccount = new(tosspayments.VirtualAccount)
		order := order
		assert.Equal(t, "stop", order.See(&row.payment), name)
		assert.Equal(t, row.state, order.State, name)
	}
}

func TestRefundOfADepositNeedsAnAccount(t *testing.T) {
	server := tosstest.NewServer(t)
	shop, desk, payment := openAccount(t, server)
	require.NoError(t, server.Deposit("order-0001", tosspayments.Won(15000)))
	_, err := shop.CancelAccount(t.Context(), payment.PaymentKey, nil)
	require.ErrorIs(t, err, ErrRefundAccount)
	assert.Zero(t, server.Calls(tosstest.CancelPayment))
	canceled, err := shop.CancelAccount(t.Context(), payment.PaymentKey, &tosspayments.RefundReceiveAccount{
		Bank: "20", AccountNumber: tosspayments.NewSensitive("1002123456789"), HolderName: "김토스",
	})
	require.NoError(t, err)
	assert.True(t, canceled.IsFullyCanceled())
	server.WaitWebhooks()
	desk.job(t, shop)
	assert.Equal(t, "canceled", desk.order.State)

	server = tosstest.NewServer(t)
	shop, _, payment = openAccount(t, server)
	canceled, err = shop.CancelAccount(t.Context(), payment.PaymentKey, nil)
	require.NoError(t, err, "nobody has paid yet")
	assert.Equal(t, tosspayments.PaymentStatusCanceled, canceled.Status)
	assert.Empty(t, server.Refunds("order-0001"))
}

func TestReceiverStoresWhatItIsTold(t *testing.T) {
	server := tosstest.NewServer(t)
	shop, desk, _ := openAccount(t, server)
	redirect := server.Register(tosstest.Registration{CustomerKey: "customer-1"})
	billing, err := shop.Toss.IssueBillingKey(t.Context(), redirect)
	require.NoError(t, err)
	server.RevokeBillingKey(billing.BillingKey)
	server.SendWebhook("EVENT_OF_TOMORROW", map[string]any{"a": 1})
	server.InjectWebhook(tosstest.WebhookFault{Kind: tosstest.DuplicateWebhook})
	server.SendWebhook(tosspayments.WebhookPayoutChanged, map[string]any{"id": "FPA_1", "refPayoutId": "payout-1", "status": "COMPLETED"})
	server.WaitWebhooks()
	assert.Equal(t, []string{billing.Key.Reveal()}, desk.ended)
	assert.Len(t, desk.events, 1)
	require.Len(t, server.Deliveries(), 4)
	for _, delivery := range server.Deliveries() {
		assert.Equal(t, http.StatusOK, delivery.Status, "%s", delivery.Event)
	}

	_, err = Receiver(desk, "test_sk_no_security_key")
	require.Error(t, err)
}

func TestReceiverAnswers(t *testing.T) {
	server := tosstest.NewServer(t)
	_, desk, _ := openAccount(t, server)
	desk.broken = errors.New("the database is away")
	require.NoError(t, server.Deposit("order-0001", tosspayments.Won(15000)))
	server.WaitWebhooks()
	require.Len(t, server.Deliveries(), 2)
	assert.Equal(t, http.StatusInternalServerError, server.Deliveries()[0].Status)

	desk.broken = nil
	server.Advance(time.Minute)
	server.WaitWebhooks()
	require.Len(t, server.Deliveries(), 4)
	assert.Equal(t, http.StatusOK, server.Deliveries()[3].Status)
	assert.Equal(t, 1, server.Deliveries()[3].RetriedCount)

	marked := len(desk.lookAt)
	server.SendWebhook(tosspayments.WebhookDepositCallback, map[string]string{
		"secret": "forged", "status": "DONE", "transactionKey": "T1", "orderId": "order-0001",
	})
	server.WaitWebhooks()
	assert.Equal(t, http.StatusUnauthorized, server.Deliveries()[4].Status)
	assert.Len(t, desk.lookAt, marked)
}

func TestSignAWebhookYourself(t *testing.T) {
	desk := &desk{events: map[string]string{}}
	receiver, err := Receiver(desk, tosstest.DefaultSecurityKey)
	require.NoError(t, err)

	body := []byte(`{"eventType":"payout.changed","eventId":"evt_1","entityType":"payout","entityBody":{"id":"FPA_1","status":"COMPLETED"}}`)
	sentAt := "2026-03-01T12:19:21+09:00"
	signature, err := tosspayments.SignWebhook(tosstest.DefaultSecurityKey, body, sentAt, false)
	require.NoError(t, err)
	request := httptest.NewRequest(http.MethodPost, "/webhooks/toss", bytes.NewReader(body))
	request.Header.Set("tosspayments-webhook-transmission-time", sentAt)
	request.Header.Set("tosspayments-webhook-signature", signature)
	answer := httptest.NewRecorder()
	receiver.ServeHTTP(answer, request)
	assert.Equal(t, http.StatusOK, answer.Code)

	assert.Equal(t, string(body), desk.events["event/evt_1"])
	other, err := Receiver(desk, "1111111111111111111111111111111111111111111111111111111111111111")
	require.NoError(t, err)
	other.Logger = nil
	answer = httptest.NewRecorder()
	request = httptest.NewRequest(http.MethodPost, "/webhooks/toss", bytes.NewReader(body))
	request.Header.Set("tosspayments-webhook-transmission-time", sentAt)
	request.Header.Set("tosspayments-webhook-signature", signature)
	other.ServeHTTP(answer, request)
	assert.Equal(t, http.StatusUnauthorized, answer.Code)
}

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
		for range 2 {
			row.State = "charging" // by another scheduler, or after a restore
			require.NoError(t, shop.RunCharge(t.Context(), key, row))
			assert.Equal(t, "paid", row.State)
			assert.NotEmpty(t, row.PaymentKey)
		}
		require.NoError(t, shop.SettleCharge(t.Context(), key, row))
		assert.Equal(t, 1, server.Charges("sub7-2026-03-0"))

		stranger := *row
		stranger.State, stranger.Amount = "charging", tosspayments.Won(19900)
		require.NoError(t, shop.RunCharge(t.Context(), key, &stranger))
		assert.Equal(t, "review", stranger.State, "the order id belongs to other money")
	})
}

func TestALostAnswerIsSettledByLookup(t *testing.T) {
	for _, charged := range []bool{true, false} {
		subscribed(t, func(t *testing.T, shop *Shop, server *tosstest.Server, key tosspayments.BillingKey, row *Charge) {
			server.Inject(
				tosstest.Fault{Operation: tosstest.ChargeBilling, Kind: tosstest.Drop, AfterEffect: charged, Times: 1000},
				tosstest.Fault{Operation: tosstest.GetPaymentByOrderID, Kind: tosstest.BadGateway, Times: 1000},
			)
			require.ErrorIs(t, shop.RunCharge(t.Context(), key, row), tosspayments.ErrOutcomeUnknown)
			assert.Equal(t, "charging", row.State)
			require.Error(t, shop.SettleCharge(t.Context(), key, row))
			assert.Equal(t, "charging", row.State)
			server.ClearFaults()
			require.NoError(t, shop.SettleCharge(t.Context(), key, row))
			assert.Equal(t, "paid", row.State)
			assert.Equal(t, 1, server.Charges("sub7-2026-03-0"))
		})
	}
}

func TestRefusalsWaitForTheCalendar(t *testing.T) {
	subscribed(t, func(t *testing.T, shop *Shop, server *tosstest.Server, key tosspayments.BillingKey, row *Charge) {
		first := time.Now()
		server.SetRefusal(key, tosspayments.ErrRejectCardPayment)
		for attempt, days := range []int{1, 3, 5} {
			require.ErrorIs(t, shop.RunCharge(t.Context(), key, row), tosspayments.ErrRejectCardPayment)
			assert.Equal(t, attempt+1, server.Calls(tosstest.ChargeBilling), "never again at once")
			assert.Equal(t, "due", row.State)
			assert.Equal(t, first.AddDate(0, 0, days), row.NextAt)
			time.Sleep(time.Until(row.NextAt))
		}
		assert.Equal(t, "sub7-2026-03-3", row.OrderID())
		again := *row
		require.Error(t, shop.RunCharge(t.Context(), key, row))
		assert.Equal(t, "failed", row.State, "not for ever")

		server.SetRefusal(key, "")
		require.NoError(t, shop.RunCharge(t.Context(), key, &again))
		assert.Equal(t, "paid", again.State)
	})
}

func TestRefusalReadFromThePayment(t *testing.T) {
	subscribed(t, func(t *testing.T, shop *Shop, server *tosstest.Server, key tosspayments.BillingKey, row *Charge) {
		server.SetRefusal(key, tosspayments.ErrRejectCardPayment)
		_ = shop.RunCharge(t.Context(), key, &Charge{Subscription: row.Subscription, Period: row.Period, Amount: row.Amount})
		require.NoError(t, shop.SettleCharge(t.Context(), key, row), "the row was never stored")
		assert.Equal(t, "due", row.State)
		assert.Equal(t, 1, server.Calls(tosstest.ChargeBilling))
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

	secret := bytes.Repeat([]byte{7}, 32)
	sealed, err := SealBillingKey(secret, "customer-1", keys[0])
	require.NoError(t, err)
	assert.NotContains(t, string(sealed), keys[0].Key.Reveal())
	opened, err := OpenBillingKey(secret, "customer-1", sealed)
	require.NoError(t, err)
	assert.Equal(t, keys[0], opened)
	_, err = OpenBillingKey(secret, "customer-2", sealed)
	require.Error(t, err, "the row of another customer")
	_, err = SealBillingKey(secret[:5], "customer-1", keys[0])
	require.Error(t, err)
}

func TestABuyerPays(t *testing.T) {
	server := tosstest.NewServer(t)
	client := server.Client()
	redirect := server.Authenticate(tosstest.Checkout{OrderID: "order-0001", OrderName: "원두 1kg", Amount: tosspayments.Won(15000)})
	request, err := redirect.ConfirmRequest(tosspayments.Won(15000))
	require.NoError(t, err)
	payment, err := client.ConfirmPayment(t.Context(), request)
	require.NoError(t, err)
	assert.True(t, payment.IsPaid())
	assert.Equal(t, 1, server.Charges("order-0001"))
}

func TestTheAnswerIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := tosstest.New() // no listener: it works in a bubble
		redirect := server.Authenticate(tosstest.Checkout{OrderID: "order-0001", OrderName: "원두 1kg", Amount: tosspayments.Won(15000)})
		request, err := redirect.ConfirmRequest(tosspayments.Won(15000))
		require.NoError(t, err)
		server.Inject(
			tosstest.Fault{Operation: tosstest.ConfirmPayment, Kind: tosstest.Drop, AfterEffect: true, Times: 100},
			tosstest.Fault{Operation: tosstest.GetPayment, Kind: tosstest.BadGateway, Times: 100},
		)
		_, err = server.Client().ConfirmPayment(t.Context(), request)
		require.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown) // two minutes that take no time
		assert.Equal(t, 1, server.Charges("order-0001"))
	})
}

func TestDepositAndWebhook(t *testing.T) {
	server := tosstest.NewServer(t)
	_, desk, _ := openAccount(t, server)
	receiver, err := Receiver(desk, tosstest.DefaultSecurityKey)
	require.NoError(t, err)
	before := len(server.Deliveries())

	server.RegisterWebhookHandler(receiver)
	server.InjectWebhook(tosstest.WebhookFault{Kind: tosstest.DuplicateWebhook})
	require.NoError(t, server.Deposit("order-0001", tosspayments.Won(15000)))
	server.WaitWebhooks()
	for _, delivery := range server.Deliveries() {
		assert.Equal(t, http.StatusOK, delivery.Status)
	}

	assert.Greater(t, len(server.Deliveries()), before+2)
}

func TestACardIsRefused(t *testing.T) {
	server := tosstest.NewServer(t)
	client := server.Client()
	redirect := server.Register(tosstest.Registration{CustomerKey: "customer-1"})
	billing, err := client.IssueBillingKey(t.Context(), redirect)
	require.NoError(t, err)
	server.SetRefusal(billing.BillingKey, tosspayments.ErrRejectCardPayment)
	_, err = client.ChargeBilling(t.Context(), billing.BillingKey, tosspayments.ChargeBillingRequest{
		OrderID: "sub7-2026-03-0", OrderName: "구독 3월", Amount: tosspayments.Won(9900),
	})
	require.ErrorIs(t, err, tosspayments.ErrRejectCardPayment)
	server.RevokeBillingKey(billing.BillingKey)

	require.ErrorIs(t, client.DeleteBillingKey(t.Context(), billing.BillingKey), tosspayments.ErrAlreadyRemovedBillingKey)
}

func TestTheTestEnvironmentIsAskedForAnError(t *testing.T) {
	server := tosstest.NewServer(t)
	client := server.Client()
	request := tosspayments.ConfirmPaymentRequest{PaymentKey: "none", OrderID: "order-0001", Amount: tosspayments.Won(15000)}
	_, err := client.ConfirmPayment(t.Context(), request, tosspayments.WithTestCode(tosspayments.ErrRejectCardCompany))
	require.ErrorIs(t, err, tosspayments.ErrRejectCardCompany)

	live, err := tosspayments.New("live_sk_abcdefghijklmnop", tosspayments.WithBaseURL(server.URL))
	require.NoError(t, err)
	_, err = live.ConfirmPayment(t.Context(), request, tosspayments.WithTestCode(tosspayments.ErrRejectCardCompany))
	var invalid *tosspayments.ValidationError
	require.ErrorAs(t, err, &invalid)
}
