package tosspayments

import (
	"bytes"
	"context"

	"github.com/seed238ab19c/tosspayments/internal/lenient"
)

// CardPromotions are the instant discounts, interest-free instalments and points of the
// card companies.
//
// Source: https://docs.tosspayments.com/reference#cardpromotion-객체
type CardPromotions struct {
	DiscountCards     []DiscountCard     `json:"discountCards"`
	InterestFreeCards []InterestFreeCard `json:"interestFreeCards"`
	// PointCards are documented for the list of BrandPay, and have been seen there only.
	PointCards []PointCard `json:"pointCards,omitzero"`
}

// DiscountCard is one instant discount. Which of the three fields for the card company
// is sent depends on the API version.
type DiscountCard struct {
	IssuerCode  string `json:"issuerCode,omitzero"`
	CompanyCode string `json:"companyCode,omitzero"`
	CardCompany string `json:"cardCompany,omitzero"`

	DiscountAmount Amount `json:"discountAmount"`
	// Balance is what is left for discounts: 0 means used up, nil means not stated.
	Balance      *Amount `json:"balance,omitzero"`
	DiscountCode string  `json:"discountCode"`
	// DueDate is the last day.
	DueDate              Date   `json:"dueDate,omitzero"`
	MinimumPaymentAmount Amount `json:"minimumPaymentAmount"`
	MaximumPaymentAmount Amount `json:"maximumPaymentAmount"`
	Currency             string `json:"currency,omitzero"`
}

// InterestFreeCard is one offer of interest-free instalments. Its card company is named
// as in [DiscountCard].
type InterestFreeCard struct {
	IssuerCode  string `json:"issuerCode,omitzero"`
	CompanyCode string `json:"companyCode,omitzero"`
	CardCompany string `json:"cardCompany,omitzero"`

	// DueDate is the last day.
	DueDate               Date   `json:"dueDate,omitzero"`
	InstallmentFreeMonths []int  `json:"installmentFreeMonths"`
	MinimumPaymentAmount  Amount `json:"minimumPaymentAmount"`
	// Currency is in newer documents only.
	Currency string `json:"currency,omitzero"`
}

// PointCard is one offer to pay with the points of a card. Its card company is named as
// in [DiscountCard]. Only the documents of BrandPay describe it.
type PointCard struct {
	IssuerCode  string `json:"issuerCode,omitzero"`
	CompanyCode string `json:"companyCode,omitzero"`
	CardCompany string `json:"cardCompany,omitzero"`

	// DueDate is the last day.
	DueDate              Date   `json:"dueDate,omitzero"`
	MinimumPaymentAmount Amount `json:"minimumPaymentAmount"`
	Currency             string `json:"currency,omitzero"`
}

// Promotion is one promotion. The field that fits its type is set. The details are
// documented in one place only.
type Promotion struct {
	// PayType is NORMAL, BILLING or BRANDPAY.
	PayType string `json:"payType"`
	// Type is CARD_DISCOUNT, CARD_INTEREST_FREE, CARD_POINT or BANK_DISCOUNT.
	Type             string            `json:"type"`
	CardDiscount     *DiscountCard     `json:"cardDiscount,omitzero"`
	CardInterestFree *InterestFreeCard `json:"cardInterestFree,omitzero"`
	CardPoint        *PointCard        `json:"cardPoint,omitzero"`
	BankDiscount     *BankDiscount     `json:"bankDiscount,omitzero"`
}

// BankDiscount is a discount for payments from an account.
type BankDiscount struct {
	// Type is FIXED_AMOUNT or FIXED_RATE.
	Type     string `json:"type"`
	BankCode string `json:"bankCode"`
	// DiscountAmount is set for FIXED_AMOUNT, DiscountRate (0.01 to 0.3) for FIXED_RATE.
	DiscountAmount *Amount `json:"discountAmount,omitzero"`
	DiscountRate   *Amount `json:"discountRate,omitzero"`
	// Balance is what is left for discounts: 0 means used up, nil means not stated.
	Balance              *Amount `json:"balance,omitzero"`
	MinimumPaymentAmount Amount  `json:"minimumPaymentAmount"`
	MaximumPaymentAmount Amount  `json:"maximumPaymentAmount"`
	Currency             string  `json:"currency,omitzero"`
	DiscountCode         string  `json:"discountCode,omitzero"`
	// DueDate is the last day.
	DueDate Date `json:"dueDate,omitzero"`
}

var (
	getCardPromotions = listOperation("get card promotions", "/v1/promotions/card")
	getPromotions     = listOperation("get promotions", "/v1/promotions")
)

// GetCardPromotions reads the promotions of the card companies.
//
// Source: https://docs.tosspayments.com/reference#카드-혜택-조회
func (c *Client) GetCardPromotions(ctx context.Context, opts ...CallOption) (*CardPromotions, error) {
	promotions := new(CardPromotions)
	if err := c.get(ctx, getCardPromotions, getCardPromotions.template, "", decodeInto(promotions), opts); err != nil {
		return nil, err
	}
	return promotions, nil
}

// GetPromotions reads all promotions. Whether the server sends a list or a single object
// is not certain; both are read.
func (c *Client) GetPromotions(ctx context.Context, opts ...CallOption) (promotions []Promotion, err error) {
	err = c.get(ctx, getPromotions, getPromotions.template, "", func(body []byte) ([]string, error) {
		if bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) {
			promotions = make([]Promotion, 1)
			return lenient.Unmarshal(body, &promotions[0])
		}
		return lenient.Unmarshal(body, &promotions)
	}, opts)
	if err != nil {
		return nil, err
	}
	return promotions, nil
}
