package main

import (
	"net/url"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/examples/internal/shoptest"
	"github.com/seed238ab19c/tosspayments/tosstest"
	"github.com/seed238ab19c/tosspayments/webhook"
)

// instance is the marketplace as a program of its own, with its own way to Toss Payments.
type instance struct {
	*shoptest.Process
	*shoptest.Customer
	between *shoptest.Between
}

// crash is two instances on one database, of which one is killed again and again.
type crash struct {
	*stand
	binary string
	both   [2]*instance
}

func (c *crash) start(i int) {
	c.t.Helper()
	x := &instance{between: shoptest.NewBetween(c.t, c.toss)}
	x.Process = shoptest.Start(c.t, c.binary, []string{"TOSS_SECURITY_KEY=" + tosstest.DefaultSecurityKey},
		"-db", c.database, "-toss", x.between.URL, "-interval", "50ms", "-again", "100ms")
	x.Customer = shoptest.NewCustomer(c.t, x.URL)
	c.both[i] = x
	c.toss.RegisterWebhook(x.URL+webhookPath, webhook.PayoutChanged, webhook.SellerChanged)
}

// step is a request to Toss Payments, and what is recorded of it.
type step struct {
	suffix, table string
	operation     tosstest.Operation
	// lead makes the first instance send the request, or lets one of them do it by itself. It
	// may fail, since that one is killed.
	lead func(*instance) error
}

// kill kills the instance that is the first to send the request of a step, and starts it again
// when the other one has settled everything.
func (c *crash) kill(s *step, point string) {
	c.t.Helper()
	var done atomic.Bool
	killed := make(chan int, 1)
	arm := func(i int) {
		x := c.both[i]
		x.between.Once(s.suffix, func(next func()) {
			if !done.CompareAndSwap(false, true) {
				next()
				return
			}
			unlock := func() {}
			switch point {
			case "after the request":
				c.toss.Inject(tosstest.Fault{Operation: s.operation, Kind: tosstest.Drop, AfterEffect: true})
				next()
			case "before the record":
				unlock = shoptest.Lock(c.t, c.database, s.table)
				next()
				// The answer has been written; the record waits for the lock.
				time.Sleep(300 * time.Millisecond)
			}
			x.Kill()
			unlock()
			killed <- i
		})
	}
	arm(0)
	arm(1)
	_ = s.lead(c.both[0])
	select {
	case i := <-killed:
		c.settle()
		c.start(i)
	case <-time.After(2 * time.Minute):
		require.Fail(c.t, "it never came so far", "%s %s", s.suffix, point)
	}
	c.toss.ClearFaults()
}

// killAtAnEvent kills an instance that is about to record that the bank has paid.
func (c *crash) killAtAnEvent(ref string) {
	c.t.Helper()
	c.buy(c.shops[0], ref)
	require.Eventually(c.t, func() bool { return c.query(`SELECT ref FROM payouts WHERE state = 'requested'`) != "" }, 2*time.Minute, 20*time.Millisecond)
	unlock := shoptest.Lock(c.t, c.database, "payouts")
	assert.NotZero(c.t, c.toss.CompletePayouts())
	time.Sleep(300 * time.Millisecond) // Both instances have the event.
	c.both[0].Kill()
	unlock()
	c.settle()
	c.start(0)
}

// settle waits until nothing is under way, nor will be by itself, and compares all money.
func (c *crash) settle() {
	c.t.Helper()
	require.Eventually(c.t, func() bool {
		c.toss.CompletePayouts()
		return c.query(underWay+` UNION ALL SELECT seller FROM entries GROUP BY seller HAVING SUM(amount) >= 1000`) == ""
	}, 2*time.Minute, 20*time.Millisecond)
	c.assertConserved()
}

// Two instances run on one database, and one is killed at every step: the other one finishes
// what it has begun, once, and not a won is lost.
func TestKilledAtEveryStep(t *testing.T) {
	binary := shoptest.Program(t)
	t.Parallel()
	c := &crash{stand: newStand(t, 1), binary: binary}
	c.toss.AddBalance(tosspayments.Won(1_000_000))
	c.added = 1_000_000
	c.start(0)
	c.start(1)
	ref, id := c.seller("김판매")
	c.toss.CompleteIdentityCheck(id)
	shop := c.shops[0] // the third instance only sells
	sold := c.buy(shop, ref)
	for n, point := range []string{"before the request", "after the request", "before the record"} {
		order := c.order(ref)
		c.kill(&step{suffix: "/confirm", table: "orders", operation: tosstest.ConfirmPayment, lead: func(x *instance) error {
			return c.comeBack(x.Customer, order)
		}}, point)
		c.kill(&step{suffix: "/cancel", table: "refunds", operation: tosstest.CancelPayment, lead: func(x *instance) error {
			return c.refund(x.Customer, sold, strconv.Itoa(30_000-1000*n), "1000")
		}}, point)
		c.kill(&step{suffix: "/cancel", table: "refunds", operation: tosstest.CancelPayment, lead: func(x *instance) error {
			return c.refund(x.Customer, order, "30000", "")
		}}, point)
		c.kill(&step{suffix: "POST /v2/sellers", table: "sellers", operation: tosstest.RegisterSeller, lead: func(x *instance) error {
			_, err := x.Submit("/sellers", url.Values{
				"name": {point}, "email": {"a@b.c"}, "phone": {"01012345678"}, "bank": {"092"}, "account": {"100012345678"},
			})
			return err
		}}, point)
		if point == "before the request" {
			// It would be looked for until it is forgotten, also at the next points.
			assert.Equal(t, "", c.query(`SELECT toss_id FROM sellers WHERE name = '`+point+`'`))
			require.NoError(t, c.markets[0].forget(t.Context(), c.query(`SELECT ref FROM sellers WHERE name = '`+point+`'`)))
		} else {
			require.Eventually(t, func() bool { return c.query(`SELECT toss_id FROM sellers WHERE name = '`+point+`'`) != "" }, time.Minute, 20*time.Millisecond, point)
		}
		c.kill(&step{suffix: "POST /v2/payouts", table: "batches", operation: tosstest.RequestPayouts, lead: func(*instance) error {
			// What was refunded after it was paid out is made up for first.
			c.buy(shop, ref)
			c.buy(shop, ref)
			return nil
		}}, point)
	}
	c.killAtAnEvent(ref)
	one := tosspayments.Won(1000)
	assert.Equal(t, []tosspayments.Amount{one, one, one}, c.toss.Refunds(sold))
	t.Logf("%d payouts, %d orders", c.number(`SELECT COUNT(*) FROM payouts`), c.number(`SELECT COUNT(*) FROM orders`))
}

func (c *crash) order(ref string) string {
	c.t.Helper()
	led, err := c.shops[0].Submit("/orders", url.Values{"seller": {ref}})
	require.NoError(c.t, err)
	return led[len("/orders/"):]
}
