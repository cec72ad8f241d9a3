package payouts

import (
	"github.com/seed238ab19c/tosspayments/internal/lenient"
	"github.com/seed238ab19c/tosspayments/webhook"
)

// PayoutOf returns the payout of a payout.changed event. The server sends one when a payout
// is COMPLETED or FAILED, and signs it: see [webhook.Verifier].
//
// It returns a [*tosspayments.ValidationError] for an event of another type, and if id,
// RefPayoutID, amount or status of the payout are missing.
func PayoutOf(event *webhook.Event) (*Payout, error) {
	return decodeEvent[Payout](event, webhook.PayoutChanged, "id", "refPayoutId", "amount", "amount.value", "status")
}

// SellerOf returns the seller of a seller.changed event. The server sends one when a seller
// becomes PARTIALLY_APPROVED, KYC_REQUIRED or APPROVED, and signs it: see
// [webhook.Verifier].
//
// It returns a [*tosspayments.ValidationError] for an event of another type, and if id or
// status of the seller are missing.
func SellerOf(event *webhook.Event) (*Seller, error) {
	return decodeEvent[Seller](event, webhook.SellerChanged, "id", "status")
}

func decodeEvent[T any](event *webhook.Event, want webhook.EventType, essential ...string) (*T, error) {
	if event == nil || event.Type != want {
		return nil, invalid("eventType", "must be "+string(want))
	}
	v := new(T)
	unread, err := lenient.Unmarshal(event.Data, v)
	if err == nil {
		err = checkEssential(event.Data, unread, "", essential)
	}
	if err != nil {
		return nil, invalid("entityBody", err.Error())
	}
	return v, nil
}
