package tosspayments

import (
	"context"
	"net/http"
	"strings"
)

// CancelPaymentRequest cancels all that is left of a payment.
type CancelPaymentRequest struct {
	// CancelReason is required: 1 to 200 characters.
	CancelReason string
	// RefundReceiveAccount is required once a virtual account has been paid into: bank,
	// account number and holder, which the buyer is asked for. It must be nil before.
	RefundReceiveAccount *RefundReceiveAccount
	// TaxFreeAmount is the tax-free part; for tax-free and mixed merchants only.
	TaxFreeAmount Amount
	// TaxExemptionAmount is the tax-exempt part (documented in one place only).
	TaxExemptionAmount Amount
	// CancelRequestID, of 6 to 64 characters, is required for wallets that cancel
	// asynchronously (China, South-East Asia) and for nothing else.
	CancelRequestID string
	// Currency must be that of the approval where it is given.
	Currency string
	// RefundableAmount is the balance that the caller expects; the zero Amount expects
	// none. If it differs, the server cancels nothing and answers
	// [ErrNotMatchesRefundableAmount].
	RefundableAmount Amount
}

// PartialCancelRequest cancels a part of a payment.
type PartialCancelRequest struct {
	// CancelReason is required: 1 to 200 characters, less the RefundID and three.
	CancelReason string `json:"cancelReason"`
	// CancelAmount is required and more than 0.
	CancelAmount Amount `json:"cancelAmount,omitzero"`
	// RefundableAmount is required: the balance before this cancel, as the caller has
	// seen it ([Payment.Cancelable]). If it differs, the server cancels nothing and
	// answers [ErrNotMatchesRefundableAmount]; nothing else keeps a repeated part from
	// happening twice. Store it with the refund, and pass the same value again.
	RefundableAmount Amount `json:"refundableAmount,omitzero"`
	// RefundID is the caller's own id of this refund, at most 64 visible ASCII
	// characters without brackets. With it the refund may be asked for again at any
	// time and happens once: the idempotency key is made from it, and the reason ends
	// with it in brackets, so that a lookup finds exactly this refund. Without one the
	// request is good for one call only.
	RefundID string `json:"-"`
	// RefundReceiveAccount is required once a virtual account has been paid into: bank,
	// account number and holder. With a RefundID nothing is sent without it.
	RefundReceiveAccount *RefundReceiveAccount `json:"refundReceiveAccount,omitzero"`
	// TaxFreeAmount is the tax-free part of CancelAmount; for tax-free and mixed
	// merchants only.
	TaxFreeAmount Amount `json:"taxFreeAmount,omitzero"`
	// TaxExemptionAmount is the tax-exempt part (documented in one place only).
	TaxExemptionAmount Amount `json:"taxExemptionAmount,omitzero"`
	// CancelRequestID, of 6 to 64 characters, is required for wallets that cancel
	// asynchronously (China, South-East Asia) and for nothing else.
	CancelRequestID string `json:"cancelRequestId,omitzero"`
	// Currency must be that of the approval where it is given. PayPal needs it.
	Currency string `json:"currency,omitzero"`
}

var cancelPayment = &operation{
	name: "cancel payment", method: http.MethodPost, template: "/v1/payments/{paymentKey}/cancel", timeout: moneyTimeout,
}

// CancelPayment cancels all that is left of a payment.
//
// A nil error means that nothing is left of it, whoever cancelled it: the call may be
// made again at any time. A cancel that the wallet is still working on (IN_PROGRESS)
// gives an [*OutcomeUnknownError] that is not Repeatable, with the payment attached; a
// webhook reports the end. A refusal is an [*Error], such as [ErrNotCancelablePayment].
// [OutcomeOf] of an error is about the cancel, not the order.
//
// Time limits are those of [Client.ConfirmPayment].
//
// Source: https://docs.tosspayments.com/reference#결제-취소
func (c *Client) CancelPayment(ctx context.Context, paymentKey string, req CancelPaymentRequest, opts ...CallOption) (*Payment, error) {
	body := PartialCancelRequest{
		CancelReason:         req.CancelReason,
		RefundReceiveAccount: req.RefundReceiveAccount,
		TaxFreeAmount:        req.TaxFreeAmount,
		TaxExemptionAmount:   req.TaxExemptionAmount,
		CancelRequestID:      req.CancelRequestID,
		Currency:             req.Currency,
		RefundableAmount:     req.RefundableAmount,
	}
	if err := body.validate(); err != nil {
		return nil, err
	}
	call, err := c.newCancel(ctx, paymentKey, body, opts)
	if err != nil {
		return nil, err
	}
	return c.resolve(ctx, call, plan{
		paymentKey: paymentKey,
		shared:     true,
		essential:  []string{"balanceAmount", "cancels"},
		judge:      func(p *Payment, from origin) (view, error) { return body.judgeAll(paymentKey, p, from) },
	})
}

// CancelPaymentPartially cancels a part of a payment.
//
// A nil error means that this refund exists. Give it a RefundID, and the same request may
// be made again at any time, by whichever process: it happens once. Without one, an
// [*OutcomeUnknownError] is not Repeatable, and two refunds with the same amount, reason
// and balance cannot be told apart afterwards.
//
// One case cannot be decided: where lookups lag behind for longer than the call, a refund
// that was made may be reported as refused.
//
// Time limits are those of [Client.ConfirmPayment].
//
// Source: https://docs.tosspayments.com/reference#결제-취소
func (c *Client) CancelPaymentPartially(ctx context.Context, paymentKey string, req PartialCancelRequest, opts ...CallOption) (*Payment, error) {
	if err := req.validatePart(); err != nil {
		return nil, err
	}
	req.CancelReason = req.reason()
	call, err := c.newCancel(ctx, paymentKey, req, opts)
	if err != nil {
		return nil, err
	}
	switch {
	case call.ownKey && req.RefundID == "":
		return nil, &ValidationError{Field: "idempotencyKey", Reason: "cannot identify a part: give a RefundID instead"}
	case call.ownKey:
		return nil, &ValidationError{Field: "idempotencyKey", Reason: "is made from the RefundID: give one of the two"}
	case req.RefundID != "":
		call.ownKey = true
		call.idempotencyKey = "refund-" + req.RefundID
		call.sentKey = call.idempotencyKey
		if call.response != nil {
			call.response.IdempotencyKey = call.idempotencyKey
		}
	}
	return c.resolve(ctx, call, plan{
		paymentKey: paymentKey,
		essential:  []string{"balanceAmount", "cancels"},
		lookFirst:  req.RefundID != "",
		needs:      req.needsAccount,
		once:       req.RefundID == "",
		judge:      func(p *Payment, from origin) (view, error) { return req.judge(paymentKey, p, from) },
	})
}

func (c *Client) newCancel(ctx context.Context, paymentKey string, body PartialCancelRequest, opts []CallOption) (*call, error) {
	if err := checkPaymentKey(paymentKey); err != nil {
		return nil, err
	}
	return c.newCall(ctx, cancelPayment, paymentPath(paymentKey)+"/cancel", body, opts)
}

// needsAccount refuses to give a deposit back to nowhere.
func (r *PartialCancelRequest) needsAccount(p *Payment) error {
	if p.VirtualAccount != nil && p.IsPaid() && r.RefundReceiveAccount == nil {
		return invalid("refundReceiveAccount", "is required, since the buyer has paid into a virtual account: bank, account number and holder")
	}
	return nil
}

// reason is what the server stores: with the RefundID, by which it is found again.
func (r *PartialCancelRequest) reason() string {
	if r.RefundID == "" {
		return r.CancelReason
	}
	return r.CancelReason + " [" + r.RefundID + "]"
}

// judgeAll decides a cancel of all by what is left.
func (r *PartialCancelRequest) judgeAll(paymentKey string, p *Payment, from origin) (view, error) {
	outcome := p.Outcome()
	left, known := p.left()
	switch {
	case p.PaymentKey != paymentKey:
		return decided, &MismatchError{Field: "paymentKey", Want: paymentKey, Got: p.PaymentKey, Payment: p}
	case p.hasPendingCancel():
		return pending, nil
	case outcome == OutcomeCanceled:
		return effect, nil
	case outcome == OutcomeUnknown:
		return blurred, nil
	case from == fromAnswer:
		// A replayed answer of another cancel, whose key was used again.
		return decided, &MismatchError{Field: "balanceAmount", Want: "0", Got: p.Cancelable().String(), Payment: p}
	case known && !r.RefundableAmount.IsZero() && left != r.RefundableAmount:
		return r.never(left, p)
	}
	return noEffect, nil
}

// never is the view of a payment whose balance is not what the request expects: the
// server will not carry it out any more. A balance above that is older than the request,
// or the request is wrong.
func (r *PartialCancelRequest) never(left Amount, p *Payment) (view, error) {
	v := decided
	if left.Cmp(r.RefundableAmount) > 0 {
		v = suspect
	}
	return v, &Error{Code: ErrNotMatchesRefundableAmount, Message: "the balance is not the expected one, and this cancel is not among the cancels", Payment: p}
}

// judge decides a part. Once the balance is not what the request expects, the part can
// never happen any more, and any look at the cancels shows whether it has.
func (r *PartialCancelRequest) judge(paymentKey string, p *Payment, from origin) (view, error) {
	if p.PaymentKey != paymentKey {
		return decided, &MismatchError{Field: "paymentKey", Want: paymentKey, Got: p.PaymentKey, Payment: p}
	}
	if own := r.find(p); own != nil {
		return r.judgeOwn(own, p)
	}
	left, known := p.left()
	switch {
	case from == fromAnswer:
		return r.judgeAnswer(p)
	case p.hasPendingCancel() && r.RefundID == "":
		return pending, nil
	case !known, p.hasPendingCancel() && left != r.RefundableAmount:
		// Another cancel may still fail, and give its part of the balance back.
		return blurred, nil
	case left == r.RefundableAmount:
		return noEffect, nil
	case r.RefundID == "" && r.countTwins(p) > 0:
		return blurred, nil
	}
	return r.never(left, p)
}

// find returns the cancel of this request: that with its RefundID, or else the only one
// alike in amount, reason and rest.
func (r *PartialCancelRequest) find(p *Payment) *Cancel {
	rest := r.RefundableAmount.Sub(r.CancelAmount)
	var found *Cancel
	for i := range p.Cancels {
		c := &p.Cancels[i]
		switch {
		case r.RefundID != "" && strings.HasSuffix(c.CancelReason, "["+r.RefundID+"]"):
			return c
		case r.RefundID == "" && r.isTwin(c) && c.RefundableAmount != nil && *c.RefundableAmount == rest:
			if found != nil {
				return nil
			}
			found = c
		}
	}
	return found
}

func (r *PartialCancelRequest) isTwin(c *Cancel) bool {
	return c.CancelAmount == r.CancelAmount && c.CancelReason == r.CancelReason && c.CancelStatus != CancelStatusAborted
}

// countTwins counts the cancels that could be this one, as far as the answer says.
func (r *PartialCancelRequest) countTwins(p *Payment) (n int) {
	rest := r.RefundableAmount.Sub(r.CancelAmount)
	for i := range p.Cancels {
		c := &p.Cancels[i]
		if r.isTwin(c) && (c.RefundableAmount == nil || *c.RefundableAmount == rest) {
			n++
		}
	}
	return n
}

func (r *PartialCancelRequest) judgeOwn(own *Cancel, p *Payment) (view, error) {
	switch {
	case own.CancelAmount != r.CancelAmount:
		return decided, &MismatchError{Field: "cancelAmount", Want: r.CancelAmount.String(), Got: own.CancelAmount.String(), Payment: p}
	case own.CancelStatus == "" || own.CancelStatus == CancelStatusDone:
		return effect, nil
	case own.CancelStatus == CancelStatusAborted:
		return decided, &Error{Code: ErrRefundRejected, Message: "the wallet has not carried out the cancel", Payment: p}
	}
	return pending, nil
}

// judgeAnswer judges an answer in which the cancel is not found by its reason: the
// newest cancel must be of the same amount, and leave what this one would.
func (r *PartialCancelRequest) judgeAnswer(p *Payment) (view, error) {
	last := p.LastCancel()
	if last == nil {
		return blurred, nil
	}
	rest := r.RefundableAmount.Sub(r.CancelAmount)
	switch {
	case last.CancelAmount != r.CancelAmount:
		return decided, &MismatchError{Field: "cancelAmount", Want: r.CancelAmount.String(), Got: last.CancelAmount.String(), Payment: p}
	case last.RefundableAmount != nil && *last.RefundableAmount != rest:
		return decided, &MismatchError{Field: "refundableAmount", Want: rest.String(), Got: last.RefundableAmount.String(), Payment: p}
	}
	return r.judgeOwn(last, p)
}

// hasPendingCancel reports whether a wallet is still working on a cancel.
func (p *Payment) hasPendingCancel() bool {
	for i := range p.Cancels {
		if p.Cancels[i].CancelStatus == CancelStatusInProgress {
			return true
		}
	}
	return false
}
