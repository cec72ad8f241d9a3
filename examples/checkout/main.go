// Command checkout is Toss Payments' integration guide as a running shop: order, payment
// window, confirm, virtual account, webhooks, receipt, refund. Without keys it runs
// against an in-process fake of Toss Payments, so that it needs no account and no
// network:
//
//	go run ./examples/checkout
//
// With TOSS_SECRET_KEY and TOSS_CLIENT_KEY set it uses the real service and the real
// script; its address with /webhook then belongs in the developer centre, for
// PAYMENT_STATUS_CHANGED and DEPOSIT_CALLBACK. Orders are in an SQLite file, or with
// DATABASE_URL in PostgreSQL, which several instances may share.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/examples/internal/shop"
)

// config is what the flags and the environment say.
type config struct {
	address  string
	database string
	toss     string
	keys     shop.Keys
	recovery time.Duration
	poll     time.Duration
	outage   time.Duration
}

func main() {
	c := config{keys: shop.KeysFromEnvironment()}
	flag.StringVar(&c.address, "addr", "127.0.0.1:8080", "address to listen on")
	flag.StringVar(&c.database, "db", os.Getenv("DATABASE_URL"), "SQLite file, or postgres://… (default: DATABASE_URL; else checkout.db with keys, a new temporary file without)")
	flag.StringVar(&c.toss, "toss", "", "address of a Toss Payments sandbox for API and script, instead of the real one")
	flag.DurationVar(&c.recovery, "recovery", 10*time.Second, "how often the job looks for unfinished business")
	flag.DurationVar(&c.poll, "poll", 0, "how often an open virtual account is looked up, in case its webhook does not arrive (default: 10m; 5s without keys, to watch one expire)")
	flag.DurationVar(&c.outage, "outage", 30*time.Second, "without keys: how long Toss Payments is down after an answer got lost, to watch an order whose outcome nobody knows; 0 is not at all")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, c, os.Stdout, slog.New(slog.NewJSONHandler(os.Stderr, nil)))
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "checkout:", err)
		os.Exit(1)
	}
}

// run serves the store until the context ends.
func run(ctx context.Context, c config, out io.Writer, logger *slog.Logger) error {
	down := &outage{lasts: c.outage}
	toss, err := shop.Connect(c.keys, c.toss, logger, tosspayments.WithObserver(down.observe))
	if err != nil {
		return err
	}
	defer toss.Close()
	down.sandbox = toss.Sandbox

	database, done, err := shop.DatabaseAddress(c.database, "checkout.db", toss)
	if err != nil {
		return err
	}
	defer done()
	orders, err := openOrders(ctx, database)
	if err != nil {
		return err
	}
	defer orders.close()
	switch {
	case c.poll > 0:
		orders.poll = c.poll
	case toss.Sandbox != nil:
		orders.poll = 5 * time.Second
	}

	store, err := newStore(orders, toss, logger)
	if err != nil {
		return err
	}
	// A confirm that is under way is brought to its end.
	return shop.Serve(ctx, c.address, out, confirmTime+5*time.Second, store.handler(), func(ctx context.Context, url string) {
		if toss.Sandbox != nil {
			// With keys, this address is registered in the developer centre.
			toss.Sandbox.RegisterWebhook(url + webhookPath)
		}
		store.work(ctx, c.recovery)
	}, "원두 가게 / a coffee shop", toss.Mode, shop.DataAre(database, toss.Sandbox != nil && c.database == ""),
		"해 볼 것 / try: 결제창에서 \"승인됐지만 응답을 받지 못함\"을 고르고 주문 기록을 지켜보세요 / let the answer get lost in the payment window, and watch the order's history")
}
