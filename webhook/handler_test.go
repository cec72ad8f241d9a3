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

func account() tosspayments.IssueVirtualAccountRequest {
	return tosspayments.IssueVirtualAccountRequest{
		OrderID: "order-0001", OrderName: "socks", Amount: tosspayments.Won(15000), CustomerName: "김토스", Bank: "20",
	}
}

// only makes every event the client's.
func only(client *tosspayments.Client) func(context.Context, *webhook.Event) (*tosspayments.Client, error) {
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

func TestHandler(t *testing.T) {
	server := tosstest.NewServer(t)
	client := server.Client(tosspayments.WithMaxRetries(0))
	payment, err := client.IssueVirtualAccount(t.Context(), account())
	require.NoError(t, err)
	var box inbox
	handler := &webhook.Handler{
		Client: only(client), Verifier: verifier(t, securityKey), Handle: box.handle,
		Secret: func(_ context.Context, orderID string) (tosspayments.Sensitive, error) {
			if orderID == payment.OrderID {
				return payment.Secret, nil
			}
			return tosspayments.Sensitive{}, nil
		},
	}
	genuine := strings.ReplaceAll(depositEvent, "ps_secret", payment.Secret.Reveal())
	assert.Equal(t, 200, deliver(handler, genuine, nil))
	assert.Equal(t, webhook.BySecret, box.last().Verified)
	assert.Equal(t, "by secret", box.last().Verified.String())
	assert.Equal(t, payment.PaymentKey, box.last().Payment.PaymentKey, "proven, and fresh too")
	assert.Equal(t, webhook.Transmission{ID: "whtrans_1", Time: sentAt, RetriedCount: 2}, box.last().Transmission)

	claim := strings.ReplaceAll(paymentEvent, "pay-1", payment.PaymentKey)
	assert.Equal(t, 200, deliver(handler, claim, nil))
	assert.Equal(t, webhook.Unverified, box.last().Verified, "fresh, but not proven")
	assert.Equal(t, tosspayments.PaymentStatusWaitingForDeposit, box.last().Payment.Status, "what the server says, not what the event claims")

	require.NoError(t, server.Deposit(payment.OrderID, payment.TotalAmount))
	require.NoError(t, server.Bounce(payment.OrderID))
	assert.Equal(t, 200, deliver(handler, genuine, nil))
	assert.Equal(t, tosspayments.PaymentStatusDone, box.last().Event.ClaimedStatus())
	assert.Equal(t, tosspayments.PaymentStatusWaitingForDeposit, box.last().Payment.Status, "a genuine event may be old: the deposit has bounced since")

	assert.Equal(t, 200, deliver(handler, `{"eventType":"EVENT_OF_TOMORROW","data":{}}`, nil), "unknown events are acknowledged")
	assert.Equal(t, webhook.Unverified, box.last().Verified)
	assert.Equal(t, "unverified", box.last().Verified.String())

	n := len(box.got)
	assert.Equal(t, 401, deliver(handler, depositEvent, nil), "a wrong secret")
	assert.Equal(t, 503, deliver(handler, paymentEvent, nil), "a payment that this merchant does not have")
	assert.Equal(t, 400, deliver(handler, "{", nil))
	assert.Equal(t, 405, deliver(handler, "", func(r *http.Request) { r.Method = http.MethodGet }))
	assert.Equal(t, 413, deliver(handler, strings.Repeat(" ", 128<<10+1), nil))
	assert.Equal(t, 413, handler.Receive(t.Context(), make([]byte, 128<<10+1), webhook.Transmission{}))
	assert.Equal(t, 401, deliver(handler, strings.Replace(paymentEvent, "pay-1", strings.Repeat("p", 201), 1), nil), "no payment has such a key")
	server.Inject(tosstest.Fault{Operation: tosstest.GetPayment, Kind: tosstest.BadGateway})
	assert.Equal(t, 503, deliver(handler, claim, nil), "it will come again")
	handler.Secret = func(context.Context, string) (tosspayments.Sensitive, error) {
		return payment.Secret, errors.New("the database is away")
	}
	assert.Equal(t, 503, deliver(handler, genuine, nil))
	handler.Secret = nil
	handler.Client = func(context.Context, *webhook.Event) (*tosspayments.Client, error) {
		return client, errors.New("the database is away")
	}
	assert.Equal(t, 503, deliver(handler, genuine, nil))
	assert.Len(t, box.got, n, "nothing of this is handed over")
	handler.Client = nil
	assert.Equal(t, 200, deliver(handler, genuine, nil))
	assert.Nil(t, box.last().Payment)
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

// A byte of the type that is changed on the way must not turn a signed event into one
// that needs no signature.
func TestEverySignatureIsVerified(t *testing.T) {
	var box inbox
	handler := &webhook.Handler{Verifier: verifier(t, securityKey), Handle: box.handle}
	signature := sign(t, securityKey, payoutEvent, sentAt, true)
	signed := func(r *http.Request) { r.Header.Set("tosspayments-webhook-signature", signature) }
	assert.Equal(t, 200, deliver(handler, payoutEvent, signed))
	assert.Equal(t, webhook.BySignature, box.last().Verified)
	assert.Equal(t, "by signature", box.last().Verified.String())

	n := len(box.got)
	assert.Equal(t, 401, deliver(handler, payoutEvent, nil), "no signature")
	assert.Equal(t, 401, deliver(handler, strings.Replace(payoutEvent, "payout.", "seller.", 1), nil))
	assert.Equal(t, 401, deliver(handler, strings.Replace(payoutEvent, "payout.changed", "payouT.changed", 1), signed))
	assert.Equal(t, 401, deliver(handler, depositEvent, signed), "of another event")
	assert.Equal(t, 401, deliver(handler, payoutEvent, func(r *http.Request) { r.Header.Set("tosspayments-webhook-signature", "v2:x") }))
	assert.Len(t, box.got, n)

	handler.Verifier.MaxAge = time.Minute
	assert.Equal(t, 401, deliver(handler, payoutEvent, signed))
	handler.Verifier = nil
	assert.Equal(t, 200, deliver(handler, payoutEvent, nil))
	assert.Equal(t, webhook.Unverified, box.last().Verified, "it cannot be verified without the keys")
}

// merchant answers lookups of one MID.
func merchant(t *testing.T, mock *httpmock.MockTransport, secretKey string) *tosspayments.Client {
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
	ownClient, otherClient := merchant(t, own, "test_sk_own0000000000"), merchant(t, other, "test_sk_other00000000")
	var box inbox
	handler := &webhook.Handler{Client: only(ownClient), Handle: box.handle}
	assert.Equal(t, 503, deliver(handler, event, nil), "it comes again")
	assert.Equal(t, 503, deliver(handler, deposit, nil))
	assert.Empty(t, box.got)

	handler.Client = func(_ context.Context, e *webhook.Event) (*tosspayments.Client, error) {
		switch {
		case e.Payment != nil && e.Payment.MID == "bill_othermid":
			return otherClient, nil
		case e.Payment == nil && e.OrderID() == "order-000009": // of the orders, which name the MID
			return otherClient, nil
		}
		return nil, nil
	}
	for _, body := range []string{event, deposit} {
		assert.Equal(t, 200, deliver(handler, body, nil))
		assert.Equal(t, tosspayments.OutcomePaid, box.last().Payment.Outcome())
		assert.Equal(t, webhook.Unverified, box.last().Verified)
	}

	asked := own.GetTotalCallCount() + other.GetTotalCallCount()
	assert.Equal(t, 200, deliver(handler, strings.ReplaceAll(event, "bill_othermid", "somebody_else"), nil))
	assert.Nil(t, box.last().Payment, "not ours")
	assert.Equal(t, webhook.Unverified, box.last().Verified)
	assert.Equal(t, asked, own.GetTotalCallCount()+other.GetTotalCallCount())
}

// Orders that are not known cost no request.
func TestNotMine(t *testing.T) {
	mock := httpmock.NewMockTransport()
	var box inbox
	handler := &webhook.Handler{
		Client: only(merchant(t, mock, "test_sk_own0000000000")), Handle: box.handle,
		Secret: func(_ context.Context, orderID string) (tosspayments.Sensitive, error) {
			return tosspayments.Sensitive{}, fmt.Errorf("order %s: %w", orderID, webhook.ErrNotMine)
		},
	}
	for range 100 {
		assert.Equal(t, 200, deliver(handler, depositEvent, nil))
		assert.Equal(t, 200, deliver(handler, paymentEvent, nil))
	}
	assert.Zero(t, mock.GetTotalCallCount())
	require.Len(t, box.got, 200)
	assert.Equal(t, webhook.Unverified, box.last().Verified)
	assert.Nil(t, box.last().Payment)

	box.fails = errors.New("there is no such order yet")
	assert.Equal(t, 500, deliver(handler, depositEvent, nil), "Handle has the last word")
}

// The payment of a cheap order that was paid, under the id of another one.
func TestPaymentOfAnotherOrder(t *testing.T) {
	server := tosstest.NewServer(t)
	client := server.Client()
	payment, err := client.IssueVirtualAccount(t.Context(), account())
	require.NoError(t, err)
	var box inbox
	handler := &webhook.Handler{Client: only(client), Handle: box.handle}
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
		_, err := server.Client().IssueVirtualAccount(t.Context(), account())
		require.NoError(t, err)
		server.WaitWebhooks()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		assert.Zero(t, server.Deliveries()[0].Status, "no answer within ten seconds")
		assert.Contains(t, log.String(), "too late")

		server.Advance(time.Minute)
		server.WaitWebhooks()
		require.Len(t, got, 2)
		assert.Equal(t, 1, got[1].Transmission.RetriedCount)
		assert.Equal(t, got[0].Event.Identity(), got[1].Event.Identity())
		assert.Equal(t, 200, server.Deliveries()[1].Status)
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
