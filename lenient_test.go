package tosspayments

import (
	"cmp"
	"encoding"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments/internal/lenient"
)

// essential are the fields of a payment that must be readable.
var essential = []string{"paymentKey", "orderId", "status", "totalAmount", "currency"}

// TestNoFieldHidesTheRest gives every field of every answer, nested ones too, each of a
// few values that it cannot hold, or can only be read as.
func TestNoFieldHidesTheRest(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]any{
		"payment_full.json": paymentFields{}, "billing_full.json": Billing{}, "cash_receipts_full.json": CashReceiptPage{},
		"transactions_full.json": []Transaction{}, "settlements_full.json": []Settlement{}, "promotions_full.json": []Promotion{},
		"card_promotions_full.json": CardPromotions{},
	} {
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join("testdata", name))
			require.NoError(t, err)
			whole := reflect.New(reflect.TypeOf(v))
			unread, err := lenient.Unmarshal(data, whole.Interface())
			require.NoError(t, err)
			require.Empty(t, unread)
			paths := pathsOf(whole.Elem().Type(), "")
			require.Greater(t, len(paths), 9)
			for _, path := range paths {
				for _, value := range []string{`null`, `""`, `[]`, `{}`, `7`, `"x"`, `true`, `[[]]`, `{"a":{}}`, `-1.5`} {
					label := path + ": " + value
					changed := replace(t, data, path, value)
					got := reflect.New(reflect.TypeOf(v))
					unread, err := lenient.Unmarshal(changed, got.Interface())
					require.NoError(t, err, label)
					field := at(t, got.Elem(), path)
					_, readsText := reflect.TypeAssert[encoding.TextUnmarshaler](field.Addr())
					isObject := strings.HasPrefix(value, "{") && field.Kind() == reflect.Struct && !readsText
					if value == `null` || value == `""` || isObject || !field.IsZero() {
						unread = slices.DeleteFunc(unread, func(name string) bool { return name != path })
						require.Empty(t, unread, label)
					} else {
						require.Equal(t, []string{path}, unread, label)
					}
					want := reflect.New(reflect.TypeOf(v))
					_, err = lenient.Unmarshal(data, want.Interface())
					require.NoError(t, err)
					at(t, want.Elem(), path).SetZero()
					field.SetZero()
					require.Equal(t, want.Interface(), got.Interface(), label)

					if name == "payment_full.json" && !slices.Contains(essential, path) {
						p, _, err := readPayment(changed)
						require.NoError(t, err, label)
						require.Equal(t, Won(33000), p.TotalAmount)
					}
				}
			}
		})
	}
}

// pathsOf lists the fields of a type, nested ones too, as lenient names them.
func pathsOf(t reflect.Type, path string) (paths []string) {
	if path != "" {
		paths = append(paths, path)
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8:
		return append(paths, pathsOf(t.Elem(), path+"[0]")...)
	case t.Kind() != reflect.Struct || reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return paths
	}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name = cmp.Or(f.Tag.Get("also"), name); name != "" && f.IsExported() {
			paths = append(paths, pathsOf(f.Type, strings.TrimPrefix(path+"."+name, "."))...)
		}
	}
	return paths
}

func steps(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return strings.ContainsRune(".[]", r) })
}

// replace puts a value into a document.
func replace(t *testing.T, data []byte, path, value string) []byte {
	t.Helper()
	var document any
	require.NoError(t, json.Unmarshal(data, &document))
	node, last := document, steps(path)
	for ; len(last) > 1; last = last[1:] {
		if list, ok := node.([]any); ok {
			i, err := strconv.Atoi(last[0])
			require.NoError(t, err)
			node = list[i]
			continue
		}
		node = node.(map[string]any)[last[0]]
	}
	if list, ok := node.([]any); ok {
		list[0] = json.RawMessage(value)
	} else {
		require.Contains(t, node, last[0], "the fixture lacks %s", path)
		node.(map[string]any)[last[0]] = json.RawMessage(value)
	}
	changed, err := json.Marshal(document)
	require.NoError(t, err)
	return changed
}

// at returns the field that a path names.
func at(t *testing.T, v reflect.Value, path string) reflect.Value {
	t.Helper()
	for _, step := range steps(path) {
		for v.Kind() == reflect.Pointer {
			v = v.Elem()
		}
		if v.Kind() == reflect.Slice {
			i, err := strconv.Atoi(step)
			require.NoError(t, err)
			v = v.Index(i)
			continue
		}
		for _, f := range reflect.VisibleFields(v.Type()) {
			if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); step == cmp.Or(f.Tag.Get("also"), name) {
				v = v.FieldByIndex(f.Index)
				break
			}
		}
	}
	return v
}

const minimalPayment = `{"paymentKey":"pk_1","orderId":"order-000001","status":"DONE","totalAmount":1000,"balanceAmount":1000,"currency":"KRW"`

func TestReadPayment(t *testing.T) {
	for extra, unread := range map[string]string{
		``:              "",
		`"metadata":[]`: "metadata",
		`"mobilePhone":{"customerMobilePhone":{"plain":"01000000000","masking":"010****0000"}}`: "mobilePhone.customerMobilePhone",
		`"receipt":"https://shop.example/receipt/1"`:                                            "receipt",
		`"useEscrow":"N"`: "",
		`"cancels":{}`:    "cancels",
		`"card":{"issuerCode":"71","approveNo":12345678,"amount":1000}`:              "",
		`"card":{"issuerCode":["71"],"approveNo":"12345678","useCardPoint":"maybe"}`: "card.issuerCode card.useCardPoint",
		`"cancels":[{"cancelAmount":100,"canceledAt":"soon"},{"cancelAmount":{}}]`:   "cancels[0].canceledAt cancels[1].cancelAmount",
		`"approvedAt":""`: "", `"requestedAt":""`: "",
		`"balanceAmount":"much"`: "balanceAmount", `"balanceAmount":{}`: "balanceAmount",
	} {
		p, names, err := readPayment([]byte(strings.TrimSuffix(minimalPayment+","+extra, ",") + "}"))
		require.NoError(t, err, extra)
		assert.Equal(t, strings.Fields(unread), append([]string{}, names...), extra)
		assert.Equal(t, Won(1000), p.TotalAmount)
		assert.Equal(t, CurrencyKRW, p.Currency)
		assert.Equal(t, PaymentStatusDone, p.Status)
		assert.Equal(t, strings.HasPrefix(unread, "balanceAmount"), p.BalanceAmount == nil, extra)
	}
	p, _, err := readPayment([]byte(minimalPayment + `,"balanceAmount":""}`))
	require.NoError(t, err)
	assert.Nil(t, p.BalanceAmount, "no balance is not a balance of 0")
}

func TestReadPaymentTimes(t *testing.T) {
	want := time.Date(2024, 2, 13, 3, 18, 14, 0, time.UTC)
	for text, ok := range map[string]bool{
		"2024-02-13T12:18:14": true, "2024-02-13T12:18:14.123": true, "2024-02-13T12:18:14+0900": true, "2024-02-13T12:18:14+09:00": true,
		"2024-02-13T03:18:14Z": true, "": true, "2024-02-13T12:18:14+24:00": false, "soon": false,
	} {
		for field, time := range map[string]func(*Payment) time.Time{
			`"requestedAt":%q`:                              func(p *Payment) time.Time { return p.RequestedAt },
			`"approvedAt":%q`:                               func(p *Payment) time.Time { return p.ApprovedAt },
			`"cancels":[{"canceledAt":%q}]`:                 func(p *Payment) time.Time { return p.Cancels[0].CanceledAt },
			`"virtualAccount":{"dueDate":%q}`:               func(p *Payment) time.Time { return p.VirtualAccount.DueDate },
			`"cashReceipts":[{"requestedAt":%q}]`:           func(p *Payment) time.Time { return p.CashReceipts[0].RequestedAt },
			`"cashReceipts":[{"a":[[{}]],"canceledAt":%q}]`: func(p *Payment) time.Time { return p.CashReceipts[0].CanceledAt },
		} {
			p, unread, err := readPayment([]byte(minimalPayment + "," + fmt.Sprintf(field, text) + "}"))
			require.NoError(t, err, text)
			assert.Equal(t, ok, len(unread) == 0, "%s %s", field, text)
			if ok && text != "" {
				assert.True(t, want.Equal(time(p).Truncate(1e9)), "%s %s: %s", field, text, time(p))
			} else {
				assert.True(t, time(p).IsZero(), "%s %s", field, text)
			}
			encoded, err := json.Marshal(p)
			require.NoError(t, err)
			again, unread, err := readPayment(encoded)
			require.NoError(t, err)
			assert.Empty(t, unread)
			assert.True(t, time(p).Equal(time(again)))
		}
	}
}

func TestReadPaymentRefuses(t *testing.T) {
	values := map[string]string{"paymentKey": `"pk_1"`, "orderId": `"order-000001"`, "status": `"DONE"`, "totalAmount": `1000`, "currency": `"KRW"`}
	payment := func(name, value string) []byte {
		changed := maps.Clone(values)
		changed[name] = value
		var members []string
		for name, value := range changed {
			if value != "" {
				members = append(members, strconv.Quote(name)+":"+value)
			}
		}
		return []byte("{" + strings.Join(members, ",") + "}")
	}
	for _, name := range essential {
		for _, value := range []string{"", `null`, `""`, `[]`, `{}`, `["KRW"]`} {
			_, _, err := readPayment(payment(name, value))
			absent := value == "" || value == `null` || value == `""`
			assert.Equal(t, name == "currency" && absent, err == nil, "%s: %s", name, value)
		}
	}
	for _, value := range []string{`0`, `"0"`, `-1000`, `"ten"`, `true`, `1e99`} {
		_, _, err := readPayment(payment("totalAmount", value))
		assert.ErrorContains(t, err, "totalAmount", value)
	}
	for _, value := range []string{`7`, `true`, `"K W"`} {
		_, _, err := readPayment(payment("currency", value))
		assert.ErrorContains(t, err, "currency", value)
	}
	for _, body := range []string{"", "null", "[]", `"x"`, "{", "{}", `{"paymentKey":"pk_1"`, "<html>"} {
		_, _, err := readPayment([]byte(body))
		assert.Error(t, err, body)
	}
	p, _, err := readPayment([]byte(`{"paymentKey":1,"orderId":20260301,"status":"DONE","totalAmount":"1000"}`))
	require.NoError(t, err)
	assert.Equal(t, "20260301", p.OrderID)
	assert.Equal(t, Won(1000), p.TotalAmount)
}

var rowFields = []string{"transactionKey", "paymentKey", "status", "amount", "currency"}

const goodRow = `{"transactionKey":"T1","paymentKey":"pk_1","status":"DONE","amount":1000,"currency":"KRW","useEscrow":"maybe","customerKey":"customer-7"}`

func TestReadRows(t *testing.T) {
	rows, unread, err := readRows[Transaction]([]byte("["+goodRow+","+goodRow+"]"), rowFields...)
	require.NoError(t, err)
	require.Len(t, rows, 2)
	assert.Equal(t, []string{"[0].useEscrow", "[1].useEscrow"}, unread)
	assert.Equal(t, Won(1000), rows[1].Amount)
}

func TestReadNoRows(t *testing.T) {
	rows, unread, err := readRows[Transaction]([]byte(" [ ] "), rowFields...)
	require.NoError(t, err)
	assert.Empty(t, rows)
	assert.Empty(t, unread)
}

// badRows have something that is not as expected: the field that the row cannot be used
// without, or "" where it can.
var badRows = map[string]string{
	`"amount":"ten"`: "amount", `"amount":null`: "amount", `"amount":""`: "amount", `"amount":{}`: "amount",
	`"transactionKey":[]`: "transactionKey", `"paymentKey":null`: "paymentKey", `"status":""`: "status", `"currency":{}`: "currency",
	`"amount":0`: "", `"amount":"-1000.5"`: "", `"currency":null`: "", `"status":7`: "",
}

func TestReadRowsNamesTheRowThatCannotBeRead(t *testing.T) {
	for change, field := range badRows {
		name, _, _ := strings.Cut(change, ":")
		row := strings.Replace(goodRow, name, `"old"`, 1)
		row = strings.TrimSuffix(row, "}") + "," + change + "}"
		rows, _, err := readRows[Transaction]([]byte("["+goodRow+","+row+"]"), rowFields...)
		if field == "" {
			require.NoError(t, err, change)
			require.Len(t, rows, 2)
			continue
		}
		require.ErrorContains(t, err, "1 of 2 rows cannot be read: row 1 has no readable "+field+": {", change)
		require.Len(t, rows, 1, change)
		assert.ErrorContains(t, err, change)
		assert.NotContains(t, err.Error(), "customer-7")
	}
}

func TestReadRowsThatAreNoObjects(t *testing.T) {
	for _, row := range []string{"null", "7", "[]", `"x"`, "{}"} {
		rows, _, err := readRows[Transaction]([]byte("["+row+","+goodRow+"]"), rowFields...)
		assert.ErrorContains(t, err, "row 0 has no readable ")
		assert.Len(t, rows, 1)
	}
}

func TestReadRowsRefusesWhatIsNoList(t *testing.T) {
	for _, body := range []string{"", "null", "{}", `"x"`, "[", "<html>"} {
		_, _, err := readRows[Transaction]([]byte(body), rowFields...)
		assert.Error(t, err, body)
	}
}

func TestErrorsOfRowsAreShort(t *testing.T) {
	t.Parallel()
	for want, read := range map[string]func() error{
		`"paymentKey":"X*************"`: func() error {
			_, _, err := readRows[Settlement]([]byte(`[{"transactionKey":"T","paymentKey":"X6500000000001","amount":"`+strings.Repeat("9", 5000)+`"}]`), "transactionKey", "paymentKey", "amount")
			return err
		},
		"100001 of 100001 rows": func() error {
			_, _, err := readRows[Transaction]([]byte("["+strings.Repeat("{},", 100_000)+"{}]"), rowFields...)
			return err
		},
	} {
		err := read()
		require.ErrorContains(t, err, want)
		assert.Less(t, len(err.Error()), 700)
		assert.NotContains(t, err.Error(), "6500000000001")
	}
}

// FuzzReadPayment: whatever can be read has what is essential, and can be written and
// read again.
func FuzzReadPayment(f *testing.F) {
	for _, name := range []string{"payment_guide.json", "payment_full.json", "payment_expired.json"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		require.NoError(f, err)
		f.Add(data)
	}
	f.Add([]byte(minimalPayment + `,"approvedAt":"2024-02-13T12:18:14+24:00","cancels":[{},7],"currency":null,"metadata":[]}`))
	type essence struct {
		Total    Amount
		Balance  *Amount
		Secret   string
		Approved time.Time
	}
	essenceOf := func(p *Payment) essence {
		return essence{p.TotalAmount, p.BalanceAmount, p.Secret.Reveal(), p.ApprovedAt.UTC()}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, _, err := readPayment(data)
		if err != nil {
			return
		}
		require.NotEmpty(t, p.PaymentKey)
		require.Positive(t, p.TotalAmount.Sign())
		encoded, err := json.Marshal(p.Stored())
		require.NoError(t, err)
		again, unread, err := readPayment(encoded)
		require.NoError(t, err)
		require.Empty(t, unread)
		require.Equal(t, essenceOf(p), essenceOf(again))
	})
}
