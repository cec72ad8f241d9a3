package tosstest

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/institutions"
)

// registration is a window in which a buyer registers a card, a wallet or an account.
type registration struct {
	customerKey string
	isAccount   bool
	company     string // the only card company
}

// registrationRequest is what requestBillingAuth of payment() takes.
type registrationRequest struct {
	Method              tosspayments.Method `json:"method"`
	SuccessURL          string              `json:"successUrl"`
	FailURL             string              `json:"failUrl"`
	CustomerName        string              `json:"customerName"`
	CustomerEmail       string              `json:"customerEmail"`
	WindowTarget        string              `json:"windowTarget"`
	SelectableCardTypes []string            `json:"selectableCardTypes"`
	FlowMode            string              `json:"flowMode"`
	EasyPay             string              `json:"easyPay"`
	CardCompany         string              `json:"cardCompany"`
	Transfer            struct {
		EncryptedCustomerCi string `json:"encryptedCustomerCi"`
	} `json:"transfer"`
}

func (r *registrationRequest) validate() *windowRefusal {
	if r.Method != tosspayments.MethodCard && r.Method != tosspayments.MethodTransfer {
		return refuseWindow(tosspayments.ErrNotSupportedMethod, string(r.Method))
	}
	if refused := validateAddresses(r.SuccessURL, r.FailURL, true); refused != nil {
		return refused
	}
	_, knownCompany := institutions.LookupCardCompany(r.CardCompany)
	switch {
	case r.SuccessURL == "":
		return refuseWindow(tosspayments.ErrIncorrectSuccessURLFormat, "")
	case !oneOf(r.WindowTarget, "self", "iframe"):
		return refuseParameter("windowTarget")
	case !oneOf(r.FlowMode, "DEFAULT", "DIRECT"):
		return refuseParameter("flowMode")
	case r.FlowMode == "DIRECT" && r.CardCompany == "" && r.EasyPay == "":
		return refuseWindow(tosspayments.ErrInvalidFlowModeParameters, "")
	case !oneOf(r.EasyPay, "TOSSPAY", "토스페이", "NAVERPAY", "네이버페이"):
		return refuseWindow(tosspayments.ErrInvalidEasyPay, r.EasyPay)
	case r.CardCompany != "" && !knownCompany:
		return refuseWindow(tosspayments.ErrInvalidCardCompany, r.CardCompany)
	}
	return nil
}

func (s *Server) openRegistration(e *envelope) (*openWindow, *windowRefusal) {
	var r registrationRequest
	if refused := s.decodeRequest(e, &s.individual, &r); refused != nil {
		return nil, refused
	}
	// Whether the real script registers for a guest is not known.
	if tosspayments.ValidateCustomerKey(e.CustomerKey) != nil {
		return nil, refuseWindow(tosspayments.ErrInvalidCustomerKey, "")
	}
	if refused := r.validate(); refused != nil {
		return nil, refused
	}
	o := s.newWindow(e)
	o.successURL, o.failURL = r.SuccessURL, r.FailURL
	o.registration = &registration{customerKey: e.CustomerKey, isAccount: r.Method == tosspayments.MethodTransfer}
	if company, ok := institutions.LookupCardCompany(r.CardCompany); ok && r.FlowMode == "DIRECT" {
		o.registration.company = company.Code
	}
	return o, nil
}

// companyTile is the tile of one card company.
func companyTile(code string) tile {
	company, _ := institutions.LookupCardCompany(code)
	return tile{Code: "card:" + code, Name: company.KoreanShort}
}

func (r *registration) title() string {
	if r.isAccount {
		return "계좌 등록"
	}
	return "카드 등록"
}

func (o *openWindow) registrationPage(page *windowPage) {
	page.Registering = true
	page.Pay, page.Close = "등록하기", "등록창 닫기"
	page.Title = o.registration.title()
	if o.registration.isAccount {
		page.Does = "등록한 계좌에서 상점이 정한 날에 자동으로 출금돼요. 지금은 출금되지 않아요."
		page.Choices = []choice{{"은행", "means", check(tiles("bank:", banks), "")}}
		return
	}
	page.Does = "등록한 카드로 상점이 정한 날에 자동으로 결제돼요. 지금은 결제되지 않아요."
	cards := tiles("card:", cardCompanies)
	if company := o.registration.company; company != "" {
		cards = []tile{companyTile(company)}
	}
	page.Choices = []choice{{"카드", "means", check(cards, "")}}
}

// endRegistration registers what was chosen, which then behaves as chosen.
func (s *Server) endRegistration(o *openWindow, form url.Values) ending {
	refusal := tosspayments.ErrorCode(form.Get("behaviour"))
	if _, known := refusal.Info(); refusal != "" && !known {
		return ending{status: http.StatusBadRequest, text: "behaviour"}
	}
	switch form.Get("outcome") {
	case "pay":
	case "reject":
		return o.fail(tosspayments.ErrRejectCardCompany, "")
	case "abort":
		return o.fail(tosspayments.ErrPayProcessAborted, "")
	default:
		return ending{status: http.StatusBadRequest, text: "outcome"}
	}
	r := Registration{CustomerKey: o.registration.customerKey, Refusal: refusal}
	switch kind, code, _ := strings.Cut(form.Get("means"), ":"); kind {
	case "card":
		r.CardCompany = code
	case "bank":
		r.Bank = code
	}
	return o.succeed([][2]string{{"customerKey", r.CustomerKey}, {"authKey", s.register(r)}}, nil)
}
