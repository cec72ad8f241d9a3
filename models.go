package tosspayments

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// Currency is the currency code of a payment. KRW is the default; USD and JPY
// are documented for cards, USD for PayPal. Others occur.
const (
	CurrencyKRW = "KRW"
	CurrencyUSD = "USD"
	CurrencyJPY = "JPY"
)

// PaymentStatus is where a payment stands. The list is open: treat a value that
// is not a constant here as "not known", not as an error.
type PaymentStatus string

const (
	// PaymentStatusReady: the payment window has been opened.
	PaymentStatusReady PaymentStatus = "READY"
	// PaymentStatusInProgress: the buyer has authenticated; to be confirmed
	// within ten minutes.
	PaymentStatusInProgress PaymentStatus = "IN_PROGRESS"
	// PaymentStatusWaitingForDeposit: a virtual account has been issued and is
	// not paid, or its deposit bounced.
	PaymentStatusWaitingForDeposit PaymentStatus = "WAITING_FOR_DEPOSIT"
	// PaymentStatusDone: approved, or the deposit has arrived.
	PaymentStatusDone PaymentStatus = "DONE"
	// PaymentStatusCanceled: cancelled in one go. It does not prove that money
	// ever arrived.
	PaymentStatusCanceled PaymentStatus = "CANCELED"
	// PaymentStatusPartialCanceled: cancelled in part. It stays so when the parts
	// add up to the whole; the balance is 0 then.
	PaymentStatusPartialCanceled PaymentStatus = "PARTIAL_CANCELED"
	// PaymentStatusAborted: the approval failed.
	PaymentStatusAborted PaymentStatus = "ABORTED"
	// PaymentStatusExpired: 30 minutes in the window or 10 minutes before the
	// confirm have passed.
	PaymentStatusExpired PaymentStatus = "EXPIRED"
)

// PaymentType tells how a payment was started. The list is open.
type PaymentType string

const (
	// PaymentTypeNormal is a payment through the window.
	PaymentTypeNormal PaymentType = "NORMAL"
	// PaymentTypeBilling is a charge with a billing key.
	PaymentTypeBilling PaymentType = "BILLING"
	// PaymentTypeBrandPay is a BrandPay payment.
	PaymentTypeBrandPay PaymentType = "BRANDPAY"
)

// Payment is a payment as the server describes it, in API versions 2022-11-16 and
// 2024-06-01, and older fields where they still occur.
//
// It encodes to JSON again without loss of any field listed here. Texts such as
// Method and Card.CardType come in the language of the client (Korean, or English
// with [WithLanguage]); do not decide by them.
//
// Source: https://docs.tosspayments.com/reference#payment-객체
type Payment struct {
	// Version is the API version that wrote the object.
	Version string      `json:"version,omitzero"`
	Type    PaymentType `json:"type,omitzero"`
	// PaymentKey identifies the payment; at most 200 characters, opaque.
	PaymentKey string `json:"paymentKey"`
	// OrderID is the merchant's number of the order.
	OrderID   string        `json:"orderId"`
	OrderName string        `json:"orderName"`
	MID       string        `json:"mId,omitzero"`
	Status    PaymentStatus `json:"status"`
	// Currency is KRW unless the payment was requested in another currency.
	Currency string `json:"currency,omitzero"`
	// Method is the kind of payment in words (카드, 간편결제, 가상계좌 …); "" before
	// the buyer has chosen one.
	Method string `json:"method,omitzero"`
	// TotalAmount is the amount that was requested; it never changes.
	TotalAmount Amount `json:"totalAmount"`
	// BalanceAmount is what is left after cancels; nil when the answer does not
	// say, as in the integration guide's sample. See [Payment.Cancelable].
	BalanceAmount *Amount `json:"balanceAmount,omitzero"`
	// SuppliedAmount, VAT, TaxFreeAmount and TaxExemptionAmount split the balance
	// for the tax office.
	SuppliedAmount     Amount `json:"suppliedAmount,omitzero"`
	VAT                Amount `json:"vat,omitzero"`
	TaxFreeAmount      Amount `json:"taxFreeAmount,omitzero"`
	TaxExemptionAmount Amount `json:"taxExemptionAmount,omitzero"`
	// RequestedAt is when the payment window was opened.
	RequestedAt time.Time `json:"requestedAt,omitzero"`
	// ApprovedAt is zero until the payment is approved.
	ApprovedAt time.Time `json:"approvedAt,omitzero"`
	// LastTransactionKey is the key of the newest approval or cancel.
	LastTransactionKey string `json:"lastTransactionKey,omitzero"`
	// TransactionKey is the same under its older name; some versions send both.
	TransactionKey string `json:"transactionKey,omitzero"`

	UseEscrow           bool `json:"useEscrow,omitzero"`
	CultureExpense      bool `json:"cultureExpense,omitzero"`
	IsPartialCancelable bool `json:"isPartialCancelable,omitzero"`

	// Cancels are the cancels so far, in no documented order; the newest has
	// TransactionKey equal to LastTransactionKey.
	Cancels []Cancel `json:"cancels,omitzero"`

	// Of the following, those that apply to the method are set. A wallet payment
	// that is backed by a card has both EasyPay and Card.
	Card            *Card            `json:"card,omitzero"`
	EasyPay         *EasyPay         `json:"easyPay,omitzero"`
	VirtualAccount  *VirtualAccount  `json:"virtualAccount,omitzero"`
	Transfer        *Transfer        `json:"transfer,omitzero"`
	MobilePhone     *MobilePhone     `json:"mobilePhone,omitzero"`
	GiftCertificate *GiftCertificate `json:"giftCertificate,omitzero"`
	ForeignEasyPay  *ForeignEasyPay  `json:"foreignEasyPay,omitzero"`

	// EasyPayAmount and EasyPayDiscountAmount occur in old versions only.
	EasyPayAmount         Amount `json:"easyPayAmount,omitzero"`
	EasyPayDiscountAmount Amount `json:"easyPayDiscountAmount,omitzero"`

	// CashReceipt is the receipt issued with the payment. CashReceipts also has
	// those of cancels, in no order; receipts issued separately are not in it.
	CashReceipt  *PaymentCashReceipt `json:"cashReceipt,omitzero"`
	CashReceipts []CashReceipt       `json:"cashReceipts,omitzero"`
	// Discount is the instant discount of the card company.
	Discount *Discount `json:"discount,omitzero"`
	// Secret is compared with the secret of a deposit callback. Store it.
	Secret Sensitive `json:"secret,omitzero"`
	// Metadata is what the merchant attached: at most 5 pairs.
	Metadata Metadata `json:"metadata,omitzero"`
	// Receipt has the address of the sales slip for the buyer.
	Receipt *Receipt `json:"receipt,omitzero"`
	// Checkout has the address of the payment window.
	Checkout *Checkout `json:"checkout,omitzero"`
	// Country is the two-letter code of the country of payment.
	Country string `json:"country,omitzero"`
	// Failure says why an ABORTED or EXPIRED payment failed.
	Failure *Failure `json:"failure,omitzero"`
}

// IsPaid tells whether the payment was approved (or its deposit arrived) and not
// cancelled in full since.
func (p *Payment) IsPaid() bool {
	return p.Status == PaymentStatusDone || p.Status == PaymentStatusPartialCanceled && !p.IsFullyCanceled()
}

// IsFullyCanceled tells whether the payment is cancelled and nothing is left of
// it. A payment refunded in parts stays PARTIAL_CANCELED at balance 0, so the
// balance decides; without one the answer is false.
func (p *Payment) IsFullyCanceled() bool {
	return (p.Status == PaymentStatusCanceled || p.Status == PaymentStatusPartialCanceled) &&
		p.BalanceAmount != nil && p.BalanceAmount.IsZero()
}

// Cancelable returns how much can still be cancelled: the balance of a payment
// that is DONE, PARTIAL_CANCELED or WAITING_FOR_DEPOSIT, else 0. Where the answer
// has no balance it is the total less the cancels that did not fail.
//
// It is an upper bound: some payments can only be cancelled whole (see
// IsPartialCancelable), and refund periods end.
func (p *Payment) Cancelable() Amount {
	switch p.Status {
	case PaymentStatusDone, PaymentStatusPartialCanceled, PaymentStatusWaitingForDeposit:
	default:
		return Amount{}
	}
	if p.BalanceAmount != nil {
		return *p.BalanceAmount
	}
	left := p.TotalAmount
	for _, c := range p.Cancels {
		if c.CancelStatus != CancelStatusAborted {
			left = left.Sub(c.CancelAmount)
		}
	}
	if left.Cmp(Amount{}) < 0 {
		return Amount{}
	}
	return left
}

// lastCancel returns the newest cancel, or nil when the payment does not say
// which one that is.
func (p *Payment) lastCancel() *Cancel {
	key := p.LastTransactionKey
	if key == "" {
		key = p.TransactionKey
	}
	for i := range p.Cancels {
		if key != "" && p.Cancels[i].TransactionKey == key {
			return &p.Cancels[i]
		}
	}
	return nil
}

// CancelStatus is where a cancel stands. The list is open.
type CancelStatus string

const (
	// CancelStatusDone: the cancel has happened.
	CancelStatusDone CancelStatus = "DONE"
	// CancelStatusInProgress: a foreign wallet is still working on it; a webhook
	// tells the end. Nothing is refunded yet.
	CancelStatusInProgress CancelStatus = "IN_PROGRESS"
	// CancelStatusAborted: the cancel failed.
	CancelStatusAborted CancelStatus = "ABORTED"
)

// Cancel is one cancel of a payment.
type Cancel struct {
	CancelAmount       Amount `json:"cancelAmount"`
	CancelReason       string `json:"cancelReason"`
	TaxFreeAmount      Amount `json:"taxFreeAmount,omitzero"`
	TaxExemptionAmount Amount `json:"taxExemptionAmount,omitzero"`
	// RefundableAmount is what was left after this cancel; nil when the answer
	// does not say.
	RefundableAmount       *Amount      `json:"refundableAmount,omitzero"`
	CardDiscountAmount     Amount       `json:"cardDiscountAmount,omitzero"`
	TransferDiscountAmount Amount       `json:"transferDiscountAmount,omitzero"`
	EasyPayDiscountAmount  Amount       `json:"easyPayDiscountAmount,omitzero"`
	CanceledAt             time.Time    `json:"canceledAt,omitzero"`
	TransactionKey         string       `json:"transactionKey,omitzero"`
	ReceiptKey             string       `json:"receiptKey,omitzero"`
	CancelStatus           CancelStatus `json:"cancelStatus,omitzero"`
	// CancelRequestID is set for asynchronous cancels.
	CancelRequestID string `json:"cancelRequestId,omitzero"`
}

// Card is the card part of a payment.
type Card struct {
	// Amount is what was paid by card.
	Amount Amount `json:"amount"`
	// IssuerCode and AcquirerCode are institution codes such as "61" or "3K";
	// they are texts, since leading zeros matter.
	IssuerCode   string `json:"issuerCode,omitzero"`
	AcquirerCode string `json:"acquirerCode,omitzero"`
	// Number is masked by the server.
	Number string `json:"number,omitzero"`
	// InstallmentPlanMonths is 0 for a payment in one sum.
	InstallmentPlanMonths Months `json:"installmentPlanMonths"`
	ApproveNo             string `json:"approveNo,omitzero"`
	UseCardPoint          bool   `json:"useCardPoint,omitzero"`
	// CardType is 신용, 체크, 기프트 or 미확인, or English.
	CardType string `json:"cardType,omitzero"`
	// OwnerType is 개인, 법인 or 미확인, or English.
	OwnerType     string        `json:"ownerType,omitzero"`
	AcquireStatus AcquireStatus `json:"acquireStatus,omitzero"`
	// IsInterestFree tells whether the instalments cost the buyer no interest.
	IsInterestFree bool `json:"isInterestFree,omitzero"`
	// InterestPayer is BUYER, CARD_COMPANY or MERCHANT; "" when there is none.
	InterestPayer string `json:"interestPayer,omitzero"`

	// Company and ReceiptURL occur in old versions only.
	Company    string `json:"company,omitzero"`
	ReceiptURL string `json:"receiptUrl,omitzero"`
}

// AcquireStatus is where the card company's acquiring of a payment stands. The
// list is open.
type AcquireStatus string

const (
	// AcquireStatusReady: not yet requested.
	AcquireStatusReady AcquireStatus = "READY"
	// AcquireStatusRequested: requested.
	AcquireStatusRequested AcquireStatus = "REQUESTED"
	// AcquireStatusCompleted: acquired.
	AcquireStatusCompleted AcquireStatus = "COMPLETED"
	// AcquireStatusCancelRequested: a cancel has been requested.
	AcquireStatusCancelRequested AcquireStatus = "CANCEL_REQUESTED"
	// AcquireStatusCanceled: cancelled.
	AcquireStatusCanceled AcquireStatus = "CANCELED"
)

// EasyPay is the wallet part of a payment.
type EasyPay struct {
	// Provider is the wallet in words (토스페이, 카카오페이 …) or in English.
	Provider string `json:"provider"`
	// Amount is what was paid from a linked account or cash-like points; 0 when a
	// card backs the wallet (see Payment.Card).
	Amount Amount `json:"amount"`
	// DiscountAmount is what was paid with points or coupons of the wallet.
	DiscountAmount Amount `json:"discountAmount"`
}

// UnmarshalJSON also accepts a plain string, the provider, as old versions send.
func (e *EasyPay) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, &e.Provider)
	}
	type plain EasyPay
	return json.Unmarshal(data, (*plain)(e))
}

// VirtualAccount is the account that the buyer pays into.
type VirtualAccount struct {
	// AccountType is 일반 (one payment) or 고정 (fixed to the customer), or English.
	AccountType   string    `json:"accountType,omitzero"`
	AccountNumber Sensitive `json:"accountNumber,omitzero"`
	BankCode      string    `json:"bankCode,omitzero"`
	CustomerName  string    `json:"customerName,omitzero"`
	// DepositorName is "" until the deposit; older versions do not send it.
	DepositorName string   `json:"depositorName,omitzero"`
	DueDate       DateTime `json:"dueDate,omitzero"`
	// RefundStatus is NONE, PENDING, FAILED, PARTIAL_FAILED or COMPLETED. It does
	// not change at once when a refund is requested.
	RefundStatus string `json:"refundStatus,omitzero"`
	// Expired tells whether the due date has passed. No webhook tells it.
	Expired bool `json:"expired,omitzero"`
	// SettlementStatus is INCOMPLETED or COMPLETED.
	SettlementStatus string `json:"settlementStatus,omitzero"`
	// RefundReceiveAccount is shown for 30 minutes after the refund.
	RefundReceiveAccount *RefundedAccount `json:"refundReceiveAccount,omitzero"`

	// Bank occurs in old versions only, instead of BankCode.
	Bank string `json:"bank,omitzero"`
}

// RefundedAccount is the account to which a virtual-account payment was
// refunded.
type RefundedAccount struct {
	BankCode      string    `json:"bankCode,omitzero"`
	AccountNumber Sensitive `json:"accountNumber,omitzero"`
	HolderName    string    `json:"holderName,omitzero"`
}

// Transfer is the account-transfer part of a payment.
type Transfer struct {
	BankCode string `json:"bankCode,omitzero"`
	// SettlementStatus is INCOMPLETED or COMPLETED.
	SettlementStatus string `json:"settlementStatus,omitzero"`

	// Bank occurs in old versions only, instead of BankCode.
	Bank string `json:"bank,omitzero"`
}

// MobilePhone is the phone-bill part of a payment.
type MobilePhone struct {
	CustomerMobilePhone string `json:"customerMobilePhone,omitzero"`
	// SettlementStatus is INCOMPLETED or COMPLETED.
	SettlementStatus string `json:"settlementStatus,omitzero"`
	ReceiptURL       string `json:"receiptUrl,omitzero"`

	// Carrier occurs in old versions only.
	Carrier string `json:"carrier,omitzero"`
}

// GiftCertificate is the gift-certificate part of a payment.
type GiftCertificate struct {
	ApproveNo string `json:"approveNo,omitzero"`
	// SettlementStatus is INCOMPLETED or COMPLETED.
	SettlementStatus string `json:"settlementStatus,omitzero"`
}

// ForeignEasyPay is the foreign wallet of a payment, in old versions.
type ForeignEasyPay struct {
	Provider string `json:"provider"`
}

// PaymentCashReceipt is the cash receipt that was issued with a payment.
type PaymentCashReceipt struct {
	// Type is 소득공제 (consumer) or 지출증빙 (business), or English.
	Type          string `json:"type,omitzero"`
	ReceiptKey    string `json:"receiptKey,omitzero"`
	IssueNumber   string `json:"issueNumber,omitzero"`
	ReceiptURL    string `json:"receiptUrl,omitzero"`
	Amount        Amount `json:"amount"`
	TaxFreeAmount Amount `json:"taxFreeAmount,omitzero"`
}

// CashReceipt is the record of a cash receipt that was issued or cancelled.
type CashReceipt struct {
	ReceiptKey  string `json:"receiptKey,omitzero"`
	IssueNumber string `json:"issueNumber,omitzero"`
	// IssueStatus is IN_PROGRESS, COMPLETED or FAILED.
	IssueStatus   string `json:"issueStatus,omitzero"`
	Amount        Amount `json:"amount"`
	TaxFreeAmount Amount `json:"taxFreeAmount,omitzero"`
	OrderID       string `json:"orderId,omitzero"`
	OrderName     string `json:"orderName,omitzero"`
	// Type is 소득공제 (consumer) or 지출증빙 (business), or English.
	Type string `json:"type,omitzero"`
	// TransactionType is CONFIRM or CANCEL.
	TransactionType        string    `json:"transactionType,omitzero"`
	BusinessNumber         string    `json:"businessNumber,omitzero"`
	CustomerIdentityNumber Sensitive `json:"customerIdentityNumber,omitzero"`
	Failure                *Failure  `json:"failure,omitzero"`
	RequestedAt            time.Time `json:"requestedAt,omitzero"`
	ReceiptURL             string    `json:"receiptUrl,omitzero"`

	// ApprovalNumber, ApprovedAt and CanceledAt occur in old versions only.
	ApprovalNumber string    `json:"approvalNumber,omitzero"`
	ApprovedAt     time.Time `json:"approvedAt,omitzero"`
	CanceledAt     time.Time `json:"canceledAt,omitzero"`
}

// Discount is the instant discount of a payment.
type Discount struct {
	Amount Amount `json:"amount"`
}

// Receipt has the address of the sales slip.
type Receipt struct {
	URL string `json:"url"`
}

// Checkout has the address of the payment window.
type Checkout struct {
	URL string `json:"url"`
}

// Failure says why a payment or a cash receipt failed.
type Failure struct {
	Code    ErrorCode `json:"code"`
	Message string    `json:"message"`
}

// Months is a number of months. It also reads a numeric string.
type Months int

// UnmarshalJSON reads a number or a numeric string; null and "" leave it as it is.
func (m *Months) UnmarshalJSON(data []byte) error {
	text := string(bytes.Trim(data, `"`))
	if text == "null" || text == "" {
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return fmt.Errorf("tosspayments: a number of months must be a whole number")
	}
	*m = Months(n)
	return nil
}

// Metadata is what the merchant attached to a payment. A value that is not a
// string in the answer is kept as its JSON text.
type Metadata map[string]string

// UnmarshalJSON reads an object.
func (m *Metadata) UnmarshalJSON(data []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil || raw == nil {
		return err
	}
	*m = make(Metadata, len(raw))
	for key, value := range raw {
		var text string
		if json.Unmarshal(value, &text) != nil {
			text = string(value)
		}
		(*m)[key] = text
	}
	return nil
}
