package institutions_test

import (
	"iter"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/institutions"
)

// catalogs are all tables with their lookups.
var catalogs = map[string]struct {
	all  func() iter.Seq[institutions.Institution]
	look func(string) (institutions.Institution, bool)
	size int
}{
	"banks":   {institutions.Banks, institutions.LookupBank[string], 27 + 26},
	"cards":   {institutions.CardCompanies, institutions.LookupCardCompany[string], 33},
	"wallets": {institutions.EasyPays, institutions.LookupEasyPay[string], 22},
	"methods": {institutions.Methods, institutions.LookupMethod[string], 9},
}

func TestLookups(t *testing.T) {
	for _, row := range []struct{ catalog, code, texts string }{
		{"banks", "06", "06|004|KOOKMIN|kookmin|KB국민은행|KB 국민은행|국민|국민은행|KB Kookmin Bank|kb kookmin bank"},
		{"banks", "31", "31|031|DAEGUBANK|iM뱅크(대구)|iM뱅크|IM뱅크|대구|DGB대구은행|대구은행|iM Bank"},
		{"banks", "S2", "S2|278|SHINHAN_INVESTMENT|신한금융투자|신한투자증권|Shinhan Securities"},
		{"banks", "SP", "SP|227|KTB투자증권|다올투자증권"},
		{"banks", "", "TOSS_MONEY|토스머니|Toss Money"},
		{"cards", "3K", "3K|3k|IBK_BC|기업 BC|기업BC|기업비씨"},
		{"cards", "31", "31|BC|BC카드|비씨카드"},
		{"cards", "61", "61|HYUNDAI|현대카드|현대|Hyundai Card"},
		{"cards", "33", "33|WOORI|우리|우리BC카드"},
		{"cards", "W1", "W1|우리카드"},
		{"cards", "PCP", "PCP|페이코"},
		{"wallets", "TOSSPAY", "TOSSPAY|토스페이|Toss Pay|TossPay"},
		{"wallets", "LPAY", "LPAY|엘페이|L.PAY|L.Pay"},
		{"wallets", "SSG", "SSG|SSG페이|SSG PAY"},
		{"wallets", "TOUCHNGO", "TOUCHNGO|Touch 'n Go"},
		{"wallets", "KBPAY", "KBPAY|KB Pay"},
		{"methods", "VIRTUAL_ACCOUNT", "VIRTUAL_ACCOUNT|가상계좌|Virtual account"},
		{"methods", "EASY_PAY", "EASY_PAY|간편결제|EasyPay"},
	} {
		for text := range strings.SplitSeq(row.texts, "|") {
			found, ok := catalogs[row.catalog].look(text)
			require.True(t, ok, text)
			assert.Equal(t, row.code, found.Code, text)
		}
	}
	for name, catalog := range catalogs {
		for _, text := range []string{"", "-", " ", "6", "04", "ZZ", "한국은행"} {
			found, ok := catalog.look(text)
			assert.False(t, ok, "%s: %q", name, text)
			assert.Zero(t, found)
		}
	}
}

// TestTypedTexts: the types of the fields of a payment need no conversion.
func TestTypedTexts(t *testing.T) {
	type provider string
	wallet, ok := institutions.LookupEasyPay(provider("카카오페이"))
	require.True(t, ok)
	assert.EqualValues(t, tosspayments.EasyPayKakaoPay, wallet.Code)
	payment := tosspayments.Payment{Method: "카드", Card: &tosspayments.Card{IssuerCode: "11"}}
	method, ok := institutions.LookupMethod(payment.Method)
	require.True(t, ok)
	assert.EqualValues(t, tosspayments.MethodCard, method.Code)
	company, ok := institutions.LookupCardCompany(payment.Card.IssuerCode)
	require.True(t, ok)
	assert.Equal(t, institutions.CardKookmin, company.Code)
}

// TestEachTextFindsItself covers every text of every entry. Only the two Woori cards share
// some.
func TestEachTextFindsItself(t *testing.T) {
	for name, catalog := range catalogs {
		t.Run(name, func(t *testing.T) {
			n := 0
			for entry := range catalog.all() {
				n++
				texts := []string{entry.Code, entry.BankCode, entry.EnglishCode, entry.Korean, entry.KoreanShort, entry.English}
				for _, text := range append(texts, entry.Others...) {
					if text == "" || entry.Code == "W1" && (text == "WOORI" || text == "우리") {
						continue
					}
					found, ok := catalog.look(text)
					require.True(t, ok, text)
					assert.Equal(t, entry, found, text)
				}
			}
			assert.Equal(t, catalog.size, n)
			for range catalog.all() {
				break
			}
		})
	}
}

func TestCallersDoNotShareTheCatalog(t *testing.T) {
	first, _ := institutions.LookupBank("31")
	first.Others[0] = "changed"
	second, _ := institutions.LookupBank("31")
	assert.NotEqual(t, "changed", second.Others[0])
}

func TestConstants(t *testing.T) {
	assert.Equal(t, "06", institutions.BankKookmin)
	assert.Equal(t, "W1", institutions.CardWoori)
	source, err := os.ReadFile("catalog.go")
	require.NoError(t, err)
	assert.NotRegexp(t, regexp.MustCompile(`""|false`), string(source), "a literal without zero fields")
}
