package main

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/brandpay"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

func (b *browser) seller() sellerView { b.t.Helper(); return last[sellerView](b.state(), sellers) }
func (b *browser) payout() payoutView { b.t.Helper(); return last[payoutView](b.state(), payouts) }
func (b *browser) customer() customerView {
	b.t.Helper()
	return last[customerView](b.state(), customers)
}

func (b *browser) refuses(a act) {
	b.t.Helper()
	status, text := b.post("/sandbox/act", a, nil)
	assert.Equal(b.t, http.StatusConflict, status, "%+v", a)
	assert.NotEmpty(b.t, text)
}

// payableSeller registers a seller who can be paid, and gives the merchant the money.
func (b *browser) payableSeller(won string) sellerView {
	b.t.Helper()
	b.press(act{Do: "register-seller"})
	b.press(act{Do: "identify", Of: b.seller().ID})
	b.press(act{Do: "add-balance", Amount: won})
	return b.seller()
}

func TestButtonsOfASeller(t *testing.T) {
	b := openSandbox(t)
	b.press(act{Do: "register-seller"})
	s := b.seller()
	assert.Equal(t, []string{"identify"}, s.Acts)
	assert.Equal(t, "김토스", s.Name)
	b.refuses(act{Do: "kyc", Of: s.ID})
	b.press(act{Do: "identify", Of: s.ID})
	assert.Equal(t, []string{"kyc", "require-kyc"}, b.seller().Acts)
	b.press(act{Do: "require-kyc", Of: s.ID})
	b.press(act{Do: "kyc", Of: s.ID})
	assert.Equal(t, "APPROVED", b.seller().Status)
}

func TestEventsOfASellerNameThem(t *testing.T) {
	b := openSandbox(t)
	s := b.payableSeller("1000")
	w := last[webhookView](b.state(), webhooks)
	assert.Equal(t, "seller.changed", w.Event)
	assert.Equal(t, []string{s.ID}, w.Subjects)
}

func TestPayoutsThatCannotBeMade(t *testing.T) {
	t.Parallel() // It waits between looks.
	b := openSandbox(t)
	b.press(act{Do: "register-seller"})
	s := b.seller()
	b.refuses(act{Do: "pay-out", Of: s.ID, Amount: "1000"}) // they have not proved who they are
	b.press(act{Do: "identify", Of: s.ID})
	b.refuses(act{Do: "pay-out", Of: s.ID, Amount: "1000"}) // there is no money
	b.refuses(act{Do: "add-balance", Amount: "x"})
	for _, do := range []string{"identify", "complete", "expire-token"} {
		b.refuses(act{Do: do, Of: "none"})
	}
}

func TestAPayoutThatTheBankRefuses(t *testing.T) {
	b := openSandbox(t)
	b.press(act{Do: "pay-out", Of: b.payableSeller("100000").ID, Amount: "1000"})
	p := b.payout()
	assert.Equal(t, []string{"complete", "fail"}, p.Acts)
	assert.Equal(t, "1000.0", string(p.Amount))
	assert.Equal(t, []string{p.ID}, last[requestView](b.state(), requests).Subjects)
	b.refuses(act{Do: "payday", Of: p.ID})
	b.refuses(act{Do: "fail", Of: p.ID, Code: "NO_SUCH_CODE"})
	b.press(act{Do: "fail", Of: p.ID, Code: tosspayments.ErrInvalidAccountNumber})
	assert.Equal(t, "INVALID_ACCOUNT_NUMBER", b.payout().Failure)
	b.refuses(act{Do: "complete", Of: p.ID})
}

func TestAPayoutForADay(t *testing.T) {
	b := openSandbox(t)
	b.press(act{Do: "pay-out-later", Of: b.payableSeller("100000").ID, Amount: "2000"})
	p := b.payout()
	assert.Equal(t, []string{"payday"}, p.Acts)
	b.press(act{Do: "payday", Of: p.ID})
	assert.Equal(t, "IN_PROGRESS", b.payout().Status)
	assert.WithinDuration(t, time.Now().Add(60*time.Hour), b.sandbox.toss.Now(), 61*time.Hour)
	b.press(act{Do: "complete", Of: p.ID})
	assert.Equal(t, "COMPLETED", b.payout().Status)
	assert.Equal(t, []string{p.ID}, last[webhookView](b.state(), webhooks).Subjects)
	var money balance
	b.ask("/sandbox/balance", struct{}{}, &money)
	assert.Equal(t, tosspayments.Won(98_000), money.Available)
}

// registration registers a seller and returns the request of it, which is encrypted.
func registration(b *browser) requestDetail {
	b.t.Helper()
	b.press(act{Do: "register-seller"})
	return b.sandbox.requestDetail(b.lastRequest())
}

func TestEncryptedRequestsAreShownDecrypted(t *testing.T) {
	d := registration(openSandbox(t))
	assert.True(t, strings.HasPrefix(d.Body, "ey"))
	assert.Contains(t, d.OpenedBody, `"refSellerId"`)
	assert.Contains(t, d.OpenedAnswer, `"APPROVAL_REQUIRED"`)
	assert.NotContains(t, d.Header, "Authorization")
}

func TestEncryptedRequestsCanBeRepeated(t *testing.T) {
	b := openSandbox(t)
	d := registration(b)
	assert.Contains(t, d.Curl, "-H 'Tosspayments-Api-Security-Mode: ENCRYPTION'")
	assert.JSONEq(t, d.OpenedAnswer, b.sandbox.opened(runCurl(t, d.Curl)), "the answer under its idempotency key")
	assert.Len(t, b.state().Lists[sellers], 1)
}

// agreed is a customer who has agreed, and the client and token of their shop.
func (b *browser) agreed(customerKey string) (*brandpay.Client, *brandpay.Token) {
	b.t.Helper()
	b.press(act{Do: "agree", Of: customerKey})
	client := brandpay.New(b.sandbox.client(false))
	token, err := client.IssueToken(b.t.Context(), brandpay.Authorization{
		CustomerKey: customerKey, Code: tosspayments.NewSensitive(b.sandbox.toss.AgreeBrandPay(customerKey)),
	})
	require.NoError(b.t, err)
	return client, token
}

func TestACustomerAgrees(t *testing.T) {
	b := openSandbox(t)
	b.refuses(act{Do: "agree", Of: "!"})
	b.press(act{Do: "agree", Of: "customer-1"})
	assert.True(t, b.customer().Agreed)
	assert.Equal(t, "MEMBER", b.customer().Status)
	b.refuses(act{Do: "expire-token", Of: "customer-1"}) // they have none yet
}

func TestMethodsOfACustomer(t *testing.T) {
	b := openSandbox(t)
	b.agreed("customer-1")
	b.press(act{Do: "add-card", Of: "customer-1"})
	b.press(act{Do: "add-account", Of: "customer-1"})
	c := b.customer()
	require.Len(t, c.Methods, 2)
	assert.True(t, c.Methods[1].IsAccount)
	b.refuses(act{Do: "remove-method", Of: "customer-1", Method: "none"})
	b.press(act{Do: "remove-method", Of: "customer-1", Method: c.Methods[0].Key})
	assert.Len(t, b.customer().Methods, 1)
	assert.Equal(t, []string{"customer-1"}, last[webhookView](b.state(), webhooks).Subjects)
}

func TestRequestsOfACustomerAreTheirs(t *testing.T) {
	b := openSandbox(t)
	client, token := b.agreed("customer-1")
	assert.Equal(t, token.AccessToken.Reveal(), b.customer().Token)
	_, err := client.Customer(*token, nil).GetMethods(t.Context())
	require.NoError(t, err)
	r := last[requestView](b.state(), requests)
	assert.Equal(t, []string{"customer-1"}, r.Subjects)
	request, ok := b.sandbox.feed.detail(requests, r.ID).(*tosstest.Request)
	require.True(t, ok)
	assert.Contains(t, b.sandbox.curl(request), "-H 'Authorization: Bearer "+token.AccessToken.Reveal()+"'")
}

func TestATokenEnds(t *testing.T) {
	b := openSandbox(t)
	client, token := b.agreed("customer-1")
	b.press(act{Do: "expire-token", Of: "customer-1"})
	assert.False(t, b.customer().TokenUntil.After(b.sandbox.toss.Now()))
	require.NoError(t, client.Customer(*token, nil).Leave(t.Context()))
	assert.Equal(t, "REMOVED", b.customer().Status)
}

// A request is held until it is let go, before its effect or before its answer.
func TestHeldRequests(t *testing.T) {
	type held struct {
		Operation tosstest.Operation
		Path      string
		Done      bool
	}
	b := openSandbox(t)
	for _, of := range []string{"gate", "gate-answer"} {
		b.press(act{Do: "fault", Of: of, Operation: tosstest.ConfirmPayment})
		assert.Equal(t, []waiting{{Of: of, Operation: tosstest.ConfirmPayment}}, b.state().Faults)
		page := b.follow()
		paid := make(chan result)
		go func() { paid <- b.pay("CARD") }()
		for len(page.Held) == 0 {
			page.read()
		}
		h := page.Held[0]
		assert.Equal(t, held{tosstest.ConfirmPayment, "/v1/payments/confirm", of == "gate-answer"}, held{h.Operation, h.Path, h.Done})
		assert.Empty(t, page.Faults)
		charges := map[bool]int{true: 1}[h.Done]
		assert.Eventually(t, func() bool { return b.sandbox.toss.Charges(h.OrderID) == charges }, 20*time.Second, 10*time.Millisecond)
		b.refuses(act{Do: "release", Of: "none"})
		b.press(act{Do: "release", Of: map[bool]string{true: h.ID}[h.Done]}) // or all
		assert.Equal(t, "paid", (<-paid).Outcome)
		assert.Empty(t, b.state().Held)
		b.refuses(act{Do: "release", Of: h.ID})
	}
}

// A gate may be for one payment: requests of others pass.
func TestHeldPayment(t *testing.T) {
	b := openSandbox(t)
	b.pay("CARD")
	key := b.payment().PaymentKey
	b.press(act{Do: "fault", Of: "gate", Payment: key})
	assert.Equal(t, []waiting{{Of: "gate", Payment: key}}, b.state().Faults)
	b.pay("CARD")
	assert.Empty(t, b.state().Held)
	got := make(chan error)
	go func() {
		_, err := b.sandbox.toss.Client().GetPayment(t.Context(), key)
		got <- err
	}()
	for page := b.follow(); len(page.Held) == 0; {
		page.read()
	}
	b.press(act{Do: "release"})
	require.NoError(t, <-got)
}

// The buyer of a window that is open can be played without a browser.
func TestAuthenticateButton(t *testing.T) {
	b := openSandbox(t)
	response, text := b.send(http.MethodPost, "/v1/payments", `{"method":"CARD","amount":15000,"orderId":"order-0001","orderName":"socks","successUrl":"http://localhost/","failUrl":"http://localhost/"}`, func(r *http.Request) {
		r.SetBasicAuth(b.sandbox.keys.Secret, "")
	})
	require.Equal(t, http.StatusOK, response.StatusCode, text)
	p := b.payment()
	assert.Equal(t, []string{"authenticate"}, p.Acts)
	b.press(act{Do: "authenticate", Of: p.PaymentKey})
	assert.Equal(t, "IN_PROGRESS", b.payment().Status)
	b.refuses(act{Do: "authenticate", Of: p.PaymentKey})
}

// A webhook that is held goes out after the next one.
func TestHeldWebhook(t *testing.T) {
	bodies := make(chan string, 10)
	receiver := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies <- string(body)
	})
	b := openSandbox(t)
	b.sandbox.toss.RegisterWebhookHandler(receiver)
	b.press(act{Do: "fault", Of: "hold"})
	first, second := b.pay("CARD").Payment.OrderID, b.pay("CARD").Payment.OrderID
	assert.Contains(t, <-bodies, second)
	assert.Contains(t, <-bodies, first)
}
