package tosspayments_test

import (
	"encoding/json"
	"errors"
	"flag"
	"io"
	"maps"
	"net/http"
	"runtime/debug"
	"testing"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// What the tests of this package share. A test of your own service needs less: each file
// of an endpoint has a plain test, which begins with TestPlain.

const (
	testKey    = "test_sk_zXLkKEypNArWmo50nX3lmeaxYG5R"
	confirmURL = "https://api.tosspayments.com/v1/payments/confirm"
	paymentURL = "https://api.tosspayments.com/v1/payments/pay-1"
	cancelURL  = paymentURL + "/cancel"
)

// TestMain lets more tests run at once than there are processors, unless -parallel says
// how many: those that are parallel mostly wait. The model leaves much behind, and
// collecting it rarely takes a third off its time.
func TestMain(m *testing.M) {
	_ = flag.Set("test.parallel", "6")
	debug.SetGCPercent(400)
	m.Run()
}

// mockClient returns a client whose requests end in a transport of httpmock of its own.
func mockClient(t testing.TB, opts ...tosspayments.Option) (*tosspayments.Client, *httpmock.MockTransport) {
	t.Helper()
	mock := httpmock.NewMockTransport()
	client, err := tosspayments.New(testKey, append([]tosspayments.Option{
		tosspayments.WithHTTPClient(&http.Client{Transport: mock}),
	}, opts...)...)
	require.NoError(t, err)
	return client, mock
}

// object is JSON.
type object map[string]any

// paymentJSON is the payment that confirmRequest asks for, with changes.
func paymentJSON(status string, changes object) string {
	o := object{
		"version": "2022-11-16", "paymentKey": "pay-1", "orderId": "order-0001", "orderName": "socks", "status": status,
		"currency": "KRW", "totalAmount": 15000, "balanceAmount": 15000, "requestedAt": "2026-03-01T10:15:30+09:00",
		"lastTransactionKey": "T1", "cancels": nil,
	}
	maps.Copy(o, changes)
	text, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// confirmRequest asks for the payment of paymentJSON.
func confirmRequest() tosspayments.ConfirmPaymentRequest {
	return tosspayments.ConfirmPaymentRequest{PaymentKey: "pay-1", OrderID: "order-0001", Amount: tosspayments.Won(15000)}
}

// answer is one scripted answer: a body, or an error.
type answer struct {
	status int
	body   string
	err    error
	header http.Header
}

// refusal is an error of Toss Payments.
func refusal(status int, code tosspayments.ErrorCode) answer {
	return answer{status: status, body: `{"code":"` + string(code) + `","message":"message of ` + string(code) + `"}`}
}

// script answers with one after the other; the last repeats. seen gets the requests
// and when they came.
type script struct {
	answers []answer
	seen    []seenRequest
}

type seenRequest struct {
	header http.Header
	body   string
	at     time.Time
}

func (s *script) respond(r *http.Request) (*http.Response, error) {
	body := ""
	if r.Body != nil {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		body = string(data)
	}
	s.seen = append(s.seen, seenRequest{header: r.Header.Clone(), body: body, at: time.Now()})
	a := s.answers[min(len(s.seen), len(s.answers))-1]
	if a.err != nil {
		return nil, a.err
	}
	response := httpmock.NewStringResponse(a.status, a.body)
	response.Header = http.Header{"X-Tosspayments-Trace-Id": {"trace-1"}}
	maps.Copy(response.Header, a.header)
	return response, nil
}

// onConfirm and onLookUp script the answers to a confirm and to its lookup.
func onConfirm(mock *httpmock.MockTransport, answers ...answer) *script {
	s := &script{answers: answers}
	mock.RegisterResponder(http.MethodPost, confirmURL, s.respond)
	return s
}

func onLookUp(mock *httpmock.MockTransport, answers ...answer) *script {
	s := &script{answers: answers}
	mock.RegisterResponder(http.MethodGet, paymentURL, s.respond)
	return s
}

// lost is an attempt whose connection broke.
var (
	errLost = errors.New("connection reset by peer")
	lost    = answer{err: errLost}
)

// checkout is an order that a buyer pays at tosstest, and pay lets the buyer do so.
func checkout() tosstest.Checkout {
	return tosstest.Checkout{OrderID: tosspayments.NewOrderID(), OrderName: "원두 1kg 외 2건", Amount: tosspayments.Won(33000)}
}

func pay(t testing.TB, server *tosstest.Server, c tosstest.Checkout) tosspayments.ConfirmPaymentRequest {
	t.Helper()
	request, err := server.Authenticate(c).ConfirmRequest(c.Amount)
	require.NoError(t, err)
	request.Currency = c.Currency
	return request
}
