package recipes

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/seed238ab19c/tosspayments"
)

// silent is a Toss Payments that never answers.
func silent(request *http.Request) (*http.Response, error) {
	<-request.Context().Done()
	return nil, request.Context().Err()
}

func TestAConfirmEndsBeforeTheLoadBalancerDoes(t *testing.T) {
	quietly(t, func(t *testing.T, s *stand) {
		client, mock := mocked(t)
		mock.RegisterNoResponder(silent)
		s.Toss = client
		began := time.Now()
		s.confirm()
		assert.Equal(t, "confirming", s.order().State)
		assert.Less(t, time.Since(began), NewServer(nil).WriteTimeout)
		assert.Greater(t, time.Since(began), 24*time.Second, "the whole time is used")
	})
}

func TestAConfirmEndsWithinTheLimitOfAGateway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, mock := mocked(t)
		mock.RegisterNoResponder(silent)
		began := time.Now()
		payment, err := ConfirmWithin(t.Context(), client, 29*time.Second, ticketRequest)
		assert.Equal(t, tosspayments.OutcomeUnknown, tosspayments.OutcomeOf(payment, err))
		assert.Less(t, time.Since(began), 29*time.Second)
		assert.Greater(t, time.Since(began), 20*time.Second, "the whole time is used")
	})
}
