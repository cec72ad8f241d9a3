package tosspayments_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
)

// clientOfPages answers with the pages one after the other, again and again.
func clientOfPages(t *testing.T, pages ...answer) (*tosspayments.Client, *[]string) {
	client, mock := mockClient(t)
	asked := new([]string)
	mock.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
		if len(*asked) == 10 {
			return (&script{answers: []answer{refusal(400, "DOES_NOT_END")}}).respond(r)
		}
		page := pages[len(*asked)%len(pages)]
		*asked = append(*asked, r.URL.RawQuery)
		return (&script{answers: []answer{page}}).respond(r)
	})
	return client, asked
}

// TestPagesInACircle: a server that never comes to an end ends with an error, and no row
// comes twice before it.
func TestPagesInACircle(t *testing.T) {
	for name, pages := range map[string][]answer{
		"two pages":                 {transactionsPage("a", "b"), transactionsPage("c", "d")},
		"three pages":               {transactionsPage("a", "b"), transactionsPage("c", "d"), transactionsPage("e", "f")},
		"two that share their rows": {transactionsPage("a", "b"), transactionsPage("b", "a")},
	} {
		t.Run("transactions: "+name, func(t *testing.T) {
			client, _ := clientOfPages(t, pages...)
			keys, err := collect(client.AllTransactions(t.Context(), queryOfADay()), transactionKey)
			require.ErrorContains(t, err, "the same page again")
			assert.Equal(t, distinct(keys), keys)
		})
		t.Run("settlements: "+name, func(t *testing.T) {
			client, _ := clientOfPages(t, pages...)
			day := tosspayments.DateOf(queryOfADay().StartDate)
			keys, err := collect(client.AllSettlements(t.Context(), tosspayments.SettlementQuery{StartDate: day, EndDate: day, Size: 2}),
				func(s tosspayments.Settlement) string { return s.TransactionKey })
			require.ErrorContains(t, err, "the same page again")
			assert.Equal(t, distinct(keys), keys)
		})
	}
}

// TestTheLastPageMayRepeat: a cursor whose own row comes again, alone, is the end.
func TestTheLastPageMayRepeat(t *testing.T) {
	client, asked := clientOfPages(t, transactionsPage("a", "b"), transactionsPage("b"))
	keys, err := collect(client.AllTransactions(t.Context(), queryOfADay()), transactionKey)
	require.NoError(t, err)
	assert.Equal(t, "a b", strings.Join(keys, " "))
	assert.Len(t, *asked, 2)
}

func distinct(keys []string) (list []string) {
	seen := map[string]bool{}
	for _, key := range keys {
		if !seen[key] {
			list = append(list, key)
		}
		seen[key] = true
	}
	return list
}

// receiptsPage is a page of cash receipts; more says that another one follows it.
func receiptsPage(more bool, cursor string, rows ...object) answer {
	data, err := json.Marshal(rows)
	if err != nil {
		panic(err)
	}
	return answer{status: 200, body: fmt.Sprintf(`{"hasNext":%t,"lastCursor":%s,"data":%s}`, more, cursor, data)}
}

// receiptsOfADay reads all pages, and returns type and amount of each row.
func receiptsOfADay(t *testing.T, client *tosspayments.Client) ([]string, error) {
	return collect(client.AllCashReceipts(t.Context(), tosspayments.CashReceiptQuery{RequestDate: tosspayments.DateOf(queryOfADay().StartDate)}),
		func(r tosspayments.CashReceipt) string { return r.TransactionType + " " + r.Amount.String() })
}

// TestCancelsOfOneCashReceipt: by older documents the record of a cancel has the key
// "c_" and that of the receipt, so that two cancels of one receipt share theirs.
func TestCancelsOfOneCashReceipt(t *testing.T) {
	row := func(amount int) object {
		return object{"receiptKey": "c_rk-1", "transactionType": "CANCEL", "amount": amount}
	}
	for name, cursors := range map[string][]string{
		"numbers":     {"1", "2", "3"},
		"texts":       {`"n1"`, `"n2"`, `"n3"`},
		"then a null": {`"n1"`, `"n2"`, "null"},
	} {
		t.Run(name, func(t *testing.T) {
			client, asked := clientOfPages(t,
				receiptsPage(true, cursors[0], object{"receiptKey": "rk-1", "transactionType": "CONFIRM", "amount": 9000}, row(3000)),
				receiptsPage(true, cursors[1], row(2000)),
				receiptsPage(false, cursors[2], row(2000)))
			rows, err := receiptsOfADay(t, client)
			require.NoError(t, err)
			assert.Equal(t, []string{"CONFIRM 9000", "CANCEL 3000", "CANCEL 2000", "CANCEL 2000"}, rows)
			for i, query := range *asked {
				if i > 0 {
					assert.Contains(t, query, "cursor="+strings.Trim(cursors[i-1], `"`)+"&")
				}
			}
		})
	}
}

// TestCashReceiptsInACircle: the cursor tells, since rows may be alike.
func TestCashReceiptsInACircle(t *testing.T) {
	row := object{"receiptKey": "rk-1", "amount": 1000}
	for name, pages := range map[string][]answer{
		"one page":  {receiptsPage(true, "7", row)},
		"two pages": {receiptsPage(true, "7", row), receiptsPage(true, `"8"`, row)},
		"no cursor": {receiptsPage(true, "null", row)},
	} {
		t.Run(name, func(t *testing.T) {
			client, asked := clientOfPages(t, pages...)
			_, err := receiptsOfADay(t, client)
			require.ErrorContains(t, err, "the same page again")
			assert.LessOrEqual(t, len(*asked), len(pages)+1)
		})
	}
}
