package tosspayments_test

import (
	"flag"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed238ab19c/tosspayments"
)

var (
	modelDepth  = flag.Int("model.depth", 1, "how many faults deep every scenario of TestModel goes; 0: two where the server is plain, one elsewhere")
	modelReplay = flag.String("model.replay", "", "one path for the scenario that -run selects, as a failure of TestModel prints it")
)

// modelScenario is a call, a server, and a way in which the caller goes on.
type modelScenario struct {
	name  string
	op    *modelOp
	rules modelRules
	way   func(*modelRun)
	// world changes the world before the call; other is what somebody else may do meanwhile.
	world, other func(*modelServer)
	// foreign: the order is taken by other money, so that the call can only say so.
	foreign bool
	options []tosspayments.Option
	// grace is how long a call may go on after its deadline.
	grace time.Duration
	depth int
}

// The ways in which a caller goes on.

// again: an unknown call is made again with its key, at once.
func again(r *modelRun) {
	if r.open(r.say(0)) {
		r.say(0)
	}
}

// afterwards: the same a minute later, by another process.
func afterwards(r *modelRun) {
	if r.open(r.say(0)) {
		r.later()
		r.another(modelSecret)
		r.say(0)
	}
}

// crashed: the key was stored before the first call, whose result is lost with its process.
func crashed(r *modelRun) {
	r.key = "stored"
	r.say(0)
	r.another(modelSecret)
	r.say(0)
}

// crashedLater: the same, found by a job a minute later.
func crashedLater(r *modelRun) {
	r.key = "stored"
	r.say(0)
	r.later()
	r.another(modelSecret)
	r.say(0)
}

// secondRun: the result is lost, and so is the key.
func secondRun(r *modelRun) {
	r.say(0)
	r.key = ""
	r.another(modelSecret)
	r.say(0)
}

// resolving: the job looks up, by payment key or by order id.
func resolving(n int) func(*modelRun) {
	return func(r *modelRun) {
		r.say(0)
		r.another(modelSecret)
		r.lookUp(r.op.resolve[n])
	}
}

// jobWithout: the job that makes the call again has no network (dial), or is not let in.
func jobWithout(write, read string) func(*modelRun) {
	return func(r *modelRun) {
		r.key = "stored"
		r.say(0)
		r.another(modelSecret)
		r.forcing(func(q *modelRequest) *modelFault {
			name := write
			if q.method == http.MethodGet {
				name = read
			}
			if name == "" {
				return nil
			}
			return modelFaultOf(q, name)
		})
		r.say(0)
	}
}

// hurried: the first call has three seconds.
func hurried(r *modelRun) {
	if r.open(r.say(3 * time.Second)) {
		r.say(0)
	}
}

// rolled: the second call is made with another secret key. The server keeps idempotency keys
// by secret key, so that only its guards are left.
func rolled(r *modelRun) {
	r.key = "stored"
	r.say(0)
	r.later()
	r.another(modelRolled)
	r.say(0)
}

// freshPin: the refund is asked for again, with the balance as it is now.
func freshPin(r *modelRun) {
	r.say(0)
	r.another(modelSecret)
	r.pin = int64(r.payments[0].BalanceAmount)
	r.say(0)
}

// modelServers are servers that differ in what the reference does not know.
var modelServers = map[string]modelRules{
	"plain":         {},
	"kept":          {keeps5xx: true},
	"marked":        {keeps5xx: true, marksReplays: true},
	"long":          {keeps5xx: true, marksReplays: true, runsLong: true},
	"long-forgets":  {runsLong: true},
	"harsh":         {keeps5xx: true, runsLong: true, unguarded: true},
	"harsh-forgets": {runsLong: true, unguarded: true},
	"limit":         {keeps5xx: true, limitFirst: true},
	"wallet":        {keeps5xx: true, wallet: true},
}

// modelWays are the ways in which a caller goes on, and the operations that have them.
var modelWays = []struct {
	name   string
	way    func(*modelRun)
	has    func(*modelOp, modelRules) bool
	change func(*modelScenario)
}{
	{name: "again", way: again},
	{name: "afterwards", way: afterwards},
	{name: "crashed", way: crashed, has: hasKey},
	{name: "crashed-later", way: crashedLater, has: hasKey},
	{name: "no-network", way: jobWithout("dial", "dial"), has: hasKey},
	{name: "not-let-in", way: jobWithout("401", "get:401"), has: hasKey},
	{name: "reads-401", way: jobWithout("", "get:401"), has: hasKey},
	{name: "reads-500", way: jobWithout("", "get:500"), has: hasKey},
	{name: "resolve", way: resolving(0), has: func(op *modelOp, _ modelRules) bool { return len(op.resolve) > 0 }},
	{name: "resolve-order", way: resolving(1), has: func(op *modelOp, _ modelRules) bool { return len(op.resolve) > 1 }},
	{name: "hurried", way: hurried},
	{name: "no-grace", way: hurried, change: func(s *modelScenario) {
		s.options, s.grace = []tosspayments.Option{tosspayments.WithLookupGrace(0)}, 0
	}},
	{name: "no-retries", way: again, change: func(s *modelScenario) { s.options = []tosspayments.Option{tosspayments.WithMaxRetries(0)} }},
	{name: "fresh-pin", way: freshPin, has: func(op *modelOp, _ modelRules) bool { return op.refundID }},
	{name: "second-run", way: secondRun, has: func(op *modelOp, rules modelRules) bool {
		return op.shared && !rules.unguarded
	}},
	{name: "rolled", way: rolled, has: func(op *modelOp, rules modelRules) bool {
		return (op.shared || op.refundID) && !rules.runsLong
	}},
}

func hasKey(op *modelOp, _ modelRules) bool { return op.keyed || op.refundID }

func modelScenarios() (all []modelScenario) {
	for _, op := range []*modelOp{confirmModel(), chargeModel(), cancelModel(), partModel()} {
		all = append(all, scenariosOf(op, slices.Sorted(maps.Keys(modelServers))...)...)
	}
	for _, op := range []*modelOp{
		brandPayModel(), keyInModel(), accountModel(), bareModel(), deleteModel(), issueModel(), transferModel(),
	} {
		all = append(all, scenariosOf(op, "kept", "long")...)
	}
	return all
}

func scenariosOf(op *modelOp, servers ...string) (all []modelScenario) {
	add := func(way, server string, s modelScenario) {
		s.name, s.op, s.depth = op.name+"/"+way+"/"+server, op, 1
		if server == "plain" || server == "kept" && op.name == "bare-part" {
			s.depth = 2
		}
		all = append(all, s)
	}
	for _, server := range servers {
		rules := modelServers[server]
		if rules.wallet && op.kind != "cancel" {
			continue
		}
		for _, w := range modelWays {
			if w.has != nil && !w.has(op, rules) {
				continue
			}
			s := modelScenario{rules: rules, way: w.way, grace: 5 * time.Second}
			if w.change != nil {
				w.change(&s)
			}
			add(w.name, server, s)
		}
		if rules.unguarded {
			continue // nobody can keep two people apart there
		}
		for _, rival := range slices.Sorted(maps.Keys(op.rivals)) {
			if rival == "aborts" && !rules.wallet {
				continue
			}
			s := modelScenario{rules: rules, way: again, grace: 5 * time.Second, other: op.rivals[rival]}
			add("rival-"+rival, server, s)
			if hasKey(op, rules) {
				s.way = crashed
				add("crashed-rival-"+rival, server, s)
			}
		}
	}
	return append(all, worldsOf(op)...)
}

// worldsOf are the scenarios in which something was there before the call.
func worldsOf(op *modelOp) (all []modelScenario) {
	depth := 1
	add := func(name string, way func(*modelRun), foreign bool, world func(*modelServer)) {
		all = append(all, modelScenario{
			name: op.name + "/" + name, op: op, rules: modelServers["kept"], way: way, grace: 5 * time.Second, depth: depth,
			world: world, foreign: foreign,
		})
	}
	if op.name == "charge" || op.kind == "cancel" {
		depth = 2
	}
	if op.kind == "cancel" {
		// Somebody has refunded a part before, and a read may not show it yet.
		part := by("/v1/payments/pay-1/cancel", modelBody{CancelReason: "another", CancelAmount: modelAmount(modelPart)})
		add("second-part/again", again, false, part)
		if op.refundID || op.keyed {
			add("second-part/crashed", crashed, false, part)
		}
	}
	if op.kind != "approval" {
		return all
	}
	older := modelWindow("pay-old", "ABORTED")
	add("older-attempt/again", again, false, withPayments(older))
	add("older-attempt/crashed", crashed, false, withPayments(older))
	expired := older
	expired.Status = "EXPIRED"
	add("expired-window/again", again, false, withPayments(expired))
	account := modelWindow("pay-old", "WAITING_FOR_DEPOSIT")
	for _, frees := range []bool{true, false} {
		name := map[bool]string{true: "expired-account", false: "expired-account-taken"}[frees]
		account.VirtualAccount = &modelDeposit{AccountNumber: "X122", BankCode: "20", Expired: true, frees: frees}
		foreign := !frees && len(op.resolve) == 1 // a confirm has a payment of its own
		add(name+"/again", again, foreign, withPayments(account))
		add(name+"/crashed", crashed, foreign, withPayments(account))
	}
	other := modelWindow("pay-other", "DONE")
	other.TotalAmount, other.BalanceAmount = 500, 500
	switch op.name {
	case "charge":
		other.Type = "BILLING"
		fallthrough
	case "key-in":
		other.Card = &modelCard{other.TotalAmount}
	case "account":
		other.Status, other.VirtualAccount = "WAITING_FOR_DEPOSIT", modelAccount
	}
	add("other-money/again", again, true, withPayments(other))
	add("other-money/crashed", crashed, true, withPayments(other))
	if len(op.resolve) == 2 {
		same := modelWindow("pay-1", "DONE")
		same.TotalAmount, same.BalanceAmount = 500, 500
		add("other-amount/again", again, true, func(m *modelServer) { m.payments[0] = same })
		add("other-amount/crashed", crashed, true, func(m *modelServer) { m.payments[0] = same })
	}
	// The key was used for another order before, by mistake.
	add("reused-key/crashed", crashed, true, func(m *modelServer) {
		body := modelBody{OrderID: "order-0009", OrderName: "socks", Amount: modelTotal}
		if len(op.resolve) == 2 {
			other := modelWindow("pay-9", "IN_PROGRESS")
			other.OrderID, body.PaymentKey = body.OrderID, other.PaymentKey
			m.payments = append(m.payments, other)
		}
		m.answer(&modelRequest{method: http.MethodPost, path: op.path, key: "stored", secret: m.secrets[0], body: body})
	})
	kind := modelWindow("pay-other", "DONE")
	if op.name == "account" {
		kind.Card = &modelCard{modelTotal}
	} else {
		kind.Status, kind.VirtualAccount = "WAITING_FOR_DEPOSIT", modelAccount
	}
	add("other-kind/again", again, true, withPayments(kind))
	add("other-kind/crashed", crashed, true, withPayments(kind))
	return all
}

// modelStats is what the runs of an operation came to.
type modelStats struct {
	paths, lastUnknown int
	// unknown are the first calls that ended unknown: of all paths, of those on which an
	// attempt or a lookup hung, and of those on which a request ran on for longer.
	unknown [3]modelTimes
}

type modelTimes struct {
	n          int
	total, max time.Duration
}

func (s *modelStats) add(r *modelRun) {
	s.paths++
	if r.words[len(r.words)-1].unknown() {
		s.lastUnknown++
	}
	if !r.words[0].unknown() {
		return
	}
	kind := 0
	for _, name := range r.path.names {
		switch {
		case strings.HasPrefix(name, "runs-"):
			kind = 2
		case strings.HasSuffix(name, "hang") && kind == 0:
			kind = 1
		}
	}
	s.unknown[kind].merge(modelTimes{1, r.words[0].took, r.words[0].took})
}

// merge adds the runs of another scenario.
func (s *modelStats) merge(o *modelStats) {
	s.paths += o.paths
	s.lastUnknown += o.lastUnknown
	for i := range s.unknown {
		s.unknown[i].merge(o.unknown[i])
	}
}

func (t *modelTimes) merge(o modelTimes) {
	t.n += o.n
	t.total += o.total
	t.max = max(t.max, o.max)
}

func (t modelTimes) String() string {
	return fmt.Sprintf("%d, mean %.1f s, at most %.1f s", t.n, t.total.Seconds()/float64(max(t.n, 1)), t.max.Seconds())
}

func (s *modelStats) String() string {
	return fmt.Sprintf("%d paths, last word unknown on %d; first call unknown: %s; with a hang: %s; while it runs on: %s",
		s.paths, s.lastUnknown, s.unknown[0], s.unknown[1], s.unknown[2])
}

// modelFinding is the smallest path of one kind of disagreement.
type modelFinding struct {
	count int
	path  string
	words []modelWord
}

func (s *modelScenario) run(path *modelPath) *modelRun {
	m := newModelServer(s.rules)
	r := &modelRun{modelServer: m, modelScenario: s, path: path, rival: s.other}
	m.secrets = modelSecrets
	s.op.world(m)
	if s.world != nil {
		s.world(m)
	}
	if len(m.payments) > 0 {
		r.pin = int64(m.payments[0].BalanceAmount)
	}
	r.pinned = r.pin
	r.choose = r.chooses
	r.another(modelSecret, s.options...)
	s.way(r)
	r.finish()
	return r
}

var modelSecrets = []string{modelAuthorization(modelSecret), modelAuthorization(modelRolled)}

func modelAuthorization(secret string) string {
	key, err := tosspayments.ParseSecretKey(secret)
	if err != nil {
		panic(err)
	}
	return key.Authorization()
}

// TestModel takes every sequence of faults up to a depth through every way in which a call
// that moves money may be made and made again, and compares what the library says with what
// has moved. A failure prints a path; to take that path alone:
//
//	go test . -v -run 'TestModel/^confirm$/^again$/^plain$' -model.replay 'crash > get'
func TestModel(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	all, paths := map[string]*modelStats{}, 0
	t.Cleanup(func() {
		for _, name := range slices.Sorted(maps.Keys(all)) {
			t.Logf("%s: %s", name, all[name])
		}
		t.Logf("%d paths", paths)
	})
	for _, s := range modelScenarios() {
		if testing.Short() && s.depth < 2 && !s.rules.runsLong {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			var stats modelStats
			findings := map[string]*modelFinding{}
			synctest.Test(t, func(t *testing.T) {
				if *modelReplay != "" {
					r := s.run(parseModelPath(*modelReplay))
					t.Logf("%s: %q", r.path, r.wrong())
					logModelWords(t, r.words)
					t.Logf("ledger: %+v", r.effects)
					return
				}
				enumerateModel(s.deep(), func(path *modelPath) {
					r := s.run(path)
					stats.add(r)
					if kind := r.wrong(); kind != "" {
						if findings[kind] == nil {
							findings[kind] = &modelFinding{path: path.String(), words: r.words}
						}
						findings[kind].count++
					}
				})
			})
			mu.Lock()
			if all[s.op.name] == nil {
				all[s.op.name] = new(modelStats)
			}
			all[s.op.name].merge(&stats)
			paths += stats.paths
			mu.Unlock()
			for _, kind := range slices.Sorted(maps.Keys(findings)) {
				f := findings[kind]
				t.Errorf("%s: %d of %d paths, the smallest: -run 'TestModel/%s' -model.replay '%s'", kind, f.count, stats.paths, s.pattern(), f.path)
				logModelWords(t, f.words)
			}
		})
	}
}

// pattern selects the scenario and no other.
func (s *modelScenario) pattern() string { return "^" + strings.ReplaceAll(s.name, "/", "$/^") + "$" }

func (s *modelScenario) deep() int {
	if *modelDepth > 0 {
		return *modelDepth
	}
	return s.depth
}

func logModelWords(t *testing.T, words []modelWord) {
	for _, w := range words {
		t.Logf("call %d: %s after %s (own %d, all %d): %v", w.call, w.outcome, w.took, w.own, w.all, w.err)
	}
}
