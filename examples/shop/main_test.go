package main

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// The fates of an order.

func TestPaid(t *testing.T) {
	s := newStand(t)
	id := s.order()
	back := s.window(tosstest.Checkout{OrderID: id})
	assert.Contains(t, s.visit(back), "결제됐어요")
	assert.Contains(t, s.visit(back), "결제됐어요", "a refresh")
	assert.Equal(t, 1, s.server.Charges(id))
}

func TestWaiting(t *testing.T) {
	s := newStand(t)
	id := s.order()
	assert.Contains(t, s.visit(s.window(tosstest.Checkout{OrderID: id, Method: tosspayments.MethodVirtualAccount})), "입금해 주세요")
	require.NoError(t, s.server.Deposit(id, tosspayments.Won(15000)))
	s.job("/orders/"+id, "결제됐어요")
	require.NoError(t, s.server.Bounce(id))
	s.job("/orders/"+id, "입금해 주세요")
}

func TestRefused(t *testing.T) {
	s := newStand(t)
	id := s.order()
	assert.Contains(t, s.visit(s.window(tosstest.Checkout{OrderID: id, Refusal: tosspayments.ErrRejectCardPayment})), "다른 카드")
	assert.Zero(t, s.server.Charges(id))
}

func TestUnknown(t *testing.T) {
	s := newStand(t)
	id := s.order()
	s.server.Inject(
		tosstest.Fault{Operation: tosstest.ConfirmPayment, Kind: tosstest.Refuse, Code: tosspayments.ErrProviderError, AfterEffect: true},
		tosstest.Fault{Operation: tosstest.GetPayment, Kind: tosstest.Refuse, Code: tosspayments.ErrUnauthorizedKey, Times: 10},
	)
	assert.Contains(t, s.visit(s.window(tosstest.Checkout{OrderID: id})), "다시 결제하지 마세요")
	s.server.ClearFaults()
	s.job("/orders/"+id, "결제됐어요")
	assert.Equal(t, 1, s.server.Charges(id))
}

func TestAnotherAmount(t *testing.T) {
	s := newStand(t)
	id := s.order()
	back := s.window(tosstest.Checkout{OrderID: id, Amount: tosspayments.Won(100)})
	assert.Contains(t, s.visit(back), "결제 금액이 달라요")
	assert.Contains(t, s.visit(strings.Replace(back, "amount=100", "amount=15000", 1)), "고객센터", "refused by the server")
	assert.Zero(t, s.server.Charges(id))
}

func TestRefund(t *testing.T) {
	s := newStand(t)
	id := s.order()
	s.visit(s.window(tosstest.Checkout{OrderID: id}))
	s.server.Inject(tosstest.Fault{Operation: tosstest.CancelPayment, Kind: tosstest.Drop, AfterEffect: true})
	for range 2 {
		s.post("/orders/" + id + "/refund")
	}
	s.job("/orders/"+id, "환불됐어요")
	assert.Len(t, s.server.Refunds(id), 1)
}

func TestFail(t *testing.T) {
	s := newStand(t)
	id := s.order()
	body := s.visit("/fail?code=PAY_PROCESS_CANCELED&message=x&order=" + id)
	assert.Contains(t, body, "처음부터 다시")
	assert.Contains(t, body, "결제하기", "the order can still be paid")
}

func TestOtherSitesCannotPost(t *testing.T) {
	s := newStand(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/orders", http.NoBody)
	require.NoError(t, err)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusForbidden, response.StatusCode)
}

// stand is the shop, a buyer and a Toss Payments.
type stand struct {
	t      *testing.T
	server *tosstest.Server
	shop   *shop
	url    string
	buyer  *http.Client
}

func newStand(t *testing.T) *stand {
	server := tosstest.NewServer(t)
	s, err := newShop(":memory:", server.Client(), "", "")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.db.Close()) })
	web := httptest.NewServer(s.handler())
	t.Cleanup(web.Close)
	server.RegisterWebhook(web.URL + "/webhook")
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &stand{t, server, s, web.URL, &http.Client{Jar: jar}}
}

func (s *stand) read(response *http.Response, err error) (path, body string) {
	s.t.Helper()
	require.NoError(s.t, err)
	data, err := io.ReadAll(response.Body)
	require.NoError(s.t, err)
	require.NoError(s.t, response.Body.Close())
	return response.Request.URL.Path, string(data)
}

func (s *stand) visit(path string) (body string) {
	s.t.Helper()
	_, body = s.read(s.buyer.Get(s.url + path))
	return body
}

func (s *stand) post(path string) (landed string) {
	s.t.Helper()
	landed, _ = s.read(s.buyer.PostForm(s.url+path, url.Values{}))
	return landed
}

// order orders, and returns the order's id.
func (s *stand) order() string {
	s.t.Helper()
	return strings.TrimPrefix(s.post("/orders"), "/orders/")
}

// window pays in the payment window, and returns where the browser is sent.
func (s *stand) window(checkout tosstest.Checkout) string {
	if checkout.Amount.IsZero() {
		checkout.Amount = tosspayments.Won(15000)
	}
	checkout.OrderName = "원두 1kg"
	return "/success?" + s.server.Authenticate(checkout).Values().Encode()
}

// job runs the job, an hour later, until the page says so. Webhooks may arrive meanwhile.
func (s *stand) job(page, want string) {
	s.t.Helper()
	assert.Eventually(s.t, func() bool {
		_, err := s.shop.db.Exec(`UPDATE orders SET look_at = 1 WHERE look_at > 0`)
		s.shop.job(s.t.Context())
		return err == nil && strings.Contains(s.visit(page), want)
	}, 10*time.Second, 20*time.Millisecond)
}
