package tosspayments_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
)

func TestLookups(t *testing.T) {
	for _, text := range []string{"06", "004", "KOOKMIN", "kookmin", "KB국민은행", "국민", "KB Kookmin Bank"} {
		bank, ok := tosspayments.LookupBank(text)
		require.True(t, ok, text)
		assert.Equal(t, "06", bank.Code, text)
	}
	for _, text := range []string{"3K", "IBK_BC"} {
		card, ok := tosspayments.LookupCardCompany(text)
		require.True(t, ok, text)
		assert.Equal(t, "3K", card.Code)
	}
	wallet, ok := tosspayments.LookupEasyPay("토스페이")
	require.True(t, ok)
	assert.Equal(t, tosspayments.EasyPayTossPay, wallet.Code)
	method, ok := tosspayments.LookupMethod("가상계좌")
	require.True(t, ok)
	assert.Equal(t, tosspayments.MethodVirtualAccount, method.Code)
	for _, text := range []string{"", "6", "ZZ", "한국은행"} {
		_, ok := tosspayments.LookupBank(text)
		assert.False(t, ok, text)
	}
}

// TestEachCodeFindsItself covers every entry of every catalog.
func TestEachCodeFindsItself(t *testing.T) {
	n := 0
	check := func(entry tosspayments.Institution, look func(string) (tosspayments.Institution, bool)) {
		n++
		if entry.Code == "" {
			return
		}
		found, ok := look(entry.Code)
		require.True(t, ok, entry)
		assert.Equal(t, entry, found)
	}
	for entry := range tosspayments.Banks() {
		check(entry, tosspayments.LookupBank)
	}
	for entry := range tosspayments.CardCompanies() {
		check(entry, tosspayments.LookupCardCompany)
	}
	for entry := range tosspayments.EasyPays() {
		check(entry, tosspayments.LookupEasyPay)
	}
	for entry := range tosspayments.Methods() {
		check(entry, tosspayments.LookupMethod)
	}
	assert.Equal(t, 27+26+33+21+9, n)
}

func ExampleLookupCardCompany() {
	card, ok := tosspayments.LookupCardCompany("61")
	fmt.Println(card.Korean, card.English, ok)
	_, ok = tosspayments.LookupCardCompany("Z9")
	fmt.Println(ok)
	// Output:
	// 현대카드 Hyundai Card true
	// false
}
