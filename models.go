package tosspayments

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed238ab19c/tosspayments/internal/lenient"
)

// Currencies of a payment. KRW is the default. USD and JPY are documented for cards, and
// USD for PayPal; others occur.
const (
	CurrencyKRW = "KRW"
	CurrencyUSD = "USD"
	CurrencyJPY = "JPY"
)

// PaymentStatus is where a payment stands. The list is open: treat a value that is not a
// constant here as unknown, not as an error.
type PaymentStatus string

const (
	// PaymentStatusReady: the payment window has been opened.
	PaymentStatusReady PaymentStatus = "READY"
	// PaymentStatusInProgress: the buyer has authenticated, and the payment must be
	// confirmed within ten minutes.
	PaymentStatusInProgress PaymentStatus = "IN_PROGRESS"
	// PaymentStatusWaitingForDeposit: a virtual account is open and not paid into, or its
	// deposit has been reversed.
	PaymentStatusWaitingForDeposit PaymentStatus = "WAITING_FOR_DEPOSIT"
	// PaymentStatusDone: approved, or the deposit has arrived.
	PaymentStatusDone PaymentStatus = "DONE"
	// PaymentStatusCanceled: cancelled in one go. It does not prove that money ever
	// arrived.
	PaymentStatusCanceled PaymentStatus = "CANCELED"
	// PaymentStatusPartialCanceled: cancelled in part. The status stays the same when the
	// parts add up to the whole, and the balance is 0 then.
	PaymentStatusPartialCanceled PaymentStatus = "PARTIAL_CANCELED"
	// PaymentStatusAborted: the approval failed.
	PaymentStatusAborted PaymentStatus = "ABORTED"
	// PaymentStatusExpired: the buyer has spent 30 minutes in the window, or the payment
	// was not confirmed within 10 minutes.
	PaymentStatusExpired PaymentStatus = "EXPIRED"
)

// PaymentType is how a payment was started. The list is open.
type PaymentType string

const (
	// PaymentTypeNormal is a payment through the window.
	PaymentTypeNormal PaymentType = "NORMAL"
	// PaymentTypeBilling is a charge with a billing key.
	PaymentTypeBilling PaymentType = "BILLING"
	// PaymentTypeBrandPay is a BrandPay payment.
	PaymentTypeBrandPay PaymentType = "BRANDPAY"
)

// Payment is a payment as the server describes it. It has the fields of API versions
// 2022-11-16 and 2024-06-01, and those of older versions that still occur.
//
// A field is zero if the answer does not have it, or has it with a value that cannot be
// read. PaymentKey, OrderID, Status and TotalAmount are always set. Texts such as Method
// and Card.CardType are in the language of the client: Korean, or English with
// [WithLanguage]. Do not decide by them.
//
// It encodes to JSON without loss of any field listed here, except that what is
// [Sensitive] is redacted. To store a payment, encode what [Payment.Stored] returns.
//
// Source: https://docs.tosspayments.com/reference#payment-객체
type Payment struct {
	// Version is the API version that wrote the object.
	Version string      `json:"version,omitzero"`
	Type    PaymentType `json:"type,omitzero"`
	// PaymentKey identifies the payment. It is opaque, and has at most 200 characters.
	PaymentKey string `json:"paymentKey"`
	// OrderID is the id that the merchant gave the order.
	OrderID   string        `json:"orderId"`
	OrderName string        `json:"orderName"`
	MID       string        `json:"mId,omitzero"`
	Status    PaymentStatus `json:"status"`
	// Currency is KRW unless the payment was requested in another currency; "" is KRW.
	Currency string `json:"currency,omitzero"`
	// Method is the method of payment in words (카드, 간편결제, 가상계좌 …). It is "" until
	// the buyer has chosen one.
	Method MethodName `json:"method,omitzero"`
	// TotalAmount is the amount that was requested. It never changes.
	TotalAmount Amount `json:"totalAmount"`
	// BalanceAmount is what is left after cancels. It is nil if the answer has none, as in
	// the integration guide's sample. See [Payment.Cancelable].
	BalanceAmount *Amount `json:"balanceAmount,omitzero"`
	// SuppliedAmount, VAT, TaxFreeAmount and TaxExemptionAmount are the parts of the
	// balance for the tax office.
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
	// TransactionKey is the same under its older name. Some versions send both.
	TransactionKey string `json:"transactionKey,omitzero"`

	UseEscrow           bool `json:"useEscrow,omitzero"`
	CultureExpense      bool `json:"cultureExpense,omitzero"`
	IsPartialCancelable bool `json:"isPartialCancelable,omitzero"`

	// Cancels are the cancels so far, in no documented order. [Payment.LastCancel] finds
	// the newest.
	Cancels []Cancel `json:"cancels,omitzero"`

	// Of the following, those that apply to the method are set. A wallet payment that is
	// backed by a card has both EasyPay and Card.
	Card            *Card            `json:"card,omitzero"`
	EasyPay         *EasyPay         `json:"easyPay,omitzero"`
	VirtualAccount  *VirtualAccount  `json:"virtualAccount,omitzero"`
	Transfer        *Transfer        `json:"transfer,omitzero"`
	MobilePhone     *MobilePhone     `json:"mobilePhone,omitzero"`
	GiftCertificate *GiftCertificate `json:"giftCertificate,omitzero"`
	ForeignEasyPay  *ForeignEasyPay  `json:"foreignEasyPay,omitzero"`

	// EasyPayAmount and EasyPayDiscountAmount are set by old versions only.
	EasyPayAmount         Amount `json:"easyPayAmount,omitzero"`
	EasyPayDiscountAmount Amount `json:"easyPayDiscountAmount,omitzero"`

	// CashReceipt is the receipt that was issued with the payment. CashReceipts also has
	// those of cancels, in no order. Receipts that were issued separately are in neither.
	CashReceipt  *PaymentCashReceipt `json:"cashReceipt,omitzero"`
	CashReceipts []CashReceipt       `json:"cashReceipts,omitzero"`
	// Discount is the instant discount of the card company.
	Discount *Discount `json:"discount,omitzero"`
	// Secret authenticates deposit callbacks, which carry the same one. Store it.
	Secret Sensitive `json:"secret,omitzero"`
	// Metadata is what the merchant has attached to the payment: at most 5 pairs.
	Metadata Metadata `json:"metadata,omitzero"`
	// Receipt has the address of the sales slip for the buyer.
	Receipt *Receipt `json:"receipt,omitzero"`
	// Checkout has the address of the payment window.
	Checkout *Checkout `json:"checkout,omitzero"`
	// Country is the two-letter code of the country where the payment was made.
	Country string `json:"country,omitzero"`
	// Failure says why an ABORTED or EXPIRED payment failed.
	Failure *Failure `json:"failure,omitzero"`
}

// UnmarshalJSON reads what it can of a payment: a field of another type than documented
// is coerced or left zero, and a time without an offset is Korean time. It fails if a
// field cannot be read that says which payment it is, of how much, or where it stands.
func (p *Payment) UnmarshalJSON(data []byte) error {
	unread, err := lenient.Unmarshal(data, (*paymentFields)(p))
	for _, name := range []string{"paymentKey", "orderId", "status", "totalAmount", "currency", "balanceAmount"} {
		if err == nil && slices.Contains(unread, name) {
			err = fmt.Errorf("tosspayments: the %s of a payment cannot be read", name)
		}
	}
	return err
}

// paymentFields is Payment without its methods.
type paymentFields Payment

// readPayment reads a payment. unread names the fields that hold what cannot be read;
// they are zero. Essential ones must be readable: without the keys, a status, an amount
// and its currency there is no telling what a payment means.
func readPayment(body []byte) (p *Payment, unread []string, err error) {
	p = new(Payment)
	unread, err = lenient.Unmarshal(body, (*paymentFields)(p))
	switch {
	case err != nil:
		return nil, nil, err
	case p.PaymentKey == "" || p.OrderID == "" || p.Status == "":
		return nil, unread, errNoPayment
	case p.TotalAmount.Sign() <= 0:
		return nil, unread, errNoTotal
	case slices.Contains(unread, "currency") || p.Currency != "" && !isCapitals(p.Currency):
		return nil, unread, errNoCurrency
	}
	return p, unread, nil
}

// readRows reads a list. The essential fields of a row must be there and readable; only
// its currency and its key may be missing. A row without them is an error with what it has of them,
// never an amount of 0, and the other rows are returned beside the error. unread names
// the fields of these that cannot be read, such as [3].card.approveNo.
func readRows[T any](body []byte, essential ...string) (rows []T, unread []string, err error) {
	var list []json.RawMessage
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, nil, err
	}
	if list == nil {
		return nil, nil, errNoList
	}
	var bad []string
	for i, data := range list {
		var row T
		names, err := lenient.Unmarshal(data, &row)
		if field := badField(data, names, essential); err != nil || field != "" {
			bad = append(bad, fmt.Sprintf("row %d has no readable %s: %s", i, cmp.Or(field, essential[0]), excerptOf(data, essential)))
			continue
		}
		rows = append(rows, row)
		for _, name := range names {
			unread = append(unread, fmt.Sprintf("[%d].%s", i, name))
		}
	}
	if len(bad) > 0 {
		err = fmt.Errorf("%d of %d rows cannot be read: %s", len(bad), len(list), strings.Join(bad[:min(len(bad), maxBadRows)], "; "))
	}
	return rows, unread, err
}

// maxBadRows is how many rows an error shows.
const maxBadRows = 3

// badField returns the first essential field that a row lacks, or that cannot be read.
func badField(row []byte, unread, essential []string) string {
	required := slices.DeleteFunc(slices.Clone(essential), func(name string) bool { return name == "currency" || name == "transactionKey" })
	for _, name := range essential {
		if slices.Contains(unread, name) {
			return name
		}
	}
	return lenient.Missing(row, required...)
}

// excerptOf shows the named members of a row. Others may hold keys of customers.
func excerptOf(row []byte, names []string) string {
	var members map[string]json.RawMessage
	if json.Unmarshal(row, &members) != nil || members == nil {
		return oneLine(maskNumbers(string(row)), maxExcerptBytes)
	}
	var shown []string
	for _, name := range names {
		if value, ok := members[name]; ok {
			shown = append(shown, fmt.Sprintf("%q:%s", name, value))
		}
	}
	return oneLine(maskNumbers("{"+strings.Join(shown, ",")+"}"), maxExcerptBytes)
}

var (
	errNoList     = error(sentinel("it is not a list"))
	errNoPayment  = error(sentinel("it is not a payment: paymentKey, orderId or status is missing"))
	errNoTotal    = error(sentinel("it is not a payment: totalAmount is missing, not more than 0, or cannot be read"))
	errNoCurrency = error(sentinel("the payment cannot be judged: its currency cannot be read"))
)

// Stored returns the payment for storing, with everything in it; nothing for nil.
func (p *Payment) Stored() Stored[Payment] {
	if p == nil {
		return Stored[Payment]{}
	}
	return Store(*p)
}

// IsPaid reports whether the payment was approved, or its deposit arrived, and it has not
// been cancelled in full since.
func (p *Payment) IsPaid() bool {
	return p.Status == PaymentStatusDone || p.Status == PaymentStatusPartialCanceled && !p.IsFullyCanceled()
}

// IsFullyCanceled reports whether the payment is cancelled and nothing is left of it. The
// balance decides, since a payment that was refunded in parts stays PARTIAL_CANCELED;
// without a balance the result is false.
func (p *Payment) IsFullyCanceled() bool {
	return (p.Status == PaymentStatusCanceled || p.Status == PaymentStatusPartialCanceled) &&
		p.BalanceAmount != nil && p.BalanceAmount.IsZero()
}

// Cancelable returns how much can still be cancelled: the balance of a payment that is
// DONE, PARTIAL_CANCELED or WAITING_FOR_DEPOSIT, and 0 otherwise. If the answer has no
// balance, it is the total less the cancels that did not fail.
//
// It is an upper bound. Some payments can only be cancelled as a whole (see
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
	if left.Sign() < 0 {
		return Amount{}
	}
	return left
}

// LastCancel returns the newest cancel: the one whose transaction key is that of the
// payment's last transaction. It returns nil if there is none.
func (p *Payment) LastCancel() *Cancel {
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
	// CancelStatusInProgress: a foreign wallet is still working on it, and nothing is
	// refunded yet. A webhook reports the end.
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
	// RefundableAmount is what was left after this cancel. It is nil if the answer has none.
	RefundableAmount       *Amount   `json:"refundableAmount,omitzero"`
	CardDiscountAmount     Amount    `json:"cardDiscountAmount,omitzero"`
	TransferDiscountAmount Amount    `json:"transferDiscountAmount,omitzero"`
	EasyPayDiscountAmount  Amount    `json:"easyPayDiscountAmount,omitzero"`
	CanceledAt             time.Time `json:"canceledAt,omitzero"`
	TransactionKey         string    `json:"transactionKey,omitzero"`
	// ReceiptKey is that of the cash receipt of this cancel; "" if there is none.
	ReceiptKey   string       `json:"receiptKey,omitzero"`
	CancelStatus CancelStatus `json:"cancelStatus,omitzero"`
	// CancelRequestID is set for asynchronous cancels.
	CancelRequestID string `json:"cancelRequestId,omitzero"`
}

// Card is what a payment says of its card.
type Card struct {
	// Amount is the amount that was paid by card.
	Amount Amount `json:"amount"`
	// IssuerCode and AcquirerCode are codes of card companies, such as "61" or "3K".
	// Leading zeros are part of them.
	IssuerCode   string `json:"issuerCode,omitzero"`
	AcquirerCode string `json:"acquirerCode,omitzero"`
	// Number is masked by the server.
	Number string `json:"number,omitzero"`
	// InstallmentPlanMonths is the number of instalments, or 0 for a payment in one sum.
	InstallmentPlanMonths int    `json:"installmentPlanMonths"`
	ApproveNo             string `json:"approveNo,omitzero"`
	UseCardPoint          bool   `json:"useCardPoint,omitzero"`
	// CardType is 신용, 체크, 기프트 or 미확인, or English.
	CardType string `json:"cardType,omitzero"`
	// OwnerType is 개인, 법인 or 미확인, or English.
	OwnerType     string        `json:"ownerType,omitzero"`
	AcquireStatus AcquireStatus `json:"acquireStatus,omitzero"`
	// IsInterestFree is set when the instalments cost the buyer no interest.
	IsInterestFree bool `json:"isInterestFree,omitzero"`
	// InterestPayer is BUYER, CARD_COMPANY or MERCHANT, or "" if there is no interest.
	InterestPayer string `json:"interestPayer,omitzero"`

	// Company and ReceiptURL are set by old versions only.
	Company    string `json:"company,omitzero"`
	ReceiptURL string `json:"receiptUrl,omitzero"`
}

// AcquireStatus is where the card company's acquiring of a payment stands. The list is
// open.
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

// EasyPay is what a payment says of its wallet.
type EasyPay struct {
	// Provider is the wallet in words: 토스페이, 카카오페이 …
	Provider EasyPayName `json:"provider"`
	// Amount is what was paid from a linked account or cash-like points. It is 0 if a card
	// backs the wallet (see Payment.Card).
	Amount Amount `json:"amount"`
	// DiscountAmount is what was paid with points or coupons of the wallet.
	DiscountAmount Amount `json:"discountAmount"`
}

// UnmarshalJSON reads an object, or the provider alone, as old versions send it.
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
	// DepositorName is "" until the deposit, and in older versions.
	DepositorName string `json:"depositorName,omitzero"`
	// DueDate is when the account closes.
	DueDate time.Time `json:"dueDate,omitzero"`
	// RefundStatus is NONE, PENDING, FAILED, PARTIAL_FAILED or COMPLETED. It does
	// not change at once when a refund is requested.
	RefundStatus string `json:"refundStatus,omitzero"`
	// Expired is set when the due date has passed. No webhook reports it.
	Expired bool `json:"expired,omitzero"`
	// SettlementStatus is INCOMPLETED or COMPLETED.
	SettlementStatus string `json:"settlementStatus,omitzero"`
	// RefundReceiveAccount is set for 30 minutes after a refund.
	RefundReceiveAccount *RefundReceiveAccount `json:"refundReceiveAccount,omitzero"`

	// Bank is set by old versions only, instead of BankCode.
	Bank string `json:"bank,omitzero"`
}

// RefundReceiveAccount is the account to which a virtual account's payment is refunded.
type RefundReceiveAccount struct {
	// Bank is the code of the bank, such as "20". Answers call it bankCode.
	Bank string `json:"bank" also:"bankCode"`
	// AccountNumber has at most 20 digits, without hyphens.
	AccountNumber Sensitive `json:"accountNumber"`
	// HolderName has at most 60 characters.
	HolderName string `json:"holderName"`
}

// UnmarshalJSON reads bank or bankCode.
func (a *RefundReceiveAccount) UnmarshalJSON(data []byte) error {
	type plain RefundReceiveAccount
	var read struct {
		plain
		BankCode string `json:"bankCode"`
	}
	if err := json.Unmarshal(data, &read); err != nil {
		return err
	}
	*a = RefundReceiveAccount(read.plain)
	a.Bank = cmp.Or(a.Bank, read.BankCode)
	return nil
}

// Transfer is what a payment says of its account transfer.
type Transfer struct {
	BankCode string `json:"bankCode,omitzero"`
	// SettlementStatus is INCOMPLETED or COMPLETED.
	SettlementStatus string `json:"settlementStatus,omitzero"`

	// Bank is set by old versions only, instead of BankCode.
	Bank string `json:"bank,omitzero"`
}

// MobilePhone is what a payment says of the phone bill that it is charged to.
type MobilePhone struct {
	CustomerMobilePhone string `json:"customerMobilePhone,omitzero"`
	// SettlementStatus is INCOMPLETED or COMPLETED.
	SettlementStatus string `json:"settlementStatus,omitzero"`
	ReceiptURL       string `json:"receiptUrl,omitzero"`

	// Carrier is set by old versions only.
	Carrier string `json:"carrier,omitzero"`
}

// GiftCertificate is what a payment says of its gift certificate.
type GiftCertificate struct {
	ApproveNo string `json:"approveNo,omitzero"`
	// SettlementStatus is INCOMPLETED or COMPLETED.
	SettlementStatus string `json:"settlementStatus,omitzero"`
}

// ForeignEasyPay is the foreign wallet of a payment, in old versions.
type ForeignEasyPay struct {
	Provider EasyPayName `json:"provider"`
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
	// ReceiptKey is the key of the receipt. The record of a cancel has that of its receipt
	// with "c_" before it (by an older sample), so that two cancels of one receipt may have
	// the same: do not identify records by it alone.
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
	// TransactionType is CONFIRM for a receipt that was issued, CANCEL for its cancel.
	TransactionType        string    `json:"transactionType,omitzero"`
	BusinessNumber         string    `json:"businessNumber,omitzero"`
	CustomerIdentityNumber Sensitive `json:"customerIdentityNumber,omitzero"`
	Failure                *Failure  `json:"failure,omitzero"`
	RequestedAt            time.Time `json:"requestedAt,omitzero"`
	ReceiptURL             string    `json:"receiptUrl,omitzero"`

	// ApprovalNumber, ApprovedAt and CanceledAt are set by old versions only.
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

// Metadata is what the merchant has attached to a payment. A value that is not a string
// in the answer is kept as its JSON text.
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
