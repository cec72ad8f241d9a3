package tosspayments_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
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
		"orderId=%e1&amount=1":                                                            {"paymentKey", "missing"},
		"paymentKey=&orderId=order-0001&amount=1":                                         {"paymentKey", "missing"},
		"paymentKey=p&amount=1":                                                           {"orderId", "missing"},
		"paymentKey=p&orderId=order-0001":                                                 {"amount", "missing"},
		"paymentKey=p&orderId=order-0001&amount=1&amount=2":                               {"amount", "more than once"},
		"paymentKey=p&orderId=order-0001&amount=1&amount=":                                {"amount", "more than once"},
		"paymentKey=p&orderId=order-0001&amount=1&amount=%e1":                             {"amount", "percent-encoded"},
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
		"paymentKey=p;orderId=order-0001&amount=1":                                        {"orderId", "missing"},
		"paymentKey=k%0Aerror%1B[2J&orderId=order-0001&amount=1":                          {"paymentKey", "visible"},
		"paymentKey=a+b&orderId=order-0001&amount=1":                                      {"paymentKey", "visible"},
		"paymentKey=%ED%82%A4&orderId=order-0001&amount=1":                                {"paymentKey", "visible"},
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
	for _, u := range []*url.URL{nil, {RawQuery: strings.Repeat("&", 17<<10)}} {
		assert.Len(t, parseAll(u), 3)
	}
}

func TestParseFailURL(t *testing.T) {
	redirect, err := tosspayments.ParseFailURL(parseURL(t, "https://shop.example/fail?code=PAY_PROCESS_CANCELED&message=%EC%82%AC%EC%9A%A9%EC%9E%90"))
	require.NoError(t, err)
	assert.Equal(t, &tosspayments.FailRedirect{Code: tosspayments.ErrPayProcessCanceled, Message: "사용자"}, redirect)
	assert.ErrorIs(t, error(redirect), tosspayments.ErrPayProcessCanceled)
}

func TestParseFailURLOfTomorrow(t *testing.T) {
	redirect, err := tosspayments.ParseFailURL(parseURL(t, "https://shop.example/fail?code=A_CODE_OF_TOMORROW&message=a%0Ab+4330123412341234&orderId=order-0001"))
	require.NoError(t, err)
	assert.ErrorIs(t, error(redirect), tosspayments.ErrorCode("A_CODE_OF_TOMORROW"))
	assert.Equal(t, "order-0001", redirect.OrderID)
	assert.NotContains(t, redirect.Error(), "\n")
	assert.NotContains(t, redirect.Error(), "4330123412341234")
}

func TestParseFailURLRefuses(t *testing.T) {
	for query, field := range map[string]string{
		"message=x": "code", "code=A&code=B": "code", "code=A%20B": "code", "code=" + strings.Repeat("A", 101): "code",
		"code=A&message=" + strings.Repeat("m", 2001): "message", "code=A&message=%e1": "message",
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
		"customerKey=customer-1&authKey=a%0Ab": "authKey", "customerKey=customer-1&customerKey=customer-2&authKey=a": "customerKey",
	} {
		_, err := tosspayments.ParseBillingURL(&url.URL{RawQuery: query})
		var invalid *tosspayments.ValidationError
		require.ErrorAs(t, err, &invalid, query)
		assert.Equal(t, field, invalid.Field, query)
	}
}

// What the merchant has put into its own addresses is ignored, whatever it holds.
func TestOwnParametersAreIgnored(t *testing.T) {
	for _, own := range []string{
		"utm_term=%C5%D7%BD%BA%C6%AE", "%C5%D7=1", "q=100%", "%=1", "%zz=%", "a;b=c;d", ";", "&&", "=", "x=" + strings.Repeat("x", 8<<10),
		"paymentkey=other", "ORDERID=order-9999", "Amount=1",
	} {
		for _, form := range []string{"%s&%s", "%[2]s&%[1]s"} {
			query := func(of string) *url.URL { return &url.URL{RawQuery: fmt.Sprintf(form, own, of)} }
			success, err := tosspayments.ParseSuccessURL(query("paymentType=NORMAL&paymentKey=tviva20240101&orderId=ORDER-1234&amount=1000"))
			require.NoError(t, err, own)
			assert.Equal(t, tosspayments.SuccessRedirect{
				PaymentType: "NORMAL", PaymentKey: "tviva20240101", OrderID: "ORDER-1234", Amount: tosspayments.Won(1000),
			}, success)
			fail, err := tosspayments.ParseFailURL(query("code=PAY_PROCESS_CANCELED&message=a"))
			require.NoError(t, err, own)
			assert.Equal(t, &tosspayments.FailRedirect{Code: tosspayments.ErrPayProcessCanceled, Message: "a"}, fail)
			billing, err := tosspayments.ParseBillingURL(query("customerKey=customer-0001&authKey=bln_case_0001"))
			require.NoError(t, err, own)
			assert.Equal(t, "customer-0001 bln_case_0001", billing.CustomerKey+" "+billing.AuthKey.Reveal())
		}
	}
}

// A parameter that stands twice with one value, however it is written, stands once.
func TestParametersGivenTwice(t *testing.T) {
	for _, query := range []string{
		"orderId=ORDER-1234&paymentType=NORMAL&paymentKey=tviva20240101&orderId=ORDER-1234&amount=1000",
		"amount=1000&paymentType=NORMAL&paymentKey=tviva20240101&orderId=ORDER-1234&amount=1000",
		"orderId=ORDER-1234&paymentType=NORMAL&paymentKey=tviva20240101&orderId=%4FRDER%2D1234&amount=1000&%61mount=1000",
	} {
		redirect, err := tosspayments.ParseSuccessURL(&url.URL{RawQuery: query})
		require.NoError(t, err, query)
		assert.Equal(t, "ORDER-1234", redirect.OrderID)
		assert.Equal(t, tosspayments.Won(1000), redirect.Amount)
	}
	billing, err := tosspayments.ParseBillingURL(&url.URL{RawQuery: "customerKey=customer-0001&customerKey=customer-0001&authKey=bln"})
	require.NoError(t, err)
	assert.Equal(t, "customer-0001", billing.CustomerKey)
}

// Order ids in the merchant's own failUrl hide neither the code nor the payment.
func TestOrderIDsOfTheMerchant(t *testing.T) {
	for query, want := range map[string]string{
		"orderId=ORDER-1234&code=REJECT_CARD_COMPANY&message=a&orderId=ORDER-1234": "ORDER-1234",
		"orderId=ORDER-1234&code=REJECT_CARD_COMPANY&message=a":                    "ORDER-1234",
		"orderId=77&code=REJECT_CARD_COMPANY&message=a&orderId=ORDER-1234":         "ORDER-1234",
		"code=REJECT_CARD_COMPANY&message=a&orderId=ORDER-1234&orderId=77":         "ORDER-1234",
		"orderId=1234567&code=REJECT_CARD_COMPANY&message=a&orderId=ORDER-1234":    "ORDER-1234",
		"orderId=null&code=REJECT_CARD_COMPANY&message=a&orderId=ORDER-1234":       "ORDER-1234",
		"orderId=%C5%D7&code=REJECT_CARD_COMPANY&message=a&orderId=ORDER-1234":     "ORDER-1234",
		"orderId=77&code=REJECT_CARD_COMPANY&message=a":                            "",
		"orderId=null&code=REJECT_CARD_COMPANY&message=a":                          "",
		"orderId=&code=REJECT_CARD_COMPANY&message=a":                              "",
		"orderId=100%&code=REJECT_CARD_COMPANY&message=a":                          "",
		"orderId=a%0Ab%0Ac%0Ad&code=REJECT_CARD_COMPANY&message=a":                 "",
	} {
		redirect, err := tosspayments.ParseFailURL(&url.URL{RawQuery: query})
		require.NoError(t, err, query)
		assert.Equal(t, tosspayments.ErrRejectCardCompany, redirect.Code)
		assert.Equal(t, want, redirect.OrderID, query)
	}
}

// What a browser brings is printed on one line, and quoted.
func TestRedirectsInErrors(t *testing.T) {
	redirect := tosspayments.SuccessRedirect{PaymentKey: "k\n\x1b[2J", OrderID: "order-0001", Amount: tosspayments.Won(1)}
	_, err := redirect.ConfirmRequest(tosspayments.Won(1))
	var invalid *tosspayments.ValidationError
	require.ErrorAs(t, err, &invalid)
	assert.Equal(t, "paymentKey", invalid.Field)
	assert.NotContains(t, err.Error(), "\x1b")

	fail := &tosspayments.FailRedirect{Code: "A\nB", Message: "m\x1b[2J", OrderID: "o\r\no"}
	assert.NotRegexp(t, `[\x00-\x1f]`, fail.Error())
}

// Values makes the query that a handler test needs.
func TestRedirectValues(t *testing.T) {
	success, err := tosspayments.ParseSuccessURL(parseURL(t, successURL))
	require.NoError(t, err)
	again, err := tosspayments.ParseSuccessURL(&url.URL{RawQuery: success.Values().Encode()})
	require.NoError(t, err)
	assert.Equal(t, success, again)
	success.PaymentType = ""
	assert.Equal(t, "amount=15000&orderId=order-0001&paymentKey=pay-1", success.Values().Encode())

	for _, fail := range []*tosspayments.FailRedirect{
		{Code: tosspayments.ErrRejectCardCompany, Message: "한도 초과; 100%", OrderID: "order-0001"},
		{Code: tosspayments.ErrPayProcessCanceled},
	} {
		again, err := tosspayments.ParseFailURL(&url.URL{RawQuery: fail.Values().Encode()})
		require.NoError(t, err)
		assert.Equal(t, fail, again)
	}
	assert.NotContains(t, (&tosspayments.FailRedirect{Code: "A"}).Values(), "orderId")

	billing := tosspayments.BillingRedirect{CustomerKey: "customer-1", AuthKey: tosspayments.NewSensitive("bln_1=")}
	read, err := tosspayments.ParseBillingURL(&url.URL{RawQuery: billing.Values().Encode()})
	require.NoError(t, err)
	assert.Equal(t, billing.CustomerKey, read.CustomerKey)
	assert.Equal(t, "bln_1=", read.AuthKey.Reveal())
}

func TestConfirmRequestIn(t *testing.T) {
	amount := func(text string) tosspayments.Amount {
		a, err := tosspayments.ParseAmount(text)
		require.NoError(t, err)
		return a
	}
	redirect := tosspayments.SuccessRedirect{PaymentKey: "pay-1", OrderID: "order-0001", Amount: amount("12.5")}
	request, err := redirect.ConfirmRequestIn(tosspayments.CurrencyUSD, amount("12.50"))
	require.NoError(t, err)
	assert.Equal(t, tosspayments.ConfirmPaymentRequest{
		PaymentKey: "pay-1", OrderID: "order-0001", Amount: amount("12.5"), Currency: "USD",
	}, request)
	_, err = redirect.ConfirmRequestIn(tosspayments.CurrencyUSD, amount("12.51"))
	require.ErrorIs(t, err, tosspayments.ErrAmountMismatch)
	_, err = redirect.ConfirmRequestIn(tosspayments.CurrencyJPY, amount("12.5"))
	var invalid *tosspayments.ValidationError
	require.ErrorAs(t, err, &invalid)
	assert.Equal(t, "amount", invalid.Field, "yen have no decimals")
}

var visible = regexp.MustCompile("^[!-~]+$")

func FuzzRedirects(f *testing.F) {
	f.Add("paymentType=NORMAL&orderId=order-0001&paymentKey=pay-1&amount=15000")
	f.Add("code=PAY_PROCESS_CANCELED&message=%EC%82%AC&orderId=order-0001")
	f.Add("customerKey=customer-1&authKey=bln_1")
	f.Add("amount=1&amount=2;x=%zz")
	f.Add("orderId=null&q=%C5%D7&code=A&orderId=order-0001")
	f.Fuzz(func(t *testing.T, query string) {
		u := &url.URL{RawQuery: query}
		requireSuccessOrNone(t, u)
		requireFailOrNone(t, u)
		requireBillingOrNone(t, u)
		for _, err := range parseAll(u) {
			var invalid *tosspayments.ValidationError
			require.ErrorAs(t, err, &invalid)
			require.Regexp(t, visible, invalid.Field)
			require.NotContains(t, err.Error(), "\n")
		}
	})
}

// requireSuccessOrNone wants what parses to be good for a confirm, and to be written and
// read again.
func requireSuccessOrNone(t *testing.T, u *url.URL) {
	t.Helper()
	r, err := tosspayments.ParseSuccessURL(u)
	if err != nil {
		return
	}
	request, err := r.ConfirmRequest(r.Amount)
	require.NoError(t, err, "what parses can be confirmed")
	require.NoError(t, tosspayments.ValidateOrderID(request.OrderID))
	require.Regexp(t, visible, r.PaymentKey)
	again, err := tosspayments.ParseSuccessURL(&url.URL{RawQuery: r.Values().Encode()})
	require.NoError(t, err)
	require.Equal(t, r, again)
}

// requireFailOrNone wants what parses to be one line of a log, and to be written and read
// again.
func requireFailOrNone(t *testing.T, u *url.URL) {
	t.Helper()
	r, err := tosspayments.ParseFailURL(u)
	if err != nil {
		require.Nil(t, r)
		return
	}
	require.Regexp(t, visible, string(r.Code))
	require.NotContains(t, r.Error(), "\n")
	again, err := tosspayments.ParseFailURL(&url.URL{RawQuery: r.Values().Encode()})
	require.NoError(t, err)
	require.Equal(t, r, again)
}

// requireBillingOrNone wants what parses to be written and read again.
func requireBillingOrNone(t *testing.T, u *url.URL) {
	t.Helper()
	r, err := tosspayments.ParseBillingURL(u)
	if err != nil {
		return
	}
	again, err := tosspayments.ParseBillingURL(&url.URL{RawQuery: r.Values().Encode()})
	require.NoError(t, err)
	require.Equal(t, r.AuthKey.Reveal(), again.AuthKey.Reveal())
}

// parseAll returns the errors of all three functions.
func parseAll(u *url.URL) (errs []error) {
	_, success := tosspayments.ParseSuccessURL(u)
	_, fail := tosspayments.ParseFailURL(u)
	_, billing := tosspayments.ParseBillingURL(u)
	return slices.DeleteFunc([]error{success, fail, billing}, func(err error) bool { return err == nil })
}
