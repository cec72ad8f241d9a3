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

// What a form offers. The Korean name of a method is what older API versions answer with.
func ExampleMethods() {
	var methods []string
	for method := range institutions.Methods() {
		methods = append(methods, method.Code)
	}
	fmt.Println(methods)
	method, ok := institutions.LookupMethod("간편결제")
	fmt.Println(method.English, ok)
	// Output:
	// [BOOK_GIFT_CERTIFICATE CARD CULTURE_GIFT_CERTIFICATE EASY_PAY FOREIGN_EASY_PAY GAME_GIFT_CERTIFICATE MOBILE_PHONE TRANSFER VIRTUAL_ACCOUNT]
	// Easy pay true
}

// The card companies and wallets of a page that shows what a shop takes.
func ExampleCardCompanies() {
	companies, wallets := 0, 0
	for company := range institutions.CardCompanies() {
		if companies++; companies <= 2 {
			fmt.Println(company.Code, company.Korean)
		}
	}
	for wallet := range institutions.EasyPays() {
		if wallets++; wallets <= 2 {
			fmt.Println(wallet.Code, wallet.Korean)
		}
	}
	// Output:
	// 11 KB국민카드
	// 15 카카오뱅크
	// APPLEPAY 애플페이
	// KAKAOPAY 카카오페이
}
