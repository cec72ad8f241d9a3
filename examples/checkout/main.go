// Command checkout is Toss Payments' integration guide as a running shop: order,
// payment window, confirm, receipt, refund. Without keys it runs against a Toss
// Payments inside this process, so that it needs no account and no network:
//
//	go run ./examples/checkout
//
// With TOSS_SECRET_KEY and TOSS_CLIENT_KEY set it uses the real service and the real
// script.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

const realScript = "https://js.tosspayments.com/v2/standard"

// config is what the flags and the environment say.
type config struct {
	address   string
	database  string
	toss      string
	secretKey string
	clientKey string
	recovery  time.Duration
}

func main() {
	var c config
	flag.StringVar(&c.address, "addr", "127.0.0.1:8080", "address to listen on")
	flag.StringVar(&c.database, "db", "", "SQLite file (default: checkout.db with keys, else a new temporary file)")
	flag.StringVar(&c.toss, "toss", "", "address of a Toss Payments sandbox for API and script, instead of the real one")
	flag.DurationVar(&c.recovery, "recovery", 10*time.Second, "how often unfinished orders are looked up")
	flag.Parse()
	c.secretKey, c.clientKey = os.Getenv("TOSS_SECRET_KEY"), os.Getenv("TOSS_CLIENT_KEY")

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, c, os.Stdout, slog.New(slog.NewJSONHandler(os.Stderr, nil))); err != nil {
		fmt.Fprintln(os.Stderr, "checkout:", err)
		os.Exit(1)
	}
}

// run serves the shop until the context ends.
func run(ctx context.Context, c config, out io.Writer, logger *slog.Logger) error {
	service, err := c.connect(logger)
	if err != nil {
		return err
	}
	defer service.close()

	database := c.database
	switch {
	case database != "":
	case service.sandbox:
		// The Toss Payments inside this process forgets when it ends; so do its orders.
		dir, err := os.MkdirTemp("", "checkout")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(dir) }()
		database = filepath.Join(dir, "checkout.db")
	default:
		database = "checkout.db"
	}
	orders, err := openOrders(ctx, database)
	if err != nil {
		return err
	}
	defer orders.close()

	shop, err := newShop(ctx, orders, service, logger)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", c.address)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler: shop.handler(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
		WriteTimeout: 90 * time.Second, IdleTimeout: 2 * time.Minute,
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	recovering, stopRecovery := context.WithCancel(ctx)
	recovered := make(chan struct{})
	go func() {
		defer close(recovered)
		shop.recoverForever(recovering, c.recovery)
	}()
	defer func() {
		stopRecovery()
		<-recovered
	}()
	fmt.Fprintf(out, "http://%s\n", listener.Addr())

	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	// A confirm that is under way is brought to its end.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), confirmTime+5*time.Second)
	defer cancel()
	return server.Shutdown(last)
}

// service is where the shop's payments are made.
type service struct {
	client    *tosspayments.Client
	clientKey string
	// script is the address of the browser script, origins are those that pages need.
	script, origins string
	// sandbox tells that the service lives in this process.
	sandbox bool
	close   func()
}

// connect makes the client, or refuses keys that cannot work. It never pretends.
func (c *config) connect(logger *slog.Logger) (*service, error) {
	log := tosspayments.WithLogger(logger)
	if c.secretKey == "" && c.clientKey == "" {
		if c.toss != "" {
			return nil, errors.New("-toss needs TOSS_SECRET_KEY and TOSS_CLIENT_KEY")
		}
		server, err := tosstest.Start()
		if err != nil {
			return nil, err
		}
		return &service{
			client: server.Client(log), clientKey: tosstest.DefaultClientKey,
			script: server.URL + tosstest.ScriptPath, origins: server.URL, sandbox: true, close: server.Close,
		}, nil
	}
	if err := checkKeys(c.secretKey, c.clientKey); err != nil {
		return nil, err
	}
	s := &service{clientKey: c.clientKey, script: realScript, origins: "https://*.tosspayments.com", close: func() {}}
	options := []tosspayments.Option{log}
	if c.toss != "" {
		s.script, s.origins = c.toss+tosstest.ScriptPath, c.toss
		options = append(options, tosspayments.WithBaseURL(c.toss))
	}
	client, err := tosspayments.New(c.secretKey, options...)
	s.client = client
	return s, err
}

// checkKeys refuses keys that are not a pair: Toss Payments would say so only at
// the confirm, after the buyer has authenticated.
func checkKeys(secretKey, clientKey string) error {
	if secretKey == "" {
		return errors.New("TOSS_CLIENT_KEY is set but TOSS_SECRET_KEY is not: set both, or neither for the built-in sandbox")
	}
	if clientKey == "" {
		return errors.New("TOSS_SECRET_KEY is set but TOSS_CLIENT_KEY is not: set both, or neither for the built-in sandbox")
	}
	key, err := tosspayments.ParseSecretKey(secretKey)
	if err != nil {
		return fmt.Errorf("TOSS_SECRET_KEY: %w", err)
	}
	switch {
	case strings.Contains(clientKey, "_gck_") || key.IsWidget():
		return errors.New("TOSS_CLIENT_KEY or TOSS_SECRET_KEY is a widget key (gck, gsk): this shop opens the payment window, which takes the API keys (ck, sk)")
	case !strings.Contains(clientKey, "_ck_"):
		return errors.New("TOSS_CLIENT_KEY must be a client key: test_ck_… or live_ck_…")
	case strings.HasPrefix(clientKey, "test_") != key.IsTest():
		return errors.New("TOSS_CLIENT_KEY and TOSS_SECRET_KEY are not of the same environment: both must be test keys, or both live keys")
	}
	return nil
}
