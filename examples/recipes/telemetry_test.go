package recipes

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// observed is a stand whose client is observed, with what has been exported.
type observed struct {
	*stand
	*Telemetry
	spans  *tracetest.InMemoryExporter
	reader *sdkmetric.ManualReader
}

func observe(t *testing.T) *observed {
	o := &observed{stand: newStand(t, tosstest.NewServer(t)), spans: tracetest.NewInMemoryExporter(), reader: sdkmetric.NewManualReader()}
	telemetry, err := NewTelemetry(
		sdktrace.NewTracerProvider(sdktrace.WithSyncer(o.spans)),
		sdkmetric.NewMeterProvider(sdkmetric.WithReader(o.reader)))
	require.NoError(t, err)
	o.Telemetry = telemetry
	client, err := NewTracedClient(tosstest.DefaultSecretKey, telemetry)
	require.NoError(t, err)
	client.Close()
	o.Toss = o.server.Client(tosspayments.WithObserver(telemetry.Request))
	return o
}

// metrics collects what was measured, by name.
func (o *observed) metrics() map[string]metricdata.Aggregation {
	var collected metricdata.ResourceMetrics
	require.NoError(o.t, o.reader.Collect(o.t.Context(), &collected))
	metrics := map[string]metricdata.Aggregation{}
	for _, scope := range collected.ScopeMetrics {
		for _, m := range scope.Metrics {
			metrics[m.Name] = m.Data
		}
	}
	return metrics
}

// confirmWithALostAnswer confirms an order whose first answer is lost, and returns the
// spans of its requests and that of the call.
func confirmWithALostAnswer(t *testing.T) (o *observed, requests tracetest.SpanStubs, call tracetest.SpanStub) {
	t.Helper()
	o = observe(t)
	o.request = o.authenticate(tosstest.Checkout{OrderID: "order-0001"})
	o.server.Inject(tosstest.Fault{Operation: tosstest.ConfirmPayment, Kind: tosstest.Drop, AfterEffect: true})
	order := o.order()
	order.PaymentKey, order.IdempotencyKey = o.request.PaymentKey, "key-1"
	_, err := o.ConfirmTraced(o.ctx(), o.Telemetry, order)
	require.NoError(t, err)
	spans := o.spans.GetSpans()
	require.Greater(t, len(spans), 2)
	return o, spans[:len(spans)-1], spans[len(spans)-1]
}

func TestAConfirmIsASpan(t *testing.T) {
	_, requests, call := confirmWithALostAnswer(t)
	assert.Equal(t, "confirm", call.Name)
	assert.Contains(t, call.Attributes, attribute.String("toss.outcome", "paid"))
	for _, request := range requests {
		assert.Equal(t, call.SpanContext.SpanID(), request.Parent.SpanID())
		assert.False(t, request.StartTime.Before(call.StartTime.Add(-1e6)), "%s began before its call", request.Name)
	}
}

func TestRequestsAreSpansBelowIt(t *testing.T) {
	_, requests, _ := confirmWithALostAnswer(t)
	lost, found := requests[0], requests[len(requests)-1]
	assert.Equal(t, "confirm payment", lost.Name)
	assert.Equal(t, codes.Error, lost.Status.Code)
	assert.Contains(t, lost.Attributes, attribute.Int("toss.attempt", 1))
	assert.Contains(t, found.Attributes, attribute.Int("http.response.status_code", http.StatusOK))
	traceID := ""
	for _, a := range found.Attributes {
		if a.Key == "toss.trace_id" {
			traceID = a.Value.AsString()
		}
	}
	assert.NotEmpty(t, traceID)
}

func TestAConfirmIsCounted(t *testing.T) {
	o, spans, _ := confirmWithALostAnswer(t)
	metrics := o.metrics()
	calls := metrics["toss.calls"].(metricdata.Sum[int64]).DataPoints
	require.Len(t, calls, 1)
	assert.EqualValues(t, 1, calls[0].Value)
	outcome, _ := calls[0].Attributes.Value("toss.outcome")
	assert.Equal(t, "paid", outcome.AsString())
	var requests uint64
	for _, point := range metrics["toss.requests"].(metricdata.Histogram[float64]).DataPoints {
		requests += point.Count
		assert.False(t, point.Attributes.HasValue("toss.trace_id"), "a trace id makes a series of its own")
	}
	assert.EqualValues(t, len(spans), requests)
}

func TestTelemetryHoldsNoSecret(t *testing.T) {
	o := observe(t)
	o.request = o.authenticate(tosstest.Checkout{OrderID: "order-0001"})
	order := o.order()
	order.PaymentKey, order.IdempotencyKey = o.request.PaymentKey, "confirm-key-0001"
	confirmed, err := o.ConfirmTraced(o.ctx(), o.Telemetry, order)
	require.NoError(t, err)
	billing, err := o.Toss.IssueBillingKey(o.ctx(), o.server.Register(tosstest.Registration{CustomerKey: "customer-0001"}))
	require.NoError(t, err)
	charge := tosspayments.ChargeBillingRequest{OrderID: "order-0002", OrderName: "원두 구독", Amount: tosspayments.Won(9900)}
	_, err = o.Toss.ChargeBilling(o.ctx(), billing.BillingKey, charge)
	require.NoError(t, err)
	o.server.Inject(tosstest.Fault{Operation: tosstest.ChargeBilling, Kind: tosstest.Refuse, Code: tosspayments.ErrRejectCardPayment})
	charge.OrderID = "order-0003"
	_, err = o.Call(o.ctx(), "charge", func(ctx context.Context) (*tosspayments.Payment, error) {
		return o.Toss.ChargeBilling(ctx, billing.BillingKey, charge)
	})
	require.Error(t, err)
	account, err := o.Toss.IssueVirtualAccount(o.ctx(), tosspayments.IssueVirtualAccountRequest{
		OrderID: "order-0004", OrderName: "원두 1kg", Amount: tosspayments.Won(15000), CustomerName: "김토스", Bank: "20", ValidHours: 24,
	})
	require.NoError(t, err)
	require.NoError(t, o.server.Deposit("order-0004", tosspayments.Won(15000)))
	_, err = o.Toss.CancelPayment(o.ctx(), account.PaymentKey, tosspayments.CancelPaymentRequest{
		CancelReason:         "단순 변심",
		RefundReceiveAccount: &tosspayments.RefundReceiveAccount{Bank: "20", AccountNumber: tosspayments.NewSensitive("1002123456789"), HolderName: "김토스"},
	}, tosspayments.WithIdempotencyKey("refund-key-0001"))
	require.NoError(t, err)
	_, err = o.Toss.ListTransactions(o.ctx(), tosspayments.TransactionQuery{StartDate: time.Date(2021, 3, 4, 0, 0, 0, 0, time.UTC), EndDate: time.Date(2021, 3, 5, 0, 0, 0, 0, time.UTC)})
	require.NoError(t, err)

	exported, err := json.Marshal(o.spans.GetSpans())
	require.NoError(t, err)
	text := string(exported) + fmt.Sprintf("%+v", o.metrics())
	require.Contains(t, text, "REJECT_CARD_PAYMENT")
	for what, secret := range map[string]string{
		"secret key": tosstest.DefaultSecretKey, "secret of the payment": confirmed.Secret.Reveal(), "payment key": confirmed.PaymentKey,
		"billing key": billing.Key.Reveal(), "customer key": "customer-0001", "card": confirmed.Card.Number,
		"account": account.VirtualAccount.AccountNumber.Reveal(), "refund account": "1002123456789", "holder": "김토스",
		"order id": "order-000", "idempotency key": "confirm-key-0001", "key of the refund": "refund-key-0001", "name": "원두", "query": "2021-03", "path": "/v1/", "host": "127.0.0.1",
	} {
		require.NotEmpty(t, secret, what)
		assert.False(t, strings.Contains(text, secret), what) // without the whole text
	}
}
