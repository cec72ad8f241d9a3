package tosspayments_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The tests of this file are about the model, without the library: a wrong model would
// hide a wrong rule.

// modelShop is a model whose answers a test writes down, one after the other.
type modelShop struct {
	*testing.T
	*modelServer
	secret        string
	writes, reads []string
	// asked are the requests so far, by method.
	asked []string
}

func newModelShop(t *testing.T, rules modelRules, world ...func(*modelServer)) *modelShop {
	s := &modelShop{T: t, modelServer: newModelServer(rules), secret: modelSecrets[0]}
	s.secrets = modelSecrets
	for _, w := range world {
		w(s.modelServer)
	}
	s.choose = func(_ *modelServer, q *modelRequest) *modelFault {
		s.asked = append(s.asked, q.method)
		faults, name := &s.writes, ""
		if q.method == http.MethodGet {
			faults = &s.reads
		}
		if len(*faults) > 0 {
			name, *faults = (*faults)[0], (*faults)[1:]
		}
		return modelFaultOf(q, name)
	}
	return s
}

// with lets the next requests be answered so: the reads as what begins with "get" says.
func (s *modelShop) with(faults ...string) *modelShop {
	s.writes, s.reads = nil, nil
	for _, name := range faults {
		if strings.HasPrefix(name, "get") {
			s.reads = append(s.reads, name)
		} else {
			s.writes = append(s.writes, name)
		}
	}
	return s
}

// always lets every write and every read be answered so; "" is as it should be.
func (s *modelShop) always(write, read string) *modelShop {
	s.choose = func(_ *modelServer, q *modelRequest) *modelFault {
		s.asked = append(s.asked, q.method)
		if q.method == http.MethodGet {
			return modelFaultOf(q, read)
		}
		return modelFaultOf(q, write)
	}
	return s
}

// ask sends a request and returns status and code, or status and payment status.
func (s *modelShop) ask(method, path, key, body string) string {
	s.Helper()
	request, err := http.NewRequestWithContext(s.Context(), method, "https://api.tosspayments.com/v1/"+path, strings.NewReader(body))
	require.NoError(s, err)
	request.Header.Set("Authorization", s.secret)
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	response, err := s.RoundTrip(request)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	var answer struct {
		Code, Status  string
		BalanceAmount int
	}
	err = json.NewDecoder(response.Body).Decode(&answer)
	text := strconv.Itoa(response.StatusCode) + " " + answer.Code + answer.Status
	if answer.Status != "" {
		text += " " + strconv.Itoa(answer.BalanceAmount)
	}
	if err != nil {
		text += err.Error()
	}
	return text
}

func (s *modelShop) confirm(key string) string {
	return s.ask("POST", "payments/confirm", key, `{"paymentKey":"pay-1","orderId":"order-0001","amount":10000}`)
}

func (s *modelShop) cancel(key, body string) string {
	return s.ask("POST", "payments/pay-1/cancel", key, body)
}

func (s *modelShop) charge(key string) string {
	return s.ask("POST", "billing/billing-1", key, `{"orderId":"order-0001","orderName":"socks","amount":10000,"customerKey":"c"}`)
}

var (
	windowOpen = withPayments(modelWindow("pay-1", "IN_PROGRESS"))
	windowDone = withPayments(modelWindow("pay-1", "DONE"))
)

const (
	wholeCancel = `{"cancelReason":"r"}`
	partCancel  = `{"cancelReason":"r","cancelAmount":3000,"refundableAmount":10000}`
)

func TestModelApprovesOnce(t *testing.T) {
	s := newModelShop(t, modelRules{}, windowOpen)
	assert.Equal(t, "200 DONE 10000", s.confirm("k2"))
	assert.Equal(t, "400 ALREADY_PROCESSED_PAYMENT", s.confirm("k3"))
	assert.Equal(t, "200 CANCELED 0", s.cancel("k4", wholeCancel))
	assert.Equal(t, "400 ALREADY_PROCESSED_PAYMENT", s.confirm("k5"), "also after the cancel")
	assert.Len(t, s.effects, 2)
}

func TestModelApprovesWhatIsOpen(t *testing.T) {
	s := newModelShop(t, modelRules{}, windowOpen)
	assert.Equal(t, "404 NOT_FOUND_PAYMENT_SESSION", s.ask("POST", "payments/confirm", "k0", `{"paymentKey":"other","orderId":"order-0001","amount":10000}`))
	assert.Equal(t, "403 FORBIDDEN_REQUEST", s.ask("POST", "payments/confirm", "k1", `{"paymentKey":"pay-1","orderId":"order-0001","amount":9000}`))
	assert.Empty(t, s.effects)

	s = newModelShop(t, modelRules{}, windowOpen, withPayments(modelWindow("pay-2", "DONE")))
	assert.Equal(t, "400 DUPLICATED_ORDER_ID", s.confirm("k"))
	s = newModelShop(t, modelRules{}, withPayments(modelWindow("pay-1", "EXPIRED")))
	assert.Equal(t, "404 NOT_FOUND_PAYMENT_SESSION", s.confirm("k"))
}

func TestModelChargesAnOrderOnce(t *testing.T) {
	s := newModelShop(t, modelRules{}, withBillingKey)
	assert.Equal(t, "200 DONE 10000", s.charge("k1"))
	assert.Equal(t, "400 DUPLICATED_ORDER_ID", s.charge("k2"))
	body := `{"orderId":"order-0001","orderName":"socks","amount":10000}`
	assert.Equal(t, "400 DUPLICATED_ORDER_ID", s.ask("POST", "payments/key-in", "k3", body))
	assert.Equal(t, "400 DUPLICATED_ORDER_ID", s.ask("POST", "virtual-accounts", "k4", body))
	assert.Len(t, s.effects, 1)
}

func TestModelIssuesAnAccount(t *testing.T) {
	s := newModelShop(t, modelRules{})
	assert.Equal(t, "200 WAITING_FOR_DEPOSIT 500", s.ask("POST", "virtual-accounts", "k5", `{"orderId":"order-0002","amount":500}`))
	assert.Len(t, s.effects, 1)
}

func TestModelDeletesABillingKey(t *testing.T) {
	s := newModelShop(t, modelRules{}, withBillingKey)
	assert.Equal(t, "200 ", s.with("ok").ask("DELETE", "billing/billing-1", "", "")[:4])
	assert.Equal(t, "400 ALREADY_REMOVED_BILLING_KEY", s.ask("DELETE", "billing/billing-1", "", ""))
	assert.Equal(t, "400 ALREADY_REMOVED_BILLING_KEY", s.ask("POST", "billing/billing-1", "k6", `{"orderId":"order-0003","amount":1}`))
	assert.Equal(t, "404 NOT_FOUND_BILLING", s.ask("POST", "billing/other", "k7", `{"orderId":"order-0001","orderName":"socks","amount":10000}`))
	assert.Len(t, s.effects, 1)
}

// What came to nothing does not take the order id.
func TestModelChargesAfterARefusal(t *testing.T) {
	s := newModelShop(t, modelRules{}, withBillingKey)
	assert.Equal(t, "403 REJECT_CARD_COMPANY", s.with("reject").charge("k1"))
	assert.Equal(t, "200 ABORTED 0", s.ask("GET", "payments/orders/order-0001", "", ""))
	assert.Equal(t, "403 REJECT_CARD_COMPANY", s.charge("k1"), "kept for the key")
	assert.Equal(t, "200 DONE 10000", s.charge("k2"))
	assert.Equal(t, "200 DONE 10000", s.ask("GET", "payments/orders/order-0001", "", ""))
}

func TestModelCancelsAPart(t *testing.T) {
	s := newModelShop(t, modelRules{}, windowDone)
	assert.Equal(t, "200 PARTIAL_CANCELED 7000", s.cancel("k2", partCancel))
	assert.Equal(t, "400 NOT_MATCHES_REFUNDABLE_AMOUNT", s.cancel("k3", partCancel))
	assert.Equal(t, "200 PARTIAL_CANCELED 0", s.cancel("k4", wholeCancel), "the rest after a part")
	assert.Equal(t, "403 NOT_CANCELABLE_AMOUNT", s.cancel("k5", wholeCancel))
	assert.Len(t, s.effects, 2)
}

func TestModelCancelsTheWhole(t *testing.T) {
	s := newModelShop(t, modelRules{}, windowDone)
	assert.Equal(t, "200 CANCELED 0", s.cancel("k1", wholeCancel))
	assert.Equal(t, "400 ALREADY_CANCELED_PAYMENT", s.cancel("k2", wholeCancel))
	assert.Equal(t, "400 ALREADY_CANCELED_PAYMENT", s.cancel("k3", partCancel))
}

func TestModelCancelsAnAccountWhole(t *testing.T) {
	s := newModelShop(t, modelRules{}, withPayments(modelWindow("pay-1", "WAITING_FOR_DEPOSIT")))
	assert.Equal(t, "403 NOT_ALLOWED_PARTIAL_REFUND_WAITING_DEPOSIT", s.cancel("k1", partCancel))
	assert.Equal(t, "200 CANCELED 0", s.cancel("k2", wholeCancel))
}

func TestModelDoesNotCancel(t *testing.T) {
	s := newModelShop(t, modelRules{}, windowOpen)
	assert.Equal(t, "403 NOT_CANCELABLE_PAYMENT", s.cancel("k1", wholeCancel))
	s = newModelShop(t, modelRules{}, windowDone)
	assert.Equal(t, "404 NOT_FOUND_PAYMENT", s.ask("POST", "payments/other/cancel", "k0", wholeCancel))
	assert.Equal(t, "403 NOT_CANCELABLE_AMOUNT", s.cancel("k1", `{"cancelReason":"r","cancelAmount":10001}`))
	assert.Empty(t, s.effects)
}

// Where limits come first, a repeated part that is more than what is left is refused for that.
func TestModelOfLimitsFirst(t *testing.T) {
	s := newModelShop(t, modelRules{limitFirst: true}, windowDone)
	part := `{"cancelReason":"r","cancelAmount":6000,"refundableAmount":10000}`
	assert.Equal(t, "200 PARTIAL_CANCELED 4000", s.cancel("k1", part))
	assert.Equal(t, "403 NOT_CANCELABLE_AMOUNT", s.cancel("k2", part))
}

func TestModelKeepsAnswers(t *testing.T) {
	s := newModelShop(t, modelRules{}, windowDone, withBillingKey)
	assert.Equal(t, "200 PARTIAL_CANCELED 7000", s.cancel("k1", partCancel))
	assert.Equal(t, "200 PARTIAL_CANCELED 7000", s.cancel("k1", wholeCancel), "the body is not part of the key")
	assert.Equal(t, "403 NOT_CANCELABLE_AMOUNT", s.cancel("k2", `{"cancelReason":"r","cancelAmount":9000}`))
	assert.Equal(t, "403 NOT_CANCELABLE_AMOUNT", s.cancel("k2", `{"cancelReason":"r","cancelAmount":1}`), "4xx are kept")
	assert.Equal(t, "400 DUPLICATED_ORDER_ID", s.charge("k1"), "another path")
	assert.Len(t, s.effects, 1)
}

func TestModelKeepsAnswersForASecretKey(t *testing.T) {
	s := newModelShop(t, modelRules{}, windowDone)
	assert.Equal(t, "200 PARTIAL_CANCELED 7000", s.cancel("k1", partCancel))
	s.secret = modelSecrets[1]
	assert.Equal(t, "400 NOT_MATCHES_REFUNDABLE_AMOUNT", s.cancel("k1", partCancel), "another secret key")
	s.secret = "Basic other"
	assert.Equal(t, "401 UNAUTHORIZED_KEY", s.cancel("k1", partCancel))
	assert.Equal(t, "401 UNAUTHORIZED_KEY", s.ask("GET", "payments/pay-1", "", ""))
	assert.Len(t, s.effects, 1)
}

func TestModelMarksReplays(t *testing.T) {
	s := newModelShop(t, modelRules{marksReplays: true}, windowDone)
	assert.Equal(t, "200 PARTIAL_CANCELED 7000", s.cancel("k1", partCancel))
	assert.Equal(t, "200 PARTIAL_CANCELED 7000", s.cancel("k1", partCancel))
	request, err := http.NewRequest(http.MethodPost, "https://api.tosspayments.com/v1/payments/pay-1/cancel", strings.NewReader(partCancel))
	require.NoError(t, err)
	request.Header.Set("Authorization", modelSecrets[0])
	request.Header.Set("Idempotency-Key", "k1")
	response, err := s.RoundTrip(request)
	require.NoError(t, err)
	response.Body.Close()
	assert.Equal(t, "trace3, trace1", response.Header.Get("X-Tosspayments-Trace-Id"))
}

func TestModelKeepsServerErrorsOrNot(t *testing.T) {
	for keeps, second := range map[bool]string{true: "500 COMMON_ERROR", false: "200 DONE 10000"} {
		s := newModelShop(t, modelRules{keeps5xx: keeps}, windowOpen)
		assert.Equal(t, "500 COMMON_ERROR", s.with("500").confirm("k1"))
		assert.Equal(t, second, s.confirm("k1"))
	}
}

func TestModelKeepsNothing(t *testing.T) {
	for _, name := range []string{"429", "often", "401", "html-502", "html-404", "redirect", "foreign-200", "lost", "dial"} {
		s := newModelShop(t, modelRules{keeps5xx: true}, windowOpen)
		s.with(name).confirm("k1")
		assert.Empty(t, s.kept, name)
		assert.Empty(t, s.effects, name)
		assert.Equal(t, "200 DONE 10000", s.confirm("k1"), name)
	}
}

func TestModelKeepsRefusals(t *testing.T) {
	for _, name := range []string{"provider", "busy", "often-kept", "new-code", "reject", "invalid"} {
		s := newModelShop(t, modelRules{}, windowOpen)
		first := s.with(name).confirm("k1")
		assert.Equal(t, first, s.confirm("k1"), name)
		assert.Empty(t, s.effects, name)
	}
}

func TestModelLosesAnswers(t *testing.T) {
	for name, again := range map[string]string{
		"done-lost": "200 DONE 10000", "done-502": "200 DONE 10000", "done-foreign-200": "200 DONE 10000", "cut": "200 DONE 10000",
		"crash": "400 ALREADY_PROCESSED_PAYMENT", "done-500": "500 COMMON_ERROR",
	} {
		s := newModelShop(t, modelRules{keeps5xx: true}, windowOpen)
		assert.NotEqual(t, "200 DONE 10000", s.with(name).confirm("k1"), name)
		assert.Len(t, s.effects, 1, name)
		assert.Equal(t, again, s.confirm("k1"), name)
		assert.Len(t, s.effects, 1, name)
	}
}

func TestModelCountsConnections(t *testing.T) {
	s := newModelShop(t, modelRules{}, windowOpen)
	assert.Equal(t, "400 ALREADY_PROCESSED_PAYMENT", s.with("twice-crash").confirm("k1"))
	assert.Equal(t, 2, s.sent[0])
	s = newModelShop(t, modelRules{}, windowOpen)
	s.with("dial").confirm("k1")
	assert.Zero(t, s.sent[0])
}

func TestModelRunsOnUntilTheNext(t *testing.T) {
	s := newModelShop(t, modelRules{runsLong: true}, windowOpen)
	assert.Equal(t, errModelLost.Error(), s.with("runs-lost-next").confirm("k1"))
	assert.Empty(t, s.effects)
	assert.Equal(t, "409 IDEMPOTENT_REQUEST_PROCESSING", s.confirm("k1"))
	assert.Len(t, s.effects, 1, "after the next")
	assert.Equal(t, "200 DONE 10000", s.confirm("k1"))
}

func TestModelRunsOnAfterTheCall(t *testing.T) {
	s := newModelShop(t, modelRules{runsLong: true}, windowOpen)
	s.with("runs-500-call").confirm("k1")
	assert.Equal(t, "400 ALREADY_PROCESSING_REQUEST", s.confirm("k2"))
	s.settle(afterCall)
	assert.Equal(t, "400 ALREADY_PROCESSING_REQUEST", s.confirm("k2"), "sticks to its key")
	assert.Equal(t, "200 DONE 10000", s.confirm("k1"))
	assert.Equal(t, "400 ALREADY_PROCESSED_PAYMENT", s.confirm("k3"))
}

func TestModelRunsOnAfterAll(t *testing.T) {
	s := newModelShop(t, modelRules{runsLong: true, keeps5xx: true}, windowOpen)
	s.with("runs-500-all").confirm("k1")
	s.settle(afterCall)
	assert.Equal(t, "409 IDEMPOTENT_REQUEST_PROCESSING", s.confirm("k1"))
	s.settle(afterAll)
	assert.Equal(t, "500 COMMON_ERROR", s.confirm("k1"))
	assert.Len(t, s.effects, 1)
}

// Another key is told to wait; without guards both move.
func TestModelRunsOnBesideAnother(t *testing.T) {
	for unguarded, effects := range map[bool]int{false: 1, true: 2} {
		s := newModelShop(t, modelRules{runsLong: true, unguarded: unguarded}, windowDone)
		s.with("runs-lost-all").cancel("k1", partCancel)
		s.cancel("k2", partCancel)
		s.settle(afterAll)
		assert.Len(t, s.effects, effects)
	}
}

// A payment that has expired meanwhile is not confirmed.
func TestModelRunsOnTooLong(t *testing.T) {
	s := newModelShop(t, modelRules{runsLong: true, unguarded: true}, windowOpen)
	s.with("runs-lost-all").confirm("k1")
	status("pay-1", "EXPIRED")(s.modelServer)
	s.settle(afterAll)
	assert.Empty(t, s.effects)
}

func TestModelArrivesLate(t *testing.T) {
	s := newModelShop(t, modelRules{}, windowOpen)
	assert.Equal(t, errModelLost.Error(), s.with("late-next").confirm("k1"))
	assert.Equal(t, "200 DONE 10000", s.confirm("k1"))
	assert.Len(t, s.effects, 1, "its key has an answer")

	s = newModelShop(t, modelRules{}, windowDone)
	s.with("late-call").cancel("k1", partCancel)
	assert.Equal(t, "200 PARTIAL_CANCELED 7000", s.cancel("k2", partCancel))
	s.settle(afterCall)
	assert.Len(t, s.effects, 1, "the guards hold")
	s = newModelShop(t, modelRules{}, windowDone)
	s.with("late-call").cancel("k1", partCancel)
	s.settle(afterCall)
	assert.Len(t, s.effects, 1)
}

func TestModelReads(t *testing.T) {
	s := newModelShop(t, modelRules{}, windowOpen)
	assert.Equal(t, "404 NOT_FOUND_PAYMENT", s.ask("GET", "payments/other", "", ""))
	assert.Equal(t, "404 NOT_FOUND_PAYMENT", s.ask("GET", "payments/orders/other", "", ""))
	assert.Equal(t, "200 IN_PROGRESS 10000", s.ask("GET", "payments/pay-1", "", ""))
	s.confirm("k1")
	assert.Equal(t, "200 DONE 10000", s.ask("GET", "payments/orders/order-0001", "", ""))
}

func TestModelReadsWhatIsStale(t *testing.T) {
	s := newModelShop(t, modelRules{}, windowOpen)
	s.confirm("k1")
	assert.Equal(t, "200 IN_PROGRESS 10000", s.with("get:stale").ask("GET", "payments/pay-1", "", ""))
	s.cancel("k2", partCancel)
	assert.Equal(t, "200 DONE 10000", s.with("get:stale").ask("GET", "payments/pay-1", "", ""), "one change behind")
	assert.Equal(t, "200 PARTIAL_CANCELED 7000", s.ask("GET", "payments/pay-1", "", ""))
}

func TestModelWallet(t *testing.T) {
	s := newModelShop(t, modelRules{wallet: true}, windowDone)
	assert.Equal(t, "200 DONE 10000", s.cancel("k1", partCancel))
	assert.Equal(t, "IN_PROGRESS", s.payments[0].Cancels[0].CancelStatus)
	assert.Empty(t, s.effects)
	s.settle(afterAll)
	assert.Equal(t, "DONE", s.payments[0].Cancels[0].CancelStatus)
	assert.Equal(t, "200 PARTIAL_CANCELED 7000", s.ask("GET", "payments/pay-1", "", ""))
	assert.Len(t, s.effects, 1)
}

// Every path is taken once, and can be taken again by its name.
func TestModelPaths(t *testing.T) {
	seen := map[string]int{}
	run := func(p *modelPath) {
		for i := range 3 {
			p.take(3, func(choice int) string { return []string{"ok", "lost", "500"}[choice] })
			if i == 1 {
				p.names = append(p.names, "|")
			}
		}
		seen[p.String()]++
	}
	assert.Equal(t, 1+3*2+3*4, enumerateModel(2, run))
	assert.Len(t, seen, 19)
	assert.Contains(t, seen, "ok > lost | 500")
	for name := range seen {
		p := parseModelPath(name)
		run(p)
		assert.Equal(t, name, p.String())
		assert.Equal(t, 2, seen[name])
	}
	assert.Panics(t, func() { run(parseModelPath("ok > unheard-of")) })
}
