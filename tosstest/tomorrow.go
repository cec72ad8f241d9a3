package tosstest

import (
	"bytes"
	"encoding/json"
)

// WithTomorrow lets every answer look as the service may look tomorrow: each object has
// unknown fields, institutions and descriptive values are new ones, and what may be
// missing is null. States and amounts stay as they are.
func WithTomorrow() Option { return func(s *Server) { s.tomorrow = true } }

// WithAPIVersion sets the API version of the individual pair of keys: "2022-11-16" (the
// default) or "2024-06-01". That of the widget pair is always 2022-11-16.
func WithAPIVersion(version string) Option { return func(s *Server) { s.individual.version = version } }

// The values of tomorrow. Those that are nil become null.
var tomorrowValues = map[string]any{
	"issuerCode": "Z9", "acquirerCode": "Z8", "bankCode": "9Z", "cardType": "새 종류", "ownerType": "새 소유자", "acquireStatus": "NEW_STATUS",
	"interestPayer": "NEW_PAYER", "refundStatus": "NEW_STATUS", "settlementStatus": "NEW_STATUS", "provider": "새페이", "method": "새 결제수단",
	"issueStatus": "NEW_STATUS", "payType": "NEW_TYPE", "approveNo": nil, "receipt": nil, "checkout": nil, "country": nil, "mId": nil,
	"receiptUrl": nil, "customerName": nil, "depositorName": nil, "number": nil, "currency": nil, "suppliedAmount": nil, "vat": nil,
}

// present changes an answer to a merchant as the options say.
func (s *Server) present(a reply, shop *merchant) reply {
	if !bytes.HasPrefix(a.body, []byte("{")) && !bytes.HasPrefix(a.body, []byte("[")) {
		return a
	}
	if shop.version == "2024-06-01" {
		a.body = rewrite(a.body, func(o map[string]json.RawMessage) {
			if _, ok := o["version"]; ok {
				o["version"] = json.RawMessage(`"2024-06-01"`)
			}
			if _, ok := o["billingKey"]; ok {
				delete(o, "cardCompany")
				delete(o, "cardNumber")
			}
		})
	}
	if s.tomorrow {
		a.body = rewrite(a.body, func(o map[string]json.RawMessage) {
			for name := range o {
				if value, ok := tomorrowValues[name]; ok {
					o[name] = encode(value)
				}
			}
			o["fieldOfTomorrow"] = json.RawMessage(`{"list":[1,"two",null,{"deep":true}]}`)
			o["nullOfTomorrow"] = json.RawMessage(`null`)
		})
	}
	return a
}

// rewrite changes every object of a document, the inner ones first. Numbers keep
// their digits.
func rewrite(data []byte, change func(map[string]json.RawMessage)) []byte {
	switch {
	case bytes.HasPrefix(data, []byte("{")):
		var object map[string]json.RawMessage
		if json.Unmarshal(data, &object) != nil {
			return data
		}
		for name, value := range object {
			object[name] = rewrite(value, change)
		}
		change(object)
		return encode(object)
	case bytes.HasPrefix(data, []byte("[")):
		var list []json.RawMessage
		if json.Unmarshal(data, &list) != nil {
			return data
		}
		for i, value := range list {
			list[i] = rewrite(value, change)
		}
		return encode(list)
	}
	return data
}
