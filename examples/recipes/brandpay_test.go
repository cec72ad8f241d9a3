package recipes

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/brandpay"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// columns is a table of tokens as a database keeps them.
type columns map[string]any

func (c columns) Save(_ context.Context, token brandpay.Token) (err error) {
	c[token.CustomerKey], err = token.Stored().Value()
	return err
}

func (c columns) Load(_ context.Context, customerKey string) (brandpay.Token, error) {
	var stored tosspayments.Stored[brandpay.Token]
	err := stored.Scan(c[customerKey])
	return stored.Get(), err
}

// newWallet is a shop with BrandPay.
func newWallet() (*Wallet, *tosstest.Server) {
	server := tosstest.New()
	toss := server.Client()
	return &Wallet{Shop: Shop{Toss: toss, Orders: newMemory()}, BrandPay: brandpay.New(toss), Tokens: columns{}}, server
}

// agree brings the browser back from the terms, and returns the status.
func agree(wallet *Wallet, query string) int {
	rw := httptest.NewRecorder()
	wallet.Agreed(rw, httptest.NewRequest(http.MethodGet, "/brandpay?"+query, nil))
	return rw.Code
}

// agreedWallet is that of a customer who has agreed, and registered a card.
func agreedWallet(t *testing.T) (wallet *Wallet, server *tosstest.Server, card string) {
	t.Helper()
	wallet, server = newWallet()
	query := url.Values{"customerKey": {"customer-1"}, "code": {server.AgreeBrandPay("customer-1")}}
	require.Equal(t, http.StatusOK, agree(wallet, query.Encode()))
	return wallet, server, server.AddBrandPayCard("customer-1", "61")
}

func TestCustomersAgree(t *testing.T) {
	wallet, server := newWallet()
	query := url.Values{"customerKey": {"customer-1"}, "code": {server.AgreeBrandPay("customer-1")}}.Encode()
	assert.Equal(t, http.StatusOK, agree(wallet, query))
	assert.Equal(t, http.StatusOK, agree(wallet, query), "called again")
	assert.Equal(t, http.StatusBadRequest, agree(wallet, "x=y"))
	assert.Equal(t, http.StatusServiceUnavailable, agree(wallet, "customerKey=customer-1&code=none"))
}

func TestMethodsAreReadWithATokenThatHasExpired(t *testing.T) {
	wallet, server, _ := agreedWallet(t)
	customer, err := wallet.Customer(t.Context(), "customer-1")
	require.NoError(t, err)
	server.Advance(31 * 24 * time.Hour)
	methods, again, err := Methods(t.Context(), customer)
	require.NoError(t, err)
	assert.False(t, again)
	assert.Len(t, methods.Cards, 1)
}

func TestAnOrderIsPaidByBrandPay(t *testing.T) {
	wallet, server, card := agreedWallet(t)
	order := Order{ID: "order-0001", Name: "socks", Amount: tosspayments.Won(15000), State: "new", IdempotencyKey: "key-1"}
	require.NoError(t, wallet.Orders.Create(t.Context(), order))
	redirect := server.AuthenticateBrandPay("customer-1", card, tosstest.Checkout{OrderID: order.ID, OrderName: order.Name, Amount: order.Amount})
	order.PaymentKey = redirect.PaymentKey
	require.NoError(t, wallet.ConfirmBrandPay(t.Context(), order, "customer-1"))
	paid, err := wallet.Orders.Get(t.Context(), order.ID)
	require.NoError(t, err)
	assert.Equal(t, "paid", paid.State)
}

func TestAMonthIsChargedByBrandPay(t *testing.T) {
	wallet, server, card := agreedWallet(t)
	month := Order{ID: "sub7-2026-03-0", Name: "원두 구독", Amount: tosspayments.Won(9900), State: "new"}
	require.NoError(t, wallet.Orders.Create(t.Context(), month))
	require.NoError(t, wallet.ChargeBrandPay(t.Context(), month, "customer-1", card))
	assert.Equal(t, 1, server.Charges(month.ID))
}

// Another process has refreshed, and the customer has left since.
func TestACustomerWhoHasLeftAgreesAgain(t *testing.T) {
	wallet, server, _ := agreedWallet(t)
	customer, err := wallet.Customer(t.Context(), "customer-1")
	require.NoError(t, err)
	server.Advance(31 * 24 * time.Hour)
	require.NoError(t, customer.Leave(t.Context()))
	stale, err := wallet.Customer(t.Context(), "customer-1")
	require.NoError(t, err)
	_, again, err := Methods(t.Context(), stale)
	require.NoError(t, err)
	assert.True(t, again)
}
