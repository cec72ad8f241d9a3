package tosspayments

// The codes of each payment method.
const (
	// MethodBookGiftCertificate is 도서문화상품권 Book gift certificate.
	MethodBookGiftCertificate = "BOOK_GIFT_CERTIFICATE"
	// MethodCard is 카드 Card.
	MethodCard = "CARD"
	// MethodCultureGiftCertificate is 문화상품권 Culture gift certificate.
	MethodCultureGiftCertificate = "CULTURE_GIFT_CERTIFICATE"
	// MethodEasyPay is 간편결제 Easy pay.
	MethodEasyPay = "EASY_PAY"
	// MethodForeignEasyPay is 해외간편결제 Foreign easy pay.
	MethodForeignEasyPay = "FOREIGN_EASY_PAY"
	// MethodGameGiftCertificate is 게임문화상품권 Game gift certificate.
	MethodGameGiftCertificate = "GAME_GIFT_CERTIFICATE"
	// MethodMobilePhone is 휴대폰 Mobile phone.
	MethodMobilePhone = "MOBILE_PHONE"
	// MethodTransfer is 계좌이체 Account transfer.
	MethodTransfer = "TRANSFER"
	// MethodVirtualAccount is 가상계좌 Virtual account.
	MethodVirtualAccount = "VIRTUAL_ACCOUNT"
)

// The codes of each wallet.
const (
	// EasyPayApplePay is 애플페이 Apple Pay.
	EasyPayApplePay = "APPLEPAY"
	// EasyPayKakaoPay is 카카오페이 Kakao Pay.
	EasyPayKakaoPay = "KAKAOPAY"
	// EasyPayLGPay is LG페이 LG Pay.
	EasyPayLGPay = "LGPAY"
	// EasyPayLPAY is 엘페이 L.PAY.
	EasyPayLPAY = "LPAY"
	// EasyPayNaverPay is 네이버페이 Naver Pay.
	EasyPayNaverPay = "NAVERPAY"
	// EasyPayPAYCO is 페이코 PAYCO.
	EasyPayPAYCO = "PAYCO"
	// EasyPayPINPAY is 핀페이 PINPAY.
	EasyPayPINPAY = "PINPAY"
	// EasyPaySamsungPay is 삼성페이 Samsung Pay.
	EasyPaySamsungPay = "SAMSUNGPAY"
	// EasyPaySSGPAY is SSG페이 SSG PAY.
	EasyPaySSGPAY = "SSG"
	// EasyPayTossPay is 토스페이 Toss Pay.
	EasyPayTossPay = "TOSSPAY"
	// EasyPayAlipay is 알리페이 Alipay.
	EasyPayAlipay = "ALIPAY"
	// EasyPayAlipayHK is 알리페이 홍콩 AlipayHK.
	EasyPayAlipayHK = "ALIPAYHK"
	// EasyPayBillEase is BillEase.
	EasyPayBillEase = "BILLEASE"
	// EasyPayBoost is Boost.
	EasyPayBoost = "BOOST"
	// EasyPayBPI is BPI.
	EasyPayBPI = "BPI"
	// EasyPayDANA is DANA.
	EasyPayDANA = "DANA"
	// EasyPayGCash is GCash.
	EasyPayGCash = "GCASH"
	// EasyPayPayPal is PayPal.
	EasyPayPayPal = "PAYPAL"
	// EasyPayRabbitLINEPay is 래빗 라인페이 Rabbit LINE Pay.
	EasyPayRabbitLINEPay = "RABBIT_LINE_PAY"
	// EasyPayTouchnGo is Touch 'n Go.
	EasyPayTouchnGo = "TOUCHNGO"
	// EasyPayTrueMoney is TrueMoney.
	EasyPayTrueMoney = "TRUEMONEY"
)
