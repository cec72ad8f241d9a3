package tosstest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seed238ab19c/tosspayments"
)

// virtualAccount is an account number into which a buyer pays.
type virtualAccount struct {
	number, bank, customer, depositor string
	due                               time.Time
	expired                           bool
	refund                            *refundAccount
}

type accountRequest struct {
	Bank       string `json:"bank"`
	Customer   string `json:"customerName"`
	ValidHours int    `json:"validHours"`
	DueDate    string `json:"dueDate"`
}

type refundAccount struct {
	Bank          string `json:"bank"`
	AccountNumber string `json:"accountNumber"`
	HolderName    string `json:"holderName"`
}

const (
	defaultValidHours = 168
	maxValidHours     = 2160
)

// due is the end of the account's time.
func (a *accountRequest) due(now time.Time) (time.Time, bool) {
	if a.DueDate == "" {
		hours := a.ValidHours
		if hours == 0 {
			hours = defaultValidHours
		}
		return now.Add(time.Duration(hours) * time.Hour), true
	}
	due, err := time.ParseInLocation("2006-01-02T15:04:05", a.DueDate, kst())
	return due, err == nil && due.After(now)
}

func (a *accountRequest) refusal(now time.Time) tosspayments.ErrorCode {
	due, ok := a.due(now)
	switch {
	case a.ValidHours != 0 && a.DueDate != "":
		return tosspayments.ErrInvalidValidHoursWithDueDateAndSingle
	case bankCode(a.Bank) == "":
		return tosspayments.ErrInvalidBank
	case a.Customer == "":
		return tosspayments.ErrInvalidRequest
	case a.ValidHours < 0 || a.ValidHours > maxValidHours:
		return tosspayments.ErrExceedMaxValidHours
	case !ok:
		return tosspayments.ErrInvalidDate
	case due.After(now.Add(maxValidHours * time.Hour)):
		return tosspayments.ErrExceedMaxDueDate
	}
	return ""
}

func (s *Server) issueAccount(p *payment, request accountRequest) {
	due, _ := request.due(s.clock.now())
	p.account = &virtualAccount{
		// Accounts of the test environment begin with X.
		number: "X" + digits(s.random.Uint32()) + digits(s.random.Uint32())[:5], bank: bankCode(request.Bank), customer: request.Customer, due: due, refund: p.refund,
	}
	p.status = tosspayments.PaymentStatusWaitingForDeposit
	// The issue has a key like any change, though no money has moved.
	p.lastTransaction = s.transactionKey()
	s.changed(p, s.clock.now(), false)
}

func (a *virtualAccount) json(inEnglish bool) json.RawMessage {
	kind := "일반"
	if inEnglish {
		kind = "Normal"
	}
	var refund any
	if a.refund != nil {
		refund = map[string]string{"bankCode": bankCode(a.refund.Bank), "accountNumber": a.refund.AccountNumber, "holderName": a.refund.HolderName}
	}
	return fixtures().virtualAccount.fill(map[string]any{
		"refundReceiveAccount": refund, "accountType": kind, "accountNumber": a.number, "bankCode": a.bank, "customerName": a.customer,
		"depositorName": a.depositor, "dueDate": stamp(a.due), "expired": a.expired,
	})
}

// Deposit pays into the virtual account of an order. An amount that is not the
// requested one is refused by the bank, as is one after the due date.
func (s *Server) Deposit(orderID string, amount tosspayments.Amount) error {
	return s.atAccount(orderID, func(p *payment) error { return s.deposit(p, amount) })
}

func (s *Server) deposit(p *payment, amount tosspayments.Amount) error {
	switch {
	case p.account == nil || p.status != tosspayments.PaymentStatusWaitingForDeposit || p.account.expired:
		return fmt.Errorf("tosstest: the account of order %q takes no deposit", p.checkout.OrderID)
	case amount != p.checkout.Amount:
		return fmt.Errorf("tosstest: the bank refuses %s: the account takes %s", amount, p.checkout.Amount)
	}
	p.account.depositor = p.account.customer
	s.approve(p)
	return nil
}

// Bounce takes a deposit back, as a bank does after trouble with the transfer: the
// payment goes from DONE to WAITING_FOR_DEPOSIT, and the account can be paid again.
func (s *Server) Bounce(orderID string) error {
	return s.atAccount(orderID, func(p *payment) error { return s.bounce(p) })
}

func (s *Server) bounce(p *payment) error {
	if p.account == nil || p.status != tosspayments.PaymentStatusDone {
		return fmt.Errorf("tosstest: order %q has no deposit to take back", p.checkout.OrderID)
	}
	p.status = tosspayments.PaymentStatusWaitingForDeposit
	p.approvedAt, p.account.depositor = time.Time{}, ""
	p.lastTransaction = s.enter(Bounced, p, p.checkout.Amount, nil)
	s.changed(p, s.clock.now(), false)
	return nil
}

// ExpireAccount moves the due date of an order's virtual account into the past, so that
// it takes no deposit any more. As in the real service, no event reports that.
func (s *Server) ExpireAccount(orderID string) error {
	return s.atAccount(orderID, func(p *payment) error { return s.expireAccount(p) })
}

func (s *Server) expireAccount(p *payment) error {
	if p.account == nil || p.status != tosspayments.PaymentStatusWaitingForDeposit {
		return fmt.Errorf("tosstest: the account of order %q does not wait for a deposit", p.checkout.OrderID)
	}
	if due := s.clock.now().Add(-time.Second); due.Before(p.account.due) {
		p.account.due = due
		s.touch(p)
	}
	return nil
}

// atAccount makes a change to the virtual account of an order.
func (s *Server) atAccount(orderID string, do func(*payment) error) (err error) {
	s.change(func() {
		p := s.individual.byOrder[orderID]
		if p == nil || p.account == nil {
			p = s.widget.byOrder[orderID]
		}
		if p == nil || p.account == nil {
			err = errors.New("tosstest: the order has no virtual account")
			return
		}
		s.refresh(p)
		err = do(p)
	})
	return err
}

// withdraw cancels an account that has not been paid into.
func (s *Server) withdraw(p *payment, reason string) {
	p.status = tosspayments.PaymentStatusCanceled
	p.balance = tosspayments.Amount{}
	x := &cancel{Amount: p.checkout.Amount, Reason: reason, At: s.clock.now()}
	p.lastTransaction = s.enter(Withdrawn, p, p.checkout.Amount, x)
	p.cancels = append(p.cancels, x)
	s.changed(p, s.clock.now(), false)
}

// refuseRefundAccount checks where a deposit is to go back to.
func (s *Server) refuseRefundAccount(p *payment, to *refundAccount) tosspayments.ErrorCode {
	switch {
	case p.account == nil:
		return ""
	case to == nil:
		return s.guess(RefundWithoutAccount)
	case to.AccountNumber == "" || to.HolderName == "":
		return tosspayments.ErrInvalidRefundAccountInfo
	case bankCode(to.Bank) == "":
		return tosspayments.ErrInvalidBank
	case len(to.AccountNumber) > 20 || strings.Trim(to.AccountNumber, "0123456789") != "":
		return tosspayments.ErrInvalidRefundAccountNumber
	}
	return ""
}

func (s *Server) issueVirtualAccount(r *request) reply {
	var body struct {
		orderRequest
		accountRequest
	}
	ok := decode(r.body, &body)
	checkout := body.checkout()
	checkout.Method = tosspayments.MethodVirtualAccount
	if !ok || checkout.validate() != nil {
		return r.refuse(tosspayments.ErrInvalidRequest)
	}
	if code := cmp.Or(body.refusal(s.clock.now()), s.refuseAmount(&checkout)); code != "" {
		return r.refuse(code)
	}
	p, code := s.openOrder(r, checkout, nil)
	if code != "" {
		return r.refuse(code)
	}
	s.issueAccount(p, body.accountRequest)
	return s.success(r, p)
}
