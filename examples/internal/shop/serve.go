// Package shop is what the example shops have in common and what is not about
// payments: database, sessions, pages, start and end.
package shop

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// Every calls do now, at intervals and when it is woken, until the context ends.
func Every(ctx context.Context, interval time.Duration, woken <-chan struct{}, do func()) {
	ticker := time.NewTicker(max(interval, time.Millisecond))
	defer ticker.Stop()
	for {
		do()
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-woken:
		}
	}
}

// Wake lets one of those that wait in Every go on now, or the next one that will wait where
// the channel has room.
func Wake(woken chan<- struct{}) {
	select {
	case woken <- struct{}{}:
	default:
	}
}

// Serve serves a shop until the context ends, and prints its address and then what there
// is to know about it. background runs beside it. What is under way at the end may take up
// to the given time.
func Serve(ctx context.Context, address string, out io.Writer, last time.Duration, handler http.Handler, background func(ctx context.Context, url string), about ...string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("%w; choose another port with -addr, such as -addr 127.0.0.1:0 for any that is free", err)
	}
	url := "http://" + listener.Addr().String()
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
		WriteTimeout: 90 * time.Second, IdleTimeout: 2 * time.Minute,
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	running, stop := context.WithCancel(ctx)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		background(running, url)
	}()
	defer func() {
		stop()
		<-stopped
	}()
	fmt.Fprintln(out, strings.Join(append([]string{url}, about...), "\n  "))

	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), last)
	defer cancel()
	return server.Shutdown(ending)
}
