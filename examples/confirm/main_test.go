package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// TestProgram runs the program as it stands in the README, with a fake Toss Payments behind
// the default transport.
func TestProgram(t *testing.T) {
	server := tosstest.New()
	t.Cleanup(server.Close)
	http.DefaultTransport, http.DefaultServeMux = server.Transport(), http.NewServeMux()
	t.Setenv("TOSS_SECRET_KEY", tosstest.DefaultSecretKey)
	t.Setenv("ADDR", "127.0.0.1:0")
	go main()

	visit := func(query string) (int, string) {
		w := httptest.NewRecorder()
		http.DefaultServeMux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/success?"+query, http.NoBody))
		return w.Code, strings.TrimSpace(w.Body.String())
	}
	require.Eventually(t, func() bool {
		status, _ := visit("")
		return status == http.StatusBadRequest
	}, 30*time.Second, time.Millisecond)
	buy := func(amount tosspayments.Amount) string {
		return server.Authenticate(tosstest.Checkout{OrderID: tosspayments.NewOrderID(), OrderName: "원두", Amount: amount}).Values().Encode()
	}
	bought := buy(tosspayments.Won(15000))
	for range 2 {
		status, body := visit(bought)
		assert.Equal(t, http.StatusOK, status)
		assert.Equal(t, "paid", body)
	}
	status, body := visit(buy(tosspayments.Won(100)))
	assert.Equal(t, http.StatusBadRequest, status)
	assert.Contains(t, body, "amount")
	assert.Len(t, server.Ledger(), 1)
}
