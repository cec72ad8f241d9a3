package tosstest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// journalVersion is that of the file's format.
const journalVersion = 1

// journal is a file to which every change is written before anybody is told of it.
type journal struct {
	mu   sync.Mutex
	file *os.File
	run  int
}

// write adds a line. It panics where it cannot: the server must not promise what it
// would forget.
func (j *journal) write(line *stored) {
	data, err := json.Marshal(line)
	if err != nil {
		panic(err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, err := j.file.Write(append(data, '\n')); err != nil {
		panic(fmt.Errorf("tosstest: the state cannot be kept: %w", err))
	}
}

// unsaved is what the change that is being made has changed, besides payments.
type unsaved struct {
	billings  []*billing
	receipts  []*cashReceipt
	movements []Entry
	answers   []*storedAnswer
	windows   []*openWindow
	brandPay  storedBrandPay
	payouts   storedPayouts
	// skew is what the file says.
	skew time.Duration
}

func (u *unsaved) clear() {
	u.billings, u.receipts, u.movements, u.answers = u.billings[:0], u.receipts[:0], u.movements[:0], u.answers[:0]
	u.windows, u.payouts = u.windows[:0], storedPayouts{}
	u.brandPay.clear()
}

// KeepState keeps the server's state in a file. What is there now is read, and every
// change is written before it is answered, so that a server that is killed and started
// again with the same file goes on where it was. It keeps payments, windows, billing keys,
// BrandPay customers, receipts, sellers and payouts, movements of money, the clock, the
// answers of idempotency keys, and events that were not delivered yet to an address;
// [Server.RegisterWebhook] for that address delivers them. Faults and logs end with the process.
//
// Call it before anything else, once URL is what it shall be. One server at a time may use
// a file. Writing is left to the operating system, so that a crash of the machine may lose
// the last changes. The server panics when it cannot write.
func (s *Server) KeepState(path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.journal != nil || len(s.opened) > 0 || len(s.allBillings) > 0 || s.webhooks.wanted.Load() {
		return errors.New("tosstest: KeepState must be called first, and once")
	}
	j := &journal{}
	if err := s.load(path, j); err != nil {
		return fmt.Errorf("tosstest: reading %s: %w", path, err)
	}
	if err := s.compact(path, j); err != nil {
		return fmt.Errorf("tosstest: writing %s: %w", path, err)
	}
	// A seed must not repeat the keys of the servers before.
	s.random = rand.New(rand.NewPCG(s.random.Uint64(), uint64(j.run)))
	s.journal, s.touched = j, nil
	s.unsaved.clear()
	s.webhooks.keep(j)
	return nil
}

// save writes the change that has been made.
func (s *Server) save() {
	if s.journal == nil {
		s.unsaved.clear()
		return
	}
	line, u := &stored{}, &s.unsaved
	for i, p := range s.touched {
		if !slices.Contains(s.touched[i+1:], p) {
			line.Payments = append(line.Payments, s.storedPayment(p))
		}
	}
	for _, b := range u.billings {
		line.Billings = append(line.Billings, storedBilling{b.number, *b})
	}
	for _, c := range u.receipts {
		line.Receipts = append(line.Receipts, storedReceiptOf(c, c.shop == &s.widget))
	}
	for _, a := range u.answers {
		line.Answers = append(line.Answers, s.savedAnswer(a))
	}
	for _, o := range u.windows {
		line.Windows = append(line.Windows, o.stored())
	}
	if !u.brandPay.isEmpty() {
		line.BrandPay = &u.brandPay
	}
	if !u.payouts.isEmpty() {
		line.Payouts = &u.payouts
	}
	line.Movements = u.movements
	line.Events = s.webhooks.number(s.events)
	skew := time.Duration(s.clock.skew.Load())
	if skew != u.skew {
		line.Skew = &skew
	}
	u.skew = skew
	defer u.clear()
	if !line.isEmpty() {
		s.journal.write(line)
	}
}

// relative is an address without that of the server, which may be another one the next
// time.
func (s *Server) relative(address string) string {
	if path, own := strings.CutPrefix(address, s.URL); own {
		return path
	}
	return address
}

func (s *Server) absolute(address string) string {
	if strings.HasPrefix(address, "/") {
		return s.URL + address
	}
	return address
}

// load reads the file, if there is one. The last line may be incomplete: then the change
// was never told to anybody.
func (s *Server) load(path string, j *journal) error {
	file, err := os.Open(path) //nolint:gosec // G304: the caller names the file.
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	h := newPast()
	lines := bufio.NewReaderSize(file, 1<<16)
	for n := 1; ; n++ {
		data, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		var line stored
		if err := json.Unmarshal(bytes.TrimSpace(data), &line); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		if n == 1 {
			if line.Version != journalVersion {
				return fmt.Errorf("it is not a file of this version (%d)", journalVersion)
			}
			j.run = line.Run
		}
		h.add(&line)
	}
	s.restore(h)
	return nil
}

// compact makes the file anew, with what still counts, and leaves it open for more.
func (s *Server) compact(path string, j *journal) error {
	j.run++
	next := path + ".new"
	if err := s.writeSnapshot(next, j.run); err != nil {
		return err
	}
	if err := os.Rename(next, path); err != nil {
		return err
	}
	var err error
	j.file, err = os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0) //nolint:gosec // G304: the caller names the file.
	return err
}

func (s *Server) writeSnapshot(path string, run int) (err error) {
	//nolint:gosec // G304: the caller names the file.
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	b := bufio.NewWriterSize(file, 1<<16)
	out := json.NewEncoder(b)
	for line := range s.snapshot(run) {
		if err := out.Encode(line); err != nil {
			return err
		}
	}
	return errors.Join(b.Flush(), file.Sync())
}

// keep lets the progress of deliveries be written.
func (w *webhooks) keep(j *journal) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.journal = j
}

// number gives a number to the events for receivers that have an address, and returns
// what the file says of them.
func (w *webhooks) number(events []event) (lines []storedEvent) {
	if len(events) == 0 {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range events {
		e := &events[i]
		var to []string
		for _, r := range w.receivers {
			if r.address != "" && r.wants(e.kind) {
				to = append(to, r.address)
			}
		}
		if to != nil {
			w.lastNumber++
			e.number = w.lastNumber
			lines = append(lines, storedEvent{e.number, e.kind, e.orderID, e.at, string(e.body), to})
		}
	}
	return lines
}

// note writes how far a delivery has come. due is when the next transmission is, or was.
func (w *webhooks) note(t *transmission, due time.Time, done bool) {
	if w.journal == nil || t.number == 0 || t.to.address == "" || t.extra {
		return
	}
	w.journal.write(&stored{Deliveries: []storedDelivery{{t.number, t.to.address, t.id, t.retries, t.resent, due, done}}})
}

// undelivered are the events of an earlier server, and how far their deliveries have come.
type undelivered struct {
	events    []storedEvent
	delivered map[deliveryOf]storedDelivery
}

func (w *webhooks) restore(h *past) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.past.delivered = h.delivered
	for _, e := range h.events {
		w.lastNumber = max(w.lastNumber, e.Number)
		if slices.ContainsFunc(e.To, func(to string) bool { return !h.delivered[deliveryOf{e.Number, to}].Done }) {
			w.past.events = append(w.past.events, e)
		}
	}
}

// pending are the lines about what is still to be delivered.
func (w *webhooks) pending() *stored {
	w.mu.Lock()
	defer w.mu.Unlock()
	line := &stored{Events: w.past.events}
	for _, e := range w.past.events {
		for _, to := range e.To {
			if d, known := w.past.delivered[deliveryOf{e.Number, to}]; known {
				line.Deliveries = append(line.Deliveries, d)
			}
		}
	}
	return line
}

// resume queues what an earlier server has not delivered to a receiver.
func (w *webhooks) resume(r *receiver) {
	for _, e := range w.past.events {
		d, begun := w.past.delivered[deliveryOf{e.Number, r.address}]
		if !slices.Contains(e.To, r.address) || d.Done {
			continue
		}
		n := &notice{
			event: event{kind: e.Kind, orderID: e.OrderID, at: e.At, body: []byte(e.Body), number: e.Number},
			to:    r, id: d.ID, resent: d.Resent, retries: d.Retries,
		}
		due := e.At
		if begun {
			due = d.Due
		}
		w.push(&transmission{notice: n, due: due, resend: begun})
	}
}
