package tosspayments

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Settlement is what Toss Payments pays out, or takes back, for one transaction. In
// the row of a cancel all amounts are negative, Cancel is set with a positive amount,
// and ApprovedAt is that of the original approval.
//
// Source: https://docs.tosspayments.com/reference#settlement-객체
type Settlement struct {
	MID            string     `json:"mId,omitzero"`
	PaymentKey     string     `json:"paymentKey,omitzero"`
	TransactionKey string     `json:"transactionKey,omitzero"`
	OrderID        string     `json:"orderId,omitzero"`
	Currency       string     `json:"currency,omitzero"`
	Method         MethodName `json:"method,omitzero"`
	Amount         Amount     `json:"amount"`
	// InterestFee is the merchant's part of the interest of instalments.
	InterestFee Amount `json:"interestFee,omitzero"`
	// Fees are the fees by type; older versions have Fee only.
	Fees []SettlementFee `json:"fees,omitzero"`
	// Fee is the sum of all fees with their VAT; no document has it, real answers do.
	Fee *Amount `json:"fee,omitzero"`
	// SupplyAmount and VAT are the two parts of the fee.
	SupplyAmount Amount `json:"supplyAmount,omitzero"`
	VAT          Amount `json:"vat,omitzero"`
	// PayOutAmount is what is paid out: the amount less the fee.
	PayOutAmount Amount    `json:"payOutAmount"`
	ApprovedAt   time.Time `json:"approvedAt,omitzero"`
	SoldDate     Date      `json:"soldDate,omitzero"`
	PaidOutDate  Date      `json:"paidOutDate,omitzero"`

	Card            *Card            `json:"card,omitzero"`
	EasyPay         *EasyPay         `json:"easyPay,omitzero"`
	GiftCertificate *GiftCertificate `json:"giftCertificate,omitzero"`
	MobilePhone     *MobilePhone     `json:"mobilePhone,omitzero"`
	Transfer        *Transfer        `json:"transfer,omitzero"`
	VirtualAccount  *VirtualAccount  `json:"virtualAccount,omitzero"`
	Cancel          *Cancel          `json:"cancel,omitzero"`
}

// SettlementFee is one fee of a settlement.
type SettlementFee struct {
	// Type is BASE, INSTALLMENT_DISCOUNT, INSTALLMENT, POINT_SAVING or ETC.
	Type string `json:"type"`
	Fee  Amount `json:"fee"`
}

// SettlementDateType is which date of a settlement a query means.
type SettlementDateType string

const (
	// SettlementSoldDate is the date of the sale; the server's default.
	SettlementSoldDate SettlementDateType = "soldDate"
	// SettlementPaidOutDate is the date of the payout.
	SettlementPaidOutDate SettlementDateType = "paidOutDate"
)

// SettlementQuery asks for the settlements of a range of days.
type SettlementQuery struct {
	// StartDate and EndDate are required; both days count.
	StartDate, EndDate Date
	// DateType is which date is meant; "" is the date of the sale.
	DateType SettlementDateType
	// Page begins at 1; 0 is 1.
	Page int
	// Size is the size of a page: at most 5000; 0 is 100.
	Size int
}

var (
	listSettlements   = listOperation("list settlements", "/v1/settlements")
	requestSettlement = &operation{
		name: "request settlement", method: http.MethodPost, template: "/v1/settlements", timeout: moneyTimeout,
	}
)

// ListSettlements reads one page. A page of fewer rows than the size is the last. Rows
// appear the day after the payment, and with live keys only: a test key reads an empty
// list. One attempt takes at most 60 seconds.
//
// Source: https://docs.tosspayments.com/reference#정산-조회
func (c *Client) ListSettlements(ctx context.Context, query SettlementQuery, opts ...CallOption) ([]Settlement, error) {
	if err := query.validate(); err != nil {
		return nil, asRead(err)
	}
	values := url.Values{"startDate": {query.StartDate.String()}, "endDate": {query.EndDate.String()}}
	if query.DateType != "" {
		values.Set("dateType", string(query.DateType))
	}
	if query.Page != 0 {
		values.Set("page", strconv.Itoa(query.Page))
	}
	if query.Size != 0 {
		values.Set("size", strconv.Itoa(query.Size))
	}
	return readList[Settlement](ctx, c, listSettlements, values, opts, "transactionKey", "amount", "currency")
}

// AllSettlements reads page after page, and yields each row once, as
// [Client.AllTransactions] does.
func (c *Client) AllSettlements(ctx context.Context, query SettlementQuery, opts ...CallOption) iter.Seq2[Settlement, error] {
	return func(yield func(Settlement, error) bool) {
		query := query
		query.Page = max(query.Page, 1) - 1
		key := func(s *Settlement) string { return s.TransactionKey }
		allPages(key, func([]Settlement) ([]Settlement, bool, error) {
			query.Page++
			rows, err := c.ListSettlements(ctx, query, opts...)
			return rows, len(rows) > 0 && len(rows) >= pageSize(query.Size), err
		})(yield)
	}
}

// RequestSettlement asks for the settlement of one payment; for merchants with manual
// settlement. It returns what the server says: true when it was accepted.
//
// Source: https://docs.tosspayments.com/reference#수동-정산-요청
func (c *Client) RequestSettlement(ctx context.Context, paymentKey string, opts ...CallOption) (bool, error) {
	if err := checkPaymentKey(paymentKey); err != nil {
		return false, err
	}
	var answer struct {
		Result bool `json:"result"`
	}
	body := map[string]string{"paymentKey": paymentKey}
	err := c.post(ctx, requestSettlement, requestSettlement.template, body, decodeInto(&answer), opts)
	return answer.Result, err
}
