package brandpay_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/brandpay"
)

// FuzzAnswers feeds any answer to every call, and to its lookups: none of them may make up an
// object, or take another payment for its own.
func FuzzAnswers(f *testing.F) {
	for _, row := range calls {
		f.Add(200, []byte(row.answer))
	}
	f.Add(403, []byte(refusal(403, "INVALID_PASSWORD").body))
	f.Add(400, []byte(refusal(400, "DUPLICATED_ORDER_ID").body))
	f.Add(401, []byte(`<html>`))
	f.Add(200, []byte(`{"paymentKey":"pay-1","orderId":"order-0001","status":"CANCELED","totalAmount":15000,"balanceAmount":0}`))
	f.Add(200, []byte(`{"cards":[null,{}],"accounts":[7]}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if status < 100 || status > 599 {
			return
		}
		synctest.Test(t, func(t *testing.T) {
			client, _ := newClient(t, func(*http.Request) (*http.Response, error) { return httpmock.NewBytesResponse(status, body), nil })
			for _, row := range calls {
				value, err := row.call(t.Context(), client)
				if err == nil {
					assert.Empty(t, whatIsWrong(value), row.name)
					continue
				}
				if row.method == http.MethodGet {
					assert.Equal(t, tosspayments.OutcomeUnknown, tosspayments.OutcomeOf(nil, err), row.name)
				}
			}
		})
	})
}

// whatIsWrong says why an answer is of no use; "" is that it is right.
func whatIsWrong(value any) string {
	switch v := value.(type) {
	case *tosspayments.Payment:
		total, outcome := v.TotalAmount.String(), v.Outcome()
		if v.OrderID != "order-0001" || total != "15000" && total != "60000" || outcome != tosspayments.OutcomePaid && outcome != tosspayments.OutcomeWaiting {
			return fmt.Sprintf("a payment of %s for the order %q that is %s", total, v.OrderID, outcome)
		}
	case *brandpay.Token:
		if v.AccessToken.Reveal() == "" || v.RefreshToken.Reveal() == "" {
			return "a token that is none"
		}
	case *brandpay.Authorization:
		if v.Code.Reveal() == "" {
			return "an authorization without a code"
		}
	case *brandpay.Card:
		if v.MethodKey == "" {
			return "a card without a key"
		}
	case *brandpay.BankAccount:
		if v.MethodKey == "" {
			return "an account without a key"
		}
	}
	return ""
}

// FuzzRedirectURL reads any query: what is accepted can be sent on, and written again.
func FuzzRedirectURL(f *testing.F) {
	for _, query := range []string{
		"code=exCode0001&customerKey=7b0d8f3e-0c51", "customerKey=c&code=a&code=a&mine=%zz;&x", "code=%00&customerKey=%ff", "code=+&customerKey=%2e%2e",
	} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		auth, err := brandpay.ParseRedirectURL(&url.URL{RawQuery: query})
		if err != nil {
			var wrong *tosspayments.ValidationError
			require.ErrorAs(t, err, &wrong)
			return
		}
		assert.NotEmpty(t, auth.CustomerKey)
		assert.NotEmpty(t, auth.Code.Reveal())
		again, err := brandpay.ParseRedirectURL(&url.URL{RawQuery: auth.Values().Encode()})
		require.NoError(t, err)
		assert.True(t, again.CustomerKey == auth.CustomerKey && again.Code.Equal(auth.Code))
	})
}
