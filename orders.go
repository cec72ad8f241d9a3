package tosspayments

import (
	"crypto/rand"
	"strings"
)

const (
	minOrderID     = 6
	maxOrderID     = 64
	maxOrderName   = 100
	minCustomerKey = 2
	maxCustomerKey = 300
)

// NewOrderID returns a random order id that cannot be guessed: 26 capital letters
// and digits. Order ids reach the browser, so they should not count up.
func NewOrderID() string { return rand.Text() }

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

// checkText checks for letters, digits and the given marks.
func checkText(field, value string, least, most int, marks string) error {
	if err := checkLength(field, value, least, most); err != nil {
		return err
	}
	for i := range len(value) {
		c := value[i]
		if !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'z') && strings.IndexByte(marks, c) < 0 {
			return &ValidationError{
				Field:  field,
				Reason: "must have only letters, digits and " + strings.Join(strings.Split(marks, ""), " "),
			}
		}
	}
	return nil
}

func checkPaymentKey(key string) error {
	_, err := segment("paymentKey", key, maxPaymentKey)
	return err
}

// checkAmount checks an amount of money to move. An unknown currency, or none,
// may have decimals.
func checkAmount(field string, a Amount, currency string) error {
	if a.Cmp(Amount{}) <= 0 {
		return &ValidationError{Field: field, Reason: "must be more than 0"}
	}
	if (currency == CurrencyKRW || currency == CurrencyJPY) && (a.scale != 0 || strings.Contains(a.big, ".")) {
		return &ValidationError{Field: field, Reason: "must be whole: " + currency + " has no decimals"}
	}
	return nil
}

func isDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}
