package payouts_test

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/internal/leak"
	"github.com/seed238ab19c/tosspayments/payouts"
)

func TestNoSecretLeavesAnyType(t *testing.T) {
	const marker = "marker-5ec2e7-of-a-secret"
	set := func(t reflect.Type) (reflect.Value, bool) {
		if t == reflect.TypeFor[tosspayments.Sensitive]() {
			return reflect.ValueOf(sensitive(marker)), true
		}
		return reflect.Value{}, false
	}
	client, _ := scriptedClient(t, lost)
	values := []any{*client}
	for _, empty := range []any{
		payouts.Account{}, payouts.Balance{}, payouts.Company{}, payouts.DeletedSeller{}, payouts.Individual{}, payouts.Money{}, payouts.Payout{},
		payouts.PayoutPage{}, payouts.PayoutQuery{}, payouts.PayoutRequest{}, payouts.RegisterSellerRequest{}, payouts.Seller{}, payouts.SellerPage{},
		payouts.SellerQuery{}, payouts.UpdateSellerRequest{},
	} {
		filled := reflect.New(reflect.TypeOf(empty))
		leak.Fill(filled.Elem(), set)
		values = append(values, filled.Elem().Interface())
	}
	known := map[string]bool{}
	for _, value := range values {
		known[reflect.TypeOf(value).Name()] = true
		for way, text := range leak.Ways(value) {
			assert.NotContains(t, text, marker, "%T, %s", value, way)
			assert.NotContains(t, text, newKey, "%T, %s", value, way)
		}
	}
	names, err := leak.Types(".")
	require.NoError(t, err)
	for _, name := range names {
		assert.True(t, known[name], "the type %s is not in the list of this test", name)
	}
}

// The server may repeat what it was sent; errors do not.
func TestErrorsRepeatNoPersonalData(t *testing.T) {
	a := answer{status: 400, body: `{"error":{"code":"NOT_MATCH_PAYEE_NAME","message":"홍길동 has no account 1000-1234-5678 / 100012345678, call 01012345678"}}`}
	client, _ := scriptedClient(t, a.sealed())
	_, err := client.RegisterSeller(t.Context(), registrationRequest())
	var refused *tosspayments.Error
	require.True(t, errors.As(err, &refused))
	for _, secret := range []string{"홍길동", "100012345678", "01012345678"} {
		assert.NotContains(t, fmt.Sprintf("%+v %s", refused, refused.Message), secret)
	}
}
