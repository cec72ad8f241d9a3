package payouts

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/seed238ab19c/tosspayments"
)

const maxBatch = 100

// first returns the first error of its checks.
func first(checks ...error) error {
	for _, err := range checks {
		if err != nil {
			return err
		}
	}
	return nil
}

func checkLength(field, value string, least, most int) error {
	switch n := utf8.RuneCountInString(value); {
	case !utf8.ValidString(value):
		return invalid(field, "must be valid UTF-8")
	case n == 0 && least > 0:
		return invalid(field, "is empty")
	case n < least || n > most:
		return invalid(field, fmt.Sprintf("must have %d to %d characters, has %d", least, most, n))
	}
	return nil
}

// checkID checks an id of the server's, which becomes one segment of a path.
func checkID(field, id string) error {
	if id == "." || id == ".." {
		return invalid(field, "must not be . or ..")
	}
	return checkLength(field, id, 1, maxID)
}

func checkDigits(field, value string, least, most int) error {
	if len(value) < least || len(value) > most || strings.Trim(value, "0123456789") != "" {
		return invalid(field, fmt.Sprintf("must have %s digits and nothing else", span(least, most)))
	}
	return nil
}

func span(least, most int) string {
	if least == most {
		return strconv.Itoa(least)
	}
	return fmt.Sprintf("%d to %d", least, most)
}

// anyLength bounds what the documents do not bound, or not alike.
const anyLength = 300

// orZero passes the checks of a part that an update leaves out.
func orZero(partial bool, value string, check error) error {
	if partial && value == "" {
		return nil
	}
	return check
}

func checkText(partial bool, field, value string, most int) error {
	return orZero(partial, value, checkLength(field, value, 1, most))
}

func checkPhone(partial bool, field string, phone tosspayments.Sensitive) error {
	return orZero(partial, phone.Reveal(), checkDigits(field, phone.Reveal(), 1, anyLength))
}

func (c *Company) validate(partial bool) error {
	if c == nil {
		return nil
	}
	number := c.BusinessRegistrationNumber
	return first(
		checkText(partial, "company.name", c.Name, anyLength),
		checkText(partial, "company.representativeName", c.RepresentativeName.Reveal(), anyLength),
		orZero(partial, number, checkDigits("company.businessRegistrationNumber", number, 10, 10)),
		checkText(partial, "company.email", c.Email.Reveal(), 100),
		checkPhone(partial, "company.phone", c.Phone),
	)
}

func (i *Individual) validate(partial bool) error {
	if i == nil {
		return nil
	}
	return first(
		checkText(partial, "individual.name", i.Name.Reveal(), anyLength),
		checkText(partial, "individual.email", i.Email.Reveal(), 100),
		checkPhone(partial, "individual.phone", i.Phone),
	)
}

func (a *Account) validate(partial bool) error {
	if a == nil {
		return nil
	}
	number := a.AccountNumber.Reveal()
	return first(
		checkText(partial, "account.bankCode", a.BankCode, 3),
		orZero(partial, number, checkDigits("account.accountNumber", number, 1, 20)),
		checkText(partial, "account.holderName", a.HolderName.Reveal(), 60),
	)
}

func checkMetadata(metadata tosspayments.Metadata) error {
	if len(metadata) > 5 {
		return invalid("metadata", "must have at most 5 entries")
	}
	for key, value := range metadata {
		if strings.ContainsAny(key, "[]") {
			return invalid("metadata", "must not have brackets in a key")
		}
		if err := first(checkLength("metadata", key, 1, 40), checkLength("metadata", value, 0, 500)); err != nil {
			return err
		}
	}
	return nil
}

func (r *RegisterSellerRequest) validate() error {
	isBusiness := r.BusinessType == BusinessTypeIndividualBusiness || r.BusinessType == BusinessTypeCorporate
	switch {
	case r.BusinessType == "":
		return invalid("businessType", "is empty")
	case isBusiness && r.Company == nil:
		return invalid("company", "is missing")
	case r.BusinessType == BusinessTypeIndividual && r.Company != nil:
		return invalid("company", "must be nil for an individual")
	case r.BusinessType == BusinessTypeIndividual && r.Individual == nil:
		return invalid("individual", "is missing")
	}
	return first(
		checkLength("refSellerId", r.RefSellerID, 1, 20),
		r.Company.validate(false), r.Individual.validate(false), r.Account.validate(false), checkMetadata(r.Metadata),
	)
}

func (r *UpdateSellerRequest) validate() error {
	metadata, _ := r.Metadata.Get()
	return first(r.Company.validate(true), r.Individual.validate(true), r.Account.validate(true), checkMetadata(metadata))
}

func validateBatch(batch []PayoutRequest) error {
	if len(batch) == 0 || len(batch) > maxBatch {
		return invalid("payouts", fmt.Sprintf("must be 1 to %d, not %d", maxBatch, len(batch)))
	}
	seen := map[string]bool{}
	for i := range batch {
		r := &batch[i]
		if err := r.validate(); err != nil {
			return err
		}
		if seen[r.RefPayoutID] {
			return invalid("refPayoutId", fmt.Sprintf("occurs twice: %q", r.RefPayoutID))
		}
		seen[r.RefPayoutID] = true
	}
	return nil
}

func (r *PayoutRequest) validate() error {
	value := r.Amount.Value
	switch {
	case r.ScheduleType == "":
		return invalid("scheduleType", "is empty")
	case r.ScheduleType == ScheduleScheduled && r.PayoutDate.IsZero():
		return invalid("payoutDate", "is missing")
	case r.ScheduleType == ScheduleExpress && !r.PayoutDate.IsZero():
		return invalid("payoutDate", "must be left out for an express payout")
	case r.Amount.Currency != tosspayments.CurrencyKRW:
		return invalid("amount.currency", "must be KRW")
	case value.Sign() <= 0 || value.Cmp(tosspayments.Won(1_000_000_000)) >= 0 || strings.Contains(value.String(), "."):
		return invalid("amount.value", "must be a whole number, more than 0 and less than 1,000,000,000")
	}
	return first(
		checkLength("refPayoutId", r.RefPayoutID, 1, 50),
		checkID("destination", r.Destination),
		checkLength("transactionDescription", r.TransactionDescription, 1, 7),
		checkMetadata(r.Metadata),
	)
}

func (q *PayoutQuery) validate() error {
	switch {
	case q.Limit > maxPayoutPage:
		return invalid("limit", fmt.Sprintf("must be at most %d", maxPayoutPage))
	case !q.PayoutDateGte.IsZero() && !q.PayoutDateLte.IsZero() && q.PayoutDateLte.Compare(q.PayoutDateGte) < 0:
		return invalid("payoutDateLte", "must not be before payoutDateGte")
	}
	return checkLimit(q.Limit)
}
