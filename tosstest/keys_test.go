package tosstest_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// key returns a caller with another secret key.
func (c *caller) key(secret string) *caller {
	return c.with("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(secret+":")))
}

// widgetCheckout is an order that is paid in the order form.
func widgetCheckout(order string) tosstest.Checkout {
	checkout := socks(order)
	checkout.Widget = true
	return checkout
}

// pair is a caller with the key of one pair, and one with that of the other.
type pair struct {
	own, other *caller
	checkout   tosstest.Checkout
	mid        string
}

func bothPairs(t *testing.T, server *tosstest.Server) map[string]pair {
	t.Helper()
	individual := newCaller(t, server)
	widget := individual.key(tosstest.DefaultWidgetSecretKey)
	return map[string]pair{
		"individual": {individual, widget, socks("order-0001"), tosstest.DefaultMID},
		"widget":     {widget, individual, widgetCheckout("order-0001"), tosstest.DefaultWidgetMID},
	}
}

func TestRedirectsNameTheirPair(t *testing.T) {
	server := tosstest.New()
	kinds := map[string]string{"individual": "", "widget": "NORMAL"}
	for name, pair := range bothPairs(t, server) {
		redirect := server.Authenticate(pair.checkout)
		assert.Equal(t, kinds[name], redirect.PaymentType)
		assert.Equal(t, pair.mid[:5], redirect.PaymentKey[:5])
	}
}

// Both may have an order of the same id.
func TestTwoPairsOfKeys(t *testing.T) {
	server := tosstest.New()
	for name, pair := range bothPairs(t, server) {
		own, other, redirect := pair.own, pair.other, server.Authenticate(pair.checkout)
		path := "/v1/payments/" + redirect.PaymentKey
		t.Run(name+" confirms", func(t *testing.T) {
			other.refused(404, "NOT_FOUND_PAYMENT_SESSION", other.call("POST", "/v1/payments/confirm", confirmBody(redirect)))
			r := own.call("POST", "/v1/payments/confirm", confirmBody(redirect))
			require.Equal(t, 200, r.status, r.raw)
			assert.Equal(t, pair.mid, r.body["mId"])
		})
		t.Run(name+" is not found by the other", func(t *testing.T) {
			other.refused(404, "NOT_FOUND_PAYMENT", other.call("GET", path, ""))
			other.refused(404, "NOT_FOUND_PAYMENT", other.call("POST", path+"/cancel", `{"cancelReason":"r"}`))
			other.refused(404, "NOT_FOUND_PAYMENT", other.call("POST", "/v1/settlements", `{"paymentKey":"`+redirect.PaymentKey+`"}`))
		})
		t.Run(name+" reads and cancels", func(t *testing.T) {
			assert.Equal(t, redirect.PaymentKey, own.call("GET", "/v1/payments/orders/order-0001", "").body["paymentKey"])
			assert.Equal(t, "PARTIAL_CANCELED", own.call("POST", path+"/cancel", `{"cancelReason":"r","cancelAmount":1}`).body["status"])
		})
		t.Run(name+" lists its own", func(t *testing.T) {
			server.Advance(24 * time.Hour)
			transactions, settlements := own.list("/v1/transactions?"+allDates), own.list("/v1/settlements?"+allDates)
			require.Len(t, transactions, 2)
			require.Len(t, settlements, 2)
			for _, row := range append(transactions, settlements...) {
				assert.Subset(t, row, map[string]any{"paymentKey": redirect.PaymentKey, "mId": pair.mid})
			}
		})
	}
	assert.Equal(t, 2, server.Charges("order-0001"))
}

const allDates = "startDate=2000-01-01&endDate=2100-01-01"

func TestCursorsBelongToAPair(t *testing.T) {
	server := tosstest.New()
	individual := newCaller(t, server)
	widget := individual.key(tosstest.DefaultWidgetSecretKey)
	confirmedPath(individual, "order-0001")
	cursor := individual.list("/v1/transactions?" + allDates)[0]["transactionKey"].(string)
	widget.refused(400, "INVALID_TRANSACTION_KEY", widget.call("GET", "/v1/transactions?"+allDates+"&startingAfter="+cursor, ""))
}

func TestWidgetKeyIsNotEnough(t *testing.T) {
	server := tosstest.New()
	widget := newCaller(t, server).key(tosstest.DefaultWidgetSecretKey)
	for _, x := range []struct{ method, path string }{
		{"POST", "/v1/billing/authorizations/issue"},
		{"POST", "/v1/billing/authorizations/card"},
		{"POST", "/v1/billing/some-key"},
		{"DELETE", "/v1/billing/some-key"},
		{"POST", "/v1/payments/key-in"},
		{"POST", "/v1/virtual-accounts"},
		{"POST", "/v1/payments"},
	} {
		widget.refused(400, "NOT_SUPPORTED_WIDGET_KEY", widget.call(x.method, x.path, "{}"))
	}
	for path, want := range map[string]int{"/v1/promotions": 200, "/v1/nothing": 404} {
		response, _ := widget.get(path)
		assert.Equal(t, want, response.StatusCode)
	}
}

func TestKeysAreChosen(t *testing.T) {
	server := tosstest.New(tosstest.WithWidgetKeys("test_gck_1", "test_gsk_1"), tosstest.WithSecretKey("test_sk_1"),
		tosstest.WithGuess(tosstest.ConfirmOtherKeys, tosspayments.ErrForbiddenRequest))
	c := newCaller(t, server)
	c.refused(401, "UNAUTHORIZED_KEY", c.call("GET", "/v1/payments/x", ""))
	other := c.key(tosstest.DefaultWidgetSecretKey)
	other.refused(401, "UNAUTHORIZED_KEY", other.call("GET", "/v1/payments/x", ""))
	redirect := server.Authenticate(widgetCheckout("order-0001"))
	individual := c.key("test_sk_1")
	individual.refused(403, "FORBIDDEN_REQUEST", individual.call("POST", "/v1/payments/confirm", confirmBody(redirect)))
	r := c.key("test_gsk_1").call("POST", "/v1/payments/confirm", confirmBody(redirect))
	assert.Equal(t, 200, r.status, r.raw)
}

func TestWidgetClient(t *testing.T) {
	server := tosstest.New(tosstest.WithAPIVersion("2024-06-01"))
	request, err := server.Authenticate(widgetCheckout("order-0001")).ConfirmRequest(tosspayments.Won(15000))
	require.NoError(t, err)
	payment, err := server.WidgetClient().ConfirmPayment(t.Context(), request)
	require.NoError(t, err)
	assert.Equal(t, tosstest.DefaultWidgetMID, payment.MID)
	assert.Equal(t, "2022-11-16", payment.Version, "that of widget keys is fixed")
}

// An idempotency key belongs to a secret key.
func TestIdempotencyKeyOfEachPair(t *testing.T) {
	server := tosstest.New()
	individual := newCaller(t, server).with("Idempotency-Key", "key-1")
	widget := individual.key(tosstest.DefaultWidgetSecretKey)
	for _, c := range []*caller{individual, widget} {
		redirect := server.Authenticate(widgetCheckout("order-0001"))
		if c == individual {
			redirect = server.Authenticate(socks("order-0001"))
		}
		r := c.call("POST", "/v1/payments/confirm", confirmBody(redirect))
		assert.Equal(t, redirect.PaymentKey, r.body["paymentKey"], r.raw)
	}
}

func TestCashReceiptsOfEachPair(t *testing.T) {
	server := tosstest.New()
	individual := newCaller(t, server)
	widget := individual.key(tosstest.DefaultWidgetSecretKey)
	issue := `{"orderId":"order-0001","orderName":"양말","amount":1000,"type":"소득공제","customerIdentityNumber":"01012345678"}`
	r := individual.call("POST", "/v1/cash-receipts", issue)
	require.Equal(t, 200, r.status, r.raw)
	widget.refused(400, "NOT_FOUND_RECEIPT", widget.call("POST", "/v1/cash-receipts/"+r.body["receiptKey"].(string)+"/cancel", ""))
	r = widget.call("POST", "/v1/cash-receipts", issue)
	require.Equal(t, 200, r.status, r.raw)
	for _, c := range []*caller{individual, widget} {
		r = c.call("GET", "/v1/cash-receipts?requestDate="+server.Now().UTC().Add(9*time.Hour).Format("2006-01-02"), "")
		assert.Len(t, r.body["data"], 1)
		assert.Equal(t, false, r.body["hasNext"])
	}
}

func TestWebhooksNameTheMID(t *testing.T) {
	server := tosstest.New()
	mids := map[string]string{}
	server.RegisterWebhookHandler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var event struct {
			Data struct{ MID, OrderID string }
		}
		assert.NoError(t, json.NewDecoder(r.Body).Decode(&event))
		mids[event.Data.OrderID] = event.Data.MID
	}))
	c := newCaller(t, server)
	c.call("POST", "/v1/payments/confirm", confirmBody(server.Authenticate(socks("order-0001"))))
	c.key(tosstest.DefaultWidgetSecretKey).call("POST", "/v1/payments/confirm", confirmBody(server.Authenticate(widgetCheckout("order-0002"))))
	server.WaitWebhooks()
	assert.Equal(t, map[string]string{"order-0001": tosstest.DefaultMID, "order-0002": tosstest.DefaultWidgetMID}, mids)
}

// An account is found whichever pair has opened it.
func TestAccountOfTheWidget(t *testing.T) {
	server := tosstest.New()
	checkout := widgetCheckout("order-0001")
	checkout.Method = tosspayments.MethodVirtualAccount
	c := newCaller(t, server).key(tosstest.DefaultWidgetSecretKey)
	c.call("POST", "/v1/payments/confirm", confirmBody(server.Authenticate(checkout)))
	require.NoError(t, server.Deposit("order-0001", checkout.Amount))
	assert.Equal(t, "DONE", c.call("GET", "/v1/payments/orders/order-0001", "").body["status"])
}

func (c *caller) get(path string) (*http.Response, string) {
	c.t.Helper()
	r, err := http.NewRequest(http.MethodGet, c.server.URL+path, strings.NewReader(""))
	require.NoError(c.t, err)
	r.Header = c.header
	response, err := c.server.Transport().RoundTrip(r)
	require.NoError(c.t, err)
	data, err := io.ReadAll(response.Body)
	require.NoError(c.t, err)
	return response, string(data)
}

// list returns the rows of an answer that is an array.
func (c *caller) list(path string) (rows []map[string]any) {
	c.t.Helper()
	_, data := c.get(path)
	require.NoError(c.t, json.Unmarshal([]byte(data), &rows), data)
	return rows
}
