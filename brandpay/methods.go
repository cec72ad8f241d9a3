package brandpay

import (
	"time"

	"github.com/seed238ab19c/tosspayments"
)

// MethodStatus says whether a method can be used.
type MethodStatus string

const (
	// MethodEnabled can be used.
	MethodEnabled MethodStatus = "ENABLED"
	// MethodDisabled was removed, for good.
	MethodDisabled MethodStatus = "DISABLED"
)

// Methods are the methods of a customer that can be used.
type Methods struct {
	// IsIdentified is set when the identity of the customer has been checked.
	IsIdentified bool `json:"isIdentified"`
	// SelectedMethodID is the id of the method that was registered or used last, within a
	// month; "" if there is none.
	SelectedMethodID string        `json:"selectedMethodId,omitzero"`
	Cards            []Card        `json:"cards"`
	Accounts         []BankAccount `json:"accounts"`
}

// Card is a registered card.
type Card struct {
	ID string `json:"id"`
	// MethodKey is for charging and removing it.
	MethodKey string `json:"methodKey"`
	// Alias is the customer's name for it; "" if there is none.
	Alias    string `json:"alias,omitzero"`
	CardName string `json:"cardName,omitzero"`
	// CardNumber is masked by the server.
	CardNumber string `json:"cardNumber,omitzero"`
	// IssuerCode and AcquirerCode have two characters; see package institutions.
	IssuerCode   string `json:"issuerCode,omitzero"`
	AcquirerCode string `json:"acquirerCode,omitzero"`
	// OwnerType is 개인 or 법인, CardType 신용, 체크 or 기프트.
	OwnerType                string              `json:"ownerType,omitzero"`
	CardType                 string              `json:"cardType,omitzero"`
	InstallmentMinimumAmount tosspayments.Amount `json:"installmentMinimumAmount"`
	RegisteredAt             time.Time           `json:"registeredAt,omitzero"`
	Status                   MethodStatus        `json:"status"`
	Icon                     string              `json:"icon,omitzero"`
	IconURL                  string              `json:"iconUrl,omitzero"`
	CardImgURL               string              `json:"cardImgUrl,omitzero"`
	Color                    Color               `json:"color,omitzero"`
	// CardProductCode is not documented.
	CardProductCode string                   `json:"cardProductCode,omitzero"`
	Promotions      []tosspayments.Promotion `json:"promotions,omitzero"`
}

// BankAccount is a registered account.
type BankAccount struct {
	ID string `json:"id"`
	// MethodKey is for charging and removing it.
	MethodKey   string `json:"methodKey"`
	AccountName string `json:"accountName,omitzero"`
	// AccountNumber is masked by the server.
	AccountNumber string `json:"accountNumber,omitzero"`
	// Alias is the customer's name for it; "" if there is none.
	Alias string `json:"alias,omitzero"`
	// BankCode: see package institutions.
	BankCode     string                   `json:"bankCode,omitzero"`
	Icon         string                   `json:"icon,omitzero"`
	IconURL      string                   `json:"iconUrl,omitzero"`
	RegisteredAt time.Time                `json:"registeredAt,omitzero"`
	Status       MethodStatus             `json:"status"`
	Color        Color                    `json:"color,omitzero"`
	Promotions   []tosspayments.Promotion `json:"promotions,omitzero"`
}

// Color is how a method is shown, as #RRGGBB.
type Color struct {
	Background string `json:"background"`
	Text       string `json:"text"`
}
