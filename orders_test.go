package tosspayments_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/seed238ab19c/tosspayments"
)

func TestNewOrderID(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		id := tosspayments.NewOrderID()
		assert.NoError(t, tosspayments.ValidateOrderID(id))
		assert.GreaterOrEqual(t, len(id), 26)
		assert.False(t, seen[id])
		seen[id] = true
	}
}

func TestValidators(t *testing.T) {
	for _, row := range []struct {
		validate func(string) error
		value    string
		problem  string // "" is none
	}{
		{tosspayments.ValidateOrderID, "abc-_=.123", ""},
		{tosspayments.ValidateOrderID, strings.Repeat("a", 64), ""},
		{tosspayments.ValidateOrderID, "abcde", "6 to 64 characters, has 5"},
		{tosspayments.ValidateOrderID, strings.Repeat("a", 65), "6 to 64 characters, has 65"},
		{tosspayments.ValidateOrderID, "", "orderId is empty"},
		{tosspayments.ValidateOrderID, "abc def", "only letters, digits and - _ = ."},
		{tosspayments.ValidateOrderID, "abc@def", "only letters"},
		{tosspayments.ValidateOrderID, "abc[def", "only letters"},
		{tosspayments.ValidateOrderName, "원두 1kg 외 2건", ""},
		{tosspayments.ValidateOrderName, strings.Repeat("가", 100), ""},
		{tosspayments.ValidateOrderName, strings.Repeat("가", 101), "1 to 100 characters, has 101"},
		{tosspayments.ValidateOrderName, "", "orderName is empty"},
		{tosspayments.ValidateOrderName, "\xff", "UTF-8"},
		{tosspayments.ValidateCustomerKey, "user@1=_-.", ""},
		{tosspayments.ValidateCustomerKey, "@@ANONYMOUS", ""},
		{tosspayments.ValidateCustomerKey, strings.Repeat("k", 300), ""},
		{tosspayments.ValidateCustomerKey, strings.Repeat("k", 301), "2 to 300"},
		{tosspayments.ValidateCustomerKey, "k", "2 to 300"},
		{tosspayments.ValidateCustomerKey, "a b", "only letters, digits and - _ = . @"},
	} {
		err := row.validate(row.value)
		if row.problem == "" {
			assert.NoError(t, err, row.value)
		} else {
			assert.ErrorContains(t, err, row.problem, row.value)
		}
	}
}
