package tosspayments

import (
	"context"
	"encoding/json"
	"net/http"
)

const (
	paymentsPath  = "/v1/payments/"
	maxPaymentKey = 200
)

var (
	getPayment = &operation{
		name:     "get payment",
		method:   http.MethodGet,
		template: "/v1/payments/{paymentKey}",
		timeout:  readTimeout,
	}
	getPaymentByOrderID = &operation{
		name:     "get payment by order id",
		method:   http.MethodGet,
		template: "/v1/payments/orders/{orderId}",
		timeout:  readTimeout,
	}
	cancelPayment = &operation{
		name:     "cancel payment",
		method:   http.MethodPost,
		template: "/v1/payments/{paymentKey}/cancel",
		timeout:  moneyTimeout,
		moves:    true,
		refusedWhenDone: []ErrorCode{
			ErrAlreadyCanceledPayment, ErrAlreadyRefundPayment, ErrAlreadyRefundingPayment,
		},
	}
)

// GetPayment reads a payment, whatever its status. An unknown key gives
// [ErrNotFoundPayment].
//
// Source: https://docs.tosspayments.com/reference#paymentkey로-결제-조회
func (c *Client) GetPayment(ctx context.Context, paymentKey string, opts ...CallOption) (*Payment, error) {
	path, err := segment("paymentKey", paymentKey, maxPaymentKey)
	if err != nil {
		return nil, err
	}
	return c.get(ctx, getPayment, paymentsPath+path, opts, func(p *Payment) error {
		return foreign("paymentKey", paymentKey, p.PaymentKey, p)
	})
}

// GetPaymentByOrderID reads the payment of an order. An unknown id gives
// [ErrNotFoundPayment]. When an order had several payments, the server answers
// with one of them.
//
// Source: https://docs.tosspayments.com/reference#orderid로-결제-조회
func (c *Client) GetPaymentByOrderID(ctx context.Context, orderID string, opts ...CallOption) (*Payment, error) {
	path, err := segment("orderId", orderID, maxOrderID)
	if err != nil {
		return nil, err
	}
	return c.get(ctx, getPaymentByOrderID, paymentsPath+"orders/"+path, opts, func(p *Payment) error {
		return foreign("orderId", orderID, p.OrderID, p)
	})
}

func (c *Client) get(ctx context.Context, op *operation, path string, opts []CallOption, check func(*Payment) error) (*Payment, error) {
	call, err := c.newCall(ctx, op, path, nil, opts)
	if err != nil {
		return nil, err
	}
	var payment *Payment
	err = c.read(ctx, call, func(body []byte) (err error) {
		payment, err = decodePayment(body)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := check(payment); err != nil {
		return nil, err
	}
	return payment, nil
}

func foreign(field, want, got string, p *Payment) error {
	if want == got {
		return nil
	}
	return &MismatchError{Operation: "get payment", Field: field, Want: want, Got: got, Payment: p, Attempts: 1}
}

// RefundReceiveAccount is the account to which a deposited virtual-account payment
// is refunded.
type RefundReceiveAccount struct {
	// Bank is the bank's code, such as "20".
	Bank string
	// AccountNumber has at most 20 digits, without hyphens.
	AccountNumber Sensitive
	// HolderName has at most 60 characters.
	HolderName string
}

// CancelPaymentRequest cancels all that is left of a payment.
type CancelPaymentRequest struct {
	// CancelReason is required: 1 to 200 characters.
	CancelReason string
	// RefundReceiveAccount is required once a virtual account has been paid into,
	// and must be nil before.
	RefundReceiveAccount *RefundReceiveAccount
	// TaxFreeAmount is the tax-free part; for tax-free and mixed merchants only.
	TaxFreeAmount Amount
	// TaxExemptionAmount is the part outside of taxation; only one source has it.
	TaxExemptionAmount Amount
	// CancelRequestID, of 6 to 64 characters, is required for wallets that cancel
	// asynchronously (China, South-East Asia) and for nothing else.
	CancelRequestID string
	// Currency must be that of the approval where it is given.
	Currency string
	// RefundableAmount is the balance that the caller expects. If it differs, the
	// server cancels nothing and answers [ErrNotMatchesRefundableAmount].
	RefundableAmount *Amount
}

// PartialCancelRequest cancels a part of a payment.
type PartialCancelRequest struct {
	// CancelReason is required: 1 to 200 characters.
	CancelReason string
	// CancelAmount is required and more than 0.
	CancelAmount Amount
	// RefundableAmount is the balance that the caller expects before this cancel.
	// If it differs, the server cancels nothing and answers
	// [ErrNotMatchesRefundableAmount]. Give it: without it nothing but the
	// idempotency key keeps a repeated part from being refunded twice, and a lost
	// answer cannot be settled by a lookup.
	RefundableAmount *Amount
	// RefundReceiveAccount is required once a virtual account has been paid into.
	RefundReceiveAccount *RefundReceiveAccount
	// TaxFreeAmount is the tax-free part of CancelAmount; for tax-free and mixed
	// merchants only.
	TaxFreeAmount Amount
	// TaxExemptionAmount is the part outside of taxation; only one source has it.
	TaxExemptionAmount Amount
	// CancelRequestID, of 6 to 64 characters, is required for wallets that cancel
	// asynchronously (China, South-East Asia) and for nothing else.
	CancelRequestID string
	// Currency must be that of the approval where it is given. PayPal needs it.
	Currency string
}

// CancelPayment cancels all that is left of a payment.
//
// A nil error means that a cancel exists and the balance is 0. A payment that was
// cancelled before gives [ErrAlreadyCanceledPayment], one that was refunded in
// parts [ErrNotCancelableAmount]. A cancel that the wallet is still working on
// (IN_PROGRESS) gives an [*OutcomeUnknownError] with the payment attached.
//
// Time limits are those of [Client.ConfirmPayment].
//
// Source: https://docs.tosspayments.com/reference#결제-취소
func (c *Client) CancelPayment(ctx context.Context, paymentKey string, req CancelPaymentRequest, opts ...CallOption) (*Payment, error) {
	return c.cancel(ctx, paymentKey, cancelRequest{
		CancelReason:         req.CancelReason,
		RefundReceiveAccount: req.RefundReceiveAccount,
		TaxFreeAmount:        req.TaxFreeAmount,
		TaxExemptionAmount:   req.TaxExemptionAmount,
		CancelRequestID:      req.CancelRequestID,
		Currency:             req.Currency,
		RefundableAmount:     req.RefundableAmount,
	}, opts)
}

// CancelPaymentPartially cancels a part of a payment.
//
// A nil error means that a cancel of exactly this amount exists. After an
// [*OutcomeUnknownError] do not call again without its idempotency key: a new key
// would refund twice. See PartialCancelRequest.RefundableAmount.
//
// Time limits are those of [Client.ConfirmPayment].
//
// Source: https://docs.tosspayments.com/reference#결제-취소
func (c *Client) CancelPaymentPartially(ctx context.Context, paymentKey string, req PartialCancelRequest, opts ...CallOption) (*Payment, error) {
	if err := checkAmount("cancelAmount", req.CancelAmount, req.Currency); err != nil {
		return nil, err
	}
	if req.RefundableAmount != nil && req.CancelAmount.Cmp(*req.RefundableAmount) > 0 {
		return nil, &ValidationError{Field: "cancelAmount", Reason: "must not be more than refundableAmount"}
	}
	if req.TaxFreeAmount.Cmp(req.CancelAmount) > 0 {
		return nil, &ValidationError{Field: "taxFreeAmount", Reason: "must not be more than cancelAmount"}
	}
	return c.cancel(ctx, paymentKey, cancelRequest{
		CancelReason:         req.CancelReason,
		CancelAmount:         &req.CancelAmount,
		RefundReceiveAccount: req.RefundReceiveAccount,
		TaxFreeAmount:        req.TaxFreeAmount,
		TaxExemptionAmount:   req.TaxExemptionAmount,
		CancelRequestID:      req.CancelRequestID,
		Currency:             req.Currency,
		RefundableAmount:     req.RefundableAmount,
	}, opts)
}

// cancelRequest is the body of both kinds of cancel.
type cancelRequest struct {
	CancelReason         string                `json:"cancelReason"`
	CancelAmount         *Amount               `json:"cancelAmount,omitzero"`
	RefundReceiveAccount *RefundReceiveAccount `json:"-"`
	RefundAccount        *refundAccount        `json:"refundReceiveAccount,omitzero"`
	TaxFreeAmount        Amount                `json:"taxFreeAmount,omitzero"`
	TaxExemptionAmount   Amount                `json:"taxExemptionAmount,omitzero"`
	CancelRequestID      string                `json:"cancelRequestId,omitzero"`
	Currency             string                `json:"currency,omitzero"`
	RefundableAmount     *Amount               `json:"refundableAmount,omitzero"`
}

type refundAccount struct {
	Bank          string `json:"bank"`
	AccountNumber string `json:"accountNumber"`
	HolderName    string `json:"holderName"`
}

func (r *cancelRequest) validate() error {
	if err := checkLength("cancelReason", r.CancelReason, 1, 200); err != nil {
		return err
	}
	if r.TaxFreeAmount.Cmp(Amount{}) < 0 {
		return &ValidationError{Field: "taxFreeAmount", Reason: "must not be negative"}
	}
	if r.TaxExemptionAmount.Cmp(Amount{}) < 0 {
		return &ValidationError{Field: "taxExemptionAmount", Reason: "must not be negative"}
	}
	if r.CancelRequestID != "" {
		if err := checkText("cancelRequestId", r.CancelRequestID, 6, 64, "-_="); err != nil {
			return err
		}
	}
	if r.RefundableAmount != nil && r.RefundableAmount.Cmp(Amount{}) <= 0 {
		return &ValidationError{Field: "refundableAmount", Reason: "must be more than 0: nothing is left to cancel otherwise"}
	}
	account := r.RefundReceiveAccount
	if account == nil {
		return nil
	}
	number := account.AccountNumber.Reveal()
	switch {
	case account.Bank == "":
		return &ValidationError{Field: "refundReceiveAccount.bank", Reason: "is empty"}
	case number == "" || len(number) > 20 || !isDigits(number):
		return &ValidationError{Field: "refundReceiveAccount.accountNumber", Reason: "must have 1 to 20 digits and nothing else"}
	}
	if err := checkLength("refundReceiveAccount.holderName", account.HolderName, 1, 60); err != nil {
		return err
	}
	r.RefundAccount = &refundAccount{Bank: account.Bank, AccountNumber: number, HolderName: account.HolderName}
	return nil
}

func (c *Client) cancel(ctx context.Context, paymentKey string, req cancelRequest, opts []CallOption) (*Payment, error) {
	path, err := segment("paymentKey", paymentKey, maxPaymentKey)
	if err != nil {
		return nil, err
	}
	if err := req.validate(); err != nil {
		return nil, err
	}
	body, err := json.Marshal(req)
	if err != nil {
		return nil, err
	}
	call, err := c.newCall(ctx, cancelPayment, paymentsPath+path+"/cancel", body, opts)
	if err != nil {
		return nil, err
	}
	if req.RefundAccount != nil {
		call.sensitive = []string{req.RefundAccount.AccountNumber}
	}
	return c.move(ctx, call, settlement{
		paymentKey: paymentKey,
		guarded:    req.CancelAmount == nil || req.RefundableAmount != nil,
		judge: func(p *Payment, direct bool) (verdict, error) {
			if p.PaymentKey != paymentKey {
				return failed, &MismatchError{Field: "paymentKey", Want: paymentKey, Got: p.PaymentKey, Payment: p}
			}
			switch {
			case req.CancelAmount == nil:
				return judgeFullCancel(p, direct)
			case direct:
				return judgePartialAnswer(&req, p)
			}
			return judgePartialLookUp(&req, p)
		},
	})
}

// judgeFullCancel decides by the balance: a payment that was refunded in parts
// stays PARTIAL_CANCELED.
func judgeFullCancel(p *Payment, direct bool) (verdict, error) {
	if pendingCancel(p) {
		return undecidable, nil
	}
	switch {
	case p.BalanceAmount == nil:
		return undecided, nil
	case p.BalanceAmount.IsZero() && len(p.Cancels) > 0:
		return settled, nil
	case p.BalanceAmount.IsZero():
		return undecided, nil
	case direct:
		// A replayed answer of another cancel, whose key was used again.
		return failed, &MismatchError{Field: "balanceAmount", Want: "0", Got: p.BalanceAmount.String(), Payment: p}
	}
	return noEffect, nil
}

// judgePartialAnswer trusts a 200 only for the cancel that it is about.
func judgePartialAnswer(req *cancelRequest, p *Payment) (verdict, error) {
	last := p.lastCancel()
	if last == nil {
		return undecided, nil
	}
	if last.CancelAmount != *req.CancelAmount {
		return failed, &MismatchError{
			Field: "cancelAmount", Want: req.CancelAmount.String(), Got: last.CancelAmount.String(), Payment: p,
		}
	}
	if last.CancelStatus != "" && last.CancelStatus != CancelStatusDone {
		return undecidable, nil
	}
	return settled, nil
}

// judgePartialLookUp can tell only when the balance before the cancel was pinned.
func judgePartialLookUp(req *cancelRequest, p *Payment) (verdict, error) {
	if req.RefundableAmount == nil || p.BalanceAmount == nil || pendingCancel(p) {
		return undecidable, nil
	}
	if *p.BalanceAmount == *req.RefundableAmount {
		return noEffect, nil
	}
	rest := req.RefundableAmount.Sub(*req.CancelAmount)
	if *p.BalanceAmount != rest {
		return undecidable, nil
	}
	var match *Cancel
	for i, c := range p.Cancels {
		if c.RefundableAmount == nil || *c.RefundableAmount != rest || c.CancelStatus == CancelStatusAborted {
			continue
		}
		if match != nil {
			return undecidable, nil
		}
		match = &p.Cancels[i]
	}
	if match == nil || match.CancelAmount != *req.CancelAmount || match.CancelReason != req.CancelReason {
		return undecidable, nil
	}
	return settled, nil
}

// pendingCancel tells whether a wallet is still working on a cancel.
func pendingCancel(p *Payment) bool {
	for _, c := range p.Cancels {
		if c.CancelStatus == CancelStatusInProgress {
			return true
		}
	}
	return false
}
