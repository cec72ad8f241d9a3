package institutions_test

import (
	"fmt"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/institutions"
)

// What a receipt shows of a payment.
func Example() {
	payment := tosspayments.Payment{
		Method:  "간편결제",
		Card:    &tosspayments.Card{IssuerCode: "61"},
		EasyPay: &tosspayments.EasyPay{Provider: "토스페이"},
	}
	company, _ := institutions.LookupCardCompany(payment.Card.IssuerCode)
	wallet, _ := institutions.LookupEasyPay(payment.EasyPay.Provider)
	fmt.Println(company.Korean, "·", wallet.Korean)
	fmt.Println(company.English, "·", wallet.English)
	// Output:
	// 현대카드 · 토스페이
	// Hyundai Card · Toss Pay
}

// A code that is newer than this catalog is shown as it is.
func ExampleLookupBank() {
	name := func(code string) string {
		if bank, ok := institutions.LookupBank(code); ok {
			return bank.Korean
		}
		return code
	}
	fmt.Println(name("06"), name("004"), name("KOOKMIN"), name("Z9"))
	// Output: KB국민은행 KB국민은행 KB국민은행 Z9
}

// The banks for a form that asks where a refund goes.
func ExampleBanks() {
	n := 0
	for bank := range institutions.Banks() {
		if n++; n <= 3 {
			fmt.Println(bank.Code, bank.Korean)
		}
	}
	// Output:
	// 02 KDB산업은행
	// 03 IBK기업은행
	// 06 KB국민은행
}
