package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

const (
	// maxElements bounds what is made of a body like {"cancels":[{},{},…]}: an element
	// takes a hundred times the memory that it has in JSON.
	maxElements = 1000
	maxMembers  = 200
)

// elements counts the elements of all lists in valid JSON.
func elements(data []byte) (n int) {
	var open []byte
	for i := 0; i < len(data); i++ {
		switch c := data[i]; c {
		case '"':
			for i++; data[i] != '"'; i++ {
				if data[i] == '\\' {
					i++
				}
			}
		case '[', '{':
			open = append(open, c)
			if c == '[' {
				n++
			}
		case ']', '}':
			open = open[:len(open)-1]
		case ',':
			if open[len(open)-1] == '[' {
				n++
			}
		}
	}
	return n
}

// names are those by which an event is understood. encoding/json takes orderid and
// ORDERID for orderId, which other readers do not.
var names = [...]string{
	"eventType", "createdAt", "version", "eventId", "entityType", "data", "entityBody",
	"secret", "status", "transactionKey", "orderId", "paymentKey", "lastTransactionKey", "mId",
	"totalAmount", "balanceAmount", "currency", "cancels", "cancelStatus", "cancelRequestId", "billingKey",
}

// members returns the members of an object; null counts as absent. Each name may occur
// once, in whatever letters, and one of the names above only as it is written there.
func members(object []byte) (map[string]json.RawMessage, error) {
	decoder := json.NewDecoder(bytes.NewReader(object))
	if open, err := decoder.Token(); err != nil || open != json.Delim('{') {
		return nil, errors.New("is not an object")
	}
	found, seen := map[string]json.RawMessage{}, map[string]bool{}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		name, _ := token.(string)
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, err
		}
		folded := strings.ToLower(strings.ToUpper(name))
		if seen[folded] {
			return nil, fmt.Errorf("has %q twice", printable(name))
		}
		if len(seen) == maxMembers {
			return nil, errors.New("has more than 200 members")
		}
		for _, exact := range names {
			if name != exact && strings.EqualFold(name, exact) {
				return nil, fmt.Errorf("has %q instead of %s", printable(name), exact)
			}
		}
		seen[folded] = true
		if string(value) != "null" {
			found[name] = value
		}
	}
	return found, nil
}

// text returns what a member holds; "" where that is no text.
func text(value json.RawMessage) (s string) {
	if json.Unmarshal(value, &s) != nil {
		return ""
	}
	return s
}
