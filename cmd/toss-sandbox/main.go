// Command toss-sandbox is a fake of Toss Payments for development, as a program: the API,
// the script with its payment window, a test shop, and a page that shows payments,
// requests and webhooks as they happen, on one port. No money moves.
//
//	go run github.com/seed238ab19c/tosspayments/cmd/toss-sandbox@latest
//
// It prints its addresses, two pairs of keys and a security key, which are new on every
// start unless they are given. Give them to a program in any language in place of
// https://api.tosspayments.com, https://js.tosspayments.com/v2/standard and the test keys.
//
// The page, at the root of the address, has buttons for what the buyer, the bank and
// bad luck do: a deposit, a bounce, time that passes, an answer that is lost. Webhooks
// go to the addresses given with -webhook.
//
// It listens on this machine only, and answers requests for this machine's names only,
// so that a web page that a developer happens to visit cannot drive it. Where other
// machines or containers need it, -public lets -addr be any address, and -host names the
// hosts by which they reach it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "toss-sandbox:", err)
		os.Exit(1)
	}
}

// run serves until the context ends.
func run(ctx context.Context, args []string, out, complaints io.Writer) error {
	s, err := parse(args, complaints)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", s.address)
	if err != nil {
		return explain(ctx, s, err)
	}
	if s.url == "" {
		s.url = reachable(listener.Addr().(*net.TCPAddr))
	}
	b, err := newSandbox(s)
	if err != nil {
		return err
	}
	defer b.toss.Close()
	server := b.server()
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	b.greet(out)
	if err := server.Serve(listener); ctx.Err() == nil {
		return err
	}
	return nil
}

// readTime is how long a request may take to arrive.
const readTime = 20 * time.Second

func (b *sandbox) server() *http.Server {
	return &http.Server{
		Handler:           b.handler(),
		ReadHeaderTimeout: readTime / 2,
		ReadTimeout:       readTime,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
}

// reachable is an address of this machine at which a browser here reaches it.
func reachable(address *net.TCPAddr) string {
	host := address.IP.String()
	if address.IP.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, strconv.Itoa(address.Port))
}

// explain says why it cannot listen, and what to do.
func explain(ctx context.Context, s settings, err error) error {
	host, _, _ := net.SplitHostPort(s.address)
	other := net.JoinHostPort(host, "8788")
	if isSandbox(ctx, s.address) {
		return fmt.Errorf("another toss-sandbox is running at http://%s/: use that one, or start this one elsewhere with -addr %s", s.address, other)
	}
	return fmt.Errorf("%w\nIf another program is using the port, start this one elsewhere: toss-sandbox -addr %s", err, other)
}

// isSandbox reports whether a sandbox answers at an address of this machine.
func isSandbox(ctx context.Context, address string) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodHead, "http://"+address+"/", nil)
	if err != nil {
		return false
	}
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.Header.Get("Server") == serverName
}

// serverName is the header by which one sandbox knows another.
const serverName = "toss-sandbox"
