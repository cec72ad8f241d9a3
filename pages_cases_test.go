package tosspayments_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
)

// turns answers with the pages one after the other, again and again.
func turns(t *testing.T, pages ...answer) (*tosspayments.Client, *[]string) {
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
		"two pages":                 {rows("a", "b"), rows("c", "d")},
		"three pages":               {rows("a", "b"), rows("c", "d"), rows("e", "f")},
		"two that share their rows": {rows("a", "b"), rows("b", "a")},
	} {
		t.Run("transactions: "+name, func(t *testing.T) {
			client, _ := turns(t, pages...)
			keys, err := collect(client.AllTransactions(t.Context(), someDay()), transactionKey)
			require.ErrorContains(t, err, "the same page again")
			assert.Equal(t, distinct(keys), keys)
		})
		t.Run("settlements: "+name, func(t *testing.T) {
			client, _ := turns(t, pages...)
			day := tosspayments.DateOf(someDay().StartDate)
			keys, err := collect(client.AllSettlements(t.Context(), tosspayments.SettlementQuery{StartDate: day, EndDate: day, Size: 2}),
				func(s tosspayments.Settlement) string { return s.TransactionKey })
			require.ErrorContains(t, err, "the same page again")
			assert.Equal(t, distinct(keys), keys)
		})
	}
}

// TestTheLastPageMayRepeat: a cursor whose own row comes again, alone, is the end.
func TestTheLastPageMayRepeat(t *testing.T) {
	client, asked := turns(t, rows("a", "b"), rows("b"))
	keys, err := collect(client.AllTransactions(t.Context(), someDay()), transactionKey)
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
