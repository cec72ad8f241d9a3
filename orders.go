package tosspayments

import "crypto/rand"

// NewOrderID returns a random order id that cannot be guessed: 26 capital letters
// and digits. Order ids reach the browser, so they should not count up.
func NewOrderID() string { return rand.Text() }

// order is what identifies the payment that a call makes under an order id: a charge
// with a billing key, a key-in payment, a virtual account. The server accepts an order
// id once, so making the call again is the same charge, whoever makes it and when.
type order struct {
	id, name string
	amount   Amount
	currency string
	language Language
	// kind is what is made, in words; contradicts reports whether a payment is
	// something else.
	kind        string
	contradicts func(*Payment) bool
	// differs says what a payment has other than what is made; it may be nil.
	differs func(*Payment) *MismatchError
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
		from == fromLook && o.kind != "" && p.Outcome() == OutcomeRefused,
		p.Status == PaymentStatusReady, p.Status == PaymentStatusInProgress:
		return noEffect, nil
	case p.TotalAmount != o.amount:
		field, want, got = "amount", o.amount.String(), p.TotalAmount.String()
	case orKRW(p.Currency) != currency:
		field, want, got = "currency", currency, p.Currency
	case from != fromAnswer && o.name != "" && p.OrderName != o.name:
		field, want, got = "orderName", o.name, p.OrderName
	case from != fromAnswer && o.contradicts != nil && o.contradicts(p):
		field, want, got = "method", o.kind, string(p.Method)
	default:
		return o.view(p, from)
	}
	return decided, &MismatchError{Field: field, Want: want, Got: got, Payment: p}
}

func (o order) view(p *Payment, from origin) (view, error) {
	if from != fromAnswer && o.differs != nil {
		if mismatch := o.differs(p); mismatch != nil {
			mismatch.Payment = p
			return decided, mismatch
		}
	}
	return p.view(o.language)
}
