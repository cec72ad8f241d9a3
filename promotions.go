package tosspayments

import (
	"bytes"
	"context"
	"encoding/json"
)

// CardPromotions are the instant discounts and interest-free instalments of the card
// companies.
//
// Source: https://docs.tosspayments.com/reference#cardpromotion-객체
type CardPromotions struct {
	DiscountCards     []DiscountCard     `json:"discountCards"`
	InterestFreeCards []InterestFreeCard `json:"interestFreeCards"`
}

// DiscountCard is one instant discount. Which of the three fields for the card company
// is sent depends on the API version.
type DiscountCard struct {
	IssuerCode  string `json:"issuerCode,omitzero"`
	CompanyCode string `json:"companyCode,omitzero"`
	CardCompany string `json:"cardCompany,omitzero"`

	DiscountAmount Amount `json:"discountAmount"`
	// Balance is what is left for discounts; 0 is used up.
	Balance      Amount `json:"balance"`
	DiscountCode string `json:"discountCode"`
	// DueDate is the last day.
	DueDate              Date   `json:"dueDate,omitzero"`
	MinimumPaymentAmount Amount `json:"minimumPaymentAmount"`
	MaximumPaymentAmount Amount `json:"maximumPaymentAmount"`
	Currency             string `json:"currency,omitzero"`
}

// InterestFreeCard is one offer of interest-free instalments.
type InterestFreeCard struct {
	IssuerCode  string `json:"issuerCode,omitzero"`
	CompanyCode string `json:"companyCode,omitzero"`
	CardCompany string `json:"cardCompany,omitzero"`

	DueDate               Date   `json:"dueDate,omitzero"`
	InstallmentFreeMonths []int  `json:"installmentFreeMonths"`
	MinimumPaymentAmount  Amount `json:"minimumPaymentAmount"`
}

// Promotion is one promotion. Its details are kept as they arrive but for the bank
// discount: only one source has them.
type Promotion struct {
	// PayType is NORMAL, BILLING or BRANDPAY.
	PayType string `json:"payType"`
	// Type is CARD_DISCOUNT, CARD_INTEREST_FREE, CARD_POINT or BANK_DISCOUNT.
	Type             string            `json:"type"`
	CardDiscount     *DiscountCard     `json:"cardDiscount,omitzero"`
	CardInterestFree *InterestFreeCard `json:"cardInterestFree,omitzero"`
	CardPoint        json.RawMessage   `json:"cardPoint,omitzero"`
	BankDiscount     *BankDiscount     `json:"bankDiscount,omitzero"`
}

// BankDiscount is a discount for payments from an account.
type BankDiscount struct {
	// Type is FIXED_AMOUNT or FIXED_RATE.
	Type     string `json:"type"`
	BankCode string `json:"bankCode"`
	// DiscountAmount is set for FIXED_AMOUNT, DiscountRate (0.01 to 0.3) for FIXED_RATE.
	DiscountAmount       *Amount `json:"discountAmount,omitzero"`
	DiscountRate         *Amount `json:"discountRate,omitzero"`
	MinimumPaymentAmount Amount  `json:"minimumPaymentAmount"`
	MaximumPaymentAmount Amount  `json:"maximumPaymentAmount"`
	Currency             string  `json:"currency,omitzero"`
	DiscountCode         string  `json:"discountCode,omitzero"`
	DueDate              Date    `json:"dueDate,omitzero"`
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

// GetPromotions reads all promotions. Whether the server sends an array or a single
// object is not certain; both are read.
func (c *Client) GetPromotions(ctx context.Context, opts ...CallOption) ([]Promotion, error) {
	var promotions promotionList
	err := c.get(ctx, getPromotions, getPromotions.template, "", decodeInto(&promotions), opts)
	return promotions, err
}

type promotionList []Promotion

func (l *promotionList) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte("{")) {
		*l = make(promotionList, 1)
		return json.Unmarshal(data, &(*l)[0])
	}
	return json.Unmarshal(data, (*[]Promotion)(l))
}
