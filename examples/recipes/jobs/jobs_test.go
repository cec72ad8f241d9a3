package jobs

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/examples/internal/shoptest"
	"github.com/seed238ab19c/tosspayments/examples/recipes"
	"github.com/seed238ab19c/tosspayments/tosstest"
	"github.com/seed238ab19c/tosspayments/webhook"
)

var secret = []byte("0123456789abcdef0123456789abcdef")

// TestMain is also the program of a worker, which the tests start and kill.
func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	if toss := os.Getenv("WORK_WITH"); toss != "" {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(1) // the test has gone
		}()
		if err := work(toss, os.Getenv("DATABASE_URL")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// work is the main of a worker.
func work(toss, address string) error {
	database, err := Open(context.Background(), address)
	if err != nil {
		return err
	}
	defer database.Pool.Close()
	client, err := tosspayments.New(tosstest.DefaultSecretKey, tosspayments.WithBaseURL(toss))
	if err != nil {
		return err
	}
	shop := newShop(client, database)
	config := shop.Config()
	config.ID = os.Getenv("WORKER_ID")
	config.Logger = slog.New(slog.DiscardHandler)
	config.FetchCooldown, config.FetchPollInterval = 10*time.Millisecond, 50*time.Millisecond
	mux := http.NewServeMux()
	mux.HandleFunc("GET /success", shop.Success)
	server := &http.Server{Addr: "127.0.0.1:0", Handler: mux, BaseContext: func(listener net.Listener) context.Context {
		fmt.Println(listener.Addr())
		return context.Background()
	}}
	return shop.Serve(context.Background(), server, config)
}

func newShop(client *tosspayments.Client, database *Database) *Shop {
	return &Shop{
		Shop:     &recipes.Shop{Toss: client, Orders: database},
		Database: database,
		Secret:   secret,
		Warehouse: func(ctx context.Context, orderID, task string) error {
			_, err := database.Pool.Exec(ctx, `INSERT INTO shipments VALUES ($1, $2) ON CONFLICT DO NOTHING`, orderID, task)
			return err
		},
		Event: func(ctx context.Context, event *webhook.Event) error {
			_, err := database.Pool.Exec(ctx, `INSERT INTO shipments VALUES ($1, 'event') ON CONFLICT DO NOTHING`, event.Identity())
			return err
		},
	}
}

// stand is a database with a shop, and a Toss Payments.
type stand struct {
	*Shop
	t       *testing.T
	toss    *tosstest.Server
	address string
	workers int
	// dead are the workers that were killed.
	dead []string
}

func newStand(t *testing.T) *stand {
	t.Helper()
	if os.Getenv("DATABASE_URL") == "" {
		t.Skip("River needs PostgreSQL: set DATABASE_URL")
	}
	address := shoptest.Database(t)
	database, err := Open(t.Context(), address)
	require.NoError(t, err)
	t.Cleanup(database.Pool.Close)
	require.NoError(t, Migrate(t.Context(), database.Pool))
	_, err = database.Pool.Exec(t.Context(), `CREATE TABLE shipments (order_id TEXT, task TEXT, PRIMARY KEY (order_id, task))`)
	require.NoError(t, err)
	toss := tosstest.NewServer(t)
	return &stand{Shop: newShop(toss.Client(tosspayments.WithMaxRetries(0)), database), t: t, toss: toss, address: address, dead: []string{}}
}

// worker is a process that works on the jobs.
type worker struct {
	*exec.Cmd
	id string
	// address is a line with where it listens, once it does.
	address, complain *shoptest.Buffer
}

func (s *stand) start() *worker {
	s.t.Helper()
	s.workers++
	w := &worker{id: fmt.Sprintf("worker-%d", s.workers), address: new(shoptest.Buffer), complain: new(shoptest.Buffer)}
	w.Cmd = exec.Command(os.Args[0])
	w.Env = append(os.Environ(), "WORK_WITH="+s.toss.URL, "DATABASE_URL="+s.address, "WORKER_ID="+w.id)
	w.Stdout, w.Stderr = w.address, w.complain
	_, err := w.StdinPipe()
	require.NoError(s.t, err)
	require.NoError(s.t, w.Start())
	s.t.Cleanup(func() { s.kill(w) })
	return w
}

func (s *stand) kill(w *worker) {
	_ = w.Process.Kill()
	_ = w.Wait()
	s.dead = append(s.dead, w.id)
	assert.Empty(s.t, w.complain.String())
}

// pass lets time pass for the jobs: what is scheduled is due, and what a killed worker
// had begun, or had to lead, goes to others. River waits for RescueStuckJobsAfter, and 15
// seconds for another leader.
func (s *stand) pass() {
	s.t.Helper()
	s.exec(`UPDATE river_job SET state = 'available', scheduled_at = now() WHERE state IN ('scheduled', 'retryable')
		OR state = 'running' AND attempted_by[array_length(attempted_by, 1)] = ANY($1)`, s.dead)
	s.exec(`DELETE FROM river_leader WHERE leader_id = ANY($1)`, s.dead)
}

func (s *stand) exec(statement string, arguments ...any) {
	s.t.Helper()
	_, err := s.Database.Pool.Exec(s.t.Context(), statement, arguments...)
	require.NoError(s.t, err)
}

func (s *stand) count(query string, arguments ...any) (n int) {
	s.t.Helper()
	require.NoError(s.t, s.Database.Pool.QueryRow(s.t.Context(), query, arguments...).Scan(&n))
	return n
}

// finish waits until so many charges are planned and nothing is left to be done, in a
// time that passes quickly.
func (s *stand) finish(charges int) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		s.pass()
		return s.count(`SELECT count(*) FROM charges`) >= charges &&
			s.count(`SELECT count(*) FROM river_job WHERE finalized_at IS NULL`) == 0
	}, 30*time.Second, 50*time.Millisecond)
}

// order stores an order of 15,000 won whose buyer is back.
func (s *stand) order(id string) tosspayments.ConfirmPaymentRequest {
	s.t.Helper()
	checkout := tosstest.Checkout{OrderID: id, OrderName: "원두 1kg", Amount: tosspayments.Won(15000)}
	require.NoError(s.t, s.Orders.Create(s.t.Context(), recipes.Order{ID: id, Name: checkout.OrderName, Amount: checkout.Amount}))
	request, err := s.toss.Authenticate(checkout).ConfirmRequest(checkout.Amount)
	require.NoError(s.t, err)
	return request
}

// claim stores an order and claims it, as a process does that dies then.
func (s *stand) claim(id string) tosspayments.ConfirmPaymentRequest {
	s.t.Helper()
	request := s.order(id)
	order, err := s.Orders.Get(s.t.Context(), id)
	require.NoError(s.t, err)
	order.PaymentKey, order.IdempotencyKey, order.KeyID = request.PaymentKey, "confirm-"+id, s.Toss.KeyID()
	claimed, err := s.Orders.Claim(s.t.Context(), &order)
	require.NoError(s.t, err)
	require.True(s.t, claimed)
	return request
}

// account stores an order with a virtual account that is not paid yet.
func (s *stand) account(id string) {
	s.t.Helper()
	order := recipes.Order{ID: id, Name: "원두 1kg", Amount: tosspayments.Won(15000)}
	require.NoError(s.t, s.Orders.Create(s.t.Context(), order))
	require.NoError(s.t, s.Account(s.t.Context(), order, "20", "김토스"))
}

// subscribe stores a subscription of 9,900 won that began so many months ago.
func (s *stand) subscribe(id string, months int, refusal tosspayments.ErrorCode) (periods []string) {
	s.t.Helper()
	billing, err := s.Toss.IssueBillingKey(s.t.Context(), s.toss.Register(tosstest.Registration{CustomerKey: "customer-" + id, Refusal: refusal}))
	require.NoError(s.t, err)
	now := time.Now().In(time.FixedZone("KST", 9*60*60))
	begins := time.Date(now.Year(), now.Month()-time.Month(months), 1, 0, 0, 0, 0, time.UTC)
	require.NoError(s.t, s.Database.Subscribe(s.t.Context(), secret, id, tosspayments.Won(9900), begins, billing.BillingKey))
	for i := range months + 1 {
		periods = append(periods, begins.AddDate(0, i, 0).Format("2006-01"))
	}
	return periods
}

// killOne waits until a worker is in the middle of a look or a charge, kills it, and
// starts another one.
func (s *stand) killOne(workers map[string]*worker) {
	s.t.Helper()
	var id string
	require.Eventually(s.t, func() bool {
		s.pass()
		return s.Database.Pool.QueryRow(s.t.Context(), `SELECT attempted_by[array_length(attempted_by, 1)] FROM river_job
			WHERE state = 'running' AND kind IN ('look', 'charge') AND attempted_by[array_length(attempted_by, 1)] <> ALL($1) ORDER BY random() LIMIT 1`, s.dead).Scan(&id) == nil
	}, 20*time.Second, 5*time.Millisecond)
	s.kill(workers[id])
	delete(workers, id)
	other := s.start()
	workers[other.id] = other
}

// Two processes work, and one after the other is killed in the middle of confirms,
// events and charges. All that was begun is finished, and nothing is paid twice.
func TestKilledWorkers(t *testing.T) {
	if testing.Short() {
		t.Skip("processes of their own take long")
	}
	t.Parallel()
	s := newStand(t)
	receiver, err := recipes.Receiver(s.Database, tosstest.DefaultSecurityKey)
	require.NoError(t, err)
	receiver.Logger = nil
	s.toss.RegisterWebhookHandler(receiver)
	for _, operation := range []tosstest.Operation{tosstest.ConfirmPayment, tosstest.ChargeBilling} {
		s.toss.Inject(
			tosstest.Fault{Operation: operation, Kind: tosstest.Drop, AfterEffect: true, Times: 3},
			tosstest.Fault{Operation: operation, Kind: tosstest.Delay, AfterEffect: true, Delay: 50 * time.Millisecond, Times: 1000},
		)
	}
	var months, orders []string
	for i := range 4 {
		id := fmt.Sprintf("subscription%d", i)
		for _, period := range s.subscribe(id, 2, "") {
			months = append(months, id+"-"+period+"-0")
		}
	}
	workers := map[string]*worker{}
	for range 2 {
		w := s.start()
		workers[w.id] = w
	}
	for round := range 6 {
		for i := range 4 {
			id := fmt.Sprintf("confirm-%d-%d", round, i)
			s.claim(id)
			orders = append(orders, id)
		}
		id := fmt.Sprintf("account-%d", round)
		s.account(id)
		orders = append(orders, id)
		require.NoError(t, s.toss.Deposit(id, tosspayments.Won(15000)))
		s.killOne(workers)
	}
	s.toss.WaitWebhooks()
	s.finish(len(months))

	for _, order := range append(orders, months...) {
		assert.Equal(t, 1, s.toss.Charges(order), order)
	}
	assert.Len(t, s.toss.Ledger(), len(orders)+len(months))
	for query, want := range map[string]int{
		`SELECT count(*) FROM orders WHERE state = 'paid'`:          len(orders),
		`SELECT count(*) FROM shipments WHERE task = 'release'`:     len(orders),
		`SELECT count(*) FROM charges WHERE state = 'paid'`:         len(months),
		`SELECT count(*) FROM river_job WHERE state <> 'completed'`: 0,
	} {
		assert.Equal(t, want, s.count(query), query)
	}
	assert.GreaterOrEqual(t, s.count(`SELECT count(*) FROM river_job WHERE cardinality(attempted_by) > 1`), 3, "nobody was killed at work")
}
