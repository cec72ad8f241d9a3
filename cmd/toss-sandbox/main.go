// Command toss-sandbox is a fake of Toss Payments for development: the API, the script
// with its payment window, and a page that shows payments, requests and webhooks as they
// happen, on one port. No money moves, and nothing is kept when it ends.
//
//	go run github.com/seed238ab19c/tosspayments/cmd/toss-sandbox@latest
//
// It prints its addresses and a pair of keys, which are new on every start. Give them to
// a program in any language in place of https://api.tosspayments.com,
// https://js.tosspayments.com/v2/standard and the test keys.
//
// The page, at the root of the address, has buttons for what the buyer, the bank and
// bad luck do: a deposit, a bounce, time that passes, an answer that is lost. Webhooks
// go to the addresses given with -webhook.
//
// It listens on this machine only, and answers requests for this machine's names only,
// so that a web page that a developer happens to visit cannot drive it. Where other
// machines or containers need it, -addr says where to listen, and -host names the host
// by which they reach it.
package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/seed238ab19c/tosspayments/tosstest"
)

const defaultAddress = "127.0.0.1:8787"

const usage = `toss-sandbox is a fake of Toss Payments for development. No money moves, and nothing is
kept when it ends.

Usage: toss-sandbox [flags]

`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	switch err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "toss-sandbox:", err)
		os.Exit(1)
	}
}

// settings are the flags.
type settings struct {
	address         string
	hosts, webhooks []string
}

func parse(args []string, errors io.Writer) (s settings, err error) {
	flags := flag.NewFlagSet("toss-sandbox", flag.ContinueOnError)
	flags.SetOutput(errors)
	flags.Usage = func() {
		fmt.Fprint(errors, usage)
		flags.PrintDefaults()
	}
	flags.StringVar(&s.address, "addr", defaultAddress,
		"`address` to listen on; with :8787 or 0.0.0.0:8787 everybody on the network can reach it")
	flags.Func("host", "`name` by which other machines or containers reach it, such as toss-sandbox;\nmay be repeated (default this machine's names only)", func(name string) error {
		s.hosts = append(s.hosts, name)
		return nil
	})
	flags.Func("webhook", "`URL` to which events are sent; may be repeated", func(address string) error {
		if u, err := url.Parse(address); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return fmt.Errorf("must be an absolute URL")
		}
		s.webhooks = append(s.webhooks, address)
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if flags.NArg() > 0 {
		return s, fmt.Errorf("unexpected argument %q; see -h", flags.Arg(0))
	}
	return s, nil
}

// run serves until the context ends.
func run(ctx context.Context, args []string, out, errors io.Writer) error {
	s, err := parse(args, errors)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", s.address)
	if err != nil {
		return fmt.Errorf("%w\nIs another program, or another sandbox, using the port? Choose another one: toss-sandbox -addr 127.0.0.1:8788", err)
	}
	b := newSandbox(reachable(listener.Addr().(*net.TCPAddr), s.hosts), s)
	defer b.toss.Close()
	server := &http.Server{
		Handler:           b.handler(),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       20 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	b.greet(out)
	if err := server.Serve(listener); ctx.Err() == nil {
		return err
	}
	return nil
}

// reachable is the address that is shown: with the given name, if any, else a name of
// this machine where it listens everywhere.
func reachable(address *net.TCPAddr, hosts []string) string {
	host := address.IP.String()
	switch {
	case len(hosts) > 0:
		host = hosts[0]
	case address.IP.IsUnspecified():
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, fmt.Sprint(address.Port))
}

// newSandbox makes a server with keys of its own.
func newSandbox(address string, s settings) *sandbox {
	b := &sandbox{
		hosts: s.hosts, webhooks: s.webhooks,
		secretKey: "test_sk_" + random(), clientKey: "test_ck_" + random(),
	}
	b.toss = tosstest.New(tosstest.WithSecretKey(b.secretKey), tosstest.WithClientKey(b.clientKey))
	b.toss.URL = address
	for _, address := range s.webhooks {
		b.toss.RegisterWebhook(address)
	}
	if len(s.webhooks) == 0 {
		// So that the page shows the events all the same.
		b.toss.RegisterWebhookHandler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	}
	return b
}

// random is 128 bits in hexadecimal.
func random() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

func (b *sandbox) greet(out io.Writer) {
	events := strings.Join(b.webhooks, ", ")
	if events == "" {
		events = "shown on the page only; send them with -webhook http://localhost:3000/webhook"
	}
	fmt.Fprintf(out, `toss-sandbox: a fake of Toss Payments. This is a sandbox: no money moves, and nothing is kept when it ends.

  page        %[1]s/
  API         %[1]s
  script      %[1]s%[2]s
  secret key  %[3]s
  client key  %[4]s
  webhooks    %[5]s

Try it: open the page and press 테스트 결제, or open a payment window from here:

  curl -u %[3]s: -H 'Content-Type: application/json' %[1]s/v1/payments \
    -d '{"method":"CARD","amount":15000,"orderId":"order-0001","orderName":"socks","successUrl":"%[1]s/","failUrl":"%[1]s/"}'

In Go: tosspayments.New("%[3]s", tosspayments.WithBaseURL("%[1]s"))
Ctrl+C ends it.
`, b.toss.URL, tosstest.ScriptPath, b.secretKey, b.clientKey, events)
}
