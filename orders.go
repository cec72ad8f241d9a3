package tosspayments

import "crypto/rand"

// NewOrderID returns a random order id that cannot be guessed: 26 capital letters
// and digits. Order ids reach the browser, so they should not count up.
func NewOrderID() string { return rand.Text() }

// order is what identifies the payment that a call makes under an order id: a charge
// with a billing key, a key-in payment, a virtual account. The server accepts an order
// id once, so making the call again is the same charge, whoever makes it and when.
type order struct {
	id       string
	amount   Amount
	currency string
	language Language
	// differs says what a payment that was looked up has other than what the call makes;
	// it is nil for a call of which only order id and amount are known.
	differs func(*Payment) *MismatchError
}

// differs compares the name, and the way in which a payment was made.
func differs(orderName, kind string, another func(*Payment) bool) func(*Payment) *MismatchError {
	return func(p *Payment) *MismatchError {
		switch {
		case p.OrderName != orderName:
			return &MismatchError{Field: "orderName", Want: orderName, Got: p.OrderName}
		case another(p):
			return &MismatchError{Field: "method", Want: kind, Got: string(p.Method)}
		}
		return nil
	}
}

func (o order) plan() plan {
	return plan{orderID: o.id, shared: true, reversible: true, judge: o.judge}
}

// judge goes by a payment that stands: what came to nothing may be an older attempt of
// the same order, and decides nothing. An account that has expired decides only if nothing
// else can be under the order id, and two looks see it.
func (o order) judge(p *Payment, from origin) (view, error) {
	v, err := o.compare(p, from)
	if v == decided && from == fromTaken && p.Outcome() == OutcomeRefused {
		v = suspect
	}
	return v, err
}

// compare compares what identifies the payment first.
func (o order) compare(p *Payment, from origin) (view, error) {
	field, want, got := "", "", ""
	switch currency := orKRW(o.currency); {
	case p.OrderID != o.id:
		field, want, got = "orderId", o.id, p.OrderID
	case from != fromAnswer && (p.Status == PaymentStatusAborted || p.Status == PaymentStatusExpired),
		from == fromLook && o.differs != nil && p.Outcome() == OutcomeRefused,
		p.Status == PaymentStatusReady, p.Status == PaymentStatusInProgress:
		return noEffect, nil
	case p.TotalAmount != o.amount:
		field, want, got = "amount", o.amount.String(), p.TotalAmount.String()
	case orKRW(p.Currency) != currency:
		field, want, got = "currency", currency, p.Currency
	case from != fromAnswer && o.differs != nil:
		if mismatch := o.differs(p); mismatch != nil {
			mismatch.Payment = p
			return decided, mismatch
		}
		return p.view(o.language)
	default:
		return p.view(o.language)
	}
	return decided, &MismatchError{Field: field, Want: want, Got: got, Payment: p}
}
