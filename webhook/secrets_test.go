package webhook_test

import (
	"context"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/internal/leak"
	"github.com/seed238ab19c/tosspayments/webhook"
)

func TestNoSecretLeavesAnyType(t *testing.T) {
	const marker = "marker-5ec2e7-of-a-secret"
	key := strings.Repeat("5ec2e7ab", 8)
	verifier, err := webhook.NewVerifier(key)
	require.NoError(t, err)
	deposit, err := webhook.Parse([]byte(`{"createdAt":"2026-03-01T13:05:44","secret":"` + marker + `","status":"DONE","transactionKey":"T1","orderId":"order-0001"}`))
	require.NoError(t, err)
	deleted, err := webhook.Parse([]byte(`{"eventType":"BILLING_DELETED","data":{"billingKey":"` + marker + `"}}`))
	require.NoError(t, err)
	known := map[string]bool{"Handler": true}
	handle := func(context.Context, webhook.Delivery) error { return nil }
	for _, value := range []any{
		*verifier, webhook.Transmission{}, *deposit, *deposit.Deposit, *deleted, *deleted.Billing,
		webhook.Delivery{Event: deposit, Payment: &tosspayments.Payment{Secret: tosspayments.NewSensitive(marker)}},
		struct{ Handler *webhook.Handler }{&webhook.Handler{Handle: handle, Verifier: verifier}},
	} {
		known[reflect.TypeOf(value).Name()] = true
		for way, text := range leak.Ways(value) {
			assert.NotContains(t, text, marker, "%T, %s", value, way)
			assert.NotContains(t, text, key, "%T, %s", value, way)
		}
	}
	names, err := leak.Types(".")
	require.NoError(t, err)
	for _, name := range names {
		assert.True(t, known[name], "the type %s is not in the list of this test", name)
	}
}
