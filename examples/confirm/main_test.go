package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

func TestSuccess(t *testing.T) {
	server := tosstest.NewServer(t)
	price := tosspayments.Won(15000)
	handler := success(server.Client())
	visit := func(query string) (int, string) {
		w := httptest.NewRecorder()
		handler(w, httptest.NewRequest(http.MethodGet, "/success?"+query, http.NoBody))
		return w.Code, strings.TrimSpace(w.Body.String())
	}
	buy := func(amount tosspayments.Amount) string {
		return server.Authenticate(tosstest.Checkout{OrderID: tosspayments.NewOrderID(), OrderName: "원두", Amount: amount}).Values().Encode()
	}
	bought := buy(price)
	for range 2 {
		status, body := visit(bought)
		assert.Equal(t, http.StatusOK, status)
		assert.Equal(t, "paid", body)
	}
	status, body := visit(buy(tosspayments.Won(100)))
	assert.Equal(t, http.StatusBadRequest, status)
	assert.Contains(t, body, "amount")
	status, _ = visit("")
	assert.Equal(t, http.StatusBadRequest, status)
	assert.Len(t, server.Ledger(), 1)
}
