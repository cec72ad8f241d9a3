package tosspayments

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// This file has every check of a request before it is sent. The checks are those that
// the documents state for every merchant; what differs by contract is the server's.

const (
	minOrderID     = 6
	maxOrderID     = 64
	maxOrderName   = 100
	minCustomerKey = 2
	maxCustomerKey = 300
	maxPaymentKey  = 200
	maxBillingKey  = 200
	maxReceiptKey  = 200
	maxReason      = 200
	maxRefundID    = 64
	maxValidHours  = 2160

	// No two clocks agree.
	clockTolerance = time.Minute
)

// ValidateOrderID checks an order id: 6 to 64 characters. Letters, digits, - and _
// are documented everywhere; = and . in some documents only, and accepted here.
func ValidateOrderID(id string) error {
	return checkText("orderId", id, minOrderID, maxOrderID, "-_=.")
}

// ValidateOrderName checks what the buyer reads as the name of the purchase: 1 to
// 100 characters.
func ValidateOrderName(name string) error {
	return checkLength("orderName", name, 1, maxOrderName)
}

// ValidateCustomerKey checks the merchant's key for a buyer: 2 to 300 letters,
// digits and - _ = . @. The browser SDK takes at most 50. It must not be guessable:
// no e-mail address, phone number or counter.
func ValidateCustomerKey(key string) error {
	return checkText("customerKey", key, minCustomerKey, maxCustomerKey, "-_=.@")
}

// first returns the first error of its checks.
func first(checks ...error) error {
	for _, err := range checks {
		if err != nil {
			return err
		}
	}
	return nil
}

func invalid(field, reason string) error { return &ValidationError{Field: field, Reason: reason} }

func checkLength(field, value string, least, most int) error {
	switch n := utf8.RuneCountInString(value); {
	case !utf8.ValidString(value):
		return invalid(field, "must be valid UTF-8")
	case n == 0 && least > 0:
		return invalid(field, "is empty")
	case n < least || n > most:
		return invalid(field, fmt.Sprintf("must have %d to %d characters, has %d", least, most, n))
	}
	return nil
}

// checkText checks for letters, digits and the given marks.
func checkText(field, value string, least, most int, marks string) error {
	if err := checkLength(field, value, least, most); err != nil {
		return err
	}
	for i := range len(value) {
		c := value[i]
		if !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'z') && strings.IndexByte(marks, c) < 0 {
			return invalid(field, "must have only letters, digits and "+strings.Join(strings.Split(marks, ""), " "))
		}
	}
	return nil
}

// checkSegment checks a value that becomes one segment of a path.
func checkSegment(field, value string, most int) error {
	if err := checkLength(field, value, 1, most); err != nil {
		return err
	}
	if value == "." || value == ".." {
		return invalid(field, "must not be . or ..")
	}
	return nil
}

func checkPaymentKey(key string) error { return checkSegment("paymentKey", key, maxPaymentKey) }

// checkNewPaymentKey checks one that comes through the buyer's hands.
func checkNewPaymentKey(key string) error {
	return first(checkPaymentKey(key), checkVisible("paymentKey", key))
}

// checkAmount checks an amount of money to move. An unknown currency, or none, may
// have decimals.
func checkAmount(field string, a Amount, currency string) error {
	if a.Sign() <= 0 {
		return invalid(field, "must be more than 0")
	}
	if (currency == CurrencyKRW || currency == CurrencyJPY) && !a.isWhole() {
		return invalid(field, "must be whole: "+currency+" has no decimals")
	}
	return nil
}

// checkCurrency checks what answers are compared with, before money has moved.
func checkCurrency(currency string) error {
	if currency != "" && !isCapitals(currency) {
		return invalid("currency", "must be capital letters, such as USD")
	}
	return nil
}

// checkPart checks an optional part of an amount, such as the tax-free one.
func checkPart(field string, part, whole Amount) error {
	if part.Cmp(Amount{}) < 0 || part.Cmp(whole) > 0 {
		return invalid(field, "must be between 0 and the amount")
	}
	return nil
}

// checkOrder checks what names a charge in won.
func checkOrder(id, name string, amount Amount) error {
	return first(ValidateOrderID(id), ValidateOrderName(name), checkAmount("amount", amount, CurrencyKRW))
}

// checkCustomer checks what the server is told of a buyer; all of it is optional.
func checkCustomer(email, name, phone string) error {
	if phone != "" && (len(phone) < 8 || len(phone) > 15 || !isDigits(phone)) {
		return invalid("customerMobilePhone", "must have 8 to 15 digits and nothing else")
	}
	return first(checkLength("customerEmail", email, 0, 100), checkLength("customerName", name, 0, 100))
}

func checkInstallment(months int, amount Amount) error {
	switch {
	case months != 0 && (months < 2 || months > 12):
		return invalid("cardInstallmentPlan", "must be 0 or 2 to 12 months")
	case months != 0 && amount.Cmp(Won(50_000)) < 0:
		return invalid("cardInstallmentPlan", "must be 0 for less than 50,000 won")
	}
	return nil
}

// checkCard checks a card as it is typed in. Its password is the server's business.
func checkCard(number, year, month, identity Sensitive) error {
	n, m, id := number.Reveal(), month.Reveal(), identity.Reveal()
	switch {
	case n == "" || len(n) > 20 || !isDigits(n):
		return invalid("cardNumber", "must have 1 to 20 digits and nothing else")
	case !isTwoDigits(year.Reveal()):
		return invalid("cardExpirationYear", "must have two digits")
	case !isTwoDigits(m) || m < "01" || m > "12":
		return invalid("cardExpirationMonth", "must be 01 to 12")
	case id != "" && (len(id) != 6 && len(id) != 10 || !isDigits(id)):
		return invalid("customerIdentityNumber", "must have 6 digits (date of birth) or 10 (business number)")
	}
	return nil
}

func isTwoDigits(s string) bool { return len(s) == 2 && isDigits(s) }

func isDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}

// isCapitals reports whether s is a word of capital letters, as methods and currencies
// are.
func isCapitals(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < 'A' || r > 'Z' })
}

// isVisible reports whether s has visible ASCII characters only.
func isVisible(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

func checkVisible(field, value string) error {
	if !isVisible(value) {
		return invalid(field, "must have visible ASCII characters only")
	}
	return nil
}

func isWebAddress(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}

// checkOptions checks the options of one call.
func (c *Client) checkOptions(call *call) error {
	switch key := call.idempotencyKey; {
	case !call.ownKey:
	case key == "":
		return invalid("idempotencyKey", "must not be empty")
	case len(key) > maxIdempotencyKey:
		return invalid("idempotencyKey", "must have at most 300 characters")
	case !isVisible(key):
		return invalid("idempotencyKey", "must have visible ASCII characters only")
	}
	switch {
	case call.testCode != "" && !c.key.IsTest():
		return invalid("WithTestCode", "needs a test key (test_…)")
	case !isVisible(string(call.testCode)):
		return invalid("WithTestCode", "must be an error code")
	}
	return nil
}

// refuseWidgetKey refuses a key of the widget set, which the server would refuse with
// NOT_SUPPORTED_WIDGET_KEY or another code.
func (c *Client) refuseWidgetKey() error {
	if c.key.IsWidget() {
		return invalid("secretKey", "is a widget key (gsk): this call needs the API key (sk)")
	}
	return nil
}

func (r *ConfirmPaymentRequest) validate() error {
	return first(checkNewPaymentKey(r.PaymentKey), r.validateOrder())
}

func (r *ConfirmPaymentRequest) validateOrder() error {
	return first(ValidateOrderID(r.OrderID), checkCurrency(r.Currency), checkAmount("amount", r.Amount, orKRW(r.Currency)))
}

// validate checks what both kinds of cancel have.
func (r *PartialCancelRequest) validate() error {
	zero := Amount{}
	switch {
	case r.TaxFreeAmount.Cmp(zero) < 0:
		return invalid("taxFreeAmount", "must not be negative")
	case r.TaxExemptionAmount.Cmp(zero) < 0:
		return invalid("taxExemptionAmount", "must not be negative")
	case r.RefundableAmount.Cmp(zero) < 0:
		return invalid("refundableAmount", "must not be negative")
	}
	if r.CancelRequestID != "" {
		if err := checkText("cancelRequestId", r.CancelRequestID, 6, 64, "-_="); err != nil {
			return err
		}
	}
	return first(checkLength("cancelReason", r.CancelReason, 1, maxReason), r.RefundReceiveAccount.validate())
}

func (r *PartialCancelRequest) validatePart() error {
	if err := checkAmount("cancelAmount", r.CancelAmount, r.Currency); err != nil {
		return err
	}
	switch {
	case r.RefundableAmount.Cmp(Amount{}) <= 0:
		return invalid("refundableAmount", "must be the balance before this cancel; 0 means that nothing is left")
	case r.CancelAmount.Cmp(r.RefundableAmount) > 0:
		return invalid("cancelAmount", "must not be more than refundableAmount")
	case r.TaxFreeAmount.Cmp(r.CancelAmount) > 0:
		return invalid("taxFreeAmount", "must not be more than cancelAmount")
	case len(r.RefundID) > maxRefundID || !isVisible(r.RefundID) || strings.ContainsAny(r.RefundID, "[]"):
		return invalid("RefundID", "must have at most 64 visible ASCII characters without brackets")
	}
	return first(r.validate(), checkLength("cancelReason", r.reason(), 1, maxReason))
}

func (a *RefundReceiveAccount) validate() error {
	if a == nil {
		return nil
	}
	number := a.AccountNumber.Reveal()
	switch {
	case a.Bank == "":
		return invalid("refundReceiveAccount.bank", "is empty")
	case number == "" || len(number) > 20 || !isDigits(number):
		return invalid("refundReceiveAccount.accountNumber", "must have 1 to 20 digits and nothing else")
	}
	return checkLength("refundReceiveAccount.holderName", a.HolderName, 1, 60)
}

func (r *ChargeKeyInRequest) validate() error {
	return first(
		checkOrder(r.OrderID, r.OrderName, r.Amount),
		checkCard(r.CardNumber, r.CardExpirationYear, r.CardExpirationMonth, r.CustomerIdentityNumber),
		checkInstallment(r.CardInstallmentPlan, r.Amount),
		checkPart("taxFreeAmount", r.TaxFreeAmount, r.Amount),
		checkCustomer(r.CustomerEmail, r.CustomerName, ""),
	)
}

func (r *CreatePaymentRequest) validate() error {
	if err := first(
		ValidateOrderID(r.OrderID), ValidateOrderName(r.OrderName), checkCurrency(r.Currency), checkAmount("amount", r.Amount, orKRW(r.Currency)),
	); err != nil {
		return err
	}
	switch {
	case r.Method == "":
		return invalid("method", "is empty")
	case !isWebAddress(r.SuccessURL):
		return invalid("successUrl", "must be an absolute http or https address")
	case !isWebAddress(r.FailURL):
		return invalid("failUrl", "must be an absolute http or https address")
	case r.FlowMode == "DIRECT" && r.EasyPay == "" && r.CardCompany == "":
		return invalid("flowMode", "DIRECT needs easyPay or cardCompany")
	}
	return nil
}

func (r *IssueVirtualAccountRequest) validate(now time.Time) error {
	if err := first(
		checkOrder(r.OrderID, r.OrderName, r.Amount),
		checkLength("customerName", r.CustomerName, 1, 100),
		checkCustomer(r.CustomerEmail, "", r.CustomerMobilePhone),
		checkPart("taxFreeAmount", r.TaxFreeAmount, r.Amount),
	); err != nil {
		return err
	}
	switch {
	case r.Bank == "":
		return invalid("bank", "is empty")
	case r.ValidHours != 0 && !r.DueDate.IsZero():
		return invalid("validHours", "and dueDate must not both be given")
	case r.ValidHours < 0 || r.ValidHours > maxValidHours:
		return invalid("validHours", "must be 1 to 2160 hours (90 days)")
	case !r.DueDate.IsZero() && (r.DueDate.Before(now.Add(-clockTolerance)) || r.DueDate.After(now.Add(maxValidHours*time.Hour+clockTolerance))):
		return invalid("dueDate", "must be in the future and at most 90 days ahead")
	case len(r.AccountKey) > 13:
		return invalid("accountKey", "must have at most 13 characters")
	case r.CashReceipt == nil:
		return nil
	case r.CashReceipt.Type == "":
		return invalid("cashReceipt.type", "is empty")
	}
	return checkLength("cashReceipt.registrationNumber", r.CashReceipt.RegistrationNumber.Reveal(), 0, 30)
}

func (k *BillingKey) validate() error {
	return first(
		checkSegment("billingKey", k.Key.Reveal(), maxBillingKey),
		checkLength("customerKey", k.CustomerKey.Reveal(), 1, maxCustomerKey),
	)
}

func (r *BillingRedirect) validate() error {
	return first(ValidateCustomerKey(r.CustomerKey), checkLength("authKey", r.AuthKey.Reveal(), 1, maxAuthKey))
}

func (r *IssueBillingKeyByCardRequest) validate() error {
	return first(
		ValidateCustomerKey(r.CustomerKey),
		checkCard(r.CardNumber, r.CardExpirationYear, r.CardExpirationMonth, r.CustomerIdentityNumber),
		checkCustomer(r.CustomerEmail, r.CustomerName, ""),
	)
}

func (r *ChargeBillingRequest) validate() error {
	return first(
		checkOrder(r.OrderID, r.OrderName, r.Amount),
		checkPart("taxFreeAmount", r.TaxFreeAmount, r.Amount),
		checkPart("taxExemptionAmount", r.TaxExemptionAmount, r.Amount),
		checkInstallment(r.CardInstallmentPlan, r.Amount),
		checkCustomer(r.CustomerEmail, r.CustomerName, ""),
	)
}

func (r *IssueCashReceiptRequest) validate() error {
	if r.Type == "" {
		return invalid("type", "is empty: 소득공제 or 지출증빙")
	}
	return first(
		checkOrder(r.OrderID, r.OrderName, r.Amount),
		checkLength("customerIdentityNumber", r.CustomerIdentityNumber.Reveal(), 1, 30),
		checkPart("taxFreeAmount", r.TaxFreeAmount, r.Amount),
	)
}

func (q *TransactionQuery) validate() error {
	switch {
	case q.StartDate.IsZero():
		return invalid("startDate", "is missing")
	case q.EndDate.IsZero():
		return invalid("endDate", "is missing")
	case q.EndDate.Before(q.StartDate):
		return invalid("endDate", "must not be before startDate")
	}
	return checkPageSize("limit", q.Limit, maxPageSize)
}

func (q *SettlementQuery) validate() error {
	switch {
	case q.StartDate.IsZero():
		return invalid("startDate", "is missing")
	case q.EndDate.IsZero():
		return invalid("endDate", "is missing")
	case q.EndDate.Compare(q.StartDate) < 0:
		return invalid("endDate", "must not be before startDate")
	case q.Page < 0:
		return invalid("page", "must be 1 or more")
	case q.DateType != "" && q.DateType != SettlementSoldDate && q.DateType != SettlementPaidOutDate:
		return invalid("dateType", "must be soldDate or paidOutDate")
	}
	return checkPageSize("size", q.Size, maxPageSize)
}

func (q *CashReceiptQuery) validate() error {
	if q.RequestDate.IsZero() {
		return invalid("requestDate", "is missing")
	}
	return checkPageSize("limit", q.Limit, maxCashReceiptPage)
}

func checkPageSize(field string, size, most int) error {
	if size < 0 || size > most {
		return invalid(field, fmt.Sprintf("must be 1 to %d, or 0 for %d", most, defaultPageSize))
	}
	return nil
}

func (r *Request) validate() error {
	if !isCapitals(r.Method) {
		return invalid("method", "must be an HTTP method in capitals")
	}
	for name := range r.Header {
		if http.CanonicalHeaderKey(name) == "Idempotency-Key" {
			return invalid("header", "must not have an Idempotency-Key: use WithIdempotencyKey")
		}
	}
	segments, ok := strings.CutPrefix(r.Path, "/")
	if !ok {
		return invalid("path", "must start with a slash")
	}
	// net/url would encode anew what is not valid, and turn a %2F into a slash.
	u, err := url.Parse("https://host" + r.Path)
	if err != nil || u.EscapedPath() != r.Path {
		return invalid("path", "must be percent-encoded, without a query")
	}
	for segment := range strings.SplitSeq(segments, "/") {
		if plain, err := url.PathUnescape(segment); err != nil || plain == "" || plain == "." || plain == ".." {
			return invalid("path", "must not have empty, . or .. segments")
		}
	}
	return nil
}
