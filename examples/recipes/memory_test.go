package recipes

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/examples/internal/shoptest"
	"github.com/seed238ab19c/tosspayments/tosstest"
	"github.com/seed238ab19c/tosspayments/webhook"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // recipes log what they record
	shoptest.Main(m)
}

// memory is a database in memory: orders and refunds, and what webhooks have left.
type memory struct {
	sync.Mutex
	orders  map[string]Order
	refunds map[string]Refund
	tasks   []string
	events  map[string]string
	ended   []string
	// again has the orders that an event was about, since the job last took them; woken
	// counts the events.
	again map[string]bool
	woken int
	// broken is what every write fails with.
	broken error
}

func newMemory() *memory {
	return &memory{orders: map[string]Order{}, refunds: map[string]Refund{}, again: map[string]bool{}, events: map[string]string{}}
}

var errChanged = errors.New("the order has changed since it was read")

func (m *memory) Create(_ context.Context, order Order) error {
	m.Lock()
	defer m.Unlock()
	if _, exists := m.orders[order.ID]; !exists && m.broken == nil {
		order.State = "new"
		m.orders[order.ID] = order
	}
	return m.broken
}

func (m *memory) Get(_ context.Context, id string) (Order, error) {
	m.Lock()
	defer m.Unlock()
	order, ok := m.orders[id]
	if !ok {
		return order, fmt.Errorf("no order %q", id)
	}
	return order, nil
}

func (m *memory) Claim(_ context.Context, order *Order) (bool, error) {
	m.Lock()
	defer m.Unlock()
	stored := m.orders[order.ID]
	if m.broken != nil || stored.State != "new" {
		return false, m.broken
	}
	stored.State, stored.LookAt = "confirming", time.Now().Add(time.Minute)
	stored.PaymentKey, stored.IdempotencyKey, stored.KeyID = order.PaymentKey, order.IdempotencyKey, order.KeyID
	stored.Version++
	m.orders[order.ID], *order = stored, stored
	return true, nil
}

func (m *memory) Save(ctx context.Context, order Order, task string) error {
	m.Lock()
	defer m.Unlock()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case m.broken != nil:
		return m.broken
	case m.orders[order.ID].Version != order.Version:
		return errChanged
	}
	order.Version++
	m.orders[order.ID] = order
	if task != "" {
		m.tasks = append(m.tasks, task)
	}
	return nil
}

func (m *memory) Wake(_ context.Context, id string) error {
	m.Lock()
	defer m.Unlock()
	return m.wake(id)
}

func (m *memory) wake(id string) error {
	order, ok := m.orders[id]
	if !ok || m.broken != nil {
		return errors.Join(m.broken, fmt.Errorf("no order %q", id))
	}
	m.woken++
	m.again[id] = order.State == "confirming" || order.State == "waiting" || order.State == "paid"
	return nil
}

func (m *memory) Due(context.Context) (orders []string, refunds []Refund, err error) {
	m.Lock()
	defer m.Unlock()
	soon := time.Now().Add(time.Minute)
	for id, order := range m.orders {
		due := !order.LookAt.IsZero() && !order.LookAt.After(time.Now())
		if due || m.again[id] && (order.LookAt.IsZero() || order.LookAt.After(soon)) {
			delete(m.again, id)
			order.LookAt = soon
			order.Version++ // of two that look, the later one records
			m.orders[id] = order
			orders = append(orders, id)
		}
	}
	for _, refund := range m.refunds {
		if refund.State == "pending" && !refund.NextAt.After(time.Now()) {
			refunds = append(refunds, refund)
		}
	}
	return orders, refunds, m.broken
}

func (m *memory) CreateRefund(_ context.Context, refund Refund) error {
	m.Lock()
	defer m.Unlock()
	for _, other := range m.refunds {
		if other.ID == refund.ID || other.OrderID == refund.OrderID && other.State == "pending" {
			return errors.New("another refund of the order is pending, or has this id")
		}
	}
	refund.NextAt = time.Now().Add(time.Minute)
	m.refunds[refund.ID] = refund
	return m.broken
}

func (m *memory) SaveRefund(ctx context.Context, refund Refund) error {
	m.Lock()
	defer m.Unlock()
	if err := errors.Join(ctx.Err(), m.broken); err != nil {
		return err
	}
	if m.refunds[refund.ID].State != "pending" {
		return nil
	}
	m.refunds[refund.ID] = refund
	if refund.State == "done" {
		return m.wake(refund.OrderID)
	}
	return nil
}

func (m *memory) Secret(_ context.Context, orderID string) (tosspayments.Sensitive, error) {
	m.Lock()
	defer m.Unlock()
	order, ok := m.orders[orderID]
	switch {
	case !ok:
		return tosspayments.Sensitive{}, webhook.ErrNotMine
	case order.Payment == nil:
		return tosspayments.Sensitive{}, nil
	}
	return order.Payment.Secret, nil
}

func (m *memory) Once(_ context.Context, identity string, body []byte) error {
	m.Lock()
	defer m.Unlock()
	if _, again := m.events[identity]; !again {
		m.events[identity] = string(body)
	}
	return m.broken
}

func (m *memory) CardEnded(_ context.Context, key tosspayments.Sensitive) error {
	m.Lock()
	defer m.Unlock()
	m.ended = append(m.ended, key.Reveal())
	return m.broken
}

// stand is a shop with an order, a server, and the buyer's way back from the window.
type stand struct {
	*Shop
	*memory
	t       *testing.T
	server  *tosstest.Server
	request tosspayments.ConfirmPaymentRequest
}

// quietly runs a test against a server without a network, in time that does not pass.
func quietly(t *testing.T, test func(*testing.T, *stand), opts ...tosstest.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, tosstest.New(opts...))
		s.request = s.authenticate(tosstest.Checkout{OrderID: "order-0001"})
		test(t, s)
	})
}

func newStand(t *testing.T, server *tosstest.Server) *stand {
	database := newMemory()
	return &stand{Shop: &Shop{Toss: server.Client(), Orders: database}, memory: database, t: t, server: server}
}

// authenticate stores an order of 15,000 won, and plays its buyer.
func (s *stand) authenticate(checkout tosstest.Checkout) tosspayments.ConfirmPaymentRequest {
	s.t.Helper()
	checkout.OrderName, checkout.Amount = "원두 1kg", tosspayments.Won(15000)
	require.NoError(s.t, s.Create(s.ctx(), Order{ID: checkout.OrderID, Name: checkout.OrderName, Amount: checkout.Amount}))
	request, err := s.server.Authenticate(checkout).ConfirmRequest(checkout.Amount)
	require.NoError(s.t, err)
	return request
}

// order is the order of the request, as it is stored.
func (s *stand) order() Order {
	s.t.Helper()
	order, err := s.Get(s.t.Context(), s.request.OrderID)
	require.NoError(s.t, err)
	return order
}

// confirm is what the handler does.
func (s *stand) confirm() {
	s.t.Helper()
	require.NoError(s.t, s.ConfirmOrder(s.ctx(), s.order(), s.request))
}

// runJob waits until the job is due, and runs it.
func (s *stand) runJob() {
	s.t.Helper()
	time.Sleep(time.Minute)
	require.NoError(s.t, s.Job(s.ctx()))
}

// ctx is as long as a handler's.
func (s *stand) ctx() context.Context {
	ctx, cancel := context.WithTimeout(s.t.Context(), 25*time.Second)
	s.t.Cleanup(cancel)
	return ctx
}

// breakDown loses every answer until the faults are cleared.
func breakDown(server *tosstest.Server, afterEffect bool) {
	for _, call := range []tosstest.Operation{tosstest.ConfirmPayment, tosstest.CancelPayment, tosstest.ChargeBilling, tosstest.IssueVirtualAccount} {
		server.Inject(tosstest.Fault{Operation: call, Kind: tosstest.Drop, AfterEffect: afterEffect, Times: 1000})
	}
	for _, read := range []tosstest.Operation{tosstest.GetPayment, tosstest.GetPaymentByOrderID} {
		server.Inject(tosstest.Fault{Operation: read, Kind: tosstest.BadGateway, Times: 1000})
	}
}
