package payouts

import (
	"context"
	"net/http"

	"github.com/seed238ab19c/tosspayments"
)

// The checks of bank accounts need a contract of their own, and are not encrypted. Test keys
// get made-up answers. Repeated checks may be throttled.

// LookupHolderName returns the name of the holder of an account, of which bank code and
// account number are sent.
//
// Source: https://docs.tosspayments.com/reference/additional#계좌-인증
func (c *Client) LookupHolderName(ctx context.Context, account Account, opts ...tosspayments.CallOption) (tosspayments.Sensitive, error) {
	account.HolderName = tosspayments.Sensitive{}
	var answer struct {
		HolderName tosspayments.Sensitive `json:"holderName"`
	}
	err := c.checkAccount(ctx, "lookup-holder-name", accountCheck{Account: account}, decodeInto(&answer, "holderName"), opts)
	return answer.HolderName, err
}

// ValidateAccount reports whether an account exists. Bank code and account number are sent.
func (c *Client) ValidateAccount(ctx context.Context, account Account, opts ...tosspayments.CallOption) (bool, error) {
	account.HolderName = tosspayments.Sensitive{}
	return c.isValid(ctx, "validate", accountCheck{Account: account}, opts)
}

// VerifyIdentifier reports whether an account and an identity number belong to the same
// person or business. The number is a date of birth (YYMMDD) or a business number. Bank
// code and account number are sent.
func (c *Client) VerifyIdentifier(ctx context.Context, account Account, identityNumber tosspayments.Sensitive, opts ...tosspayments.CallOption) (bool, error) {
	account.HolderName = tosspayments.Sensitive{}
	return c.isValid(ctx, "verify-identifier", accountCheck{account, identityNumber}, opts)
}

// VerifyHolderName reports whether an account belongs to account.HolderName.
func (c *Client) VerifyHolderName(ctx context.Context, account Account, opts ...tosspayments.CallOption) (bool, error) {
	return c.isValid(ctx, "verify-holder-name", accountCheck{Account: account}, opts)
}

// VerifyHolderRealName reports whether an account belongs to account.HolderName, and the
// identity number, as in [Client.VerifyIdentifier], to the same person.
func (c *Client) VerifyHolderRealName(ctx context.Context, account Account, identityNumber tosspayments.Sensitive, opts ...tosspayments.CallOption) (bool, error) {
	return c.isValid(ctx, "verify-holder-real-name", accountCheck{account, identityNumber}, opts)
}

type accountCheck struct {
	Account
	IdentityNumber tosspayments.Sensitive `json:"identityNumber,omitzero"`
}

func (c *Client) isValid(ctx context.Context, name string, check accountCheck, opts []tosspayments.CallOption) (bool, error) {
	var answer struct {
		IsValid bool `json:"isValid"`
	}
	err := c.checkAccount(ctx, name, check, decodeInto(&answer, "isValid"), opts)
	return err == nil && answer.IsValid, err
}

func (c *Client) checkAccount(ctx context.Context, name string, check accountCheck, out any, opts []tosspayments.CallOption) error {
	if err := check.validate(name); err != nil {
		return err
	}
	return c.toss.Do(ctx, tosspayments.Request{
		Name: name + " of an account", Method: http.MethodPost, Path: "/v2/bank-accounts/" + name, Body: check, MovesNothing: true,
	}, out, opts...)
}

func (a *accountCheck) validate(name string) error {
	holder, identity := a.HolderName.Reveal(), a.IdentityNumber.Reveal()
	err := first(
		checkLength("bankCode", a.BankCode, 1, 3),
		checkDigits("accountNumber", a.AccountNumber.Reveal(), 1, 20),
	)
	if err == nil && (name == "verify-holder-name" || name == "verify-holder-real-name") {
		err = checkLength("holderName", holder, 1, 60)
	}
	if err == nil && (name == "verify-identifier" || name == "verify-holder-real-name") {
		err = checkDigits("identityNumber", identity, 1, anyLength)
	}
	return err
}
