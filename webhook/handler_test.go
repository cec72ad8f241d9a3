package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
	"github.com/seed238ab19c/tosspayments/webhook"
)

// accountRequest asks for a virtual account of 15,000 won.
func accountRequest() tosspayments.IssueVirtualAccountRequest {
	return tosspayments.IssueVirtualAccountRequest{
		OrderID: "order-0001", OrderName: "socks", Amount: tosspayments.Won(15000), CustomerName: "김토스", Bank: "20",
	}
}

// everyEventIsOf is a Handler.Client that takes every event for one of this client's.
func everyEventIsOf(client *tosspayments.Client) func(context.Context, *webhook.Event) (*tosspayments.Client, error) {
	return func(context.Context, *webhook.Event) (*tosspayments.Client, error) { return client, nil }
}

func deliver(handler http.Handler, body string, change func(*http.Request)) int {
	r := httptest.NewRequest(http.MethodPost, "/webhook", strings.NewReader(body))
	r.Header.Set("tosspayments-webhook-transmission-time", sentAt)
	r.Header.Set("tosspayments-webhook-transmission-id", "whtrans_1")
	r.Header.Set("tosspayments-webhook-transmission-retried-count", "2")
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w.Code
}

// inbox is a Handle that keeps what it gets.
type inbox struct {
	got   []webhook.Delivery
	fails error
}

func (i *inbox) handle(_ context.Context, d webhook.Delivery) error {
	i.got = append(i.got, d)
	return i.fails
}

func (i *inbox) last() webhook.Delivery { return i.got[len(i.got)-1] }

// accountReceiver is a receiver of events whose shop has issued one virtual account.
type accountReceiver struct {
	inbox
	*webhook.Handler
	server  *tosstest.Server
	payment *tosspayments.Payment
	// deposit is the genuine event of the account, claim an event about it that anybody can send.
	deposit, claim string
}

func newAccountReceiver(t *testing.T) *accountReceiver {
	t.Helper()
	server := tosstest.New()
	client := server.Client(tosspayments.WithMaxRetries(0))
	payment, err := client.IssueVirtualAccount(t.Context(), accountRequest())
	require.NoError(t, err)
	r := &accountReceiver{
		server: server, payment: payment,
		deposit: strings.ReplaceAll(depositEvent, "ps_secret", payment.Secret.Reveal()),
		claim:   strings.ReplaceAll(paymentEvent, "pay-1", payment.PaymentKey),
	}
	r.Handler = &webhook.Handler{
		Client: everyEventIsOf(client), Verifier: verifier(t, securityKey), Handle: r.handle,
		Secret: func(_ context.Context, orderID string) (tosspayments.Sensitive, error) {
			if orderID == payment.OrderID {
				return payment.Secret, nil
			}
			return tosspayments.Sensitive{}, nil
		},
	}
	return r
}

func TestADepositIsProvenByItsSecret(t *testing.T) {
	r := newAccountReceiver(t)
	assert.Equal(t, 200, deliver(r, r.deposit, nil))
	assert.Equal(t, webhook.BySecret, r.last().Verified)
	assert.Equal(t, r.payment.PaymentKey, r.last().Payment.PaymentKey, "proven, and fresh too")
	assert.Equal(t, webhook.Transmission{ID: "whtrans_1", Time: sentAt, RetriedCount: 2}, r.last().Transmission)
}

func TestAClaimIsReadFromTheServer(t *testing.T) {
	r := newAccountReceiver(t)
	assert.Equal(t, 200, deliver(r, r.claim, nil))
	assert.Equal(t, webhook.Unverified, r.last().Verified, "fresh, but not proven")
	assert.Equal(t, tosspayments.PaymentStatusWaitingForDeposit, r.last().Payment.Status, "what the server says, not what the event claims")
}

func TestAGenuineEventMayBeOld(t *testing.T) {
	r := newAccountReceiver(t)
	require.NoError(t, r.server.Deposit(r.payment.OrderID, r.payment.TotalAmount))
	require.NoError(t, r.server.Bounce(r.payment.OrderID))
	assert.Equal(t, 200, deliver(r, r.deposit, nil))
	assert.Equal(t, tosspayments.PaymentStatusDone, r.last().Event.ClaimedStatus())
	assert.Equal(t, tosspayments.PaymentStatusWaitingForDeposit, r.last().Payment.Status, "the deposit has bounced since")
}

func TestUnknownEventsAreAcknowledged(t *testing.T) {
	r := newAccountReceiver(t)
	assert.Equal(t, 200, deliver(r, `{"eventType":"EVENT_OF_TOMORROW","data":{}}`, nil))
	assert.Equal(t, webhook.Unverified, r.last().Verified)
}

func TestVerificationsHaveNames(t *testing.T) {
	assert.Equal(t, "unverified", webhook.Unverified.String())
	assert.Equal(t, "by secret", webhook.BySecret.String())
	assert.Equal(t, "by signature", webhook.BySignature.String())
}

// What is refused is not handed over.
func TestWhatAHandlerRefuses(t *testing.T) {
	r := newAccountReceiver(t)
	for name, row := range map[string]struct {
		status int
		body   string
		change func(*http.Request)
	}{
		"a wrong secret": {401, depositEvent, nil},
		"a payment that this merchant does not have": {503, paymentEvent, nil},
		"no event": {400, "{", nil},
		"no POST":  {405, "", func(r *http.Request) { r.Method = http.MethodGet }},
		"too much": {413, strings.Repeat(" ", 128<<10+1), nil},
		"a payment key that is longer than any can be": {401, strings.Replace(paymentEvent, "pay-1", strings.Repeat("p", 201), 1), nil},
	} {
		assert.Equal(t, row.status, deliver(r, row.body, row.change), name)
	}
	assert.Equal(t, 413, r.Receive(t.Context(), make([]byte, 128<<10+1), webhook.Transmission{}))
	assert.Empty(t, r.got)
}

// An event that cannot be judged now is asked for again.
func TestWhatAHandlerAsksForAgain(t *testing.T) {
	away := errors.New("the database is away")
	for name, spoil := range map[string]func(*accountReceiver){
		"no secret": func(r *accountReceiver) {
			r.Secret = func(context.Context, string) (tosspayments.Sensitive, error) { return r.payment.Secret, away }
		},
		"no client": func(r *accountReceiver) {
			r.Secret = nil
			r.Client = func(context.Context, *webhook.Event) (*tosspayments.Client, error) { return r.server.Client(), away }
		},
	} {
		r := newAccountReceiver(t)
		spoil(r)
		assert.Equal(t, 503, deliver(r, r.deposit, nil), name)
		assert.Empty(t, r.got, name)
	}
}

func TestAPaymentThatCannotBeReadIsAskedForAgain(t *testing.T) {
	r := newAccountReceiver(t)
	for _, body := range []string{r.claim, r.deposit} {
		r.server.Inject(tosstest.Fault{Kind: tosstest.BadGateway})
		assert.Equal(t, 503, deliver(r, body, nil))
	}
	assert.Empty(t, r.got)
}

func TestAHandlerWithoutClientReadsNothing(t *testing.T) {
	r := newAccountReceiver(t)
	r.Client = nil
	assert.Equal(t, 200, deliver(r, r.deposit, nil))
	assert.Nil(t, r.last().Payment)
}

func TestHandlerFails(t *testing.T) {
	box := inbox{fails: errors.New("the database is away")}
	var log strings.Builder
	handler := &webhook.Handler{Handle: box.handle, Logger: slog.New(slog.NewTextHandler(&log, nil))}
	assert.Equal(t, 500, deliver(handler, depositEvent, nil))
	handler.Handle = func(context.Context, webhook.Delivery) error { panic("oops") }
	assert.Equal(t, 500, deliver(handler, depositEvent, nil))
	assert.Contains(t, log.String(), "oops")
	handler.Handle = nil
	assert.Equal(t, 500, deliver(handler, depositEvent, nil))
	assert.Contains(t, log.String(), "Handler.Handle is nil")
	assert.NotContains(t, log.String(), "ps_secret")
}

func TestEverySignatureIsVerified(t *testing.T) {
	signature := sign(t, securityKey, payoutEvent, sentAt, true)
	signed := func(r *http.Request) { r.Header.Set("tosspayments-webhook-signature", signature) }
	var box inbox
	handler := &webhook.Handler{Verifier: verifier(t, securityKey), Handle: box.handle}
	t.Run("genuine", func(t *testing.T) {
		assert.Equal(t, 200, deliver(handler, payoutEvent, signed))
		assert.Equal(t, webhook.BySignature, box.last().Verified)
	})
	t.Run("not genuine", func(t *testing.T) {
		before := len(box.got)
		assert.Equal(t, 401, deliver(handler, payoutEvent, nil), "no signature")
		assert.Equal(t, 401, deliver(handler, strings.Replace(payoutEvent, "payout.", "seller.", 1), nil))
		assert.Equal(t, 401, deliver(handler, strings.Replace(payoutEvent, "payout.changed", "payouT.changed", 1), signed))
		assert.Equal(t, 401, deliver(handler, depositEvent, signed), "of another event")
		assert.Equal(t, 401, deliver(handler, payoutEvent, func(r *http.Request) { r.Header.Set("tosspayments-webhook-signature", "v2:x") }))
		assert.Len(t, box.got, before)
	})
	t.Run("too old", func(t *testing.T) {
		impatient := verifier(t, securityKey)
		impatient.MaxAge = time.Minute
		assert.Equal(t, 401, deliver(&webhook.Handler{Verifier: impatient, Handle: box.handle}, payoutEvent, signed))
	})
	t.Run("without keys", func(t *testing.T) {
		assert.Equal(t, 200, deliver(&webhook.Handler{Handle: box.handle}, payoutEvent, nil))
		assert.Equal(t, webhook.Unverified, box.last().Verified, "it cannot be verified without the keys")
	})
}

// merchantClient answers lookups of one MID.
func merchantClient(t *testing.T, mock *httpmock.MockTransport, secretKey string) *tosspayments.Client {
	t.Helper()
	client, err := tosspayments.New(secretKey, tosspayments.WithHTTPClient(&http.Client{Transport: mock}))
	require.NoError(t, err)
	return client
}

func TestSeveralMerchants(t *testing.T) {
	const (
		event    = `{"eventType": "PAYMENT_STATUS_CHANGED", "createdAt": "2026-03-01T10:00:00.000000", "data": {"mId": "bill_othermid", "paymentKey": "other20260301100000abcde", "orderId": "order-000009", "status": "DONE", "totalAmount": 1000}}`
		deposit  = `{"createdAt":"2026-03-01T13:05:44.000000","secret":"s","status":"DONE","transactionKey":"T1","orderId":"order-000009"}`
		notFound = `{"code": "NOT_FOUND_PAYMENT", "message": "존재하지 않는 결제 정보 입니다."}`
		found    = `{"mId": "bill_othermid", "paymentKey": "other20260301100000abcde", "orderId": "order-000009", "status": "DONE", "totalAmount": 1000, "balanceAmount": 1000, "currency": "KRW"}`
	)
	byKey, byOrder := "=~/v1/payments/other20260301100000abcde$", "=~/v1/payments/orders/order-000009$"
	own, other := httpmock.NewMockTransport(), httpmock.NewMockTransport()
	for _, address := range []string{byKey, byOrder} {
		own.RegisterResponder(http.MethodGet, address, httpmock.NewStringResponder(404, notFound))
		other.RegisterResponder(http.MethodGet, address, httpmock.NewStringResponder(200, found))
	}
	ownClient, otherClient := merchantClient(t, own, "test_sk_own0000000000"), merchantClient(t, other, "test_sk_other00000000")
	clientOf := func(_ context.Context, e *webhook.Event) (*tosspayments.Client, error) {
		switch {
		case e.Payment != nil && e.Payment.MID == "bill_othermid":
			return otherClient, nil
		case e.Payment == nil && e.OrderID() == "order-000009": // of the orders, which name the MID
			return otherClient, nil
		}
		return nil, nil
	}
	for name, body := range map[string]string{"payment": event, "deposit": deposit} {
		t.Run("a "+name+" of another merchant comes again", func(t *testing.T) {
			var box inbox
			assert.Equal(t, 503, deliver(&webhook.Handler{Client: everyEventIsOf(ownClient), Handle: box.handle}, body, nil))
			assert.Empty(t, box.got)
		})
		t.Run("the client is chosen by the "+name, func(t *testing.T) {
			var box inbox
			assert.Equal(t, 200, deliver(&webhook.Handler{Client: clientOf, Handle: box.handle}, body, nil))
			assert.Equal(t, tosspayments.OutcomePaid, box.last().Payment.Outcome())
			assert.Equal(t, webhook.Unverified, box.last().Verified)
		})
	}
	t.Run("no client", func(t *testing.T) {
		var box inbox
		asked := own.GetTotalCallCount() + other.GetTotalCallCount()
		handler := &webhook.Handler{Client: clientOf, Handle: box.handle}
		assert.Equal(t, 200, deliver(handler, strings.ReplaceAll(event, "bill_othermid", "somebody_else"), nil))
		assert.Nil(t, box.last().Payment, "not ours")
		assert.Equal(t, webhook.Unverified, box.last().Verified)
		assert.Equal(t, asked, own.GetTotalCallCount()+other.GetTotalCallCount())
	})
}

// notMine is a handler of a shop that knows no order, what it has handed over, and what it
// has asked Toss Payments.
func notMine(t *testing.T) (*webhook.Handler, *inbox, *httpmock.MockTransport) {
	t.Helper()
	mock := httpmock.NewMockTransport()
	var box inbox
	return &webhook.Handler{
		Client: everyEventIsOf(merchantClient(t, mock, "test_sk_own0000000000")), Handle: box.handle,
		Secret: func(_ context.Context, orderID string) (tosspayments.Sensitive, error) {
			return tosspayments.Sensitive{}, fmt.Errorf("order %s: %w", orderID, webhook.ErrNotMine)
		},
	}, &box, mock
}

// Orders that are not known cost no request.
func TestNotMine(t *testing.T) {
	handler, box, mock := notMine(t)
	for range 100 {
		for _, event := range []string{depositEvent, paymentEvent} {
			assert.Equal(t, 200, deliver(handler, event, nil))
		}
	}
	assert.Zero(t, mock.GetTotalCallCount())
	require.Len(t, box.got, 200)
	assert.Equal(t, webhook.Unverified, box.last().Verified)
	assert.Nil(t, box.last().Payment)
}

// Handle has the last word on them: the order may not be written yet.
func TestNotMineMayComeAgain(t *testing.T) {
	handler, box, _ := notMine(t)
	box.fails = errors.New("there is no such order yet")
	assert.Equal(t, 500, deliver(handler, depositEvent, nil))
}

// The payment of a cheap order that was paid, under the id of another one.
func TestPaymentOfAnotherOrder(t *testing.T) {
	server := tosstest.NewServer(t)
	client := server.Client()
	payment, err := client.IssueVirtualAccount(t.Context(), accountRequest())
	require.NoError(t, err)
	var box inbox
	handler := &webhook.Handler{Client: everyEventIsOf(client), Handle: box.handle}
	forged := strings.NewReplacer("pay-1", payment.PaymentKey, "order-0001", "order-9999").Replace(paymentEvent)
	assert.Equal(t, 401, deliver(handler, forged, nil))
	assert.Empty(t, box.got)

	found, err := parse(t, forged).FetchPayment(t.Context(), client)
	require.ErrorIs(t, err, webhook.ErrOtherOrder)
	assert.Equal(t, tosspayments.OutcomeUnknown, tosspayments.OutcomeOf(found, err), "it says nothing about the order")
	_, err = parse(t, payoutEvent).FetchPayment(t.Context(), client)
	assert.ErrorContains(t, err, "names no payment")
	honest := strings.Replace(paymentEvent, "pay-1", payment.PaymentKey, 1)
	assert.Equal(t, 200, deliver(handler, honest, nil))
}

// What was refused can be found in the log.
func TestRefusalsAreLogged(t *testing.T) {
	var log strings.Builder
	box := inbox{fails: errors.New("no such order yet")}
	handler := &webhook.Handler{
		Handle: box.handle, Verifier: verifier(t, securityKey), Logger: slog.New(slog.NewTextHandler(&log, nil)),
		Secret: func(_ context.Context, orderID string) (tosspayments.Sensitive, error) {
			if orderID == "order-0002" {
				return tosspayments.Sensitive{}, errors.New("the database is away")
			}
			return tosspayments.NewSensitive("ps_stored"), nil
		},
	}
	for _, row := range []struct {
		status      int
		body        string
		kind, order string
	}{
		{401, depositEvent, "DEPOSIT_CALLBACK", "order-0001"},
		{401, payoutEvent, "payout.changed", `""`},
		{500, strings.ReplaceAll(paymentEvent, "DONE", "ABORTED"), "PAYMENT_STATUS_CHANGED", "order-0001"},
		{503, strings.ReplaceAll(depositEvent, "order-0001", "order-0002"), "DEPOSIT_CALLBACK", "order-0002"},
		{400, "{", `""`, `""`},
		{413, strings.Repeat(" ", 1<<20), `""`, `""`},
	} {
		log.Reset()
		assert.Equal(t, row.status, deliver(handler, row.body, nil))
		for _, part := range []string{
			"level=WARN", fmt.Sprint("status=", row.status), "type=" + row.kind, "order=" + row.order, "transmission=whtrans_1", "retried=2", "error=",
		} {
			assert.Contains(t, log.String(), part)
		}
		assert.NotContains(t, log.String(), "ps_s")
	}
	log.Reset()
	deliver(handler, strings.ReplaceAll(depositEvent, "order-0001", `\n`+strings.Repeat("o", 100<<10)), func(r *http.Request) {
		r.Header.Set("tosspayments-webhook-transmission-id", strings.Repeat("i", 1<<20))
	})
	assert.Less(t, log.Len(), 1000)
	assert.Equal(t, 1, strings.Count(log.String(), "\n"))
}

// deadlines notes the deadline that a handler sets for reading.
type deadlines struct {
	*httptest.ResponseRecorder
	read time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error {
	d.read = t
	return nil
}

// slow fails as a connection does when its deadline has passed.
type slow struct{}

func (slow) Read([]byte) (int, error) { return 0, os.ErrDeadlineExceeded }

func TestHandlerBoundsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var ended time.Duration
		handler := &webhook.Handler{Handle: func(ctx context.Context, _ webhook.Delivery) error {
			<-ctx.Done()
			ended = time.Since(start)
			return ctx.Err()
		}}
		assert.Equal(t, 500, deliver(handler, depositEvent, nil))
		assert.Less(t, ended, 10*time.Second, "within the time that Toss Payments waits")

		w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/webhook", slow{}))
		assert.Equal(t, 400, w.Code)
		assert.Equal(t, 9*time.Second, time.Until(w.read))
	})
}

// A Handle that goes on after its time has stored the event, but nobody hears it: the
// event comes again, and is known by then.
func TestHandleTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := tosstest.New()
		defer server.Close()
		var mu sync.Mutex
		var log strings.Builder
		var got []webhook.Delivery
		stored := map[string]bool{}
		server.RegisterWebhookHandler(&webhook.Handler{
			Logger: slog.New(slog.NewTextHandler(&log, nil)),
			Handle: func(_ context.Context, d webhook.Delivery) error {
				mu.Lock()
				defer mu.Unlock()
				if got = append(got, d); !stored[d.Event.Identity()] {
					time.Sleep(12 * time.Second)
					stored[d.Event.Identity()] = true
				}
				return nil
			},
		}, webhook.DepositCallback)
		_, err := server.Client().IssueVirtualAccount(t.Context(), accountRequest())
		require.NoError(t, err)
		server.WaitWebhooks()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		assert.Contains(t, log.String(), "too late")

		server.Advance(time.Minute)
		server.WaitWebhooks()
		require.Len(t, got, 2)
		assert.Equal(t, 1, got[1].Transmission.RetriedCount)
		assert.Equal(t, got[0].Event.Identity(), got[1].Event.Identity())
		deliveries := server.Deliveries()
		assert.Equal(t, []int{0, 200}, []int{deliveries[0].Status, deliveries[1].Status}, "no answer within ten seconds, then one")
		assert.Len(t, stored, 1)
	})
}

// A flood is worked off a few at a time; who waits too long is told to come again.
func TestHandlerBoundsDeliveries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		running, most := 0, 0
		answers := map[int]int{}
		handler := &webhook.Handler{Handle: func(context.Context, webhook.Delivery) error {
			mu.Lock()
			running++
			most = max(most, running)
			mu.Unlock()
			time.Sleep(4 * time.Second)
			mu.Lock()
			running--
			mu.Unlock()
			return nil
		}}
		var all sync.WaitGroup
		for range 200 {
			all.Go(func() {
				status := handler.Receive(t.Context(), []byte(depositEvent), webhook.Transmission{})
				mu.Lock()
				answers[status]++
				mu.Unlock()
			})
		}
		all.Wait()
		assert.Equal(t, 32, most)
		assert.Equal(t, map[int]int{200: 96, 503: 104}, answers)
	})
}

func TestHandlerLosesNothing(t *testing.T) {
	const deliveries = 200
	var mu sync.Mutex
	stored := map[string]bool{}
	receiver := httptest.NewServer(&webhook.Handler{Handle: func(_ context.Context, d webhook.Delivery) error {
		mu.Lock()
		defer mu.Unlock()
		stored[d.Event.Identity()] = true
		return nil
	}})
	t.Cleanup(receiver.Close)
	var all sync.WaitGroup
	for i := range deliveries {
		all.Go(func() {
			body := strings.ReplaceAll(depositEvent, "order-0001", fmt.Sprintf("order-%04d", i))
			response, err := http.Post(receiver.URL, "application/json", strings.NewReader(body))
			if assert.NoError(t, err) {
				assert.Equal(t, http.StatusOK, response.StatusCode)
				assert.NoError(t, response.Body.Close())
			}
		})
	}
	all.Wait()
	assert.Len(t, stored, deliveries)
}

// FuzzHandler never takes for signed what was not, and never panics out.
func FuzzHandler(f *testing.F) {
	verifier := verifier(f, securityKey)
	genuine := sign(f, securityKey, payoutEvent, sentAt, true)
	f.Add([]byte(payoutEvent), genuine, sentAt)
	f.Add([]byte(payoutEvent), genuine+","+genuine, "")
	f.Add([]byte(payoutEvent), "v1:,v2:x, ,:", sentAt)
	f.Add([]byte(depositEvent), "", "")
	f.Fuzz(func(t *testing.T, body []byte, signature, time string) {
		handler := &webhook.Handler{Verifier: verifier, Handle: func(_ context.Context, d webhook.Delivery) error {
			if d.Verified == webhook.Unverified {
				if signature != "" || d.Event.Type == webhook.PayoutChanged {
					t.Errorf("%s passes with the signature %q", d, signature)
				}
				return nil
			}
			for _, decoded := range []bool{false, true} {
				own, err := webhook.Sign(securityKey, body, time, decoded)
				if err == nil && strings.Contains(signature, strings.TrimPrefix(own, "v1:")) {
					return nil
				}
			}
			t.Errorf("%s without a signature of the key", d)
			return nil
		}}
		switch status := handler.Receive(t.Context(), body, webhook.Transmission{Signature: signature, Time: time}); status {
		case 200, 400, 401:
		default:
			t.Fatalf("status %d", status)
		}
	})
}
