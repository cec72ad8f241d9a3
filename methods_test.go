package tosspayments_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/institutions"
)

func TestCodesOfWords(t *testing.T) {
	for word, code := range map[tosspayments.MethodName]tosspayments.Method{
		"카드": tosspayments.MethodCard, "card": tosspayments.MethodCard, "CARD": tosspayments.MethodCard,
		"간편결제": tosspayments.MethodEasyPay, "EasyPay": tosspayments.MethodEasyPay, "EASY_PAY": tosspayments.MethodEasyPay,
		"해외간편결제": tosspayments.MethodForeignEasyPay, "가상계좌": tosspayments.MethodVirtualAccount, "계좌이체": tosspayments.MethodTransfer,
		"휴대폰": tosspayments.MethodMobilePhone, "문화상품권": tosspayments.MethodCultureGiftCertificate,
		"도서문화상품권": tosspayments.MethodBookGiftCertificate, "게임문화상품권": tosspayments.MethodGameGiftCertificate,
		"": "", " ": "", "포인트": "", "Cards": "",
	} {
		assert.Equal(t, code, word.Code(), word)
	}
	for word, code := range map[tosspayments.EasyPayName]tosspayments.EasyPayProvider{
		"토스페이": tosspayments.EasyPayTossPay, "TOSSPAY": tosspayments.EasyPayTossPay, "Toss Pay": tosspayments.EasyPayTossPay,
		"SSG페이": tosspayments.EasyPaySSGPAY, "SSG": tosspayments.EasyPaySSGPAY, "엘페이": tosspayments.EasyPayLPAY, "Touch n Go": tosspayments.EasyPayTouchnGo,
		"알리페이 홍콩": tosspayments.EasyPayAlipayHK, "": "", "새페이": "",
	} {
		assert.Equal(t, code, word.Code(), word)
	}
}

// The catalog of institutions and the words here do not contradict each other.
func TestCodesOfTheCatalog(t *testing.T) {
	for entry := range institutions.Methods() {
		for _, word := range []string{entry.Code, entry.Korean, entry.English} {
			assert.EqualValues(t, entry.Code, tosspayments.MethodName(word).Code())
		}
	}
	for entry := range institutions.EasyPays() {
		for _, word := range []string{entry.Code, entry.Korean, strings.ToUpper(entry.English)} {
			if word != "" {
				assert.EqualValues(t, entry.Code, tosspayments.EasyPayName(word).Code(), word)
			}
		}
	}
}

func ExampleMethodName_Code() {
	payment := new(tosspayments.Payment)
	if err := json.Unmarshal([]byte(`{"method": "간편결제", "easyPay": {"provider": "토스페이"}}`), payment); err != nil {
		fmt.Println(err)
		return
	}
	if payment.Method.Code() == tosspayments.MethodEasyPay {
		fmt.Println(payment.EasyPay.Provider, payment.EasyPay.Provider.Code())
	}
	// Output: 토스페이 TOSSPAY
}

func TestWordsAreOpen(t *testing.T) {
	payment := new(tosspayments.Payment)
	require.NoError(t, json.Unmarshal([]byte(`{"method": "포인트", "easyPay": "새페이"}`), payment))
	assert.Equal(t, tosspayments.MethodName("포인트"), payment.Method)
	assert.Equal(t, tosspayments.EasyPayName("새페이"), payment.EasyPay.Provider)
	assert.Empty(t, payment.EasyPay.Provider.Code())
}
