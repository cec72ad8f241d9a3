package main

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/examples/internal/shoptest"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// buyer buys coffee, without a browser.
type buyer struct {
	*shoptest.Customer
	t *testing.T
}

func newBuyer(t *testing.T, shop string) *buyer { return &buyer{shoptest.NewCustomer(t, shop), t} }

// order stores an order of 15,000 won and returns its id.
func (b *buyer) order() string {
	b.t.Helper()
	led, err := b.Submit("/orders", url.Values{"quantity": {"1"}})
	require.NoError(b.t, err)
	return strings.Split(led, "/")[2]
}

// comeBack does what the success page does. A killed shop gives an error.
func (b *buyer) comeBack(redirect tosspayments.SuccessRedirect) (status int, err error) {
	return b.Post("/payment/confirm", redirect)
}

func (b *buyer) refund(id, balance, amount string) error {
	_, err := b.Submit("/orders/"+id+"/refund", url.Values{"balance": {balance}, "amount": {amount}})
	return err
}

// authenticate plays the buyer in the payment window.
func authenticate(toss *tosstest.Server, id string) tosspayments.SuccessRedirect {
	return toss.Authenticate(tosstest.Checkout{OrderID: id, OrderName: productName + " 1개", Amount: productPrice})
}

// instances are two shops with one database and one Toss Payments.
type instances struct {
	t                *testing.T
	toss             *tosstest.Server
	between          *shoptest.Between
	binary, database string
	// victim gets killed, other goes on.
	victim, other *shoptest.Process
}

func newInstances(t *testing.T, binary string) *instances {
	t.Helper()
	toss := tosstest.NewServer(t)
	i := &instances{t: t, toss: toss, between: shoptest.NewBetween(t, toss), binary: binary, database: shoptest.Database(t)}
	i.victim, i.other = i.start(), i.start()
	return i
}

func (i *instances) start() *shoptest.Process {
	i.t.Helper()
	return shoptest.Start(i.t, i.binary, nil, "-db", i.database, "-toss", i.between.URL, "-recovery", "200ms", "-poll", "1s")
}

// restart starts the victim again, and lets the buyer go on there or at the other.
func (i *instances) restart(buyer *buyer) {
	i.t.Helper()
	i.victim = i.start()
	buyer.Shop = i.victim.URL
}

// says waits until the page of an order says so, at both instances.
func (i *instances) says(buyer *buyer, id, text string) {
	i.t.Helper()
	assert.Eventually(i.t, func() bool { return strings.Contains(buyer.Page("/orders/"+id), text) }, time.Minute, 50*time.Millisecond, text)
	buyer.Shop = i.other.URL
	assert.Contains(i.t, buyer.Page("/orders/"+id), text)
}

// goods opens the books of the shop.
func (i *instances) goods(id string) (out, back int) {
	i.t.Helper()
	orders, err := openOrders(i.t.Context(), i.database)
	require.NoError(i.t, err)
	defer orders.close()
	out, back, err = orders.goods(i.t.Context(), id)
	require.NoError(i.t, err)
	return out, back
}

// TestKilled kills one of two shops at each point of a confirm, starts it again, and
// finds every order right and charged once.
func TestKilled(t *testing.T) {
	t.Parallel()
	binary := shoptest.Program(t)
	for _, point := range []string{"after the claim", "after the request has gone out", "before the record"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			i := newInstances(t, binary)
			buyer := newBuyer(t, i.victim.URL)
			id := buyer.order()
			redirect := authenticate(i.toss, id)

			killed, charged := make(chan struct{}), -1
			if point == "after the request has gone out" {
				// The answer is lost on its way: it arrives at nobody.
				i.toss.Inject(tosstest.Fault{Operation: tosstest.ConfirmPayment, Kind: tosstest.Drop, AfterEffect: true})
			}
			i.between.Once("/confirm", func(next func()) {
				defer close(killed)
				switch point {
				case "after the request has gone out":
					next()
				case "before the record":
					unlock := shoptest.Lock(t, i.database, "orders")
					next()
					// The answer has been written; the record waits for the lock.
					time.Sleep(300 * time.Millisecond)
					defer unlock()
				}
				charged = i.toss.Charges(id) // before the other shop goes on
				i.victim.Kill()
			})
			_, err := buyer.comeBack(redirect)
			require.Error(t, err)
			<-killed
			charges := 1
			if point == "after the claim" {
				charges = 0
			}
			assert.Equal(t, charges, charged, "when it was killed")

			i.restart(buyer)
			i.says(buyer, id, "결제가 완료됐어요")
			for _, shop := range []string{i.victim.URL, i.other.URL} {
				buyer.Shop = shop
				status, err := buyer.comeBack(redirect)
				require.NoError(t, err)
				assert.Equal(t, 200, status)
			}
			assert.Equal(t, 1, i.toss.Charges(id))
			out, back := i.goods(id)
			assert.Equal(t, [2]int{1, 0}, [2]int{out, back}, "the goods go out once")
		})
	}
}

// TestKilledWhileRefunding does the same with a partial refund.
func TestKilledWhileRefunding(t *testing.T) {
	t.Parallel()
	binary := shoptest.Program(t)
	for _, after := range []bool{false, true} {
		name := map[bool]string{false: "before the refund", true: "after the refund"}[after]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := newInstances(t, binary)
			buyer := newBuyer(t, i.victim.URL)
			id := buyer.order()
			_, err := buyer.comeBack(authenticate(i.toss, id))
			require.NoError(t, err)

			if after {
				i.toss.Inject(tosstest.Fault{Operation: tosstest.CancelPayment, Kind: tosstest.Drop, AfterEffect: true})
			}
			i.between.Once("/cancel", func(next func()) {
				if after {
					next()
				}
				i.victim.Kill()
			})
			require.Error(t, buyer.refund(id, "15000", "5000"))

			i.restart(buyer)
			i.says(buyer, id, "10,000원")
			assert.Equal(t, []tosspayments.Amount{tosspayments.Won(5000)}, i.toss.Refunds(id))
		})
	}
}

// TestKilledAroundADeposit kills one of two shops while an account is issued, and while
// the event of its deposit is worked on. Goods go out once.
func TestKilledAroundADeposit(t *testing.T) {
	t.Parallel()
	binary := shoptest.Program(t)
	for _, point := range []string{"while the account is issued", "while the event is worked on", "while the event is stored"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			i := newInstances(t, binary)
			buyer := newBuyer(t, i.victim.URL)
			id := buyer.order()
			redirect := i.toss.Authenticate(tosstest.Checkout{
				OrderID: id, OrderName: productName + " 1개", Amount: productPrice, Method: tosspayments.MethodVirtualAccount,
			})
			i.toss.RegisterWebhook(i.victim.URL + webhookPath)
			killed := make(chan struct{})
			kill := func() {
				i.victim.Kill()
				close(killed)
			}
			if point == "while the account is issued" {
				i.between.Once("/confirm", func(next func()) { next(); kill() })
				_, err := buyer.comeBack(redirect)
				require.Error(t, err)
			} else {
				_, err := buyer.comeBack(redirect)
				require.NoError(t, err)
			}
			if point == "while the event is worked on" {
				i.between.Once(redirect.PaymentKey, func(func()) { kill() })
			}
			var unlock func()
			if point == "while the event is stored" {
				unlock = shoptest.Lock(t, i.database, "orders")
				time.AfterFunc(300*time.Millisecond, kill)
			}
			require.NoError(t, i.toss.Deposit(id, productPrice))
			<-killed
			if unlock != nil {
				unlock()
			}

			i.restart(buyer)
			// The restarted shop has another address; the other one takes what is sent again.
			i.toss.RegisterWebhook(i.other.URL + webhookPath)
			i.says(buyer, id, "결제가 완료됐어요")
			for _, d := range i.toss.Deliveries() {
				assert.NoError(t, i.toss.ResendWebhook(d.ID))
			}
			i.toss.WaitWebhooks()
			out, back := i.goods(id)
			assert.Equal(t, [2]int{1, 0}, [2]int{out, back})
		})
	}
}
