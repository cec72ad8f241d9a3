package tosspayments_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
)

const successURL = "https://shop.example/success?paymentType=NORMAL&orderId=order-0001&paymentKey=pay-1&amount=15000"

func TestParseSuccessURL(t *testing.T) {
	redirect, err := tosspayments.ParseSuccessURL(parseURL(t, successURL+"&theme=dark"))
	require.NoError(t, err)
	assert.Equal(t, tosspayments.SuccessRedirect{
		PaymentType: "NORMAL", PaymentKey: "pay-1", OrderID: "order-0001", Amount: tosspayments.Won(15000),
	}, redirect)
	request, err := redirect.ConfirmRequest(tosspayments.Won(15000))
	require.NoError(t, err)
	assert.Equal(t, tosspayments.ConfirmPaymentRequest{PaymentKey: "pay-1", OrderID: "order-0001", Amount: tosspayments.Won(15000)}, request)

	_, err = tosspayments.ParseSuccessURL(parseURL(t, "https://shop.example/success?orderId=order-0001&paymentKey=pay-1&amount=15000"))
	assert.NoError(t, err, "paymentType is optional")
}

func TestAmountCheck(t *testing.T) {
	redirect, err := tosspayments.ParseSuccessURL(parseURL(t, successURL))
	require.NoError(t, err)
	_, err = redirect.ConfirmRequest(tosspayments.Won(99000))
	require.ErrorIs(t, err, tosspayments.ErrAmountMismatch)
	assert.NotErrorIs(t, err, tosspayments.ErrForeignAnswer)
	var mismatch *tosspayments.MismatchError
	require.ErrorAs(t, err, &mismatch)
	assert.Equal(t, "99000", mismatch.Want)
	assert.Equal(t, "15000", mismatch.Got)
}

func TestSuccessRedirectFromJSON(t *testing.T) {
	for _, body := range []string{
		`{"paymentKey":"pay-1","orderId":"order-0001","amount":"15000"}`,
		`{"paymentKey":"pay-1","orderId":"order-0001","amount":15000}`,
	} {
		var redirect tosspayments.SuccessRedirect
		require.NoError(t, json.Unmarshal([]byte(body), &redirect))
		_, err := redirect.ConfirmRequest(tosspayments.Won(15000))
		require.NoError(t, err)
	}
	for body, field := range map[string]string{
		`{"orderId":"order-0001","amount":15000}`:                            "paymentKey",
		`{"paymentKey":"pay-1","amount":15000}`:                              "orderId",
		`{"paymentKey":"pay-1","orderId":"order-0001"}`:                      "amount",
		`{"paymentKey":"pay-1","orderId":"order-0001","amount":-5}`:          "amount",
		`{"paymentKey":"../cancel/","orderId":"주문-0001-가","amount":15000}`:   "orderId",
		`{"paymentKey":"..","orderId":"order-0001","amount":15000}`:          "paymentKey",
		`{"paymentKey":null,"orderId":null,"amount":null,"paymentType":"x"}`: "paymentKey",
	} {
		var redirect tosspayments.SuccessRedirect
		require.NoError(t, json.Unmarshal([]byte(body), &redirect))
		_, err := redirect.ConfirmRequest(tosspayments.Won(15000))
		var invalid *tosspayments.ValidationError
		require.ErrorAs(t, err, &invalid, body)
		assert.Equal(t, field, invalid.Field, body)
	}
}

func TestBadSuccessURLs(t *testing.T) {
	for query, want := range map[string][2]string{
		"orderId=order-0001&amount=1":                                                     {"paymentKey", "missing"},
		"paymentKey=&orderId=order-0001&amount=1":                                         {"paymentKey", "missing"},
		"paymentKey=p&amount=1":                                                           {"orderId", "missing"},
		"paymentKey=p&orderId=order-0001":                                                 {"amount", "missing"},
		"paymentKey=p&orderId=order-0001&amount=1&amount=1":                               {"amount", "more than once"},
		"paymentKey=p&orderId=order-0001&orderId=order-0002&amount=1":                     {"orderId", "more than once"},
		"paymentKey=p&orderId=order-0001&amount=1&paymentType=a&paymentType=b":            {"paymentType", "more than once"},
		"paymentKey=p&orderId=order-0001&amount=ten":                                      {"amount", "decimal number"},
		"paymentKey=p&orderId=order-0001&amount=0":                                        {"amount", "more than 0"},
		"paymentKey=p&orderId=order-0001&amount=1,000":                                    {"amount", "decimal number"},
		"paymentKey=p&orderId=order-0001&amount=%31%":                                     {"amount", "percent-encoded"},
		"paymentKey=%ff&orderId=order-0001&amount=1":                                      {"paymentKey", "percent-encoded UTF-8"},
		"paymentKey=p&orderId=short&amount=1":                                             {"orderId", "6 to 64"},
		"paymentKey=p&orderId=order%2F0001&amount=1":                                      {"orderId", "letters"},
		"paymentKey=" + strings.Repeat("p", 201) + "&orderId=order-0001&amount=1":         {"paymentKey", "200"},
		"paymentKey=p&orderId=" + strings.Repeat("o", 65) + "&amount=1":                   {"orderId", "64"},
		"paymentKey=p&orderId=order-0001&amount=" + strings.Repeat("1", 101):              {"amount", "100"},
		"paymentKey=p&orderId=order-0001&amount=1&paymentType=" + strings.Repeat("x", 41): {"paymentType", "40"},
		"paymentKey=p;orderId=order-0001&amount=1":                                        {"query", "malformed"},
		"%zz=1&paymentKey=p&orderId=order-0001&amount=1":                                  {"query", "malformed"},
		"": {"paymentKey", "missing"},
		"paymentKey=p&orderId=order-0001&amount=1&x=" + strings.Repeat("x", 17<<10): {"query", "16 KiB"},
	} {
		_, err := tosspayments.ParseSuccessURL(&url.URL{RawQuery: query})
		var invalid *tosspayments.ValidationError
		if assert.ErrorAs(t, err, &invalid, query) {
			assert.Equal(t, want[0], invalid.Field, query)
			assert.Contains(t, invalid.Reason, want[1], query)
		}
	}
	for _, parse := range []func(*url.URL) error{
		func(u *url.URL) error { _, err := tosspayments.ParseSuccessURL(u); return err },
		func(u *url.URL) error { _, err := tosspayments.ParseFailURL(u); return err },
		func(u *url.URL) error { _, err := tosspayments.ParseBillingURL(u); return err },
	} {
		assert.ErrorContains(t, parse(nil), "nil")
	}
}

func TestParseFailURL(t *testing.T) {
	redirect, err := tosspayments.ParseFailURL(parseURL(t, "https://shop.example/fail?code=PAY_PROCESS_CANCELED&message=%EC%82%AC%EC%9A%A9%EC%9E%90"))
	require.NoError(t, err)
	assert.Equal(t, "사용자", redirect.Message)
	assert.Empty(t, redirect.OrderID)
	var asError error = redirect
	assert.ErrorIs(t, asError, tosspayments.ErrPayProcessCanceled)

	redirect, err = tosspayments.ParseFailURL(parseURL(t, "https://shop.example/fail?code=A_CODE_OF_TOMORROW&message=a%0Ab+4330123412341234&orderId=order-0001"))
	require.NoError(t, err)
	assert.ErrorIs(t, error(redirect), tosspayments.ErrorCode("A_CODE_OF_TOMORROW"))
	assert.Equal(t, "order-0001", redirect.OrderID)
	assert.NotContains(t, redirect.Error(), "\n")
	assert.NotContains(t, redirect.Error(), "4330123412341234")

	for query, field := range map[string]string{
		"message=x": "code", "code=A&code=B": "code", "code=A%20B": "code", "code=" + strings.Repeat("A", 101): "code",
		"code=A&orderId=x": "orderId", "code=A&message=" + strings.Repeat("m", 2001): "message",
		"code=A&message=%e1": "message", "code=A&orderId=order-0001&orderId=order-0001": "orderId",
	} {
		redirect, err := tosspayments.ParseFailURL(&url.URL{RawQuery: query})
		var invalid *tosspayments.ValidationError
		require.ErrorAs(t, err, &invalid, query)
		assert.Equal(t, field, invalid.Field, query)
		assert.Nil(t, redirect)
	}
}

func TestParseBillingURL(t *testing.T) {
	redirect, err := tosspayments.ParseBillingURL(parseURL(t, "https://shop.example/ok?customerKey=customer-1&authKey=bln_1%3D"))
	require.NoError(t, err)
	assert.Equal(t, "customer-1", redirect.CustomerKey)
	assert.Equal(t, "bln_1=", redirect.AuthKey.Reveal())
	for query, field := range map[string]string{
		"authKey=a": "customerKey", "customerKey=customer-1": "authKey", "customerKey=x&authKey=a": "customerKey",
		"customerKey=a%20b&authKey=a": "customerKey", "customerKey=ab&authKey=" + strings.Repeat("a", 301): "authKey",
	} {
		_, err := tosspayments.ParseBillingURL(&url.URL{RawQuery: query})
		var invalid *tosspayments.ValidationError
		require.ErrorAs(t, err, &invalid, query)
		assert.Equal(t, field, invalid.Field, query)
	}
}

func FuzzRedirects(f *testing.F) {
	f.Add("paymentType=NORMAL&orderId=order-0001&paymentKey=pay-1&amount=15000")
	f.Add("code=PAY_PROCESS_CANCELED&message=%EC%82%AC&orderId=order-0001")
	f.Add("customerKey=customer-1&authKey=bln_1")
	f.Add("amount=1&amount=2;x=%zz")
	f.Fuzz(func(t *testing.T, query string) {
		u := &url.URL{RawQuery: query}
		if r, err := tosspayments.ParseSuccessURL(u); err == nil {
			request, err := r.ConfirmRequest(r.Amount)
			require.NoError(t, err, "what parses can be confirmed")
			require.NoError(t, tosspayments.ValidateOrderID(request.OrderID))
			require.Equal(t, []string{r.PaymentKey}, u.Query()["paymentKey"])
		}
		if r, err := tosspayments.ParseFailURL(u); err == nil {
			require.NotEmpty(t, r.Code)
			require.NotContains(t, r.Error(), "\n")
		} else {
			require.Nil(t, r)
		}
		_, _ = tosspayments.ParseBillingURL(u)
	})
}
