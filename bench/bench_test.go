// Package bench compares the library with careful code written by hand that does
// the same work.
package bench

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed238ab19c/tosspayments"
)

const secretKey = "test_sk_zXLkKEypNArWmo50nX3lmeaxYG5R"

var request = tosspayments.ConfirmPaymentRequest{
	PaymentKey: "exmpl20260301101530aB3d9", OrderID: "order-20260301-0007", Amount: tosspayments.Won(33000),
}

type confirmer interface {
	confirm(ctx context.Context) (*tosspayments.Payment, error)
}

type library struct{ client *tosspayments.Client }

func (l library) confirm(ctx context.Context) (*tosspayments.Payment, error) {
	return l.client.ConfirmPayment(ctx, request)
}

func newLibrary(tb testing.TB, opts ...tosspayments.Option) confirmer {
	client, err := tosspayments.New(secretKey, opts...)
	if err != nil {
		tb.Fatal(err)
	}
	return library{client}
}

// byHand is what a careful team writes: a time-out, an idempotency key, a bounded
// read, an error for other statuses, and a look at what was confirmed.
type byHand struct {
	client        *http.Client
	url           string
	authorization string
}

func newByHand(client *http.Client, base string) confirmer {
	return &byHand{
		client: client, url: base + "/v1/payments/confirm",
		authorization: "Basic " + base64.StdEncoding.EncodeToString([]byte(secretKey+":")),
	}
}

func (h *byHand) confirm(ctx context.Context) (*tosspayments.Payment, error) {
	ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	body, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", h.authorization)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", rand.Text())
	response, err := h.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(response.Body, 16<<20))
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d: %s", response.StatusCode, data)
	}
	type plain tosspayments.Payment // as a struct of one's own would be: without the library's UnmarshalJSON
	payment := new(tosspayments.Payment)
	if err := json.Unmarshal(data, (*plain)(payment)); err != nil {
		return nil, err
	}
	if payment.PaymentKey != request.PaymentKey || payment.TotalAmount != request.Amount {
		return nil, errors.New("another payment")
	}
	return payment, nil
}

func answer(tb testing.TB) []byte {
	data, err := os.ReadFile("payment.json")
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// memory answers without a network.
type memory struct{ body []byte }

func (m memory) RoundTrip(r *http.Request) (*http.Response, error) {
	_, _ = io.Copy(io.Discard, r.Body)
	_ = r.Body.Close()
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header:        http.Header{"Content-Type": {"application/json"}, "X-Tosspayments-Trace-Id": {"0123456789abcdef0123456789abcdef"}},
		Body:          io.NopCloser(bytes.NewReader(m.body)),
		ContentLength: int64(len(m.body)),
	}, nil
}

// BenchmarkConfirm is one confirm without a network. BenchmarkConfirmRatio takes
// turns between the two, since machines are noisy: library/by-hand is the library's
// time over that of the code written by hand.
func BenchmarkConfirm(b *testing.B) {
	client := &http.Client{Transport: memory{answer(b)}}
	for name, c := range map[string]confirmer{
		"by-hand": newByHand(client, "https://api.tosspayments.com"),
		"library": newLibrary(b, tosspayments.WithHTTPClient(client)),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.confirm(context.Background()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkConfirmRatio(b *testing.B) {
	client := &http.Client{Transport: memory{answer(b)}}
	pair := [2]confirmer{newByHand(client, "https://api.tosspayments.com"), newLibrary(b, tosspayments.WithHTTPClient(client))}
	took := takeTurns(b, 200, func(i, calls int) { run(b, pair[i], 1, calls) })
	b.ReportMetric(took[1].Seconds()/took[0].Seconds(), "library/by-hand")
}

// takeTurns spends b.N calls on each of two contenders, in short turns whose order
// changes, and returns the time that each has taken.
func takeTurns(b *testing.B, turn int, work func(contender, calls int)) (took [2]time.Duration) {
	b.ResetTimer()
	for done, round := 0, 0; done < b.N; done, round = done+turn, round+1 {
		for i := range 2 {
			contender := (i + round) % 2
			start := time.Now()
			work(contender, turn)
			took[contender] += time.Since(start)
		}
	}
	b.StopTimer()
	return took
}

// counting counts the connections that are opened.
type counting struct {
	net.Listener
	opened atomic.Int64
}

func (c *counting) Accept() (net.Conn, error) {
	connection, err := c.Listener.Accept()
	if err == nil {
		c.opened.Add(1)
	}
	return connection, err
}

func newServer(tb testing.TB, http2 bool) (*httptest.Server, *counting) {
	body := answer(tb)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		time.Sleep(2 * time.Millisecond)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	}))
	listener := &counting{Listener: server.Listener}
	server.Listener = listener
	server.EnableHTTP2 = http2
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	tb.Cleanup(server.Close)
	return server, listener
}

// BenchmarkThroughput has many callers of one host, over TLS, with a server that
// takes 2 ms. The library takes turns with a transport that was tuned by hand.
// library/by-hand is the library's throughput over that of the code written by hand;
// the warm-up figures are connections opened until every caller has been served
// twenty times, by the code written by hand and by the library, as the mean of a few
// fresh starts; conns/new is what the library opened afterwards.
func BenchmarkThroughput(b *testing.B) {
	for _, protocol := range []string{"HTTP1", "HTTP2"} {
		for _, callers := range []int{64, 256} {
			b.Run(fmt.Sprintf("%s/%d", protocol, callers), func(b *testing.B) {
				throughput(b, protocol == "HTTP2", callers)
			})
		}
	}
}

const freshStarts = 10

func throughput(b *testing.B, http2 bool, callers int) {
	var pair [2]confirmer
	var listeners [2]*counting
	var warm [2]int64
	for start := range freshStarts {
		for i := range pair {
			contender := (i + start) % 2
			server, listener := newServer(b, http2)
			pair[contender], listeners[contender] = newContender(b, contender, server, http2, callers), listener
			run(b, pair[contender], callers, callers*20)
			warm[contender] += listener.opened.Load()
		}
	}
	before := listeners[1].opened.Load()
	took := takeTurns(b, callers*20, func(i, calls int) { run(b, pair[i], callers, calls) })
	b.ReportMetric(took[0].Seconds()/took[1].Seconds(), "library/by-hand")
	b.ReportMetric(float64(warm[0])/freshStarts, "warm-up-by-hand")
	b.ReportMetric(float64(warm[1])/freshStarts, "warm-up-library")
	b.ReportMetric(float64(listeners[1].opened.Load()-before), "conns/new")
}

// BenchmarkDefaultTransport is the same with the transport that a program gets when
// it tunes nothing, for comparison.
func BenchmarkDefaultTransport(b *testing.B) {
	server, listener := newServer(b, false)
	transport := trusting(server, false)
	b.Cleanup(transport.CloseIdleConnections)
	c := newByHand(&http.Client{Transport: transport}, server.URL)
	run(b, c, 64, 64*20)
	before := listener.opened.Load()
	b.ResetTimer()
	run(b, c, 64, b.N)
	b.ReportMetric(float64(listener.opened.Load()-before)/float64(b.N), "conns/call")
}

// newContender returns the code written by hand for 0 and the library for 1.
func newContender(b *testing.B, contender int, server *httptest.Server, http2 bool, callers int) confirmer {
	transport := trusting(server, http2)
	if contender == 0 {
		transport.MaxIdleConns = 0
		transport.MaxIdleConnsPerHost = callers
		b.Cleanup(transport.CloseIdleConnections)
		return newByHand(&http.Client{Transport: transport}, server.URL)
	}
	// The library clones the default transport, so that is where trust comes from.
	original := http.DefaultTransport
	http.DefaultTransport = transport
	defer func() { http.DefaultTransport = original }()
	return newLibrary(b, tosspayments.WithBaseURL(server.URL))
}

// trusting is the default transport that knows the server's certificate.
func trusting(server *httptest.Server, http2 bool) *http.Transport {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}
	transport.ForceAttemptHTTP2 = http2
	return transport
}

// run makes n calls from the given number of callers.
func run(b *testing.B, c confirmer, callers, n int) {
	var left atomic.Int64
	left.Store(int64(n))
	done := make(chan error, callers)
	for range callers {
		go func() {
			for left.Add(-1) >= 0 {
				if _, err := c.confirm(context.Background()); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range callers {
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
}
