package tosspayments

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestFind(t *testing.T) {
	confirm, part := &plan{shared: true}, &plan{}
	for _, row := range []struct {
		status int
		code   ErrorCode
		shared finding
		part   finding
	}{
		{403, ErrRejectCardCompany, refused, refused},
		{400, ErrInvalidRequest, refused, refused},
		{404, ErrNotFoundPaymentSession, refused, refused},
		{400, ErrRefundRejected, refused, refused},
		{401, ErrUnauthorizedKey, aside, aside},
		{403, ErrForbiddenRequest, aside, aside},
		{400, ErrAlreadyRemovedBillingKey, refused, refused},
		{400, ErrAlreadyProcessedPayment, already, aside},
		{400, ErrDuplicatedOrderID, already, aside},
		{400, ErrAlreadyCanceledPayment, already, aside},
		{403, ErrNotCancelableAmount, spent, spent},
		{400, ErrNotMatchesRefundableAmount, spent, spent},
		{400, ErrAlreadyProcessingRequest, unclear, wait},
		{403, ErrForbiddenConsecutiveRequest, busy, busy},
		{403, ErrNotAvailableBank, wait, wait},
		{429, "", busy, busy},
		{429, ErrTooManyRequests, busy, busy},
		{400, ErrProviderError, unclear, unclear},
		{400, "OF_TOMORROW", unclear, unclear},
		{500, ErrCommonError, unclear, unclear},
		{500, ErrRejectCardCompany, unclear, unclear},
		{502, "", unclear, unclear},
		{400, "", opaque, opaque},
		{302, "", opaque, opaque},
		{302, ErrRejectCardCompany, opaque, opaque},
		{409, ErrIdempotentRequestProcessing, running, running},
		{409, "", running, running},
		{409, ErrRejectCardCompany, refused, refused},
	} {
		a := &answer{status: row.status}
		assert.Equal(t, row.shared, confirm.find(a, row.code), "%d %s, shared", row.status, row.code)
		assert.Equal(t, row.part, part.find(a, row.code), "%d %s, a part", row.status, row.code)
	}
	cut := errors.New("cut off")
	assert.Equal(t, lost, confirm.find(&answer{status: 403, err: cut}, ErrRejectCardCompany))
	assert.Equal(t, lost, confirm.find(&answer{err: cut}, ""))
	assert.Equal(t, notSent, confirm.find(&answer{err: cut, notSent: true}, ""))
}

func TestNext(t *testing.T) {
	judge := func(*Payment, origin) (view, error) { return blurred, nil }
	shared, part, blind := &plan{shared: true, judge: judge}, &plan{judge: judge}, &plan{}
	for _, row := range []struct {
		f             finding
		p             *plan
		mayRepeat     bool
		first, doubts action
	}{
		{lost, shared, true, again, again},
		{running, part, true, again, again},
		{notSent, part, true, again, again},
		{busy, part, true, again, again},
		{notSent, part, false, finish, lookOut},
		{busy, part, false, finish, lookOut},
		{busy, shared, false, lookThenFinish, lookOut},
		{notSent, shared, false, finish, lookOut},
		{wait, shared, true, lookThenFinish, lookThenGoOn},
		{wait, part, true, finish, lookThenGoOn},
		{spent, shared, true, lookThenFinish, lookOut},
		{spent, part, true, finish, lookOut},
		{unclear, shared, true, lookThenGoOn, lookThenGoOn},
		{already, shared, true, lookOut, lookOut},
		{aside, shared, true, finish, lookOut},
		{aside, blind, true, finish, lookOut},
		{refused, shared, true, finish, lookTwiceThenFinish},
		{refused, blind, true, finish, lookTwiceThenFinish},
	} {
		assert.Equal(t, row.first, next(known{}, row.f, row.p, row.mayRepeat), "%d, %v", row.f, row.p)
		assert.Equal(t, row.doubts, next(known{lost: true}, row.f, row.p, row.mayRepeat), "%d, %v after a doubt", row.f, row.p)
	}
}

func TestNextOfWhatIsKnown(t *testing.T) {
	shared := &plan{shared: true, judge: func(*Payment, origin) (view, error) { return blurred, nil }}
	blind, registration := &plan{}, &plan{movesNothing: true}
	for _, row := range []struct {
		known     known
		f         finding
		p         *plan
		mayRepeat bool
		want      action
	}{
		// Lost and running set the doubt by themselves.
		{known{lost: true}, lost, shared, false, lookOut},
		{known{lost: true}, running, blind, false, lookOut},
		// Somebody in between will say the same again.
		{known{lost: true}, opaque, shared, true, lookOut},
		{known{earlier: true}, refused, registration, true, finish},
		{known{earlier: true, lost: true}, refused, registration, true, lookTwiceThenFinish},
		{known{told: true}, notSent, shared, false, lookThenFinish},
	} {
		assert.Equal(t, row.want, next(row.known, row.f, row.p, row.mayRepeat), "%+v, %d, %v", row.known, row.f, row.p)
	}
}

func TestAfterLook(t *testing.T) {
	for _, row := range []struct {
		k                known
		quiet, mayRepeat bool
		want             action
	}{
		{known{useless: 1}, true, true, again},
		{known{useless: 1}, true, false, lookOut},
		{known{useless: 1, earlier: true}, true, false, again},
		{known{useless: 1, earlier: true}, false, false, lookOut},
		{known{useless: 2, exhausted: true}, true, false, renew},
		{known{useless: 2, exhausted: true}, false, false, lookOut},
		{known{useless: 2, exhausted: true}, false, true, again},
		{known{useless: 2, exhausted: true, renewed: true}, true, true, lookOut},
		{known{useless: 1, renewed: true}, true, true, lookOut},
		{known{renewed: true}, true, true, again},
		{known{}, false, true, again},
	} {
		assert.Equal(t, row.want, afterLook(row.k, row.quiet, row.mayRepeat), "%+v", row)
	}
}
