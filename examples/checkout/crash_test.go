package main

import (
	"bufio"
	"bytes"
	"database/sql"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// process is the shop as a program of its own, which can be killed.
type process struct {
	cmd *exec.Cmd
	url string
}

func buildShop(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "checkout.exe")
	out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return binary
}

func startShop(t *testing.T, binary, database, toss string) *process {
	t.Helper()
	cmd := exec.Command(binary, "-addr", "127.0.0.1:0", "-db", database, "-toss", toss, "-recovery", "200ms")
	cmd.Env = append(os.Environ(), "TOSS_SECRET_KEY="+tosstest.DefaultSecretKey, "TOSS_CLIENT_KEY="+tosstest.DefaultClientKey)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	p := &process{cmd: cmd}
	t.Cleanup(p.kill)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	p.url = strings.TrimSpace(line)
	return p
}

// kill ends the process at once, as a power cut does.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// customer is a browser without pages.
type customer struct {
	t      *testing.T
	client *http.Client
	shop   string
}

func newCustomer(t *testing.T, shop string) *customer {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &customer{t: t, client: &http.Client{Jar: jar, Timeout: time.Minute}, shop: shop}
}

// order stores an order of 15,000 won and returns its id.
func (c *customer) order() string {
	c.t.Helper()
	response, err := c.client.PostForm(c.shop+"/orders", url.Values{"quantity": {"1"}})
	require.NoError(c.t, err)
	require.NoError(c.t, response.Body.Close())
	require.Equal(c.t, http.StatusOK, response.StatusCode)
	return strings.Split(response.Request.URL.Path, "/")[2]
}

// comeBack does what the success page does. A killed shop gives an error.
func (c *customer) comeBack(redirect tosspayments.SuccessRedirect) (status int, err error) {
	body, err := json.Marshal(redirect)
	require.NoError(c.t, err)
	response, err := c.client.Post(c.shop+"/payment/confirm", "application/json", bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}

func (c *customer) refund(id, balance, amount string) error {
	response, err := c.client.PostForm(c.shop+"/orders/"+id+"/refund", url.Values{"balance": {balance}, "amount": {amount}})
	if err != nil {
		return err
	}
	return response.Body.Close()
}

func (c *customer) page(path string) string {
	c.t.Helper()
	response, err := c.client.Get(c.shop + path)
	require.NoError(c.t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(c.t, err)
	return string(body)
}

// authenticate plays the buyer in the payment window.
func authenticate(toss *tosstest.Server, id string) tosspayments.SuccessRedirect {
	return toss.Authenticate(tosstest.Checkout{OrderID: id, OrderName: productName + " 1개", Amount: productPrice})
}

// between stands between the shop and Toss Payments and acts on one kind of request.
type between struct {
	proxy  http.Handler
	action atomic.Pointer[func(next func())]
	suffix string
}

func newBetween(t *testing.T, toss *tosstest.Server, suffix string) (*between, string) {
	target, err := url.Parse(toss.URL)
	require.NoError(t, err)
	b := &between{suffix: suffix}
	b.proxy = &httputil.ReverseProxy{
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	return b, serveOn(t, b)
}

func (b *between) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	next := func() { b.proxy.ServeHTTP(w, r) }
	if action := b.action.Load(); action != nil && strings.HasSuffix(r.URL.Path, b.suffix) {
		b.action.Store(nil)
		(*action)(next)
		return
	}
	next()
}

func serveOn(t *testing.T, handler http.Handler) string {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Second}
	listener, err := listen()
	require.NoError(t, err)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return "http://" + listener.Addr().String()
}

// lockDatabase keeps anybody from writing until the returned function is called.
func lockDatabase(t *testing.T, file string) (unlock func()) {
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(10000)&_txlock=immediate")
	require.NoError(t, err)
	tx, err := db.Begin()
	require.NoError(t, err)
	return func() {
		require.NoError(t, tx.Rollback())
		require.NoError(t, db.Close())
	}
}

// TestKilled kills the shop at each point of a confirm, starts it again, and finds
// every order right and charged once.
func TestKilled(t *testing.T) {
	binary := buildShop(t)
	for _, point := range []string{"after the claim", "after the request has gone out", "before the record"} {
		t.Run(point, func(t *testing.T) {
			toss := tosstest.NewServer(t)
			proxy, address := newBetween(t, toss, "/confirm")
			database := filepath.Join(t.TempDir(), "checkout.db")
			shop := startShop(t, binary, database, address)
			buyer := newCustomer(t, shop.url)
			id := buyer.order()
			redirect := authenticate(toss, id)

			killed := make(chan struct{})
			action := func(next func()) {
				defer close(killed)
				switch point {
				case "after the request has gone out":
					next()
				case "before the record":
					unlock := lockDatabase(t, database)
					next()
					// The answer has been written; the record waits for the lock.
					time.Sleep(300 * time.Millisecond)
					defer unlock()
				}
				shop.kill()
			}
			if point == "after the request has gone out" {
				// The answer is lost on its way: it arrives at nobody.
				toss.Inject(tosstest.Fault{Operation: tosstest.ConfirmPayment, Kind: tosstest.Drop, AfterEffect: true})
				inner := action
				action = func(next func()) {
					inner(func() { func() { defer func() { _ = recover() }(); next() }() })
				}
			}
			proxy.action.Store(&action)
			if point == "before the record" {
				go func() { _, _ = buyer.comeBack(redirect) }()
			} else {
				_, err := buyer.comeBack(redirect)
				require.Error(t, err)
			}
			<-killed
			charges := map[string]int{"after the claim": 0}[point]
			if point != "after the claim" {
				charges = 1
			}
			assert.Equal(t, charges, toss.Charges(id), "when it was killed")

			shop = startShop(t, binary, database, address)
			buyer.shop = shop.url
			assert.Eventually(t, func() bool { return strings.Contains(buyer.page("/orders/"+id), "결제가 완료됐어요") }, 20*time.Second, 50*time.Millisecond)
			status, err := buyer.comeBack(redirect)
			require.NoError(t, err)
			assert.Equal(t, http.StatusOK, status)
			assert.Equal(t, 1, toss.Charges(id))
		})
	}
}

// TestKilledWhileRefunding does the same with a refund in part.
func TestKilledWhileRefunding(t *testing.T) {
	binary := buildShop(t)
	for _, after := range []bool{false, true} {
		name := map[bool]string{false: "before the refund", true: "after the refund"}[after]
		t.Run(name, func(t *testing.T) {
			toss := tosstest.NewServer(t)
			proxy, address := newBetween(t, toss, "/cancel")
			database := filepath.Join(t.TempDir(), "checkout.db")
			shop := startShop(t, binary, database, address)
			buyer := newCustomer(t, shop.url)
			id := buyer.order()
			_, err := buyer.comeBack(authenticate(toss, id))
			require.NoError(t, err)

			action := func(next func()) {
				if after {
					toss.Inject(tosstest.Fault{Operation: tosstest.CancelPayment, Kind: tosstest.Drop, AfterEffect: true})
					func() { defer func() { _ = recover() }(); next() }()
				}
				shop.kill()
			}
			proxy.action.Store(&action)
			require.Error(t, buyer.refund(id, "15000", "5000"))

			shop = startShop(t, binary, database, address)
			buyer.shop = shop.url
			assert.Eventually(t, func() bool { return strings.Contains(buyer.page("/orders/"+id), "10,000원") }, 20*time.Second, 50*time.Millisecond)
			assert.Equal(t, []tosspayments.Amount{tosspayments.Won(5000)}, toss.Refunds(id))
		})
	}
}
