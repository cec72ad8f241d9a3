//go:build unix

package tosstest_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// BenchmarkManyPayments puts 200,000 payments through one server that delivers
// webhooks, each with a lookup, a refund and what tests assert on, and compares the
// CPU time of the first 10,000 with that of the last, and of the quarters, which even
// out the garbage collector's turns. Run it with -benchtime=1x.
func BenchmarkManyPayments(b *testing.B) {
	const all, part = 200_000, 10_000
	for range b.N {
		server := tosstest.New()
		server.RegisterWebhookHandler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		header := http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(tosstest.DefaultSecretKey+":"))}}
		var times []time.Duration
		last := cpuTime(b)
		for i := range all {
			payOnce(b, server, header, i)
			if i%part == part-1 {
				server.WaitWebhooks()
				now := cpuTime(b)
				times = append(times, now-last)
				last = now
			}
		}
		server.Close()
		b.ReportMetric(float64(times[0].Microseconds())/part, "first-cpu-µs/payment")
		b.ReportMetric(float64(times[len(times)-1].Microseconds())/part, "last-cpu-µs/payment")
		b.ReportMetric(float64(times[len(times)-1])/float64(times[0]), "last/first")
		b.ReportMetric(float64(sum(times[len(times)*3/4:]))/float64(sum(times[:len(times)/4])), "last/first-quarter")
		b.Log(times)
	}
}

func payOnce(b *testing.B, server *tosstest.Server, header http.Header, i int) {
	order := fmt.Sprintf("order-%09d", i)
	call := func(method, path, body string) {
		r, err := http.NewRequestWithContext(b.Context(), method, server.URL+path, strings.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		r.Header = header.Clone()
		if method == http.MethodPost {
			r.Header.Set("Idempotency-Key", order+path)
		}
		response, err := server.Transport().RoundTrip(r)
		if err != nil || response.StatusCode != http.StatusOK {
			b.Fatal(response, err)
		}
	}
	redirect := server.Authenticate(tosstest.Checkout{OrderID: order, OrderName: "many", Amount: tosspayments.Won(1000)})
	call(http.MethodPost, "/v1/payments/confirm", fmt.Sprintf(`{"paymentKey":%q,"orderId":%q,"amount":1000}`, redirect.PaymentKey, order))
	call(http.MethodGet, "/v1/payments/orders/"+order, "")
	call(http.MethodPost, "/v1/payments/"+redirect.PaymentKey+"/cancel", `{"cancelReason":"r","cancelAmount":1}`)
	call(http.MethodPost, "/v1/cash-receipts", fmt.Sprintf(`{"orderId":%q,"orderName":"many","amount":1000,"type":"소득공제","customerIdentityNumber":"01012345678"}`, order))
	if server.Charges(order) != 1 || len(server.Refunds(order)) != 1 {
		b.Fatal("charges and refunds")
	}
	if i%100 == 0 {
		now := server.Now().In(time.FixedZone("KST", 9*60*60)).Format(time.RFC3339)[:19]
		call(http.MethodGet, "/v1/transactions?limit=10&startDate="+now+"&endDate="+now, "")
		_ = server.Calls(tosstest.ConfirmPayment)
	}
}

func sum(times []time.Duration) (all time.Duration) {
	for _, d := range times {
		all += d
	}
	return all
}

// cpuTime is what this process has used: on a busy machine the wall clock says little.
func cpuTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
