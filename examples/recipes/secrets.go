package recipes

import (
	"context"
	"database/sql"
	"errors"

	"github.com/gin-gonic/gin"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/webhook"
)

// SavePayment stores a payment with everything in it, and its secret in a column of its
// own, where the receiver of deposit callbacks finds it.
func SavePayment(ctx context.Context, db *sql.DB, payment *tosspayments.Payment) error {
	_, err := db.ExecContext(ctx, `UPDATE orders SET payment = $2, secret = $3 WHERE id = $1`,
		payment.OrderID, payment.Stored(), payment.Secret)
	return err
}

// LoadPayment reads it back. An order without a payment has the zero Payment.
func LoadPayment(ctx context.Context, db *sql.DB, orderID string) (tosspayments.Payment, error) {
	var stored tosspayments.Stored[tosspayments.Payment]
	err := db.QueryRowContext(ctx, `SELECT payment FROM orders WHERE id = $1`, orderID).Scan(&stored)
	return stored.Get(), err
}

// SecretOf is a Secret for a [webhook.Handler].
func SecretOf(db *sql.DB) func(context.Context, string) (tosspayments.Sensitive, error) {
	return func(ctx context.Context, orderID string) (secret tosspayments.Sensitive, err error) {
		err = db.QueryRowContext(ctx, `SELECT secret FROM orders WHERE id = $1`, orderID).Scan(&secret)
		if errors.Is(err, sql.ErrNoRows) {
			return secret, webhook.ErrNotMine
		}
		return secret, err
	}
}

// PlanRefund stores a refund with the account that a deposit is refunded to.
func PlanRefund(ctx context.Context, db *sql.DB, refund Refund) error {
	_, err := db.ExecContext(ctx, `INSERT INTO refunds (id, order_id, payment_key, reason, amount, whole, balance, account, next_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		refund.ID, refund.OrderID, refund.PaymentKey, refund.Reason, refund.Amount, refund.Whole, refund.Balance,
		tosspayments.Store(refund.Account), refund.NextAt)
	return err
}

// RefundAccount reads it for the call; nil when it has been forgotten.
func RefundAccount(ctx context.Context, db *sql.DB, id string) (*tosspayments.RefundReceiveAccount, error) {
	var account tosspayments.Stored[*tosspayments.RefundReceiveAccount]
	err := db.QueryRowContext(ctx, `SELECT account FROM refunds WHERE id = $1`, id).Scan(&account)
	return account.Get(), err
}

// EndRefund forgets the account once the refund has ended.
func EndRefund(ctx context.Context, db *sql.DB, id string) error {
	_, err := db.ExecContext(ctx, `UPDATE refunds SET account = NULL WHERE id = $1`, id)
	return err
}

// ShowPayment sends a payment to the browser.
func ShowPayment(c *gin.Context, payment *tosspayments.Payment) {
	c.JSON(200, payment) // "secret":"[redacted]"
}
