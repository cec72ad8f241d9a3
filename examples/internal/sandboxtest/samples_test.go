package sandboxtest_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/examples/internal/shoptest"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// TestSample drives one of Toss Payments' official samples, unchanged, against the fake:
// github.com/tosspayments/tosspayments-sample, of which nothing is copied here. It needs
//
//	SAMPLE_COMMAND  starts the sample: "cd express-javascript && exec node server.js"
//	SAMPLE_URL      where it is then: "http://localhost:4000"
//	SAMPLE_PAGES    its pages: "/%s.html"
//
// The browser finds the fake under the names of the real service. So does the sample's
// server, over a proxy that HTTPS_PROXY names; Node's fetch, which knows none, is
// redirected by a module that is loaded before the sample.
func TestSample(t *testing.T) {
	command := os.Getenv("SAMPLE_COMMAND")
	if command == "" {
		t.Skip("SAMPLE_COMMAND does not start one of the official samples")
	}
	toss := tosstest.NewServer(t)
	names := newRealNames(t, toss)
	shoptest.Hosts = "MAP js.tosspayments.com:443 " + names.address + ", MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
	names.start(t, command, os.Getenv("SAMPLE_URL"))
	for _, of := range []struct {
		name string
		test func(*sample)
	}{{"widget", (*sample).widget}, {"payment", (*sample).payment}, {"billing", (*sample).billing}, {"failure", (*sample).failure}, {"brandpay", (*sample).brandpay}} {
		t.Run(of.name, func(t *testing.T) {
			b := shoptest.NewBrowser(t)
			b.Desktop()
			of.test(&sample{page: &page{b, t, toss, os.Getenv("SAMPLE_URL"), nil}, pages: os.Getenv("SAMPLE_PAGES")})
		})
	}
}

type sample struct {
	*page
	pages string
	// last is the payment that was confirmed last.
	last string
}

func (s *sample) open(name string) {
	s.t.Helper()
	s.Visit(s.url + fmt.Sprintf(s.pages, name))
}

// press waits for a button with a text and presses it.
func (s *sample) press(text string) {
	s.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if shoptest.Get(s.Browser, chromedp.Evaluate[bool](`(b => b ? (b.click(), true) : false)(
			[...document.querySelectorAll("button")].find((b) => !b.disabled && b.innerText.trim().startsWith(`+strconv.Quote(text)+`)))`)) {
			return
		}
	}
	s.t.Fatalf("no button %q on %s: %s", text, s.Address(), s.Text("body"))
}

// ask presses a button until a window is open: some pages ignore it until the script has
// been loaded.
func (s *sample) ask(text string) {
	s.t.Helper()
	for range 20 {
		s.press(text)
		for range 10 {
			time.Sleep(100 * time.Millisecond)
			if shoptest.Get(s.Browser, chromedp.Evaluate[bool](`!!document.querySelector('`+window+`')`)) {
				return
			}
		}
	}
	s.t.Fatalf("%q opens no window on %s", text, s.Address())
}

// confirmed waits until the newest payment is what it should be, and the page shows it.
func (s *sample) confirmed(status tosspayments.PaymentStatus, amount string) {
	s.t.Helper()
	var payment tosspayments.Payment
	require.EventuallyWithT(s.t, func(c *assert.CollectT) {
		if newest := s.toss.Payments(1); assert.NotEmpty(c, newest) {
			payment = newest[0]
			assert.NotEqual(c, s.last, payment.PaymentKey)
			assert.Equal(c, status, payment.Status)
			assert.Equal(c, amount, payment.TotalAmount.String())
		}
	}, 30*time.Second, 100*time.Millisecond)
	s.last = payment.PaymentKey
	s.WaitFor("body", payment.PaymentKey)
	assert.NotContains(s.t, s.Address(), "fail")
}

func (s *sample) widget() {
	s.open("widget/checkout")
	s.in(methods, `[data-code="CARD"]`)
	s.Frame(methods).Pick("#company", "61")
	shoptest.Get(s.Browser, chromedp.Evaluate[any](`document.querySelector("input[type=checkbox]").click(); null`))
	s.ask("결제하기")
	s.in(window, ".pay")
	s.confirmed(tosspayments.PaymentStatusDone, "45000")
}

func (s *sample) payment() {
	for _, method := range []string{"CARD", "TRANSFER", "VIRTUAL_ACCOUNT", "MOBILE_PHONE", "CULTURE_GIFT_CERTIFICATE", "FOREIGN_EASY_PAY"} {
		s.open("payment/checkout")
		s.Click("#" + method)
		s.ask("결제하기")
		s.in(window, ".pay")
		switch method {
		case "VIRTUAL_ACCOUNT":
			s.confirmed(tosspayments.PaymentStatusWaitingForDeposit, "50000")
		case "FOREIGN_EASY_PAY":
			s.confirmed(tosspayments.PaymentStatusDone, "100")
		default:
			s.confirmed(tosspayments.PaymentStatusDone, "50000")
		}
	}
}

func (s *sample) billing() {
	for _, method := range []string{"CARD", "TRANSFER"} {
		s.open("payment/checkout")
		s.Visible("#CARD")
		if !shoptest.Get(s.Browser, chromedp.Evaluate[bool](`!!document.querySelector("#BILLING_CARD")`)) {
			s.t.Skip("this sample registers in another way")
		}
		s.Click("#BILLING_" + method)
		s.ask("자동결제 수단 등록하기")
		s.in(window, ".pay")
		s.WaitFor("body", "billingKey\":")
		s.press("등록된 빌링키로 자동결제 실행하기")
		s.confirmed(tosspayments.PaymentStatusDone, "4900")
	}
}

func (s *sample) failure() {
	s.open("payment/checkout")
	s.Click("#CARD")
	s.ask("결제하기")
	s.in(window, "summary", `button[value="reject"]`)
	s.WaitFor("body", "REJECT_CARD_COMPANY")
}

func (s *sample) brandpay() {
	s.open("brandpay/checkout")
	s.ask("결제수단추가")
	s.in(window, "label:nth-of-type(1) input", "label:nth-of-type(2) input", ".pay", `label:has([value="bank:88"])`, ".pay")
	s.gone(window)
	assert.Equal(s.t, 1, s.toss.Calls(tosstest.IssueBrandPayToken))
	for _, button := range []string{"원터치페이설정변경", "비밀번호변경"} {
		s.ask(button)
		s.in(window, ".pay")
		s.gone(window)
	}
	s.ask("브랜드페이 설정 열기")
	s.in(window, "#close")
	s.gone(window)
	s.ask("결제하기")
	s.in(window, ".pay")
	s.confirmed(tosspayments.PaymentStatusDone, "50000")
}

// realNames stands for api.tosspayments.com and js.tosspayments.com.
type realNames struct {
	address, proxy, folder string
	toss                   string
}

func newRealNames(t *testing.T, toss *tosstest.Server) *realNames {
	t.Helper()
	// Itself, it answers under the names of this machine only.
	front := httptest.NewUnstartedServer(toss)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	certificate := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "tosstest"}, DNSNames: []string{"api.tosspayments.com", "js.tosspayments.com"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, certificate, certificate, &key.PublicKey, key)
	require.NoError(t, err)
	front.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	front.StartTLS()
	t.Cleanup(front.Close)
	r := &realNames{address: front.Listener.Addr().String(), folder: t.TempDir(), toss: toss.URL}
	require.NoError(t, os.WriteFile(filepath.Join(r.folder, "ca.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(r.folder, "fetch.cjs"), []byte(`const real = globalThis.fetch;
globalThis.fetch = (address, ...rest) => real(String(address).replace("https://api.tosspayments.com", process.env.SAMPLE_API), ...rest);`), 0o600))
	proxy := httptest.NewServer(http.HandlerFunc(r.tunnel))
	t.Cleanup(proxy.Close)
	r.proxy = proxy.URL
	return r
}

// tunnel answers CONNECT: every host is the fake.
func (r *realNames) tunnel(w http.ResponseWriter, _ *http.Request) {
	back, err := net.Dial("tcp", r.address)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	w.WriteHeader(http.StatusOK)
	connection, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	go func() {
		_, _ = io.Copy(back, connection)
		_ = back.Close()
	}()
	_, _ = io.Copy(connection, back)
	_ = connection.Close()
}

// start starts the server of the sample, which ends with the test.
func (r *realNames) start(t *testing.T, command, address string) {
	t.Helper()
	ca := filepath.Join(r.folder, "ca.pem")
	run := exec.Command("sh", "-c", command)
	run.Env = append(os.Environ(), "SAMPLE_API="+r.toss, "NODE_OPTIONS=--require="+filepath.Join(r.folder, "fetch.cjs"),
		"HTTPS_PROXY="+r.proxy, "https_proxy="+r.proxy, "SSL_CERT_FILE="+ca, "REQUESTS_CA_BUNDLE="+ca, "CURL_CA_BUNDLE="+ca, "SAMPLE_CA="+ca)
	run.Stdout, run.Stderr = t.Output(), t.Output()
	run.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, run.Start())
	t.Cleanup(func() {
		_ = syscall.Kill(-run.Process.Pid, syscall.SIGKILL)
		_ = run.Wait()
	})
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		response, err := http.Get(address)
		if assert.NoError(c, err) {
			_ = response.Body.Close()
		}
	}, time.Minute, 200*time.Millisecond, strings.TrimSpace(command))
}
