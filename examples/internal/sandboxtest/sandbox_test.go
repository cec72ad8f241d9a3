// Package sandboxtest tests cmd/toss-sandbox as a program: its pages in a browser, and
// the example shops in front of it.
package sandboxtest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/examples/internal/shoptest"
)

// Keys are those of a sandbox.
type Keys struct {
	Secret       string `json:"secretKey"`
	Client       string `json:"clientKey"`
	WidgetSecret string `json:"widgetSecretKey"`
	WidgetClient string `json:"widgetClientKey"`
}

// Sandbox is the program.
type Sandbox struct {
	t      *testing.T
	cmd    *exec.Cmd
	binary string
	flags  []string
	URL    string
	Keys   Keys
}

// programs are those that were built, by folder of the repository; programFolder is where
// they are.
var (
	programs      sync.Map
	programFolder string
)

// Build builds a program of the repository, which is a folder beside the library, once for
// all tests. The test is skipped with -short.
func Build(t *testing.T, folder string) (binary string) {
	t.Helper()
	if testing.Short() {
		t.Skip("programs of their own take long")
	}
	build, _ := programs.LoadOrStore(folder, sync.OnceValues(func() (string, error) {
		binary := filepath.Join(programFolder, filepath.Base(folder)+".exe")
		out, err := exec.Command("go", "build", "-o", binary, "github.com/seed238ab19c/tosspayments/"+folder).CombinedOutput()
		if err != nil {
			err = fmt.Errorf("%w: %s", err, out)
		}
		return binary, err
	}))
	binary, err := build.(func() (string, error))()
	require.NoError(t, err)
	return binary
}

// Start starts a sandbox on a free port.
func Start(t *testing.T, flags ...string) *Sandbox {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	s := &Sandbox{t: t, binary: Build(t, "cmd/toss-sandbox"), flags: append([]string{"-addr", address}, flags...), URL: "http://" + address}
	require.NoError(t, listener.Close())
	s.Run()
	t.Cleanup(s.Kill)
	return s
}

// Run starts the program, again after Kill, at its address.
func (s *Sandbox) Run() {
	s.t.Helper()
	s.cmd = exec.Command(s.binary, s.flags...)
	stdout, err := s.cmd.StdoutPipe()
	require.NoError(s.t, err)
	var complaints shoptest.Buffer
	s.cmd.Stderr = &complaints
	require.NoError(s.t, s.cmd.Start())
	if _, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
		s.Kill()
		require.NoError(s.t, err, "%s", &complaints)
	}
	response, err := http.Get(s.URL + "/sandbox/events") //nolint:noctx // a test's own server
	require.NoError(s.t, err)
	defer func() { _ = response.Body.Close() }()
	line, err := bufio.NewReader(response.Body).ReadString('\n')
	require.NoError(s.t, err)
	var news struct{ About struct{ Keys Keys } }
	require.NoError(s.t, json.Unmarshal([]byte(strings.TrimPrefix(line, "data: ")), &news))
	s.Keys = news.About.Keys
}

// Kill ends the program at once, as a power cut does.
func (s *Sandbox) Kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// client is a shop's server.
func (s *Sandbox) client() *tosspayments.Client {
	s.t.Helper()
	client, err := tosspayments.New(s.Keys.Secret, tosspayments.WithBaseURL(s.URL), tosspayments.WithMaxRetries(0))
	require.NoError(s.t, err)
	s.t.Cleanup(client.Close)
	return client
}

// authenticate plays the buyer of an order, without a browser.
func (s *Sandbox) authenticate(client *tosspayments.Client, orderID string, method tosspayments.Method) tosspayments.ConfirmPaymentRequest {
	s.t.Helper()
	p, err := client.CreatePayment(s.t.Context(), tosspayments.CreatePaymentRequest{
		Method: method, Amount: tosspayments.Won(15_000), OrderID: orderID, OrderName: "원두 1kg",
		SuccessURL: s.URL + "/shop", FailURL: s.URL + "/shop",
	})
	require.NoError(s.t, err)
	response, err := http.PostForm(p.Checkout.URL, url.Values{"outcome": {"pay"}}) //nolint:noctx // a test's own server
	require.NoError(s.t, err)
	require.NoError(s.t, response.Body.Close())
	return tosspayments.ConfirmPaymentRequest{PaymentKey: p.PaymentKey, OrderID: orderID, Amount: tosspayments.Won(15_000)}
}

func (s *Sandbox) pay(client *tosspayments.Client, orderID string, method tosspayments.Method) *tosspayments.Payment {
	s.t.Helper()
	p, err := client.ConfirmPayment(s.t.Context(), s.authenticate(client, orderID, method))
	require.NoError(s.t, err)
	return p
}
