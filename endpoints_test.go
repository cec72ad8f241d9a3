package tosspayments_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// endpoints are all the calls of the API.
var endpoints = []struct {
	name, method, path string
	// moves is set where an answer that decides nothing leaves the outcome unknown.
	moves bool
	call  func(context.Context, *tosspayments.Client, ...tosspayments.CallOption) error
}{
	{"ConfirmPayment", "POST", "/v1/payments/confirm", true, func(ctx context.Context, c *tosspayments.Client, o ...tosspayments.CallOption) error {
		_, err := c.ConfirmPayment(ctx, confirmRequest(), o...)
		return err
	}},
	{"GetPayment", "GET", "/v1/payments/pay-1", false, func(ctx context.Context, c *tosspayments.Client, o ...tosspayments.CallOption) error {
		_, err := c.GetPayment(ctx, "pay-1", o...)
		return err
	}},
	{"GetPaymentByOrderID", "GET", "/v1/payments/orders/order-0001", false, func(ctx context.Context, c *tosspayments.Client, o ...tosspayments.CallOption) error {
		_, err := c.GetPaymentByOrderID(ctx, "order-0001", o...)
		return err
	}},
	{"ResolvePayment", "GET", "/v1/payments/pay-1", false, func(ctx context.Context, c *tosspayments.Client, o ...tosspayments.CallOption) error {
		_, err := c.ResolvePayment(ctx, confirmRequest(), o...)
		return err
	}},
	{"ResolvePaymentByOrderID", "GET", "/v1/payments/orders/order-0001", false, func(ctx context.Context, c *tosspayments.Client, o ...tosspayments.CallOption) error {
		_, err := c.ResolvePaymentByOrderID(ctx, "order-0001", tosspayments.Won(15000), o...)
		return err
	}},
	{"CancelPayment", "POST", "/v1/payments/pay-1/cancel", true, func(ctx context.Context, c *tosspayments.Client, o ...tosspayments.CallOption) error {
		_, err := c.CancelPayment(ctx, "pay-1", cancelAllRequest(), o...)
		return err
	}},
	{"CancelPaymentPartially", "POST", "/v1/payments/pay-1/cancel", true, func(ctx context.Context, c *tosspayments.Client, o ...tosspayments.CallOption) error {
		_, err := c.CancelPaymentPartially(ctx, "pay-1", refund5000(""), o...)
		return err
	}},
	{"CreatePayment", "POST", "/v1/payments", true, func(ctx context.Context, c *tosspayments.Client, o ...tosspayments.CallOption) error {
		_, err := c.CreatePayment(ctx, createPaymentRequest(), o...)
		return err
	}},
	{"ChargeKeyIn", "POST", "/v1/payments/key-in", true, func(ctx context.Context, c *tosspayments.Client, o ...tosspayments.CallOption) error {
		_, err := c.ChargeKeyIn(ctx, keyInRequest(), o...)
		return err
	}},
	{"IssueVirtualAccount", "POST", "/v1/virtual-accounts", true, func(ctx context.Context, c *tosspayments.Client, o ...tosspayments.CallOption) error {
		_, err := c.IssueVirtualAccount(ctx, accountRequest(), o...)
		return err
	}},
	{"IssueBillingKey", "POST", "/v1/billing/authorizations/issue", true, func(ctx context.Context, c *tosspayments.Client, o ...tosspayments.CallOption) error {
		_, err := c.IssueBillingKey(ctx, tosspayments.BillingRedirect{CustomerKey: "customer-1", AuthKey: tosspayments.NewSensitive("auth-1")}, o...)
		return err
	}},
	{"IssueBillingKeyByCard", "POST", "/v1/billing/authorizations/card", true, func(ctx context.Context, c *tosspayments.Client, o ...tosspayments.CallOption) error {
		_, err := c.IssueBillingKeyByCard(ctx, registrationByCardRequest(), o...)
		return err
	}},
	{"ChargeBilling", "POST", "/v1/billing/billing-key=1", true, func(ctx context.Context, c *tosspayments.Client, o ...tosspayments.CallOption) error {
		_, err := c.ChargeBilling(ctx, testBillingKey, chargeRequest(), o...)
		return err
	}},
	{"DeleteBillingKey", "DELETE", "/v1/billing/billing-key=1", true, func(ctx context.Context, c *tosspayments.Client, o ...tosspayments.CallOption) error {
		return c.DeleteBillingKey(ctx, testBillingKey, o...)
	}},
	{"ListTransactions", "GET", "/v1/transactions", false, func(ctx context.Context, c *tosspayments.Client, o ...tosspayments.CallOption) error {
		_, err := c.ListTransactions(ctx, queryOfADay(), o...)
		return err
	}},
	{"ListSettlements", "GET", "/v1/settlements", false, func(ctx context.Context, c *tosspayments.Client, o ...tosspayments.CallOption) error {
		day := tosspayments.DateOf(queryOfADay().StartDate)
		_, err := c.ListSettlements(ctx, tosspayments.SettlementQuery{StartDate: day, EndDate: day}, o...)
		return err
	}},
	{"RequestSettlement", "POST", "/v1/settlements", true, func(ctx context.Context, c *tosspayments.Client, o ...tosspayments.CallOption) error {
		_, err := c.RequestSettlement(ctx, "pay-1", o...)
		return err
	}},
	{"IssueCashReceipt", "POST", "/v1/cash-receipts", true, func(ctx context.Context, c *tosspayments.Client, o ...tosspayments.CallOption) error {
		_, err := c.IssueCashReceipt(ctx, cashReceiptRequest(), o...)
		return err
	}},
	{"CancelCashReceipt", "POST", "/v1/cash-receipts/receipt-1/cancel", true, func(ctx context.Context, c *tosspayments.Client, o ...tosspayments.CallOption) error {
		_, err := c.CancelCashReceipt(ctx, "receipt-1", tosspayments.CancelCashReceiptRequest{}, o...)
		return err
	}},
	{"ListCashReceipts", "GET", "/v1/cash-receipts", false, func(ctx context.Context, c *tosspayments.Client, o ...tosspayments.CallOption) error {
		_, err := c.ListCashReceipts(ctx, tosspayments.CashReceiptQuery{RequestDate: tosspayments.DateOf(queryOfADay().StartDate)}, o...)
		return err
	}},
	{"GetCardPromotions", "GET", "/v1/promotions/card", false, func(ctx context.Context, c *tosspayments.Client, o ...tosspayments.CallOption) error {
		_, err := c.GetCardPromotions(ctx, o...)
		return err
	}},
	{"GetPromotions", "GET", "/v1/promotions", false, func(ctx context.Context, c *tosspayments.Client, o ...tosspayments.CallOption) error {
		_, err := c.GetPromotions(ctx, o...)
		return err
	}},
	{"Do", "POST", "/v1/things", true, func(ctx context.Context, c *tosspayments.Client, o ...tosspayments.CallOption) error {
		return c.Do(ctx, tosspayments.Request{Method: http.MethodPost, Path: "/v1/things", Body: object{"a": 1}}, new(struct{ B int }), o...)
	}},
	{"DoPayment", "POST", "/v1/things", true, func(ctx context.Context, c *tosspayments.Client, o ...tosspayments.CallOption) error {
		_, err := c.DoPayment(ctx, tosspayments.Request{Method: http.MethodPost, Path: "/v1/things", Body: object{"a": 1}}, confirmRequest(), o...)
		return err
	}},
}

func createPaymentRequest() tosspayments.CreatePaymentRequest {
	return tosspayments.CreatePaymentRequest{
		Method: tosspayments.MethodCard, OrderID: "order-0001", OrderName: "socks", Amount: tosspayments.Won(15000),
		SuccessURL: "https://shop.example/success", FailURL: "https://shop.example/fail",
	}
}

func TestEachMethodHasAnEndpoint(t *testing.T) {
	named := map[string]bool{"IsTest": true, "KeyID": true, "Close": true}
	for _, e := range endpoints {
		named[e.name] = true
	}
	client := reflect.TypeFor[*tosspayments.Client]()
	for i := range client.NumMethod() {
		name := client.Method(i).Name
		if strings.HasPrefix(name, "All") {
			continue
		}
		assert.True(t, named[name], name)
	}
}

// bodies are what the endpoints send.
var bodies = map[string]string{
	"ConfirmPayment":         `{"paymentKey":"pay-1","orderId":"order-0001","amount":15000}`,
	"CancelPayment":          `{"cancelReason":"reason"}`,
	"CancelPaymentPartially": `{"cancelReason":"reason","cancelAmount":5000,"refundableAmount":15000}`,
	"CreatePayment": `{"method":"CARD","amount":15000,"orderId":"order-0001","orderName":"socks",
		"successUrl":"https://shop.example/success","failUrl":"https://shop.example/fail"}`,
	"ChargeKeyIn": `{"amount":15000,"orderId":"order-0001","orderName":"socks","cardNumber":"4330123412341234",
		"cardExpirationYear":"30","cardExpirationMonth":"12","customerIdentityNumber":"900101","cardPassword":"00"}`,
	"IssueVirtualAccount": `{"amount":15000,"orderId":"order-0001","orderName":"socks","customerName":"김토스","bank":"20"}`,
	"IssueBillingKey":     `{"customerKey":"customer-1","authKey":"auth-1"}`,
	"IssueBillingKeyByCard": `{"customerKey":"customer-1","cardNumber":"4330123412341234","cardExpirationYear":"30",
		"cardExpirationMonth":"12","customerIdentityNumber":"900101","cardPassword":"00"}`,
	"ChargeBilling":     `{"amount":15000,"customerKey":"customer-1","orderId":"order-0001","orderName":"socks"}`,
	"RequestSettlement": `{"paymentKey":"pay-1"}`,
	"IssueCashReceipt":  `{"amount":15000,"orderId":"order-0001","orderName":"socks","type":"소득공제","customerIdentityNumber":"01012345678"}`,
	"CancelCashReceipt": `{}`,
	"Do":                `{"a":1}`,
	"DoPayment":         `{"a":1}`,
}

// queries are what the lists ask for.
var queries = map[string]string{
	"ListTransactions": "endDate=2026-03-01T23%3A59%3A59&limit=2&startDate=2026-03-01T00%3A00%3A00",
	"ListSettlements":  "endDate=2026-03-01&startDate=2026-03-01",
	"ListCashReceipts": "requestDate=2026-03-01",
}

// TestEndpointsTakeTheirTime finds the documented time limit of one attempt, and of one
// that is not sent again.
func TestEndpointsTakeTheirTime(t *testing.T) {
	const list, charge = time.Minute, 25 * time.Second
	limits := map[string]time.Duration{
		"ListTransactions": list, "ListSettlements": list, "ListCashReceipts": list, "GetCardPromotions": list, "GetPromotions": list,
		"IssueBillingKey": charge, "IssueBillingKeyByCard": charge, "ChargeBilling": charge, "ChargeKeyIn": charge,
	}
	for _, e := range endpoints {
		limit, ok := limits[e.name]
		if !ok {
			limit = 15 * time.Second
		}
		only := limit
		if e.moves {
			only = time.Minute
		}
		for retries, limit := range map[int]time.Duration{0: only, 2: limit} {
			t.Run(fmt.Sprint(e.name, ", retries ", retries), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					client, mock := mockClient(t, tosspayments.WithMaxRetries(retries))
					var took atomic.Int64
					mock.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
						start := time.Now()
						<-r.Context().Done()
						took.CompareAndSwap(0, int64(time.Since(start)))
						return nil, r.Context().Err()
					})
					start := time.Now()
					require.Error(t, e.call(t.Context(), client))
					synctest.Wait()
					assert.Equal(t, limit, time.Duration(took.Load()))
					assert.LessOrEqual(t, time.Since(start), 120*time.Second, "a whole call")
				})
			})
		}
	}
}

// sentBy makes a call that is refused, and returns the request as it was sent, its body and
// what WithResponse says of it.
func sentBy(t *testing.T, call func(context.Context, *tosspayments.Client, ...tosspayments.CallOption) error) (sent *http.Request, body string, response tosspayments.Response) {
	t.Helper()
	client, mock := mockClient(t, tosspayments.WithLanguage(tosspayments.LanguageEnglish))
	mock.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
		sent = r
		s := &script{answers: []answer{refusal(403, tosspayments.ErrRejectCardPayment)}}
		defer func() { body = s.seen[0].body }()
		return s.respond(r)
	})
	err := call(t.Context(), client, tosspayments.WithTestCode("REJECT_CARD_PAYMENT"), tosspayments.WithResponse(&response))
	require.ErrorIs(t, err, tosspayments.ErrRejectCardPayment)
	assert.Equal(t, 1, mock.GetTotalCallCount(), "a refusal is believed at once")
	return sent, body, response
}

func TestEndpointsOnTheWire(t *testing.T) {
	for _, e := range endpoints {
		sent, body, response := sentBy(t, e.call)
		isPost := e.method == http.MethodPost
		t.Run(e.name+"/request", func(t *testing.T) {
			assert.Equal(t, e.method, sent.Method)
			assert.Equal(t, e.path, sent.URL.EscapedPath())
			assert.Equal(t, queries[e.name], sent.URL.RawQuery)
			if isPost {
				assert.JSONEq(t, bodies[e.name], body)
			} else {
				assert.Empty(t, body)
			}
		})
		t.Run(e.name+"/header", func(t *testing.T) {
			assert.Equal(t, "Basic dGVzdF9za196WExrS0V5cE5BcldtbzUwblgzbG1lYXhZRzVSOg==", sent.Header.Get("Authorization"))
			assert.Equal(t, "en-US", sent.Header.Get("Accept-Language"))
			assert.Equal(t, "REJECT_CARD_PAYMENT", sent.Header.Get("TossPayments-Test-Code"))
			assert.Equal(t, isPost, sent.Header.Get("Idempotency-Key") != "", "only a POST has one")
			if isPost {
				assert.Equal(t, "application/json", sent.Header.Get("Content-Type"))
			}
		})
		t.Run(e.name+"/response", func(t *testing.T) {
			assert.Equal(t, 403, response.StatusCode)
			assert.Equal(t, "trace-1", response.TraceID)
			assert.Equal(t, sent.Header.Get("Idempotency-Key"), response.IdempotencyKey)
		})
	}
}

// With the key of the caller the first call of an operation sends the same request.
func TestEndpointsWithAKey(t *testing.T) {
	for _, e := range endpoints {
		if e.name == "CancelPaymentPartially" {
			continue // makes its own
		}
		t.Run(e.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, mock := mockClient(t)
				var keys []string
				mock.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
					if r.Method == e.method {
						keys = append(keys, r.Header.Get("Idempotency-Key"))
					} else {
						assert.Empty(t, r.Header.Get("Idempotency-Key"), "a lookup has none")
					}
					return (&script{answers: []answer{refusal(401, tosspayments.ErrUnauthorizedKey)}}).respond(r)
				})
				err := e.call(t.Context(), client, tosspayments.WithIdempotencyKey("mine"))
				require.Error(t, err)
				want := ""
				if e.method == http.MethodPost {
					want = "mine"
					assert.Equal(t, tosspayments.OutcomeUnknown, tosspayments.OutcomeOf(nil, err), "keys say nothing of an earlier call: %v", err)
				}
				assert.Equal(t, []string{want}, keys)
			})
		})
	}
}

// assertUnknown wants an unknown outcome, with the answer of that status where there was one.
func assertUnknown(t *testing.T, err error, status int) *tosspayments.OutcomeUnknownError {
	t.Helper()
	var unknown *tosspayments.OutcomeUnknownError
	require.ErrorAs(t, err, &unknown)
	require.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown)
	var refused *tosspayments.Error
	assert.False(t, errors.As(err, &refused))
	if status != 0 {
		require.NotNil(t, unknown.LastAnswer)
		assert.Equal(t, status, unknown.LastAnswer.StatusCode)
		assert.Equal(t, "trace-1", unknown.LastAnswer.TraceID)
	}
	return unknown
}

func assertRefused(t *testing.T, err error, status int) {
	t.Helper()
	var refused *tosspayments.Error
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, status, refused.StatusCode)
	assert.Equal(t, "trace-1", refused.TraceID)
}

// TestEndpointsFail runs one table of failures over all endpoints: the error is typed,
// status and trace id are kept, nothing panics, and nothing is called refused that is
// not known to be.
func TestEndpointsFail(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]struct {
		answer answer
		status int
		// decided is set where the answer means that nothing has moved.
		decided bool
	}{
		"refused":       {refusal(401, tosspayments.ErrUnauthorizedKey), 401, true},
		"server error":  {refusal(500, tosspayments.ErrFailedInternalSystemProcessing), 500, false},
		"unknown code":  {refusal(400, "A_CODE_OF_TOMORROW"), 400, false},
		"HTML":          {answer{status: 502, body: "<html>bad gateway</html>"}, 502, false},
		"redirect":      {answer{status: 302, header: http.Header{"Location": {"https://evil.example/"}}}, 302, false},
		"too many":      {answer{status: 429}, 429, true},
		"closed":        {refusal(403, tosspayments.ErrNotAvailablePayment), 403, true},
		"empty 200":     {answer{status: 200}, 200, false},
		"HTML 200":      {answer{status: 200, body: "<html>login</html>"}, 200, false},
		"wrong type":    {answer{status: 200, body: `"text"`}, 200, false},
		"cut off":       {answer{status: 200, body: `[{"paymentKey":"pay-1","orderId":"ord`}, 200, false},
		"too large":     {answer{status: 200, body: strings.Repeat(" ", 17<<20)}, 200, false},
		"no connection": {lost, 0, false},
	} {
		for _, e := range endpoints {
			t.Run(name+"/"+e.name, func(t *testing.T) {
				if e.name == "DeleteBillingKey" && failure.status == 200 {
					t.Skip("a 200 is all that it says")
				}
				if name == "too large" && e.moves && e.name != "ConfirmPayment" {
					t.Skip("16 MiB for each attempt take long, and one such call shows it")
				}
				synctest.Test(t, func(t *testing.T) {
					client, mock := mockClient(t)
					mock.RegisterNoResponder((&script{answers: []answer{failure.answer}}).respond)
					ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
					defer cancel()
					err := e.call(ctx, client)
					require.Error(t, err)
					var connection *tosspayments.ConnectionError
					outcome := tosspayments.OutcomeUnknown
					switch {
					case e.moves && !failure.decided:
						unknown := assertUnknown(t, err, failure.status)
						assert.Equal(t, e.method == http.MethodPost, unknown.IdempotencyKey != "")
						assert.Equal(t, e.name != "CancelPaymentPartially", unknown.Repeatable)
					case failure.status == 0:
						require.ErrorAs(t, err, &connection)
					default:
						assertRefused(t, err, failure.status)
						if e.moves {
							outcome = tosspayments.OutcomeRefused
						}
					}
					assert.Equal(t, outcome, tosspayments.OutcomeOf(nil, err), "%v", err)
					for _, secret := range []string{testKey, "billing-key=1", "4330123412341234", "auth-1", "01012345678"} {
						assert.NotContains(t, err.Error(), secret)
					}
				})
			})
		}
	}
}

// TestEndpointsSucceedWithLostAnswers loses the first answer of every call, against
// the stateful server.
func TestEndpointsSucceedWithLostAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := tosstest.New()
		client := server.Client()
		ctx := t.Context()
		lose := func() {
			server.ClearFaults()
			server.Inject(tosstest.Fault{Kind: tosstest.Drop, AfterEffect: true})
		}
		request := pay(t, server, checkout())
		lose()
		payment, err := client.ConfirmPayment(ctx, request)
		require.NoError(t, err)
		for name, call := range map[string]func() error{
			"lookup":       func() error { _, err := client.GetPaymentByOrderID(ctx, request.OrderID); return err },
			"transactions": func() error { _, err := client.ListTransactions(ctx, queryOfADay()); return err },
			"promotions":   func() error { _, err := client.GetPromotions(ctx); return err },
			"settlement":   func() error { _, err := client.RequestSettlement(ctx, payment.PaymentKey); return err },
			"hosted": func() error {
				r := createPaymentRequest()
				r.OrderID = "order-hosted"
				_, err := client.CreatePayment(ctx, r)
				return err
			},
			"key-in": func() error {
				r := keyInRequest()
				r.OrderID = "order-key-in"
				_, err := client.ChargeKeyIn(ctx, r)
				return err
			},
			"account": func() error {
				r := accountRequest()
				r.OrderID = "order-account"
				_, err := client.IssueVirtualAccount(ctx, r)
				return err
			},
		} {
			lose()
			require.NoError(t, call(), name)
		}
		lose()
		billing, err := client.IssueBillingKey(ctx, server.Register(tosstest.Registration{CustomerKey: "customer-1"}))
		require.NoError(t, err)
		lose()
		r := chargeRequest()
		r.OrderID = "order-billing"
		_, err = client.ChargeBilling(ctx, billing.BillingKey, r)
		require.NoError(t, err)
		lose()
		require.NoError(t, client.DeleteBillingKey(ctx, billing.BillingKey))
		for i, id := range []string{"", "r-1"} {
			lose()
			_, err = client.CancelPaymentPartially(ctx, payment.PaymentKey, tosspayments.PartialCancelRequest{
				CancelReason: "reason", CancelAmount: tosspayments.Won(1000), RefundableAmount: tosspayments.Won(int64(33000 - 1000*i)), RefundID: id,
			})
			require.NoError(t, err)
		}
		lose()
		_, err = client.CancelPayment(ctx, payment.PaymentKey, cancelAllRequest())
		require.NoError(t, err)
		for _, id := range []string{request.OrderID, "order-key-in", "order-billing"} {
			assert.Equal(t, 1, server.Charges(id), id)
		}
		assert.Len(t, server.Refunds(request.OrderID), 3)
	})
}

func TestCreatePayment(t *testing.T) {
	server := tosstest.NewServer(t)
	client := server.Client()
	payment, err := client.CreatePayment(t.Context(), createPaymentRequest())
	require.NoError(t, err)
	assert.Equal(t, tosspayments.PaymentStatusReady, payment.Status)
	response, err := http.Get(payment.Checkout.URL)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusOK, response.StatusCode)

	for field, change := range map[string]func(*tosspayments.CreatePaymentRequest){
		"method":     func(r *tosspayments.CreatePaymentRequest) { r.Method = "" },
		"successUrl": func(r *tosspayments.CreatePaymentRequest) { r.SuccessURL = "/success" },
		"failUrl":    func(r *tosspayments.CreatePaymentRequest) { r.FailURL = "" },
		"flowMode":   func(r *tosspayments.CreatePaymentRequest) { r.FlowMode = "DIRECT" },
		"orderId":    func(r *tosspayments.CreatePaymentRequest) { r.OrderID = "" },
		"orderName":  func(r *tosspayments.CreatePaymentRequest) { r.OrderName = "" },
		"amount":     func(r *tosspayments.CreatePaymentRequest) { r.Amount = tosspayments.Amount{} },
	} {
		request := createPaymentRequest()
		change(&request)
		_, err := client.CreatePayment(t.Context(), request)
		var invalid *tosspayments.ValidationError
		require.ErrorAs(t, err, &invalid)
		assert.Equal(t, field, invalid.Field)
	}
}

// TestRecordsOfTheServerHaveEveryField decodes what tosstest writes without allowing a
// field that the library does not have.
func TestRecordsOfTheServerHaveEveryField(t *testing.T) {
	server := tosstest.New()
	client := server.Client()
	strict := func(path string, body, into any) {
		t.Helper()
		var raw json.RawMessage
		method := http.MethodGet
		if body != nil {
			method = http.MethodPost
		}
		path, query, _ := strings.Cut(path, "?")
		values, err := url.ParseQuery(query)
		require.NoError(t, err)
		require.NoError(t, client.Do(t.Context(), tosspayments.Request{Method: method, Path: path, Query: values, Body: body}, &raw))
		decoder := json.NewDecoder(strings.NewReader(string(raw)))
		decoder.DisallowUnknownFields()
		require.NoError(t, decoder.Decode(into), path)
	}
	payment, err := client.ConfirmPayment(t.Context(), pay(t, server, checkout()))
	require.NoError(t, err)
	_, err = client.CancelPaymentPartially(t.Context(), payment.PaymentKey, tosspayments.PartialCancelRequest{
		CancelReason: "reason", CancelAmount: tosspayments.Won(5000), RefundableAmount: payment.Cancelable(),
	})
	require.NoError(t, err)
	day := tosspayments.DateOf(server.Now())
	server.Advance(24 * time.Hour)
	strict("/v1/payments/"+payment.PaymentKey, nil, new(tosspayments.Payment))
	strict("/v1/transactions?startDate="+day.String()+"T00:00:00&endDate="+day.String()+"T23:59:59", nil, new([]tosspayments.Transaction))
	settlements := new([]tosspayments.Settlement)
	strict("/v1/settlements?startDate="+day.String()+"&endDate="+day.String(), nil, settlements)
	assert.Len(t, *settlements, 2)
	strict("/v1/promotions", nil, new([]tosspayments.Promotion))
	strict("/v1/promotions/card", nil, new(tosspayments.CardPromotions))
	strict("/v1/cash-receipts", object{"orderId": "order-0001", "orderName": "socks", "amount": 1, "type": "소득공제", "customerIdentityNumber": "0100001234"},
		new(tosspayments.CashReceipt))
	strict("/v1/cash-receipts?requestDate="+tosspayments.DateOf(server.Now()).String(), nil, new(tosspayments.CashReceiptPage))
	strict("/v1/billing/authorizations/card", object{
		"customerKey": "customer-1", "cardNumber": "4330123412341234", "cardExpirationYear": "30", "cardExpirationMonth": "12",
		"customerIdentityNumber": "900101", "cardPassword": "00",
	}, new(tosspayments.Billing))
	strict("/v1/virtual-accounts", object{"orderId": "order-0009", "orderName": "socks", "amount": 1000, "bank": "20", "customerName": "김토스"},
		new(tosspayments.Payment))
}
