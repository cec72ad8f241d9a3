package tosspayments_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
)

// The tests of this file are attacks: what somebody else puts into an address, a body or
// an answer.

// A live key is not sent in plain text to another machine, whatever the configuration says.
func TestLiveKeysNeedTLS(t *testing.T) {
	const live = "live_sk_zXLkKEypNArWmo50nX3lmeaxYG5R"
	for address, refused := range map[string]bool{
		"http://api.tosspayments.com": true, "http://10.0.0.7:8080": true, "HTTP://proxy.internal/toss": true, "http://localhost.example": true,
		"http://[2001:db8::1]:80": true, "http://127.0.0.1.example": true, "http://0.0.0.0:1": true,
		"https://proxy.internal": false, "http://127.0.0.1:8080": false, "http://127.9.9.9": false, "http://[::1]:8080": false,
		"http://localhost:8080": false, "http://LOCALHOST": false,
	} {
		for _, key := range []string{live, "live_gsk_zXLkKEypNArWmo50nX3lmeaxYG5R", "of_tomorrow_zXLkKEypNArWmo50nX3lmea"} {
			_, err := tosspayments.New(key, tosspayments.WithBaseURL(address))
			if refused {
				assertInvalid(t, err, "WithBaseURL", "https")
				assert.NotContains(t, fmt.Sprint(err), "zXLkKEyp")
			} else {
				assert.NoError(t, err, address)
			}
		}
		_, err := tosspayments.New(testKey, tosspayments.WithBaseURL(address))
		assert.NoError(t, err, "a test key moves no money")
	}
}

// A payment key of a success URL that would forge a line of a log, or clear a terminal.
func TestInvisibleCharactersInKeys(t *testing.T) {
	for _, key := range []string{"k%0Alevel=INFO", "k%1B[2J", "k%00", "k%E2%80%AE", "k%20k", "k%C2%85"} {
		_, err := tosspayments.ParseSuccessURL(parseURL(t, "https://shop.example/success?orderId=order-0001&amount=15000&paymentKey="+key))
		assertInvalid(t, err, "paymentKey", "visible")
		plain, err := url.QueryUnescape(key)
		require.NoError(t, err)
		_, err = tosspayments.SuccessRedirect{PaymentKey: plain, OrderID: "order-0001", Amount: tosspayments.Won(1)}.ConfirmRequest(tosspayments.Won(1))
		assertInvalid(t, err, "paymentKey", "visible")
		request := confirmRequest()
		request.PaymentKey = plain
		client, mock := mockClient(t)
		_, err = client.ConfirmPayment(t.Context(), request)
		assertInvalid(t, err, "paymentKey", "visible")
		assert.Zero(t, mock.GetTotalCallCount())
	}
}

// What the server says of itself is shown on one line, and clears no terminal.
func TestInvisibleCharactersInAnswers(t *testing.T) { synctest.Test(t, invisibleCharactersInAnswers) }

func invisibleCharactersInAnswers(t *testing.T) {
	const hostile = "x\n\x1b[2J\u202e"
	client, mock := mockClient(t, tosspayments.WithMaxRetries(0), tosspayments.WithLookupGrace(0))
	var answers []string
	for _, changes := range []object{{"paymentKey": hostile}, {"orderId": hostile}, {"currency": "EUR", "status": hostile}, {"status": hostile}} {
		answers = append(answers, paymentJSON("DONE", changes))
	}
	answers = append(answers, paymentJSON("CANCELED", object{"orderName": hostile}), `{"code":"`+"A\\n\\u001b"+`","message":"a\nb\u001b"}`, hostile)
	for _, body := range answers {
		for _, status := range []int{200, 400, 502} {
			mock.RegisterNoResponder((&script{answers: []answer{{status: status, body: body, header: http.Header{"X-Tosspayments-Trace-Id": {hostile}}}}}).respond)
			for _, call := range []func() error{
				func() error { _, err := client.GetPayment(t.Context(), "pay-1"); return err },
				func() error { _, err := client.GetPaymentByOrderID(t.Context(), "order\n0001"); return err },
				func() error { _, err := client.ConfirmPayment(t.Context(), confirmRequest()); return err },
				func() error { _, err := client.CancelPayment(t.Context(), "pay-1", cancelAllRequest()); return err },
			} {
				if err := call(); err != nil {
					assert.NotRegexp(t, `[\n\x1b\x{202e}]`, err.Error())
				}
			}
		}
	}
}

// A body in which a name stands twice, in whatever letters, is read differently by
// different programs.
func TestNamesThatStandTwice(t *testing.T) {
	for _, body := range []string{
		`{"paymentKey":"p","orderId":"order-0001","orderId":"order-0002","amount":1}`,
		`{"paymentKey":"p","orderId":"order-0001","ORDERID":"order-0002","amount":1}`,
		`{"paymentKey":"p","orderid":"order-0001","amount":1}`,
		"{\"payment\u212aey\":\"p\",\"orderId\":\"order-0001\",\"amount\":1}",
		`{"paymentKey":"p","orderId":"order-0001","amount":1,"\u0061mount":100}`,
	} {
		var redirect tosspayments.SuccessRedirect
		assert.Error(t, json.Unmarshal([]byte(body), &redirect), body)
	}
	for _, body := range []string{
		`{"customerKey":"me","CustomerKey":"you","authKey":"a"}`, `{"customerKey":"me","customerKey":"you","authKey":"a"}`,
		`{"customerKey":"me","authkey":"a"}`,
	} {
		var redirect tosspayments.BillingRedirect
		assert.Error(t, json.Unmarshal([]byte(body), &redirect), body)
	}
	var redirect tosspayments.SuccessRedirect
	require.NoError(t, json.Unmarshal([]byte(`{"paymentType":"NORMAL","paymentKey":"p","orderId":"order-0001","amount":"1","mine":{"orderId":"x"},"MINE":1,"MINE":2}`), &redirect))
	assert.Equal(t, tosspayments.SuccessRedirect{PaymentType: "NORMAL", PaymentKey: "p", OrderID: "order-0001", Amount: tosspayments.Won(1)}, redirect)
	var billing tosspayments.BillingRedirect
	require.NoError(t, json.Unmarshal([]byte(`{"customerKey":"me","authKey":"a"}`), &billing))
	assert.Equal(t, "a", billing.AuthKey.Reveal())
	for _, body := range []string{"", "{", "{7", "[]", `"x"`, `{"orderId"`} {
		assert.Error(t, redirect.UnmarshalJSON([]byte(body)), body)
		assert.Error(t, billing.UnmarshalJSON([]byte(body)), body)
	}
	require.NoError(t, json.Unmarshal([]byte(`null`), &redirect))
}

// Somebody in between echoes the key, wherever an answer has a place for it.
func TestEchoedKeys(t *testing.T) { synctest.Test(t, echoedKeys) }

func echoedKeys(t *testing.T) {
	encoded := base64.StdEncoding.EncodeToString([]byte(testKey + ":"))
	bare := strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(testKey)), "=")
	for _, echo := range []string{testKey, encoded, strings.TrimRight(encoded, "="), "Basic " + encoded, bare, "live_sk_zXLkKEypNArWmo50nX3lmeaxYG5R"} {
		secret := strings.TrimPrefix(echo, "Basic ")
		for _, a := range []answer{
			{status: 403, body: `{"code":"` + echo + `","message":"no"}`},
			{status: 403, body: `{"code":"FORBIDDEN_REQUEST","message":"no ` + echo + `"}`},
			{status: 403, body: `{"traceId":"` + echo + `","error":{"code":"` + echo + `","message":"no"}}`, header: http.Header{"X-Tosspayments-Trace-Id": nil}},
			{status: 502, body: "<html>" + echo},
			{status: 200, body: echo},
			{status: 200, body: `{"paymentKey":{"` + echo + `":1}}`},
			{status: 403, body: `{"code":"FORBIDDEN_REQUEST"}`, header: http.Header{"X-Tosspayments-Trace-Id": {echo}}},
		} {
			var log bytes.Buffer
			client, mock := mockClient(t, tosspayments.WithMaxRetries(0), tosspayments.WithLookupGrace(0),
				tosspayments.WithLogger(slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))),
				tosspayments.WithObserver(func(_ context.Context, attempt tosspayments.Attempt) { fmt.Fprintf(&log, "%+v", attempt) }))
			mock.RegisterNoResponder((&script{answers: []answer{a}}).respond)
			var response tosspayments.Response
			_, err := client.GetPayment(t.Context(), "pay-1", tosspayments.WithResponse(&response))
			_, again := client.ConfirmPayment(t.Context(), confirmRequest())
			require.Error(t, err)
			shown := fmt.Sprintf("%v %+v %#v %v %+v %#v", err, err, err, again, again, again) + response.String() + response.TraceID + log.String()
			assert.NotContains(t, shown, secret, "%s", a.body)
		}
	}
}

// The path of a Request arrives as it is written, or not at all.
func TestPathsThatAreNotEncoded(t *testing.T) {
	var seen []string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = append(seen, r.RequestURI) }))
	defer server.Close()
	client, err := tosspayments.New(testKey, tosspayments.WithBaseURL(server.URL))
	require.NoError(t, err)
	get := func(path string) error {
		return client.Do(t.Context(), tosspayments.Request{Method: http.MethodGet, Path: path}, nil)
	}
	for _, tail := range []string{"é", `"`, "<", ">", "^", "`", "{", "|", "}", `\`, " ", "\x7f", "%", "%zz", "%2"} {
		assertInvalid(t, get("/v1/a%2F..%2F..%2F"+tail), "path", "percent-encoded")
	}
	assert.Empty(t, seen)
	for _, path := range []string{"/v1/a%2F..%2F..%2F%C3%A9", "/v1/a=b", "/v1/a+b", "/v1/a:b@c;d,e!$&'()*~[]", "/v1/%25"} {
		require.NoError(t, get(path))
		assert.Equal(t, path, seen[len(seen)-1])
	}

	for _, base := range []string{"/a%2Fb^", "/a%2Fé", "/a%2F{x}"} {
		_, err := tosspayments.New(testKey, tosspayments.WithBaseURL("https://proxy.example"+base))
		assertInvalid(t, err, "WithBaseURL", "percent-encoded")
	}
}

// A time that could be read and not written again would lose the record that has it.
func TestOffsetsOfADay(t *testing.T) {
	for _, offset := range []string{"+24:00", "-24:00", "+23:60", "+24:59"} {
		at := "2026-03-01T10:15:30" + offset
		client, mock := mockClient(t)
		mock.RegisterNoResponder((&script{answers: []answer{
			{status: 200, body: paymentJSON("DONE", object{"approvedAt": at, "cancels": []object{{"canceledAt": at}}})},
			{status: 200, body: `[{"transactionKey":"T1","amount":1,"status":"DONE","transactionAt":"` + at + `"}]`},
		}}).respond)
		var response tosspayments.Response
		payment, err := client.GetPayment(t.Context(), "pay-1", tosspayments.WithResponse(&response))
		require.NoError(t, err)
		assert.True(t, payment.ApprovedAt.IsZero())
		assert.Equal(t, []string{"approvedAt", "cancels[0].canceledAt"}, response.Unread)
		_, err = json.Marshal(payment)
		require.NoError(t, err)
		list, err := client.ListTransactions(t.Context(), queryOfADay())
		require.NoError(t, err)
		_, err = json.Marshal(list)
		require.NoError(t, err)

		var stored tosspayments.Payment
		require.NoError(t, json.Unmarshal([]byte(`{"approvedAt":"`+at+`"}`), &stored))
		assert.True(t, stored.ApprovedAt.IsZero())
		var date tosspayments.Date
		assert.Error(t, date.UnmarshalText([]byte(at)))
	}
}

// A server that alternates pages comes to an end, soon.
func TestPagesThatAlternate(t *testing.T) {
	day := tosspayments.DateOf(queryOfADay().StartDate)
	for name, read := range map[string]func(*tosspayments.Client) ([]string, error){
		"transactions": func(c *tosspayments.Client) ([]string, error) {
			return collect(c.AllTransactions(t.Context(), queryOfADay()), transactionKey)
		},
		"settlements": func(c *tosspayments.Client) ([]string, error) {
			return collect(c.AllSettlements(t.Context(), tosspayments.SettlementQuery{StartDate: day, EndDate: day, Size: 2}),
				func(s tosspayments.Settlement) string { return s.TransactionKey })
		},
	} {
		client, asked := clientOfPages(t, transactionsPage("a", "b"), transactionsPage("c", "d"))
		start := time.Now()
		keys, err := read(client)
		require.ErrorContains(t, err, "the same page again", name)
		assert.Equal(t, []string{"a", "b", "c", "d"}, keys)
		assert.Len(t, *asked, 3)
		assert.Less(t, time.Since(start), 5*time.Second)
	}
	client, asked := clientOfPages(t, receiptsPage(true, "7", object{"receiptKey": "a", "amount": 1}), receiptsPage(true, "8", object{"receiptKey": "b", "amount": 2}))
	_, err := receiptsOfADay(t, client)
	require.ErrorContains(t, err, "the same page again")
	assert.Len(t, *asked, 3)
}
