package tosspayments_test

import (
	"bytes"
	"context"
	"encoding/json"
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

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

const (
	paymentEvent = `{"eventType":"PAYMENT_STATUS_CHANGED","createdAt":"2026-03-01T10:16:02.120345",
		"data":{"mId":"m","paymentKey":"pay-1","orderId":"order-0001","status":"DONE","totalAmount":33000,"lastTransactionKey":"T1","secret":null}}`
	depositEvent = `{"createdAt":"2026-03-01T13:05:44.000000","secret":"ps_secret","status":"DONE","transactionKey":"T1","orderId":"order-0001"}`
	payoutEvent  = `{"eventType":"payout.changed","createdAt":"2026-03-06T09:30:00+09:00","version":"2022-11-16","eventId":"evt_1","entityType":"payout",
		"entityBody":{"id":"FPA_1","status":"COMPLETED"}}`
	securityKey = "1111111111111111111111111111111111111111111111111111111111111111"
	sentAt      = "2026-03-01T12:19:21+09:00"
)

func TestParseWebhook(t *testing.T) {
	e, err := tosspayments.ParseWebhook([]byte(paymentEvent))
	require.NoError(t, err)
	assert.Equal(t, tosspayments.WebhookPaymentStatusChanged, e.Type)
	assert.Equal(t, "pay-1", e.Payment.PaymentKey)
	assert.Equal(t, "2026-03-01T01:16:02.120345Z", e.CreatedAt.UTC().Format(time.RFC3339Nano), "without an offset it is Korean time")
	assert.False(t, e.MatchesSecret(tosspayments.NewSensitive("")), "no secret matches nothing")

	d, err := tosspayments.ParseWebhook([]byte(depositEvent))
	require.NoError(t, err)
	assert.Equal(t, tosspayments.WebhookDepositCallback, d.Type)
	assert.Equal(t, tosspayments.PaymentStatusDone, d.ClaimedStatus())
	assert.True(t, d.MatchesSecret(tosspayments.NewSensitive("ps_secret")))
	assert.False(t, d.MatchesSecret(tosspayments.NewSensitive("ps_other")))
	assert.False(t, d.MatchesSecret(tosspayments.Sensitive{}))
	assert.NotContains(t, fmt.Sprintf("%+v", d.Deposit), "ps_secret")
	assert.Equal(t, e.Identity(), d.Identity(), "two kinds of event, one change")

	p, err := tosspayments.ParseWebhook([]byte(payoutEvent))
	require.NoError(t, err)
	assert.Equal(t, "event/evt_1", p.Identity())
	assert.JSONEq(t, `{"id":"FPA_1","status":"COMPLETED"}`, string(p.Data))

	u, err := tosspayments.ParseWebhook([]byte(`{"eventType":"EVENT_OF_TOMORROW","createdAt":"2026-03-05T00:00:00.000000","data":{"a":1}}`))
	require.NoError(t, err)
	assert.JSONEq(t, `{"a":1}`, string(u.Data))
	assert.NotEmpty(t, u.Identity())

	c, err := tosspayments.ParseWebhook([]byte(`{"eventType":"CANCEL_STATUS_CHANGED","data":{"transactionKey":"C1","cancelAmount":12.5,"cancelStatus":"DONE"}}`))
	require.NoError(t, err)
	assert.Equal(t, "12.5", c.Cancel.CancelAmount.String())
	b, err := tosspayments.ParseWebhook([]byte(`{"eventType":"BILLING_DELETED","data":{"billingKey":"key-1","reason":null}}`))
	require.NoError(t, err)
	assert.Equal(t, "key-1", b.Billing.BillingKey.Reveal())
	assert.NotContains(t, b.Identity(), "key-1")

	for _, bad := range []string{
		"", "{", "[]", "{}", `{"eventType":7}`, strings.Repeat(" ", 2<<20),
		`{"eventType":"PAYMENT_STATUS_CHANGED","data":{}}`, `{"eventType":"BILLING_DELETED","data":null}`, `{"eventType":"payout.changed"}`,
		`{"eventType":"DEPOSIT_CALLBACK","data":{}}`, `{"eventType":"ORDER_PAYMENT_STATUS_CHANGED","data":[]}`,
	} {
		event, err := tosspayments.ParseWebhook([]byte(bad))
		var invalid *tosspayments.ValidationError
		require.ErrorAs(t, err, &invalid, "%.60s", bad)
		assert.Nil(t, event)
	}
}

// TestEveryWebhookEvent decodes an example of each event of the reference.
func TestEveryWebhookEvent(t *testing.T) {
	data, err := os.ReadFile("testdata/webhooks.json")
	require.NoError(t, err)
	var examples []json.RawMessage
	require.NoError(t, json.Unmarshal(data, &examples))
	seen := map[tosspayments.WebhookEventType]*tosspayments.WebhookEvent{}
	for _, example := range examples {
		e, err := tosspayments.ParseWebhook(example)
		require.NoError(t, err, "%s", example)
		assert.False(t, e.CreatedAt.IsZero(), e.Type)
		assert.NotEmpty(t, e.Identity())
		assert.JSONEq(t, string(example), string(e.Body))
		assert.NotContains(t, fmt.Sprintf("%v %+v %#v %s", e, e, e, e), "exampleSecret", "nothing of the content is printed")
		assert.NotContains(t, e.LogValue().String(), "billing-key")
		seen[e.Type] = e
	}
	seoul := time.FixedZone("KST", 9*60*60)
	assert.Equal(t, tosspayments.Won(33000), seen["PAYMENT_STATUS_CHANGED"].Payment.TotalAmount)
	assert.Equal(t, "order-20260301-0009", seen["DEPOSIT_CALLBACK"].Deposit.OrderID)
	assert.Equal(t, tosspayments.CancelStatusDone, seen["CANCEL_STATUS_CHANGED"].Cancel.CancelStatus)
	assert.Equal(t, "Zxample-billing-key-0001=", seen["BILLING_DELETED"].Billing.BillingKey.Reveal())
	assert.Equal(t, "mkey_example", seen["METHOD_UPDATED"].Method.MethodKey.Reveal())
	customer := seen["CUSTOMER_STATUS_CHANGED"].Customer
	assert.Equal(t, "REMOVED", customer.Status)
	assert.True(t, customer.ChangedAt.Equal(time.Date(2026, time.March, 5, 0, 0, 0, 0, seoul)))
	link := seen["ORDER_PAYMENT_STATUS_CHANGED"]
	assert.Equal(t, tosspayments.Won(10000), link.LinkPay.Amount)
	assert.Equal(t, "exmpl2", link.Payment.PaymentKey)
	payout := seen["payout.changed"].Payout
	assert.Equal(t, tosspayments.PayoutAmount{Currency: "KRW", Value: tosspayments.Won(50000)}, payout.Amount)
	assert.Equal(t, tosspayments.PayoutStatusCompleted, payout.Status)
	assert.Equal(t, tosspayments.Metadata{"batch": "12"}, payout.Metadata)
	seller := seen["seller.changed"].Seller
	assert.Equal(t, tosspayments.SellerStatusApproved, seller.Status)
	assert.Equal(t, "홍길동", seller.Individual.Name)
	assert.Equal(t, "100*****1234", seller.Account.AccountNumber.Reveal())
	assert.Equal(t, "CANCELED", seen["ars-reservation.changed"].ARSReservation.Status)
	assert.Equal(t, tosspayments.Won(5000), seen["PAYOUT_STATUS_CHANGED"].LegacyPayout.PayoutAmount)
	assert.Equal(t, "sub-1", seen["SUBMALL_STATUS_CHANGED"].Submall.SubMallID)
	assert.Len(t, seen, 12)
}

func TestWebhooksInOtherForms(t *testing.T) {
	for name, body := range map[string]string{
		"flat, with a type":    `{"eventType":"DEPOSIT_CALLBACK","createdAt":"2026-03-01T13:05:44","secret":"s","status":"DONE","transactionKey":"T1","orderId":"order-0001"}`,
		"in an envelope":       `{"eventType":"DEPOSIT_CALLBACK","createdAt":"2026-03-01T13:05:44.1","data":{"secret":"s","status":"DONE","transactionKey":"T1","orderId":"order-0001"}}`,
		"with an offset":       `{"createdAt":"2026-03-01T13:05:44+09:00","secret":"s","status":"DONE","transactionKey":"T1","orderId":"order-0001"}`,
		"a time in other form": `{"createdAt":1772337944,"secret":"s","status":"DONE","transactionKey":"T1","orderId":"order-0001","new":{"a":1}}`,
	} {
		t.Run(name, func(t *testing.T) {
			e, err := tosspayments.ParseWebhook([]byte(body))
			require.NoError(t, err)
			assert.Equal(t, tosspayments.WebhookDepositCallback, e.Type)
			assert.Equal(t, "payment/order-0001/DONE/T1", e.Identity())
			assert.True(t, e.MatchesSecret(tosspayments.NewSensitive("s")))
			assert.Equal(t, name == "a time in other form", e.CreatedAt.IsZero())
		})
	}
}

func TestWebhookSignatures(t *testing.T) {
	body := []byte(payoutEvent)
	other := strings.Repeat("22", 32)
	verifier, err := tosspayments.NewWebhookVerifier(securityKey, other)
	require.NoError(t, err)
	sign := func(key string, decoded bool) string {
		signature, err := tosspayments.SignWebhook(key, body, sentAt, decoded)
		require.NoError(t, err)
		return signature
	}
	wrong := sign(strings.Repeat("33", 32), true)
	for name, row := range map[string]struct {
		body      []byte
		time      string
		signature string
		wants     error
	}{
		"text of the key":       {body, sentAt, sign(securityKey, false), nil},
		"bytes of the key":      {body, sentAt, sign(securityKey, true), nil},
		"the other key":         {body, sentAt, sign(other, true), nil},
		"second of two":         {body, sentAt, wrong + "," + sign(securityKey, true), nil},
		"second without prefix": {body, sentAt, wrong + ", " + strings.TrimPrefix(sign(securityKey, true), "v1:"), nil},
		"wrong key":             {body, sentAt, wrong, tosspayments.ErrWebhookSignature},
		"another time":          {body, "2026-03-01T12:19:22+09:00", sign(securityKey, true), tosspayments.ErrWebhookSignature},
		"encoded again":         {bytes.ReplaceAll(body, []byte("\n"), nil), sentAt, sign(securityKey, true), tosspayments.ErrWebhookSignature},
		"not base64":            {body, sentAt, "v1:***", tosspayments.ErrWebhookSignature},
		"unknown version":       {body, sentAt, "v2:abcd", tosspayments.ErrWebhookVersion},
		"no signature":          {body, sentAt, "", tosspayments.ErrWebhookHeader},
		"no time":               {body, "", sign(securityKey, true), tosspayments.ErrWebhookHeader},
		"no body":               {nil, sentAt, sign(securityKey, true), tosspayments.ErrWebhookBody},
	} {
		t.Run(name, func(t *testing.T) {
			err := verifier.Verify(row.body, tosspayments.WebhookTransmission{Time: row.time, Signature: row.signature})
			if row.wants == nil {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, row.wants)
			}
		})
	}
	assert.Contains(t, tosspayments.ErrWebhookSignature.Error(), "raw bytes")
	assert.NotContains(t, fmt.Sprintf("%+v %#v", verifier, verifier), "1111")
	for _, keys := range [][]string{nil, {"test_sk_x"}, {"11"}} {
		_, err := tosspayments.NewWebhookVerifier(keys...)
		require.Error(t, err)
	}
}

func TestStatusChanges(t *testing.T) {
	const (
		waiting, done     = tosspayments.PaymentStatusWaitingForDeposit, tosspayments.PaymentStatusDone
		partial, canceled = tosspayments.PaymentStatusPartialCanceled, tosspayments.PaymentStatusCanceled
	)
	for _, row := range []struct {
		from, to tosspayments.PaymentStatus
		can      bool
	}{
		{"READY", "IN_PROGRESS", true}, {"IN_PROGRESS", done, true}, {"IN_PROGRESS", "READY", false},
		{waiting, done, true}, {done, waiting, true}, {waiting, canceled, true}, {waiting, partial, false},
		{done, partial, true}, {done, canceled, true}, {done, "IN_PROGRESS", false}, {done, "ABORTED", false},
		{partial, done, false}, {canceled, done, false}, {"EXPIRED", done, false}, {done, done, false},
		{"STATUS_OF_TOMORROW", done, true},
	} {
		assert.Equal(t, row.can, row.from.CanChange(row.to), "%s to %s", row.from, row.to)
	}
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

func TestWebhookHandler(t *testing.T) {
	server := tosstest.NewServer(t)
	client := server.Client(tosspayments.WithMaxRetries(0))
	payment, err := client.IssueVirtualAccount(t.Context(), account())
	require.NoError(t, err)
	verifier, err := tosspayments.NewWebhookVerifier(securityKey)
	require.NoError(t, err)
	var got []tosspayments.WebhookDelivery
	var fails error
	handler := &tosspayments.WebhookHandler{
		Client: client, Verifier: verifier,
		Secret: func(_ context.Context, orderID string) (tosspayments.Sensitive, error) {
			if orderID == payment.OrderID {
				return payment.Secret, nil
			}
			return tosspayments.Sensitive{}, nil
		},
		Handle: func(_ context.Context, d tosspayments.WebhookDelivery) error {
			got = append(got, d)
			return fails
		},
	}
	last := func() tosspayments.WebhookDelivery { return got[len(got)-1] }
	genuine := strings.ReplaceAll(depositEvent, "ps_secret", payment.Secret.Reveal())
	assert.Equal(t, 200, deliver(handler, genuine, nil))
	assert.Equal(t, tosspayments.WebhookSecretMatched, last().Trust)
	assert.Equal(t, "secret matched", last().Trust.String())
	assert.Equal(t, tosspayments.WebhookTransmission{ID: "whtrans_1", Time: sentAt, RetriedCount: 2}, last().Transmission)

	claim := strings.ReplaceAll(paymentEvent, "pay-1", payment.PaymentKey)
	assert.Equal(t, 200, deliver(handler, claim, nil))
	assert.Equal(t, tosspayments.WebhookFetched, last().Trust)
	assert.Equal(t, tosspayments.PaymentStatusWaitingForDeposit, last().Payment.Status, "what the server says, not what the event claims")

	require.NoError(t, server.Deposit(payment.OrderID, payment.TotalAmount))
	require.NoError(t, server.Bounce(payment.OrderID))
	assert.Equal(t, 200, deliver(handler, genuine, nil))
	assert.Equal(t, tosspayments.PaymentStatusDone, last().Event.ClaimedStatus())
	assert.Equal(t, tosspayments.PaymentStatusWaitingForDeposit, last().Payment.Status, "a genuine event may be old: the deposit has bounced since")
	link := `{"eventType":"ORDER_PAYMENT_STATUS_CHANGED","data":{"orderKey":"l","payment":{"paymentKey":"` + payment.PaymentKey + `"}}}`
	assert.Equal(t, 200, deliver(handler, link, nil))
	assert.Equal(t, payment.OrderID, last().Payment.OrderID)

	signature, err := tosspayments.SignWebhook(securityKey, []byte(payoutEvent), sentAt, true)
	require.NoError(t, err)
	signed := func(r *http.Request) { r.Header.Set("tosspayments-webhook-signature", signature) }
	assert.Equal(t, 200, deliver(handler, payoutEvent, signed))
	assert.Equal(t, tosspayments.WebhookSigned, last().Trust)
	assert.Equal(t, 200, deliver(handler, `{"eventType":"EVENT_OF_TOMORROW","data":{}}`, nil), "unknown events are acknowledged")
	assert.Equal(t, tosspayments.WebhookUnverified, last().Trust)

	n := len(got)
	assert.Equal(t, 401, deliver(handler, depositEvent, nil), "a wrong secret")
	assert.Equal(t, 401, deliver(handler, paymentEvent, nil), "a payment that does not exist")
	assert.Equal(t, 401, deliver(handler, payoutEvent, nil), "no signature")
	assert.Equal(t, 400, deliver(handler, "{", nil))
	assert.Equal(t, 405, deliver(handler, "", func(r *http.Request) { r.Method = http.MethodGet }))
	assert.Equal(t, 413, deliver(handler, strings.Repeat(" ", 2<<20), nil))
	server.Inject(tosstest.Fault{Operation: tosstest.GetPayment, Kind: tosstest.BadGateway})
	assert.Equal(t, 503, deliver(handler, claim, nil), "it will come again")
	assert.Len(t, got, n, "nothing of this is handed over")

	fails = errors.New("the database is away")
	assert.Equal(t, 500, deliver(handler, genuine, nil))
	var log strings.Builder
	handler.Logger = slog.New(slog.NewTextHandler(&log, nil))
	handler.Handle = func(context.Context, tosspayments.WebhookDelivery) error { panic("oops") }
	assert.Equal(t, 500, deliver(handler, genuine, nil))
	assert.Contains(t, log.String(), "oops")
	handler.Handle = nil
	assert.Equal(t, 500, deliver(handler, genuine, nil))
	assert.Contains(t, log.String(), "WebhookHandler.Handle is nil")
	assert.NotContains(t, log.String(), payment.Secret.Reveal())
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

func TestWebhookHandlerBoundsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var ended time.Duration
		handler := &tosspayments.WebhookHandler{Handle: func(ctx context.Context, _ tosspayments.WebhookDelivery) error {
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

func TestWebhookHandlerLosesNothing(t *testing.T) {
	const deliveries = 200
	var mu sync.Mutex
	stored := map[string]bool{}
	receiver := httptest.NewServer(&tosspayments.WebhookHandler{Handle: func(_ context.Context, d tosspayments.WebhookDelivery) error {
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

func FuzzParseWebhook(f *testing.F) {
	for _, seed := range []string{paymentEvent, depositEvent, payoutEvent, "{}", `{"eventType":"BILLING_DELETED","data":null}`, `{"eventType":"CANCEL_STATUS_CHANGED","data":null}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := tosspayments.ParseWebhook(body)
		if err != nil {
			return
		}
		if e.Type == "" || e.Identity() == "" {
			t.Fatal("an event without type or identity")
		}
		_ = e.MatchesSecret(tosspayments.NewSensitive("x"))
		_ = e.OrderID() + string(e.ClaimedStatus())
	})
}

// FuzzWebhookHandler never takes for signed what was not, and never panics out.
func FuzzWebhookHandler(f *testing.F) {
	verifier, err := tosspayments.NewWebhookVerifier(securityKey)
	require.NoError(f, err)
	genuine, err := tosspayments.SignWebhook(securityKey, []byte(payoutEvent), sentAt, true)
	require.NoError(f, err)
	f.Add([]byte(payoutEvent), genuine, sentAt)
	f.Add([]byte(payoutEvent), genuine+","+genuine, "")
	f.Add([]byte(payoutEvent), "v1:,v2:x, ,:", sentAt)
	f.Add([]byte(depositEvent), "", "")
	f.Fuzz(func(t *testing.T, body []byte, signature, time string) {
		handler := &tosspayments.WebhookHandler{Verifier: verifier, Handle: func(_ context.Context, d tosspayments.WebhookDelivery) error {
			if d.Trust == tosspayments.WebhookUnverified {
				return nil
			}
			for _, decoded := range []bool{false, true} {
				own, err := tosspayments.SignWebhook(securityKey, body, time, decoded)
				if err == nil && strings.Contains(signature, strings.TrimPrefix(own, "v1:")) {
					return nil
				}
			}
			t.Errorf("%s without a signature of the key", d.Trust)
			return nil
		}}
		switch status := handler.Receive(t.Context(), body, tosspayments.WebhookTransmission{Signature: signature, Time: time}); status {
		case 200, 400, 401:
		default:
			t.Fatalf("status %d", status)
		}
	})
}

func BenchmarkWebhook(b *testing.B) {
	verifier, err := tosspayments.NewWebhookVerifier(securityKey)
	require.NoError(b, err)
	handler := &tosspayments.WebhookHandler{
		Verifier: verifier,
		Secret: func(context.Context, string) (tosspayments.Sensitive, error) {
			return tosspayments.NewSensitive("ps_secret"), nil
		},
		Handle: func(context.Context, tosspayments.WebhookDelivery) error { return nil },
	}
	signature, err := tosspayments.SignWebhook(securityKey, []byte(payoutEvent), sentAt, true)
	require.NoError(b, err)
	for name, body := range map[string]string{"deposit": depositEvent, "payment": paymentEvent, "signed": payoutEvent} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if handler.Receive(b.Context(), []byte(body), tosspayments.WebhookTransmission{Time: sentAt, Signature: signature}) != http.StatusOK {
					b.Fatal("not accepted")
				}
			}
		})
	}
}

// A receiver that stores events and answers.
func ExampleWebhookHandler() {
	server := tosstest.New()
	http.Handle("POST /webhook", &tosspayments.WebhookHandler{
		Client: server.Client(),
		Handle: func(_ context.Context, d tosspayments.WebhookDelivery) error {
			// Store it under d.Event.Identity(), which a duplicate shares; work later.
			fmt.Println(d.Event.Identity(), d.Trust)
			return nil
		},
	})
}

// A consumer that takes longer than the ten seconds works from a queue.
func ExampleWebhookHandler_queue() {
	// In a shop this is a table of its database: what is in memory is lost in a crash.
	queue := make(chan tosspayments.WebhookDelivery, 1)
	handler := &tosspayments.WebhookHandler{Handle: func(_ context.Context, d tosspayments.WebhookDelivery) error {
		select {
		case queue <- d:
			return nil
		default:
			return errors.New("the queue is full") // the event comes again
		}
	}}
	body := []byte(`{"eventType":"BILLING_DELETED","data":{"billingKey":"key-1","reason":null}}`)
	fmt.Println(handler.Receive(context.Background(), body, tosspayments.WebhookTransmission{}))
	fmt.Println(handler.Receive(context.Background(), body, tosspayments.WebhookTransmission{}))
	fmt.Println((<-queue).Event.Type)
	// Output:
	// 200
	// 500
	// BILLING_DELETED
}

func ExampleParseWebhook() {
	event, err := tosspayments.ParseWebhook([]byte(`{"createdAt":"2026-03-01T13:05:44.000000","secret":"ps_secret","status":"DONE",
		"transactionKey":"T1","orderId":"order-0001"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	stored := tosspayments.NewSensitive("ps_secret") // Payment.Secret, as it was stored
	fmt.Println(event.Type, event.OrderID(), event.ClaimedStatus(), event.MatchesSecret(stored))
	// Output: DEPOSIT_CALLBACK order-0001 DONE true
}
