package payouts_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/payouts"
)

// clientOfPosts answers the POSTs of a path with one script, and all reads with another.
func clientOfPosts(t testing.TB, posts, gets []answer) (client *payouts.Client, posting, reading *server) {
	t.Helper()
	mock := httpmock.NewMockTransport()
	posting, reading = &server{answers: posts}, &server{answers: gets}
	mock.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodPost {
			return posting.respond(r)
		}
		return reading.respond(r)
	})
	return newClient(t, mock), posting, reading
}

// assertOneBatch wants the same request in every attempt, and looks for its days.
func assertOneBatch(t *testing.T, posts, gets *server) {
	t.Helper()
	for _, r := range posts.seen {
		assert.Equal(t, posts.seen[0].header.Get("Idempotency-Key"), r.header.Get("Idempotency-Key"))
		assert.Equal(t, posts.seen[0].body, r.body)
	}
	for _, r := range gets.seen {
		assert.Equal(t, "limit=1000&payoutDateGte=2026-03-10&payoutDateLte=2026-03-12", r.query)
	}
}

// assertRepeatable wants an unknown outcome to say how to ask again, and, after a refusal
// that could be read, what has to be put right.
func assertRepeatable(t *testing.T, last answer, err error) {
	t.Helper()
	var unknown *tosspayments.OutcomeUnknownError
	require.ErrorAs(t, err, &unknown)
	assert.True(t, unknown.Repeatable)
	assert.NotEmpty(t, unknown.IdempotencyKey)
	if last.status >= 400 && last.key != strings.Repeat("ff", 32) {
		assert.Contains(t, last.body, string(unknown.LastAnswer.Code))
	}
}

func refsOf(batch []payouts.Payout) (refs []string) {
	for _, p := range batch {
		refs = append(refs, p.RefPayoutID)
	}
	return refs
}

// How a request of payouts ends.
func TestRequestPayouts(t *testing.T) {
	const success = tosspayments.OutcomePaid // stands for a nil error
	unknown, refused, mismatch := tosspayments.OutcomeUnknown, tosspayments.OutcomeRefused, tosspayments.OutcomeMismatch
	one, two := payoutJSON("p-1", "REQUESTED", 50000), payoutJSON("p-2", "REQUESTED", 50000)
	accepted := okAnswer(listJSON(two, one)).sealed()
	none, both := okAnswer(listJSON()), okAnswer(listJSON(payoutJSON("other", "COMPLETED", 1), two, one))
	for _, row := range []struct {
		name        string
		posts, gets []answer
		want        tosspayments.Outcome
		looks       int
	}{
		{"accepted", []answer{accepted}, nil, success, 0},
		{"accepted in plain JSON", []answer{okAnswer(listJSON(one, two))}, nil, success, 0},
		{"under the older key", []answer{accepted.under(oldKey)}, nil, success, 0},
		{"lost, repeated", []answer{lost, accepted}, nil, success, 0},
		{"running, then accepted", []answer{lost, refusal(409, "IDEMPOTENT_REQUEST_PROCESSING"), accepted}, nil, success, 0},
		{"lost, found", []answer{lost}, []answer{both}, success, 1},
		{"lost, not found", []answer{lost}, []answer{none}, unknown, 3},
		{"lost, found later", []answer{lost}, []answer{none, both}, success, 2},
		{"lost, the list fails", []answer{lost}, []answer{refusal(403, "FORBIDDEN_REQUEST")}, unknown, 4},
		{"lost, one of two", []answer{lost}, []answer{okAnswer(listJSON(one))}, unknown, 4},
		{"lost, another amount", []answer{lost}, []answer{okAnswer(listJSON(payoutJSON("p-1", "COMPLETED", 1), two))}, mismatch, 1},
		{"cannot be decrypted, found", []answer{accepted.under(strings.Repeat("ff", 32))}, []answer{both}, success, 1},
		{"cannot be decrypted, not found", []answer{accepted.under(strings.Repeat("ff", 32))}, []answer{none}, unknown, 3},
		{"a refusal that cannot be decrypted", []answer{refusal(400, "INVALID_REQUEST").under(strings.Repeat("ff", 32))}, []answer{none}, unknown, 3},
		{"refused", []answer{refusal(400, "INVALID_REQUEST")}, []answer{none}, refused, 2},
		{"refused, encrypted", []answer{refusal(403, "FORBIDDEN_SELLER_PAYOUT").sealed()}, []answer{none}, refused, 2},
		{"too little", []answer{refusal(400, "NOT_ENOUGH_AMOUNT").sealed()}, []answer{none}, refused, 2},
		{"unheard-of, not found", []answer{refusal(400, "OF_TOMORROW").sealed()}, []answer{none}, refused, 4},
		{"unheard-of, found", []answer{refusal(400, "OF_TOMORROW").sealed()}, []answer{both}, success, 1},
		{"refused, but found", []answer{refusal(400, "INVALID_REQUEST")}, []answer{both}, success, 1},
		{"keys refused", []answer{refusal(401, "UNAUTHORIZED_KEY")}, []answer{none}, unknown, 3},
		{"without a contract", []answer{refusal(403, "FORBIDDEN_REQUEST")}, []answer{refusal(403, "FORBIDDEN_REQUEST")}, unknown, 4},
		{"without a contract, but found", []answer{refusal(403, "FORBIDDEN_REQUEST")}, []answer{both}, success, 1},
		{"429", []answer{refusal(429, "TOO_MANY_REQUESTS")}, []answer{none}, unknown, 3},
		{"500", []answer{refusal(500, "COMMON_ERROR")}, []answer{none}, unknown, -1},
		{"an answer without payouts, found", []answer{none.sealed()}, []answer{both}, success, 1},
		{"an answer with one of two, found", []answer{okAnswer(listJSON(one)).sealed()}, []answer{both}, success, 1},
		{"lost, then refused, and no list", []answer{lost, refusal(400, "INVALID_REQUEST")}, []answer{{status: 200, body: `{"ok":true}`}}, unknown, -1},
		{"the answer of another batch", []answer{okAnswer(listJSON(payoutJSON("other", "REQUESTED", 1))).sealed()}, nil, mismatch, 0},
		{"an answer in another currency", []answer{okAnswer(listJSON(strings.Replace(one, "KRW", "USD", 1), two)).sealed()}, nil, mismatch, 0},
		{"an answer with another amount", []answer{okAnswer(listJSON(one, payoutJSON("p-2", "REQUESTED", 1))).sealed()}, nil, mismatch, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, posts, gets := clientOfPosts(t, row.posts, row.gets)
				batch := []payouts.PayoutRequest{scheduledRequest("p-1", "2026-03-10"), scheduledRequest("p-2", "2026-03-12")}
				got, err := client.RequestPayouts(t.Context(), batch)
				if row.looks >= 0 { // The pauses between attempts, and so between looks, are random.
					assert.Len(t, gets.seen, row.looks)
				}
				assertOneBatch(t, posts, gets)
				if row.want == success {
					require.NoError(t, err)
					assert.Equal(t, []string{"p-1", "p-2"}, refsOf(got), "in the order of the batch")
					return
				}
				require.ErrorContains(t, err, "request payouts: ")
				assert.Empty(t, got)
				assert.Equal(t, row.want, tosspayments.OutcomeOf(nil, err), "%v", err)
				if row.want == unknown {
					assertRepeatable(t, row.posts[len(row.posts)-1], err)
				}
				if row.want == mismatch {
					assert.Nil(t, tosspayments.PaymentOf(err))
				}
			})
		})
	}
}

// The key belongs to the payouts, in any order, unless the caller has one.
func TestBatchKeys(t *testing.T) {
	key := func(opts []tosspayments.CallOption, refs ...string) string {
		var rows []string
		var batch []payouts.PayoutRequest
		for _, ref := range refs {
			batch, rows = append(batch, expressRequest(ref)), append(rows, payoutJSON(ref, "IN_PROGRESS", 50000))
		}
		client, s := scriptedClient(t, okAnswer(listJSON(rows...)).sealed())
		_, err := client.RequestPayouts(t.Context(), batch, opts...)
		require.NoError(t, err)
		return s.seen[0].header.Get("Idempotency-Key")
	}
	one := key(nil, "a", "b")
	assert.Equal(t, one, key(nil, "b", "a"))
	assert.NotEqual(t, one, key(nil, "a", "c"))
	assert.NotEqual(t, one, key(nil, "a"))
	assert.Equal(t, "mine", key([]tosspayments.CallOption{tosspayments.WithIdempotencyKey("mine")}, "a", "b"))
}

func TestFindPayouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // It is 1 January 2000 in here.
		client, s := scriptedClient(t, okAnswer(listJSON(payoutJSON("p-1", "COMPLETED", 50000))))
		found, err := client.FindPayouts(t.Context(), []payouts.PayoutRequest{expressRequest("p-1")})
		require.NoError(t, err)
		require.Len(t, found, 1)
		assert.Equal(t, payouts.PayoutStatusCompleted, found[0].Status)
		assert.Equal(t, "limit=1000&payoutDateGte=1999-12-16&payoutDateLte=2000-01-11", s.seen[0].query)

		found, err = client.FindPayouts(t.Context(), []payouts.PayoutRequest{expressRequest("p-2")})
		require.NoError(t, err)
		assert.Empty(t, found)
		_, err = client.FindPayouts(t.Context(), []payouts.PayoutRequest{expressRequest("p-1"), expressRequest("p-2")})
		require.ErrorContains(t, err, "only 1 of its 2")
		other := expressRequest("p-1")
		other.Destination = "seller_2"
		_, err = client.FindPayouts(t.Context(), []payouts.PayoutRequest{other})
		require.ErrorIs(t, err, tosspayments.ErrForeignAnswer)
	})
}

// Two payouts with one RefPayoutID are for a person, and neither hides the rest of the batch.
func TestTwins(t *testing.T) {
	one, two := payoutJSON("p-1", "COMPLETED", 50000), payoutJSON("p-2", "COMPLETED", 50000)
	twin := strings.Replace(one, "FPA_p-1", "FPA_twin", 1)
	batch := []payouts.PayoutRequest{scheduledRequest("p-1", "2026-03-10"), scheduledRequest("p-2", "2026-03-10")}
	for _, rows := range [][]string{{one, twin, two}, {one, twin}} {
		client, _ := scriptedClient(t, okAnswer(listJSON(rows...)))
		_, err := client.FindPayouts(t.Context(), batch)
		require.ErrorContains(t, err, "of both FPA_p-1 and FPA_twin")
		require.ErrorIs(t, err, tosspayments.ErrForeignAnswer)
		client, _ = scriptedClient(t, okAnswer(listJSON(rows...)).sealed())
		_, err = client.RequestPayouts(t.Context(), batch)
		require.ErrorIs(t, err, tosspayments.ErrForeignAnswer)
	}
}

func TestCancelPayout(t *testing.T) {
	canceled, paid := okAnswer(payoutJSON("p-1", "CANCELED", 50000)), okAnswer(payoutJSON("p-1", "COMPLETED", 50000))
	requested, other := okAnswer(payoutJSON("p-1", "REQUESTED", 50000)), okAnswer(payoutJSON("other", "CANCELED", 50000))
	refused := refusal(400, "INVALID_REQUEST")
	for _, row := range []struct {
		name        string
		posts, gets []answer
		want        tosspayments.Outcome
	}{
		{"done", []answer{canceled}, nil, tosspayments.OutcomePaid},
		{"lost, repeated", []answer{lost, canceled}, nil, tosspayments.OutcomePaid},
		{"lost, done", []answer{lost}, []answer{canceled}, tosspayments.OutcomePaid},
		{"failed, looked at, repeated", []answer{{status: 500}, canceled}, []answer{requested}, tosspayments.OutcomePaid},
		{"lost, not done", []answer{lost}, []answer{requested}, tosspayments.OutcomeUnknown},
		{"lost, then refused, done", []answer{lost, refusal(400, "OF_TOMORROW")}, []answer{canceled}, tosspayments.OutcomePaid},
		{"refused, cancelled before", []answer{refusal(400, "INVALID_REQUEST")}, []answer{canceled}, tosspayments.OutcomePaid},
		{"too late", []answer{refusal(400, "INVALID_REQUEST")}, []answer{paid}, tosspayments.OutcomeRefused},
		{"too late, with an unheard-of code", []answer{refusal(400, "OF_TOMORROW")}, []answer{paid}, tosspayments.OutcomeRefused},
		{"answered as requested, done", []answer{requested}, []answer{canceled}, tosspayments.OutcomePaid},
		{"answered as requested, not done", []answer{requested}, []answer{requested}, tosspayments.OutcomeUnknown},
		{"the answer of another", []answer{other}, []answer{requested}, tosspayments.OutcomeMismatch},
		{"lost, and a look at another", []answer{lost}, []answer{other}, tosspayments.OutcomeUnknown},
		{"refused, maybe since it was cancelled before", []answer{refused}, []answer{lost}, tosspayments.OutcomeUnknown},
		{"the same, and the look has to wait", []answer{refused}, []answer{refusal(429, "TOO_MANY_REQUESTS")}, tosspayments.OutcomeUnknown},
		{"told to wait", []answer{refusal(429, "TOO_MANY_REQUESTS")}, []answer{requested}, tosspayments.OutcomeRefused},
		{"not found", []answer{refusal(404, "PAYOUT_NOT_FOUND")}, []answer{refusal(404, "PAYOUT_NOT_FOUND")}, tosspayments.OutcomeRefused},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, _, _ := clientOfPosts(t, row.posts, row.gets)
				payout, err := client.CancelPayout(t.Context(), "FPA_p-1")
				if row.want == tosspayments.OutcomePaid {
					require.NoError(t, err)
					assert.Equal(t, payouts.PayoutStatusCanceled, payout.Status)
					return
				}
				require.Error(t, err)
				assert.Nil(t, payout)
				assert.Equal(t, row.want, tosspayments.OutcomeOf(nil, err), "%v", err)
			})
		})
	}
}

// A server that has refused and then falls silent does not hold the caller for long.
func TestACancelThatIsRefusedLooksBriefly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _, _ := clientOfPosts(t, []answer{refusal(400, "INVALID_REQUEST")}, []answer{{err: lost.err, after: 7 * time.Second}})
		start := time.Now()
		_, err := client.CancelPayout(t.Context(), "FPA_p-1")
		require.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown)
		assert.LessOrEqual(t, time.Since(start), 15*time.Second)
		time.Sleep(time.Minute) // The server runs on its own.
	})
}

// A caller who has gone away is not told that nothing was cancelled, unless that was seen.
func TestACancelThatIsRefusedAfterTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	mock := httpmock.NewMockTransport()
	mock.RegisterNoResponder(func(*http.Request) (*http.Response, error) {
		cancel()
		return httpmock.NewStringResponse(400, refusal(400, "INVALID_REQUEST").body), nil
	})
	_, err := newClient(t, mock).CancelPayout(ctx, "FPA_p-1")
	require.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown)
}

func TestBatchesAreChecked(t *testing.T) {
	client, s := scriptedClient(t, answer{status: 500})
	check := func(field string, batch ...payouts.PayoutRequest) {
		t.Helper()
		_, err := client.RequestPayouts(t.Context(), batch)
		var wrong *tosspayments.ValidationError
		require.ErrorAs(t, err, &wrong)
		assert.Equal(t, field, wrong.Field)
		assert.Equal(t, tosspayments.OutcomeNotSent, tosspayments.OutcomeOf(nil, err))
		_, err = client.FindPayouts(t.Context(), batch)
		require.ErrorAs(t, err, &wrong)
		assert.Equal(t, tosspayments.OutcomeUnknown, tosspayments.OutcomeOf(nil, err), "it is a read")
	}
	change := func(f func(*payouts.PayoutRequest)) payouts.PayoutRequest {
		r := expressRequest("p-1")
		f(&r)
		return r
	}
	many := make([]payouts.PayoutRequest, 101)
	for i := range many {
		many[i] = expressRequest(fmt.Sprint("p-", i))
	}
	check("payouts")
	check("payouts", many...)
	check("refPayoutId", expressRequest("p-1"), expressRequest("p-1"))
	check("refPayoutId", expressRequest(""))
	check("refPayoutId", expressRequest(strings.Repeat("가", 51)))
	check("destination", change(func(r *payouts.PayoutRequest) { r.Destination = "" }))
	check("destination", change(func(r *payouts.PayoutRequest) { r.Destination = strings.Repeat("s", 36) }))
	check("scheduleType", change(func(r *payouts.PayoutRequest) { r.ScheduleType = "" }))
	check("payoutDate", change(func(r *payouts.PayoutRequest) { r.ScheduleType = payouts.ScheduleScheduled }))
	check("payoutDate", change(func(r *payouts.PayoutRequest) { r.PayoutDate = tosspayments.Date{Year: 2026, Month: 3, Day: 1} }))
	check("amount.currency", change(func(r *payouts.PayoutRequest) { r.Amount.Currency = "" }))
	for _, value := range []int64{0, -1, 1_000_000_000} {
		check("amount.value", change(func(r *payouts.PayoutRequest) { r.Amount = payouts.Won(value) }))
	}
	check("transactionDescription", change(func(r *payouts.PayoutRequest) { r.TransactionDescription = "" }))
	check("transactionDescription", change(func(r *payouts.PayoutRequest) { r.TransactionDescription = "여덟글자입니다." }))
	for _, metadata := range []tosspayments.Metadata{{"": "x"}, {"a[": "x"}, {strings.Repeat("k", 41): "x"}, {"k": strings.Repeat("v", 501)},
		{"a": "", "b": "", "c": "", "d": "", "e": "", "f": ""}} {
		check("metadata", change(func(r *payouts.PayoutRequest) { r.Metadata = metadata }))
	}
	assert.Empty(t, s.seen)
}

// The limits themselves are accepted.
func TestTheLargestBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, s := scriptedClient(t, lost)
		var batch []payouts.PayoutRequest
		for i := range 99 {
			batch = append(batch, expressRequest(fmt.Sprint("p-", i)))
		}
		last := expressRequest(strings.Repeat("가", 50))
		last.Amount, last.TransactionDescription = payouts.Won(999_999_999), "일곱글자예요!"
		last.Destination = strings.Repeat("s", 35)
		_, err := client.RequestPayouts(t.Context(), append(batch, last))
		require.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown)
		assert.NotEmpty(t, s.seen)
	})
}

func TestSellersAreChecked(t *testing.T) {
	client, s := scriptedClient(t, answer{status: 500})
	check := func(field string, f func(*payouts.RegisterSellerRequest)) {
		t.Helper()
		r := registrationRequest()
		r.Company = company()
		r.BusinessType = payouts.BusinessTypeCorporate
		f(&r)
		_, err := client.RegisterSeller(t.Context(), r)
		var wrong *tosspayments.ValidationError
		require.ErrorAs(t, err, &wrong, field)
		assert.Equal(t, field, wrong.Field)
	}
	check("refSellerId", func(r *payouts.RegisterSellerRequest) { r.RefSellerID = "" })
	check("refSellerId", func(r *payouts.RegisterSellerRequest) { r.RefSellerID = strings.Repeat("s", 21) })
	check("company", func(r *payouts.RegisterSellerRequest) { r.Company = nil })
	check("company", func(r *payouts.RegisterSellerRequest) { r.BusinessType = payouts.BusinessTypeIndividual })
	check("individual", func(r *payouts.RegisterSellerRequest) {
		r.BusinessType, r.Company, r.Individual = payouts.BusinessTypeIndividual, nil, nil
	})
	check("company.name", func(r *payouts.RegisterSellerRequest) { r.Company.Name = "" })
	check("company.representativeName", func(r *payouts.RegisterSellerRequest) { r.Company.RepresentativeName = sensitive("") })
	check("company.businessRegistrationNumber", func(r *payouts.RegisterSellerRequest) { r.Company.BusinessRegistrationNumber = "123-45-6789" })
	check("company.email", func(r *payouts.RegisterSellerRequest) { r.Company.Email = sensitive(strings.Repeat("e", 101)) })
	check("company.phone", func(r *payouts.RegisterSellerRequest) { r.Company.Phone = sensitive("02-123-4567") })
	check("individual.name", func(r *payouts.RegisterSellerRequest) { r.Individual.Name = sensitive("") })
	check("individual.email", func(r *payouts.RegisterSellerRequest) { r.Individual.Email = sensitive("") })
	check("individual.phone", func(r *payouts.RegisterSellerRequest) { r.Individual.Phone = sensitive("") })
	check("account.bankCode", func(r *payouts.RegisterSellerRequest) { r.Account.BankCode = "" })
	check("account.accountNumber", func(r *payouts.RegisterSellerRequest) { r.Account.AccountNumber = sensitive(strings.Repeat("1", 21)) })
	check("account.holderName", func(r *payouts.RegisterSellerRequest) { r.Account.HolderName = sensitive("") })
	check("metadata", func(r *payouts.RegisterSellerRequest) { r.Metadata = tosspayments.Metadata{"[": ""} })
	assert.Empty(t, s.seen)
}

// A search reads page after page, and stops when it has all.
func TestSearchesReadAllPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var first []string
		for i := range 3 {
			first = append(first, payoutJSON(fmt.Sprint("x-", i), "COMPLETED", 1))
		}
		page := okAnswer(strings.Replace(listJSON(first...), `"hasNext":false`, `"hasNext":true`, 1))
		client, _, gets := clientOfPosts(t, []answer{lost}, []answer{page, okAnswer(listJSON(payoutJSON("p-1", "IN_PROGRESS", 50000)))})
		start := time.Now()
		got, err := client.RequestPayouts(t.Context(), []payouts.PayoutRequest{expressRequest("p-1")})
		require.NoError(t, err)
		assert.Len(t, got, 1)
		assert.Contains(t, gets.seen[1].query, "startingAfter=FPA_x-2")
		assert.Less(t, time.Since(start), 10*time.Second)
	})
}

// A caller who goes away still learns the outcome, if one look tells.
func TestRequestPayoutsAfterTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		mock := httpmock.NewMockTransport()
		gets := &server{answers: []answer{okAnswer(listJSON(payoutJSON("p-1", "IN_PROGRESS", 50000)))}}
		mock.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodGet {
				return gets.respond(r)
			}
			cancel()
			return nil, r.Context().Err()
		})
		got, err := newClient(t, mock).RequestPayouts(ctx, []payouts.PayoutRequest{expressRequest("p-1")})
		require.NoError(t, err)
		assert.Len(t, got, 1)
	})
}
