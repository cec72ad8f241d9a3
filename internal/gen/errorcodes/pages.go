package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"strconv"
	"strings"
)

// page is the page of all codes in one language.
type page struct {
	file string
	// head is everything above the sections.
	head string
	// columns is the head of each table.
	columns string
	// classes are the sections, in the order of the page.
	classes []classText
	// operations names the places where a code occurs.
	operations map[string]string
	message    func(entry) string
	note       func(entry) string
}

// classText is a section of the page: its class in codes.json, its heading, and who acts.
type classText struct{ class, heading, advice string }

// The introductions, which hold the one block of code, are plain files.
var (
	//go:embed head.en.md
	headEnglish string
	//go:embed head.ko.md
	headKorean string
)

var english = page{
	file:    "en/error-codes.md",
	head:    headEnglish,
	columns: "| code | Go | HTTP | message | where |\n| --- | --- | --- | --- | --- |\n",
	classes: []classText{
		{"buyer-other-method", "The buyer takes another method", "The card company, the bank or a fraud check has refused, or the card data is wrong. Nothing was charged. The buyer " +
			"takes another card or method, or corrects what was typed in: show the message and the way back to the payment. Do not send the same request again."},
		{"buyer-restart", "The buyer starts again", "The buyer has left, or the time is over. Nothing was charged. Offer the payment, or the registration of a card, from the beginning; " +
			"for `PAY_PROCESS_CANCELED` without any alarm, since the buyer wanted it."},
		{"wait", "Wait and ask again", "Another request is running, there were too many, or the service is closed at this hour. This request has done nothing. The client " +
			"sends it again where that helps, and looks the payment up if an earlier request may have succeeded. Tell the buyer to try again later."},
		{"unknown", "The outcome is not known", "A server error, or an answer that decides nothing. Look the payment up before anything else. For a call that moves money the client does, and ends as " +
			"`OutcomeUnknown` when the lookup decides nothing either. Show \"being checked\", never \"failed\". A code that is not on this page belongs here."},
		{"already-done", "Already done: look it up", "The effect exists already, often by an earlier attempt of your own. Read the payment (or the receipt, or the key) and record what it says. " +
			"For payments the client does so by itself, and returns the payment that stands. Never delete or fail an order because of such a code."},
		{"not-cancelable", "This cancel is not possible", "The payment's state, amount or period does not allow this cancel. Nothing was refunded. Read the balance, plan again, or give the money back in another way."},
		{"configuration", "The shop's keys, contract or settings", "Nothing that the buyer can do helps. Say that the payment is not possible at the moment, alert the people who run the shop, and fix the key or the " +
			"setting in the developer centre, or ask Toss Payments."},
		{"request", "A wrong request: the developer", "A bug, or wrong data. Fix it, and if you gave an idempotency key, send the corrected request under a new one: the old key answers with the old refusal for 15 days."},
	},
	operations: map[string]string{
		"payments.confirm": "confirm", "payments.cancel": "cancel", "payments.get": "get payment", "payments.key-in": "key-in", "payment-window": "payment window",
		"payment-widget": "order form", "brandpay": "BrandPay", "billing.issue": "issue billing key", "billing.charge": "charge billing", "billing.delete": "delete billing key",
		"virtual-accounts": "issue virtual account", "transactions": "transactions", "settlements": "settlements", "settlements.manual": "request settlement",
		"cash-receipts": "issue cash receipt", "cash-receipts.cancel": "cancel cash receipt", "cash-receipts.get": "list cash receipts", "payouts": "payouts", "common": "any",
	},
	message: func(e entry) string { return cell(e.English) + "<br>" + cell(e.Korean) },
	note:    func(e entry) string { return e.Note },
}

var korean = page{
	file:    "ko/error-codes.md",
	head:    headKorean,
	columns: "| 코드 | Go | HTTP | 메시지 | 나타나는 곳 |\n| --- | --- | --- | --- | --- |\n",
	classes: []classText{
		{"buyer-other-method", "구매자: 다른 결제수단으로", "카드사나 은행, 이상 거래 탐지가 거절했거나 카드 정보가 잘못됐습니다. 청구된 금액은 없습니다. 구매자가 다른 카드나 결제수단을 쓰거나 입력을 고쳐야 하니, " +
			"메시지와 함께 다시 결제할 수 있는 길을 보여 주세요. 같은 요청을 다시 보내지 마세요."},
		{"buyer-restart", "구매자: 처음부터 다시", "구매자가 결제창을 나갔거나 시간이 지났습니다. 청구된 금액은 없습니다. 결제나 카드 등록을 처음부터 다시 할 수 있게 해 주세요. `PAY_PROCESS_CANCELED`는 " +
			"구매자가 원한 일이니 에러처럼 보여 줄 필요가 없습니다."},
		{"wait", "기다렸다가 다시", "다른 요청이 처리 중이거나, 요청이 너무 많거나, 지금은 서비스 시간이 아닙니다. 이 요청은 처리되지 않았습니다. 도움이 되는 경우에는 클라이언트가 다시 보내고, 앞선 요청이 " +
			"처리됐을 수 있으면 결제를 조회합니다. 구매자에게는 잠시 후 다시 시도해 달라고 안내하세요."},
		{"unknown", "결과를 알 수 없음", "서버 에러이거나 결과를 알려 주지 않는 응답입니다. 무엇보다 먼저 결제를 조회하세요. 돈이 움직이는 호출이라면 클라이언트가 조회하고, 그래도 알 수 없으면 `OutcomeUnknown`으로 끝납니다. " +
			"\"실패\"가 아니라 \"확인 중\"이라고 보여 주세요. 이 페이지에 없는 코드도 여기에 속합니다."},
		{"already-done", "이미 처리됨: 조회하세요", "이미 일어난 일입니다. 우리가 먼저 보낸 요청 때문인 경우가 많습니다. 결제(또는 현금영수증, 빌링키)를 조회해 그 결과를 기록하세요. 결제라면 클라이언트가 알아서 조회하고 이미 있는 결제를 돌려줍니다. 이런 코드 때문에 주문을 지우거나 " +
			"실패로 바꾸면 안 됩니다."},
		{"not-cancelable", "상점: 이 취소는 할 수 없음", "결제의 상태, 금액, 기간 때문에 이 취소는 할 수 없습니다. 환불된 금액은 없습니다. 잔액을 조회해 다시 계획하거나 다른 방법으로 돌려주세요."},
		{"configuration", "상점: 키, 계약, 설정", "구매자가 할 수 있는 일이 없습니다. 지금은 결제할 수 없다고 안내하고 운영자에게 알린 다음, 개발자센터에서 키나 설정을 고치거나 토스페이먼츠에 문의하세요."},
		{"request", "개발자: 잘못된 요청", "버그이거나 데이터가 잘못됐습니다. 고친 다음, 멱등키를 직접 넣었다면 새 멱등키로 보내세요. 이전 멱등키로 보내면 15일 동안 이전 거절이 그대로 돌아옵니다."},
	},
	operations: map[string]string{
		"payments.confirm": "결제 승인", "payments.cancel": "결제 취소", "payments.get": "결제 조회", "payments.key-in": "카드번호 결제", "payment-window": "결제창",
		"payment-widget": "주문서형", "brandpay": "브랜드페이", "billing.issue": "빌링키 발급", "billing.charge": "자동결제 승인", "billing.delete": "빌링키 삭제",
		"virtual-accounts": "가상계좌 발급", "transactions": "거래 조회", "settlements": "정산 조회", "settlements.manual": "수동 정산",
		"cash-receipts": "현금영수증 발급", "cash-receipts.cancel": "현금영수증 취소", "cash-receipts.get": "현금영수증 조회", "payouts": "지급대행", "common": "공통",
	},
	message: func(e entry) string { return cell(e.Korean) },
	note:    func(e entry) string { return e.NoteKorean },
}

func generatePage(data []byte, p *page) ([]byte, error) {
	entries, err := parse(data)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString(strings.Replace(p.head, "COUNT", strconv.Itoa(len(entries)), 1))
	written := 0
	for _, class := range p.classes {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n%s", class.heading, class.advice, p.columns)
		for _, e := range entries {
			if e.Class != class.class {
				continue
			}
			row, err := p.row(e)
			if err != nil {
				return nil, err
			}
			b.WriteString(row)
			written++
		}
	}
	if written != len(entries) {
		return nil, fmt.Errorf("%s: %d of %d codes are in a section", p.file, written, len(entries))
	}
	return b.Bytes(), nil
}

func (p *page) row(e entry) (string, error) {
	mark := ""
	if e.Confidence != "confirmed" {
		mark = " †"
	}
	statuses := strings.Trim(strings.TrimPrefix(statusText(e.Statuses), " (HTTP "), ")")
	if statuses == "" {
		statuses = "–"
	}
	message := p.message(e)
	if note := p.note(e); note != "" {
		message += "<br>*" + cell(note) + "*"
	}
	places := make([]string, len(e.Operations))
	for i, operation := range e.Operations {
		if places[i] = p.operations[operation]; places[i] == "" {
			return "", fmt.Errorf("%s: the page has no name for the operation %q", e.Code, operation)
		}
	}
	return fmt.Sprintf("| `%s`%s | `%s` | %s | %s | %s |\n", e.Code, mark, constName(e.Code), statuses, message, strings.Join(places, ", ")), nil
}

// cell makes a text fit for a cell of a table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "*", `\*`, "\n", " ").Replace(text)
}
