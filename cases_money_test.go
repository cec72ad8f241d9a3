package tosspayments_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
)

// The tests of this file are single sequences of faults that TestModel takes among many,
// each as a plain story, and what the model cannot express.

// client makes one process of the merchant.
func (s *modelShop) client(opts ...tosspayments.Option) *tosspayments.Client {
	return s.clientWith(modelSecret, opts...)
}

func (s *modelShop) clientWith(secret string, opts ...tosspayments.Option) *tosspayments.Client {
	s.Helper()
	client, err := tosspayments.New(secret, append([]tosspayments.Option{tosspayments.WithHTTPClient(&http.Client{Transport: s.modelServer})}, opts...)...)
	require.NoError(s, err)
	return client
}

// landIn lets what is running take its effect after a while.
func (s *modelShop) landIn(d time.Duration) {
	time.AfterFunc(d, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.settle(afterAll)
	})
}

func (s *modelShop) count(method string) (n int) {
	for _, m := range s.asked {
		if m == method {
			n++
		}
	}
	return n
}

// say makes the call of an operation, and returns what it means.
func say(ctx context.Context, op *modelOp, c *tosspayments.Client, opts ...tosspayments.CallOption) (tosspayments.Outcome, error) {
	payment, err := op.call(ctx, c, &modelRun{pin: modelTotal}, opts...)
	if err == nil && op.kind != "approval" {
		return tosspayments.OutcomePaid, nil // of a refund: it happened
	}
	return tosspayments.OutcomeOf(payment, err), err
}

// story runs a test whose time is its own.
func story(t *testing.T, name string, f func(*testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

func madeByOrder() []*modelOp { return []*modelOp{chargeModel(), keyInModel(), accountModel()} }

// A charge is still running when the lookup finds an older, ABORTED attempt of its order.
func TestAnAbortedPaymentOfTheOrderDecidesNothing(t *testing.T) {
	for _, op := range madeByOrder() {
		story(t, op.name, func(t *testing.T) {
			s := newModelShop(t, modelRules{runsLong: true}, op.world, withPayments(modelWindow("pay-old", "ABORTED")))
			s.with("runs-504-call").landIn(5 * time.Second)
			outcome, err := say(t.Context(), op, s.client())
			require.NoError(t, err)
			assert.Contains(t, []tosspayments.Outcome{tosspayments.OutcomePaid, tosspayments.OutcomeWaiting}, outcome)
			assert.Len(t, s.effects, 1)
		})
		story(t, op.name+", sent once", func(t *testing.T) {
			s := newModelShop(t, modelRules{runsLong: true}, op.world, withPayments(modelWindow("pay-old", "EXPIRED")))
			s.with("runs-504-call")
			outcome, err := say(t.Context(), op, s.client(tosspayments.WithMaxRetries(0)))
			assert.Equal(t, tosspayments.OutcomeUnknown, outcome, "%v", err)
		})
	}
}

// A refund is told to wait, while another one like it has happened: it is not that one.
func TestARefundThatWasToldToWaitIsNotItsTwin(t *testing.T) {
	for _, answer := range []string{"429", "often", "often-kept", "busy"} {
		for _, op := range []*modelOp{partModel(), bareModel()} {
			story(t, op.name+" "+answer, func(t *testing.T) {
				s := newModelShop(t, modelRules{marksReplays: true}, op.world)
				op.rivals["alike"](s.modelServer)
				s.with(answer, answer, answer)
				if answer == "often-kept" {
					s.with(answer) // the server repeats it
				}
				outcome, err := say(t.Context(), op, s.client())
				require.Error(t, err)
				assert.Contains(t, []tosspayments.Outcome{tosspayments.OutcomeUnknown, tosspayments.OutcomeRefused}, outcome)
				assert.Len(t, s.effects, 1)
			})
		}
	}
}

// Four workers refund the same at once, without a RefundID: one of them has done it.
func TestFourWorkersRefundOnce(t *testing.T) {
	for _, op := range []*modelOp{partModel(), bareModel()} {
		story(t, op.name, func(t *testing.T) {
			s := newModelShop(t, modelRules{}, op.world)
			s.with("429", "often")
			client := s.client()
			var mu sync.Mutex
			var wait sync.WaitGroup
			done := 0
			for range 4 {
				wait.Go(func() {
					if _, err := say(t.Context(), op, client); err == nil {
						mu.Lock()
						done++
						mu.Unlock()
					}
				})
			}
			wait.Wait()
			assert.Len(t, s.effects, 1)
			want := 1
			if op.refundID {
				want = 4 // all of them ask for the same refund
			}
			assert.Equal(t, want, done)
		})
	}
}

// The secret key is replaced between two calls for one refund: its old key is unknown to
// the server, and the balance and the RefundID keep it from happening again.
func TestARefundUnderAnotherSecretKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := partModel()
		s := newModelShop(t, modelRules{}, op.world)
		old, rolled := s.client(tosspayments.WithMaxRetries(0), tosspayments.WithLookupGrace(0)), s.clientWith(modelRolled)
		outcome, err := say(t.Context(), op, old)
		require.NoError(t, err)
		assert.Equal(t, tosspayments.OutcomePaid, outcome)
		_, err = say(t.Context(), op, rolled)
		require.NoError(t, err)
		assert.Len(t, s.effects, 1)
		assert.NotEqual(t, old.KeyID(), rolled.KeyID())
	})
}

// The first call of a refund has ended unknown; its effect lands; the next call knows that
// an earlier one may have had it.
func TestARefundThatLandsBetweenTwoCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := partModel()
		s := newModelShop(t, modelRules{runsLong: true}, op.world)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		outcome, err := say(ctx, op, s.with("runs-504-call", "429").client())
		assert.Equal(t, tosspayments.OutcomeUnknown, outcome, "%v", err)
		s.settle(afterAll)
		_, err = say(t.Context(), op, s.client())
		require.NoError(t, err)
		assert.Len(t, s.effects, 1)
	})
}

// It happened, and the process died. The job that makes the call again is not let in, or
// has no network: that says nothing of the first call.
func TestAJobThatIsNotLetInKnowsNothing(t *testing.T) {
	for _, op := range []*modelOp{
		confirmModel(), brandPayModel(), chargeModel(), keyInModel(), accountModel(), cancelModel(), partModel(), issueModel(), transferModel(),
	} {
		for _, fault := range []string{"401", "dial"} {
			story(t, op.name+" "+fault, func(t *testing.T) {
				s := newModelShop(t, modelRules{}, op.world)
				var opts []tosspayments.CallOption
				if op.keyed {
					opts = append(opts, tosspayments.WithIdempotencyKey("stored"))
				}
				_, err := say(t.Context(), op, s.client(), opts...)
				require.NoError(t, err)
				s.always(fault, map[string]string{"401": "get:401", "dial": "dial"}[fault])
				outcome, err := say(t.Context(), op, s.client(), opts...)
				require.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown)
				assert.Equal(t, tosspayments.OutcomeUnknown, outcome)
				assert.NotErrorIs(t, err, tosspayments.ErrNotSent)
			})
		}
	}
}

// net/http sends the request twice; the server did the first one and forgot it.
func TestARequestThatWasSentTwice(t *testing.T) {
	for _, op := range []*modelOp{confirmModel(), chargeModel(), keyInModel(), accountModel(), cancelModel(), partModel(), bareModel()} {
		story(t, op.name, func(t *testing.T) {
			s := newModelShop(t, modelRules{}, op.world)
			s.with("twice-crash")
			_, err := say(t.Context(), op, s.client())
			require.NoError(t, err)
			assert.Len(t, s.effects, 1)
		})
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A transport that is not traced, and a request without a body, may have been sent.
func TestWithoutATraceItMayHaveBeenSent(t *testing.T) {
	dies := roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.Body != nil {
			_, _ = io.Copy(io.Discard, r.Body)
		}
		return nil, &net.OpError{Op: "dial", Err: errors.New("connection reset")}
	})
	registered := &http.Transport{TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{}}
	registered.RegisterProtocol("https", dies)
	for name, transport := range map[string]http.RoundTripper{"wrapped": dies, "registered": registered} {
		story(t, name, func(t *testing.T) {
			client, err := tosspayments.New(modelSecret, tosspayments.WithHTTPClient(&http.Client{Transport: transport}), tosspayments.WithMaxRetries(0))
			require.NoError(t, err)
			outcome, err := say(t.Context(), confirmModel(), client)
			assert.Equal(t, tosspayments.OutcomeUnknown, outcome)
			assert.NotErrorIs(t, err, tosspayments.ErrNotSent)
			err = client.DeleteBillingKey(t.Context(), tosspayments.NewBillingKey("billing-1", modelBuyer))
			assert.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown)
			err = client.Do(t.Context(), tosspayments.Request{Method: http.MethodPost, Path: "/v1/transfers"}, nil)
			assert.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown)
		})
	}
}

// The first DELETE has reached the server, the second cannot connect.
func TestADeletionThatMayHaveBeenSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := deleteModel()
		s := newModelShop(t, modelRules{}, op.world)
		outcome, err := say(t.Context(), op, s.with("done-lost", "dial", "dial").client())
		assert.Equal(t, tosspayments.OutcomeUnknown, outcome)
		assert.NotErrorIs(t, err, tosspayments.ErrNotSent)
		assert.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown)
	})
}

// Whatever is not a read may have changed something.
func TestOnlyReadsLeaveNothingInDoubt(t *testing.T) {
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		story(t, method, func(t *testing.T) {
			s := newModelShop(t, modelRules{})
			err := s.always("lost", "").client().Do(t.Context(), tosspayments.Request{Method: method, Path: "/v1/things", Body: map[string]any{"a": 1}}, nil)
			assert.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown)
			want := map[string]int{http.MethodPost: 3, http.MethodDelete: 3, http.MethodPut: 1, http.MethodPatch: 1}[method]
			assert.Len(t, s.asked, want, "PUT and PATCH are not sent again")
		})
	}
}

// A dial that takes its time, DUPLICATED_ORDER_ID, and lookups that hang: all of it within
// the time of the call.
func TestADuplicateIsLookedUpWithinTheTimeOfTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := chargeModel()
		s := newModelShop(t, modelRules{}, op.world)
		op.rivals["charges"](s.modelServer)
		slow := roundTripper(func(r *http.Request) (*http.Response, error) {
			if len(s.asked) == 0 {
				s.asked = append(s.asked, "dial")
				time.Sleep(24 * time.Second)
				return nil, errModelDial
			}
			return s.RoundTrip(r)
		})
		client, err := tosspayments.New(modelSecret, tosspayments.WithHTTPClient(&http.Client{Transport: slow}))
		require.NoError(t, err)
		s.always("", "get:hang")
		start := time.Now()
		outcome, err := say(t.Context(), op, client)
		assert.Equal(t, tosspayments.OutcomeUnknown, outcome, "%v", err)
		assert.LessOrEqual(t, time.Since(start), 60*time.Second)
	})
}

// The order was charged by an earlier call, whatever the clocks say: it is the same charge.
func TestTheClockDoesNotDecideWhoseChargeItIs(t *testing.T) {
	for _, op := range madeByOrder() {
		for _, requested := range []string{"2019-01-01T00:00:00+09:00", "2031-01-01T00:00:00+09:00"} {
			story(t, op.name+" "+requested[:4], func(t *testing.T) {
				s := newModelShop(t, modelRules{}, op.world)
				_, err := say(t.Context(), op, s.client())
				require.NoError(t, err)
				s.payments[0].RequestedAt = requested
				outcome, err := say(t.Context(), op, s.with("lost").client())
				require.NoError(t, err)
				assert.Contains(t, []tosspayments.Outcome{tosspayments.OutcomePaid, tosspayments.OutcomeWaiting}, outcome)
				assert.Len(t, s.effects, 1)
			})
		}
	}
}

// What decides nothing takes seconds, and a handful of lookups, also with a day of time.
func TestWhatDecidesNothingEndsSoon(t *testing.T) {
	for _, op := range []*modelOp{confirmModel(), chargeModel(), cancelModel(), partModel()} {
		for _, name := range []string{"redirect", "html-404", "html-502", "new-code", "provider", "500", "foreign-200"} {
			story(t, op.name+" "+name, func(t *testing.T) {
				s := newModelShop(t, modelRules{keeps5xx: true}, op.world)
				s.always(name, "")
				for _, limit := range []time.Duration{0, 24 * time.Hour} {
					ctx, cancel := t.Context(), context.CancelFunc(func() {})
					if limit > 0 {
						ctx, cancel = context.WithTimeout(ctx, limit)
					}
					s.asked = nil
					start := time.Now()
					outcome, err := say(ctx, op, s.client())
					cancel()
					assert.Equal(t, tosspayments.OutcomeUnknown, outcome, "%v", err)
					assert.LessOrEqual(t, time.Since(start), 15*time.Second)
					assert.LessOrEqual(t, s.count(http.MethodGet), 8)
				}
			})
		}
	}
}

// Nothing of a call outlives its context by more than the grace, however much hangs.
func TestNothingOutlivesTheGrace(t *testing.T) {
	for _, op := range []*modelOp{confirmModel(), chargeModel(), cancelModel(), partModel(), bareModel()} {
		for _, grace := range []time.Duration{0, 5 * time.Second} {
			story(t, op.name+" "+grace.String(), func(t *testing.T) {
				s := newModelShop(t, modelRules{}, op.world)
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(3*time.Second, cancel)
				start := time.Now()
				outcome, err := say(ctx, op, s.always("hang", "get:hang").client(tosspayments.WithLookupGrace(grace)))
				assert.Equal(t, tosspayments.OutcomeUnknown, outcome, "%v", err)
				assert.Equal(t, 3*time.Second+grace, time.Since(start))
			})
		}
	}
}

// A lost attempt, and then a refusal under its key: two lookups, and it is believed.
func TestARefusalAfterALostAttempt(t *testing.T) {
	for _, op := range []*modelOp{confirmModel(), chargeModel(), keyInModel(), accountModel(), cancelModel(), partModel(), bareModel()} {
		story(t, op.name, func(t *testing.T) {
			s := newModelShop(t, modelRules{}, op.world)
			s.with("lost", "invalid")
			start := time.Now()
			outcome, err := say(t.Context(), op, s.client())
			assert.Equal(t, tosspayments.OutcomeRefused, outcome)
			assert.ErrorIs(t, err, tosspayments.ErrInvalidRequest)
			assert.Less(t, time.Since(start), 5*time.Second)
			assert.LessOrEqual(t, s.count(http.MethodGet), 3)
		})
	}
}

// A cancelled payment whose cancels are null is cancelled.
func TestACancelWithoutCancels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := cancelModel()
		s := newModelShop(t, modelRules{}, op.world)
		s.choose = func(_ *modelServer, q *modelRequest) *modelFault {
			s.asked = append(s.asked, q.method)
			return &modelFault{act: spoils(func(a modelAnswer) modelAnswer {
				head, _, _ := strings.Cut(a.body, `"cancels":`)
				a.body = head + `"cancels":null}`
				return a
			})}
		}
		outcome, err := say(t.Context(), op, s.client())
		require.NoError(t, err)
		assert.Equal(t, tosspayments.OutcomePaid, outcome)
		assert.Equal(t, []string{"POST"}, s.asked)
	})
}

// A refund that is told to wait, or is still running, is asked for again under its key
// while time lasts.
func TestARefundWaitsForItsAnswer(t *testing.T) {
	for _, op := range []*modelOp{partModel(), bareModel()} {
		story(t, op.name+" 429", func(t *testing.T) {
			s := newModelShop(t, modelRules{}, op.world)
			s.with("429")
			_, err := say(t.Context(), op, s.client())
			require.NoError(t, err)
			assert.Len(t, s.effects, 1)
		})
		story(t, op.name+" running", func(t *testing.T) {
			s := newModelShop(t, modelRules{runsLong: true}, op.world)
			s.with("runs-lost-all")
			s.landIn(10 * time.Second)
			start := time.Now()
			_, err := say(t.Context(), op, s.client())
			require.NoError(t, err)
			assert.Len(t, s.effects, 1)
			assert.Less(t, time.Since(start), 12*time.Second)
		})
	}
}

// A refund is running, as the server says, when another one changes the balance: the server
// may have compared the balance before, so that the refund may still happen.
func TestARunningRefundIsNotRefused(t *testing.T) {
	for _, op := range []*modelOp{partModel(), bareModel()} {
		story(t, op.name, func(t *testing.T) {
			s := newModelShop(t, modelRules{runsLong: true, unguarded: true}, op.world)
			s.with("runs-lost-all")
			time.AfterFunc(100*time.Millisecond, func() {
				s.mu.Lock()
				defer s.mu.Unlock()
				op.rivals["cancels"](s.modelServer)
			})
			outcome, err := say(t.Context(), op, s.client())
			assert.Equal(t, tosspayments.OutcomeUnknown, outcome, "%v", err)
		})
	}
}

// A server that asks to wait for an hour gets its wish at once.
func TestAnHourIsNotWaitedFor(t *testing.T) {
	for _, op := range []*modelOp{confirmModel(), chargeModel(), cancelModel(), partModel()} {
		story(t, op.name, func(t *testing.T) {
			s := newModelShop(t, modelRules{}, op.world)
			s.with("429-hour")
			start := time.Now()
			outcome, err := say(t.Context(), op, s.client())
			assert.Less(t, time.Since(start), 10*time.Second)
			assert.Empty(t, s.effects)
			assert.Equal(t, 1, s.count(http.MethodPost))
			assert.NotEqual(t, tosspayments.OutcomePaid, outcome)
			var refused *tosspayments.Error
			var unknown *tosspayments.OutcomeUnknownError
			if errors.As(err, &unknown) {
				refused = unknown.LastAnswer
			} else {
				require.ErrorAs(t, err, &refused)
			}
			assert.Equal(t, time.Hour, refused.RetryAfter)
		})
	}
}

// A 500 that the server keeps for the key has a way out, and it happens once.
func TestAStored500HasAWayOut(t *testing.T) {
	for _, op := range []*modelOp{confirmModel(), chargeModel(), cancelModel(), partModel()} {
		for _, marked := range []bool{true, false} {
			story(t, op.name, func(t *testing.T) {
				s := newModelShop(t, modelRules{keeps5xx: true, marksReplays: marked}, op.world)
				s.with("500")
				outcome, err := say(t.Context(), op, s.client(tosspayments.WithMaxRetries(0)))
				for range 3 {
					if outcome != tosspayments.OutcomeUnknown {
						break
					}
					var unknown *tosspayments.OutcomeUnknownError
					require.ErrorAs(t, err, &unknown)
					require.True(t, unknown.Repeatable)
					var opts []tosspayments.CallOption
					if op.keyed {
						opts = append(opts, tosspayments.WithIdempotencyKey(unknown.IdempotencyKey))
					}
					outcome, err = say(t.Context(), op, s.client(), opts...)
				}
				require.NoError(t, err)
				assert.Len(t, s.effects, 1)
			})
		}
	}
}

// A round tripper that changes a header in place changes one request, and no later one.
func TestARoundTripperChangesOneRequest(t *testing.T) {
	op := confirmModel()
	s := newModelShop(t, modelRules{}, op.world)
	var sent []string
	changes := roundTripper(func(r *http.Request) (*http.Response, error) {
		for _, name := range []string{"Authorization", "Content-Type", "User-Agent"} {
			if values := r.Header[name]; len(values) > 0 {
				sent = append(sent, values[0])
				values[0] = "changed"
			}
		}
		r.Header["Authorization"][0] = s.secrets[0]
		r.URL.RawQuery = ""
		response, err := s.RoundTrip(r)
		r.Header["Authorization"][0] = "changed"
		return response, err
	})
	client, err := tosspayments.New(modelSecret, tosspayments.WithHTTPClient(&http.Client{Transport: changes}))
	require.NoError(t, err)
	for range 2 {
		_, err := say(t.Context(), op, client)
		require.NoError(t, err)
	}
	assert.NotContains(t, sent, "changed")
	assert.Equal(t, s.secrets[0], sent[0])
}

// The address of a proxy keeps its escaped path.
func TestABaseURLKeepsItsPath(t *testing.T) {
	var path string
	records := roundTripper(func(r *http.Request) (*http.Response, error) {
		path = r.URL.EscapedPath()
		return nil, errModelLost
	})
	client, err := tosspayments.New(modelSecret, tosspayments.WithBaseURL("https://proxy.example/a%2Fb"), tosspayments.WithMaxRetries(0),
		tosspayments.WithHTTPClient(&http.Client{Transport: records}))
	require.NoError(t, err)
	_, err = client.GetPayment(t.Context(), "pay/1")
	require.Error(t, err)
	assert.Equal(t, "/a%2Fb/v1/payments/pay%2F1", path)
}

// The month's payment was refunded since: charging it again says so, and gives no access.
func TestADuplicateThatWasRefundedIsCanceled(t *testing.T) {
	for _, op := range madeByOrder() {
		story(t, op.name, func(t *testing.T) {
			s := newModelShop(t, modelRules{}, op.world)
			_, err := say(t.Context(), op, s.client())
			require.NoError(t, err)
			by("/v1/payments/"+s.payments[0].PaymentKey+"/cancel", modelBody{CancelReason: "refund"})(s.modelServer)
			outcome, err := say(t.Context(), op, s.client())
			assert.Equal(t, tosspayments.OutcomeCanceled, outcome, "%v", err)
			assert.NotNil(t, tosspayments.PaymentOf(err))
		})
	}
}

// The order is charged, and the lookup fails: that says nothing of the order.
func TestTheErrorOfAReadSaysNothing(t *testing.T) {
	for _, op := range []*modelOp{confirmModel(), chargeModel()} {
		for _, fault := range []string{"get:401", "get:500", "get:404", "get:429", "get:lost", "get:foreign", "dial"} {
			story(t, op.name+" "+fault, func(t *testing.T) {
				s := newModelShop(t, modelRules{}, op.world)
				_, err := say(t.Context(), op, s.client())
				require.NoError(t, err)
				s.always("", fault)
				for _, resolve := range op.resolve {
					payment, err := resolve(t.Context(), s.client())
					require.Error(t, err)
					assert.Equal(t, tosspayments.OutcomeUnknown, tosspayments.OutcomeOf(payment, err))
				}
				payment, err := s.client().GetPaymentByOrderID(t.Context(), modelOrder)
				assert.Equal(t, tosspayments.OutcomeUnknown, tosspayments.OutcomeOf(payment, err))
				payment, err = s.client().GetPayment(t.Context(), "pay-1")
				assert.Equal(t, tosspayments.OutcomeUnknown, tosspayments.OutcomeOf(payment, err))
			})
		}
	}
}

// The order is paid, and the EXPIRED event of its older window arrives.
func TestTheEventOfAnOlderWindowIsNoVerdict(t *testing.T) {
	for _, status := range []tosspayments.PaymentStatus{tosspayments.PaymentStatusExpired, tosspayments.PaymentStatusAborted} {
		older := &tosspayments.Payment{
			PaymentKey: "pay-old", OrderID: modelOrder, TotalAmount: tosspayments.Won(modelTotal), Currency: "KRW", Status: status,
		}
		payment, err := modelConfirmRequest.Check(older)
		require.Error(t, err)
		assert.Equal(t, tosspayments.OutcomeUnknown, tosspayments.OutcomeOf(payment, err))
	}
}

// The month is charged; a second run gets the payment that stands.
func TestASecondRunOfTheMonth(t *testing.T) {
	for _, op := range madeByOrder() {
		story(t, op.name, func(t *testing.T) {
			s := newModelShop(t, modelRules{}, op.world)
			first, err := op.call(t.Context(), s.client(), nil)
			require.NoError(t, err)
			second, err := op.call(t.Context(), s.client(), nil)
			require.NoError(t, err)
			assert.Equal(t, first.PaymentKey, second.PaymentKey)
			assert.Len(t, s.effects, 1)
		})
	}
	story(t, "of another amount", func(t *testing.T) {
		op := chargeModel()
		other := modelWindow("pay-other", "DONE")
		other.TotalAmount, other.BalanceAmount = 500, 500
		s := newModelShop(t, modelRules{}, op.world, withPayments(other))
		outcome, err := say(t.Context(), op, s.client())
		assert.Equal(t, tosspayments.OutcomeMismatch, outcome, "%v", err)
		assert.Equal(t, tosspayments.Won(500), tosspayments.PaymentOf(err).TotalAmount)
	})
	story(t, "when only an aborted one can be read", func(t *testing.T) {
		op := chargeModel()
		s := newModelShop(t, modelRules{}, op.world)
		op.rivals["charges"](s.modelServer)
		s.old = []modelPayment{modelWindow("pay-old", "ABORTED")}
		outcome, err := say(t.Context(), op, s.always("", "get:stale").client())
		assert.Equal(t, tosspayments.OutcomeUnknown, outcome, "%v", err)
	})
}

// A refund is refused: that says nothing of the order, which stays paid.
func TestARefusedRefundLeavesTheOrderPaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := partModel()
		s := newModelShop(t, modelRules{}, op.world)
		outcome, err := say(t.Context(), op, s.with("reject").client())
		assert.Equal(t, tosspayments.OutcomeRefused, outcome)
		assert.ErrorIs(t, err, tosspayments.ErrRefundRejected)
		payment, err := s.client().ResolvePayment(t.Context(), modelConfirmRequest)
		require.NoError(t, err)
		assert.Equal(t, tosspayments.OutcomePaid, payment.Outcome())
	})
}

// A balance that was never loaded is 0: nothing is sent.
func TestARefundNeedsTheBalance(t *testing.T) {
	s := newModelShop(t, modelRules{}, partModel().world)
	for _, id := range []string{"refund-1", ""} {
		_, err := s.client().CancelPaymentPartially(t.Context(), "pay-1", tosspayments.PartialCancelRequest{
			CancelReason: "changed mind", CancelAmount: tosspayments.Won(modelPart), RefundID: id,
		})
		var invalid *tosspayments.ValidationError
		require.ErrorAs(t, err, &invalid)
		assert.Equal(t, "refundableAmount", invalid.Field)
		assert.ErrorIs(t, err, tosspayments.ErrNotSent)
	}
	assert.Empty(t, s.asked)
	_, err := s.client().CancelPaymentPartially(t.Context(), "pay-1", tosspayments.PartialCancelRequest{
		CancelReason: "changed mind", CancelAmount: tosspayments.Won(modelPart), RefundableAmount: tosspayments.Won(modelTotal),
	}, tosspayments.WithIdempotencyKey("mine"))
	assert.ErrorIs(t, err, tosspayments.ErrNotSent, "without a RefundID a key does not identify it")
	assert.False(t, slices.Contains(s.asked, http.MethodPost))
}
