package recipes

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed238ab19c/tosspayments"
)

// Telemetry makes spans and metrics of OpenTelemetry: of every request, and of calls with
// their outcome.
type Telemetry struct {
	tracer   trace.Tracer
	calls    metric.Int64Counter
	requests metric.Float64Histogram
}

// NewTelemetry takes otel.GetTracerProvider() and otel.GetMeterProvider(), or others.
func NewTelemetry(traces trace.TracerProvider, meters metric.MeterProvider) (*Telemetry, error) {
	meter := meters.Meter("tosspayments")
	calls, err := meter.Int64Counter("toss.calls", metric.WithDescription("Calls, by outcome."))
	if err != nil {
		return nil, err
	}
	requests, err := meter.Float64Histogram("toss.requests", metric.WithUnit("s"),
		metric.WithDescription("Requests, lookups and repeats included."),
		metric.WithExplicitBucketBoundaries(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 25, 60))
	return &Telemetry{tracer: traces.Tracer("tosspayments"), calls: calls, requests: requests}, err
}

// Request is the observer of a client. It knows the operation and the code of an answer,
// and no address: the path of a charge is the billing key.
func (t *Telemetry) Request(ctx context.Context, a tosspayments.Attempt) {
	labels := []attribute.KeyValue{
		attribute.String("toss.operation", a.Operation),
		attribute.Bool("toss.lookup", a.Lookup),
		attribute.Int("http.response.status_code", a.Status),
		attribute.String("toss.code", string(a.Code)),
	}
	t.requests.Record(ctx, a.Duration.Seconds(), metric.WithAttributes(labels...))
	_, span := t.tracer.Start(ctx, a.Operation, trace.WithSpanKind(trace.SpanKindClient),
		trace.WithTimestamp(time.Now().Add(-a.Duration)), trace.WithAttributes(labels...))
	// What differs each time belongs in traces only.
	span.SetAttributes(attribute.Int("toss.attempt", a.Number), attribute.String("toss.trace_id", a.TraceID))
	if a.Err != nil {
		span.SetStatus(codes.Error, "no answer")
	}
	span.End()
}

// Call makes one span of a call, with its requests below it, and counts how it has ended.
func (t *Telemetry) Call(ctx context.Context, name string, call func(context.Context) (*tosspayments.Payment, error)) (*tosspayments.Payment, error) {
	ctx, span := t.tracer.Start(ctx, name)
	defer span.End()
	payment, err := call(ctx)
	outcome := tosspayments.OutcomeOf(payment, err)
	labels := []attribute.KeyValue{
		attribute.String("toss.call", name),
		attribute.String("toss.outcome", outcome.String()),
		attribute.String("toss.code", string(tosspayments.CodeOf(err))),
	}
	t.calls.Add(ctx, 1, metric.WithAttributes(labels...))
	span.SetAttributes(labels...)
	if outcome == tosspayments.OutcomeUnknown || outcome == tosspayments.OutcomeMismatch {
		span.SetStatus(codes.Error, outcome.String())
	}
	return payment, err
}

// NewTracedClient is a client that is observed.
func NewTracedClient(secretKey string, t *Telemetry) (*tosspayments.Client, error) {
	return tosspayments.New(secretKey, tosspayments.WithObserver(t.Request))
}

// ConfirmTraced confirms an order under a span.
func (s *Shop) ConfirmTraced(ctx context.Context, t *Telemetry, order Order) (*tosspayments.Payment, error) {
	return t.Call(ctx, "confirm", func(ctx context.Context) (*tosspayments.Payment, error) {
		return s.Toss.ConfirmPayment(ctx, order.request(), tosspayments.WithIdempotencyKey(order.IdempotencyKey))
	})
}
