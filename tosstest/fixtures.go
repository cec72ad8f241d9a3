package tosstest

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"slices"
	"strconv"
	"sync"

	"github.com/seed238ab19c/tosspayments"
)

// The server's JSON comes from these files, not from the structs of the library:
// a wrong field name on both sides would agree with itself.
var (
	//go:embed fixtures/payment.json
	paymentFixture []byte
	//go:embed fixtures/card.json
	cardFixture []byte
	//go:embed fixtures/cancel.json
	cancelFixture []byte
	//go:embed fixtures/billing.json
	billingFixture []byte
	//go:embed fixtures/virtual_account.json
	virtualAccountFixture []byte
	//go:embed fixtures/transaction.json
	transactionFixture []byte
	//go:embed fixtures/settlement.json
	settlementFixture []byte
	//go:embed fixtures/cash_receipt.json
	cashReceiptFixture []byte
	//go:embed fixtures/card_promotions.json
	cardPromotionsFixture []byte
	//go:embed fixtures/promotions.json
	promotionsFixture []byte
	//go:embed fixtures/event.json
	eventFixture []byte
	//go:embed fixtures/entity_event.json
	entityEventFixture []byte
	//go:embed fixtures/deposit_callback.json
	depositCallbackFixture []byte
	//go:embed fixtures/billing_deleted.json
	billingDeletedFixture []byte
	//go:embed fixtures/envelope.json
	envelopeFixture []byte
	//go:embed fixtures/seller.json
	sellerFixture []byte
	//go:embed fixtures/payout.json
	payoutFixture []byte
	//go:embed fixtures/brandpay_card.json
	brandPayCardFixture []byte
	//go:embed fixtures/brandpay_account.json
	brandPayAccountFixture []byte
	//go:embed fixtures/brandpay_terms.json
	brandPayTermsFixture []byte
	//go:embed fixtures/brandpay_promotions_card.json
	brandPayCardPromotionsFixture []byte
	//go:embed fixtures/brandpay_promotions_bank.json
	brandPayBankPromotionsFixture []byte
)

var fixtures = sync.OnceValue(func() (f struct {
	payment, card, cancel, billing, billingCard, virtualAccount, transaction, settlement, cashReceipt fixture
	event, entityEvent, depositCallback, billingDeleted                                               fixture
	envelope, seller, payout, brandPayCard, brandPayAccount, brandPayPayment                          fixture
}) {
	f.payment, f.card, f.cancel = parseFixture(paymentFixture), parseFixture(cardFixture), parseFixture(cancelFixture)
	f.billingCard = parseFixture(parseFixture(billingFixture).value("card"))
	f.billing, f.virtualAccount = parseFixture(billingFixture), parseFixture(virtualAccountFixture)
	f.transaction, f.settlement = parseFixture(transactionFixture), parseFixture(settlementFixture)
	f.cashReceipt = parseFixture(cashReceiptFixture)
	f.event, f.entityEvent = parseFixture(eventFixture), parseFixture(entityEventFixture)
	f.depositCallback, f.billingDeleted = parseFixture(depositCallbackFixture), parseFixture(billingDeletedFixture)
	f.envelope, f.seller, f.payout = parseFixture(envelopeFixture), parseFixture(sellerFixture), parseFixture(payoutFixture)
	f.brandPayCard, f.brandPayAccount = parseFixture(brandPayCardFixture), parseFixture(brandPayAccountFixture)
	// A payment of BrandPay has the older name of lastTransactionKey too.
	f.brandPayPayment = append(slices.Clone(f.payment), field{"transactionKey", json.RawMessage("null")})
	return f
})

// fixture is a JSON object with its fields in the order of the file.
type fixture []field

type field struct {
	name  string
	value json.RawMessage
}

func parseFixture(data []byte) (t fixture) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	_, _ = decoder.Token()
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			panic(err)
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			panic(err)
		}
		t = append(t, field{name.(string), value})
	}
	return t
}

// value is that of one field of the file.
func (t fixture) value(name string) json.RawMessage {
	for _, f := range t {
		if f.name == name {
			return f.value
		}
	}
	return nil
}

// fill writes the object with some of its values replaced. A name that the
// fixture does not have is a mistake in the server.
func (t fixture) fill(values map[string]any) json.RawMessage {
	b := make([]byte, 0, 1024)
	used := 0
	for i, f := range t {
		b = append(b, "{,"[min(i, 1)], '"')
		b = append(b, f.name...)
		b = append(b, '"', ':')
		value, ok := values[f.name]
		if !ok {
			b = append(b, f.value...)
			continue
		}
		used++
		b = appendJSON(b, value)
	}
	if used != len(values) {
		panic("tosstest: a value has no field in the fixture")
	}
	return append(b, '}')
}

// appendJSON is encode, quick for what is frequent.
func appendJSON(b []byte, value any) []byte {
	switch v := value.(type) {
	case string:
		if isPlain(v) {
			b = append(b, '"')
			b = append(b, v...)
			return append(b, '"')
		}
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case tosspayments.Amount:
		return append(b, v.String()...)
	}
	return append(b, encode(value)...)
}

// isPlain reports whether a text is the same in JSON.
func isPlain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x7f {
			return false
		}
	}
	return true
}

func encode(value any) json.RawMessage {
	if raw, ok := value.(json.RawMessage); ok && raw != nil {
		return raw
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err)
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}
