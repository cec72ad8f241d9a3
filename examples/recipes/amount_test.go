package recipes

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/seed238ab19c/tosspayments"
)

// Stored amounts come back as they were, or not at all: here through a real SQLite and
// the real BSON package.

func TestAmountInSQLite(t *testing.T) {
	db, err := sql.Open("sqlite", ":memory:")
	require.NoError(t, err)
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	_, err = db.Exec("CREATE TABLE amounts (a NUMERIC(12,2), b DECIMAL(12,2), c INTEGER, d REAL, e TEXT)")
	require.NoError(t, err)
	read := func(column, text string) (stored tosspayments.Amount, err error) {
		_, err = db.Exec("DELETE FROM amounts")
		require.NoError(t, err)
		_, err = db.Exec("INSERT INTO amounts ("+column+") VALUES (?)", parsed(t, text))
		require.NoError(t, err)
		err = db.QueryRow("SELECT " + column + " FROM amounts").Scan(&stored)
		return stored, err
	}
	for _, column := range []string{"a", "b", "c", "d", "e"} {
		for _, text := range []string{"15000", "12.5", "0.1", "-0.01", "9999999999999.99", "-123456789012.345"} {
			stored, err := read(column, text)
			require.NoError(t, err, "%s in %s", text, column)
			assert.Equal(t, parsed(t, text), stored, "in %s", column)
		}
		// More digits than a floating-point number keeps: exact, or an error.
		stored, err := read(column, "12345678901234.5678")
		if err == nil {
			assert.Equal(t, "12345678901234.5678", stored.String(), "in %s", column)
		}
	}
}

func TestAmountInMongoDB(t *testing.T) {
	type row struct {
		ID      string
		Amount  tosspayments.Amount
		Balance *tosspayments.Amount
	}
	for _, text := range []string{"15000", "0", "12.5", "-0.01", "12345678901234567890.123456789012"} {
		amount := parsed(t, text)
		document, err := bson.Marshal(row{"1", amount, &amount})
		require.NoError(t, err)
		var stored row
		require.NoError(t, bson.Unmarshal(document, &stored))
		assert.Equal(t, row{"1", amount, &amount}, stored)

		decimal, err := bson.ParseDecimal128(text)
		require.NoError(t, err)
		document, err = bson.Marshal(bson.M{"amount": decimal})
		require.NoError(t, err)
		require.NoError(t, bson.Unmarshal(document, &stored))
		assert.Equal(t, amount, stored.Amount)
	}
}

func parsed(t *testing.T, text string) tosspayments.Amount {
	t.Helper()
	amount, err := tosspayments.ParseAmount(text)
	require.NoError(t, err)
	return amount
}

// A payment as it is keeps its amounts and no secret; what is stored by name is whole.
func TestPaymentInMongoDB(t *testing.T) {
	won := tosspayments.Won(15000)
	payment := tosspayments.Payment{
		PaymentKey: "pay-1", OrderID: "order-0001", Status: tosspayments.PaymentStatusDone, TotalAmount: won, BalanceAmount: &won,
		Secret:         tosspayments.NewSensitive("ps_case_0001"),
		VirtualAccount: &tosspayments.VirtualAccount{AccountNumber: tosspayments.NewSensitive("X6500000000001")},
	}
	document, err := bson.Marshal(payment)
	require.NoError(t, err)
	assert.NotContains(t, string(document), "ps_case_0001")
	assert.NotContains(t, string(document), "X6500000000001")
	var shown tosspayments.Payment
	require.NoError(t, bson.Unmarshal(document, &shown))
	assert.Equal(t, won, shown.TotalAmount)
	assert.Equal(t, won, *shown.BalanceAmount)
	assert.True(t, shown.Secret.IsZero(), "[redacted] is no secret")

	type row struct {
		Payment tosspayments.Stored[tosspayments.Payment]
	}
	document, err = bson.Marshal(row{payment.Stored()})
	require.NoError(t, err)
	var stored row
	require.NoError(t, bson.Unmarshal(document, &stored))
	assert.Equal(t, payment, stored.Payment.Get())
}
