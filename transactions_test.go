package tosspayments_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/seed238ab19c/tosspayments"
)

// TestNetAmount: no document says which sign the row of a cancel has.
func TestNetAmount(t *testing.T) {
	for _, row := range []struct {
		status tosspayments.PaymentStatus
		amount int64
		net    int64
	}{{"DONE", 1000, 1000}, {"CANCELED", 1000, -1000}, {"PARTIAL_CANCELED", -1000, -1000}, {"CANCELED", 0, 0}} {
		transaction := tosspayments.Transaction{Status: row.status, Amount: tosspayments.Won(row.amount)}
		assert.Equal(t, tosspayments.Won(row.net), transaction.NetAmount(), row)
	}
}
