package tosstest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// A shop in another language that is wrong here must not find it out with real money.

func TestNamesInOtherLettersAreOtherNames(t *testing.T) {
	server := tosstest.New()
	c := newCaller(t, server)
	redirect := server.Authenticate(socks("order-0001"))
	c.refused(400, "INVALID_REQUEST", c.call("POST", "/v1/payments/confirm", `{"paymentKey":"`+redirect.PaymentKey+`","orderID":"order-0001","amount":15000}`))
	require.Equal(t, 200, c.call("POST", "/v1/payments/confirm", confirmBody(redirect)).status)
	// Without a CancelAmount everything is cancelled.
	r := c.call("POST", "/v1/payments/"+redirect.PaymentKey+"/cancel", `{"cancelReason":"r","CancelAmount":5000,"RefundableAmount":1}`)
	assert.Equal(t, "CANCELED", r.body["status"])
}

func TestWonHasNoDecimals(t *testing.T) {
	server := tosstest.New()
	c := newCaller(t, server)
	redirect := server.Authenticate(socks("order-0001"))
	require.Equal(t, 200, c.call("POST", "/v1/payments/confirm", confirmBody(redirect)).status)
	for _, body := range []string{
		`{"cancelReason":"r","cancelAmount":1500.5}`,
		`{"cancelReason":"r","cancelAmount":1500,"taxFreeAmount":0.5}`,
		`{"cancelReason":"r","cancelAmount":1500,"taxFreeAmount":-1}`,
	} {
		c.refused(400, "INVALID_REQUEST", c.call("POST", "/v1/payments/"+redirect.PaymentKey+"/cancel", body))
	}
	c.refused(400, "INVALID_REQUEST", c.call("POST", "/v1/virtual-accounts", `{"orderId":"order-0002","orderName":"n","customerName":"c","bank":"20","amount":1500.5}`))
	assert.Empty(t, server.Refunds("order-0001"))
}

func TestDollarsHaveDecimals(t *testing.T) {
	amount, err := tosspayments.ParseAmount("12.50")
	require.NoError(t, err)
	server := tosstest.New()
	c := newCaller(t, server)
	redirect := server.Authenticate(tosstest.Checkout{OrderID: "order-0001", OrderName: "socks", Amount: amount, Currency: tosspayments.CurrencyUSD})
	require.Equal(t, 200, c.call("POST", "/v1/payments/confirm", confirmBody(redirect)).status)
	r := c.call("POST", "/v1/payments/"+redirect.PaymentKey+"/cancel", `{"cancelReason":"r","cancelAmount":1.25}`)
	assert.InDelta(t, 11.25, r.body["balanceAmount"], 0)
}

func TestRefundAccountsHaveDigitsOnly(t *testing.T) {
	server := tosstest.New()
	c := newCaller(t, server)
	r := c.call("POST", "/v1/virtual-accounts", `{"orderId":"order-0001","orderName":"n","customerName":"c","bank":"20","amount":15000}`)
	require.NoError(t, server.Deposit("order-0001", tosspayments.Won(15000)))
	for _, number := range []string{"110-123-456789", "123456789012345678901", "１２３"} {
		c.refused(400, "INVALID_REFUND_ACCOUNT_NUMBER", c.call("POST", "/v1/payments/"+r.body["paymentKey"].(string)+"/cancel",
			`{"cancelReason":"r","refundReceiveAccount":{"bank":"20","accountNumber":"`+number+`","holderName":"h"}}`))
	}
}

func TestInstallmentsOfTypedCards(t *testing.T) {
	c := newCaller(t, tosstest.New())
	const card = `"orderName":"n","cardNumber":"9410001234567890","cardExpirationYear":"30","cardExpirationMonth":"12","customerIdentityNumber":"900101"}`
	for plan, code := range map[string]string{
		`{"orderId":"order-0001","amount":60000,"cardInstallmentPlan":1,`:  "INVALID_CARD_INSTALLMENT_PLAN",
		`{"orderId":"order-0001","amount":60000,"cardInstallmentPlan":13,`: "INVALID_CARD_INSTALLMENT_PLAN",
		`{"orderId":"order-0001","amount":49999,"cardInstallmentPlan":2,`:  "NOT_SUPPORTED_MONTHLY_INSTALLMENT_PLAN_BELOW_AMOUNT",
	} {
		c.refused(400, code, c.call("POST", "/v1/payments/key-in", plan+card))
	}
	r := c.call("POST", "/v1/payments/key-in", `{"orderId":"order-0001","amount":50000,"cardInstallmentPlan":12,`+card)
	assert.Equal(t, 200, r.status)
}

func TestAnAccountIsCancelledOnlyWithItsBalance(t *testing.T) {
	c := newCaller(t, tosstest.New())
	r := c.call("POST", "/v1/virtual-accounts", `{"orderId":"order-0001","orderName":"n","customerName":"c","bank":"20","amount":15000}`)
	path := "/v1/payments/" + r.body["paymentKey"].(string) + "/cancel"
	c.refused(400, "NOT_MATCHES_REFUNDABLE_AMOUNT", c.call("POST", path, `{"cancelReason":"r","refundableAmount":14000}`))
	assert.Equal(t, "CANCELED", c.call("POST", path, `{"cancelReason":"r","refundableAmount":15000}`).body["status"])
}
