package tosstest_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// BenchmarkServer is a load of payments and confirms over HTTP, from many callers: how
// many confirms per second the server answers with the library in the same process.
func BenchmarkServer(b *testing.B) {
	server, err := tosstest.Start()
	if err != nil {
		b.Fatal(err)
	}
	defer server.Close()
	client := server.Client()
	var n atomic.Int64
	b.SetParallelism(16)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			redirect := server.Authenticate(tosstest.Checkout{OrderID: fmt.Sprintf("order-%09d", n.Add(1)), OrderName: "load", Amount: tosspayments.Won(1000)})
			request, err := redirect.ConfirmRequest(tosspayments.Won(1000))
			if err != nil {
				b.Error(err)
				return
			}
			if _, err := client.ConfirmPayment(b.Context(), request); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "confirms/s")
}
