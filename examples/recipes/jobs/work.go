package jobs

import (
	"context"
	"log/slog"
	"net/http"
	"os/signal"
	"syscall"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/seed238ab19c/tosspayments/examples/recipes"
	"github.com/seed238ab19c/tosspayments/webhook"
)

// LookArgs is a look at an order. They hold ids only: River's tables and its page show
// them to everybody.
type LookArgs struct {
	OrderID string `json:"orderId"`
	Version int    `json:"version"`
}

// Kind names the job.
func (LookArgs) Kind() string { return "look" }

// RefundArgs is a run of a refund.
type RefundArgs struct {
	ID string `json:"id"`
}

// Kind names the job.
func (RefundArgs) Kind() string { return "refund" }

// WarehouseArgs is what the warehouse has to do: "release" or "stop".
type WarehouseArgs struct {
	OrderID string `json:"orderId"`
	Task    string `json:"task"`
}

// Kind names the job.
func (WarehouseArgs) Kind() string { return "warehouse" }

// EventArgs is the work on a signed event.
type EventArgs struct {
	Identity string `json:"identity"`
}

// Kind names the job.
func (EventArgs) Kind() string { return "event" }

// PlanArgs writes the charges that have become due.
type PlanArgs struct{}

// Kind names the job.
func (PlanArgs) Kind() string { return "plan" }

// ChargeArgs is an attempt of a charge.
type ChargeArgs struct {
	Subscription string `json:"subscription"`
	Period       string `json:"period"`
	Version      int    `json:"version"`
}

// Kind names the job.
func (ChargeArgs) Kind() string { return "charge" }

// InsertOpts puts charges into a queue of their own, so that a month's charges do not
// hold up a buyer's confirm.
func (ChargeArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: "charges"} }

// Shop is what the jobs work with.
type Shop struct {
	*recipes.Shop
	Database *Database
	// Secret opens the billing keys.
	Secret []byte
	// Warehouse and Event may be called more than once for the same task or event.
	Warehouse func(ctx context.Context, orderID, task string) error
	Event     func(context.Context, *webhook.Event) error
}

// Look settles an order, unless it has changed since the job was enqueued: whoever has
// changed it has enqueued what comes next.
func (s *Shop) Look(ctx context.Context, job *river.Job[LookArgs]) error {
	begun, err := s.Database.begin(ctx, job.Args)
	if err != nil || !begun {
		return err
	}
	return s.Settle(ctx, job.Args.OrderID)
}

// Refund runs a refund that is still pending.
func (s *Shop) Refund(ctx context.Context, job *river.Job[RefundArgs]) error {
	refund, err := s.Database.refund(ctx, job.Args.ID)
	if err != nil || refund.State != "pending" {
		return err
	}
	return s.RunRefund(ctx, refund)
}

// Charge makes the charge of a row, unless it has changed since the job was enqueued.
func (s *Shop) Charge(ctx context.Context, job *river.Job[ChargeArgs]) error {
	row, sealed, err := s.Database.claimCharge(ctx, job.Args)
	if err != nil || row == nil {
		return err
	}
	key, err := recipes.OpenBillingKey(s.Secret, row.Subscription, sealed)
	if err != nil {
		return err
	}
	if err := s.RunCharge(ctx, key, row); err != nil {
		slog.WarnContext(ctx, "charge", "subscription", row.Subscription, "period", row.Period, "state", row.State, "error", err)
	}
	return s.Database.saveCharge(ctx, job.Args, row)
}

// event works on a signed event.
func (s *Shop) event(ctx context.Context, job *river.Job[EventArgs]) error {
	var body []byte
	if err := s.Database.Pool.QueryRow(ctx, `SELECT body FROM events WHERE identity = $1`, job.Args.Identity).Scan(&body); err != nil {
		return err
	}
	event, err := webhook.Parse(body)
	if err != nil {
		return river.JobCancel(err) // no attempt will read it
	}
	return s.Event(ctx, event)
}

// Config is that of a client that works on the jobs. Any number of processes may have one.
func (s *Shop) Config() *river.Config {
	workers := river.NewWorkers()
	river.AddWorker(workers, river.WorkFunc(s.Look))
	river.AddWorker(workers, river.WorkFunc(s.Refund))
	river.AddWorker(workers, river.WorkFunc(s.Charge))
	river.AddWorker(workers, river.WorkFunc(s.event))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[WarehouseArgs]) error {
		return s.Warehouse(ctx, job.Args.OrderID, job.Args.Task)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[PlanArgs]) error {
		return s.Database.Plan(ctx)
	}))
	plan := river.NewPeriodicJob(river.PeriodicInterval(time.Hour),
		func() (river.JobArgs, *river.InsertOpts) { return PlanArgs{}, nil }, &river.PeriodicJobOpts{RunOnStart: true})
	return &river.Config{
		Workers:      workers,
		Queues:       map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 20}, "charges": {MaxWorkers: 4}},
		PeriodicJobs: []*river.PeriodicJob{plan},
		// The call of a job that takes longer is cut off: it is unknown, and looked at again.
		JobTimeout: 45 * time.Second,
		// Jobs of a process that was killed are run again: later than any that still runs.
		RescueStuckJobsAfter: 2 * time.Minute,
		// When the process is to stop, running jobs have this long before they are cut off:
		// ten seconds less than it may take, for a last lookup and the record.
		SoftStopTimeout: 25 * time.Second,
	}
}

// Serve sells and works until the process is told to stop. Then it takes no more requests
// and jobs, and waits for those that run.
func (s *Shop) Serve(ctx context.Context, server *http.Server, config *river.Config) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	workers, err := river.NewClient(riverpgxv5.New(s.Database.Pool), config)
	if err != nil {
		return err
	}
	if err := workers.Start(ctx); err != nil { // stops when the context ends
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	select {
	case err = <-failed: // the port is taken, for instance
		stop()
	case <-ctx.Done():
		// Longer than the 25 seconds of a confirm and the 5 of recording it.
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 35*time.Second)
		defer cancel()
		err = server.Shutdown(grace)
	}
	<-workers.Stopped()
	s.Toss.Close()
	return err
}
