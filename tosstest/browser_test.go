package tosstest_test

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

type object map[string]any

func windowRequest(changes object) object {
	request := object{
		"method": "CARD", "amount": object{"currency": "KRW", "value": 15000},
		"orderId": "order-0001", "orderName": "원두 1kg",
		"successUrl": "http://shop.example/success", "failUrl": "http://shop.example/fail?from=window",
	}
	maps.Copy(request, changes)
	return request
}

// openWindow does what the script does.
func openWindow(t *testing.T, server *tosstest.Server, clientKey string, request object) (status int, answer map[string]string) {
	t.Helper()
	return requestWindow(t, server, object{"kind": "payment", "clientKey": clientKey, "customerKey": "customer-1", "target": "self", "request": request})
}

// requestWindow sends what the script sends for any request, from a desktop.
func requestWindow(t *testing.T, server *tosstest.Server, envelope object) (status int, answer map[string]string) {
	t.Helper()
	body, err := json.Marshal(envelope)
	require.NoError(t, err)
	response, err := http.Post(server.URL+"/window", "text/plain", strings.NewReader(string(body)))
	require.NoError(t, err)
	defer response.Body.Close()
	require.NoError(t, json.NewDecoder(response.Body).Decode(&answer))
	assert.Equal(t, "*", response.Header.Get("Access-Control-Allow-Origin"))
	answer["url"] = server.URL + answer["path"]
	return response.StatusCode, answer
}

// choose presses a button of the window and returns where it leads.
func choose(t *testing.T, window, outcome, means string) *url.URL {
	t.Helper()
	return submit(t, window, url.Values{"outcome": {outcome}, "means": {means}, "installment": {"3"}})
}

// submit sends the form of the window and returns where it leads.
func submit(t *testing.T, window string, form url.Values) *url.URL {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.PostForm(window, form)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusSeeOther, response.StatusCode)
	target, err := response.Location()
	require.NoError(t, err)
	return target
}

func page(t *testing.T, address string) string {
	t.Helper()
	response, err := http.Get(address)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(body)
}

func TestWindowChecksParameters(t *testing.T) {
	server := tosstest.NewServer(t)
	long := strings.Repeat("a", 101)
	for name, row := range map[string]struct {
		changes object
		code    tosspayments.ErrorCode
	}{
		"short order id":          {object{"orderId": "short"}, tosspayments.ErrInvalidOrderID},
		"order id with a dot":     {object{"orderId": "order.0001"}, tosspayments.ErrInvalidOrderID},
		"long order name":         {object{"orderName": long}, tosspayments.ErrInvalidOrderName},
		"no amount":               {object{"amount": nil}, tosspayments.ErrInvalidParameters},
		"amount as a number":      {object{"amount": 15000}, tosspayments.ErrInvalidParameters},
		"negative amount":         {object{"amount": object{"currency": "KRW", "value": -1}}, tosspayments.ErrBelowZeroAmount},
		"zero":                    {object{"amount": object{"currency": "KRW", "value": 0}}, tosspayments.ErrBelowZeroAmount},
		"part of a won":           {object{"amount": object{"currency": "KRW", "value": 1.5}}, tosspayments.ErrInvalidAmountValue},
		"amount as text":          {object{"amount": object{"currency": "KRW", "value": "15000"}}, tosspayments.ErrInvalidAmountValue},
		"other case":              {object{"orderID": "order-0001"}, tosspayments.ErrInvalidParameters},
		"unknown company":         {object{"card": object{"cardCompany": "NOBANK"}}, tosspayments.ErrInvalidCardCompany},
		"receipt type":            {object{"virtualAccount": object{"cashReceipt": object{"type": "none"}}}, tosspayments.ErrInvalidParameters},
		"foreign without wallet":  {object{"method": "FOREIGN_EASY_PAY", "amount": object{"currency": "USD", "value": 10}}, tosspayments.ErrInvalidParameters},
		"PayPal for won":          {object{"method": "FOREIGN_EASY_PAY", "foreignEasyPay": object{"provider": "PAYPAL", "country": "KR"}}, tosspayments.ErrInvalidAmountCurrency},
		"unknown carrier":         {object{"mobilePhone": object{"mobileCarriers": []string{"ABC"}}}, tosspayments.ErrInvalidParameters},
		"other currency":          {object{"amount": object{"currency": "EUR", "value": 1}}, tosspayments.ErrInvalidAmountCurrency},
		"no method":               {object{"method": nil}, tosspayments.ErrNotSupportedMethod},
		"no addresses":            {object{"successUrl": nil, "failUrl": nil}, tosspayments.ErrNotSupportedPromise},
		"successUrl without host": {object{"successUrl": "/success"}, tosspayments.ErrIncorrectSuccessURLFormat},
		"no failUrl":              {object{"failUrl": nil}, tosspayments.ErrIncorrectFailURLFormat},
		"e-mail":                  {object{"customerEmail": "nobody"}, tosspayments.ErrInvalidEmail},
		"phone with hyphens":      {object{"customerMobilePhone": "010-1234-5678"}, tosspayments.ErrInvalidPhone},
		"unknown parameter":       {object{"order": "x"}, tosspayments.ErrInvalidParameters},
		"unknown in card":         {object{"card": object{"company": "61"}}, tosspayments.ErrInvalidParameters},
		"both plans":              {object{"card": object{"cardInstallmentPlan": 3, "maxCardInstallmentPlan": 6}}, tosspayments.ErrInvalidCardInstallmentPlansWithMaxAndSingle},
		"one month":               {object{"card": object{"cardInstallmentPlan": 1}}, tosspayments.ErrInvalidParameters},
		"direct without company":  {object{"card": object{"flowMode": "DIRECT"}}, tosspayments.ErrInvalidFlowModeParameters},
		"unknown wallet":          {object{"card": object{"easyPay": "NOPAY"}}, tosspayments.ErrInvalidEasyPay},
		"metadata name":           {object{"metadata": object{"a[0]": "x"}}, tosspayments.ErrInvalidMetadata},
		"tax-free over amount":    {object{"taxFreeAmount": 15001}, tosspayments.ErrInvalidParameters},
		"window target":           {object{"windowTarget": "popup"}, tosspayments.ErrInvalidParameters},
	} {
		t.Run(name, func(t *testing.T) {
			status, answer := openWindow(t, server, tosstest.DefaultClientKey, windowRequest(row.changes))
			assert.Equal(t, http.StatusBadRequest, status)
			assert.Equal(t, string(row.code), answer["code"])
			assert.NotEmpty(t, answer["message"])
		})
	}
	t.Run("client keys", func(t *testing.T) {
		_, answer := openWindow(t, server, "test_gck_docs_Ovk5rk1EwkEbP0W43n07xlzm", windowRequest(nil))
		assert.Equal(t, "NOT_SUPPORTED_WIDGET_KEY", answer["code"])
		_, answer = openWindow(t, server, "test_ck_of_somebody_else", windowRequest(nil))
		assert.Equal(t, "INVALID_CLIENT_KEY", answer["code"])
	})
	t.Run("everything that may be given", func(t *testing.T) {
		status, _ := openWindow(t, server, tosstest.DefaultClientKey, windowRequest(object{
			"customerEmail": "buyer@example.com", "customerName": "김토스", "customerMobilePhone": "01012345678",
			"taxFreeAmount": 1000, "windowTarget": "self", "metadata": object{"cart": "7"},
			"card": object{"useEscrow": false, "cardCompany": "61", "maxCardInstallmentPlan": 6, "language": "KO", "appScheme": nil},
		}))
		assert.Equal(t, http.StatusOK, status)
	})
}

func TestWindowShowsTheOrder(t *testing.T) {
	server := tosstest.NewServer(t)
	html := page(t, orderWindow(t, server))
	assert.Contains(t, html, "원두 1kg")
	assert.Contains(t, html, "60,000원")
}

// orderWindow is a window for 60,000 won.
func orderWindow(t *testing.T, server *tosstest.Server) string {
	t.Helper()
	_, answer := openWindow(t, server, tosstest.DefaultClientKey, windowRequest(object{"amount": object{"currency": "KRW", "value": 60000}}))
	return answer["url"]
}

func TestWindowsThatFail(t *testing.T) {
	for outcome, row := range map[string]struct {
		code    tosspayments.ErrorCode
		orderID string
	}{
		"cancel": {code: tosspayments.ErrPayProcessCanceled},
		"reject": {code: tosspayments.ErrRejectCardCompany, orderID: "order-0001"},
		"abort":  {code: tosspayments.ErrPayProcessAborted, orderID: "order-0001"},
	} {
		t.Run(outcome, func(t *testing.T) {
			server := tosstest.NewServer(t)
			target := choose(t, orderWindow(t, server), outcome, "easyPay:KAKAOPAY")
			assert.Equal(t, "window", target.Query().Get("from"), "what the address had stays")
			fail, err := tosspayments.ParseFailURL(target)
			require.NoError(t, err)
			assert.ErrorIs(t, fail, row.code)
			assert.Equal(t, row.orderID, fail.OrderID)
			assert.NotEmpty(t, fail.Message)
			assert.Empty(t, server.Ledger())
		})
	}
}

// confirmedWindow confirms what has come of a window for 60,000 won.
func confirmedWindow(t *testing.T, server *tosstest.Server, window, outcome string) (*tosspayments.Payment, tosspayments.Response, error) {
	t.Helper()
	redirect, err := tosspayments.ParseSuccessURL(choose(t, window, outcome, "easyPay:KAKAOPAY"))
	require.NoError(t, err)
	assert.Empty(t, redirect.PaymentType, "payment() has none")
	request, err := redirect.ConfirmRequest(tosspayments.Won(60000))
	require.NoError(t, err)
	var response tosspayments.Response
	payment, err := server.Client().ConfirmPayment(t.Context(), request, tosspayments.WithResponse(&response))
	return payment, response, err
}

func TestWindowsWhoseConfirmFails(t *testing.T) {
	for outcome, want := range map[string]error{"refuse": tosspayments.ErrRejectCardCompany, "expire": tosspayments.ErrNotFoundPaymentSession} {
		server := tosstest.NewServer(t)
		_, _, err := confirmedWindow(t, server, orderWindow(t, server), outcome)
		require.ErrorIs(t, err, want)
		assert.Empty(t, server.Ledger())
	}
}

func TestWindowsThatPay(t *testing.T) {
	t.Parallel()
	for outcome, attempts := range map[string]int{"pay": 1, "lose": 2} {
		t.Run(outcome, func(t *testing.T) {
			server := tosstest.NewServer(t)
			window := orderWindow(t, server)
			payment, response, err := confirmedWindow(t, server, window, outcome)
			require.NoError(t, err)
			assert.Equal(t, &tosspayments.EasyPay{Provider: "카카오페이", Amount: tosspayments.Won(60000)}, payment.EasyPay)
			assert.Nil(t, payment.Card, "the wallet pays with its money")
			assert.Equal(t, 1, server.Charges("order-0001"))
			assert.Equal(t, attempts, response.Attempts)
			assert.Contains(t, page(t, window), "이미 끝난 결제")
		})
	}
}

func TestWindowIsOpenForHalfAnHour(t *testing.T) {
	server := tosstest.NewServer(t)
	_, answer := openWindow(t, server, tosstest.DefaultClientKey, windowRequest(nil))
	server.Advance(31 * time.Minute)
	fail, err := tosspayments.ParseFailURL(choose(t, answer["url"], "pay", "card:61"))
	require.NoError(t, err)
	assert.ErrorIs(t, fail, tosspayments.ErrPayProcessAborted)
}

func TestWindowRefusesAnOrderThatWasPaid(t *testing.T) {
	server := tosstest.NewServer(t)
	redirect := server.Authenticate(tosstest.Checkout{OrderID: "order-0001", OrderName: "원두 1kg", Amount: tosspayments.Won(15000)})
	request, err := redirect.ConfirmRequest(tosspayments.Won(15000))
	require.NoError(t, err)
	_, err = server.Client().ConfirmPayment(t.Context(), request)
	require.NoError(t, err)
	_, answer := openWindow(t, server, tosstest.DefaultClientKey, windowRequest(nil))
	assert.Equal(t, "DUPLICATED_ORDER_ID", answer["code"])
}

func TestWindowOfNobody(t *testing.T) {
	server := tosstest.NewServer(t)
	for _, address := range []string{"/window/none", "/window/"} {
		response, err := http.Get(server.URL + address)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		assert.Equal(t, http.StatusNotFound, response.StatusCode, address)
	}
}

func TestFaultOfOnePayment(t *testing.T) {
	server := tosstest.New()
	client := server.Client(tosspayments.WithMaxRetries(0))
	one := server.Authenticate(tosstest.Checkout{OrderID: "order-0001", OrderName: "원두", Amount: tosspayments.Won(1000)})
	two := server.Authenticate(tosstest.Checkout{OrderID: "order-0002", OrderName: "원두", Amount: tosspayments.Won(1000)})
	server.Inject(tosstest.Fault{PaymentKey: two.PaymentKey, Kind: tosstest.Refuse, Code: tosspayments.ErrRejectCardCompany, Times: 2})
	for _, redirect := range []tosspayments.SuccessRedirect{one, two} {
		request, err := redirect.ConfirmRequest(tosspayments.Won(1000))
		require.NoError(t, err)
		_, err = client.ConfirmPayment(t.Context(), request)
		assert.Equal(t, redirect == two, errors.Is(err, tosspayments.ErrRejectCardCompany))
	}
	_, err := client.CancelPayment(t.Context(), one.PaymentKey, tosspayments.CancelPaymentRequest{CancelReason: "test"})
	require.NoError(t, err)
	_, err = client.GetPayment(t.Context(), two.PaymentKey)
	assert.ErrorIs(t, err, tosspayments.ErrRejectCardCompany)
}

// accountInTheWindow issues a virtual account for 15,000 won in a window that was asked for
// with a virtualAccount.
func accountInTheWindow(t *testing.T, server *tosstest.Server, virtualAccount object) (window string, payment *tosspayments.Payment) {
	t.Helper()
	_, answer := openWindow(t, server, tosstest.DefaultClientKey, windowRequest(object{
		"method": "VIRTUAL_ACCOUNT", "customerName": "이토스", "virtualAccount": virtualAccount,
	}))
	window = answer["url"]
	assert.Contains(t, page(t, window), `value="bank:88"`)
	redirect, err := tosspayments.ParseSuccessURL(choose(t, window, "pay", "bank:88"))
	require.NoError(t, err)
	request, err := redirect.ConfirmRequest(tosspayments.Won(15000))
	require.NoError(t, err)
	payment, err = server.Client().ConfirmPayment(t.Context(), request)
	require.NoError(t, err)
	return window, payment
}

func TestVirtualAccountInTheWindow(t *testing.T) {
	server := tosstest.NewServer(t)
	window, payment := accountInTheWindow(t, server, object{"validHours": 24, "cashReceipt": object{"type": "소득공제"}})
	assert.False(t, payment.IsPaid())
	assert.Equal(t, "88", payment.VirtualAccount.BankCode)
	assert.Equal(t, "이토스", payment.VirtualAccount.CustomerName)
	assert.Equal(t, window, payment.Checkout.URL, "where the developer plays the depositor")
	assert.WithinDuration(t, time.Now().Add(24*time.Hour), payment.VirtualAccount.DueDate, time.Minute)
	assert.Contains(t, page(t, window), payment.VirtualAccount.AccountNumber.Reveal())
}

func TestDepositsInTheWindow(t *testing.T) {
	server := tosstest.NewServer(t)
	window, payment := accountInTheWindow(t, server, nil)
	for _, step := range []struct {
		outcome string
		paid    bool
	}{{"deposit", true}, {"bounce", false}, {"deposit", true}} {
		choose(t, window, step.outcome, "")
		now, err := server.Client().GetPayment(t.Context(), payment.PaymentKey)
		require.NoError(t, err)
		assert.Equal(t, step.paid, now.IsPaid(), step.outcome)
	}
}

func TestDueDatesInTheWindow(t *testing.T) {
	server := tosstest.NewServer(t)
	for code, bad := range map[string]object{"EXCEED_MAX_VALID_HOURS": {"validHours": 2161}, "INVALID_DATE": {"dueDate": "2020-01-01T00:00:00"}} {
		_, answer := openWindow(t, server, tosstest.DefaultClientKey, windowRequest(object{"method": "VIRTUAL_ACCOUNT", "virtualAccount": bad}))
		assert.Equal(t, code, answer["code"])
	}
	due := time.Now().Add(50 * time.Hour)
	_, payment := accountInTheWindow(t, server, object{"dueDate": due.In(korea).Format("2006-01-02T15:04:05")})
	assert.WithinDuration(t, due, payment.VirtualAccount.DueDate, time.Minute)
}

func TestOtherMethods(t *testing.T) {
	server := tosstest.NewServer(t)
	for method, has := range map[tosspayments.Method]func(*tosspayments.Payment) bool{
		"TRANSFER":                 func(p *tosspayments.Payment) bool { return p.Transfer.BankCode == "20" },
		"MOBILE_PHONE":             func(p *tosspayments.Payment) bool { return p.MobilePhone.CustomerMobilePhone != "" },
		"CULTURE_GIFT_CERTIFICATE": func(p *tosspayments.Payment) bool { return p.GiftCertificate.ApproveNo != "" },
	} {
		redirect := server.Authenticate(tosstest.Checkout{OrderID: "order-" + string(method), OrderName: "원두", Amount: tosspayments.Won(1000), Method: method})
		request, err := redirect.ConfirmRequest(tosspayments.Won(1000))
		require.NoError(t, err)
		payment, err := server.Client().ConfirmPayment(t.Context(), request)
		require.NoError(t, err)
		assert.True(t, payment.IsPaid())
		assert.True(t, has(payment), method)
		assert.Nil(t, payment.Card)
		assert.Equal(t, method, payment.Method.Code())
	}
}

// registrationWindow asks for a window in which a customer registers a card.
func registrationWindow(t *testing.T, server *tosstest.Server, customerKey string, request object) (status int, answer map[string]string) {
	t.Helper()
	return requestWindow(t, server, object{
		"kind": "billing", "target": "self", "clientKey": tosstest.DefaultClientKey, "customerKey": customerKey, "request": request,
	})
}

var registrationRequest = object{"method": "CARD", "successUrl": "http://shop.example/billing", "failUrl": "http://shop.example/fail"}

func TestRegistrationWindowsThatAreRefused(t *testing.T) {
	server := tosstest.NewServer(t)
	for code, bad := range map[string]object{
		"INCORRECT_SUCCESS_URL_FORMAT": {"method": "CARD", "failUrl": "http://shop.example/fail"},
		"INCORRECT_FAIL_URL_FORMAT":    {"method": "CARD", "successUrl": "http://shop.example/billing", "failUrl": "http://shop.example/" + strings.Repeat("x", 1<<20-500)},
		"NOT_SUPPORTED_METHOD":         {"method": "GIFT", "successUrl": "http://a.example", "failUrl": "http://a.example"},
		"INVALID_PARAMETERS":           {"amount": 1},
	} {
		status, answer := registrationWindow(t, server, "customer-1", bad)
		assert.Equal(t, http.StatusBadRequest, status)
		assert.Equal(t, code, answer["code"])
	}
	_, answer := registrationWindow(t, server, "@@ANONYMOUS!", registrationRequest)
	assert.Equal(t, "INVALID_CUSTOMER_KEY", answer["code"])
}

func TestRegistrationInTheWindow(t *testing.T) {
	server := tosstest.NewServer(t)
	client := server.Client()
	for behaviour, want := range map[string]error{"": nil, "REJECT_CARD_PAYMENT": tosspayments.ErrRejectCardPayment} {
		_, answer := registrationWindow(t, server, "customer-1", registrationRequest)
		assert.Contains(t, page(t, answer["url"]), "등록하기")
		redirect, err := tosspayments.ParseBillingURL(submit(t, answer["url"], url.Values{"outcome": {"pay"}, "means": {"card:41"}, "behaviour": {behaviour}}))
		require.NoError(t, err)
		assert.Equal(t, "customer-1", redirect.CustomerKey)
		billing, err := client.IssueBillingKey(t.Context(), redirect)
		require.NoError(t, err)
		assert.Equal(t, "41", billing.Card.IssuerCode, "the card that was picked")
		assert.Equal(t, "신한", billing.CardCompany)
		_, err = client.ChargeBilling(t.Context(), billing.BillingKey, chargeOf(tosspayments.NewOrderID()))
		assert.ErrorIs(t, err, want)
	}
}

func TestRegistrationIsLeft(t *testing.T) {
	server := tosstest.NewServer(t)
	_, answer := registrationWindow(t, server, "customer-1", registrationRequest)
	fail, err := tosspayments.ParseFailURL(choose(t, answer["url"], "cancel", ""))
	require.NoError(t, err)
	assert.ErrorIs(t, fail, tosspayments.ErrPayProcessCanceled)
}
