package tosstest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// journalVersion is that of the file's format.
const journalVersion = 1

// The file is made anew when it has grown to so many times its size, and by so much.
const (
	growth        = 4
	minimumGrowth = 1 << 20
)

// journal is a file to which every change is written before anybody is told of it.
type journal struct {
	path string
	run  int
	lock *os.File

	mu          sync.Mutex
	file        *os.File
	size, limit int64
}

var errInUse = errors.New("another server is using it")

// write adds a line. It panics where it cannot: the server must not promise what it
// would forget.
func (j *journal) write(line *stored) {
	data, err := json.Marshal(line)
	if err != nil {
		panic(err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	n, err := j.file.Write(append(data, '\n'))
	if err != nil {
		panic(fmt.Errorf("tosstest: the state cannot be kept: %w", err))
	}
	j.size += int64(n)
}

// isLarge reports whether most of the file does not count any more.
func (j *journal) isLarge() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.size > j.limit
}

// close lets another server have the file.
func (j *journal) close() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file != nil {
		_ = j.file.Close()
	}
	_ = j.lock.Close()
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
// answers of idempotency keys, and events that were not delivered yet:
// [Server.RegisterWebhook] for the same address delivers them, and
// [Server.RegisterWebhookHandler] those for the handler that was registered in the same
// place, as the first or the second. Faults and logs end with the process. The observer is
// told of the newest 10,000 of each kind.
//
// Call it before anything else, once URL is final. One server at a time may use a file,
// until [Server.Close] or the end of its process: another one gets an error. Beside the
// file lies one with .lock at the end of its name. Writing is left to the operating
// system, so that a crash of the machine may lose the last changes. The file is made anew
// when the server starts, and when it has grown to several times the size of what still
// counts. The server panics when it cannot write.
func (s *Server) KeepState(path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.journal != nil || len(s.opened) > 0 || len(s.allBillings) > 0 || s.webhooks.wanted.Load() {
		return errors.New("tosstest: KeepState must be called first, and once")
	}
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return fmt.Errorf("tosstest: %s: %w", path, err)
	}
	j := &journal{path: path, lock: lock}
	if err := s.load(j); err != nil {
		j.close()
		return fmt.Errorf("tosstest: reading %s: %w", path, err)
	}
	j.run++
	if err := s.compact(j); err != nil {
		j.close()
		return fmt.Errorf("tosstest: writing %s: %w", path, err)
	}
	// A seed must not repeat the keys of the servers before.
	s.random = rand.New(rand.NewPCG(s.random.Uint64(), uint64(j.run)))
	s.journal, s.touched = j, nil
	s.unsaved.clear()
	s.webhooks.keep(j)
	s.tellAll()
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
	if line.isEmpty() {
		return
	}
	s.journal.write(line)
	if s.journal.isLarge() {
		if err := s.compact(s.journal); err != nil {
			panic(fmt.Errorf("tosstest: the state cannot be kept: %w", err))
		}
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
func (s *Server) load(j *journal) error {
	file, err := os.Open(j.path)
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
func (s *Server) compact(j *journal) error {
	s.webhooks.mu.Lock()
	defer s.webhooks.mu.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	next := j.path + ".new"
	if err := s.writeSnapshot(next, j.run); err != nil {
		return err
	}
	if j.file != nil {
		_ = j.file.Close() // Windows does not replace what is open
	}
	if err := os.Rename(next, j.path); err != nil {
		return err
	}
	var err error
	if j.file, err = os.OpenFile(j.path, os.O_APPEND|os.O_WRONLY, 0); err != nil {
		return err
	}
	info, err := j.file.Stat()
	if err != nil {
		return err
	}
	j.size = info.Size()
	j.limit = growth*j.size + minimumGrowth
	return nil
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

// number gives a number to the events that somebody receives, and returns what the file
// says of them.
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
			if r.wants(e.kind) {
				to = append(to, r.name)
			}
		}
		if to != nil {
			w.lastNumber++
			e.number = w.lastNumber
			line := storedEvent{e.number, e.kind, e.orderID, e.at, string(e.body), to}
			w.undelivered.events[e.number] = line
			lines = append(lines, line)
		}
	}
	return lines
}

// note writes how far a delivery has come. due is when the next transmission is, or was.
func (w *webhooks) note(t *transmission, due time.Time, done bool) {
	if w.journal == nil || t.number == 0 || t.extra {
		return
	}
	line := storedDelivery{t.number, t.to.name, t.id, t.retries, t.resent, due, done}
	w.undelivered.note(line)
	w.journal.write(&stored{Deliveries: []storedDelivery{line}})
}

// undelivered are the events of the file that somebody has still to get, by number, and
// how far their deliveries have come.
type undelivered struct {
	events    map[int]storedEvent
	delivered map[deliveryOf]storedDelivery
}

func newUndelivered() undelivered {
	return undelivered{map[int]storedEvent{}, map[deliveryOf]storedDelivery{}}
}

// note notes how far a delivery has come, and forgets what everybody has.
func (u *undelivered) note(d storedDelivery) {
	e, known := u.events[d.Event]
	if !known {
		return
	}
	u.delivered[deliveryOf{d.Event, d.To}] = d
	for _, to := range e.To {
		if !u.delivered[deliveryOf{d.Event, to}].Done {
			return
		}
	}
	delete(u.events, d.Event)
	for _, to := range e.To {
		delete(u.delivered, deliveryOf{d.Event, to})
	}
}

// line is what a file says of it.
func (u *undelivered) line() *stored {
	line := &stored{}
	for _, n := range slices.Sorted(maps.Keys(u.events)) {
		e := u.events[n]
		line.Events = append(line.Events, e)
		for _, to := range e.To {
			if d, known := u.delivered[deliveryOf{n, to}]; known {
				line.Deliveries = append(line.Deliveries, d)
			}
		}
	}
	return line
}

// restore takes what an earlier server has not delivered.
func (w *webhooks) restore(h *past) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lastNumber, w.lastOfPast, w.undelivered = h.lastEvent, h.lastEvent, h.undelivered
}

// resume queues what an earlier server has not delivered to a receiver.
func (w *webhooks) resume(r *receiver) {
	for _, number := range slices.Sorted(maps.Keys(w.undelivered.events)) {
		e := w.undelivered.events[number]
		d, begun := w.undelivered.delivered[deliveryOf{number, r.name}]
		if number > w.lastOfPast || !slices.Contains(e.To, r.name) || d.Done {
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
