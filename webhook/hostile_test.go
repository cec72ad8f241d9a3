package webhook_test

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/webhook"
)

const bodyLimit = 128 << 10

// fill makes a body as long as is taken.
func fill(head, repeat, tail string) string {
	n := (bodyLimit - len(head) - len(tail)) / len(repeat)
	return head + strings.Repeat(repeat, n) + tail
}

const payment = `{"eventType":"PAYMENT_STATUS_CHANGED","data":{"paymentKey":"p","orderId":"order-0001","status":"DONE","totalAmount":1,`

// hostileBodies cost more than others of their length.
func hostileBodies() map[string]string {
	return map[string]string{
		"cancels":        fill(payment+`"cancels":[{}`, `,{}`, `]}}`),
		"cash receipts":  fill(payment+`"cashReceipts":[{}`, `,{}`, `]}}`),
		"cancels of 0":   fill(payment+`"cancels":[0`, `,0`, `]}}`),
		"cancels in few": payment + `"cancels":[{}` + strings.Repeat(`,{}`, 990) + `]}}`,
		"odd cancels":    payment + `"cancels":[0` + strings.Repeat(`,{"canceledAt":"x","cancelAmount":{}}`, 990) + `]}}`,
		"metadata":       fill(payment+`"metadata":{"a":1`, `,"a":1`, `}}}`),
		"members":        `{"eventType":"X",` + manyMembers() + `}`,
		"data members":   payment + manyMembers() + `}}`,
		"lists":          fill(`{"eventType":"X","data":[`, `[],`, `0]}`),
		"depth":          `{"eventType":"X","data":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + `}`,
		"a text":         fill(`{"eventType":"BILLING_DELETED","data":{"billingKey":"k","reason":"`, `\u0041`, `"}}`),
		"a type":         fill(`{"eventType":"`, "x", `"}`),
		"an amount":      fill(`{"eventType":"PAYMENT_STATUS_CHANGED","data":{"paymentKey":"p","orderId":"o","status":"DONE","totalAmount":1`, "0", `}}`),
		"a time":         fill(`{"eventType":"X","createdAt":"`, "9", `"}`),
	}
}

func manyMembers() string {
	var b strings.Builder
	for b.Len() < bodyLimit-200 {
		fmt.Fprintf(&b, `"%x":0,`, b.Len())
	}
	return b.String() + `"last":0`
}

// allocated returns the bytes that f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// The memory of one delivery is in proportion to its bytes, whatever they say.
func TestHostileBodies(t *testing.T) {
	handler := &webhook.Handler{Handle: func(context.Context, webhook.Delivery) error { return nil }}
	handler.Receive(t.Context(), []byte(paymentEvent), webhook.Transmission{})
	for name, body := range hostileBodies() {
		assert.LessOrEqual(t, len(body), bodyLimit)
		used := allocated(func() { handler.Receive(t.Context(), []byte(body), webhook.Transmission{}) })
		assert.Less(t, used, uint64(3<<20), name)
		t.Logf("%-15s %4d KiB for %3d KiB", name, used>>10, len(body)>>10)
	}
}

// The MAC of each key is computed once, and only if there is a signature that can match.
func TestHostileSignatures(t *testing.T) {
	body := []byte(fill(`{"eventType":"payout.changed","entityBody":"`, "x", `"}`))
	verifier := verifier(t, securityKey, strings.Repeat("22", 32))
	possible := "v1:" + strings.Repeat("A", 43) + "="
	cost := func(signature string) float64 {
		return testing.AllocsPerRun(5, func() {
			assert.Error(t, verifier.Verify(body, webhook.Transmission{Time: sentAt, Signature: signature}))
		})
	}
	one := cost(possible)
	assert.Less(t, cost(strings.Repeat(",", 1000)), one)
	assert.Less(t, cost(strings.Repeat("v1:AAAA,", 100)), one)
	assert.Less(t, cost(strings.Repeat(possible+",", 21)), one+20, "ten short texts more, and no MAC")
	assert.Less(t, cost(strings.Repeat(possible+",", 300)), one)
}

func BenchmarkReceive(b *testing.B) {
	verifier := verifier(b, securityKey)
	handler := &webhook.Handler{
		Verifier: verifier,
		Secret: func(context.Context, string) (tosspayments.Sensitive, error) {
			return tosspayments.NewSensitive("ps_secret"), nil
		},
		Handle: func(context.Context, webhook.Delivery) error { return nil },
	}
	signature := sign(b, securityKey, payoutEvent, sentAt, true)
	for name, row := range map[string]struct{ body, signature string }{
		"deposit": {depositEvent, ""}, "payment": {paymentEvent, ""}, "signed": {payoutEvent, signature},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if handler.Receive(b.Context(), []byte(row.body), webhook.Transmission{Time: sentAt, Signature: row.signature}) != http.StatusOK {
					b.Fatal("not accepted")
				}
			}
		})
	}
}

// BenchmarkHostile is what an unauthenticated request costs at most.
func BenchmarkHostile(b *testing.B) {
	handler := &webhook.Handler{
		Verifier: verifier(b, securityKey),
		Handle:   func(context.Context, webhook.Delivery) error { return nil },
	}
	signature := strings.Repeat("v1:"+strings.Repeat("A", 43)+"=,", 21)
	for name, body := range hostileBodies() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				handler.Receive(b.Context(), []byte(body), webhook.Transmission{Time: sentAt, Signature: signature})
			}
		})
	}
}
