package tosspayments

import (
	"encoding/json"
	"time"
)

// DepositCallback tells that the status of a virtual account has changed.
type DepositCallback struct {
	// Secret is compared with Payment.Secret.
	Secret Sensitive     `json:"secret"`
	Status PaymentStatus `json:"status"`
	// TransactionKey is that of the change: of an approval, a bounce or a cancel.
	TransactionKey string `json:"transactionKey"`
	OrderID        string `json:"orderId"`
}

// BillingDeleted tells that a billing key can no longer be charged. It follows a
// deletion of your own, too.
type BillingDeleted struct {
	BillingKey Sensitive `json:"billingKey"`
	// Reason may be "".
	Reason string `json:"reason"`
}

// MethodUpdated tells that a customer's BrandPay method has changed.
type MethodUpdated struct {
	CustomerKey string    `json:"customerKey"`
	MethodKey   Sensitive `json:"methodKey"`
	// Status is ENABLED, DISABLED or ALIAS_UPDATED; one document writes ENABLE.
	Status string `json:"status"`
}

// CustomerStatusChanged tells of a BrandPay customer.
type CustomerStatusChanged struct {
	CustomerKey string `json:"customerKey"`
	// Status is CREATED, REMOVED, PASSWORD_CHANGED, ONE_TOUCH_ACTIVATED or
	// ONE_TOUCH_DEACTIVATED. With REMOVED every method key of the customer ends.
	Status    string    `json:"status"`
	ChangedAt time.Time `json:"changedAt,omitzero"`
}

// LinkPayOrder is an order of Link Pay. One source only describes it.
type LinkPayOrder struct {
	OrderKey            string `json:"orderKey"`
	Amount              Amount `json:"amount"`
	Currency            string `json:"currency"`
	CustomerName        string `json:"customerName"`
	CustomerPhoneNumber string `json:"customerPhoneNumber"`
	// Payment may have a few of its fields only.
	Payment *Payment `json:"payment"`
	// OrderItems are as they arrived: their fields are not documented.
	OrderItems []json.RawMessage `json:"orderItems"`
}

// PayoutStatus is where a payout stands. The list is open.
type PayoutStatus string

const (
	// PayoutStatusRequested: scheduled; it can still be cancelled.
	PayoutStatusRequested PayoutStatus = "REQUESTED"
	// PayoutStatusInProgress: the transfer is under way.
	PayoutStatusInProgress PayoutStatus = "IN_PROGRESS"
	// PayoutStatusCompleted: the money has arrived.
	PayoutStatusCompleted PayoutStatus = "COMPLETED"
	// PayoutStatusFailed: the money has not moved; see Payout.Error.
	PayoutStatusFailed PayoutStatus = "FAILED"
	// PayoutStatusCanceled: cancelled before its day.
	PayoutStatusCanceled PayoutStatus = "CANCELED"
)

// Payout is money on its way from the merchant's balance to a seller, in version 2 of
// the payouts API.
//
// Source: https://docs.tosspayments.com/reference/using-api/webhook-events
type Payout struct {
	ID string `json:"id"`
	// RefPayoutID is the merchant's own number of it.
	RefPayoutID string `json:"refPayoutId"`
	// Destination is the id of the seller.
	Destination string `json:"destination"`
	// ScheduleType is EXPRESS or SCHEDULED.
	ScheduleType string `json:"scheduleType"`
	// PayoutDate is a day in Korea, such as 2026-03-06.
	PayoutDate string       `json:"payoutDate,omitzero"`
	Amount     PayoutAmount `json:"amount"`
	// TransactionDescription is what the seller reads in the account: 1 to 7 characters.
	TransactionDescription string       `json:"transactionDescription,omitzero"`
	RequestedAt            time.Time    `json:"requestedAt,omitzero"`
	Status                 PayoutStatus `json:"status"`
	// Error says why a payout has failed.
	Error    *Failure `json:"error,omitzero"`
	Metadata Metadata `json:"metadata,omitzero"`
}

// PayoutAmount is an amount with its currency.
type PayoutAmount struct {
	Currency string `json:"currency"`
	Value    Amount `json:"value"`
}

// SellerStatus tells whether a seller may be paid. The list is open.
type SellerStatus string

const (
	// SellerStatusApprovalRequired: the seller has to prove who they are; no payouts.
	SellerStatusApprovalRequired SellerStatus = "APPROVAL_REQUIRED"
	// SellerStatusPartiallyApproved: payouts up to a weekly limit.
	SellerStatusPartiallyApproved SellerStatus = "PARTIALLY_APPROVED"
	// SellerStatusKYCRequired: the limit is used up, or a check is due; no payouts.
	SellerStatusKYCRequired SellerStatus = "KYC_REQUIRED"
	// SellerStatusApproved: payouts without a limit.
	SellerStatusApproved SellerStatus = "APPROVED"
)

// Seller is someone who receives payouts, in version 2 of the payouts API.
//
// Source: https://docs.tosspayments.com/reference/using-api/webhook-events
type Seller struct {
	ID string `json:"id"`
	// RefSellerID is the merchant's own number of the seller.
	RefSellerID string `json:"refSellerId"`
	// BusinessType is INDIVIDUAL, INDIVIDUAL_BUSINESS or CORPORATE.
	BusinessType string `json:"businessType"`
	// Company is set for the two business types, Individual for INDIVIDUAL.
	Company    *SellerCompany    `json:"company,omitzero"`
	Individual *SellerIndividual `json:"individual,omitzero"`
	Status     SellerStatus      `json:"status"`
	Account    *SellerAccount    `json:"account,omitzero"`
	Metadata   Metadata          `json:"metadata,omitzero"`
}

// SellerCompany is a seller that is a business.
type SellerCompany struct {
	Name                       string `json:"name"`
	RepresentativeName         string `json:"representativeName"`
	BusinessRegistrationNumber string `json:"businessRegistrationNumber"`
	Email                      string `json:"email"`
	Phone                      string `json:"phone"`
}

// SellerIndividual is a seller that is a person.
type SellerIndividual struct {
	Name  string `json:"name"`
	Email string `json:"email"`
	Phone string `json:"phone"`
}

// SellerAccount is the account that payouts go to.
type SellerAccount struct {
	// BankCode has two or three digits: both occur.
	BankCode string `json:"bankCode"`
	// AccountNumber is masked by the server in version 2.
	AccountNumber Sensitive `json:"accountNumber"`
	HolderName    string    `json:"holderName"`
}

// ARSReservation is a payment by telephone. One source only describes it, and
// there is no test environment for it.
type ARSReservation struct {
	ARSReservationKey string    `json:"arsReservationKey"`
	ReserveNumber     string    `json:"reserveNumber"`
	RequestedAt       time.Time `json:"requestedAt,omitzero"`
	ReservedAt        time.Time `json:"reservedAt,omitzero"`
	// Status is DONE or CANCELED.
	Status       string    `json:"status"`
	CanceledAt   time.Time `json:"canceledAt,omitzero"`
	CancelReason string    `json:"cancelReason"`
	CompletedAt  time.Time `json:"completedAt,omitzero"`
	MID          string    `json:"mId"`
}

// LegacyPayout is a payout of version 1, to a sub-mall. Sources disagree on how it
// writes dates, so they are texts.
type LegacyPayout struct {
	PayoutKey  string `json:"payoutKey"`
	SubMallID  string `json:"subMallId"`
	PayoutDate string `json:"payoutDate"`
	// PayoutAmount is in won.
	PayoutAmount    Amount         `json:"payoutAmount"`
	RequestedAt     string         `json:"requestedAt"`
	Status          PayoutStatus   `json:"status"`
	TransferSummary string         `json:"transferSummary"`
	Failure         *Failure       `json:"failure"`
	Account         *SellerAccount `json:"account"`
	Metadata        Metadata       `json:"metadata"`
}

// Submall is a receiver of payouts of version 1.
type Submall struct {
	SubMallID string `json:"subMallId"`
	// Type is CORPORATE or INDIVIDUAL.
	Type     string         `json:"type"`
	Status   SellerStatus   `json:"status"`
	Account  *SellerAccount `json:"account"`
	Metadata Metadata       `json:"metadata"`
}
