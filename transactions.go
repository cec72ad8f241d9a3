package tosspayments

import (
	"context"
	"iter"
	"net/url"
	"strconv"
	"time"
)

// Transaction is one movement of a payment: its approval or one of its cancels. They
// share the payment key, and each has a transaction key of its own.
//
// Source: https://docs.tosspayments.com/reference#transaction-객체
type Transaction struct {
	MID            string `json:"mId,omitzero"`
	TransactionKey string `json:"transactionKey,omitzero"`
	PaymentKey     string `json:"paymentKey,omitzero"`
	OrderID        string `json:"orderId,omitzero"`
	// Method is the kind of payment in words.
	Method MethodName `json:"method,omitzero"`
	// CustomerKey is set for billing, and for buyers of the widget.
	CustomerKey Sensitive `json:"customerKey,omitzero"`
	UseEscrow   bool      `json:"useEscrow,omitzero"`
	ReceiptURL  string    `json:"receiptUrl,omitzero"`
	// Status is CANCELED or PARTIAL_CANCELED for a cancel.
	Status        PaymentStatus `json:"status,omitzero"`
	TransactionAt time.Time     `json:"transactionAt,omitzero"`
	Currency      string        `json:"currency,omitzero"`
	// Amount may be negative or positive for a cancel: no document says which. Decide
	// by Status. See [Transaction.NetAmount].
	Amount Amount `json:"amount"`
}

// IsCancel reports whether money went back.
func (t *Transaction) IsCancel() bool {
	return t.Status == PaymentStatusCanceled || t.Status == PaymentStatusPartialCanceled
}

// NetAmount returns the amount with the sign of its direction: more than 0 for an
// approval, less than 0 for a cancel.
func (t *Transaction) NetAmount() Amount {
	zero := Amount{}
	if t.IsCancel() == (t.Amount.Cmp(zero) > 0) {
		return zero.Sub(t.Amount)
	}
	return t.Amount
}

// TransactionQuery asks for the transactions of a period.
type TransactionQuery struct {
	// StartDate and EndDate are required. Both ends count, to the second; they are
	// sent in Korean time. Ask for closed days: with an end in the future the list
	// grows while it is read.
	StartDate, EndDate time.Time
	// StartingAfter is a transaction key: the rows after it. "" begins at the start.
	StartingAfter string
	// Limit is the size of a page: at most 5000; 0 is 100.
	Limit int
}

var listTransactions = listOperation("list transactions", "/v1/transactions")

// ListTransactions reads one page. A page of fewer rows than the limit is the last.
// The order of the rows is not documented. One attempt takes at most 60 seconds.
//
// Source: https://docs.tosspayments.com/reference#거래-조회
func (c *Client) ListTransactions(ctx context.Context, query TransactionQuery, opts ...CallOption) ([]Transaction, error) {
	if err := query.validate(); err != nil {
		return nil, asRead(err)
	}
	values := url.Values{"startDate": {inKST(query.StartDate)}, "endDate": {inKST(query.EndDate)}}
	if query.StartingAfter != "" {
		values.Set("startingAfter", query.StartingAfter)
	}
	if query.Limit != 0 {
		values.Set("limit", strconv.Itoa(query.Limit))
	}
	return readList[Transaction](ctx, c, listTransactions, values, opts, "transactionKey", "amount", "currency", "status")
}

// AllTransactions reads page after page, and yields each row once. It holds two pages
// at most. An error is yielded last; it may be that of a page in the middle, and the
// rows before it are good.
func (c *Client) AllTransactions(ctx context.Context, query TransactionQuery, opts ...CallOption) iter.Seq2[Transaction, error] {
	return func(yield func(Transaction, error) bool) {
		query := query
		key := func(t *Transaction) string { return t.TransactionKey }
		allPages(key, func(last []Transaction) ([]Transaction, bool, error) {
			if len(last) > 0 {
				query.StartingAfter = last[len(last)-1].TransactionKey
				if query.StartingAfter == "" {
					return nil, false, errRepeatedPage
				}
			}
			rows, err := c.ListTransactions(ctx, query, opts...)
			return rows, len(rows) > 0 && len(rows) >= pageSize(query.Limit), err
		})(yield)
	}
}

func pageSize(asked int) int {
	if asked == 0 {
		return defaultPageSize
	}
	return asked
}
