package main

import (
	"net/http"

	"github.com/seed238ab19c/tosspayments"
)

func (s *shop) showOrder(w http.ResponseWriter, r *http.Request) {
	o, err := s.get(r.Context(), r.PathValue("id"))
	if err != nil {
		http.Error(w, "주문을 찾을 수 없어요.", http.StatusNotFound)
		return
	}
	s.show(w, message(o), o)
}

func (s *shop) show(w http.ResponseWriter, text string, o *order) {
	data := map[string]any{"Message": text, "Order": o, "Script": s.script, "ClientKey": s.clientKey}
	if o != nil {
		data["Value"], _ = o.Amount.Int64()
		data["Reload"] = o.State == "confirming" || o.State == "waiting"
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = page.Execute(w, data)
}

// message is what the buyer is told.
func message(o *order) string {
	switch o.State {
	case "confirming":
		return "결제를 확인하고 있어요. 다시 결제하지 마세요."
	case "paid":
		return "결제됐어요."
	case "waiting":
		if p := o.Payment.Get(); p != nil && p.VirtualAccount != nil {
			return "이 계좌로 입금해 주세요: " + p.VirtualAccount.AccountNumber.Reveal()
		}
		return "입금을 기다리고 있어요."
	case "canceled":
		return "환불됐어요."
	case "failed":
		return explain(o.Code)
	case "review":
		return "결제를 확인하고 있어요. 고객센터에서 연락드릴게요."
	}
	return "아직 결제하지 않았어요."
}

func explain(code tosspayments.ErrorCode) string {
	switch code.Class() {
	case tosspayments.ClassBuyerOtherMethod:
		return "결제하지 못했어요. 다른 카드나 결제 수단을 이용해 주세요."
	case tosspayments.ClassBuyerRestart:
		return "결제가 끝나지 않았어요. 처음부터 다시 시도해 주세요."
	case tosspayments.ClassWait:
		return "결제하지 못했어요. 잠시 후 다시 시도해 주세요."
	}
	return "결제할 수 없어요. 고객센터로 문의해 주세요."
}
