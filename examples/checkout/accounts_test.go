package main

import (
	"fmt"
	"html"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/examples/internal/shop"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// issue orders coffee, to be paid into a virtual account.
func (st *stand) issue(buyer *buyer) (id string, redirect tosspayments.SuccessRedirect) {
	st.t.Helper()
	id = buyer.order()
	redirect = st.toss.Authenticate(tosstest.Checkout{
		OrderID: id, OrderName: productName + " 1개", Amount: productPrice, Method: tosspayments.MethodVirtualAccount,
	})
	status, err := buyer.comeBack(redirect)
	require.NoError(st.t, err)
	require.Equal(st.t, http.StatusOK, status)
	return id, redirect
}

func (st *stand) becomes(id string, to state) {
	st.t.Helper()
	assert.Eventually(st.t, func() bool { return st.find(id).State == to }, 20*time.Second, 20*time.Millisecond, "%s", to)
}

func (st *stand) goods(id string) (out, back int) {
	st.t.Helper()
	out, back, err := st.store.orders.goods(st.t.Context(), id)
	require.NoError(st.t, err)
	return out, back
}

// TestAccountIsShown until when and where to pay; issued is not paid.
func TestAccountIsShown(t *testing.T) {
	st := newShopStand(t)
	buyer := newBuyer(t, st.url)
	id, _ := st.issue(buyer)
	x := st.find(id)
	page := buyer.Page("/orders/" + id)
	assert.Contains(t, page, x.Payment.VirtualAccount.AccountNumber.Reveal())
	assert.Contains(t, page, shop.When(x.Payment.VirtualAccount.DueDate)+"까지")
	assert.Contains(t, buyer.Page("/orders"), shop.When(x.CreatedAt))
	out, _ := st.goods(id)
	assert.Zero(t, out)
}

// TestDepositBounceAndDeposit lets goods out once for each deposit that has stayed, though
// every event comes twice, besides the two kinds of event for each change.
func TestDepositBounceAndDeposit(t *testing.T) {
	t.Parallel()
	st := newShopStand(t)
	st.receive()
	st.toss.InjectWebhook(tosstest.WebhookFault{Kind: tosstest.DuplicateWebhook, Times: 100})
	buyer := newBuyer(t, st.url)
	id, _ := st.issue(buyer)
	require.NoError(t, st.toss.Deposit(id, productPrice))
	st.becomes(id, paid)
	require.NoError(t, st.toss.Bounce(id))
	st.becomes(id, waiting)
	out, back := st.goods(id)
	assert.Equal(t, [2]int{1, 1}, [2]int{out, back}, "the bounce takes the goods back")
	assert.Contains(t, buyer.Page("/orders/"+id), "입금이 취소됐어요")
	require.NoError(t, st.toss.Deposit(id, productPrice))
	st.becomes(id, paid)
	st.toss.WaitWebhooks()
	out, back = st.goods(id)
	assert.Equal(t, [2]int{2, 1}, [2]int{out, back})
}

// TestEventsFromBeforeTheBounce come once more, days later.
func TestEventsFromBeforeTheBounce(t *testing.T) {
	t.Parallel()
	st := newShopStand(t)
	st.receive()
	id, _ := st.issue(newBuyer(t, st.url))
	require.NoError(t, st.toss.Deposit(id, productPrice))
	st.becomes(id, paid)
	require.NoError(t, st.toss.Bounce(id))
	st.becomes(id, waiting)
	st.toss.WaitWebhooks()
	for _, d := range st.toss.Deliveries() {
		require.NoError(t, st.toss.ResendWebhook(d.ID))
	}
	st.toss.WaitWebhooks()
	st.becomes(id, waiting)
	out, back := st.goods(id)
	assert.Equal(t, [2]int{1, 1}, [2]int{out, back})
}

func TestEventsInAnyOrder(t *testing.T) {
	for _, kind := range []tosstest.WebhookFaultKind{tosstest.EarlyWebhook, tosstest.HoldWebhook, tosstest.DelayWebhook} {
		t.Run(string(kind), func(t *testing.T) {
			st := newShopStand(t)
			st.receive()
			st.toss.InjectWebhook(tosstest.WebhookFault{Kind: kind, Times: 1, Delay: time.Hour}, tosstest.WebhookFault{Kind: kind, Times: 1, Delay: time.Hour})
			buyer := newBuyer(t, st.url)
			id, _ := st.issue(buyer)
			st.becomes(id, waiting)
			require.NoError(t, st.toss.Deposit(id, productPrice))
			st.becomes(id, paid)
			st.toss.Advance(2 * time.Hour)
			st.toss.WaitWebhooks()
			st.becomes(id, paid)
			out, back := st.goods(id)
			assert.Equal(t, [2]int{1, 0}, [2]int{out, back})
		})
	}
}

// TestLookedUpBetweenEvents records nothing that was looked up before an event came.
func TestLookedUpBetweenEvents(t *testing.T) {
	st := newShopStand(t)
	buyer := newBuyer(t, st.url)
	id, redirect := st.issue(buyer)
	before := st.find(id)
	require.NoError(t, st.toss.Deposit(id, productPrice))
	old, err := st.toss.Client().GetPayment(t.Context(), redirect.PaymentKey)
	require.NoError(t, err)
	require.True(t, old.IsPaid())
	require.NoError(t, st.toss.Bounce(id))
	st.store.look(t.Context(), id)
	assert.True(t, st.store.record(t.Context(), before, old, nil), "the deposit has bounced since")
	assert.Equal(t, waiting, st.find(id).State)
	out, _ := st.goods(id)
	assert.Zero(t, out)
}

func TestNoEventArrives(t *testing.T) {
	st := newShopStand(t)
	buyer := newBuyer(t, st.url)
	id, _ := st.issue(buyer)
	require.NoError(t, st.toss.Deposit(id, productPrice))
	st.later(0)
	assert.Equal(t, waiting, st.find(id).State, "not yet")
	st.later(11 * time.Minute)
	assert.Equal(t, paid, st.find(id).State, "found by polling")

	other, _ := st.issue(buyer)
	require.NoError(t, st.toss.ExpireAccount(other))
	st.later(11 * time.Minute)
	assert.Equal(t, failed, st.find(other).State, "nothing is sent when the due date passes")
	assert.Contains(t, buyer.Page("/orders/"+other), "입금 기한이 지났어요")
}

// TestForgedEvents of an account that nobody has paid into let no goods out, whatever the
// answer is.
func TestForgedEvents(t *testing.T) {
	st := newShopStand(t)
	id, redirect := st.issue(newBuyer(t, st.url))
	const callback = `{"createdAt":"2026-03-01T13:05:44","secret":"ps_forged","status":"DONE","transactionKey":"T","orderId":"%s"}`
	for name, row := range map[string]struct {
		body   string
		status int
	}{
		"a deposit": {fmt.Sprintf(callback, id), http.StatusUnauthorized},
		"a payment, which may have no secret and is a hint": {fmt.Sprintf(`{"eventType":"PAYMENT_STATUS_CHANGED","createdAt":"2026-03-01T13:05:44",
			"data":{"paymentKey":%q,"orderId":%q,"status":"DONE","totalAmount":15000}}`, redirect.PaymentKey, id), http.StatusOK},
		"of another shop":      {fmt.Sprintf(callback, "of-another-shop"), http.StatusOK},
		"an event of tomorrow": {`{"eventType":"EVENT_OF_TOMORROW","data":{}}`, http.StatusOK},
		"what is no event":     {`{`, http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			response, err := http.Post(st.url+webhookPath, "application/json", strings.NewReader(row.body))
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			assert.Equal(t, row.status, response.StatusCode)
			st.later(hintTime + time.Second)
			assert.Equal(t, waiting, st.find(id).State)
			out, _ := st.goods(id)
			assert.Zero(t, out)
		})
	}
}

// TestManyEventsAtOnce delivers events of many orders twice, late and in any order.
func TestManyEventsAtOnce(t *testing.T) {
	t.Parallel()
	st := newShopStandWith(t, tosstest.NewServer(t, tosstest.WithRandomWebhookFaults(5, 0.5)))
	st.receive()
	buyer := newBuyer(t, st.url)
	ids := make([]string, 10)
	for i := range ids {
		ids[i], _ = st.issue(buyer)
	}
	for range 3 {
		for _, id := range ids {
			require.NoError(t, st.toss.Deposit(id, productPrice))
		}
		for _, id := range ids {
			require.NoError(t, st.toss.Bounce(id))
		}
	}
	for _, id := range ids[:5] {
		require.NoError(t, st.toss.Deposit(id, productPrice))
	}
	st.toss.Advance(time.Hour)
	st.toss.WaitWebhooks()
	for i, id := range ids {
		ends, stayed := waiting, 0
		if i < 5 {
			ends, stayed = paid, 1
		}
		st.becomes(id, ends)
		out, back := st.goods(id)
		assert.Equal(t, stayed, out-back)
	}
}

// TestAccountIsCancelled before anybody has paid: that is no refund.
func TestAccountIsCancelled(t *testing.T) {
	st := newShopStand(t)
	buyer := newBuyer(t, st.url)
	id, _ := st.issue(buyer)
	_, err := buyer.Submit("/orders/"+id+"/refund", url.Values{"balance": {"15000"}})
	require.NoError(t, err)
	page := buyer.Page("/orders/" + id)
	assert.Contains(t, page, "입금 전에 취소했어요")
	assert.NotContains(t, page, "환불")
	assert.Equal(t, canceled, st.find(id).State)
	require.Error(t, st.toss.Deposit(id, productPrice), "the account is closed")
}

// TestDepositIsRefunded in two parts, to an account that is not kept.
func TestDepositIsRefunded(t *testing.T) {
	st := newShopStand(t)
	st.receive()
	buyer := newBuyer(t, st.url)
	id, _ := st.issue(buyer)
	require.NoError(t, st.toss.Deposit(id, productPrice))
	st.becomes(id, paid)
	assert.NotContains(t, buyer.Page("/orders/"+id), " selected", "no bank that nobody has chosen")
	form := url.Values{"balance": {"15000"}, "amount": {"5000"}, "bank": {"20"}, "account": {"1002-123-456789"}, "holder": {"김토스"}}
	_, err := buyer.Submit("/orders/"+id+"/refund", form)
	require.NoError(t, err)
	assert.Equal(t, tosspayments.Won(10000), st.find(id).Balance)
	form.Set("balance", "10000")
	form.Del("amount")
	_, err = buyer.Submit("/orders/"+id+"/refund", form)
	require.NoError(t, err)
	assert.Equal(t, canceled, st.find(id).State)
	out, back := st.goods(id)
	assert.Equal(t, [2]int{1, 1}, [2]int{out, back})
	var left int
	require.NoError(t, st.store.orders.db.QueryRow(`SELECT COUNT(*) FROM refunds WHERE account <> 'null'`).Scan(&left))
	assert.Zero(t, left, "no account number")
}

// TestRefundFormsThatCannotBeRight plan nothing, say so, and keep what was typed.
func TestRefundFormsThatCannotBeRight(t *testing.T) {
	st := newShopStand(t)
	st.receive()
	buyer := newBuyer(t, st.url)
	id, _ := st.issue(buyer)
	require.NoError(t, st.toss.Deposit(id, productPrice))
	st.becomes(id, paid)
	for name, wrong := range map[string]url.Values{
		"no account":        {"bank": {""}, "account": {""}, "holder": {""}},
		"no bank of theirs": {"bank": {"999"}},
		"letters":           {"account": {"abc"}},
		"wide digits":       {"account": {"１２３"}},
		"too many digits":   {"account": {strings.Repeat("1", 40)}},
		"a long holder":     {"holder": {strings.Repeat("김", 61)}},
		"a broken holder":   {"holder": {"\xff"}},
		"more than is left": {"amount": {"15001"}},
		"nothing":           {"amount": {"0"}},
		"a part of a won":   {"amount": {"0.5"}},
		"less than nothing": {"amount": {"-1"}},
		"another balance":   {"balance": {"14000"}},
		"no number":         {"amount": {"<b>"}},
	} {
		t.Run(name, func(t *testing.T) {
			form := url.Values{"balance": {"15000"}, "amount": {"5000"}, "bank": {"20"}, "account": {"1002-123-456789"}, "holder": {"김토스"}}
			maps.Copy(form, wrong)
			response, err := buyer.Client.PostForm(st.url+"/orders/"+id+"/refund", form)
			require.NoError(t, err)
			page, err := io.ReadAll(response.Body)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			assert.Equal(t, http.StatusUnprocessableEntity, response.StatusCode)
			assert.Contains(t, string(page), `id="problem"`)
			assert.Contains(t, string(page), "<details open>")
			if name != "a broken holder" {
				assert.Contains(t, string(page), `value="`+html.EscapeString(form.Get("holder"))+`"`)
				assert.Contains(t, string(page), `value="`+html.EscapeString(form.Get("amount"))+`"`)
			}
			var planned int
			require.NoError(t, st.store.orders.db.QueryRow(`SELECT COUNT(*) FROM refunds`).Scan(&planned))
			assert.Zero(t, planned)
		})
	}
}

// TestAddressSaysNothingOfARefund: only the books do.
func TestAddressSaysNothingOfARefund(t *testing.T) {
	st := newShopStand(t)
	buyer := newBuyer(t, st.url)
	assert.NotContains(t, buyer.Page("/orders/"+buyer.order()+"?refund=refused"), "거절")
}

func TestPayIntoAnAccount(t *testing.T) {
	st := newStand(t)
	st.store.orders.poll = time.Second
	st.receive()
	st.Visit(st.url)
	st.Click("#order")
	st.Click(`[value="VIRTUAL_ACCOUNT"]`)
	st.FitsAPhone()
	st.Shoot("checkout-account")
	st.Click("#pay")
	st.FinishWindow("bank:20", "pay")
	st.WaitFor("h1", "입금을 기다리고 있어요")
	st.FitsAPhone()
	st.Shoot("account")
	id := st.orderID(waiting)
	assert.Equal(t, st.find(id).Payment.VirtualAccount.AccountNumber.Reveal(), st.Text("#account"))

	bank := st.Tab()
	bank.Phone()
	bank.Visit(st.find(id).Payment.Checkout.URL)
	bank.Click(`button[value="deposit"]`)
	bank.Visible("#deposited")
	st.WaitFor("h1", "결제가 완료됐어요")
	st.Visible("#goods")
	st.Shoot("account-paid")
	bank.Click(`button[value="bounce"]`)
	st.WaitFor("h1", "입금을 기다리고 있어요")
	st.WaitFor(".note.bad", "입금이 취소됐어요")
	st.Shoot("account-bounced")
	require.NoError(t, st.toss.ExpireAccount(id))
	st.toss.SendWebhook("EVENT_OF_TOMORROW", map[string]any{})
	st.later(time.Hour)
	st.WaitFor("main", "입금 기한이 지났어요")
	st.FitsAPhone()
	st.Shoot("account-expired")
}
