package recipes

import (
	"context"
	"net/http"
	"time"

	"github.com/seed238ab19c/tosspayments"
)

// NewServer has the time limits of a server that confirms payments behind a load
// balancer whose connections end after 60 idle seconds.
func NewServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		// The confirm has 25 seconds, its last look 5, and recording it 5.
		WriteTimeout: 40 * time.Second,
		// Longer than the load balancer's, which must be the one that closes.
		IdleTimeout: 75 * time.Second,
	}
}

// ConfirmWithin is a confirm that has ended a second before the limit of a gateway, which
// must be more than 6 seconds.
func ConfirmWithin(ctx context.Context, toss *tosspayments.Client, limit time.Duration, request tosspayments.ConfirmPaymentRequest, opts ...tosspayments.CallOption) (*tosspayments.Payment, error) {
	// The client may look once more after the deadline, for 5 seconds.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit-6*time.Second)
	defer cancel()
	return toss.ConfirmPayment(ctx, request, opts...)
}
