// Package sandboxtest tests cmd/toss-sandbox as a program: its pages in a browser, and
// the example shops in front of it.
package sandboxtest

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
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

// Start starts a sandbox on a free port.
func Start(t *testing.T, flags ...string) *Sandbox {
	t.Helper()
	s := &Sandbox{t: t, binary: shoptest.Build(t, "cmd/toss-sandbox"), flags: flags}
	s.run("127.0.0.1:0")
	t.Cleanup(s.Kill)
	return s
}

// Restart starts the program again after Kill, at its address.
func (s *Sandbox) Restart() {
	s.t.Helper()
	s.run(strings.TrimPrefix(s.URL, "http://"))
}

func (s *Sandbox) run(address string) {
	s.t.Helper()
	s.cmd = exec.Command(s.binary, append([]string{"-addr", address}, s.flags...)...)
	stdout, err := s.cmd.StdoutPipe()
	require.NoError(s.t, err)
	var complaints shoptest.Buffer
	s.cmd.Stderr = &complaints
	require.NoError(s.t, s.cmd.Start())
	for lines := bufio.NewReader(stdout); ; {
		line, err := lines.ReadString('\n')
		if err != nil {
			s.Kill()
			require.NoError(s.t, err, "%s", &complaints)
		}
		if name, rest, found := strings.Cut(line, "http://"); found && strings.TrimSpace(name) == "page" {
			host, _, _ := strings.Cut(rest, "/")
			s.URL = "http://" + host
			break
		}
	}
	response, err := http.Get(s.URL + "/sandbox/events")
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
	response, err := http.PostForm(p.Checkout.URL, url.Values{"outcome": {"pay"}})
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
