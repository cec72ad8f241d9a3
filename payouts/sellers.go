package payouts

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"net/http"
	"net/url"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/internal/ofread"
)

// BusinessType is what a seller is in law. It cannot be changed.
type BusinessType string

const (
	// BusinessTypeIndividual is a person without a business registration.
	BusinessTypeIndividual BusinessType = "INDIVIDUAL"
	// BusinessTypeIndividualBusiness is a sole proprietor (개인사업자).
	BusinessTypeIndividualBusiness BusinessType = "INDIVIDUAL_BUSINESS"
	// BusinessTypeCorporate is a company (법인).
	BusinessTypeCorporate BusinessType = "CORPORATE"
)

// SellerStatus says whether a seller can be paid. Treat an unknown one as not payable.
type SellerStatus string

const (
	// SellerStatusApprovalRequired: a person or a sole proprietor was registered, and has
	// not done the identity check that was sent by text message. No payouts.
	SellerStatusApprovalRequired SellerStatus = "APPROVAL_REQUIRED"
	// SellerStatusPartiallyApproved: payouts of up to 10,000,000 won a week.
	SellerStatusPartiallyApproved SellerStatus = "PARTIALLY_APPROVED"
	// SellerStatusKYCRequired: a request went over the weekly limit, or the check is to be
	// renewed after one or three years. No payouts until the seller has done it; the mail
	// about it goes to the seller.
	SellerStatusKYCRequired SellerStatus = "KYC_REQUIRED"
	// SellerStatusApproved: payouts without a limit.
	SellerStatusApproved SellerStatus = "APPROVED"
)

// IsPayable reports whether payouts to a seller with this status are accepted, within its
// limit.
func (s SellerStatus) IsPayable() bool {
	return s == SellerStatusPartiallyApproved || s == SellerStatusApproved
}

// Company is a seller with a business registration. In an update, fields that are zero stay
// as they are.
type Company struct {
	// Name is the trade name.
	Name               string                 `json:"name,omitzero"`
	RepresentativeName tosspayments.Sensitive `json:"representativeName,omitzero"`
	// BusinessRegistrationNumber has ten digits without hyphens.
	BusinessRegistrationNumber string `json:"businessRegistrationNumber,omitzero"`
	// Email is where the mails about KYC go; at most 100 characters.
	Email tosspayments.Sensitive `json:"email,omitzero"`
	// Phone has digits only. For a sole proprietor it is the mobile phone of the
	// representative, which gets the text message for the identity check.
	Phone tosspayments.Sensitive `json:"phone,omitzero"`
}

// Individual is a seller without a business registration. In an update, fields that are
// zero stay as they are.
type Individual struct {
	Name tosspayments.Sensitive `json:"name,omitzero"`
	// Email has at most 100 characters.
	Email tosspayments.Sensitive `json:"email,omitzero"`
	// Phone is a mobile phone, in digits only, which gets the text message for the
	// identity check.
	Phone tosspayments.Sensitive `json:"phone,omitzero"`
}

// Account is a bank account.
type Account struct {
	// BankCode has three digits in most examples, two in some texts; leading zeros count.
	// See package institutions.
	BankCode string `json:"bankCode,omitzero"`
	// AccountNumber has digits only. The server masks it in answers.
	AccountNumber tosspayments.Sensitive `json:"accountNumber,omitzero"`
	HolderName    tosspayments.Sensitive `json:"holderName,omitzero"`
}

// Seller is a seller who can be paid.
//
// Source: https://docs.tosspayments.com/reference/additional#셀러-객체
type Seller struct {
	ID string `json:"id"`
	// RefSellerID is the shop's own id of the seller.
	RefSellerID  string       `json:"refSellerId,omitzero"`
	BusinessType BusinessType `json:"businessType,omitzero"`
	// Company is nil for an individual, Individual for all others.
	Company    *Company              `json:"company,omitzero"`
	Individual *Individual           `json:"individual,omitzero"`
	Account    Account               `json:"account,omitzero"`
	Status     SellerStatus          `json:"status"`
	Metadata   tosspayments.Metadata `json:"metadata,omitzero"`
}

// Stored returns the seller for storing, with everything in it.
func (s Seller) Stored() tosspayments.Stored[Seller] { return tosspayments.Store(s) }

// DeletedSeller is what is left of a seller.
type DeletedSeller struct {
	ID          string `json:"id"`
	RefSellerID string `json:"refSellerId,omitzero"`
}

// RegisterSellerRequest registers a seller.
type RegisterSellerRequest struct {
	// RefSellerID is the shop's own id of the seller, at most 20 characters (some sources
	// say at least 7). It can never be changed or used again, not even after a deletion.
	RefSellerID  string       `json:"refSellerId"`
	BusinessType BusinessType `json:"businessType"`
	// Company is for the two types of business, Individual for an individual.
	Company    *Company    `json:"company,omitzero"`
	Individual *Individual `json:"individual,omitzero"`
	// Account is where the money goes. The server checks that it exists and whose it is.
	Account Account `json:"account"`
	// Metadata has at most 5 entries: keys of at most 40 characters without brackets,
	// values of at most 500.
	Metadata tosspayments.Metadata `json:"metadata,omitzero"`
}

// UpdateSellerRequest changes what is given, and leaves the rest as it is.
type UpdateSellerRequest struct {
	Company    *Company    `json:"company,omitzero"`
	Individual *Individual `json:"individual,omitzero"`
	Account    *Account    `json:"account,omitzero"`
	// Metadata replaces the metadata, or deletes it with [Null].
	Metadata Optional[tosspayments.Metadata] `json:"metadata,omitzero"`
}

// SellerQuery asks for a page of sellers.
type SellerQuery struct {
	// Limit is the size of a page; 0 is the server's own, 10. The most that a page may have
	// is not certain: 100 is safe.
	Limit int
	// StartingAfter is the id of the last seller of the page before; "" begins at the start.
	StartingAfter string
}

// SellerPage is one page of sellers.
type SellerPage struct {
	HasNext bool     `json:"hasNext"`
	Items   []Seller `json:"items"`
}

const (
	sellersPath = "/v2/sellers"
	maxID       = 35
)

func sellerPath(id string) string { return sellersPath + "/" + url.PathEscape(id) }

// RegisterSeller registers a seller. A company can be paid at once, within a weekly limit;
// the others have to do an identity check first: see [SellerStatus].
//
// Without an answer the error is a [*tosspayments.OutcomeUnknownError]: make the call again
// with its idempotency key. A repeated registration without the key is refused, since the
// RefSellerID is taken, and the seller is found with [Client.AllSellers] then. A
// [*tosspayments.MismatchError] says that the answer is about another seller, as under a key
// that was used for another.
func (c *Client) RegisterSeller(ctx context.Context, req RegisterSellerRequest, opts ...tosspayments.CallOption) (*Seller, error) {
	if err := req.validate(); err != nil {
		return nil, err
	}
	const name = "register seller"
	seller, err := c.writeSeller(ctx, name, sellersPath, req, opts)
	if err == nil && seller.RefSellerID != "" && seller.RefSellerID != req.RefSellerID {
		return nil, foreign(name, "refSellerId", req.RefSellerID, seller.RefSellerID)
	}
	return seller, err
}

// UpdateSeller changes a seller. A changed account is checked as in a registration, and the
// errors are those of [Client.RegisterSeller].
func (c *Client) UpdateSeller(ctx context.Context, id string, req UpdateSellerRequest, opts ...tosspayments.CallOption) (*Seller, error) {
	if err := first(checkID("sellerId", id), req.validate()); err != nil {
		return nil, err
	}
	const name = "update seller"
	seller, err := c.writeSeller(ctx, name, sellerPath(id), req, opts)
	if err == nil && seller.ID != id {
		return nil, foreign(name, "sellerId", id, seller.ID)
	}
	return seller, err
}

func (c *Client) writeSeller(ctx context.Context, name, path string, body any, opts []tosspayments.CallOption) (*Seller, error) {
	req := c.encrypted(name, path, body)
	req.MovesNothing = true
	seller := new(Seller)
	if err := c.toss.Do(ctx, req, decodeInto(seller, "id", "status"), opts...); err != nil {
		return nil, err
	}
	return seller, nil
}

// GetSeller reads a seller. A deleted one is not found.
func (c *Client) GetSeller(ctx context.Context, id string, opts ...tosspayments.CallOption) (*Seller, error) {
	if err := checkID("sellerId", id); err != nil {
		return nil, ofread.Mark(err)
	}
	seller := new(Seller)
	if err := c.read(ctx, "get seller", sellerPath(id), nil, decodeOf(id, seller, &seller.ID, "id", "status"), opts); err != nil {
		return nil, err
	}
	return seller, nil
}

// ListSellers reads one page of sellers. Their order is not documented.
func (c *Client) ListSellers(ctx context.Context, query SellerQuery, opts ...tosspayments.CallOption) (*SellerPage, error) {
	if err := checkLimit(query.Limit); err != nil {
		return nil, ofread.Mark(err)
	}
	values := pageQuery(query.Limit, query.StartingAfter)
	page := new(SellerPage)
	if err := c.read(ctx, "list sellers", sellersPath, values, decodePage(page, &page.Items, "id", "status"), opts); err != nil {
		return nil, err
	}
	return page, nil
}

// AllSellers reads page after page, and yields each seller once. An error is yielded last.
func (c *Client) AllSellers(ctx context.Context, query SellerQuery, opts ...tosspayments.CallOption) iter.Seq2[Seller, error] {
	return allPages(func(after string) ([]Seller, bool, error) {
		query := query
		if after != "" {
			query.StartingAfter = after
		}
		page, err := c.ListSellers(ctx, query, opts...)
		if err != nil {
			return nil, false, err
		}
		return page.Items, page.HasNext, nil
	}, func(s *Seller) string { return s.ID })
}

// DeleteSeller deletes a seller. Its RefSellerID stays taken. Whether payouts that are under
// way keep a seller from being deleted is not documented.
//
// It is sent again after an attempt without an answer, and counts as done if the seller is
// gone then.
func (c *Client) DeleteSeller(ctx context.Context, id string, opts ...tosspayments.CallOption) (*DeletedSeller, error) {
	if err := checkID("sellerId", id); err != nil {
		return nil, err
	}
	deleted := new(DeletedSeller)
	err := c.toss.Do(ctx, tosspayments.Request{
		Name: "delete seller", Method: http.MethodDelete, Path: sellerPath(id), MovesNothing: true,
	}, deleted, opts...)
	var unknown *tosspayments.OutcomeUnknownError
	if errors.As(err, &unknown) && unknown.LastAnswer != nil && unknown.LastAnswer.Code == tosspayments.ErrNotFound {
		// That leaves the outcome unknown only where an attempt was lost, which has done it.
		return &DeletedSeller{ID: id}, nil
	}
	if err != nil {
		return nil, err
	}
	deleted.ID = cmp.Or(deleted.ID, id)
	return deleted, nil
}
