package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/internal/jwe"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// sellerView is what the list of sellers shows.
type sellerView struct {
	ID       string   `json:"id"`
	Ref      string   `json:"ref"`
	Business string   `json:"business"`
	Status   string   `json:"status"`
	Name     string   `json:"name"`
	Account  string   `json:"account"`
	Acts     []string `json:"acts"`
}

// actsOfSeller are the buttons of a seller: what the person does, and what is asked of them.
var actsOfSeller = map[string][]string{
	"APPROVAL_REQUIRED":  {"identify"},
	"PARTIALLY_APPROVED": {"kyc", "require-kyc"},
	"KYC_REQUIRED":       {"kyc"},
	"APPROVED":           {"require-kyc"},
}

func viewSeller(document []byte) sellerView {
	type named struct{ Name string }
	var x struct {
		ID, RefSellerID, BusinessType, Status string
		Company, Individual                   named
		Account                               struct{ BankCode, AccountNumber, HolderName string }
	}
	_ = json.Unmarshal(document, &x)
	return sellerView{
		x.ID, x.RefSellerID, x.BusinessType, x.Status, x.Company.Name + x.Individual.Name,
		x.Account.BankCode + " " + x.Account.AccountNumber + " " + x.Account.HolderName, some(actsOfSeller[x.Status]),
	}
}

// some is a list that is never null in JSON.
func some(list []string) []string { return append([]string{}, list...) }

func (f *feed) putSeller(document json.RawMessage) {
	v := viewSeller(document)
	f.putDocument(sellers, v.ID, v.Status, encode(v), document)
}

// payoutView is what the list of payouts shows.
type payoutView struct {
	ID          string          `json:"id"`
	Ref         string          `json:"ref"`
	Seller      string          `json:"seller"`
	Schedule    string          `json:"schedule"`
	Day         string          `json:"day"`
	Amount      json.RawMessage `json:"amount"`
	Status      string          `json:"status"`
	Description string          `json:"description"`
	Failure     string          `json:"failure,omitempty"`
	At          string          `json:"at"`
	Acts        []string        `json:"acts"`
}

var actsOfPayout = map[string][]string{"REQUESTED": {"payday"}, "IN_PROGRESS": {"complete", "fail"}}

func viewPayout(document []byte) payoutView {
	var x struct {
		ID, RefPayoutID, Destination, ScheduleType, PayoutDate, TransactionDescription, RequestedAt, Status string

		Amount struct{ Value json.RawMessage }
		Error  struct{ Code string }
	}
	_ = json.Unmarshal(document, &x)
	return payoutView{
		x.ID, x.RefPayoutID, x.Destination, x.ScheduleType, x.PayoutDate, x.Amount.Value, x.Status, x.TransactionDescription, x.Error.Code,
		x.RequestedAt, some(actsOfPayout[x.Status]),
	}
}

func (f *feed) putPayout(document json.RawMessage) {
	v := viewPayout(document)
	f.putDocument(payouts, v.ID, v.Status, encode(v), document)
}

// customerView is what the list of BrandPay customers shows.
type customerView struct {
	// ID is the customer key.
	ID         string       `json:"id"`
	Status     string       `json:"status"`
	Agreed     bool         `json:"agreed"`
	Identified bool         `json:"identified"`
	OneTouch   bool         `json:"oneTouch"`
	Token      string       `json:"token,omitempty"`
	TokenUntil *time.Time   `json:"tokenUntil,omitempty"`
	Methods    []methodView `json:"methods"`
}

type methodView struct {
	Key       string    `json:"key"`
	Name      string    `json:"name"`
	IsAccount bool      `json:"isAccount"`
	At        time.Time `json:"at"`
}

func (f *feed) putCustomer(c *tosstest.BrandPayCustomer) {
	v := customerView{ID: c.CustomerKey, Status: "MEMBER", Agreed: c.Agreed, Identified: c.Identified, OneTouch: c.OneTouch, Methods: []methodView{}}
	switch {
	case c.Removed:
		v.Status = "REMOVED"
	case !c.Agreed:
		v.Status = "NEW"
	}
	if c.AccessToken != "" {
		v.Token, v.TokenUntil = c.AccessToken, &c.TokenUntil
	}
	for _, m := range c.Methods {
		v.Methods = append(v.Methods, methodView{m.Key, m.Name, m.IsAccount, m.RegisteredAt})
	}
	f.putDocument(customers, v.ID, v.Status, encode(v), nil)
}

// summary reads what a list shows of one thing.
func summary[T any](f *feed, k kind, id string) (v T, err error) {
	text := f.summary(k, id)
	if text == nil {
		return v, errors.New("the sandbox does not know this any more")
	}
	return v, json.Unmarshal(text, &v)
}

// atSeller does what a button of a seller says.
func (b *sandbox) atSeller(a act) error {
	v, err := summary[sellerView](b.feed, sellers, a.Of)
	if err != nil {
		return err
	}
	if !slices.Contains(v.Acts, a.Do) {
		return fmt.Errorf("a seller that is %s cannot do this", v.Status)
	}
	switch a.Do {
	case "identify":
		b.toss.CompleteIdentityCheck(a.Of)
	case "kyc":
		b.toss.CompleteKYC(a.Of)
	case "require-kyc":
		b.toss.RequireKYC(a.Of)
	}
	return nil
}

// atPayout does what a button of a payout says.
func (b *sandbox) atPayout(a act) error {
	v, err := summary[payoutView](b.feed, payouts, a.Of)
	if err != nil {
		return err
	}
	if !slices.Contains(v.Acts, a.Do) {
		return fmt.Errorf("a payout that is %s cannot do this", v.Status)
	}
	switch a.Do {
	case "payday":
		day, err := time.ParseInLocation(time.DateOnly, v.Day, time.FixedZone("KST", 9*60*60))
		if err != nil {
			return err
		}
		b.toss.Advance(max(0, day.Sub(b.toss.Now())))
	case "complete":
		b.toss.CompletePayout(a.Of)
	case "fail":
		if _, known := a.Code.Info(); !known {
			return fmt.Errorf("no error code is called %q", a.Code)
		}
		b.toss.FailPayout(a.Of, a.Code)
	}
	return nil
}

// atCustomer plays a customer of BrandPay, as the script in a browser would.
func (b *sandbox) atCustomer(a act) error {
	if err := tosspayments.ValidateCustomerKey(a.Of); err != nil {
		return err
	}
	v, _ := summary[customerView](b.feed, customers, a.Of)
	switch a.Do {
	case "agree":
		b.toss.AgreeBrandPay(a.Of)
	case "add-card":
		b.toss.AddBrandPayCard(a.Of, "61")
	case "add-account":
		b.toss.AddBrandPayAccount(a.Of, "88")
	case "remove-method":
		if !slices.ContainsFunc(v.Methods, func(m methodView) bool { return m.Key == a.Method }) {
			return errors.New("the customer has no such method")
		}
		b.toss.RemoveBrandPayMethod(a.Of, a.Method)
	case "expire-token":
		if v.Token == "" {
			return errors.New("the customer has no token")
		}
		b.toss.ExpireBrandPayToken(a.Of)
	}
	return nil
}

// addBalance adds to the money that can be paid out.
func (b *sandbox) addBalance(a act) error {
	amount, err := tosspayments.ParseAmount(a.Amount)
	if err != nil || amount.Sign() <= 0 {
		return fmt.Errorf("%q is no amount", a.Amount)
	}
	b.toss.AddBalance(amount)
	return nil
}

// balance is the money for payouts.
type balance struct {
	Pending   tosspayments.Amount `json:"pending"`
	Available tosspayments.Amount `json:"available"`
}

func (b *sandbox) balance(context.Context, struct{}) (balance, error) {
	pending, available := b.toss.Balance()
	return balance{pending, available}, nil
}

// opened is what an encrypted body says, and others as they are.
func (b *sandbox) opened(body []byte) string {
	if key, err := jwe.ParseKey(b.keys.Security); err == nil && strings.HasPrefix(string(body), "ey") {
		if _, plain, err := jwe.Open(body, key); err == nil {
			return string(plain)
		}
	}
	return string(body)
}

// subjects are the seller, the payouts or the customer that a request or an event is about.
func subjects(path, customerKey, body string) []string {
	var x struct {
		EntityBody struct {
			ID    string
			Items []struct{ ID string }
		}
		Data struct{ CustomerKey string }
	}
	list := []string{}
	add := func(id string) {
		if id != "" && len(list) < 100 && !slices.Contains(list, id) {
			list = append(list, id)
		}
	}
	add(customerKey)
	for _, product := range []string{"/v2/sellers/", "/v2/payouts/"} {
		if rest, ok := strings.CutPrefix(path, product); ok {
			id, _, _ := strings.Cut(rest, "/")
			add(id)
		}
	}
	_ = json.Unmarshal([]byte(body), &x)
	add(x.EntityBody.ID)
	for _, item := range x.EntityBody.Items {
		add(item.ID)
	}
	add(x.Data.CustomerKey)
	return list
}
