package tosspayments

import (
	"context"
	"net/http"
	"time"
)

const maxValidHours = 2160

// IssueVirtualAccountRequest asks for an account number into which the buyer pays.
type IssueVirtualAccountRequest struct {
	OrderID   string
	OrderName string
	// Amount is in won.
	Amount Amount
	// CustomerName is required: 1 to 100 characters.
	CustomerName string
	// Bank is required: the bank's code, such as "20".
	Bank string
	// ValidHours is how long the account can be paid into: at most 2160 hours (90
	// days); 0 leaves it to the server, which takes 168. Give it or DueDate, not both.
	ValidHours int
	// DueDate is until when; at most 90 days ahead. It is sent in Korean time, to the
	// second.
	DueDate time.Time
	// CustomerEmail has at most 100 characters.
	CustomerEmail string
	// CustomerMobilePhone has 8 to 15 digits.
	CustomerMobilePhone string
	TaxFreeAmount       Amount
	// CashReceipt asks for a cash receipt with the deposit.
	CashReceipt *CashReceiptOrder
	UseEscrow   bool
	// EscrowProducts are required with UseEscrow.
	EscrowProducts []EscrowProduct
	// AccountKey, of at most 13 characters, gives a customer the same account again;
	// for merchants with fixed accounts. Newer documents do not have it.
	AccountKey string
	// AccountType is 일반 or 고정; only some sources have it.
	AccountType string
}

// CashReceiptOrder is what a cash receipt is issued for with a deposit.
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
	name:            "issue virtual account",
	method:          http.MethodPost,
	template:        "/v1/virtual-accounts",
	timeout:         moneyTimeout,
	moves:           true,
	refusedWhenDone: []ErrorCode{ErrDuplicatedOrderID},
}

// IssueVirtualAccount issues an account number for an order.
//
// A nil error means that this call has issued it: the payment is
// WAITING_FOR_DEPOSIT, and nothing is paid before [Payment.IsPaid] says so. Store
// Payment.Secret: it tells a genuine deposit callback. Nothing is sent when the due
// date passes. [ErrDuplicatedOrderID] and an unknown outcome are as with
// [Client.ChargeBilling].
//
// Time limits are those of [Client.ConfirmPayment].
//
// Source: https://docs.tosspayments.com/reference#가상계좌-발급-요청
func (c *Client) IssueVirtualAccount(ctx context.Context, req IssueVirtualAccountRequest, opts ...CallOption) (*Payment, error) {
	if err := req.validate(time.Now()); err != nil {
		return nil, err
	}
	dueDate := ""
	if !req.DueDate.IsZero() {
		dueDate = inKST(req.DueDate)
	}
	body := struct {
		Amount              Amount            `json:"amount"`
		OrderID             string            `json:"orderId"`
		OrderName           string            `json:"orderName"`
		CustomerName        string            `json:"customerName"`
		Bank                string            `json:"bank"`
		ValidHours          int               `json:"validHours,omitzero"`
		DueDate             string            `json:"dueDate,omitzero"`
		CustomerEmail       string            `json:"customerEmail,omitzero"`
		CustomerMobilePhone string            `json:"customerMobilePhone,omitzero"`
		TaxFreeAmount       Amount            `json:"taxFreeAmount,omitzero"`
		CashReceipt         *CashReceiptOrder `json:"cashReceipt,omitzero"`
		UseEscrow           bool              `json:"useEscrow,omitzero"`
		EscrowProducts      []EscrowProduct   `json:"escrowProducts,omitzero"`
		AccountKey          string            `json:"accountKey,omitzero"`
		AccountType         string            `json:"accountType,omitzero"`
	}{
		req.Amount, req.OrderID, req.OrderName, req.CustomerName, req.Bank, req.ValidHours, dueDate, req.CustomerEmail,
		req.CustomerMobilePhone, req.TaxFreeAmount, req.CashReceipt, req.UseEscrow, req.EscrowProducts, req.AccountKey, req.AccountType,
	}
	var sensitive []string
	if req.CashReceipt != nil {
		sensitive = []string{req.CashReceipt.RegistrationNumber.Reveal()}
	}
	return c.approve(ctx, issueVirtualAccount, issueVirtualAccount.template, body, approval{
		orderID: req.OrderID, orderName: req.OrderName, amount: req.Amount,
		fits: func(p *Payment) bool { return p.VirtualAccount != nil },
	}, sensitive, opts)
}

func (r *IssueVirtualAccountRequest) validate(now time.Time) error {
	if err := checkOrder(r.OrderID, r.OrderName, r.Amount); err != nil {
		return err
	}
	if err := checkLength("customerName", r.CustomerName, 1, 100); err != nil {
		return err
	}
	if err := checkCustomer(r.CustomerEmail, "", r.CustomerMobilePhone); err != nil {
		return err
	}
	if err := checkTaxParts(r.Amount, r.TaxFreeAmount, Amount{}); err != nil {
		return err
	}
	switch {
	case r.Bank == "":
		return &ValidationError{Field: "bank", Reason: "is empty"}
	case r.ValidHours != 0 && !r.DueDate.IsZero():
		return &ValidationError{Field: "validHours", Reason: "and dueDate must not both be given"}
	case r.ValidHours < 0 || r.ValidHours > maxValidHours:
		return &ValidationError{Field: "validHours", Reason: "must be 1 to 2160 hours (90 days)"}
	case !r.DueDate.IsZero() && (!r.DueDate.After(now) || r.DueDate.After(now.Add(maxValidHours*time.Hour))):
		return &ValidationError{Field: "dueDate", Reason: "must be in the future and at most 90 days ahead"}
	case r.UseEscrow && len(r.EscrowProducts) == 0:
		return &ValidationError{Field: "escrowProducts", Reason: "must not be empty with useEscrow"}
	case len(r.AccountKey) > 13:
		return &ValidationError{Field: "accountKey", Reason: "must have at most 13 characters"}
	case r.CashReceipt == nil:
		return nil
	}
	if r.CashReceipt.Type == "" {
		return &ValidationError{Field: "cashReceipt.type", Reason: "is empty"}
	}
	return checkLength("cashReceipt.registrationNumber", r.CashReceipt.RegistrationNumber.Reveal(), 0, 30)
}
