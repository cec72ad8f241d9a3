package tosstest_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/brandpay"
	"github.com/seed238ab19c/tosspayments/tosstest"
	"github.com/seed238ab19c/tosspayments/webhook"
)

func issueToken(t *testing.T, server *tosstest.Server, customerKey string) *brandpay.Token {
	t.Helper()
	token, err := brandpay.New(server.Client()).IssueToken(t.Context(), brandpay.Authorization{
		CustomerKey: customerKey, Code: tosspayments.NewSensitive(server.AgreeBrandPay(customerKey)),
	})
	require.NoError(t, err)
	return token
}

// agreeByAPI lets a customer agree with all terms that are required.
func agreeByAPI(t *testing.T, client *brandpay.Client, customerKey string) *brandpay.Authorization {
	t.Helper()
	scope := []brandpay.Scope{brandpay.ScopeRegister, brandpay.ScopeCard}
	terms, err := client.GetTerms(t.Context(), customerKey, scope)
	require.NoError(t, err)
	var required []int64
	for _, term := range terms {
		assert.False(t, term.Agreed)
		if term.Required {
			required = append(required, term.ID)
		}
	}
	_, err = client.AgreeTerms(t.Context(), brandpay.AgreeTermsRequest{CustomerKey: customerKey, Scope: scope, TermsID: required[:1]})
	require.ErrorIs(t, err, tosspayments.ErrInvalidRequest, "all that are required")
	auth, err := client.AgreeTerms(t.Context(), brandpay.AgreeTermsRequest{CustomerKey: customerKey, Scope: scope, TermsID: required})
	require.NoError(t, err)
	return auth
}

func TestBrandPayCodesWorkOnce(t *testing.T) {
	server := tosstest.New()
	client := brandpay.New(server.Client())
	auth := agreeByAPI(t, client, "customer-1")
	token, err := client.IssueToken(t.Context(), *auth)
	require.NoError(t, err)
	again, err := client.IssueToken(t.Context(), *auth)
	require.NoError(t, err, "under the key that is made from the code")
	assert.Equal(t, token, again)
	_, err = client.IssueToken(t.Context(), *auth, tosspayments.WithIdempotencyKey("another"))
	require.ErrorIs(t, err, tosspayments.ErrInvalidRequest)
	assert.Equal(t, token, issueToken(t, server, "customer-1"), "the token stays the same")
}

func TestBrandPayMethodsAreListed(t *testing.T) {
	server := tosstest.New()
	client := brandpay.New(server.Client())
	customer := client.Customer(*issueToken(t, server, "customer-1"), nil)
	card, account := server.AddBrandPayCard("customer-1", "61"), server.AddBrandPayAccount("customer-1", "88")
	methods, err := customer.GetMethods(t.Context())
	require.NoError(t, err)
	same, err := client.GetMethods(t.Context(), "customer-1")
	require.NoError(t, err)
	assert.Equal(t, same, methods)
	assert.Equal(t, card, methods.Cards[0].MethodKey)
	assert.Equal(t, account, methods.Accounts[0].MethodKey)
	assert.False(t, methods.Cards[0].RegisteredAt.IsZero())
}

func TestBrandPayMethodsAreRemoved(t *testing.T) {
	server := tosstest.New()
	client := brandpay.New(server.Client())
	customer := client.Customer(*issueToken(t, server, "customer-1"), nil)
	other := client.Customer(*issueToken(t, server, "customer-2"), nil)
	card, account := server.AddBrandPayCard("customer-1", "61"), server.AddBrandPayAccount("customer-1", "88")
	_, err := customer.RemoveCard(t.Context(), account)
	require.ErrorIs(t, err, tosspayments.ErrNotFoundMethod)
	removed, err := customer.RemoveCard(t.Context(), card)
	require.NoError(t, err)
	assert.Equal(t, brandpay.MethodDisabled, removed.Status)
	_, err = customer.RemoveCard(t.Context(), card)
	require.ErrorIs(t, err, tosspayments.ErrNotFoundMethod)
	_, err = other.RemoveAccount(t.Context(), account)
	require.ErrorIs(t, err, tosspayments.ErrNotFoundMethodOwnership)
}

func TestBrandPayCustomersWhoLeave(t *testing.T) {
	server := tosstest.New()
	client := brandpay.New(server.Client())
	customer := client.Customer(*issueToken(t, server, "customer-1"), nil)
	issueToken(t, server, "customer-2")
	account := server.AddBrandPayAccount("customer-1", "88")
	require.NoError(t, customer.Leave(t.Context()))
	_, err := customer.GetMethods(t.Context())
	require.ErrorIs(t, err, brandpay.ErrAuthorize)
	_, err = client.GetMethods(t.Context(), "customer-1")
	require.ErrorIs(t, err, tosspayments.ErrNotFoundCustomer)
	_, err = client.Charge(t.Context(), brandPayCharge("customer-2", account))
	require.ErrorIs(t, err, tosspayments.ErrNotAllowedBrandpayMethod)
}

func TestWebhooksOfBrandPay(t *testing.T) {
	server := tosstest.New()
	t.Cleanup(server.Close)
	box := newInbox(server, webhook.MethodUpdated, webhook.CustomerStatusChanged)
	client := brandpay.New(server.Client())
	customer := client.Customer(*issueToken(t, server, "customer-1"), nil)
	card := server.AddBrandPayCard("customer-1", "61")
	server.AddBrandPayAccount("customer-1", "88")
	_, err := customer.RemoveCard(t.Context(), card)
	require.NoError(t, err)
	require.NoError(t, customer.Leave(t.Context()))
	assert.Equal(t, []string{
		"CUSTOMER_STATUS_CHANGED CREATED", "METHOD_UPDATED ENABLED", "METHOD_UPDATED ENABLED", "METHOD_UPDATED DISABLED", "CUSTOMER_STATUS_CHANGED REMOVED",
	}, box.take(server))
}

func brandPayCharge(customerKey, methodKey string) brandpay.ChargeRequest {
	return brandpay.ChargeRequest{
		CustomerKey: customerKey, MethodKey: methodKey, Amount: tosspayments.Won(9900), OrderID: "order-0002", OrderName: "3월 구독",
	}
}

func TestBrandPayPaymentInTheBrowser(t *testing.T) {
	server := tosstest.New()
	client := brandpay.New(server.Client())
	card := server.AddBrandPayCard("customer-1", "61")
	inner, err := server.AuthenticateBrandPay("customer-1", card, socks("order-0001")).ConfirmRequest(tosspayments.Won(15000))
	require.NoError(t, err)
	request := brandpay.ConfirmPaymentRequest{ConfirmPaymentRequest: inner, CustomerKey: "customer-2"}
	_, err = client.ConfirmPayment(t.Context(), request)
	require.ErrorIs(t, err, tosspayments.ErrNotMatchesCustomerKey)
	request.CustomerKey = "customer-1"
	payment, err := client.ConfirmPayment(t.Context(), request)
	require.NoError(t, err)
	assert.Equal(t, tosspayments.PaymentTypeBrandPay, payment.Type)
	assert.Equal(t, "61", payment.Card.IssuerCode)
	assert.True(t, payment.Secret.IsZero())
}

func TestBrandPayChargeIsMadeOnce(t *testing.T) {
	server := tosstest.New()
	client := brandpay.New(server.Client())
	account := server.AddBrandPayAccount("customer-1", "88")
	charged, err := client.Charge(t.Context(), brandPayCharge("customer-1", account))
	require.NoError(t, err)
	assert.Equal(t, "88", charged.Transfer.BankCode)
	again, err := client.Charge(t.Context(), brandPayCharge("customer-1", account))
	require.NoError(t, err)
	assert.Equal(t, charged, again)
	assert.Equal(t, 1, server.Charges("order-0002"))
}

func TestBrandPayChargesThatFail(t *testing.T) {
	server := tosstest.New()
	client := brandpay.New(server.Client())
	account := server.AddBrandPayAccount("customer-1", "88")
	_, err := client.Charge(t.Context(), brandPayCharge("customer-9", account))
	require.ErrorIs(t, err, tosspayments.ErrNotFoundCustomer)
	_, err = client.Charge(t.Context(), brandPayCharge("customer-1", "mkey_none"))
	require.ErrorIs(t, err, tosspayments.ErrNotFoundMethod)
	pay(t, server, socks("order-0003"))
	paid := brandPayCharge("customer-1", account)
	paid.OrderID, paid.Amount = "order-0003", tosspayments.Won(15000)
	_, err = client.Charge(t.Context(), paid)
	require.ErrorIs(t, err, tosspayments.ErrForeignAnswer, "the order was paid in the window")
}

func TestBrandPayFaults(t *testing.T) {
	for _, kind := range []tosstest.FaultKind{tosstest.Drop, tosstest.Cut, tosstest.BadGateway} {
		synctest.Test(t, func(t *testing.T) {
			server := tosstest.New()
			client := brandpay.New(server.Client())
			card := server.AddBrandPayCard("customer-1", "61")
			server.Inject(tosstest.Fault{Operation: tosstest.ChargeBrandPay, Kind: kind, AfterEffect: true, Times: 9})
			_, err := client.Charge(t.Context(), brandPayCharge("customer-1", card))
			require.NoError(t, err, kind)
			assert.Equal(t, 1, server.Charges("order-0002"))
		})
	}
}

// Tokens live for 30 days, are refreshed by the library, and are told from the secret key.
func TestBrandPayTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := tosstest.New()
		client := brandpay.New(server.Client())
		old := *issueToken(t, server, "customer-1")
		var saved brandpay.Token
		customer := client.Customer(old, func(_ context.Context, token brandpay.Token) error { saved = token; return nil })
		server.Advance(31 * 24 * time.Hour)
		_, err := customer.GetMethods(t.Context())
		require.NoError(t, err)
		assert.False(t, saved.AccessToken.Equal(old.AccessToken))
		assert.Equal(t, 1, server.Calls(tosstest.IssueBrandPayToken)-1, "refreshed once")
		_, err = client.RefreshToken(t.Context(), old, tosspayments.WithIdempotencyKey("another"))
		require.ErrorIs(t, err, tosspayments.ErrInvalidRequest, "the old pair is worth nothing")

		toss := server.Client()
		err = toss.Do(t.Context(), tosspayments.Request{Method: http.MethodGet, Path: "/v1/brandpay/payments/methods"}, nil)
		require.ErrorIs(t, err, tosspayments.ErrInvalidAuthorizeAuth)
		err = toss.Do(t.Context(), tosspayments.Request{
			Method: http.MethodGet, Path: "/v1/brandpay/payments/methods/customer-1", Header: http.Header{"Authorization": {"Bearer " + saved.AccessToken.Reveal()}},
		}, nil)
		require.ErrorIs(t, err, tosspayments.ErrInvalidAuthorizeAuth)
		widget := brandpay.New(server.WidgetClient())
		_, err = widget.GetMethods(t.Context(), "customer-1")
		require.ErrorIs(t, err, tosspayments.ErrNotSupportedWidgetKey)
	})
}

// The server's own words fit the types of the library, which it does not use.
func TestBrandPayAnswersAreStrict(t *testing.T) {
	server := tosstest.New()
	server.AddBrandPayCard("customer-1", "61")
	server.AddBrandPayAccount("customer-1", "88")
	for path, v := range map[string]any{
		"/v1/brandpay/payments/methods/customer-1": new(brandpay.Methods), "/v1/brandpay/promotions/card": new(tosspayments.CardPromotions),
		"/v1/brandpay/promotions/bank": new(brandpay.BankPromotions),
	} {
		var raw json.RawMessage
		require.NoError(t, server.Client().Do(t.Context(), tosspayments.Request{Method: http.MethodGet, Path: path}, &raw))
		decoder := json.NewDecoder(strings.NewReader(string(raw)))
		decoder.DisallowUnknownFields()
		require.NoError(t, decoder.Decode(v), path)
	}
}

// brandPayWindow asks for a window in which customer-1 pays with a method.
func brandPayWindow(t *testing.T, server *tosstest.Server, methodID string) (status int, answer map[string]string) {
	t.Helper()
	return requestWindow(t, server, object{
		"kind": "brandpay", "operation": "requestPayment", "clientKey": tosstest.DefaultClientKey, "customerKey": "customer-1", "target": "self",
		"redirectUrl": "https://shop.test/brandpay", "request": object{
			"amount": object{"currency": "KRW", "value": 15000}, "orderId": "order-0001", "orderName": "socks", "methodId": methodID,
			"successUrl": "https://shop.test/success", "failUrl": "https://shop.test/fail",
		},
	})
}

func TestBrandPayMethodID(t *testing.T) {
	server := tosstest.NewServer(t)
	client := brandpay.New(server.Client())
	server.AgreeBrandPay("customer-1")
	server.AddBrandPayCard("customer-1", "61")
	server.AddBrandPayAccount("customer-1", "88")
	methods, err := client.GetMethods(t.Context(), "customer-1")
	require.NoError(t, err)
	card, account := "method:"+methods.Cards[0].ID, "method:"+methods.Accounts[0].ID

	status, _ := brandPayWindow(t, server, "m_none")
	assert.Equal(t, http.StatusBadRequest, status)
	status, answer := brandPayWindow(t, server, methods.Accounts[0].ID)
	require.Equal(t, http.StatusOK, status, answer)
	html := page(t, answer["url"])
	assert.Contains(t, html, account)
	assert.NotContains(t, html, card)
	redirect, err := tosspayments.ParseSuccessURL(choose(t, answer["url"], "pay", card))
	require.NoError(t, err)
	inner, err := redirect.ConfirmRequest(tosspayments.Won(15000))
	require.NoError(t, err)
	payment, err := client.ConfirmPayment(t.Context(), brandpay.ConfirmPaymentRequest{ConfirmPaymentRequest: inner, CustomerKey: "customer-1"})
	require.NoError(t, err)
	assert.Equal(t, "88", payment.Transfer.BankCode, "the method that was asked for")
}

func TestOnlyBrandPayHasTwoTransactionKeys(t *testing.T) {
	server := tosstest.New()
	charged, err := brandpay.New(server.Client()).Charge(t.Context(), brandPayCharge("customer-1", server.AddBrandPayCard("customer-1", "61")))
	require.NoError(t, err)
	assert.NotEmpty(t, charged.TransactionKey)
	assert.Equal(t, charged.LastTransactionKey, charged.TransactionKey)
	assert.Empty(t, pay(t, server, socks("order-0003")).TransactionKey)
}
