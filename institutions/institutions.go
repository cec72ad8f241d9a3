// Package institutions is the catalog of the banks, securities firms, card companies,
// wallets and methods that Toss Payments knows. It says what the codes and words in its
// answers stand for, in Korean and English:
//
//	company, ok := institutions.LookupCardCompany(payment.Card.IssuerCode) // "61"
//	if ok {
//		fmt.Println(company.Korean, company.English) // 현대카드 Hyundai Card
//	}
//
// What to call:
//
//   - To name a bank, a card company, a wallet or a method, call [LookupBank],
//     [LookupCardCompany], [LookupEasyPay] or [LookupMethod].
//   - To let a buyer choose, range over [Banks], [CardCompanies], [EasyPays] or [Methods].
//
// The lookups take whatever code or name is in use, since that differs by API version,
// language and product: for one bank "06", "004", "KOOKMIN", "국민" or "KB국민은행". The
// constants are the codes for requests, such as [BankKookmin] for a virtual account.
//
// Toss Payments adds institutions without notice. Treat a text that is not found as a
// valid one without a known name: show or store it as it is.
//
// Source: https://docs.tosspayments.com/codes/org-codes
package institutions

import (
	"iter"
	"slices"
	"strings"
	"sync"
	"unicode"
)

//go:generate go run ../internal/gen/institutions

// Institution is a bank or securities firm, a card company, a wallet or a method of
// payment. A field is "" where there is no such code or name, or none is known.
type Institution struct {
	// Code is what the API writes: two or three characters for banks and card companies
	// ("06", "3K"; a leading zero is part of it), a word for wallets and methods
	// ("TOSSPAY", "CARD"). Toss Money has none.
	Code string
	// BankCode is the three-digit code that banks use among themselves ("004"). Payouts
	// use it.
	BankCode string
	// EnglishCode is another code that the API accepts ("KOOKMIN").
	EnglishCode string
	// Korean is the full name. KoreanShort is another one that the API accepts, and
	// answers before version 2022-11-16 contain ("국민").
	Korean, KoreanShort string
	// English is the name in English. Wallets abroad have no other.
	English string
	// Others are former and newer names and other spellings.
	Others []string
	// Unconfirmed is set if only one source has the entry.
	Unconfirmed bool
}

// catalog is a table with an index of every code and name.
type catalog struct {
	table []Institution
	index func() map[string]int
}

var (
	banks         = newCatalog(bankTable)
	cardCompanies = newCatalog(cardCompanyTable)
	easyPays      = newCatalog(easyPayTable)
	methods       = newCatalog(methodTable)
)

func newCatalog(table []Institution) catalog {
	return catalog{table, sync.OnceValue(func() map[string]int {
		index := map[string]int{}
		for n, i := range table {
			texts := []string{i.Code, i.BankCode, i.EnglishCode, i.Korean, i.KoreanShort, i.English}
			for _, text := range append(texts, i.Others...) {
				if _, taken := index[plain(text)]; !taken {
					index[plain(text)] = n
				}
			}
		}
		delete(index, "")
		return index
	})}
}

// plain is a text without what differs between spellings: case, spaces, punctuation.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, text)
}

func (c *catalog) lookup(text string) (Institution, bool) {
	n, ok := c.index()[plain(text)]
	if !ok {
		return Institution{}, false
	}
	return c.table[n].clone(), true
}

func (c *catalog) all() iter.Seq[Institution] {
	return func(yield func(Institution) bool) {
		for _, i := range c.table {
			if !yield(i.clone()) {
				return
			}
		}
	}
}

// clone keeps callers from changing the catalog.
func (i Institution) clone() Institution {
	i.Others = slices.Clone(i.Others)
	return i
}

// LookupBank finds a bank or securities firm by any of its codes or names, such as
// VirtualAccount.BankCode, Transfer.BankCode or the three-digit code of a payout. Case,
// spaces and punctuation do not matter.
func LookupBank[T ~string](text T) (Institution, bool) { return banks.lookup(string(text)) }

// LookupCardCompany finds a card company by any of its codes or names, such as
// Card.IssuerCode and Card.AcquirerCode, or their names in older versions of the API. Two
// companies share the names WOORI and 우리: 33, which is found by them, and W1.
func LookupCardCompany[T ~string](text T) (Institution, bool) {
	return cardCompanies.lookup(string(text))
}

// LookupEasyPay finds a wallet by its code or name, such as EasyPay.Provider, which is a
// name in the language of the client.
func LookupEasyPay[T ~string](text T) (Institution, bool) { return easyPays.lookup(string(text)) }

// LookupMethod finds a method of payment by its code or name, such as Payment.Method,
// which is a name in the language of the client.
func LookupMethod[T ~string](text T) (Institution, bool) { return methods.lookup(string(text)) }

// Banks yields all banks, then all securities firms.
func Banks() iter.Seq[Institution] { return banks.all() }

// CardCompanies yields all card companies.
func CardCompanies() iter.Seq[Institution] { return cardCompanies.all() }

// EasyPays yields all wallets.
func EasyPays() iter.Seq[Institution] { return easyPays.all() }

// Methods yields all methods of payment.
func Methods() iter.Seq[Institution] { return methods.all() }
