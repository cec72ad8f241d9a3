package tosstest_test

import (
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// widgetRequest is what the script sends for widgets(), with what the buyer has chosen.
func widgetRequest(chosen object, changes object) object {
	request := object{
		"orderId": "order-0001", "orderName": "원두 1kg",
		"successUrl": "http://shop.example/success?own=1&", "failUrl": "http://shop.example/fail",
	}
	maps.Copy(request, changes)
	return object{
		"kind": "widgets", "clientKey": tosstest.DefaultWidgetClientKey, "customerKey": "customer-1", "target": "iframe",
		"amount": object{"currency": "KRW", "value": 50000}, "request": request, "chosen": object{"method": chosen, "agreed": true},
	}
}

func TestOrderFormMethods(t *testing.T) {
	server := tosstest.NewServer(t)
	refund := object{"bank": "20", "accountNumber": "1002123456789", "holderName": "김토스"}
	for name, row := range map[string]struct {
		chosen object
		has    func(*tosspayments.Payment) bool
	}{
		"card": {object{"code": "CARD", "company": "41", "installment": 3}, func(p *tosspayments.Payment) bool {
			return p.Card.IssuerCode == "41" && p.Card.InstallmentPlanMonths == 3
		}},
		"wallet":          {object{"code": "KAKAOPAY"}, func(p *tosspayments.Payment) bool { return p.EasyPay.Provider == "카카오페이" }},
		"transfer":        {object{"code": "TRANSFER"}, func(p *tosspayments.Payment) bool { return p.Transfer.BankCode == "20" }},
		"virtual account": {object{"code": "VIRTUAL_ACCOUNT", "refund": refund}, func(p *tosspayments.Payment) bool { return p.VirtualAccount.RefundReceiveAccount != nil }},
		"gift":            {object{"code": "CULTURE_GIFT_CERTIFICATE"}, func(p *tosspayments.Payment) bool { return p.GiftCertificate != nil }},
	} {
		t.Run(name, func(t *testing.T) {
			id := "order-" + url.QueryEscape(regexp.MustCompile(`\W`).ReplaceAllString(name, "-"))
			status, answer := requestWindow(t, server, widgetRequest(row.chosen, object{"orderId": id}))
			require.Equal(t, http.StatusOK, status, answer)
			target := choose(t, answer["url"], "pay", "")
			assert.Regexp(t, `^own=1&paymentType=NORMAL&orderId=[\w-]+&paymentKey=\w+&amount=50000$`, target.RawQuery)
			redirect, err := tosspayments.ParseSuccessURL(target)
			require.NoError(t, err)
			request, err := redirect.ConfirmRequest(tosspayments.Won(50000))
			require.NoError(t, err)
			payment, err := server.WidgetClient().ConfirmPayment(t.Context(), request)
			require.NoError(t, err)
			assert.True(t, row.has(payment))
		})
	}
}

func TestOrderFormRefuses(t *testing.T) {
	server := tosstest.NewServer(t)
	card := object{"code": "CARD", "company": "41"}
	without := func(name string, value any) object {
		e := widgetRequest(card, nil)
		e[name] = value
		return e
	}
	for code, envelope := range map[tosspayments.ErrorCode]object{
		tosspayments.ErrNotSupportedAPIIndividualKey:   without("clientKey", tosstest.DefaultClientKey),
		tosspayments.ErrNotSetupAmount:                 without("amount", nil),
		tosspayments.ErrBelowZeroAmount:                without("amount", object{"currency": "KRW", "value": 0}),
		tosspayments.ErrNotSelectedPaymentMethod:       without("chosen", object{"agreed": true}),
		tosspayments.ErrNeedAgreementWithRequiredTerms: without("chosen", object{"method": card}),
		tosspayments.ErrNeedCardPaymentDetail:          widgetRequest(object{"code": "CARD", "company": ""}, nil),
		tosspayments.ErrNeedRefundAccountDetail:        widgetRequest(object{"code": "VIRTUAL_ACCOUNT", "refund": object{"bank": "20"}}, nil),
		tosspayments.ErrInvalidParameters:              widgetRequest(card, object{"amount": 1}),
		tosspayments.ErrIncorrectFailURLFormat:         widgetRequest(card, object{"failUrl": nil}),
	} {
		status, answer := requestWindow(t, server, envelope)
		assert.Equal(t, http.StatusBadRequest, status)
		assert.Equal(t, string(code), answer["code"])
	}
	phone := widgetRequest(card, object{"successUrl": nil, "failUrl": nil})
	phone["target"] = "self"
	_, answer := requestWindow(t, server, phone)
	assert.Equal(t, "NOT_SUPPORTED_PROMISE", answer["code"])
}

// TestDeclaredParameters has every field that the official types declare, also those that
// they call hidden, and every optional one as null.
func TestDeclaredParameters(t *testing.T) {
	declared := object{
		"customerEmail": "a@example.com", "customerName": "김토스", "customerMobilePhone": "01012345678", "taxFreeAmount": 0, "windowTarget": "iframe",
		"metadata": object{"number": 1, "list": []int{1}}, "pendingUrl": "http://shop.example/pending", "orderProductCode": "x",
		"sandbox":   object{"paymentResult": "SUCCESS"},
		"subOrders": []object{{"merchantName": "x", "merchantBusinessNumber": "1", "merchantAddress": object{"country": "KR"}, "orderName": "y"}},
		"card": object{
			"useEscrow": true, "taxExemptionAmount": 0, "flowMode": "DEFAULT", "cardCompany": "SHINHAN", "easyPay": nil, "maxCardInstallmentPlan": 6,
			"freeInstallmentPlans": []object{{"company": "SHINHAN", "months": []int{2}}}, "useCardPoint": false, "useAppCardOnly": false, "discountCode": "x",
			"validHours": 1, "escrowProducts": []object{{"id": "1"}}, "useInternationalCardOnly": false, "language": "EN", "showEstimatedAmount": true,
			"appScheme": "shop://", "keyin": object{"selectableCardTypes": []string{"PERSONAL"}}, "showMobileAppHeader": true,
			"threeDS": object{"challengeMode": "CHALLENGE_REQUIRED"}, "affiliateCards": []object{{"issuerCode": "41", "cardProductCode": "1"}},
			"dividedSettlements": []object{{"subMid": "x", "amount": 1}},
		},
		"virtualAccount": object{
			"cashReceipt": object{"type": "소득공제"}, "useEscrow": false, "escrowProducts": []object{}, "validHours": 24, "isCulturalExpenses": false,
			"showCustomerMobilePhone": true, "refundReceiveAccount": object{"bankCode": "20", "accountNumber": "1", "holderName": "x"}, "taxExemptionAmount": 0,
		},
		"transfer": object{
			"cashReceipt": object{"type": "미발행"}, "useEscrow": false, "validHours": 24, "isCulturalExpenses": false, "encryptedCustomerCi": "x",
			"showSecuritiesAccount": true, "provider": "BANKPAY", "dividedSettlements": []object{}, "taxExemptionAmount": 0,
		},
		"mobilePhone": object{"mobileCarriers": []string{"SKT", "KT", "LGU", "HELLO", "KCT", "SK7"}},
		"foreignEasyPay": object{
			"provider": "PAYPAL", "country": "KR", "products": []object{{"name": "x"}}, "shipping": object{"fullName": "x"},
			"paymentMethodOptions": object{"paypal": object{"setTransactionContext": nil}},
		},
	}
	server := tosstest.NewServer(t)
	status, answer := openWindow(t, server, tosstest.DefaultClientKey, windowRequest(declared))
	assert.Equal(t, http.StatusOK, status, answer)
	nothing := object{}
	for name := range declared {
		nothing[name] = nil
	}
	status, answer = openWindow(t, server, tosstest.DefaultClientKey, windowRequest(nothing))
	assert.Equal(t, http.StatusOK, status, answer)
	for _, spelling := range []string{"SHINHAN", "신한", "41"} {
		_, answer = openWindow(t, server, tosstest.DefaultClientKey, windowRequest(object{"card": object{"flowMode": "DIRECT", "cardCompany": spelling}}))
		html := page(t, answer["url"])
		assert.Contains(t, html, `value="card:41" checked`, spelling)
		assert.NotContains(t, html, `value="card:61"`, "only that company")
	}

	lenient := tosstest.NewServer(t, tosstest.WithBrowser(tosstest.Browser{AcceptUndeclared: true}))
	status, _ = openWindow(t, lenient, tosstest.DefaultClientKey, windowRequest(object{"order": "x"}))
	assert.Equal(t, http.StatusOK, status)
}

func TestWindowOverAPage(t *testing.T) {
	open := func(t *testing.T, b tosstest.Browser, changes object) string {
		server := tosstest.NewServer(t, tosstest.WithBrowser(b))
		_, answer := requestWindow(t, server, object{
			"kind": "payment", "clientKey": tosstest.DefaultClientKey, "customerKey": "customer-1", "target": "iframe", "origin": "http://shop.example",
			"request": windowRequest(changes),
		})
		return answer["url"]
	}
	told := func(t *testing.T, window, outcome string) string {
		response, err := http.PostForm(window, url.Values{"outcome": {outcome}})
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, http.StatusOK, response.StatusCode)
		return window
	}
	t.Run("closing tells the page", func(t *testing.T) {
		window := open(t, tosstest.Browser{}, nil)
		assert.Contains(t, page(t, window), `formtarget="_self"`)
		told(t, window, "cancel")
		assert.Contains(t, page(t, window), "이미 끝난 결제")
	})
	t.Run("or goes to failUrl", func(t *testing.T) {
		window := open(t, tosstest.Browser{CloseRedirects: true}, nil)
		fail, err := tosspayments.ParseFailURL(choose(t, window, "cancel", ""))
		require.NoError(t, err)
		assert.ErrorIs(t, fail, tosspayments.ErrPayProcessCanceled)
	})
	t.Run("a promise is told everything", func(t *testing.T) {
		window := open(t, tosstest.Browser{}, object{"successUrl": nil, "failUrl": nil})
		assert.NotContains(t, page(t, window), "_top")
		told(t, window, "pay")
	})
}
