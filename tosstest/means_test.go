package tosstest_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// confirmed is a payment with what the checkout is changed to.
func (c *caller) confirmed(change func(*tosstest.Checkout)) result {
	c.t.Helper()
	checkout := socks(tosspayments.NewOrderID())
	change(&checkout)
	r := c.call("POST", "/v1/payments/confirm", confirmBody(c.server.Authenticate(checkout)))
	require.Equal(c.t, 200, r.status, r.raw)
	return r
}

// The five ways in which a wallet pays, as the documents list them.
func TestWallets(t *testing.T) {
	c := newCaller(t, tosstest.New())
	for name, x := range map[string]struct {
		card                  string
		points                int64
		money, discount, byIt int
	}{
		"money":            {"", 0, 15000, 0, 0},
		"money and points": {"", 5000, 10000, 5000, 0},
		"points":           {"", 15000, 0, 15000, 0},
		"card":             {"신한", 0, 0, 0, 15000},
		"card and points":  {"41", 5000, 0, 5000, 10000},
		"points, no card":  {"41", 15000, 0, 15000, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := c.confirmed(func(checkout *tosstest.Checkout) {
				checkout.EasyPay, checkout.EasyPayPoints, checkout.CardCompany = "카카오페이", tosspayments.Won(x.points), x.card
			})
			assert.Equal(t, "간편결제", r.body["method"])
			assert.Equal(t, map[string]any{"provider": "카카오페이", "amount": float64(x.money), "discountAmount": float64(x.discount)}, r.body["easyPay"])
			if x.byIt == 0 {
				assert.Nil(t, r.body["card"])
				return
			}
			card := r.body["card"].(map[string]any)
			assert.EqualValues(t, x.byIt, card["amount"])
			assert.Equal(t, "41", card["issuerCode"])
		})
	}
	row := c.list("/v1/transactions?startDate=2000-01-01&endDate=2100-01-01")[0]
	assert.Equal(t, "간편결제", row["method"])
}

func TestSpellingsOfBanks(t *testing.T) {
	c := newCaller(t, tosstest.New())
	for _, bank := range []string{"88", "SHINHAN", "신한", "신한은행"} {
		r := c.confirmed(func(checkout *tosstest.Checkout) { checkout.Method, checkout.Bank = "계좌이체", bank })
		assert.Equal(t, "계좌이체", r.body["method"])
		assert.Equal(t, "88", r.body["transfer"].(map[string]any)["bankCode"], bank)
		r = c.call("POST", "/v1/virtual-accounts", fmt.Sprintf(`{"orderId":%q,"orderName":"양말","amount":1000,"customerName":"김","bank":%q}`, tosspayments.NewOrderID(), bank))
		require.Equal(t, 200, r.status, r.raw)
		assert.Equal(t, "88", r.body["virtualAccount"].(map[string]any)["bankCode"])
	}
	c.refused(400, "INVALID_BANK", c.call("POST", "/v1/virtual-accounts", `{"orderId":"order-0001","orderName":"양말","amount":1000,"customerName":"김","bank":"어떤은행"}`))
}

func TestSpellingsOfCardCompanies(t *testing.T) {
	c := newCaller(t, tosstest.New())
	for _, company := range []string{"61", "HYUNDAI", "현대"} {
		r := c.confirmed(func(checkout *tosstest.Checkout) { checkout.Method, checkout.CardCompany = "카드", company })
		assert.Equal(t, "카드", r.body["method"])
		assert.Equal(t, "61", r.body["card"].(map[string]any)["issuerCode"])
	}
	r := c.call("POST", "/v1/payments", `{"method":"카드","amount":15000,"orderId":"order-0001","orderName":"양말","successUrl":"https://shop.test/s","failUrl":"https://shop.test/f"}`)
	require.Equal(t, 200, r.status, r.raw)
}

func TestMeansThatNobodyKnowsPanic(t *testing.T) {
	server := tosstest.New()
	for _, change := range []func(*tosstest.Checkout){
		func(c *tosstest.Checkout) { c.Bank = "어떤은행" },
		func(c *tosstest.Checkout) { c.CardCompany = "어떤카드" },
		func(c *tosstest.Checkout) { c.EasyPay = "어떤페이" },
		func(c *tosstest.Checkout) { c.Method = "어떤수단" },
		func(c *tosstest.Checkout) { c.EasyPayPoints = tosspayments.Won(1) },
		func(c *tosstest.Checkout) { c.EasyPay, c.EasyPayPoints = "TOSSPAY", tosspayments.Won(15001) },
	} {
		checkout := socks("order-0001")
		change(&checkout)
		assert.Panics(t, func() { server.Authenticate(checkout) }, "%+v", checkout)
	}
	for _, r := range []tosstest.Registration{{CustomerKey: "customer-1", CardCompany: "어떤카드"}, {CustomerKey: "customer-1", Bank: "어떤은행"}} {
		assert.Panics(t, func() { server.Register(r) }, "%+v", r)
	}
}

func TestRefundAccountInAnySpelling(t *testing.T) {
	server := tosstest.New()
	c := newCaller(t, server)
	r := c.confirmed(func(checkout *tosstest.Checkout) { checkout.Method = tosspayments.MethodVirtualAccount })
	require.NoError(t, server.Deposit(r.body["orderId"].(string), tosspayments.Won(15000)))
	cancel := func(bank string) result {
		return c.call("POST", "/v1/payments/"+r.body["paymentKey"].(string)+"/cancel",
			`{"cancelReason":"r","cancelAmount":1,"refundReceiveAccount":{"bank":"`+bank+`","accountNumber":"1","holderName":"김"}}`)
	}
	c.refused(400, "INVALID_BANK", cancel("어떤은행"))
	for _, bank := range []string{"20", "우리", "WOORI"} {
		assert.Equal(t, 200, cancel(bank).status, bank)
	}
}

// typedCard is what a charge of the card that the tests type in shows.
var typedCard = []any{"21", "21", "94100012****789*", "신용"}

// cardOf is issuer, acquirer, number and kind of the card in an answer.
func cardOf(t *testing.T, r result) []any {
	t.Helper()
	card, ok := r.body["card"].(map[string]any)
	require.True(t, ok, r.raw)
	return []any{card["issuerCode"], card["acquirerCode"], card["number"], card["cardType"]}
}

func keyInBody(orderID, card string) string {
	return `{"orderId":"` + orderID + `","orderName":"양말","amount":1000,` + card + `}`
}

func TestACardThatIsTypedIn(t *testing.T) {
	c := newCaller(t, tosstest.New())
	assert.Equal(t, typedCard, cardOf(t, c.call("POST", "/v1/payments/key-in", keyInBody("order-0001", card))))
	long := strings.Replace(card, "9410001234567890", "94100012345678901234", 1)
	assert.Equal(t, "94100012********123*", cardOf(t, c.call("POST", "/v1/payments/key-in", keyInBody("order-0002", long)))[2])
}

func TestACardThatIsTypedInForLater(t *testing.T) {
	c := newCaller(t, tosstest.New())
	r := c.call("POST", "/v1/billing/authorizations/card", `{"customerKey":"customer-1",`+card+`}`)
	assert.Equal(t, typedCard, cardOf(t, r))
	assert.Subset(t, r.body, map[string]any{"cardCompany": "하나", "cardNumber": "94100012****789*"})
	r = c.call("POST", "/v1/billing/"+r.body["billingKey"].(string), chargeBody("customer-1", "order-0002"))
	assert.Equal(t, typedCard, cardOf(t, r))
}

// The card that was registered is that of the charges.
func TestACardThatIsRegistered(t *testing.T) {
	server := tosstest.New()
	c := newCaller(t, server)
	redirect := server.Register(tosstest.Registration{CustomerKey: "customer-2", CardCompany: "SHINHAN"})
	r := c.call("POST", "/v1/billing/authorizations/issue", `{"customerKey":"customer-2","authKey":"`+redirect.AuthKey.Reveal()+`"}`)
	registered := cardOf(t, r)
	assert.Equal(t, "41", registered[0])
	assert.Equal(t, "신한", r.body["cardCompany"])
	r = c.call("POST", "/v1/billing/"+r.body["billingKey"].(string), chargeBody("customer-2", "order-0003"))
	assert.Equal(t, registered, cardOf(t, r))
}

func TestACardOfNobody(t *testing.T) {
	server := tosstest.New()
	c := newCaller(t, server)
	unknown := strings.Replace(card, "9410001234567890", "4330121234567890", 1)
	c.refused(400, "NOT_SUPPORTED_CARD_TYPE", c.call("POST", "/v1/payments/key-in", keyInBody("order-0004", unknown)))
	r := c.call("POST", "/v1/billing/authorizations/card", `{"customerKey":"customer-1",`+unknown+`}`)
	assert.Equal(t, "미확인", cardOf(t, r)[3])
	c.refused(400, "NOT_SUPPORTED_CARD_TYPE", c.call("POST", "/v1/billing/"+r.body["billingKey"].(string), chargeBody("customer-1", "order-0004")))
	assert.Zero(t, server.Charges("order-0004"))
}

func TestCustomerKeysAsMeasured(t *testing.T) {
	c := newCaller(t, tosstest.New())
	issue := func(key string) result {
		return c.call("POST", "/v1/billing/authorizations/card", `{"customerKey":"`+key+`",`+card+`}`)
	}
	assert.Equal(t, 200, issue(strings.Repeat("a", 300)).status)
	assert.Equal(t, 200, issue("with space!").status)
	c.refused(500, "FAILED_DB_PROCESSING", issue(strings.Repeat("a", 301)))
	c.refused(400, "INVALID_REQUEST", issue(""))
}

func TestAmountLimitsOfMethods(t *testing.T) {
	server := tosstest.New(tosstest.WithMaximumAmount(tosspayments.Won(1_000_000)))
	c := newCaller(t, server)
	for _, row := range []struct {
		method   tosspayments.Method
		currency string
		amount   int64
		code     string // "" is a success
	}{
		{"CARD", "", 99, "BELOW_MINIMUM_AMOUNT"},
		{"CARD", "", 100, ""},
		{"CARD", "", 1_000_000, ""},
		{"CARD", "", 1_000_001, "EXCEED_MAX_AMOUNT"},
		{"CARD", "USD", 1, ""},
		{"TRANSFER", "", 199, "BELOW_MINIMUM_AMOUNT"},
		{"TRANSFER", "", 200, ""},
		{"VIRTUAL_ACCOUNT", "KRW", 199, "BELOW_MINIMUM_AMOUNT"},
		{"VIRTUAL_ACCOUNT", "", 200, ""},
		{"MOBILE_PHONE", "", 1, ""},
	} {
		checkout := socks(tosspayments.NewOrderID())
		checkout.Method, checkout.Currency, checkout.Amount = row.method, row.currency, tosspayments.Won(row.amount)
		r := c.call("POST", "/v1/payments/confirm", confirmBody(server.Authenticate(checkout)))
		if row.code != "" {
			c.refused(400, row.code, r)
		} else {
			assert.Equal(t, 200, r.status, "%v: %s", row, r.raw)
		}
	}
}

func TestAmountLimitsOfCalls(t *testing.T) {
	c := newCaller(t, tosstest.New())
	key := c.billingKey("customer-1")
	low := `"orderId":"order-0001","orderName":"양말","amount":99`
	c.refused(400, "BELOW_MINIMUM_AMOUNT", c.call("POST", "/v1/billing/"+key, `{"customerKey":"customer-1",`+low+`}`))
	c.refused(400, "BELOW_MINIMUM_AMOUNT", c.call("POST", "/v1/payments/key-in", `{`+low+`,`+card+`}`))
	c.refused(400, "BELOW_MINIMUM_AMOUNT", c.call("POST", "/v1/virtual-accounts", `{`+low+`,"bank":"20","customerName":"김"}`))
}

func TestFormsOfKeys(t *testing.T) {
	c := newCaller(t, tosstest.New(tosstest.WithSeed(1)))
	forms := map[string]int{}
	for range 40 {
		r := c.confirmed(func(*tosstest.Checkout) {})
		assert.Regexp(t, "^fakes[0-9]{14}[0-9A-Za-z]{5}$", r.body["paymentKey"])
		key := r.body["lastTransactionKey"].(string)
		switch {
		case regexp.MustCompile("^[0-9A-F]{32}$").MatchString(key):
			forms["hex"]++
		case regexp.MustCompile("^txrd_a[0-9a-hjkmnp-tv-z]{26}$").MatchString(key):
			forms["ulid"]++
		default:
			t.Error(key)
		}
	}
	assert.Len(t, forms, 2, forms)
}

func TestEscrow(t *testing.T) {
	server := tosstest.NewServer(t)
	receipt := object{"type": "미발행"}
	open := func(method, name string) {
		status, answer := openWindow(t, server, tosstest.DefaultClientKey, windowRequest(object{
			"orderId": "order-" + method, "method": method, name: object{"useEscrow": true, "cashReceipt": receipt},
		}))
		require.Equal(t, http.StatusOK, status, answer)
	}
	open("VIRTUAL_ACCOUNT", "virtualAccount")
	open("TRANSFER", "transfer")
	status, answer := openWindow(t, server, tosstest.DefaultClientKey, windowRequest(object{"orderId": "order-CARD", "card": object{"useEscrow": true}}))
	require.Equal(t, http.StatusOK, status, answer)
	status, answer = requestWindow(t, server, widgetRequest(object{"code": "TRANSFER"}, object{"orderId": "order-WIDGET", "transfer": object{"useEscrow": true}}))
	require.Equal(t, http.StatusOK, status, answer)
	server.Authenticate(tosstest.Checkout{OrderID: "order-OTHER", OrderName: "socks", Amount: tosspayments.Won(15000)})
	issued := newCaller(t, server).call("POST", "/v1/virtual-accounts",
		`{"orderId":"order-API","orderName":"socks","amount":15000,"bank":"20","customerName":"김토스","useEscrow":true}`)
	require.Equal(t, http.StatusOK, issued.status, issued.raw)
	payments := server.Payments(10)
	assert.Len(t, payments, 6)
	for _, p := range payments {
		assert.Equal(t, p.OrderID != "order-OTHER", p.UseEscrow, p.OrderID)
	}
}

func TestSmallThingsOfRealAnswers(t *testing.T) {
	server := tosstest.New()
	c := newCaller(t, server)
	r := c.with("Authorization", "").call("GET", "/v1/payments/x", "")
	assert.Contains(t, r.raw, `"data":null`)
	assert.NotContains(t, c.call("GET", "/v1/payments/x", "").raw, "data")
	key := server.OpenWindow(socks("order-0001"))
	assert.Equal(t, false, c.call("GET", "/v1/payments/"+key, "").body["useEscrow"])
	server.Advance(31 * 60e9)
	assert.Nil(t, c.call("GET", "/v1/payments/"+key, "").body["useEscrow"])
}

func TestReceiptOfAPayment(t *testing.T) {
	server := tosstest.NewServer(t)
	c := newCaller(t, server)
	r := c.confirmed(func(checkout *tosstest.Checkout) { checkout.OrderName = "양말 <1>" })
	require.NoError(t, server.Refund(r.body["orderId"].(string), tosspayments.Won(5000), "품절"))
	address := r.body["receipt"].(map[string]any)["url"].(string)
	assert.Equal(t, server.URL+"/receipt/redirection?transactionId="+r.body["paymentKey"].(string)+"&ref=PX", address)
	html := page(t, address)
	for _, text := range []string{"양말 &lt;1&gt;", "15,000원", "5,000원 (품절", "10,000원", "no money has moved"} {
		assert.Contains(t, html, text)
	}
	assert.Equal(t, address, c.list("/v1/transactions?" + allDates)[0]["receiptUrl"])
}

func TestReceiptOfCash(t *testing.T) {
	c := newCaller(t, tosstest.NewServer(t))
	r := c.call("POST", "/v1/cash-receipts", `{"orderId":"order-0001","orderName":"양말","amount":1000,"type":"소득공제","customerIdentityNumber":"01012345678"}`)
	html := page(t, r.body["receiptUrl"].(string))
	assert.Contains(t, html, "1,000원")
	assert.NotContains(t, html, "01012345678")
}

func TestReceiptsThatAreNotFound(t *testing.T) {
	server := tosstest.NewServer(t)
	c := newCaller(t, server)
	c.call("POST", "/v1/cash-receipts", `{"orderId":"order-0001","orderName":"양말","amount":1000,"type":"소득공제","customerIdentityNumber":"01012345678"}`)
	for _, path := range []string{
		"redirection", "redirection?transactionId=x", "redirection?transactionId=" + server.OpenWindow(socks("order-0002")), "x",
		"mids/" + tosstest.DefaultWidgetMID + "/orders/order-0001/cash-receipt", "mids/" + tosstest.DefaultMID + "/orders/order-0002/cash-receipt",
	} {
		response, err := http.Get(server.URL + "/receipt/" + path)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		assert.Equal(t, 404, response.StatusCode, path)
	}
}

func TestReceiptsOfAServerWithoutAnAddress(t *testing.T) {
	r := newCaller(t, tosstest.New()).confirmed(func(*tosstest.Checkout) {})
	assert.Contains(t, r.raw, "https://dashboard-sandbox.tosspayments.com/receipt/redirection?transactionId=")
}

func TestInstallmentInTheWindow(t *testing.T) {
	server := tosstest.NewServer(t)
	_, answer := openWindow(t, server, tosstest.DefaultClientKey, windowRequest(object{"amount": object{"currency": "KRW", "value": 60000}}))
	redirect, err := tosspayments.ParseSuccessURL(choose(t, answer["url"], "pay", "card:41"))
	require.NoError(t, err)
	card := newCaller(t, server).call("POST", "/v1/payments/confirm", confirmBody(redirect)).body["card"].(map[string]any)
	assert.EqualValues(t, 3, card["installmentPlanMonths"])
	assert.Equal(t, "41", card["issuerCode"])
}
