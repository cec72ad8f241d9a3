package recipes

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/reconcile"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// TestBlocks finds each block of Go in the documentation among the lines of this
// package.
func TestBlocks(t *testing.T) {
	sources, err := filepath.Glob("*.go")
	require.NoError(t, err)
	var code string
	for _, name := range sources {
		code += lines(t, name)
	}
	var pages []string
	for _, pattern := range []string{"../../README*.md", "../../docs/*.md", "../../docs/*/*.md"} {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		pages = append(pages, found...)
	}
	require.GreaterOrEqual(t, len(pages), 2)
	for _, page := range pages {
		blocks := strings.Split(lines(t, page), "\n```go\n")
		for _, block := range blocks[1:] {
			block, _, closed := strings.Cut(block, "\n```\n")
			require.True(t, closed, page)
			assert.Contains(t, code, "\n"+block+"\n", page)
		}
	}
}

// lines reads a file without indentation.
func lines(t *testing.T, name string) string {
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	var b strings.Builder
	for line := range strings.Lines(string(data)) {
		b.WriteString(strings.TrimSpace(line) + "\n")
	}
	return b.String()
}

type memory struct {
	sync.Mutex
	orders map[string]Order
}

func (m *memory) Create(order Order) error {
	m.Lock()
	defer m.Unlock()
	order.State = "new"
	m.orders[order.ID] = order
	return nil
}

func (m *memory) Get(id string) (Order, error) {
	m.Lock()
	defer m.Unlock()
	order, ok := m.orders[id]
	if !ok {
		return order, errors.New("no such order")
	}
	return order, nil
}

func (m *memory) Claim(id, _ string) (bool, error) {
	m.Lock()
	defer m.Unlock()
	order := m.orders[id]
	claimed := order.State == "new"
	if claimed {
		order.State = "confirming"
		m.orders[id] = order
	}
	return claimed, nil
}

func (m *memory) Finish(id, state string, _ *tosspayments.Payment) error {
	m.Lock()
	defer m.Unlock()
	order := m.orders[id]
	order.State = state
	m.orders[id] = order
	return nil
}

func newShop(t *testing.T) (*Shop, *tosstest.Server, Order) {
	server := tosstest.NewServer(t)
	shop := &Shop{Toss: server.Client(tosspayments.WithSettleGrace(0)), Orders: &memory{orders: map[string]Order{}}}
	shop.Order(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
	for _, order := range shop.Orders.(*memory).orders {
		return shop, server, order
	}
	t.Fatal("no order")
	return nil, nil, Order{}
}

func (s *Shop) visit(handler http.HandlerFunc, query url.Values) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	handler(w, httptest.NewRequest(http.MethodGet, "/?"+query.Encode(), nil))
	return w
}

func query(r tosspayments.SuccessRedirect) url.Values {
	return url.Values{"paymentKey": {r.PaymentKey}, "orderId": {r.OrderID}, "amount": {r.Amount.String()}}
}

func TestPaidOnceAndRefunded(t *testing.T) {
	shop, server, order := newShop(t)
	redirect := server.Authenticate(tosstest.Checkout{OrderID: order.ID, OrderName: order.Name, Amount: order.Amount})

	tampered := query(redirect)
	tampered.Set("amount", "100")
	assert.Contains(t, shop.visit(shop.Success, tampered).Body.String(), "결제되지 않았습니다")
	assert.Zero(t, server.Calls(tosstest.ConfirmPayment))

	for range 2 {
		assert.Contains(t, shop.visit(shop.Success, query(redirect)).Body.String(), "결제됐어요")
	}
	assert.Equal(t, 1, server.Charges(order.ID))
	order, err := shop.Orders.Get(order.ID)
	require.NoError(t, err)
	assert.Equal(t, "paid", order.State)

	payment, err := shop.Toss.GetPayment(t.Context(), redirect.PaymentKey)
	require.NoError(t, err)
	Describe(payment)
	require.NoError(t, shop.Refund(t.Context(), payment))
	assert.Len(t, server.Refunds(order.ID), 2)
}

func TestPostedByTheSuccessPage(t *testing.T) {
	shop, server, order := newShop(t)
	redirect := server.Authenticate(tosstest.Checkout{OrderID: order.ID, OrderName: order.Name, Amount: order.Amount})
	w := httptest.NewRecorder()
	shop.Confirm(w, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(
		`{"paymentKey":"`+redirect.PaymentKey+`","orderId":"`+order.ID+`","amount":15000}`)))
	assert.Equal(t, http.StatusOK, w.Code)
	assert.Equal(t, 1, server.Charges(order.ID))
}

func TestRefused(t *testing.T) {
	shop, server, order := newShop(t)
	redirect := server.Authenticate(tosstest.Checkout{
		OrderID: order.ID, OrderName: order.Name, Amount: order.Amount, Refusal: tosspayments.ErrRejectCardCompany,
	})
	assert.Contains(t, shop.visit(shop.Success, query(redirect)).Body.String(), "다른 카드")
	order, err := shop.Orders.Get(order.ID)
	require.NoError(t, err)
	assert.Equal(t, "failed", order.State)

	w := shop.visit(shop.Fail, url.Values{"code": {"PAY_PROCESS_CANCELED"}, "message": {"취소"}})
	assert.Contains(t, w.Body.String(), "처음부터")
}

func TestUnknownIsLookedUp(t *testing.T) {
	shop, server, order := newShop(t)
	shop.Toss = server.Client(tosspayments.WithMaxRetries(0), tosspayments.WithSettleGrace(0))
	redirect := server.Authenticate(tosstest.Checkout{OrderID: order.ID, OrderName: order.Name, Amount: order.Amount})
	request, err := redirect.ConfirmRequest(order.Amount)
	require.NoError(t, err)
	server.Inject(
		tosstest.Fault{Operation: tosstest.ConfirmPayment, Kind: tosstest.Drop, AfterEffect: true},
		tosstest.Fault{Operation: tosstest.GetPayment, Kind: tosstest.BadGateway, Times: 1},
	)
	require.NoError(t, shop.Orders.Finish(order.ID, "confirming", nil))
	_, err = shop.Toss.ConfirmPayment(t.Context(), request)
	require.NoError(t, err, "a later lookup answers")
	require.NoError(t, shop.Recover(t.Context(), request))
	order, err = shop.Orders.Get(order.ID)
	require.NoError(t, err)
	assert.Equal(t, "paid", order.State)
}

func TestSubscriptionIsChargedOncePerMonth(t *testing.T) {
	shop, server, _ := newShop(t)
	redirect := server.Register(tosstest.Registration{CustomerKey: "customer-1"})
	var key tosspayments.BillingKey
	store := func(k tosspayments.BillingKey) error { key = k; return nil }
	require.Error(t, shop.Subscribe(t.Context(), redirect, "customer-2", store))
	require.NoError(t, shop.Subscribe(t.Context(), redirect, "customer-1", store))
	march := time.Date(2026, time.March, 1, 0, 0, 0, 0, time.UTC)
	for range 2 {
		payment, err := shop.ChargeMonth(t.Context(), "subscription-7", march, key)
		require.NoError(t, err)
		assert.True(t, payment.IsPaid())
	}
	assert.Equal(t, 1, server.Charges("subscription-7-2026-03"))
}

func TestAccountAndBooks(t *testing.T) {
	shop, _, order := newShop(t)
	payment, err := shop.Account(t.Context(), order, "20", "김토스")
	require.NoError(t, err)
	assert.False(t, payment.IsPaid())
	require.NoError(t, shop.Reconcile(t.Context(), func(func(reconcile.Entry, error) bool) {}))
}

func TestWebhooks(t *testing.T) {
	shop, _, order := newShop(t)
	payment, err := shop.Account(t.Context(), order, "20", "김토스")
	require.NoError(t, err)
	var trust []tosspayments.WebhookTrust
	handler := shop.Webhooks(
		func(context.Context, string) (tosspayments.Sensitive, error) { return payment.Secret, nil },
		func(_ context.Context, d tosspayments.WebhookDelivery) error {
			trust = append(trust, d.Trust)
			return nil
		},
	)
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(
		`{"createdAt":"2026-03-01T13:05:44.000000","secret":"`+payment.Secret.Reveal()+`","status":"DONE","transactionKey":"T1","orderId":"`+order.ID+`"}`)))
	assert.Equal(t, http.StatusOK, w.Code)
	assert.Equal(t, []tosspayments.WebhookTrust{tosspayments.WebhookSecretMatched}, trust)
}
