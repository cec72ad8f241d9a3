package tosspayments

import (
	"iter"
	"slices"
	"strings"
)

//go:generate go run ./internal/gen/institutions

// Institution is a bank or securities firm, a card company, a wallet or a method of
// payment. Codes are texts: leading zeros matter.
//
// Source: https://docs.tosspayments.com/codes/org-codes
type Institution struct {
	// Code is what the API writes: two characters mostly ("06", "3K"), or a word for
	// wallets and methods ("TOSSPAY", "CARD"). Toss Money has none.
	Code string
	// BankCode is the three-digit code between banks ("004"), which payouts use.
	BankCode string
	// EnglishCode is what the API also accepts ("KOOKMIN"); two card companies share
	// one (WOORI).
	EnglishCode string
	// Korean is the full name, KoreanShort what the API also accepts ("국민").
	Korean, KoreanShort string
	English             string
	// Others are former names and other spellings.
	Others []string
	// Unconfirmed is set when only one source has it.
	Unconfirmed bool
}

func (i *Institution) is(text string) bool {
	return strings.EqualFold(i.Code, text) || i.BankCode == text || strings.EqualFold(i.EnglishCode, text) ||
		i.Korean == text || i.KoreanShort == text || strings.EqualFold(i.English, text) || slices.Contains(i.Others, text)
}

// lookup finds a text among codes first: "KOOKMIN" is a code before it is a name.
func lookup(table []Institution, text string) (Institution, bool) {
	if text == "" {
		return Institution{}, false
	}
	for i := range table {
		if table[i].Code == text {
			return table[i].clone(), true
		}
	}
	for i := range table {
		if table[i].is(text) {
			return table[i].clone(), true
		}
	}
	return Institution{}, false
}

func (i Institution) clone() Institution {
	i.Others = slices.Clone(i.Others)
	return i
}

func institutions(table []Institution) iter.Seq[Institution] {
	return func(yield func(Institution) bool) {
		for i := range table {
			if !yield(table[i].clone()) {
				return
			}
		}
	}
}

// LookupBank finds a bank or securities firm by any of its codes or names. A code that
// the catalog does not have is not an error of the answer: pass it through.
func LookupBank(text string) (Institution, bool) { return lookup(bankTable[:], text) }

// LookupCardCompany finds a card company by any of its codes or names.
func LookupCardCompany(text string) (Institution, bool) { return lookup(cardCompanyTable[:], text) }

// LookupEasyPay finds a wallet by its code or name; EasyPay.Provider is a name in the
// client's language.
func LookupEasyPay(text string) (Institution, bool) { return lookup(easyPayTable[:], text) }

// LookupMethod finds a method of payment by its code or name; Payment.Method is a name
// in the client's language.
func LookupMethod(text string) (Institution, bool) { return lookup(methodTable[:], text) }

// Banks yields all banks and securities firms.
func Banks() iter.Seq[Institution] { return institutions(bankTable[:]) }

// CardCompanies yields all card companies.
func CardCompanies() iter.Seq[Institution] { return institutions(cardCompanyTable[:]) }

// EasyPays yields all wallets.
func EasyPays() iter.Seq[Institution] { return institutions(easyPayTable[:]) }

// Methods yields all methods of payment.
func Methods() iter.Seq[Institution] { return institutions(methodTable[:]) }
