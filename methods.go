package tosspayments

import (
	"strings"
	"unicode"
)

// Method is the code of a method of payment, as requests take it. The list is open.
//
// Source: https://docs.tosspayments.com/codes/org-codes
type Method string

// The codes of methods.
const (
	MethodCard                   Method = "CARD"             // 카드
	MethodEasyPay                Method = "EASY_PAY"         // 간편결제
	MethodVirtualAccount         Method = "VIRTUAL_ACCOUNT"  // 가상계좌
	MethodTransfer               Method = "TRANSFER"         // 계좌이체
	MethodMobilePhone            Method = "MOBILE_PHONE"     // 휴대폰
	MethodForeignEasyPay         Method = "FOREIGN_EASY_PAY" // 해외간편결제
	MethodCultureGiftCertificate Method = "CULTURE_GIFT_CERTIFICATE"
	MethodBookGiftCertificate    Method = "BOOK_GIFT_CERTIFICATE"
	MethodGameGiftCertificate    Method = "GAME_GIFT_CERTIFICATE"
)

// MethodName is what an answer calls a method of payment: a word in the language of the
// client, such as 카드. Show it to people, and decide by its [MethodName.Code].
type MethodName string

// Code returns the code of the method, or "" if the library does not know the word.
// Which English words the API uses is not documented, so with [WithLanguage] a method
// may be unknown.
func (n MethodName) Code() Method {
	return codeOf([]names[Method]{
		{MethodCard, "카드", "Card"},
		{MethodEasyPay, "간편결제", "Easy pay"},
		{MethodVirtualAccount, "가상계좌", "Virtual account"},
		{MethodTransfer, "계좌이체", "Account transfer"},
		{MethodMobilePhone, "휴대폰", "Mobile phone"},
		{MethodForeignEasyPay, "해외간편결제", "Foreign easy pay"},
		{MethodCultureGiftCertificate, "문화상품권", "Culture gift certificate"},
		{MethodBookGiftCertificate, "도서문화상품권", "Book gift certificate"},
		{MethodGameGiftCertificate, "게임문화상품권", "Game gift certificate"},
	}, string(n))
}

// EasyPayProvider is the code of a wallet, as requests take it. The list is open.
//
// Source: https://docs.tosspayments.com/codes/org-codes
type EasyPayProvider string

// The codes of wallets: those in Korea, then those abroad.
const (
	EasyPayTossPay    EasyPayProvider = "TOSSPAY"    // 토스페이
	EasyPayNaverPay   EasyPayProvider = "NAVERPAY"   // 네이버페이
	EasyPayKakaoPay   EasyPayProvider = "KAKAOPAY"   // 카카오페이
	EasyPaySamsungPay EasyPayProvider = "SAMSUNGPAY" // 삼성페이
	EasyPayApplePay   EasyPayProvider = "APPLEPAY"   // 애플페이
	EasyPayPAYCO      EasyPayProvider = "PAYCO"      // 페이코
	EasyPaySSGPAY     EasyPayProvider = "SSG"        // SSG페이
	EasyPayLPAY       EasyPayProvider = "LPAY"       // 엘페이
	EasyPayPINPAY     EasyPayProvider = "PINPAY"     // 핀페이
	EasyPayKBPay      EasyPayProvider = "KBPAY"      // KB페이; one source only has it
	EasyPayLGPay      EasyPayProvider = "LGPAY"      // LG페이; one source only has it

	EasyPayAlipay        EasyPayProvider = "ALIPAY"
	EasyPayAlipayHK      EasyPayProvider = "ALIPAYHK"
	EasyPayBillEase      EasyPayProvider = "BILLEASE"
	EasyPayBoost         EasyPayProvider = "BOOST"
	EasyPayBPI           EasyPayProvider = "BPI"
	EasyPayDANA          EasyPayProvider = "DANA"
	EasyPayGCash         EasyPayProvider = "GCASH"
	EasyPayPayPal        EasyPayProvider = "PAYPAL"
	EasyPayRabbitLINEPay EasyPayProvider = "RABBIT_LINE_PAY"
	EasyPayTouchnGo      EasyPayProvider = "TOUCHNGO"
	EasyPayTrueMoney     EasyPayProvider = "TRUEMONEY"
)

// EasyPayName is what an answer calls a wallet: a word in the language of the client,
// such as 토스페이. Show it to people, and decide by its [EasyPayName.Code].
type EasyPayName string

// Code returns the code of the wallet, or "" if the library does not know the word.
func (n EasyPayName) Code() EasyPayProvider {
	return codeOf([]names[EasyPayProvider]{
		{EasyPayTossPay, "토스페이", "Toss Pay"},
		{EasyPayNaverPay, "네이버페이", "Naver Pay"},
		{EasyPayKakaoPay, "카카오페이", "Kakao Pay"},
		{EasyPaySamsungPay, "삼성페이", "Samsung Pay"},
		{EasyPayApplePay, "애플페이", "Apple Pay"},
		{EasyPayPAYCO, "페이코", "PAYCO"},
		{EasyPaySSGPAY, "SSG페이", "SSG PAY"},
		{EasyPayLPAY, "엘페이", "L.PAY"},
		{EasyPayPINPAY, "핀페이", "PINPAY"},
		{EasyPayKBPay, "KB페이", "KB Pay"},
		{EasyPayLGPay, "LG페이", "LG Pay"},
		{EasyPayAlipay, "알리페이", "Alipay"},
		{EasyPayAlipayHK, "알리페이 홍콩", "AlipayHK"},
		{EasyPayBillEase, "", "BillEase"},
		{EasyPayBoost, "", "Boost"},
		{EasyPayBPI, "", "BPI"},
		{EasyPayDANA, "", "DANA"},
		{EasyPayGCash, "", "GCash"},
		{EasyPayPayPal, "", "PayPal"},
		{EasyPayRabbitLINEPay, "래빗 라인페이", "Rabbit LINE Pay"},
		{EasyPayTouchnGo, "", "Touch 'n Go"},
		{EasyPayTrueMoney, "", "TrueMoney"},
	}, string(n))
}

// names are the words for a code.
type names[T ~string] struct {
	code            T
	korean, english string
}

// codeOf finds the code of a word. A code stands for itself: answers in English may
// have it in place of a word.
func codeOf[T ~string](table []names[T], word string) T {
	word = plain(word)
	if word == "" {
		return ""
	}
	for _, n := range table {
		if word == plain(string(n.code)) || word == plain(n.korean) || word == plain(n.english) {
			return n.code
		}
	}
	return ""
}

// plain is a word without what differs between spellings: case, spaces, punctuation.
func plain(word string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, word)
}
