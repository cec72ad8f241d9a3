package tosstest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
	"github.com/seed238ab19c/tosspayments/webhook"
)

// inbox is a receiver that keeps what arrives.
type inbox struct {
	mu     sync.Mutex
	bodies []string
	header []http.Header
	// answers are given in order, and then 200.
	answers []int
	// during is called before the answer.
	during func(body string)
}

func (b *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	data, _ := io.ReadAll(r.Body)
	b.mu.Lock()
	b.bodies, b.header = append(b.bodies, string(data)), append(b.header, r.Header)
	status := http.StatusOK
	if len(b.answers) > 0 {
		status, b.answers = b.answers[0], b.answers[1:]
	}
	during := b.during
	b.mu.Unlock()
	if during != nil {
		during(string(data))
	}
	w.WriteHeader(status)
}

// meanwhile sets what is done before the answers from now on.
func (b *inbox) meanwhile(during func(body string)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.during = during
}

func (b *inbox) len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.bodies)
}

// take returns what has arrived, as "TYPE STATUS", and forgets it.
func (b *inbox) take(server *tosstest.Server) (events []string) {
	server.WaitWebhooks()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, body := range b.bodies {
		events = append(events, summary(body))
	}
	b.bodies, b.header = nil, nil
	return events
}

func summary(body string) string {
	var e struct {
		EventType, Status string
		Data              struct{ Status string }
	}
	_ = json.Unmarshal([]byte(body), &e)
	if e.EventType == "" {
		return "DEPOSIT_CALLBACK " + e.Status
	}
	return strings.TrimSpace(e.EventType + " " + e.Data.Status)
}

// newInbox registers a receiver that keeps what arrives.
func newInbox(server *tosstest.Server, events ...webhook.EventType) *inbox {
	b := &inbox{}
	server.RegisterWebhookHandler(b, events...)
	return b
}

// accountCheckout is an order that is paid into a virtual account.
func accountCheckout(order string) tosstest.Checkout {
	c := socks(order)
	c.Method = tosspayments.MethodVirtualAccount
	return c
}

// pay authenticates and confirms.
func pay(t *testing.T, server *tosstest.Server, checkout tosstest.Checkout) *tosspayments.Payment {
	t.Helper()
	request, err := server.Authenticate(checkout).ConfirmRequest(checkout.Amount)
	require.NoError(t, err)
	payment, err := server.Client().ConfirmPayment(t.Context(), request)
	if checkout.Refusal == "" {
		require.NoError(t, err)
	}
	return payment
}

func cancelPart(t *testing.T, server *tosstest.Server, p *tosspayments.Payment, won int64) {
	t.Helper()
	r := newCaller(t, server).call("POST", "/v1/payments/"+p.PaymentKey+"/cancel", fmt.Sprintf(`{"cancelReason":"r","cancelAmount":%d,`, won)+refundTo)
	require.Equal(t, 200, r.status, r.raw)
}

func cancelRest(t *testing.T, server *tosstest.Server, p *tosspayments.Payment) {
	t.Helper()
	r := newCaller(t, server).call("POST", "/v1/payments/"+p.PaymentKey+"/cancel", `{"cancelReason":"r",`+refundTo)
	require.Equal(t, 200, r.status, r.raw)
}

const refundTo = `"refundReceiveAccount":{"bank":"20","accountNumber":"1002123456789","holderName":"김토스"}}`

func TestWebhooksOfCards(t *testing.T) {
	server := tosstest.New()
	t.Cleanup(server.Close)
	box := newInbox(server)
	p := pay(t, server, socks("order-0001"))
	assert.Equal(t, []string{"PAYMENT_STATUS_CHANGED DONE"}, box.take(server), "READY and IN_PROGRESS are silent")
	cancelPart(t, server, p, 1000)
	cancelPart(t, server, p, 14000)
	assert.Equal(t, []string{"PAYMENT_STATUS_CHANGED PARTIAL_CANCELED", "PAYMENT_STATUS_CHANGED PARTIAL_CANCELED"}, box.take(server))
	p = pay(t, server, socks("order-0002"))
	cancelRest(t, server, p)
	assert.Equal(t, []string{"PAYMENT_STATUS_CHANGED DONE", "PAYMENT_STATUS_CHANGED CANCELED"}, box.take(server))
	refused := socks("order-0003")
	refused.Refusal = tosspayments.ErrRejectCardCompany
	pay(t, server, refused)
	assert.Equal(t, []string{"PAYMENT_STATUS_CHANGED ABORTED"}, box.take(server))
	r := newCaller(t, server).call("POST", "/v1/payments/key-in", `{"orderId":"order-0004","orderName":"양말","amount":100,
		"cardNumber":"4330123412341234","cardExpirationYear":"30","cardExpirationMonth":"01","customerIdentityNumber":"881212"}`)
	require.Equal(t, 200, r.status, r.raw)
	assert.Equal(t, []string{"PAYMENT_STATUS_CHANGED DONE"}, box.take(server))
}

// eventOfAPayment is the event of a payment as it arrives, and its header.
func eventOfAPayment(t *testing.T, server *tosstest.Server) (payment *tosspayments.Payment, body string, header http.Header) {
	t.Helper()
	box := newInbox(server)
	payment = pay(t, server, socks("order-0001"))
	server.WaitWebhooks()
	require.Len(t, box.bodies, 1)
	return payment, box.bodies[0], box.header[0]
}

var korea = time.FixedZone("KST", 9*60*60)

func TestBodyOfAnEvent(t *testing.T) {
	server := tosstest.New()
	t.Cleanup(server.Close)
	payment, body, _ := eventOfAPayment(t, server)
	var event struct {
		EventType, CreatedAt string
		Data                 json.RawMessage
	}
	require.NoError(t, json.Unmarshal([]byte(body), &event))
	at, err := time.ParseInLocation("2006-01-02T15:04:05.000000", event.CreatedAt, korea)
	require.NoError(t, err)
	assert.Len(t, event.CreatedAt, len("2006-01-02T15:04:05.000000"))
	assert.WithinDuration(t, time.Now(), at, time.Minute)
	read := newCaller(t, server).call("GET", "/v1/payments/"+payment.PaymentKey, "")
	assert.JSONEq(t, read.raw, string(event.Data), "the whole payment, in Korean")
}

func TestHeaderOfAnEvent(t *testing.T) {
	server := tosstest.New()
	t.Cleanup(server.Close)
	_, _, header := eventOfAPayment(t, server)
	assert.Equal(t, "application/json", header.Get("Content-Type"))
	assert.Equal(t, "0", header.Get("tosspayments-webhook-transmission-retried-count"))
	assert.Empty(t, header.Get("tosspayments-webhook-signature"))
	sent := header.Get("tosspayments-webhook-transmission-time")
	assert.Regexp(t, `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+09:00$`, sent)
	id := header.Get("tosspayments-webhook-transmission-id")
	assert.Regexp(t, `^whtrans_a[0-7][0-9abcdefghjkmnpqrstvwxyz]{25}$`, id)
	assert.Equal(t, sent, ulidTime(id[9:]).In(korea).Format(time.RFC3339))
}

func TestDeliveriesAreKept(t *testing.T) {
	server := tosstest.New()
	t.Cleanup(server.Close)
	_, body, header := eventOfAPayment(t, server)
	deliveries := server.Deliveries()
	require.Len(t, deliveries, 1)
	d := deliveries[0]
	event, err := webhook.Parse([]byte(body))
	require.NoError(t, err)
	assert.WithinDuration(t, event.CreatedAt, d.At, time.Microsecond)
	d.At = time.Time{}
	assert.Equal(t, tosstest.Delivery{
		ID: header.Get("tosspayments-webhook-transmission-id"), Event: "PAYMENT_STATUS_CHANGED", OrderID: "order-0001",
		Header: header, Body: []byte(body), Status: 200,
	}, d)
}

func ulidTime(text string) time.Time {
	ms := int64(0)
	for _, c := range text[:10] {
		ms = ms<<5 | int64(strings.IndexRune("0123456789abcdefghjkmnpqrstvwxyz", c))
	}
	return time.UnixMilli(ms)
}

// accountEvents are the two events that tell of one change of a virtual account.
type accountEvents struct {
	server *tosstest.Server
	box    *inbox
	seen   map[string]bool
}

// told wants both events of a change to this status, which are the same change, and no
// earlier one.
func (a *accountEvents) told(t *testing.T, p *tosspayments.Payment, status string) {
	t.Helper()
	a.server.WaitWebhooks()
	require.Len(t, a.box.bodies, 2, status)
	var identities []string
	for _, body := range a.box.bodies {
		e, err := webhook.Parse([]byte(body))
		require.NoError(t, err)
		assert.True(t, e.MatchesSecret(p.Secret))
		identities = append(identities, e.Identity())
	}
	assert.Equal(t, identities[0], identities[1])
	assert.False(t, a.seen[identities[0]], "another change is another identity")
	a.seen[identities[0]] = true
	assert.Equal(t, []string{"PAYMENT_STATUS_CHANGED " + status, "DEPOSIT_CALLBACK " + status}, a.box.take(a.server))
}

// Each change of a virtual account is told twice, and both events say that it is one.
func TestWebhooksOfVirtualAccounts(t *testing.T) {
	server := tosstest.New()
	t.Cleanup(server.Close)
	events := &accountEvents{server, newInbox(server), map[string]bool{}}
	p := pay(t, server, accountCheckout("order-0001"))
	events.told(t, p, "WAITING_FOR_DEPOSIT")
	require.NoError(t, server.Deposit("order-0001", p.TotalAmount))
	events.told(t, p, "DONE")
	require.NoError(t, server.Bounce("order-0001"))
	events.told(t, p, "WAITING_FOR_DEPOSIT")
	require.NoError(t, server.Deposit("order-0001", p.TotalAmount))
	events.told(t, p, "DONE")
	cancelPart(t, server, p, 1000)
	events.told(t, p, "PARTIAL_CANCELED")
	cancelRest(t, server, p)
	events.told(t, p, "PARTIAL_CANCELED")
}

func TestWebhooksOfAnAccountThatIsCancelled(t *testing.T) {
	server := tosstest.New()
	t.Cleanup(server.Close)
	events := &accountEvents{server, newInbox(server), map[string]bool{}}
	p := pay(t, server, accountCheckout("order-0002"))
	events.told(t, p, "WAITING_FOR_DEPOSIT")
	assert.Empty(t, server.Ledger(), "an issue moves no money")
	cancelRest(t, server, p)
	events.told(t, p, "CANCELED")
}

func TestWebhooksOfAnAccountByTheAPI(t *testing.T) {
	server := tosstest.New()
	t.Cleanup(server.Close)
	events := &accountEvents{server, newInbox(server), map[string]bool{}}
	p, err := server.Client().IssueVirtualAccount(t.Context(), tosspayments.IssueVirtualAccountRequest{
		OrderID: "order-0003", OrderName: "양말", Amount: tosspayments.Won(1000), Bank: "20", CustomerName: "김토스",
	})
	require.NoError(t, err)
	events.told(t, p, "WAITING_FOR_DEPOSIT")
	require.NoError(t, server.Deposit("order-0003", p.TotalAmount))
	events.told(t, p, "DONE")
	cancelRest(t, server, p)
	events.told(t, p, "CANCELED")
}

func TestDepositCallbackIsFlat(t *testing.T) {
	server := tosstest.New()
	t.Cleanup(server.Close)
	box := newInbox(server, webhook.DepositCallback)
	pay(t, server, accountCheckout("order-0001"))
	server.WaitWebhooks()
	require.Len(t, box.bodies, 1)
	var flat map[string]string
	require.NoError(t, json.Unmarshal([]byte(box.bodies[0]), &flat))
	assert.Len(t, flat, 5)
	assert.NotEmpty(t, flat["transactionKey"])
	assert.Regexp(t, `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$`, flat["createdAt"])
}

// subscription is a billing key of a customer, and what uses it.
func subscription(t *testing.T, server *tosstest.Server) (client *tosspayments.Client, key tosspayments.BillingKey) {
	t.Helper()
	client = server.Client()
	billing, err := client.IssueBillingKey(t.Context(), server.Register(tosstest.Registration{CustomerKey: "customer-1"}))
	require.NoError(t, err)
	return client, billing.BillingKey
}

func chargeOf(orderID string) tosspayments.ChargeBillingRequest {
	return tosspayments.ChargeBillingRequest{OrderID: orderID, OrderName: "구독", Amount: tosspayments.Won(9900)}
}

func TestChargesAreSilent(t *testing.T) {
	server := tosstest.New()
	t.Cleanup(server.Close)
	box := newInbox(server)
	client, key := subscription(t, server)
	payment, err := client.ChargeBilling(t.Context(), key, chargeOf("order-0001"))
	require.NoError(t, err)
	server.SetRefusal(key, tosspayments.ErrRejectCardPayment)
	_, err = client.ChargeBilling(t.Context(), key, chargeOf("order-0002"))
	require.ErrorIs(t, err, tosspayments.ErrRejectCardPayment)
	assert.Empty(t, box.take(server))
	cancelRest(t, server, payment)
	assert.Equal(t, []string{"PAYMENT_STATUS_CHANGED CANCELED"}, box.take(server), "their cancels are not")
}

func TestWebhookOfADeletedBillingKey(t *testing.T) {
	server := tosstest.New()
	t.Cleanup(server.Close)
	box := newInbox(server)
	client, key := subscription(t, server)
	require.NoError(t, client.DeleteBillingKey(t.Context(), key))
	server.WaitWebhooks()
	require.Len(t, box.bodies, 1)
	e, err := webhook.Parse([]byte(box.bodies[0]))
	require.NoError(t, err)
	assert.Equal(t, key.Key.Reveal(), e.Billing.BillingKey.Reveal())
	assert.Contains(t, box.bodies[0], `"reason":"API`)
	assert.Equal(t, []string{"BILLING_DELETED"}, box.take(server))
	server.RevokeBillingKey(key)
	assert.Empty(t, box.take(server), "it has ended before")
}

func TestWebhookOfARevokedBillingKey(t *testing.T) {
	server := tosstest.New()
	t.Cleanup(server.Close)
	box := newInbox(server)
	client, key := subscription(t, server)
	server.RevokeBillingKey(key)
	server.WaitWebhooks()
	require.Len(t, box.bodies, 1)
	assert.Contains(t, box.bodies[0], `"data":{"billingKey":"`+key.Key.Reveal()+`","reason":null}`)
	_, err := client.ChargeBilling(t.Context(), key, chargeOf("order-0003"))
	assert.ErrorIs(t, err, tosspayments.ErrAlreadyRemovedBillingKey)
	assert.Panics(t, func() { server.RevokeBillingKey(tosspayments.BillingKey{}) })
}

// passes are the two ways in which time goes by.
var passes = map[string]func(*tosstest.Server, time.Duration){
	"advance": (*tosstest.Server).Advance,
	"sleep":   func(_ *tosstest.Server, d time.Duration) { time.Sleep(d) },
}

// Expiry is told when its time has come: by Advance, and by time itself.
func TestWebhooksOfExpiry(t *testing.T) {
	for pass, wait := range passes {
		t.Run(pass, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := tosstest.New()
				box := newInbox(server)
				start := server.Now()
				server.OpenWindow(socks("order-0002"))
				server.Authenticate(socks("order-0003"))
				wait(server, 10*time.Minute-time.Second)
				assert.Empty(t, box.take(server))
				wait(server, time.Second)
				assert.Equal(t, []string{"PAYMENT_STATUS_CHANGED EXPIRED"}, box.take(server))
				assert.Equal(t, "order-0003", last(server).OrderID)
				wait(server, 90*time.Minute)
				assert.Equal(t, []string{"PAYMENT_STATUS_CHANGED EXPIRED"}, box.take(server))
				assert.Equal(t, start.Add(30*time.Minute).UnixMilli(), last(server).At.UnixMilli(), "its own time, not that of the jump")
				assert.Contains(t, string(last(server).Body), `"failure":{"code":"EXPIRED_PAYMENT"`)
			})
		})
	}
}

// What has expired before the receiver came, what is paid, and the due date of an account
// pass in silence.
func TestSilentExpiry(t *testing.T) {
	for pass, wait := range passes {
		t.Run(pass, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := tosstest.New()
				server.OpenWindow(socks("order-0000"))
				server.Advance(31 * time.Minute)
				early := server.OpenWindow(socks("order-0001"))
				box := newInbox(server)
				paid := pay(t, server, socks("order-0004"))
				pay(t, server, accountCheckout("order-0005"))
				assert.Len(t, box.take(server), 3, "two of the account, one of the card")
				wait(server, 100*time.Minute)
				assert.Equal(t, []string{"PAYMENT_STATUS_CHANGED EXPIRED"}, box.take(server), "the window that was open")
				wait(server, 30*24*time.Hour)
				for _, key := range []string{early, paid.PaymentKey} {
					_, err := server.Client().GetPayment(t.Context(), key)
					require.NoError(t, err)
				}
				assert.Empty(t, box.take(server))
			})
		})
	}
}

// A payment that was open before the receiver came is told of, and one that was opened after.
func TestExpiryAroundARegistration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := tosstest.New()
		server.OpenWindow(socks("order-0001"))
		box := newInbox(server)
		time.Sleep(30 * time.Minute)
		assert.Len(t, box.take(server), 1)
		server.OpenWindow(socks("order-0002"))
		time.Sleep(30 * time.Minute)
		assert.Len(t, box.take(server), 1)
	})
}

// A payment that is busy when another expires is told of when its own time has come.
func TestExpiryBesideABusyPayment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := tosstest.New()
		box := newInbox(server)
		server.Authenticate(socks("order-0003"))
		key := server.OpenWindow(socks("order-0004"))
		server.Inject(tosstest.Fault{Operation: tosstest.CancelPayment, Kind: tosstest.Delay, Delay: 11 * time.Minute})
		c := newCaller(t, server)
		c.refused(403, "NOT_CANCELABLE_PAYMENT", c.call("POST", "/v1/payments/"+key+"/cancel", `{"cancelReason":"r"}`))
		assert.Len(t, box.take(server), 1)
		time.Sleep(19 * time.Minute)
		assert.Len(t, box.take(server), 1)
	})
}

func TestTheFirstToExpireMeetTheFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := tosstest.New()
		box := newInbox(server)
		for i := range 5 {
			server.OpenWindow(socks(fmt.Sprint("order-001", i)))
			time.Sleep(time.Second)
		}
		server.InjectWebhook(tosstest.WebhookFault{Kind: tosstest.LoseWebhook, Times: 2})
		server.Advance(time.Hour)
		server.WaitWebhooks()
		assert.Equal(t, 3, box.len())
		for i, d := range server.Deliveries() {
			assert.Equal(t, fmt.Sprint("order-001", 2+i), d.OrderID)
		}
	})
}

func last(server *tosstest.Server) tosstest.Delivery {
	deliveries := server.Deliveries()
	return deliveries[len(deliveries)-1]
}

// failures are n answers of 500, for an inbox.
func failures(n int) []int { return slices.Repeat([]int{http.StatusInternalServerError}, n) }

// The retries are 1, 4, 16, 64, 256, 1024 and 4096 minutes after the attempt before,
// whether the clock is moved step by step, in one jump, or goes by itself.
func TestWebhookSchedule(t *testing.T) {
	minutes := []int{0, 1, 5, 21, 85, 341, 1365, 5461} // 3 days and 19 hours in all
	for pass, wait := range map[string]func(*tosstest.Server, *inbox){
		"step by step": func(server *tosstest.Server, box *inbox) {
			for i := 1; i < len(minutes); i++ {
				server.Advance(time.Duration(minutes[i]-minutes[i-1])*time.Minute - time.Second)
				server.WaitWebhooks()
				assert.Equal(t, i, box.len(), "not yet")
				server.Advance(time.Second)
				server.WaitWebhooks()
				assert.Equal(t, i+1, box.len())
			}
			server.Advance(100 * 24 * time.Hour)
		},
		"one jump": func(server *tosstest.Server, _ *inbox) { server.Advance(100 * 24 * time.Hour) },
		"sleep":    func(*tosstest.Server, *inbox) { time.Sleep(100 * 24 * time.Hour) },
	} {
		t.Run(pass, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := tosstest.New()
				box := newInbox(server)
				box.answers = failures(100)
				pay(t, server, socks("order-0001"))
				server.WaitWebhooks()
				wait(server, box)
				server.WaitWebhooks()
				deliveries := server.Deliveries()
				require.Len(t, deliveries, 8, "seven retries, then it is given up")
				type attempt struct {
					Minute, Retried, Status int
					ID, Body                string
				}
				for i, d := range deliveries {
					assert.Equal(t, attempt{minutes[i], i, 500, deliveries[0].ID, box.bodies[0]},
						attempt{int(d.At.Sub(deliveries[0].At).Minutes()), d.RetriedCount, d.Status, d.ID, box.bodies[i]})
					assert.Equal(t, strconv.Itoa(i), box.header[i].Get("tosspayments-webhook-transmission-retried-count"))
					assert.Equal(t, d.At.In(korea).Format(time.RFC3339), box.header[i].Get("tosspayments-webhook-transmission-time"))
				}
			})
		})
	}
}

// A retry brings the body of the change, though the payment has changed since; after a
// success nothing comes.
func TestWebhookRetryBringsWhatHappened(t *testing.T) {
	server := tosstest.New()
	t.Cleanup(server.Close)
	box := newInbox(server)
	box.answers = failures(1)
	p := pay(t, server, socks("order-0001"))
	server.WaitWebhooks()
	cancelRest(t, server, p)
	server.Advance(time.Minute)
	server.Advance(1000 * time.Hour)
	assert.Equal(t, []string{"PAYMENT_STATUS_CHANGED DONE", "PAYMENT_STATUS_CHANGED CANCELED", "PAYMENT_STATUS_CHANGED DONE"}, box.take(server))
}

func TestWebhookReceivers(t *testing.T) {
	server := tosstest.New()
	t.Cleanup(server.Close)
	all, some := newInbox(server), newInbox(server, webhook.DepositCallback)
	all.answers, some.answers = failures(1), failures(2)
	pay(t, server, accountCheckout("order-0001"))
	assert.Equal(t, []string{"PAYMENT_STATUS_CHANGED WAITING_FOR_DEPOSIT", "DEPOSIT_CALLBACK WAITING_FOR_DEPOSIT"}, all.take(server))
	assert.Equal(t, []string{"DEPOSIT_CALLBACK WAITING_FOR_DEPOSIT"}, some.take(server))
	server.Advance(5 * time.Minute)
	assert.Equal(t, []string{"PAYMENT_STATUS_CHANGED WAITING_FOR_DEPOSIT"}, all.take(server), "only what has failed there")
	assert.Len(t, some.take(server), 2)
	assert.Panics(t, func() { server.RegisterWebhook("/webhook") })
}

func TestWebhookSucceedsWith200Only(t *testing.T) {
	server := tosstest.NewServer(t)
	followed := httptest.NewServer(&inbox{})
	t.Cleanup(followed.Close)
	var n atomic.Int64
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch status := []int{201, 204, 302, 400, 0, 200}[n.Add(1)-1]; status {
		case 0:
			panic(http.ErrAbortHandler)
		case 200:
			assert.Equal(t, "/toss/webhook?from=toss", r.RequestURI)
			assert.Equal(t, "5", r.Header.Get("tosspayments-webhook-transmission-retried-count"))
			assert.Equal(t, []string{"application/json"}, r.Header["Content-Type"])
		case 302:
			http.Redirect(w, r, followed.URL, http.StatusFound)
		default:
			w.WriteHeader(status)
		}
	}))
	t.Cleanup(shop.Close)
	server.RegisterWebhook(shop.URL + "/toss/webhook?from=toss")
	pay(t, server, socks("order-0001"))
	server.Advance(1000 * time.Hour)
	server.WaitWebhooks()
	var statuses []int
	for _, d := range server.Deliveries() {
		statuses = append(statuses, d.Status)
		assert.Equal(t, d.Status == 0, d.Err != nil)
	}
	assert.Equal(t, []int{201, 204, 302, 400, 0, 200}, statuses)
}

func TestWebhookHandlersThatDoNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := tosstest.New()
		box := newInbox(server)
		does := []func(){
			func() { panic("oops") }, runtime.Goexit,
			func() { time.Sleep(10*time.Second + 1) }, func() { time.Sleep(10*time.Second - 1) },
		}
		var n atomic.Int64
		box.meanwhile(func(string) { does[n.Add(1)-1]() })
		pay(t, server, socks("order-0001"))
		server.WaitWebhooks()
		server.Advance(1000 * time.Hour)
		server.WaitWebhooks()
		var statuses []int
		var errs []error
		for _, d := range server.Deliveries() {
			statuses, errs = append(statuses, d.Status), append(errs, d.Err)
		}
		require.Equal(t, []int{0, 0, 0, 200}, statuses)
		assert.ErrorContains(t, errs[0], "oops")
		assert.Error(t, errs[1])
		assert.ErrorIs(t, errs[2], context.DeadlineExceeded)
		assert.NoError(t, errs[3])
	})
}

func TestWebhookFaults(t *testing.T) {
	run := func(name string, test func(*testing.T, *tosstest.Server, *inbox)) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := tosstest.New()
				test(t, server, newInbox(server))
			})
		})
	}
	run("duplicate", func(t *testing.T, server *tosstest.Server, box *inbox) {
		server.InjectWebhook(tosstest.WebhookFault{Event: "DEPOSIT_CALLBACK", Kind: tosstest.DuplicateWebhook})
		arrived := make(chan bool, 2)
		meet := make(chan bool)
		box.meanwhile(func(body string) {
			if !strings.Contains(body, "eventType") {
				arrived <- true
				<-meet
			}
		})
		pay(t, server, accountCheckout("order-0001"))
		<-arrived
		<-arrived
		close(meet)
		assert.Equal(t, []string{"PAYMENT_STATUS_CHANGED WAITING_FOR_DEPOSIT", "DEPOSIT_CALLBACK WAITING_FOR_DEPOSIT", "DEPOSIT_CALLBACK WAITING_FOR_DEPOSIT"}, box.take(server))
		box.meanwhile(nil)
		d := server.Deliveries()
		assert.Equal(t, d[1].Header, d[2].Header, "nothing tells the two apart")
		assert.Equal(t, []int{200, 200}, []int{d[1].Status, d[2].Status}, "both at the same time")
		box.answers = failures(2)
		server.InjectWebhook(tosstest.WebhookFault{Kind: tosstest.DuplicateWebhook})
		pay(t, server, socks("order-0002"))
		assert.Len(t, box.take(server), 2)
		server.Advance(1000 * time.Hour)
		assert.Len(t, box.take(server), 1, "one retry for both")
	})
	run("delay", func(t *testing.T, server *tosstest.Server, box *inbox) {
		server.InjectWebhook(tosstest.WebhookFault{OrderID: "order-0004", Kind: tosstest.DelayWebhook, Delay: time.Hour})
		pay(t, server, socks("order-0003"))
		pay(t, server, socks("order-0004"))
		assert.Len(t, box.take(server), 1)
		assert.Equal(t, "order-0003", last(server).OrderID)
		server.Advance(time.Hour - time.Second)
		assert.Empty(t, box.take(server))
		server.Advance(time.Second)
		assert.Len(t, box.take(server), 1)
		assert.Zero(t, last(server).RetriedCount)
		sent := last(server).At
		assert.Equal(t, sent.UnixMilli(), ulidTime(last(server).ID[9:]).UnixMilli(), "the id is made when it is first sent")
	})
	run("hold", func(t *testing.T, server *tosstest.Server, box *inbox) {
		server.InjectWebhook(tosstest.WebhookFault{Kind: tosstest.HoldWebhook})
		p := pay(t, server, socks("order-0005"))
		assert.Empty(t, box.take(server))
		cancelPart(t, server, p, 1)
		cancelRest(t, server, p)
		assert.Equal(t, []string{"PAYMENT_STATUS_CHANGED PARTIAL_CANCELED", "PAYMENT_STATUS_CHANGED DONE", "PAYMENT_STATUS_CHANGED PARTIAL_CANCELED"}, box.take(server))
		server.InjectWebhook(tosstest.WebhookFault{Kind: tosstest.HoldWebhook})
		pay(t, server, socks("order-0006"))
		assert.Empty(t, box.take(server))
		server.Advance(time.Minute)
		assert.Len(t, box.take(server), 1, "nothing has followed")
	})
	run("lose", func(t *testing.T, server *tosstest.Server, box *inbox) {
		server.InjectWebhook(tosstest.WebhookFault{Event: "PAYMENT_STATUS_CHANGED", Kind: tosstest.LoseWebhook, Times: 2})
		for i := range 3 {
			pay(t, server, socks(fmt.Sprint("order-000", 7+i)))
		}
		server.Advance(1000 * time.Hour)
		assert.Len(t, box.take(server), 1)
		assert.Equal(t, "order-0009", last(server).OrderID)
	})
	run("cleared", func(t *testing.T, server *tosstest.Server, box *inbox) {
		server.InjectWebhook(tosstest.WebhookFault{Kind: tosstest.LoseWebhook})
		server.ClearFaults()
		pay(t, server, socks("order-0010"))
		assert.Len(t, box.take(server), 1)
	})
}

func TestEarlyWebhook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := tosstest.New()
		box := newInbox(server)
		server.InjectWebhook(tosstest.WebhookFault{Kind: tosstest.EarlyWebhook, Times: 2})
		redirect := server.Authenticate(socks("order-0001"))
		request, err := redirect.ConfirmRequest(tosspayments.Won(15000))
		require.NoError(t, err)
		start := time.Now()
		var answered atomic.Bool
		box.meanwhile(func(string) {
			time.Sleep(2 * time.Second)
			assert.False(t, answered.Load())
			payment, err := server.Client().GetPayment(t.Context(), redirect.PaymentKey)
			assert.NoError(t, err)
			if payment.Status == tosspayments.PaymentStatusDone {
				_, err = server.Client().CancelPayment(t.Context(), redirect.PaymentKey, tosspayments.CancelPaymentRequest{CancelReason: "sold out"})
				assert.NoError(t, err)
			}
		})
		_, err = server.Client().ConfirmPayment(t.Context(), request)
		require.NoError(t, err)
		answered.Store(true)
		assert.Equal(t, 4*time.Second, time.Since(start), "the confirm has waited for DONE, whose receiver has waited for CANCELED")
		assert.Equal(t, []string{"PAYMENT_STATUS_CHANGED DONE", "PAYMENT_STATUS_CHANGED CANCELED"}, box.take(server))
	})
}

func TestEarlyWebhookOfASlowReceiver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := tosstest.New()
		box := newInbox(server)
		box.meanwhile(func(string) { time.Sleep(11 * time.Second) })
		server.InjectWebhook(tosstest.WebhookFault{Kind: tosstest.EarlyWebhook})
		start := time.Now()
		pay(t, server, socks("order-0002"))
		assert.Equal(t, 10*time.Second, time.Since(start), "no longer than a delivery takes")
		server.WaitWebhooks()
		assert.Zero(t, last(server).Status)
		time.Sleep(time.Second) // until the receiver has ended
		box.meanwhile(nil)
		server.Advance(time.Minute)
		server.WaitWebhooks()
		assert.Equal(t, 1, last(server).RetriedCount, "and it is retried like any other")
	})
}

func TestEarlyWebhookOfADeposit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := tosstest.New()
		box := newInbox(server)
		box.meanwhile(func(string) { time.Sleep(3 * time.Second) })
		start := time.Now()
		pay(t, server, accountCheckout("order-0003"))
		assert.Zero(t, time.Since(start), "otherwise the answer does not wait")
		server.WaitWebhooks()
		assert.Equal(t, 6*time.Second, time.Since(start), "one after the other")
		server.InjectWebhook(tosstest.WebhookFault{Kind: tosstest.EarlyWebhook, Times: 2})
		start = time.Now()
		require.NoError(t, server.Deposit("order-0003", tosspayments.Won(15000)))
		assert.Equal(t, 3*time.Second, time.Since(start))
		server.WaitWebhooks()
	})
}

func TestEarlyWebhookThatNoCallHasCaused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := tosstest.New()
		box := newInbox(server)
		box.meanwhile(func(string) { time.Sleep(3 * time.Second) })
		server.OpenWindow(socks("order-0004"))
		server.InjectWebhook(tosstest.WebhookFault{Kind: tosstest.EarlyWebhook})
		start := time.Now()
		server.Advance(time.Hour)
		assert.Zero(t, time.Since(start))
		newCaller(t, server).call("GET", "/v1/payments/orders/order-0004", "")
		assert.Zero(t, time.Since(start))
		server.WaitWebhooks()
	})
}

func TestRandomWebhookFaults(t *testing.T) {
	const orders = 200
	run := func(seed uint64) (told []string, repeated, outOfOrder int) {
		synctest.Test(t, func(t *testing.T) {
			server := tosstest.New(tosstest.WithRandomWebhookFaults(seed, 0.5))
			newInbox(server)
			for i := range orders {
				pay(t, server, socks(fmt.Sprintf("order-%04d", i)))
			}
			time.Sleep(time.Hour)
			server.WaitWebhooks()
			var newest string
			for _, d := range server.Deliveries() {
				switch {
				case slices.Contains(told, d.OrderID):
					repeated++
				default:
					told = append(told, d.OrderID)
				}
				if d.OrderID < newest {
					outOfOrder++
				}
				newest = max(newest, d.OrderID)
			}
		})
		return told, repeated, outOfOrder
	}
	told, repeated, outOfOrder := run(1)
	assert.Len(t, told, orders, "none is lost")
	assert.Greater(t, repeated, 10)
	assert.Greater(t, outOfOrder, 10)
	again, _, _ := run(1)
	assert.Equal(t, told, again)
	other, _, _ := run(2)
	assert.NotEqual(t, told, other)
}

// sentEvent sends an event, and returns how it was delivered.
func sentEvent(t *testing.T, server *tosstest.Server, event webhook.EventType, data any) (d tosstest.Delivery, members map[string]json.RawMessage) {
	t.Helper()
	server.SendWebhook(event, data)
	server.WaitWebhooks()
	d = last(server)
	require.Equal(t, event, d.Event)
	require.NoError(t, json.Unmarshal(d.Body, &members))
	return d, members
}

// Whatever is sent, the library can read.
func TestSendWebhook(t *testing.T) {
	server := tosstest.New()
	t.Cleanup(server.Close)
	server.SendWebhook("METHOD_UPDATED", nil) // nobody receives it
	box := newInbox(server)
	for event, data := range sentData {
		d, _ := sentEvent(t, server, event, json.RawMessage(data))
		e, err := webhook.Parse(d.Body)
		require.NoError(t, err, "%s", d.Body)
		assert.Equal(t, event, e.Type)
		assert.WithinDuration(t, time.Now(), e.CreatedAt, time.Minute)
		assert.Equal(t, event == "payout.changed" || event == "seller.changed", d.Header.Get("tosspayments-webhook-signature") != "")
	}
	assert.Equal(t, len(sentData), box.len())
}

var sentData = map[webhook.EventType]string{
	"METHOD_UPDATED":               `{"customerKey":"c","methodKey":"m","status":"ENABLED"}`,
	"ORDER_PAYMENT_STATUS_CHANGED": `{"orderKey":"l","payment":{"orderId":"order-0001"}}`,
	"EVENT_OF_TOMORROW":            `[1, 2]`,
	"payout.changed":               `{ "id":"FPA_1", "status":"COMPLETED" }`,
	"seller.changed":               `{"id":"seller_1","status":"APPROVED"}`,
	"ars-reservation.changed":      `{"status":"DONE"}`,
	"DEPOSIT_CALLBACK":             `{"orderId":"order-0002","status":"DONE"}`,
}

// What is sent stands where events of its kind have it, byte for byte.
func TestSentData(t *testing.T) {
	server := tosstest.New()
	t.Cleanup(server.Close)
	newInbox(server)
	for event, data := range sentData {
		d, members := sentEvent(t, server, event, json.RawMessage(data))
		switch {
		case strings.HasSuffix(string(event), ".changed"):
			assert.Len(t, members, 6)
			assert.Equal(t, data, string(members["entityBody"]))
		case event == "DEPOSIT_CALLBACK":
			assert.Len(t, members, 3)
			assert.Equal(t, "order-0002", d.OrderID)
		default:
			assert.Len(t, members, 3)
			assert.Equal(t, data, string(members["data"]))
		}
	}
}

func TestSentEntities(t *testing.T) {
	server := tosstest.New()
	t.Cleanup(server.Close)
	newInbox(server)
	for _, entity := range []string{"payout", "seller", "ars-reservation"} {
		d, members := sentEvent(t, server, webhook.EventType(entity+".changed"), json.RawMessage(`{"status":"DONE"}`))
		e, err := webhook.Parse(d.Body)
		require.NoError(t, err)
		assert.Equal(t, entity, e.EntityType)
		assert.Equal(t, "2022-11-16", e.Version)
		assert.Regexp(t, `^evt_[0-9a-z]{26}$`, e.EventID)
		assert.Regexp(t, `^"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+09:00"$`, string(members["createdAt"]))
	}
}

func TestSentValues(t *testing.T) {
	server := tosstest.New()
	t.Cleanup(server.Close)
	newInbox(server)
	d, _ := sentEvent(t, server, "CUSTOMER_STATUS_CHANGED", map[string]string{"status": "REMOVED"})
	assert.Contains(t, string(d.Body), `"data":{"status":"REMOVED"}`)
	assert.Panics(t, func() { server.SendWebhook("X", json.RawMessage("{")) })
	assert.Panics(t, func() { server.SendWebhook("X", func() {}) })
}

func TestWebhookSignatures(t *testing.T) {
	one, two, other := strings.Repeat("1a", 32), strings.Repeat("2b", 32), strings.Repeat("3c", 32)
	for name, row := range map[string]struct {
		options []tosstest.Option
		keys    []string
	}{
		"default":      {nil, []string{tosstest.DefaultSecurityKey}},
		"text":         {[]tosstest.Option{tosstest.WithSecurityKey(one)}, []string{one}},
		"bytes":        {[]tosstest.Option{tosstest.WithSecurityKey(one), tosstest.WithSignatureByKeyBytes()}, []string{one}},
		"two keys":     {[]tosstest.Option{tosstest.WithSecurityKey(one, two)}, []string{one, two}},
		"two of bytes": {[]tosstest.Option{tosstest.WithSecurityKey(one, two), tosstest.WithSignatureByKeyBytes()}, []string{one, two}},
	} {
		t.Run(name, func(t *testing.T) {
			server := tosstest.New(row.options...)
			t.Cleanup(server.Close)
			box := newInbox(server)
			box.answers = failures(1)
			server.SendWebhook(webhook.PayoutChanged, json.RawMessage(`{"id": "FPA_1", "status": "COMPLETED"}`))
			server.WaitWebhooks()
			server.Advance(time.Minute)
			server.WaitWebhooks()
			require.Len(t, box.bodies, 2)
			for i, body := range box.bodies {
				transmission := webhook.ParseTransmission(box.header[i].Get)
				assert.Equal(t, signatures(t, row.keys, body, transmission.Time, strings.Contains(name, "bytes")), transmission.Signature)
				for _, key := range row.keys {
					assert.NoError(t, verify(t, key, body, transmission))
					assert.Error(t, verify(t, key, body+" ", transmission))
				}
				assert.Error(t, verify(t, other, body, transmission))
			}
			assert.NotEqual(t, box.header[0].Get("tosspayments-webhook-signature"), box.header[1].Get("tosspayments-webhook-signature"), "it covers the time of the transmission")
		})
	}
}

// signatures are those of an event by each key, as its header has them.
func signatures(t *testing.T, keys []string, body, at string, decoded bool) string {
	t.Helper()
	var items []string
	for _, key := range keys {
		item, err := webhook.Sign(key, []byte(body), at, decoded)
		require.NoError(t, err)
		items = append(items, item)
	}
	return strings.Join(items, ",")
}

// verify is what a receiver with this key says of an event.
func verify(t *testing.T, key, body string, transmission webhook.Transmission) error {
	t.Helper()
	verifier, err := webhook.NewVerifier(key)
	require.NoError(t, err)
	return verifier.Verify([]byte(body), transmission)
}

func TestSecurityKeysThatAreNone(t *testing.T) {
	for _, keys := range [][]string{{}, {"1a"}, {tosstest.DefaultSecretKey}} {
		assert.Panics(t, func() { tosstest.WithSecurityKey(keys...) })
	}
}

func TestResendWebhook(t *testing.T) {
	for newIDs, ids := range map[bool]int{false: 1, true: 10} {
		t.Run(fmt.Sprint("new ids: ", newIDs), func(t *testing.T) {
			var options []tosstest.Option
			if newIDs {
				options = append(options, tosstest.WithNewTransmissionIDs())
			}
			server := tosstest.New(options...)
			t.Cleanup(server.Close)
			box, other := newInbox(server), newInbox(server)
			box.answers = failures(100)
			pay(t, server, socks("order-0001"))
			server.Advance(1000 * time.Hour)
			server.WaitWebhooks()
			require.Equal(t, 8, box.len())
			id := box.header[3].Get("tosspayments-webhook-transmission-id")
			for range 2 {
				require.NoError(t, server.ResendWebhook(id))
				server.Advance(1000 * time.Hour)
				server.WaitWebhooks()
			}
			require.Equal(t, 10, box.len(), "it is not retried")
			assert.Equal(t, 1, other.len(), "it goes to its own receiver")
			assert.Equal(t, 9, last(server).RetriedCount)
			assert.Equal(t, box.bodies[0], box.bodies[9])
			seen := map[string]bool{}
			for _, header := range box.header {
				seen[header.Get("tosspayments-webhook-transmission-id")] = true
			}
			assert.Len(t, seen, ids)
		})
	}
}

func TestOnlyWhatWasSentIsSentAgain(t *testing.T) {
	assert.Error(t, tosstest.New().ResendWebhook("whtrans_none"))
}

func TestWebhooksOfTomorrow(t *testing.T) {
	server := tosstest.New(tosstest.WithTomorrow(), tosstest.WithAPIVersion("2024-06-01"))
	t.Cleanup(server.Close)
	box := newInbox(server)
	pay(t, server, accountCheckout("order-0001"))
	server.SendWebhook(webhook.PayoutChanged, json.RawMessage(`{"id":"FPA_1"}`))
	server.WaitWebhooks()
	require.Len(t, box.bodies, 3)
	for _, body := range box.bodies {
		assert.Contains(t, body, "fieldOfTomorrow")
		_, err := webhook.Parse([]byte(body))
		assert.NoError(t, err)
	}
	assert.Contains(t, box.bodies[2], `"version":"2024-06-01"`)
}

// Close ends what runs, and nothing comes after it.
func TestCloseStopsWebhooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := tosstest.New()
		box := newInbox(server)
		box.meanwhile(func(string) { time.Sleep(9 * time.Second) })
		pay(t, server, accountCheckout("order-0001"))
		synctest.Wait()
		start := time.Now()
		server.Close()
		assert.Zero(t, time.Since(start))
		assert.Len(t, server.Deliveries(), 1)
		require.NoError(t, server.Deposit("order-0001", tosspayments.Won(15000)))
		server.SendWebhook("METHOD_UPDATED", nil)
		server.Advance(1000 * time.Hour)
		server.WaitWebhooks()
		time.Sleep(1000 * time.Hour)
		assert.Equal(t, 1, box.len(), "the one that was running")
		assert.ErrorIs(t, last(server).Err, context.Canceled)
		server.Close()
	})
	t.Run("receivers that wait", func(t *testing.T) {
		server, err := tosstest.Start()
		require.NoError(t, err)
		arrived := make(chan bool)
		shop := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.ReadAll(r.Body)
			arrived <- true
			<-r.Context().Done()
		}))
		server.RegisterWebhook(shop.URL)
		pay(t, server, socks("order-0001"))
		<-arrived
		server.Close()
		shop.Close()
	})
}

// Many callers, receivers that call back, and faults: everything arrives.
func TestWebhooksUnderLoad(t *testing.T) {
	t.Parallel()
	const orders = 200
	server := tosstest.NewServer(t, tosstest.WithRandomWebhookFaults(1, 0.3))
	var mu sync.Mutex
	told := map[string]bool{}
	client := server.Client()
	shop := httptest.NewServer(&webhook.Handler{
		Client: func(context.Context, *webhook.Event) (*tosspayments.Client, error) { return client, nil },
		Handle: func(_ context.Context, d webhook.Delivery) error {
			mu.Lock()
			defer mu.Unlock()
			told[d.Event.Identity()] = true
			return nil
		},
	})
	t.Cleanup(shop.Close)
	server.RegisterWebhook(shop.URL, webhook.DepositCallback)
	box := newInbox(server)
	server.InjectWebhook(tosstest.WebhookFault{Kind: tosstest.EarlyWebhook, Times: 50})
	var all sync.WaitGroup
	for i := range orders {
		all.Go(func() {
			order := fmt.Sprintf("order-%04d", i)
			pay(t, server, accountCheckout(order))
			assert.NoError(t, server.Deposit(order, tosspayments.Won(15000)))
		})
	}
	all.Wait()
	server.Advance(10 * time.Minute)
	server.WaitWebhooks()
	mu.Lock()
	defer mu.Unlock()
	assert.Len(t, told, 2*orders)
	assert.GreaterOrEqual(t, box.len(), 4*orders)
}

func TestExpiredAccountsTakeNoDeposit(t *testing.T) {
	server := tosstest.New()
	t.Cleanup(server.Close)
	box := newInbox(server)
	payment := pay(t, server, accountCheckout("order-0002"))
	box.take(server)
	require.NoError(t, server.ExpireAccount("order-0002"))
	assert.Error(t, server.Deposit("order-0002", tosspayments.Won(15000)))
	assert.Empty(t, box.take(server), "it passes in silence")
	payment, err := server.Client().GetPayment(t.Context(), payment.PaymentKey)
	require.NoError(t, err)
	assert.True(t, payment.VirtualAccount.Expired)
	assert.True(t, payment.VirtualAccount.DueDate.Before(server.Now()))
}

func TestWhatCannotExpire(t *testing.T) {
	server := tosstest.New()
	pay(t, server, socks("order-0003"))
	assert.Error(t, server.ExpireAccount("order-0003"), "a card")
	pay(t, server, accountCheckout("order-0004"))
	require.NoError(t, server.Deposit("order-0004", tosspayments.Won(15000)))
	assert.Error(t, server.ExpireAccount("order-0004"), "it has been paid")
}

func TestAccountsExpireInTheWindow(t *testing.T) {
	server := tosstest.NewServer(t)
	window, payment := accountInTheWindow(t, server, nil)
	assert.Contains(t, page(t, window), `value="overdue"`)
	choose(t, window, "overdue", "")
	html := page(t, window)
	assert.Contains(t, html, "입금 기한이 지났어요. 웹훅이 없으니")
	assert.Contains(t, html, "상점으로 돌아가기")
	assert.NotContains(t, html, `value="deposit"`)
	payment, err := server.Client().GetPayment(t.Context(), payment.PaymentKey)
	require.NoError(t, err)
	assert.True(t, payment.VirtualAccount.Expired)
	assert.Error(t, server.Deposit("order-0001", tosspayments.Won(15000)))
}

func TestWebhooksOfTheWindow(t *testing.T) {
	server := tosstest.NewServer(t)
	box := newInbox(server)
	for i, row := range []struct {
		outcome string
		told    []string
	}{
		{"cancel", nil}, {"pay", nil},
		{"reject", []string{"PAYMENT_STATUS_CHANGED ABORTED"}}, {"abort", []string{"PAYMENT_STATUS_CHANGED ABORTED"}},
		{"expire", []string{"PAYMENT_STATUS_CHANGED EXPIRED"}},
	} {
		_, answer := openWindow(t, server, tosstest.DefaultClientKey, windowRequest(object{"orderId": fmt.Sprint("order-000", i)}))
		choose(t, answer["url"], row.outcome, "card:61")
		assert.Equal(t, row.told, box.take(server), row.outcome)
	}
	_, answer := openWindow(t, server, tosstest.DefaultClientKey, windowRequest(object{"orderId": "order-0009", "method": "VIRTUAL_ACCOUNT"}))
	redirect, err := tosspayments.ParseSuccessURL(choose(t, answer["url"], "pay", "bank:88"))
	require.NoError(t, err)
	request, err := redirect.ConfirmRequest(tosspayments.Won(15000))
	require.NoError(t, err)
	_, err = server.Client().ConfirmPayment(t.Context(), request)
	require.NoError(t, err)
	box.take(server)
	response, err := http.PostForm(answer["url"], map[string][]string{"outcome": {"bounce"}})
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusConflict, response.StatusCode, "there is no deposit to take back")
	assert.Empty(t, box.take(server))
	for _, outcome := range []string{"deposit", "bounce"} {
		choose(t, answer["url"], outcome, "")
		assert.Len(t, box.take(server), 2)
	}
}
