package webhook_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
	"github.com/seed238ab19c/tosspayments/webhook"
)

const (
	paymentEvent = `{"eventType":"PAYMENT_STATUS_CHANGED","createdAt":"2026-03-01T10:16:02.120345",
		"data":{"mId":"m","paymentKey":"pay-1","orderId":"order-0001","status":"DONE","totalAmount":33000,"lastTransactionKey":"T1","secret":null}}`
	depositEvent = `{"createdAt":"2026-03-01T13:05:44.000000","secret":"ps_secret","status":"DONE","transactionKey":"T1","orderId":"order-0001"}`
	payoutEvent  = `{"eventType":"payout.changed","createdAt":"2026-03-06T09:30:00+09:00","version":"2022-11-16","eventId":"evt_1","entityType":"payout",
		"entityBody":{"id":"FPA_1","status":"COMPLETED"}}`
)

func parse(t testing.TB, body string) *webhook.Event {
	t.Helper()
	event, err := webhook.Parse([]byte(body))
	require.NoError(t, err)
	return event
}

func TestParsePayment(t *testing.T) {
	e := parse(t, paymentEvent)
	assert.Equal(t, webhook.PaymentStatusChanged, e.Type)
	assert.Equal(t, "pay-1", e.Payment.PaymentKey)
	assert.Equal(t, "2026-03-01T01:16:02.120345Z", e.CreatedAt.UTC().Format(time.RFC3339Nano), "without an offset it is Korean time")
}

func TestParseDeposit(t *testing.T) {
	d := parse(t, depositEvent)
	assert.Equal(t, webhook.DepositCallback, d.Type)
	assert.Equal(t, tosspayments.PaymentStatusDone, d.ClaimedStatus())
	assert.Equal(t, parse(t, paymentEvent).Identity(), d.Identity(), "two kinds of event, one change")
}

func TestMatchesSecret(t *testing.T) {
	d := parse(t, depositEvent)
	assert.True(t, d.MatchesSecret(tosspayments.NewSensitive("ps_secret")))
	assert.False(t, d.MatchesSecret(tosspayments.NewSensitive("ps_other")))
	assert.False(t, d.MatchesSecret(tosspayments.Sensitive{}))
	assert.False(t, parse(t, paymentEvent).MatchesSecret(tosspayments.NewSensitive("")), "no secret matches nothing")
}

func TestParsePayout(t *testing.T) {
	p := parse(t, payoutEvent)
	assert.Equal(t, "event/evt_1", p.Identity())
	assert.JSONEq(t, `{"id":"FPA_1","status":"COMPLETED"}`, string(p.Data))
}

func TestParseUnknownEvent(t *testing.T) {
	u := parse(t, `{"eventType":"EVENT_OF_TOMORROW","createdAt":"2026-03-05T00:00:00.000000","orderId":"o","data":{"a":1,"A":2}}`)
	assert.JSONEq(t, `{"a":1,"A":2}`, string(u.Data), "the data of other types is the caller's")
	assert.NotEmpty(t, u.Identity())
}

func TestParseCancel(t *testing.T) {
	c := parse(t, `{"eventType":"CANCEL_STATUS_CHANGED","data":{"transactionKey":"C1","cancelAmount":12.5,"cancelStatus":"DONE"}}`)
	assert.Equal(t, "12.5", c.Cancel.CancelAmount.String())
	assert.Equal(t, "cancel/C1/DONE", c.Identity())
}

func TestParseDeletedBillingKey(t *testing.T) {
	b := parse(t, `{"eventType":"BILLING_DELETED","data":{"billingKey":"key-1","reason":null}}`)
	assert.Equal(t, "key-1", b.Billing.BillingKey.Reveal())
	assert.NotContains(t, b.Identity(), "key-1")
}

// Servers use their buffers again.
func TestParseKeepsItsOwnBytes(t *testing.T) {
	buffer := []byte(depositEvent)
	event, err := webhook.Parse(buffer)
	require.NoError(t, err)
	clear(buffer)
	assert.Equal(t, depositEvent, string(event.Body))
	assert.Equal(t, depositEvent, string(event.Data))
}

func TestParseRefuses(t *testing.T) {
	for _, body := range []string{
		"", "{", "[]", "{}", "null", `{"eventType":7}`, depositEvent + "{}", strings.Repeat(" ", 128<<10) + depositEvent,
		`{"eventType":"PAYMENT_STATUS_CHANGED","data":{}}`, `{"eventType":"BILLING_DELETED","data":null}`, `{"eventType":"BILLING_DELETED","data":{}}`,
		`{"eventType":"DEPOSIT_CALLBACK","data":{}}`, `{"eventType":"CANCEL_STATUS_CHANGED","data":[]}`, `{"eventType":"CANCEL_STATUS_CHANGED","data":{}}`,
		strings.Replace(paymentEvent, "33000", "{}", 1), strings.Replace(paymentEvent, `"secret":null`, `"currency":{}`, 1),
		`{"eventType":"payout.changed","data":{"id":"FPA_1"},"entityBody":{"id":"FPA_2"}}`,
	} {
		event, err := webhook.Parse([]byte(body))
		var invalid *tosspayments.ValidationError
		require.ErrorAs(t, err, &invalid, "%.60s", body)
		assert.Nil(t, event)
	}
}

// Programs disagree about which of two spellings counts, and a proxy may look at the
// other one.
func TestParseTakesEachNameOnce(t *testing.T) {
	for name, body := range map[string]string{
		"another spelling beside it":    `{"orderId":"order-A","ORDERID":"order-B","secret":"s","status":"DONE"}`,
		"twice":                         `{"orderId":"order-A","orderId":"order-B","secret":"s","status":"DONE"}`,
		"another spelling alone":        `{"ORDERID":"order-B","orderId":null,"secret":"s","status":"DONE","eventType":"DEPOSIT_CALLBACK"}`,
		"a letter that folds":           `{"orderId":"order-A","ſecret":"s","status":"DONE"}`,
		"in capitals in the data":       `{"eventType":"PAYMENT_STATUS_CHANGED","data":{"paymentKey":"p","orderId":"order-A","ORDERID":"order-B","status":"DONE","totalAmount":1}}`,
		"unknown, twice in the data":    `{"eventType":"BILLING_DELETED","data":{"billingKey":"k","x":1,"X":2}}`,
		"at the top and in the data":    `{"eventType":"PAYMENT_STATUS_CHANGED","orderId":"order-B","data":{"paymentKey":"p","orderId":"order-A","status":"DONE","totalAmount":1}}`,
		"a deposit at both places":      `{"secret":"s","status":"DONE","orderId":"order-A","eventType":"DEPOSIT_CALLBACK","data":{"secret":"s","status":"DONE","orderId":"order-B"}}`,
		"a deposit beside another type": `{"eventType":"PAYMENT_STATUS_CHANGED","secret":"s","data":{"paymentKey":"p","orderId":"order-A","status":"DONE","totalAmount":1}}`,
	} {
		_, err := webhook.Parse([]byte(body))
		var invalid *tosspayments.ValidationError
		assert.ErrorAs(t, err, &invalid, name)
	}
}

// referenceEvents are the example of each event of the reference.
func referenceEvents(t *testing.T) map[webhook.EventType]*webhook.Event {
	t.Helper()
	data, err := os.ReadFile("testdata/events.json")
	require.NoError(t, err)
	var examples []json.RawMessage
	require.NoError(t, json.Unmarshal(data, &examples))
	events := map[webhook.EventType]*webhook.Event{}
	for _, example := range examples {
		e := parse(t, string(example))
		assert.JSONEq(t, string(example), string(e.Body))
		events[e.Type] = e
	}
	return events
}

func TestEveryEventHasATimeAndAnIdentity(t *testing.T) {
	events := referenceEvents(t)
	assert.Len(t, events, 12)
	for _, e := range events {
		assert.False(t, e.CreatedAt.IsZero(), e.Type)
		assert.NotEmpty(t, e.Identity(), e.Type)
	}
}

func TestEventsOfPaymentsAreTyped(t *testing.T) {
	events := referenceEvents(t)
	assert.Equal(t, tosspayments.Won(33000), events[webhook.PaymentStatusChanged].Payment.TotalAmount)
	assert.Equal(t, "order-20260301-0009", events[webhook.DepositCallback].Deposit.OrderID)
	assert.Equal(t, tosspayments.CancelStatusDone, events[webhook.CancelStatusChanged].Cancel.CancelStatus)
	assert.Equal(t, "Zxample-billing-key-0001=", events[webhook.BillingDeleted].Billing.BillingKey.Reveal())
}

func TestEventsOfOtherProductsAreDecoded(t *testing.T) {
	events := referenceEvents(t)
	for eventType, row := range map[webhook.EventType]struct{ name, want string }{
		webhook.MethodUpdated:             {"methodKey", "mkey_example"},
		webhook.CustomerStatusChanged:     {"status", "REMOVED"},
		webhook.OrderPaymentStatusChanged: {"orderKey", "lk_example"},
		webhook.PayoutStatusChanged:       {"payoutKey", "pk_1"},
		webhook.SubmallStatusChanged:      {"subMallId", "sub-1"},
		webhook.PayoutChanged:             {"id", "FPA_example1"},
		webhook.SellerChanged:             {"refSellerId", "shop-77"},
		webhook.ARSReservationChanged:     {"arsReservationKey", "ars_1"},
	} {
		var fields map[string]any
		require.NoError(t, events[eventType].Decode(&fields), eventType)
		assert.Equal(t, row.want, fields[row.name], eventType)
		assert.Empty(t, events[eventType].OrderID(), "it wakes no order")
	}
}

func TestDecode(t *testing.T) {
	payout := parse(t, strings.Replace(payoutEvent, `"FPA_1"`, `"FPA_1","requestedAt":"2026-03-06T09:20:00","amount":{},"ref":7`, 1))
	var fields struct {
		ID          string    `json:"id"`
		RequestedAt time.Time `json:"requestedAt"`
		Amount      int       `json:"amount"`
		Ref         string    `json:"ref"`
		Status      string    `json:"status"`
	}
	require.NoError(t, payout.Decode(&fields))
	assert.Equal(t, "FPA_1 7 COMPLETED", fields.ID+" "+fields.Ref+" "+fields.Status, "what cannot be read hides nothing else")
	assert.Equal(t, "2026-03-06T00:20:00Z", fields.RequestedAt.UTC().Format(time.RFC3339))
	var list []string
	assert.ErrorContains(t, payout.Decode(&list), "payout.changed")
	assert.Error(t, parse(t, `{"eventType":"X"}`).Decode(&fields))
}

func TestOtherForms(t *testing.T) {
	for name, body := range map[string]string{
		"flat, with a type":    `{"eventType":"DEPOSIT_CALLBACK","createdAt":"2026-03-01T13:05:44","secret":"s","status":"DONE","transactionKey":"T1","orderId":"order-0001"}`,
		"flat, data is null":   `{"data":null,"createdAt":"2026-03-01T13:05:44","secret":"s","status":"DONE","transactionKey":"T1","orderId":"order-0001"}`,
		"in an envelope":       `{"eventType":"DEPOSIT_CALLBACK","createdAt":"2026-03-01T13:05:44.1","data":{"secret":"s","status":"DONE","transactionKey":"T1","orderId":"order-0001"}}`,
		"with an offset":       `{"createdAt":"2026-03-01T13:05:44+09:00","secret":"s","status":"DONE","transactionKey":"T1","orderId":"order-0001"}`,
		"a time in other form": `{"createdAt":1772337944,"secret":"s","status":"DONE","transactionKey":"T1","orderId":"order-0001","new":{"a":1}}`,
	} {
		t.Run(name, func(t *testing.T) {
			e := parse(t, body)
			assert.Equal(t, webhook.DepositCallback, e.Type)
			assert.Equal(t, "payment/order-0001/DONE/T1", e.Identity())
			assert.True(t, e.MatchesSecret(tosspayments.NewSensitive("s")))
			assert.Equal(t, name == "a time in other form", e.CreatedAt.IsZero())
		})
	}
	odd := parse(t, strings.Replace(paymentEvent, `"secret":null`, `"approvedAt":"yesterday","card":{"amount":{}},"orderName":7,"secret":"s"`, 1))
	assert.Equal(t, "7", odd.Payment.OrderName)
	assert.True(t, odd.MatchesSecret(tosspayments.NewSensitive("s")), "what cannot be read hides nothing else")
}

// Attempts that never had a transaction have none to be told by.
func TestIdentityOfTwoAttempts(t *testing.T) {
	identities := map[string]bool{}
	for i, status := range []string{"ABORTED", "ABORTED", "EXPIRED", "EXPIRED"} {
		body := fmt.Sprintf(`{"eventType":"PAYMENT_STATUS_CHANGED","createdAt":"2026-03-01T10:00:00.000000",
			"data":{"paymentKey":"pk_case_%d","orderId":"order-000001","status":%q,"totalAmount":1000}}`, i, status)
		identities[parse(t, body).Identity()] = true
		assert.Equal(t, parse(t, body).Identity(), parse(t, strings.Replace(body, "10:00:00", "10:01:00", 1)).Identity(), "the same change again")
	}
	assert.Len(t, identities, 4)
}

// Both kinds of event of each change of an account have one identity, and every change
// has its own.
func TestIdentityOfAnAccount(t *testing.T) {
	server := tosstest.NewServer(t)
	account, err := server.Client().IssueVirtualAccount(t.Context(), accountRequest())
	require.NoError(t, err)
	kinds := map[string]int{}
	for _, happens := range []func() error{
		func() error { return nil },
		func() error { return server.Deposit(account.OrderID, account.TotalAmount) },
		func() error { return server.Bounce(account.OrderID) },
		func() error { return server.Deposit(account.OrderID, account.TotalAmount) },
	} {
		require.NoError(t, happens())
		p, err := server.Client().GetPayment(t.Context(), account.PaymentKey)
		require.NoError(t, err)
		payment := fmt.Sprintf(`{"eventType":"PAYMENT_STATUS_CHANGED","data":{"paymentKey":%q,"orderId":%q,"status":%q,"totalAmount":1,"lastTransactionKey":%q}}`,
			p.PaymentKey, p.OrderID, p.Status, p.LastTransactionKey)
		deposit := fmt.Sprintf(`{"orderId":%q,"status":%q,"transactionKey":%q,"secret":"s"}`, p.OrderID, p.Status, p.LastTransactionKey)
		kinds[parse(t, payment).Identity()]++
		kinds[parse(t, deposit).Identity()]++
	}
	assert.Len(t, kinds, 4)
	for identity, n := range kinds {
		assert.Equal(t, 2, n, identity)
	}
}

func TestIdentityIsShort(t *testing.T) {
	long := strings.Repeat("x", 100<<10)
	seen := map[string]bool{}
	for _, body := range []string{
		strings.Replace(paymentEvent, `"T1`, `"`+long, 1), strings.Replace(paymentEvent, `"T1`, `"y`+long, 1), strings.Replace(paymentEvent, "order-0001", long, 1),
		strings.Replace(depositEvent, `"T1`, `"z`+long, 1), strings.Replace(depositEvent, "DONE", `a\nb\u001b[2J`, 1),
		strings.Replace(payoutEvent, "evt_1", long, 1), strings.Replace(payoutEvent, `"evt_1"`, `"",`+`"n":"`+long+`"`, 1),
		`{"eventType":"CANCEL_STATUS_CHANGED","data":{"cancelStatus":"DONE","transactionKey":"` + long + `"}}`,
		`{"eventType":"CANCEL_STATUS_CHANGED","data":{"cancelStatus":"DONE"}}`, `{"eventType":"` + long + `"}`,
	} {
		e := parse(t, body)
		assert.LessOrEqual(t, len(e.Identity()), 200)
		assert.Regexp(t, `^[!-~]+$`, e.Identity())
		assert.Less(t, len(e.String()), 300)
		seen[e.Identity()] = true
	}
	assert.Len(t, seen, 10, "each has its own")
}

const marker = "s3cr3t-value"

// secretEvents have the marker where events have secrets.
func secretEvents(t *testing.T) (events []*webhook.Event) {
	t.Helper()
	for _, body := range []string{
		strings.Replace(depositEvent, "ps_secret", marker, 1),
		strings.Replace(paymentEvent, `"secret":null`, `"secret":"`+marker+`","card":{"number":"`+marker+`"}`, 1),
		`{"eventType":"BILLING_DELETED","data":{"billingKey":"` + marker + `"}}`,
		`{"eventType":"METHOD_UPDATED","data":{"methodKey":"` + marker + `"}}`,
	} {
		events = append(events, parse(t, body))
	}
	return events
}

func TestNothingOfAnEventIsPrinted(t *testing.T) {
	for _, event := range secretEvents(t) {
		delivery := webhook.Delivery{Event: event, Payment: event.Payment}
		for _, value := range []any{event, *event, delivery, &delivery, []any{*event}, map[string]any{"e": delivery}, struct{ E *webhook.Event }{event}} {
			assertNotPrinted(t, marker, printed(value))
			assertNotPrinted(t, marker, logged(value))
		}
	}
}

func TestEventsArePrintedByTheirIdentity(t *testing.T) {
	for _, event := range secretEvents(t) {
		delivery := webhook.Delivery{Event: event, Payment: event.Payment}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
			assert.Equal(t, string(event.Type)+" "+event.Identity(), fmt.Sprintf(verb, *event))
			assert.Equal(t, event.String()+" (unverified, transmission )", fmt.Sprintf(verb, delivery))
		}
		assert.Equal(t, 2, strings.Count(logged(*event), event.Identity()))
		assert.Equal(t, 2, strings.Count(logged(delivery), event.Identity()))
	}
	assert.Equal(t, "<nil>", fmt.Sprintf("%v", (*webhook.Event)(nil)))
	assert.Contains(t, fmt.Sprint(webhook.Delivery{}), "no event")
}

// An event in a queue must not lose its content silently.
func TestDeliveriesAreNoJSON(t *testing.T) {
	for _, event := range secretEvents(t) {
		_, err := json.Marshal(webhook.Delivery{Event: event, Payment: event.Payment})
		assert.ErrorContains(t, err, "keep its Body")
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		paymentEvent, depositEvent, payoutEvent, "{}", `{"eventType":"BILLING_DELETED","data":null}`, `{"eventType":"CANCEL_STATUS_CHANGED","data":null}`,
		`{"orderId":"a","ORDERID":"b","status":"DONE"}`, `{"eventType":"PAYMENT_STATUS_CHANGED","data":{"cancels":[{},[],"",null]}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := webhook.Parse(body)
		if err != nil {
			require.Nil(t, e)
			return
		}
		if e.Type == "" || len(e.Identity()) > 200 || len(e.String()) > 400 {
			t.Fatal("an event without a type, or with a long identity")
		}
		if named := e.Payment != nil || e.Deposit != nil; named != (e.OrderID() != "") || named != (e.ClaimedStatus() != "") {
			t.Fatal("a payment without order or status")
		}
		again, err := webhook.Parse(e.Body)
		require.NoError(t, err)
		require.Equal(t, e.Identity(), again.Identity())
		_ = e.MatchesSecret(tosspayments.NewSensitive("x"))
		var fields map[string]any
		_ = e.Decode(&fields)
	})
}
