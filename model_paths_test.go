package tosspayments_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// modelPath is the path that one run takes: what was chosen wherever there was a choice.
// Choice 0 is the one in which nothing goes wrong.
type modelPath struct {
	script []uint8  // choices to make; beyond them all is well
	replay []string // the same by name, instead of script
	counts []uint8  // how many choices there were, in order
	names  []string // what was chosen, to be printed and replayed
	// healthy: nothing goes wrong any more, and there is nothing to choose.
	healthy bool
	// asked counts the requests of the call that had a choice.
	asked int
}

// modelChoices is how many requests of one call have a choice: those of a call that polls
// for its answer are alike.
const modelChoices = 8

// take makes one choice out of n.
func (p *modelPath) take(n int, name func(int) string) int {
	chosen := 0
	if i := len(p.counts); i < len(p.script) {
		chosen = int(p.script[i])
	}
	if p.replay != nil {
		chosen = p.named(n, name)
	}
	if chosen >= n {
		chosen = 0 // the call took another way than before: its pauses are random
	}
	p.counts = append(p.counts, uint8(n))
	if s := name(chosen); s != "" {
		p.names = append(p.names, s)
	}
	return chosen
}

func (p *modelPath) named(n int, name func(int) string) int {
	if len(p.replay) == 0 {
		return 0
	}
	for i := range n {
		if name(i) == p.replay[0] {
			p.replay = p.replay[1:]
			return i
		}
	}
	if name(0) == "" {
		return 0
	}
	panic(fmt.Sprintf("no such choice here: %q, after %s", p.replay[0], p))
}

// String prints the path as one line: ">" separates answers, "|" calls.
func (p *modelPath) String() string {
	return strings.ReplaceAll(strings.Join(p.names, " > "), "> | >", "|")
}

func parseModelPath(line string) *modelPath {
	p := &modelPath{replay: []string{}}
	for _, word := range strings.FieldsFunc(line, func(r rune) bool { return r == '>' || r == '|' }) {
		p.replay = append(p.replay, strings.TrimSpace(word))
	}
	return p
}

// took reports whether something of that name was chosen, and how often.
func (p *modelPath) took(names ...string) (n int) {
	for _, name := range p.names {
		if slices.Contains(names, name) {
			n++
		}
	}
	return n
}

// choose is how a modelServer under enumeration answers. rival, if there is one left, is
// what somebody else may do before any request.
func (p *modelPath) choose(m *modelServer, q *modelRequest, rival *func(*modelServer)) *modelFault {
	faults, phase := writeFaults, held
	if q.method == http.MethodGet {
		faults = readFaults
		if m.old != nil {
			phase = free
		}
	}
	if p.asked++; p.healthy || p.asked > modelChoices {
		return &faults[0]
	}
	if *rival != nil && p.take(2, func(i int) string { return []string{"", "rival"}[i] }) == 1 {
		(*rival)(m)
		*rival = nil
	}
	if p.take(2, func(i int) string { return []string{"", "dial"}[i] }) == 1 {
		return &dialFault
	}
	q.read()
	if q.method != http.MethodGet {
		phase = m.phase(q)
	}
	var possible [64]uint8
	n := 0
	for i := range faults {
		if f := &faults[i]; f.when&phase != 0 && (f.needs == nil || f.needs(m, q)) {
			possible[n] = uint8(i)
			n++
		}
	}
	return &faults[possible[p.take(n, func(i int) string { return faults[possible[i]].name })]]
}

// enumerateModel runs every path with up to depth things gone wrong, those with fewer first,
// and returns how many there were. run takes the path to its end.
func enumerateModel(depth int, run func(*modelPath)) (paths int) {
	frontier := [][]uint8{nil}
	for d := 0; len(frontier) > 0; d++ {
		var next [][]uint8
		for _, script := range frontier {
			p := &modelPath{script: script}
			run(p)
			paths++
			if d == depth {
				continue
			}
			for i := len(script); i < len(p.counts); i++ {
				for choice := uint8(1); choice < p.counts[i]; choice++ {
					longer := make([]uint8, i+1)
					copy(longer, script)
					longer[i] = choice
					next = append(next, longer)
				}
			}
		}
		frontier = next
	}
	return paths
}
