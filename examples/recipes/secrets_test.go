package recipes

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"html/template"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/webhook"
)

const (
	someSecret  = "ps_of-a-payment-0001"
	someAccount = "X6500000000001"
)

func paymentWithSecrets() *tosspayments.Payment {
	return &tosspayments.Payment{
		PaymentKey: "pay-1", OrderID: "order-0001", Status: tosspayments.PaymentStatusWaitingForDeposit, TotalAmount: tosspayments.Won(15000),
		Secret:         tosspayments.NewSensitive(someSecret),
		VirtualAccount: &tosspayments.VirtualAccount{AccountNumber: tosspayments.NewSensitive(someAccount)},
	}
}

// shopWithSecrets is a real database with one order that has no payment yet.
func shopWithSecrets(t *testing.T) *sql.DB {
	db, err := sql.Open("sqlite", ":memory:")
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	_, err = db.Exec(`
		CREATE TABLE orders (id TEXT PRIMARY KEY, payment TEXT, secret TEXT);
		CREATE TABLE refunds (id TEXT PRIMARY KEY, order_id TEXT, payment_key TEXT, reason TEXT, amount INT, whole BOOLEAN, balance INT, account TEXT, next_at TIMESTAMP);
		INSERT INTO orders (id) VALUES ('order-0001')`)
	require.NoError(t, err)
	return db
}

func TestPaymentIsStoredWhole(t *testing.T) {
	db, payment := shopWithSecrets(t), paymentWithSecrets()
	none, err := LoadPayment(t.Context(), db, payment.OrderID)
	require.NoError(t, err)
	assert.Zero(t, none)
	secret, err := SecretOf(db)(t.Context(), payment.OrderID)
	require.NoError(t, err)
	assert.True(t, secret.IsZero(), "not issued yet: the event is unverified, and wakes the job")

	require.NoError(t, SavePayment(t.Context(), db, payment))
	stored, err := LoadPayment(t.Context(), db, payment.OrderID)
	require.NoError(t, err)
	assert.Equal(t, *payment, stored)
	secret, err = SecretOf(db)(t.Context(), payment.OrderID)
	require.NoError(t, err)
	assert.True(t, secret.Equal(payment.Secret))
	_, err = SecretOf(db)(t.Context(), "order-9999")
	require.ErrorIs(t, err, webhook.ErrNotMine)
}

func TestRefundAccountIsForgotten(t *testing.T) {
	db := shopWithSecrets(t)
	account := &tosspayments.RefundReceiveAccount{Bank: "20", AccountNumber: tosspayments.NewSensitive(someAccount), HolderName: "김토스"}
	require.NoError(t, PlanRefund(t.Context(), db, Refund{ID: "refund-1", Account: account}))
	stored, err := RefundAccount(t.Context(), db, "refund-1")
	require.NoError(t, err)
	assert.Equal(t, account, stored)
	require.NoError(t, EndRefund(t.Context(), db, "refund-1"))
	stored, err = RefundAccount(t.Context(), db, "refund-1")
	require.NoError(t, err)
	assert.Nil(t, stored)

	require.NoError(t, PlanRefund(t.Context(), db, Refund{ID: "refund-2"}))
	stored, err = RefundAccount(t.Context(), db, "refund-2")
	require.NoError(t, err)
	assert.Nil(t, stored)
}

// What is shown by accident shows nothing.
func TestSecretsAreNotShown(t *testing.T) {
	payment := paymentWithSecrets()
	gin.SetMode(gin.TestMode)
	w := httptest.NewRecorder()
	c, _ := gin.CreateTestContext(w)
	ShowPayment(c, payment)
	assert.Contains(t, w.Body.String(), `"secret":"[redacted]"`)

	key := tosspayments.NewBillingKey("billing-key-1", "customer-0001")
	var log strings.Builder
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	logger.Info("", "payment", payment, "key", key, "nested", struct{ Payment any }{payment})
	page := template.Must(template.New("").Parse(`{{.Secret}} {{.VirtualAccount.AccountNumber}} <script>let p = {{.}}</script>`))
	require.NoError(t, page.Execute(&log, payment))
	document, err := bson.Marshal(payment)
	require.NoError(t, err)
	for _, shown := range []string{w.Body.String(), log.String(), string(document), fmt.Sprintf("%v %+v %#v", payment, payment, key)} {
		for _, secret := range []string{someSecret, someAccount, "billing-key-1", "customer-0001"} {
			assert.NotContains(t, shown, secret)
		}
	}

	var back tosspayments.Payment
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &back))
	assert.True(t, back.Secret.IsZero(), "what was redacted is absent")
}

func TestBillingKeyIsNotEncodedByAccident(t *testing.T) {
	key := tosspayments.NewBillingKey("billing-key-1", "customer-0001")
	for _, v := range []any{key, tosspayments.Billing{BillingKey: key}, map[string]any{"key": key}} {
		_, err := json.Marshal(v)
		require.ErrorContains(t, err, "Stored()")
		_, err = bson.Marshal(map[string]any{"key": v})
		require.Error(t, err)
	}
	document, err := bson.Marshal(map[string]any{"key": key.Stored()})
	require.NoError(t, err)
	var back struct {
		Key tosspayments.Stored[tosspayments.BillingKey]
	}
	require.NoError(t, bson.Unmarshal(document, &back))
	assert.Equal(t, key, back.Key.Get())
	assert.Error(t, json.Unmarshal([]byte(`{"Key":{"billingKey":"[redacted]","customerKey":"customer-0001"}}`), &back))
}
