// Command marketplace is a shop whose goods belong to sellers: it sells, refunds, keeps
// what it owes to each seller in a ledger, and pays the sellers out. Without keys it runs
// against an in-process fake of Toss Payments:
//
//	go run ./examples/marketplace
//
// With TOSS_SECRET_KEY, TOSS_CLIENT_KEY and TOSS_SECURITY_KEY set it uses the real service,
// which needs a contract for payouts. Everything is in an SQLite file, or with DATABASE_URL in
// PostgreSQL, which several instances may share.
//
// A refund takes the seller's share out of the ledger again. A seller who was paid already owes
// it, and later sales make up for it. Refunds are made on the page of the order: one that is made
// elsewhere is not seen. Whoever can reach the pages is staff here: a real shop asks who it is.
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
	"github.com/seed238ab19c/tosspayments/payouts"
	"github.com/seed238ab19c/tosspayments/tosstest"
	"github.com/seed238ab19c/tosspayments/webhook"
)

// config is what the flags and the environment say.
type config struct {
	address, database, toss string
	keys                    shop.Keys
	securityKey             string
	interval, again         time.Duration
}

func main() {
	c := config{keys: shop.KeysFromEnvironment(), securityKey: os.Getenv("TOSS_SECURITY_KEY")}
	flag.StringVar(&c.address, "addr", "127.0.0.1:8082", "address to listen on")
	flag.StringVar(&c.database, "db", os.Getenv("DATABASE_URL"), "SQLite file, or postgres://… (default: DATABASE_URL; else marketplace.db with keys, a new temporary file without)")
	flag.StringVar(&c.toss, "toss", "", "address of a Toss Payments sandbox for API and script, instead of the real one")
	flag.DurationVar(&c.interval, "interval", 5*time.Second, "how often payouts are made, and what is open is looked at; once a day is usual")
	flag.DurationVar(&c.again, "again", time.Minute, "how long what is not known yet is left alone")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, c, os.Stdout, slog.New(slog.NewJSONHandler(os.Stderr, nil)))
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "marketplace:", err)
		os.Exit(1)
	}
}

// run serves the marketplace until the context ends.
func run(ctx context.Context, c config, out io.Writer, logger *slog.Logger) error {
	toss, err := shop.Connect(c.keys, c.toss, logger)
	if err != nil {
		return err
	}
	defer toss.Close()
	if toss.Sandbox != nil {
		c.securityKey = tosstest.DefaultSecurityKey
		// Sales can be paid out on the second business day; this is what earlier ones left.
		toss.Sandbox.AddBalance(tosspayments.Won(1_000_000))
	}
	if c.securityKey == "" {
		return errors.New("TOSS_SECURITY_KEY is not set: it is the security key (보안 키) of the developer centre")
	}
	database, done, err := shop.DatabaseAddress(c.database, "marketplace.db", toss)
	if err != nil {
		return err
	}
	defer done()
	m, err := newMarket(ctx, database, c.securityKey, toss, logger)
	if err != nil {
		return err
	}
	defer func() { _ = m.db.Close() }()
	m.again = c.again
	handler, err := m.handler(c.securityKey)
	if err != nil {
		return err
	}
	return shop.Serve(ctx, c.address, out, 130*time.Second, handler, func(ctx context.Context, url string) {
		if toss.Sandbox != nil {
			// With keys, this address is registered in the developer centre.
			toss.Sandbox.RegisterWebhook(url+webhookPath, webhook.PayoutChanged, webhook.SellerChanged)
		}
		shop.Every(ctx, c.interval, nil, func() {
			if toss.Sandbox != nil {
				toss.Sandbox.CompletePayouts() // what a bank does
			}
			m.round(context.WithoutCancel(ctx))
		})
	}, "나눔 장터 / a marketplace", toss.Mode, shop.DataAre(database, toss.Sandbox != nil && c.database == ""),
		"해 볼 것 / try: 셀러를 등록하고 본인인증을 마친 다음, 하나 사고 지급을 지켜보세요 / register a seller, complete the identity check, buy something, and watch the payout")
}

func newMarket(ctx context.Context, database, securityKey string, toss *shop.Toss, logger *slog.Logger) (*market, error) {
	client, err := payouts.New(toss.Client, securityKey)
	if err != nil {
		return nil, err
	}
	db, err := shop.OpenDatabase(ctx, database, schema)
	if err != nil {
		return nil, err
	}
	return &market{
		db: db, toss: toss, payouts: client, logger: logger, again: time.Minute, now: time.Now,
		limits: shop.Limiter{Count: 60, Period: 10 * time.Minute},
	}, nil
}
