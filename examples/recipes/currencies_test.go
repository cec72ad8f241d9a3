package recipes

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/examples/internal/shoptest"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

func TestPayPalInDollars(t *testing.T) {
	quietly(t, func(t *testing.T, s *stand) {
		price, err := ParsePrice("12.50", "USD")
		require.NoError(t, err)
		redirect := s.server.Authenticate(tosstest.Checkout{
			OrderID: "order-0002", OrderName: "Coffee", Amount: price.Amount, Currency: "USD",
			Method: tosspayments.MethodForeignEasyPay, EasyPay: "PAYPAL",
		})
		_, err = Price{price.Amount, "KRW"}.Confirm(t.Context(), s.Toss, redirect)
		require.Error(t, err, "12.50 won do not exist")
		payment, err := price.Confirm(t.Context(), s.Toss, redirect)
		require.NoError(t, err)
		assert.Equal(t, price, Price{payment.TotalAmount, payment.Currency})

		part, err := tosspayments.ParseAmount("2.25")
		require.NoError(t, err)
		refund := Refund{ID: "refund-1", PaymentKey: payment.PaymentKey, Reason: "one of two", Amount: part, Balance: price.Amount}
		for range 2 {
			outcome, err := RefundAbroad(t.Context(), s.Toss, refund, payment.Currency, "")
			require.NoError(t, err)
			assert.Equal(t, tosspayments.OutcomePaid, outcome)
		}
		assert.Equal(t, []tosspayments.Amount{part}, s.server.Refunds("order-0002"))
	})
}

// Some wallets answer a cancel later: until then it is unknown.
func TestAWalletThatAnswersLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, mock := mocked(t)
		mock.RegisterResponder("GET", paymentURL, httpmock.NewStringResponder(http.StatusOK, `{"paymentKey": "pay-1", "orderId": "order-0002",
			"status": "DONE", "currency": "USD", "totalAmount": 20, "balanceAmount": 20}`))
		mock.RegisterResponder("POST", paymentURL+"/cancel", httpmock.NewStringResponder(http.StatusOK, `{"paymentKey": "pay-1", "orderId": "order-0002",
			"status": "PARTIAL_CANCELED", "currency": "USD", "totalAmount": 20, "balanceAmount": 15, "cancels": [{"cancelAmount": 5,
			"cancelReason": "one of two [refund-1]", "cancelStatus": "IN_PROGRESS", "transactionKey": "t-2", "refundableAmount": 15}]}`))

		refund := Refund{ID: "refund-1", PaymentKey: "pay-1", Reason: "one of two", Amount: tosspayments.Won(5), Balance: tosspayments.Won(20)}
		outcome, err := RefundAbroad(t.Context(), client, refund, "USD", "refund-1")
		assert.Equal(t, tosspayments.OutcomeUnknown, outcome, err)
	})
}

func TestPayPalPage(t *testing.T) {
	server := tosstest.NewServer(t)
	price, err := ParsePrice("12.50", "USD")
	require.NoError(t, err)
	stand := newStand(t, server)
	page := PayPage{Shop: stand.Shop, Name: "window_paypal.html", ClientKey: tosstest.DefaultClientKey, Script: server.URL + tosstest.ScriptPath}
	b := shoptest.NewBrowser(t)
	mux := http.NewServeMux()
	mux.Handle("GET /pay/{id}", &page)
	mux.HandleFunc("GET /success", func(w http.ResponseWriter, r *http.Request) {
		redirect, err := tosspayments.ParseSuccessURL(r.URL)
		assert.NoError(t, err)
		payment, err := price.Confirm(r.Context(), stand.Toss, redirect)
		fmt.Fprintln(w, tosspayments.OutcomeOf(payment, err))
	})
	shop := httptest.NewServer(mux)
	defer shop.Close()
	require.NoError(t, stand.Create(t.Context(), Order{ID: "order-0009", Name: "Coffee", Amount: price.Amount}))

	b.Visit(shop.URL + "/pay/order-0009")
	b.Click("#pay")
	b.FinishWindow("", "pay")
	b.WaitFor("body", "paid")
	assert.Equal(t, 1, server.Charges("order-0009"))
}
