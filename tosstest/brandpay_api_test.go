package tosstest_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
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

func TestBrandPayFlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := tosstest.New()
		defer server.Close()
		var mu sync.Mutex
		var told []string
		server.RegisterWebhookHandler(&webhook.Handler{Handle: func(_ context.Context, d webhook.Delivery) error {
			mu.Lock()
			defer mu.Unlock()
			var about struct{ Status string }
			assert.NoError(t, d.Event.Decode(&about))
			told = append(told, about.Status)
			return nil
		}}, webhook.MethodUpdated, webhook.CustomerStatusChanged)
		client := brandpay.New(server.Client())
		scope := []brandpay.Scope{brandpay.ScopeRegister, brandpay.ScopeCard}
		terms, err := client.GetTerms(t.Context(), "customer-1", scope)
		require.NoError(t, err)
		var agreed []int64
		for _, term := range terms {
			assert.False(t, term.Agreed)
			if term.Required {
				agreed = append(agreed, term.ID)
			}
		}
		_, err = client.AgreeTerms(t.Context(), brandpay.AgreeTermsRequest{CustomerKey: "customer-1", Scope: scope, TermsID: agreed[:1]})
		require.ErrorIs(t, err, tosspayments.ErrInvalidRequest, "all that are required")
		auth, err := client.AgreeTerms(t.Context(), brandpay.AgreeTermsRequest{CustomerKey: "customer-1", Scope: scope, TermsID: agreed})
		require.NoError(t, err)
		token, err := client.IssueToken(t.Context(), *auth)
		require.NoError(t, err)
		again, err := client.IssueToken(t.Context(), *auth)
		require.NoError(t, err, "under the key that is made from the code")
		assert.Equal(t, token, again)
		_, err = client.IssueToken(t.Context(), *auth, tosspayments.WithIdempotencyKey("another"))
		require.ErrorIs(t, err, tosspayments.ErrInvalidRequest, "a code works once")
		assert.Equal(t, token, issueToken(t, server, "customer-1"), "the token stays the same")

		card, account := server.AddBrandPayCard("customer-1", "61"), server.AddBrandPayAccount("customer-1", "88")
		customer := client.Customer(*token, nil)
		methods, err := customer.GetMethods(t.Context())
		require.NoError(t, err)
		same, err := client.GetMethods(t.Context(), "customer-1")
		require.NoError(t, err)
		assert.Equal(t, same, methods)
		assert.Equal(t, card, methods.Cards[0].MethodKey)
		assert.Equal(t, account, methods.Accounts[0].MethodKey)
		assert.False(t, methods.Cards[0].RegisteredAt.IsZero())

		_, err = customer.RemoveCard(t.Context(), account)
		require.ErrorIs(t, err, tosspayments.ErrNotFoundMethod)
		removed, err := customer.RemoveCard(t.Context(), card)
		require.NoError(t, err)
		assert.Equal(t, brandpay.MethodDisabled, removed.Status)
		_, err = customer.RemoveCard(t.Context(), card)
		require.ErrorIs(t, err, tosspayments.ErrNotFoundMethod)
		other := client.Customer(*issueToken(t, server, "customer-2"), nil)
		_, err = other.RemoveAccount(t.Context(), account)
		require.ErrorIs(t, err, tosspayments.ErrNotFoundMethodOwnership)

		require.NoError(t, customer.Leave(t.Context()))
		_, err = customer.GetMethods(t.Context())
		require.ErrorIs(t, err, brandpay.ErrAuthorize)
		_, err = client.GetMethods(t.Context(), "customer-1")
		require.ErrorIs(t, err, tosspayments.ErrNotFoundCustomer)
		_, err = client.Charge(t.Context(), brandPayCharge("customer-2", account))
		require.ErrorIs(t, err, tosspayments.ErrNotAllowedBrandpayMethod)
		server.WaitWebhooks()
		assert.Equal(t, []string{"CREATED", "ENABLED", "ENABLED", "DISABLED", "CREATED", "REMOVED"}, told)
	})
}

func brandPayCharge(customerKey, methodKey string) brandpay.ChargeRequest {
	return brandpay.ChargeRequest{
		CustomerKey: customerKey, MethodKey: methodKey, Amount: tosspayments.Won(9900), OrderID: "order-0002", OrderName: "3월 구독",
	}
}

func TestBrandPayPayments(t *testing.T) {
	server := tosstest.New()
	client := brandpay.New(server.Client())
	card := server.AddBrandPayCard("customer-1", "61")
	account := server.AddBrandPayAccount("customer-1", "88")
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

	charged, err := client.Charge(t.Context(), brandPayCharge("customer-1", account))
	require.NoError(t, err)
	assert.Equal(t, "88", charged.Transfer.BankCode)
	again, err := client.Charge(t.Context(), brandPayCharge("customer-1", account))
	require.NoError(t, err, "the same charge")
	assert.Equal(t, charged, again)
	assert.Equal(t, 1, server.Charges("order-0002"))
	other := brandPayCharge("customer-1", account)
	other.OrderID = "order-0001"
	other.Amount = tosspayments.Won(15000)
	pay(t, server, socks("order-0003"))
	_, err = client.Charge(t.Context(), brandPayCharge("customer-9", account))
	require.ErrorIs(t, err, tosspayments.ErrNotFoundCustomer)
	other.OrderID = "order-0003"
	_, err = client.Charge(t.Context(), other)
	require.ErrorIs(t, err, tosspayments.ErrForeignAnswer, "the order was paid in the window")
	_, err = client.Charge(t.Context(), brandPayCharge("customer-1", "mkey_none"))
	require.ErrorIs(t, err, tosspayments.ErrNotFoundMethod)
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

// methodId pays with one method of the wallet, whatever the form says.
func TestBrandPayMethodID(t *testing.T) {
	server := tosstest.NewServer(t)
	server.AgreeBrandPay("customer-1")
	server.AddBrandPayCard("customer-1", "61")
	account := server.AddBrandPayAccount("customer-1", "88")
	methods, err := brandpay.New(server.Client()).GetMethods(t.Context(), "customer-1")
	require.NoError(t, err)
	open := func(methodID string) (int, map[string]string) {
		return ask(t, server, object{
			"kind": "brandpay", "operation": "requestPayment", "clientKey": tosstest.DefaultClientKey, "customerKey": "customer-1", "target": "self",
			"redirectUrl": "https://shop.test/brandpay", "request": object{
				"amount": object{"currency": "KRW", "value": 15000}, "orderId": "order-0001", "orderName": "socks", "methodId": methodID,
				"successUrl": "https://shop.test/success", "failUrl": "https://shop.test/fail",
			},
		})
	}
	status, _ := open("m_none")
	assert.Equal(t, http.StatusBadRequest, status)
	status, answer := open(methods.Accounts[0].ID)
	require.Equal(t, http.StatusOK, status, answer)
	html := page(t, answer["url"])
	assert.Contains(t, html, "method:"+methods.Accounts[0].ID)
	assert.NotContains(t, html, "method:"+methods.Cards[0].ID)
	redirect, err := tosspayments.ParseSuccessURL(choose(t, answer["url"], "pay", "method:"+methods.Cards[0].ID))
	require.NoError(t, err)
	inner, err := redirect.ConfirmRequest(tosspayments.Won(15000))
	require.NoError(t, err)
	payment, err := brandpay.New(server.Client()).ConfirmPayment(t.Context(), brandpay.ConfirmPaymentRequest{ConfirmPaymentRequest: inner, CustomerKey: "customer-1"})
	require.NoError(t, err)
	assert.Equal(t, "88", payment.Transfer.BankCode)
	assert.NotEmpty(t, payment.TransactionKey)
	assert.Equal(t, payment.LastTransactionKey, payment.TransactionKey)
	assert.NotEmpty(t, account)
	assert.Empty(t, pay(t, server, socks("order-0002")).TransactionKey, "only BrandPay has both")
}
