package tosspayments

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/seed238ab19c/tosspayments/internal/lenient"
)

const maxCashReceiptPage = 10000

// IssueCashReceiptRequest asks for a cash receipt (현금영수증) for money that did not
// come through Toss Payments.
type IssueCashReceiptRequest struct {
	OrderID   string `json:"orderId"`
	OrderName string `json:"orderName"`
	// Amount is in won.
	Amount Amount `json:"amount"`
	// Type is 소득공제 (consumer) or 지출증빙 (business).
	Type string `json:"type"`
	// CustomerIdentityNumber is the phone number, business number or card number to register
	// it for, at most 30 characters; 0100001234 issues one without a recipient.
	CustomerIdentityNumber Sensitive `json:"customerIdentityNumber"`
	TaxFreeAmount          Amount    `json:"taxFreeAmount,omitzero"`
}

// CancelCashReceiptRequest cancels a cash receipt.
type CancelCashReceiptRequest struct {
	// Amount is what is cancelled; nil is all.
	Amount *Amount `json:"amount,omitzero"`
}

// CashReceiptQuery asks for the cash receipts of a day.
type CashReceiptQuery struct {
	// RequestDate is required.
	RequestDate Date
	// Cursor is the LastCursor of the page before; "" begins at the start.
	Cursor Cursor
	// Limit is the size of a page: at most 10000; 0 is 100.
	Limit int
}

// Cursor is where a page of cash receipts ends. It is a number in the documents; a text
// is read, too.
type Cursor string

// UnmarshalJSON reads a number or a text; null is "".
func (c *Cursor) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, (*string)(c))
	}
	var number json.Number
	if err := json.Unmarshal(data, &number); err != nil {
		return err
	}
	*c = Cursor(number)
	return nil
}

// CashReceiptPage is one page of cash receipts.
type CashReceiptPage struct {
	HasNext    bool          `json:"hasNext"`
	LastCursor Cursor        `json:"lastCursor"`
	Data       []CashReceipt `json:"data"`
}

var (
	issueCashReceipt = &operation{
		name: "issue cash receipt", method: http.MethodPost, template: "/v1/cash-receipts", timeout: moneyTimeout,
	}
	cancelCashReceipt = &operation{
		name: "cancel cash receipt", method: http.MethodPost, template: "/v1/cash-receipts/{receiptKey}/cancel", timeout: moneyTimeout,
	}
	listCashReceipts = listOperation("list cash receipts", "/v1/cash-receipts")
)

// IssueCashReceipt issues a cash receipt. It is IN_PROGRESS at first; the tax office
// decides within a day or two. After an [*OutcomeUnknownError] repeat with its
// idempotency key, or look through the day's list. A [*MismatchError] says that the answer
// is the receipt of another order or amount, as under a key that was used for another.
//
// Source: https://docs.tosspayments.com/reference#현금영수증-발급-요청
func (c *Client) IssueCashReceipt(ctx context.Context, req IssueCashReceiptRequest, opts ...CallOption) (*CashReceipt, error) {
	if err := req.validate(); err != nil {
		return nil, err
	}
	receipt, err := c.postCashReceipt(ctx, issueCashReceipt, issueCashReceipt.template, req, opts)
	if err != nil {
		return nil, err
	}
	field, want, got := "", "", ""
	switch {
	case receipt.OrderID != "" && receipt.OrderID != req.OrderID:
		field, want, got = "orderId", req.OrderID, receipt.OrderID
	case receipt.Amount != req.Amount:
		field, want, got = "amount", req.Amount.String(), receipt.Amount.String()
	default:
		return receipt, nil
	}
	return nil, &MismatchError{CallDetails: CallDetails{Operation: issueCashReceipt.name}, Field: field, Want: want, Got: got}
}

// postCashReceipt makes a call that is answered with the record of a receipt. One without
// a key or a readable amount is no answer.
func (c *Client) postCashReceipt(ctx context.Context, op *operation, path string, req any, opts []CallOption) (*CashReceipt, error) {
	var receipt *CashReceipt
	err := c.post(ctx, op, path, req, func(body []byte) (unread []string, err error) {
		receipt = new(CashReceipt)
		unread, err = lenient.Unmarshal(body, receipt)
		if err == nil && badField(body, unread, []string{"receiptKey", "amount"}) != "" {
			err = errNoReceipt
		}
		return unread, err
	}, opts)
	if err != nil {
		return nil, err
	}
	return receipt, nil
}

var (
	errNoReceipt     = error(sentinel("it is not a cash receipt: receiptKey or amount is missing, or cannot be read"))
	errNoReceiptPage = error(sentinel("it is not a page of cash receipts: hasNext is missing, or cannot be read"))
)

// CancelCashReceipt cancels a cash receipt, or a part of its amount. The answer is a
// record of its own, with TransactionType CANCEL.
//
// Source: https://docs.tosspayments.com/reference#현금영수증-발급-취소-요청
func (c *Client) CancelCashReceipt(ctx context.Context, receiptKey string, req CancelCashReceiptRequest, opts ...CallOption) (*CashReceipt, error) {
	if err := checkSegment("receiptKey", receiptKey, maxReceiptKey); err != nil {
		return nil, err
	}
	if req.Amount != nil {
		if err := checkAmount("amount", *req.Amount, CurrencyKRW); err != nil {
			return nil, err
		}
	}
	path := "/v1/cash-receipts/" + url.PathEscape(receiptKey) + "/cancel"
	return c.postCashReceipt(ctx, cancelCashReceipt, path, req, opts)
}

// ListCashReceipts reads one page of a day's cash receipts. It needs API version
// 2022-07-27 or newer. The rows that could be read come also with the error of one that
// could not.
//
// Source: https://docs.tosspayments.com/reference#현금영수증-조회
func (c *Client) ListCashReceipts(ctx context.Context, query CashReceiptQuery, opts ...CallOption) (*CashReceiptPage, error) {
	if err := query.validate(); err != nil {
		return nil, asRead(err)
	}
	values := url.Values{"requestDate": {query.RequestDate.String()}}
	if query.Cursor != "" {
		values.Set("cursor", string(query.Cursor))
	}
	if query.Limit != 0 {
		values.Set("limit", strconv.Itoa(query.Limit))
	}
	var page *CashReceiptPage
	err := c.get(ctx, listCashReceipts, listCashReceipts.template, values.Encode(), func(body []byte) (unread []string, err error) {
		page, unread, err = readCashReceipts(body)
		return unread, err
	}, opts)
	return page, err
}

// readCashReceipts reads a page. A list that ends without saying so would lose receipts.
func readCashReceipts(body []byte) (page *CashReceiptPage, unread []string, err error) {
	var read struct {
		CashReceiptPage
		Data json.RawMessage `json:"data"`
	}
	unread, err = lenient.Unmarshal(body, &read)
	switch {
	case err != nil:
		return nil, nil, err
	case lenient.Missing(body, "hasNext") != "" || slices.Contains(unread, "hasNext"):
		return nil, unread, errNoReceiptPage
	}
	page = &read.CashReceiptPage
	if len(read.Data) == 0 || string(read.Data) == "null" {
		return page, unread, nil
	}
	var unreadRows []string
	page.Data, unreadRows, err = readRows[CashReceipt](read.Data, "receiptKey", "amount")
	for _, name := range unreadRows {
		unread = append(unread, "data"+name)
	}
	return page, unread, err
}

// AllCashReceipts reads page after page, as [Client.AllTransactions] does. The cursor
// is the server's, so that each row comes once; two cancels of one receipt may look alike,
// and both are yielded.
func (c *Client) AllCashReceipts(ctx context.Context, query CashReceiptQuery, opts ...CallOption) iter.Seq2[CashReceipt, error] {
	return func(yield func(CashReceipt, error) bool) {
		query := query
		asked := map[Cursor]bool{query.Cursor: true}
		noKey := func(*CashReceipt) string { return "" }
		allPages(noKey, func([]CashReceipt) ([]CashReceipt, bool, error) {
			page, err := c.ListCashReceipts(ctx, query, opts...)
			if page == nil {
				return nil, false, err
			}
			if err != nil {
				return page.Data, false, err
			}
			if page.HasNext && asked[page.LastCursor] {
				return page.Data, true, errRepeatedPage
			}
			query.Cursor = page.LastCursor
			asked[query.Cursor] = true
			return page.Data, page.HasNext, nil
		})(yield)
	}
}
