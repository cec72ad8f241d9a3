package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/examples/internal/shoptest"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

func TestRunAndShutDown(t *testing.T) {
	var out, log shoptest.Buffer
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		done <- run(ctx, config{address: "127.0.0.1:0", recovery: time.Minute}, &out, slog.New(slog.NewJSONHandler(&log, nil)))
	}()
	require.Eventually(t, func() bool { return strings.Contains(out.String(), "http://") }, 30*time.Second, 10*time.Millisecond)
	buyer := newBuyer(t, out.Line())
	assert.Contains(t, buyer.Page("/"), "15,000원")
	buyer.Page("/orders/x/state")
	cancel()
	require.NoError(t, <-done)
	for _, said := range []string{"SANDBOX", "checkout.db", "-db keeps them", "try: "} {
		assert.Contains(t, out.String(), said)
	}
	assert.Contains(t, log.String(), `"path":"/","status":200,"duration":"`)
	assert.NotContains(t, log.String(), "/state", "what pages ask for again and again")
	assert.NotContains(t, log.String(), tosstest.DefaultSecretKey)
}

func TestOnlyTheOwnerSeesAnOrder(t *testing.T) {
	st := newShopStand(t)
	buyer, stranger := newBuyer(t, st.url), newBuyer(t, st.url)
	id := buyer.order()
	redirect := authenticate(st.toss, id)
	assert.Contains(t, stranger.Page("/orders/"+id), "주문을 찾을 수 없어요")
	assert.Contains(t, stranger.Page("/orders/"+id+"/checkout"), "주문을 찾을 수 없어요")
	status, err := stranger.comeBack(redirect)
	require.NoError(t, err)
	assert.Equal(t, http.StatusNotFound, status)
	assert.Empty(t, st.toss.Ledger())

	_, err = buyer.comeBack(redirect)
	require.NoError(t, err)
	require.NoError(t, stranger.refund(id, "15000", ""))
	assert.Empty(t, st.toss.Refunds(id))

	assert.Contains(t, buyer.Page("/orders/"+id), "결제가 완료됐어요")
}

// TestCopyOfTheDatabaseLetsNobodyIn: nothing in it signs in, so that nobody can refund
// other people's money.
func TestCopyOfTheDatabaseLetsNobodyIn(t *testing.T) {
	st := newShopStand(t)
	buyer := newBuyer(t, st.url)
	id := buyer.order()
	cookie := buyer.Cookies()[0]
	expires, secret, _ := strings.Cut(cookie.Value, ".")
	customer := st.find(id).CustomerID
	address, err := url.Parse(st.url)
	require.NoError(t, err)
	for value, in := range map[string]bool{cookie.Value: true, customer: false, expires + "." + customer: false, secret: false} {
		thief := newBuyer(t, st.url)
		thief.Client.Jar.SetCookies(address, []*http.Cookie{{Name: cookie.Name, Value: value}})
		assert.Equal(t, in, strings.Contains(thief.Page("/orders/"+id), id), value)
	}
	settings, err := st.store.orders.db.Query(`SELECT name FROM settings WHERE name <> 'schema'`)
	require.NoError(t, err)
	assert.False(t, settings.Next(), "no key either")
	require.NoError(t, settings.Close())
}

// TestSessionsBeginWithAnOrder: looking around leaves nothing, and a cookie from before is
// not kept.
func TestSessionsBeginWithAnOrder(t *testing.T) {
	st := newShopStand(t)
	buyer := newBuyer(t, st.url)
	for _, path := range []string{"/", "/orders", "/orders/x", "/payment/fail?code=X&message=x"} {
		buyer.Page(path)
		assert.Empty(t, buyer.Cookies(), path)
	}
	address, err := url.Parse(st.url)
	require.NoError(t, err)
	w := httptest.NewRecorder()
	st.store.sessions.Start(w, httptest.NewRequest(http.MethodPost, st.url, http.NoBody))
	planted := w.Result().Cookies()
	buyer.Client.Jar.SetCookies(address, planted)
	first := buyer.order()
	assert.NotEqual(t, planted[0].Value, buyer.Cookies()[0].Value)
	own := buyer.Cookies()[0].Value
	assert.Equal(t, st.find(first).CustomerID, st.find(buyer.order()).CustomerID)
	assert.Equal(t, own, buyer.Cookies()[0].Value, "and then it stays")
}

func TestTooManyOrders(t *testing.T) {
	st := newShopStand(t)
	st.store.limits.Count = 3
	for range 3 {
		newBuyer(t, st.url).order()
	}
	response, err := http.PostForm(st.url+"/orders", url.Values{"quantity": {"1"}})
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusTooManyRequests, response.StatusCode)
	list, err := st.store.orders.query(t.Context(), `SELECT `+columns+` FROM orders`)
	require.NoError(t, err)
	assert.Len(t, list, 3)
}

// TestUnpaidOrdersAreListed, so that they can be paid after all.
func TestUnpaidOrdersAreListed(t *testing.T) {
	st := newShopStand(t)
	buyer := newBuyer(t, st.url)
	id := buyer.order()
	list := buyer.Page("/orders")
	assert.Contains(t, list, "/orders/"+id)
	assert.Contains(t, list, "결제 전")
	assert.Contains(t, buyer.Page("/orders/"+id), "/orders/"+id+"/checkout")
}

// TestPartlyRefunded says so, and not that the order is paid.
func TestPartlyRefunded(t *testing.T) {
	st := newShopStand(t)
	buyer := newBuyer(t, st.url)
	id := buyer.order()
	_, err := buyer.comeBack(authenticate(st.toss, id))
	require.NoError(t, err)
	require.NoError(t, buyer.refund(id, "15000", "5000"))
	assert.Contains(t, buyer.Page("/orders/"+id), "일부 환불됐어요")
	assert.Contains(t, buyer.Page("/orders"), "부분 환불")
}

// TestReceiptOfTheSandbox needs no network: the link leads to a page of the sandbox.
func TestReceiptOfTheSandbox(t *testing.T) {
	st := newShopStand(t)
	address := st.paid().Payment.Receipt.URL
	require.True(t, strings.HasPrefix(address, st.toss.URL), address)
	response, err := http.Get(address)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusOK, response.StatusCode)
}

// TestPagesWithoutScripts say what is missing.
func TestPagesWithoutScripts(t *testing.T) {
	st := newShopStand(t)
	buyer := newBuyer(t, st.url)
	page := buyer.Page("/orders/" + buyer.order() + "/checkout")
	assert.Contains(t, page, `<button id="pay" disabled>`, "until its script has run")
	assert.Regexp(t, "<noscript>.*자바스크립트를 켜", page)
	assert.Contains(t, page, `<link rel="icon" href="data:,">`, "nothing else is asked for")
	_, success, _ := st.back(buyer)
	assert.Regexp(t, "<noscript>.*자바스크립트를 켜", buyer.Page(success))
}

// TestTamperedLinkOfAPaidOrder leads to the order, and says nothing of its own.
func TestTamperedLinkOfAPaidOrder(t *testing.T) {
	st := newShopStand(t)
	buyer := newBuyer(t, st.url)
	redirect := authenticate(st.toss, buyer.order())
	_, err := buyer.comeBack(redirect)
	require.NoError(t, err)
	redirect.Amount = tosspayments.Won(100)
	status, err := buyer.comeBack(redirect)
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, paid, st.find(redirect.OrderID).State)
}

func TestPagesThatDoNotExist(t *testing.T) {
	st := newShopStand(t)
	response, err := http.Get(st.url + "/nowhere")
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusNotFound, response.StatusCode)
	assert.Contains(t, string(body), "없는 페이지예요")
}

func TestForeignPagesCannotPressButtons(t *testing.T) {
	st := newShopStand(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, st.url+"/orders", strings.NewReader("quantity=1"))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", "https://evil.example")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusForbidden, response.StatusCode)
}

func TestManyTabsChargeOnce(t *testing.T) {
	t.Parallel()
	st := newShopStand(t)
	buyer := newBuyer(t, st.url)
	id := buyer.order()
	redirect := authenticate(st.toss, id)
	var tabs sync.WaitGroup
	for range 20 {
		tabs.Go(func() {
			_, err := buyer.comeBack(redirect)
			assert.NoError(t, err)
		})
	}
	tabs.Wait()
	assert.Equal(t, 1, st.toss.Charges(id))
	assert.Contains(t, buyer.Page("/orders/"+id), "결제가 완료됐어요")

	var clicks sync.WaitGroup
	for range 20 {
		clicks.Go(func() { assert.NoError(t, buyer.refund(id, "15000", "5000")) })
	}
	clicks.Wait()
	assert.Equal(t, []tosspayments.Amount{tosspayments.Won(5000)}, st.toss.Refunds(id))
}

func TestAddressesThatBuyersMakeUp(t *testing.T) {
	st := newShopStand(t)
	buyer := newBuyer(t, st.url)
	assert.Contains(t, buyer.Page("/payment/success?orderId=x"), "잘못된 주소")
	assert.Contains(t, buyer.Page("/payment/fail"), "잘못된 주소")
	assert.NotContains(t, buyer.Page("/payment/fail?code=%3Cscript%3E&message=%3Cscript%3Ealert(1)%3C/script%3E"), "<script>alert")

	id := buyer.order()
	assert.Contains(t, buyer.Page("/payment/fail?code=REJECT_CARD_COMPANY&orderId="+id), "다시 결제하기")
	assert.Equal(t, created, st.find(id).State, "the address alone changes nothing")
}

func TestForgottenOrdersExpire(t *testing.T) {
	st := newShopStand(t)
	buyer := newBuyer(t, st.url)
	id := buyer.order()
	require.NoError(t, st.store.orders.expire(t.Context(), time.Now().Add(time.Minute)))
	assert.Contains(t, buyer.Page("/orders/"+id), "결제 시간이 지났어요")
	redirect := authenticate(st.toss, id)
	_, err := buyer.comeBack(redirect)
	require.NoError(t, err)
	assert.Zero(t, st.toss.Charges(id), "nothing is charged for an order that was closed")
}

// back is where a buyer comes back to who has authenticated a new order.
func (st *stand) back(buyer *buyer) (id, success string, redirect tosspayments.SuccessRedirect) {
	id = buyer.order()
	redirect = authenticate(st.toss, id)
	return id, "/payment/success?" + redirect.Values().Encode(), redirect
}

// TestOnlyTheOwnPaymentIsKept: of the owner, and of the amount of the order.
func TestOnlyTheOwnPaymentIsKept(t *testing.T) {
	st := newShopStand(t)
	buyer := newBuyer(t, st.url)
	id, success, _ := st.back(buyer)
	assert.Contains(t, newBuyer(t, st.url).Page(success), "주문을 찾을 수 없어요")
	assert.Contains(t, buyer.Page(strings.Replace(success, "15000", "100", 1)), "결제를 확인하고 있어요")
	assert.Equal(t, created, st.find(id).State)
}

// TestBuyerLeavesTheSuccessPage: the buyer has authenticated, and closes the page before
// its script has run. The payment goes on without it.
func TestBuyerLeavesTheSuccessPage(t *testing.T) {
	st := newShopStand(t)
	buyer := newBuyer(t, st.url)
	id, success, _ := st.back(buyer)
	start := time.Now()
	buyer.Page(success)
	page := buyer.Page("/orders/" + id)
	assert.Contains(t, page, "다시 결제하지 마세요")
	assert.NotContains(t, page, "/checkout", "it must not be paid twice")
	assert.GreaterOrEqual(t, st.find(id).dueAt, start.Add(pageTime).Unix(), "the page has some time")
	st.later(pageTime)
	assert.Equal(t, paid, st.find(id).State)
	assert.Equal(t, 1, st.toss.Charges(id))
}

// TestSlowSuccessPage asks for the confirm after the job has made it.
func TestSlowSuccessPage(t *testing.T) {
	st := newShopStand(t)
	buyer := newBuyer(t, st.url)
	id, success, redirect := st.back(buyer)
	for range 2 {
		assert.Contains(t, buyer.Page(success), "결제를 확인하고 있어요")
	}
	st.later(pageTime)
	require.Equal(t, paid, st.find(id).State)
	status, err := buyer.comeBack(redirect)
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, 1, st.toss.Calls(tosstest.ConfirmPayment))
}

// TestRecovery brings each kind of unfinished order to its end.
func TestRecovery(t *testing.T) {
	for name, row := range map[string]struct {
		prepare func(*tosstest.Server, tosspayments.SuccessRedirect)
		ends    state
		charges int
	}{
		"not confirmed yet": {func(*tosstest.Server, tosspayments.SuccessRedirect) {}, paid, 1},
		"expired since":     {func(s *tosstest.Server, _ tosspayments.SuccessRedirect) { s.Advance(time.Hour) }, failed, 0},
		"approved before": {func(s *tosstest.Server, r tosspayments.SuccessRedirect) {
			request, _ := r.ConfirmRequest(productPrice)
			_, _ = s.Client().ConfirmPayment(t.Context(), request)
		}, paid, 1},
		"approved and cancelled since": {func(s *tosstest.Server, r tosspayments.SuccessRedirect) {
			request, _ := r.ConfirmRequest(productPrice)
			_, _ = s.Client().ConfirmPayment(t.Context(), request)
			_, _ = s.Client().CancelPayment(t.Context(), r.PaymentKey, tosspayments.CancelPaymentRequest{CancelReason: "test"})
		}, canceled, 1},
	} {
		t.Run(name, func(t *testing.T) {
			st := newShopStand(t)
			id := newBuyer(t, st.url).order()
			redirect := authenticate(st.toss, id)
			claimed, err := st.store.orders.claim(t.Context(), st.find(id), redirect.PaymentKey)
			require.NoError(t, err)
			require.True(t, claimed)
			row.prepare(st.toss, redirect)
			st.later(claimTime)
			assert.Equal(t, row.ends, st.find(id).State)
			assert.Equal(t, row.charges, st.toss.Charges(id))
		})
	}
}

// TestAPaymentThatNobodyKnows is neither failed, since another secret key may know it,
// nor asked for all the time.
func TestAPaymentThatNobodyKnows(t *testing.T) {
	t.Parallel()
	st := newShopStand(t)
	st.store.patience = time.Second
	id := newBuyer(t, st.url).order()
	_, err := st.store.orders.claim(t.Context(), st.find(id), "made-up")
	require.NoError(t, err)
	_, err = st.store.orders.db.Exec(`UPDATE orders SET tries = $1`, often)
	require.NoError(t, err)
	st.later(claimTime)
	assert.Equal(t, confirming, st.find(id).State)
	st.later(0)
	st.later(pause(often) / 2)
	assert.Equal(t, often+1, st.find(id).tries, "not yet")
}

func TestPause(t *testing.T) {
	var waits []time.Duration
	for tries := range 16 {
		waits = append(waits, pause(tries))
	}
	assert.Equal(t, 10*time.Second, waits[0])
	assert.Equal(t, 20*time.Second, waits[1])
	assert.Equal(t, 24*time.Hour, waits[15])
}

func TestRefundRefusedBecauseTheBalanceMoved(t *testing.T) {
	t.Parallel()
	st := newShopStand(t)
	buyer := newBuyer(t, st.url)
	id := buyer.order()
	redirect := authenticate(st.toss, id)
	_, err := buyer.comeBack(redirect)
	require.NoError(t, err)
	_, err = st.toss.Client().CancelPaymentPartially(t.Context(), redirect.PaymentKey, tosspayments.PartialCancelRequest{
		CancelReason: "in the dashboard", CancelAmount: tosspayments.Won(1000), RefundableAmount: productPrice,
	})
	require.NoError(t, err)
	require.NoError(t, buyer.refund(id, "15000", "5000"))
	page := buyer.Page("/orders/" + id)
	assert.Contains(t, page, "14,000원", "the shop has learnt the balance")
	assert.Contains(t, page, "환불이 거절됐어요")
	require.NoError(t, buyer.refund(id, "14000", ""))
	assert.Contains(t, buyer.Page("/orders/"+id), "전액 환불됐어요")
	assert.Equal(t, []tosspayments.Amount{tosspayments.Won(1000), tosspayments.Won(14000)}, st.toss.Refunds(id))
}

// TestAdvice has something to say about each class of error, and never tells the
// buyer to pay again when it is not known what has happened.
func TestAdvice(t *testing.T) {
	for code, says := range map[tosspayments.ErrorCode]string{
		tosspayments.ErrPayProcessCanceled:       "원하실 때 다시",
		tosspayments.ErrRejectCardCompany:        "다른 카드",
		tosspayments.ErrNotFoundPaymentSession:   "처음부터 다시",
		tosspayments.ErrPayProcessAborted:        "처음부터 다시",
		tosspayments.ErrForbiddenRequest:         "상점의 결제 설정",
		tosspayments.ErrUnauthorizedKey:          "상점의 결제 설정",
		tosspayments.ErrAlreadyProcessingRequest: "잠시 후",
		tosspayments.ErrAlreadyProcessedPayment:  "이미 처리된",
		"A_CODE_OF_TOMORROW":                     "주문 내역을 먼저 확인",
	} {
		assert.Contains(t, advice(code), says, code)
	}
}

// find reads an order, whoever's it is.
func (st *stand) find(id string) *order {
	st.t.Helper()
	x, err := st.store.orders.byID(st.t.Context(), id)
	require.NoError(st.t, err)
	return x
}

// TestRefundWhoseKeyWasForgotten: the first attempt refunds, its answer and its key are
// lost, and the second one is refused for the balance that the first has left.
func TestRefundWhoseKeyWasForgotten(t *testing.T) {
	st := newShopStand(t, tosspayments.WithMaxRetries(0), tosspayments.WithLookupGrace(0))
	buyer := newBuyer(t, st.url)
	id := buyer.order()
	_, err := buyer.comeBack(authenticate(st.toss, id))
	require.NoError(t, err)
	st.toss.Inject(tosstest.Fault{Operation: tosstest.CancelPayment, Kind: tosstest.Drop, AfterEffect: true, Unstored: true}, noReads)
	require.NoError(t, buyer.refund(id, "15000", "5000"))
	st.toss.ClearFaults()
	st.later(time.Minute)
	assert.Equal(t, []tosspayments.Amount{tosspayments.Won(5000)}, st.toss.Refunds(id))
	last, err := st.store.orders.lastRefund(t.Context(), id)
	require.NoError(t, err)
	assert.Equal(t, refundDone, last)
	assert.Equal(t, tosspayments.Won(10000), st.find(id).Balance)
}

// TestRefundAfterAStoredServerError: the key replays the 500, so another one is taken.
func TestRefundAfterAStoredServerError(t *testing.T) {
	t.Parallel()
	st := newShopStand(t, tosspayments.WithMaxRetries(0), tosspayments.WithLookupGrace(0))
	buyer := newBuyer(t, st.url)
	id := buyer.order()
	_, err := buyer.comeBack(authenticate(st.toss, id))
	require.NoError(t, err)
	st.toss.Inject(tosstest.Fault{Operation: tosstest.CancelPayment, Kind: tosstest.Refuse, Code: tosspayments.ErrCommonError})
	require.NoError(t, buyer.refund(id, "15000", "5000"))
	for range 2 {
		st.later(time.Minute)
	}
	assert.Equal(t, []tosspayments.Amount{tosspayments.Won(5000)}, st.toss.Refunds(id))
	assert.Equal(t, tosspayments.Won(10000), st.find(id).Balance)
}
