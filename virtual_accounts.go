package tosspayments

import (
	"context"
	"net/http"
	"time"
)

// IssueVirtualAccountRequest asks for an account number into which the buyer pays.
type IssueVirtualAccountRequest struct {
	OrderID   string `json:"orderId"`
	OrderName string `json:"orderName"`
	// Amount is in won.
	Amount Amount `json:"amount"`
	// CustomerName is required: 1 to 100 characters.
	CustomerName string `json:"customerName"`
	// Bank is required: the bank's code, such as "20".
	Bank string `json:"bank"`
	// ValidHours is how long the account can be paid into: at most 2160 hours (90
	// days); 0 leaves it to the server, which takes 168. Give it or DueDate, not both.
	ValidHours int `json:"validHours,omitzero"`
	// DueDate is when the account closes; at most 90 days ahead. It is sent in Korean time,
	// to the second.
	DueDate time.Time `json:"dueDate,omitzero"`
	// CustomerEmail has at most 100 characters.
	CustomerEmail string `json:"customerEmail,omitzero"`
	// CustomerMobilePhone has 8 to 15 digits.
	CustomerMobilePhone string `json:"customerMobilePhone,omitzero"`
	TaxFreeAmount       Amount `json:"taxFreeAmount,omitzero"`
	// CashReceipt asks for a cash receipt with the deposit.
	CashReceipt *CashReceiptOrder `json:"cashReceipt,omitzero"`
	UseEscrow   bool              `json:"useEscrow,omitzero"`
	// EscrowProducts are what an escrow payment is for. The documents of the call require
	// them with UseEscrow, those of the browser script do not.
	EscrowProducts []EscrowProduct `json:"escrowProducts,omitzero"`
	// AccountKey, of at most 13 characters, gives a customer the same account again;
	// for merchants with fixed accounts. Newer documents do not have it.
	AccountKey string `json:"accountKey,omitzero"`
	// AccountType is 일반 or 고정; only some sources have it.
	AccountType string `json:"accountType,omitzero"`
}

// CashReceiptOrder says what kind of cash receipt is issued with the deposit, and for
// whom.
type CashReceiptOrder struct {
	// Type is 소득공제, 지출증빙 or 미발행 (none).
	Type string `json:"type"`
	// RegistrationNumber is the phone number, business number or card number to
	// register it for; at most 30 characters.
	RegistrationNumber Sensitive `json:"registrationNumber,omitzero"`
}

// EscrowProduct is one product of an escrow payment.
type EscrowProduct struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Code      string `json:"code"`
	UnitPrice Amount `json:"unitPrice"`
	Quantity  int    `json:"quantity"`
}

var issueVirtualAccount = &operation{
	name: "issue virtual account", method: http.MethodPost, template: "/v1/virtual-accounts", timeout: moneyTimeout,
}

// IssueVirtualAccount opens an account number into which the buyer pays.
//
// The order id identifies the account: making the call again with the same order id,
// amount and name returns the payment that stands. A nil error means [OutcomeWaiting],
// or [OutcomePaid] once the deposit has arrived; an account whose due date has passed is
// a refusal. Store Payment.Secret: it authenticates deposit callbacks. After an
// [*OutcomeUnknownError] do not open another account for the order under another id.
//
// Time limits are those of [Client.ConfirmPayment].
//
// Source: https://docs.tosspayments.com/reference#가상계좌-발급-요청
func (c *Client) IssueVirtualAccount(ctx context.Context, req IssueVirtualAccountRequest, opts ...CallOption) (*Payment, error) {
	if err := req.validate(time.Now()); err != nil {
		return nil, err
	}
	body := struct {
		IssueVirtualAccountRequest
		DueDate string `json:"dueDate,omitzero"`
	}{IssueVirtualAccountRequest: req}
	if !req.DueDate.IsZero() {
		body.DueDate = inKST(req.DueDate)
	}
	call, err := c.newCall(ctx, issueVirtualAccount, issueVirtualAccount.template, body, opts)
	if err != nil {
		return nil, err
	}
	return c.resolve(ctx, call, order{
		id: req.OrderID, amount: req.Amount, language: c.language,
		differs: differs(req.OrderName, "virtual account", func(p *Payment) bool { return p.Type == PaymentTypeBilling || p.Card != nil }),
	}.plan())
}
