// Command subscription is a shop that charges a registered card every month: card
// registration, a scheduler, a calendar for refused cards, deleted keys, cancellation.
// Without keys it runs against an in-process fake of Toss Payments, in which a month
// takes a minute:
//
//	go run ./examples/subscription
//
// With TOSS_SECRET_KEY, TOSS_CLIENT_KEY and SUBSCRIPTION_KEY set it uses the real service
// and the real script. Everything is in an SQLite file, or with DATABASE_URL in
// PostgreSQL, which several instances may share.
//
// SUBSCRIPTION_KEY encrypts billing keys; `openssl rand -base64 32` makes one. To replace
// it, start with "new,old": what the old key has encrypted is encrypted anew, and then the
// old key can go. Several instances need a step before that, "old,new", in which all learn
// the new key.
package main

import (
	"context"
	"errors"
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
	"github.com/seed238ab19c/tosspayments/webhook"
)

// config is what the flags and the environment say.
type config struct {
	address  string
	database string
	toss     string
	keys     shop.Keys
	key      string
	speed    float64
	interval time.Duration
	lease    time.Duration
	resume   bool
}

// aMonthAMinute is the speed of the sandbox.
const aMonthAMinute = 30 * 24 * 60

func main() {
	c := config{keys: shop.KeysFromEnvironment(), key: os.Getenv("SUBSCRIPTION_KEY")}
	flag.StringVar(&c.address, "addr", "127.0.0.1:8081", "address to listen on")
	flag.StringVar(&c.database, "db", os.Getenv("DATABASE_URL"), "SQLite file, or postgres://… (default: DATABASE_URL; else subscription.db with keys, a new temporary file without)")
	flag.StringVar(&c.toss, "toss", "", "address of a Toss Payments sandbox for API and script, instead of the real one")
	flag.Float64Var(&c.speed, "speed", 0, "how fast the shop's time runs: 86400 is a day a second (default: 1 with keys; without, a month a minute)")
	flag.DurationVar(&c.interval, "interval", 0, "how often due charges are looked for (default: 10s, and more often where time runs fast)")
	flag.DurationVar(&c.lease, "lease", 2*time.Minute, "how long a charge belongs to the instance that makes it; then its outcome is looked up")
	flag.BoolVar(&c.resume, "resume", false, "go on after the scheduler has stopped, and try again what a person has put right")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, c, os.Stdout, slog.New(slog.NewJSONHandler(os.Stderr, nil)))
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "subscription:", err)
		os.Exit(1)
	}
}

// run serves the store until the context ends.
func run(ctx context.Context, c config, out io.Writer, logger *slog.Logger) error {
	if err := c.complete(); err != nil {
		return err
	}
	toss, err := shop.Connect(c.keys, c.toss, logger)
	if err != nil {
		return err
	}
	defer toss.Close()

	database, done, err := shop.DatabaseAddress(c.database, "subscription.db", toss)
	if err != nil {
		return err
	}
	defer done()
	subs, err := openSubscriptions(ctx, database)
	if err != nil {
		return err
	}
	defer subs.close()
	vault, err := openVault(ctx, subs.db, c.key, toss.Sandbox != nil)
	if err != nil {
		return err
	}
	if err := vault.reseal(ctx, subs.db); err != nil {
		logger.ErrorContext(ctx, "cards stay encrypted with an old key", "error", err)
	}
	clock, err := newClock(ctx, subs.db, c.speed)
	if err != nil {
		return err
	}
	if c.resume {
		if err := subs.resume(ctx, clock.now()); err != nil {
			return err
		}
	}
	b := &biller{subs: subs, toss: toss, vault: vault, clock: clock, logger: logger, lease: c.lease, woken: make(chan struct{}, 1)}
	store, err := newStore(b)
	if err != nil {
		return err
	}
	// What is under way is brought to its end.
	last := max(b.callTime(), issueTime) + 10*time.Second
	return shop.Serve(ctx, c.address, out, last, store.handler(), func(ctx context.Context, url string) {
		if toss.Sandbox != nil {
			// With keys, this address is registered in the developer centre.
			toss.Sandbox.RegisterWebhook(url+webhookPath, webhook.BillingDeleted)
		}
		b.run(ctx, c.interval)
	}, "원두 구독 / a coffee subscription", toss.Mode, shop.DataAre(database, toss.Sandbox != nil && c.database == ""), clock.String(),
		"해 볼 것 / try: 등록창에서 결제할 때 거절되는 카드를 고르고 다음 결제일을 기다리세요 / register a card that will be refused, and wait for the next months")
}

// complete fills in what follows from the rest.
func (c *config) complete() error {
	if c.speed == 0 {
		c.speed = 1
		if c.keys == (shop.Keys{}) {
			c.speed = aMonthAMinute
		}
	}
	key, err := tosspayments.ParseSecretKey(c.keys.Secret)
	if err == nil && !key.IsTest() && c.speed != 1 {
		return errors.New("-speed other than 1 charges for months that have not passed: not with a live key")
	}
	if c.speed < 0 || c.interval < 0 || c.lease < 0 {
		return errors.New("-speed, -interval and -lease must not be negative")
	}
	if c.interval == 0 {
		c.interval = max(200*time.Millisecond, min(10*time.Second, time.Duration(float64(6*time.Hour)/c.speed)))
	}
	return nil
}
