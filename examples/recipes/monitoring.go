package recipes

import (
	"context"
	"errors"
	"expvar"
	"log/slog"
	"net/http"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/seed238ab19c/tosspayments"
)

// tossRequests counts requests by call and by how they have ended; expvar shows them at
// /debug/vars.
var tossRequests = expvar.NewMap("toss_requests")

// Count is the observer of a client: it counts every request.
func Count(_ context.Context, a tosspayments.Attempt) {
	result := strconv.Itoa(a.Status)
	switch {
	case a.Err != nil:
		result = "no answer"
	case a.Code != "":
		result = string(a.Code)
	}
	call := a.Operation
	if a.Lookup {
		call += " (lookup)"
	}
	tossRequests.Add(call+": "+result, 1)
}

// NewMonitoredClient counts and logs what a client does.
func NewMonitoredClient(secretKey string, logger *slog.Logger) (*tosspayments.Client, error) {
	return tosspayments.New(secretKey, tosspayments.WithObserver(Count), tosspayments.WithLogger(logger))
}

// LogOutcome logs how the confirm of an order has ended, with what support asks for.
func LogOutcome(ctx context.Context, logger *slog.Logger, orderID string, response tosspayments.Response, outcome tosspayments.Outcome, err error) {
	level := slog.LevelInfo
	switch outcome {
	case tosspayments.OutcomeUnknown, tosspayments.OutcomeNotSent:
		level = slog.LevelWarn
	case tosspayments.OutcomeMismatch:
		level = slog.LevelError
	}
	logger.Log(ctx, level, "confirm", "order", orderID, "outcome", outcome, "code", tosspayments.CodeOf(err),
		"trace_id", response.TraceID, "attempts", response.Attempts, "looked_up", response.SettledByLookup, "error", err)
}

// ConfirmLogged confirms an order and logs how that has ended.
func (s *Shop) ConfirmLogged(ctx context.Context, logger *slog.Logger, order Order) (*tosspayments.Payment, error) {
	var response tosspayments.Response
	payment, err := s.Toss.ConfirmPayment(ctx, order.request(),
		tosspayments.WithIdempotencyKey(order.IdempotencyKey), tosspayments.WithResponse(&response))
	LogOutcome(ctx, logger, order.ID, response, tosspayments.OutcomeOf(payment, err), err)
	return payment, err
}

// Serve runs the shop until the process is told to stop, and lets what is under way come
// to its end.
func (s *Shop) Serve(ctx context.Context, handler http.Handler, address string) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	server := &http.Server{Addr: address, Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()

	var job sync.WaitGroup
	job.Go(func() { s.Jobs(ctx) })

	var err error
	select {
	case err = <-failed: // the port is taken, for instance
		stop() // the jobs, too
	case <-ctx.Done():
		// Longer than the 25 seconds of a confirm and the 5 of recording it.
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 35*time.Second)
		defer cancel()
		err = server.Shutdown(grace)
	}
	job.Wait()
	s.Toss.Close()
	return err
}

// Jobs runs the job every few seconds, until the context ends.
func (s *Shop) Jobs(ctx context.Context) {
	ticker := time.NewTicker(5 * time.Second)
	defer ticker.Stop()
	for {
		// A run that has begun ends by itself.
		run, cancel := context.WithTimeout(context.WithoutCancel(ctx), 25*time.Second)
		if err := s.Job(run); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			slog.ErrorContext(ctx, "the job failed", "error", err)
		}
		cancel()
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
