package main

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments/examples/internal/shoptest"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// crash is a subscription whose second period is due, and instances of the shop as
// programs of their own, each with its own way to Toss Payments.
type crash struct {
	*stand
	customer *customer
	binary   string
	between  [2]*shoptest.Between
	shops    [2]*shoptest.Process
}

func newCrash(t *testing.T, binary string) *crash {
	st := newStand(t)
	// The programs have the real time.
	st.now = time.Now().In(kst).AddDate(0, 0, -40)
	c := &crash{stand: st, customer: st.customer(), binary: binary}
	c.customer.register("")
	st.now = time.Now()
	for i := range c.between {
		c.between[i] = shoptest.NewBetween(t, st.toss)
	}
	return c
}

func (c *crash) start(i int, flags ...string) {
	c.shops[i] = shoptest.Start(c.t, c.binary, []string{"SUBSCRIPTION_KEY=" + testKey}, append([]string{
		"-db", c.database, "-toss", c.between[i].URL, "-interval", "100ms", "-lease", "3s",
	}, flags...)...)
}

// once lets do act on the next request whose path ends so, whoever makes it.
func (c *crash) once(suffix string, do func(shop int, next func())) {
	for i := range c.between {
		c.between[i].Once(suffix, func(next func()) {
			c.between[1-i].Once("\x00", nil)
			do(i, next)
		})
	}
}

func (c *crash) eventually(want string, what func() string) {
	c.t.Helper()
	assert.Eventually(c.t, func() bool { return what() == want }, time.Minute, 50*time.Millisecond)
	assert.Equal(c.t, want, what())
}

func receive[T any](t *testing.T, from <-chan T) (value T) {
	t.Helper()
	select {
	case value = <-from:
	case <-time.After(2 * time.Minute):
		t.Fatal("it never came so far")
	}
	return value
}

// TestKilled kills the instance that charges at each point of a charge: the other one,
// or both after they were started again, finish it.
func TestKilled(t *testing.T) {
	t.Parallel()
	binary := shoptest.Program(t)
	for _, point := range []string{"after the claim", "after the request has gone out", "before the record"} {
		for name, both := range map[string]bool{"one": false, "both": true} {
			t.Run(name+" "+point, func(t *testing.T) {
				t.Parallel()
				c := newCrash(t, binary)
				killed := make(chan int, 1)
				c.once(c.billingKey().Key.Reveal(), func(shop int, next func()) {
					unlock := func() {}
					switch point {
					case "after the request has gone out":
						// The answer is lost on its way: it arrives at nobody.
						c.toss.Inject(tosstest.Fault{Operation: tosstest.ChargeBilling, Kind: tosstest.Drop, AfterEffect: true})
						next()
					case "before the record":
						unlock = shoptest.Lock(t, c.database, "charges")
						next()
						// The answer has been written; the record waits for the lock.
						time.Sleep(300 * time.Millisecond)
					}
					c.shops[shop].Kill()
					if both {
						c.shops[1-shop].Kill()
					}
					unlock()
					killed <- len(c.moved())
				})
				// Nobody charges before both are there: a lease may be over by then.
				c.exec(`INSERT INTO settings (name, value) VALUES ('stopped', 'until both run')`)
				c.start(0)
				c.start(1)
				c.exec(`DELETE FROM settings WHERE name = 'stopped'`)
				charged := receive(t, killed)
				if point == "after the claim" {
					assert.Equal(t, 1, charged, "the first period only")
				} else {
					assert.Equal(t, 2, charged, "both periods")
				}
				states := func() string { return c.rows(`SELECT state FROM charges ORDER BY period`) }
				if both {
					require.Equal(t, "paid\ncharging", states(), "nobody is left to record it")
					c.start(0)
					c.start(1)
				}
				c.eventually("paid\npaid", states)
				time.Sleep(500 * time.Millisecond)
				assert.Len(t, c.moved(), 2)
				assert.Equal(t, 2, c.toss.Charges(c.rows(`SELECT order_id FROM charges ORDER BY period LIMIT 1`))+
					c.toss.Charges(c.rows(`SELECT order_id FROM charges ORDER BY period DESC LIMIT 1`)))
			})
		}
	}
}

// TestKilledBetweenIssueAndStore: a refresh of the success page brings the key.
func TestKilledBetweenIssueAndStore(t *testing.T) {
	t.Parallel()
	c := newCrash(t, shoptest.Program(t))
	c.start(0)
	c.eventually("paid\npaid", func() string { return c.rows(`SELECT state FROM charges ORDER BY period`) })
	buyer := c.customerOf(c.shops[0].URL)
	redirect := c.toss.Register(tosstest.Registration{CustomerKey: buyer.key()})
	c.once("/authorizations/issue", func(shop int, next func()) {
		c.toss.Inject(tosstest.Fault{Operation: tosstest.IssueBillingKey, Kind: tosstest.Drop, AfterEffect: true})
		next()
		c.shops[shop].Kill()
	})
	_, err := buyer.Post("/card/issue", redirect)
	require.Error(t, err)
	c.start(0)
	buyer.Shop = c.shops[0].URL
	require.Equal(t, http.StatusOK, buyer.issue(redirect))
	c.eventually("3", func() string { return c.rows(`SELECT COUNT(*) FROM charges WHERE state = 'paid'`) })
	assert.Len(t, c.moved(), 3)
}

// TestKilledWhileCancelling: the billing key is deleted in the end.
func TestKilledWhileCancelling(t *testing.T) {
	t.Parallel()
	binary := shoptest.Program(t)
	for name, after := range map[string]bool{"before the deletion": false, "after the deletion": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCrash(t, binary)
			c.start(0)
			c.eventually("paid\npaid", func() string { return c.rows(`SELECT state FROM charges ORDER BY period`) })
			killed := make(chan bool, 1)
			c.once(c.billingKey().Key.Reveal(), func(shop int, next func()) {
				if after {
					c.toss.Inject(tosstest.Fault{Operation: tosstest.DeleteBillingKey, Kind: tosstest.Drop, AfterEffect: true})
					next()
				}
				c.shops[shop].Kill()
				killed <- true
			})
			c.customer.Shop = c.shops[0].URL
			_, _ = c.customer.Submit("/cancel", nil)
			receive(t, killed)
			assert.Equal(t, "canceled", c.state())
			assert.Equal(t, "deleting", c.cards())
			c.start(0)
			c.eventually("deleted", c.cards)
		})
	}
}

// TestKilledAtAnyTime lets two instances run a month a second through random faults,
// kills one of them again and again, and compares what was charged with what was
// recorded.
func TestKilledAtAnyTime(t *testing.T) {
	t.Parallel()
	c := newCrash(t, shoptest.Program(t))
	for range 3 {
		c.stand.customer().register("")
	}
	c.toss.SetRandomFaults(0.2)
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end) || len(c.toss.Ledger()) <= 6; {
		for i := range c.shops {
			if c.shops[i] != nil {
				c.shops[i].Kill()
			}
			c.start(i, "-speed", "2592000", "-lease", "1s")
			time.Sleep(rand.N(1500 * time.Millisecond))
		}
	}
	for _, shop := range c.shops {
		shop.Kill()
	}
	c.toss.SetRandomFaults(0)
	// An idempotency key may replay a server error for as long as a call may take.
	c.store.lease = 3 * time.Second
	assert.Eventually(t, func() bool {
		c.now = time.Now()
		c.round()
		return c.rows(`SELECT COUNT(*) FROM charges WHERE state = 'charging'`) == "0"
	}, time.Minute, 100*time.Millisecond)

	periods, orders := map[string]bool{}, []string{}
	for _, entry := range c.toss.Ledger() {
		period := entry.OrderID[:strings.LastIndex(entry.OrderID, "-")]
		assert.False(t, periods[period], "%s was charged twice", period)
		periods[period] = true
		orders = append(orders, entry.OrderID)
	}
	assert.Greater(t, len(orders), 6)
	assert.ElementsMatch(t, strings.Split(c.rows(`SELECT order_id FROM charges WHERE state = 'paid'`), "\n"), orders)
	t.Logf("%d charges; %s", len(orders), c.rows(`SELECT state, COUNT(*) FROM charges GROUP BY state`))
}
