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

func TestBrandPayRecipes(t *testing.T) {
	server := tosstest.New()
	toss, orders := server.Client(), newMemory()
	wallet := &Wallet{Shop: Shop{Toss: toss, Orders: orders}, BrandPay: brandpay.New(toss), Tokens: columns{}}
	agree := func(query string) int {
		rw := httptest.NewRecorder()
		wallet.Agreed(rw, httptest.NewRequest(http.MethodGet, "/brandpay?"+query, nil))
		return rw.Code
	}
	query := url.Values{"customerKey": {"customer-1"}, "code": {server.AgreeBrandPay("customer-1")}}.Encode()
	assert.Equal(t, http.StatusOK, agree(query))
	assert.Equal(t, http.StatusOK, agree(query), "called again")
	assert.Equal(t, http.StatusBadRequest, agree("x=y"))
	assert.Equal(t, http.StatusServiceUnavailable, agree("customerKey=customer-1&code=none"))

	card := server.AddBrandPayCard("customer-1", "61")
	customer, err := wallet.Customer(t.Context(), "customer-1")
	require.NoError(t, err)
	server.Advance(31 * 24 * time.Hour) // the token has expired
	methods, again, err := Methods(t.Context(), customer)
	require.NoError(t, err)
	assert.False(t, again)
	assert.Len(t, methods.Cards, 1)

	order := Order{ID: "order-0001", Name: "socks", Amount: tosspayments.Won(15000), State: "new", IdempotencyKey: "key-1"}
	require.NoError(t, orders.Create(t.Context(), order))
	redirect := server.AuthenticateBrandPay("customer-1", card, tosstest.Checkout{OrderID: order.ID, OrderName: order.Name, Amount: order.Amount})
	order.PaymentKey = redirect.PaymentKey
	require.NoError(t, wallet.ConfirmBrandPay(t.Context(), order, "customer-1"))
	paid, err := orders.Get(t.Context(), order.ID)
	require.NoError(t, err)
	assert.Equal(t, "paid", paid.State)

	month := Order{ID: "sub7-2026-03-0", Name: "원두 구독", Amount: tosspayments.Won(9900), State: "new"}
	require.NoError(t, orders.Create(t.Context(), month))
	require.NoError(t, wallet.ChargeBrandPay(t.Context(), month, "customer-1", card))
	assert.Equal(t, 1, server.Charges(month.ID))

	// Another process has refreshed, and the customer has left since.
	require.NoError(t, customer.Leave(t.Context()))
	stale, err := wallet.Customer(t.Context(), "customer-1")
	require.NoError(t, err)
	_, again, err = Methods(t.Context(), stale)
	require.NoError(t, err)
	assert.True(t, again)
}
