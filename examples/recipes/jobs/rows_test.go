package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/examples/recipes"
	"github.com/seed238ab19c/tosspayments/tosstest"
	"github.com/seed238ab19c/tosspayments/webhook"
)

func (s *stand) state(id string) string {
	s.t.Helper()
	order, err := s.Orders.Get(s.t.Context(), id)
	require.NoError(s.t, err)
	return order.State
}

func (s *stand) jobs(kind string) int {
	s.t.Helper()
	return s.count(`SELECT count(*) FROM river_job WHERE kind = $1`, kind)
}

// look runs a look that was enqueued with a version.
func (s *stand) look(ctx context.Context, id string, version int) error {
	return s.Look(ctx, &river.Job[LookArgs]{Args: LookArgs{id, version}})
}

// away loses every answer until the faults are cleared, and lets nobody look.
func (s *stand) away(operation tosstest.Operation) {
	s.toss.Inject(tosstest.Fault{Operation: operation, Kind: tosstest.Drop, AfterEffect: true, Times: 100},
		tosstest.Fault{Kind: tosstest.Refuse, Code: tosspayments.ErrForbiddenRequest, Unstored: true, Times: 100})
}

func TestARowAndItsJobAreWrittenTogether(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	s.claim("order-0001")
	assert.Equal(t, "confirming", s.state("order-0001"))
	assert.Equal(t, 1, s.jobs("look"))

	again, err := s.Orders.Get(t.Context(), "order-0001")
	require.NoError(t, err)
	claimed, err := s.Orders.Claim(t.Context(), &again)
	require.NoError(t, err)
	assert.False(t, claimed)
	assert.Equal(t, 1, s.jobs("look"))
}

// Toss Payments is away: the order stays open, with its next look.
func TestALookThatNobodyAnswersIsFollowedByAnother(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	s.claim("order-0001")
	order, err := s.Orders.Get(t.Context(), "order-0001")
	require.NoError(t, err)
	s.away(tosstest.ConfirmPayment)
	require.NoError(t, s.look(t.Context(), "order-0001", order.Version))
	assert.Equal(t, "confirming", s.state("order-0001"))
	assert.Equal(t, 2, s.jobs("look"))
	s.toss.ClearFaults()
	require.NoError(t, s.look(t.Context(), "order-0001", order.Version), "a look of an older version")
	assert.Equal(t, "confirming", s.state("order-0001"))
	require.NoError(t, s.look(t.Context(), "order-0001", order.Version+1))
	assert.Equal(t, "paid", s.state("order-0001"))
	assert.Equal(t, 2, s.jobs("look"), "nothing is left to be looked at")
	assert.Equal(t, 1, s.jobs("warehouse"))
}

// What was seen of an order that has changed meanwhile is not recorded, and may be newer than
// what was: the order is looked at once more.
func TestWhatMeetsAChangedOrderIsLookedAtAgain(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	s.claim("order-0001")
	old, err := s.Orders.Get(t.Context(), "order-0001")
	require.NoError(t, err)
	require.NoError(t, s.look(t.Context(), "order-0001", old.Version))
	old.State = "waiting"
	require.NoError(t, s.Orders.Save(t.Context(), old, "release"))
	assert.Equal(t, "paid", s.state("order-0001"))
	assert.Equal(t, 1, s.jobs("warehouse"))
	assert.Equal(t, 1, s.soon("order-0001", old.Version+1))
}

// events are many, each of which anybody may have sent.
func (s *stand) events(id string) {
	s.t.Helper()
	for range 20 {
		require.NoError(s.t, s.Database.Wake(s.t.Context(), id))
	}
}

// soon counts the looks at a version of an order that are enqueued for the next ten seconds.
func (s *stand) soon(id string, version int) int {
	s.t.Helper()
	return s.count(`SELECT count(*) FROM river_job WHERE kind = 'look' AND args->>'orderId' = $1 AND (args->>'version')::int = $2
		AND scheduled_at <= now() + interval '10 seconds'`, id, version)
}

func TestAnyNumberOfEventsCauseOneLookInTenSeconds(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	s.account("order-0001")
	s.events("order-0001")
	require.Error(t, s.Database.Wake(t.Context(), "no-such-order"))
	assert.Equal(t, 1, s.soon("order-0001", 1), "at once")
	require.NoError(t, s.look(t.Context(), "order-0001", 1))
	s.events("order-0001")
	assert.Equal(t, 1, s.soon("order-0001", 2))
	assert.Equal(t, 1, s.count(`SELECT count(*) FROM river_job WHERE scheduled_at BETWEEN now() + interval '5 seconds' AND now() + interval '10 seconds'`))
	assert.Equal(t, 1, s.toss.Calls(tosstest.GetPayment))
}

// Events that come while an order is looked at void nothing: what was seen is recorded,
// and looked at once more.
func TestEventsDuringALook(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	s.account("order-0001")
	require.NoError(t, s.toss.Deposit("order-0001", tosspayments.Won(15000)))
	gate := s.toss.Gate(tosstest.Fault{Operation: tosstest.GetPayment})
	looked := make(chan error, 1)
	go func() { looked <- s.look(t.Context(), "order-0001", 1) }()
	<-gate.Arrived()
	s.events("order-0001")
	gate.Open()
	require.NoError(t, <-looked)
	assert.Equal(t, "paid", s.state("order-0001"))
	assert.Equal(t, 1, s.soon("order-0001", 2))

	require.NoError(t, s.look(t.Context(), "order-0001", 2))
	assert.Zero(t, s.soon("order-0001", 3), "nothing has happened since")
}

func TestSignedEventsAreWorkedOnOnce(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	receiver, err := recipes.Receiver(s.Database, tosstest.DefaultSecurityKey)
	require.NoError(t, err)
	s.toss.RegisterWebhookHandler(receiver)
	s.toss.InjectWebhook(tosstest.WebhookFault{Kind: tosstest.DuplicateWebhook})
	s.toss.SendWebhook(webhook.PayoutChanged, map[string]any{"id": "FPA_1", "refPayoutId": "payout-1", "status": "COMPLETED"})
	s.toss.WaitWebhooks()
	require.Equal(t, 1, s.jobs("event"))
	var identity string
	require.NoError(t, s.Database.Pool.QueryRow(t.Context(), `SELECT args->>'identity' FROM river_job`).Scan(&identity))
	job := &river.Job[EventArgs]{Args: EventArgs{identity}}
	require.NoError(t, s.event(t.Context(), job))
	assert.Equal(t, 1, s.count(`SELECT count(*) FROM shipments WHERE task = 'event'`))
	s.exec(`UPDATE events SET body = 'x'`)
	require.ErrorAs(t, s.event(t.Context(), job), new(*river.JobCancelError))
}

// charge runs the job that charges a period, of the version of its row.
func (s *stand) charge(ctx context.Context, subscription, period string, version int) error {
	return s.Charge(ctx, &river.Job[ChargeArgs]{Args: ChargeArgs{subscription, period, version}})
}

// charges counts the rows of a subscription in this state.
func (s *stand) charges(subscription, state string) int {
	s.t.Helper()
	return s.count(`SELECT count(*) FROM charges WHERE subscription = $1 AND state = $2`, subscription, state)
}

func TestMonthsAreChargedByTheCalendar(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	periods := s.subscribe("good", 3, "")
	for range 2 {
		require.NoError(t, s.Database.Plan(t.Context()))
	}
	require.Equal(t, len(periods), s.jobs("charge"))
	for _, period := range periods {
		require.NoError(t, s.charge(t.Context(), "good", period, 0))
		require.NoError(t, s.charge(t.Context(), "good", period, 0), "again")
		assert.Equal(t, 1, s.toss.Charges("good-"+period+"-0"))
	}
	assert.Equal(t, len(periods), s.jobs("charge"))
}

func TestMonthsThatAreRefused(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	s.subscribe("poor", 0, tosspayments.ErrRejectCardPayment)
	month := s.subscribe("ended", 0, tosspayments.ErrInvalidStoppedCard)[0]
	require.NoError(t, s.Database.Plan(t.Context()))
	var refused sync.WaitGroup // a refusal is believed after two reads, a second apart
	for _, id := range []string{"poor", "ended"} {
		refused.Go(func() { assert.NoError(t, s.charge(t.Context(), id, month, 0)) })
	}
	refused.Wait()
	assert.Equal(t, 1, s.charges("ended", "card"))
	assert.Equal(t, 1, s.count(`SELECT count(*) FROM river_job WHERE kind = 'charge' AND args->>'subscription' = 'poor'
		AND args->>'version' = '1' AND queue = 'charges' AND scheduled_at BETWEEN now() + interval '23 hours' AND now() + interval '25 hours'`))
	assert.Equal(t, 3, s.jobs("charge"), "the poor one is charged again")
}

// A charge whose outcome is unknown is run again, and is the same charge.
func TestMonthsThatAreUnknown(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	month := s.subscribe("slow", 0, "")[0]
	require.NoError(t, s.Database.Plan(t.Context()))
	s.away(tosstest.ChargeBilling)
	require.NoError(t, s.charge(t.Context(), "slow", month, 0))
	assert.Equal(t, 1, s.charges("slow", "charging"))
	s.toss.ClearFaults()
	require.NoError(t, s.charge(t.Context(), "slow", month, 1))
	assert.Equal(t, 1, s.charges("slow", "paid"))
	assert.Equal(t, 1, s.toss.Charges("slow-"+month+"-0"))
}

func TestRefundsAreFinished(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	request := s.claim("order-0001")
	require.NoError(t, s.look(t.Context(), "order-0001", 1))
	order, err := s.Orders.Get(t.Context(), "order-0001")
	require.NoError(t, err)
	payment := s.toss.Gate(tosstest.Fault{Operation: tosstest.GetPayment})
	payment.Open() // RefundPart reads first
	s.away(tosstest.CancelPayment)
	require.NoError(t, s.RefundPart(t.Context(), order, "form-1", tosspayments.Won(5000), "변심"))
	require.Error(t, s.RefundPart(t.Context(), order, "form-2", tosspayments.Won(5000), "변심"), "one at a time")
	require.Equal(t, 2, s.jobs("refund"))
	s.toss.ClearFaults()
	var id string
	require.NoError(t, s.Database.Pool.QueryRow(t.Context(), `SELECT id FROM refunds`).Scan(&id))
	for range 2 {
		require.NoError(t, s.Refund(t.Context(), &river.Job[RefundArgs]{Args: RefundArgs{id}}))
	}
	assert.Equal(t, []tosspayments.Amount{tosspayments.Won(5000)}, s.toss.Refunds(request.OrderID))
	assert.Equal(t, 2, s.jobs("refund"))
	require.NoError(t, s.look(t.Context(), "order-0001", 2))
	order, err = s.Orders.Get(t.Context(), "order-0001")
	require.NoError(t, err)
	assert.Equal(t, tosspayments.Won(10000), order.Payment.Cancelable())
}

// A process that is told to stop takes no more requests, and finishes its confirm and its
// job.
func TestServeFinishesWhatRuns(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	s.claim("order-0001")
	request := s.order("order-0002")
	job := s.toss.Gate(tosstest.Fault{Operation: tosstest.ConfirmPayment, OrderID: "order-0001"})
	page := s.toss.Gate(tosstest.Fault{Operation: tosstest.ConfirmPayment, OrderID: "order-0002"})
	worker := s.start()
	require.Eventually(t, func() bool { return worker.address.Line() != "" }, 30*time.Second, 10*time.Millisecond)
	address := worker.address.Line()
	listens := func() bool {
		connection, err := net.Dial("tcp", address)
		if err == nil {
			_ = connection.Close()
		}
		return err == nil
	}
	s.pass()
	<-job.Arrived()
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	success := fmt.Sprintf("http://%s/success?paymentKey=%s&orderId=%s&amount=%s", address, request.PaymentKey, request.OrderID, request.Amount)
	status := make(chan int, 1)
	go func() {
		response, err := browser.Get(success)
		if !assert.NoError(t, err) {
			status <- 0
			return
		}
		response.Body.Close()
		status <- response.StatusCode
	}()
	select {
	case <-page.Arrived():
	case code := <-status:
		require.Failf(t, "the page did not confirm", "status %d", code)
	}

	require.NoError(t, worker.Process.Signal(syscall.SIGTERM))
	require.Eventually(t, func() bool { return !listens() }, 30*time.Second, 10*time.Millisecond)
	job.Open()
	page.Open()
	assert.Equal(t, http.StatusSeeOther, <-status)
	require.NoError(t, worker.Wait())
	for _, id := range []string{"order-0001", "order-0002"} {
		assert.Equal(t, "paid", s.state(id), id)
	}
	assert.Zero(t, s.count(`SELECT count(*) FROM river_job WHERE kind = 'look' AND state = 'running'`))
}

// A job that takes longer than the process may wait is cut off, and its order looked at
// again.
func TestServePutsBackWhatTakesLong(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	s.claim("order-0001")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = taken.Close() }()
	config := s.Config()
	config.Logger = slog.New(slog.DiscardHandler)
	config.SoftStopTimeout = 50 * time.Millisecond
	require.Error(t, s.Serve(t.Context(), &http.Server{Addr: taken.Addr().String()}, config))

	gate := s.toss.Gate(tosstest.Fault{Operation: tosstest.ConfirmPayment})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Serve(ctx, &http.Server{Addr: "127.0.0.1:0"}, config) }()
	s.pass()
	<-gate.Arrived()
	stop()
	require.NoError(t, <-ended)
	assert.Equal(t, "confirming", s.state("order-0001"))
	assert.Equal(t, 1, s.count(`SELECT count(*) FROM river_job WHERE kind = 'look' AND state IN ('available', 'scheduled', 'retryable')`))
}
