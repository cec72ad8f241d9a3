package recipes

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/institutions"
)

// InterestFree returns in how many months a buyer can pay an amount without interest, by
// the name of the card company.
func InterestFree(ctx context.Context, toss *tosspayments.Client, amount tosspayments.Amount, today tosspayments.Date) (map[string][]int, error) {
	promotions, err := toss.GetCardPromotions(ctx)
	if err != nil {
		return nil, err
	}
	months := map[string][]int{}
	for _, offer := range promotions.InterestFreeCards {
		if amount.Cmp(offer.MinimumPaymentAmount) < 0 || offer.DueDate.Compare(today) < 0 { // the due date is the last day
			continue
		}
		// Which of the three is sent depends on the API version.
		name := cmp.Or(offer.IssuerCode, offer.CompanyCode, offer.CardCompany)
		if company, ok := institutions.LookupCardCompany(name); ok {
			name = company.Korean
		}
		months[name] = append(months[name], offer.InstallmentFreeMonths...)
	}
	for name := range months {
		slices.Sort(months[name])
		months[name] = slices.Compact(months[name]) // several offers may be running
	}
	return months, nil
}

// ShowInstallments is what a receipt says of a card.
func ShowInstallments(card *tosspayments.Card) string {
	switch {
	case card.InstallmentPlanMonths == 0:
		return "일시불"
	case card.IsInterestFree:
		return fmt.Sprintf("%d개월 무이자", card.InstallmentPlanMonths)
	}
	return fmt.Sprintf("%d개월", card.InstallmentPlanMonths)
}
