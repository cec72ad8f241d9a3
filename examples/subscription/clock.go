package main

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"time"

	"github.com/seed238ab19c/tosspayments/examples/internal/shop"
)

// Every date of the shop is Korean.
var kst = time.FixedZone("KST", 9*60*60)

// clock is the shop's time: the real one, or one that runs faster, to watch months go
// by. Leases are in real time, since calls take real time.
type clock struct {
	wall   func() time.Time
	origin time.Time
	speed  float64
}

// newClock takes the moment from which time runs faster from the database, so that
// every instance has the same date.
func newClock(ctx context.Context, db *sql.DB, speed float64) (*clock, error) {
	text, err := shop.Setting(ctx, db, "clock_origin", strconv.FormatInt(time.Now().Unix(), 10))
	if err != nil {
		return nil, err
	}
	origin, err := strconv.ParseInt(text, 10, 64)
	return &clock{wall: time.Now, origin: time.Unix(origin, 0), speed: speed}, err
}

// isFast reports whether the shop's time is not the real one.
func (c *clock) isFast() bool { return c.speed != 1 }

// String says in Korean and English how fast time runs.
func (c *clock) String() string {
	if !c.isFast() {
		return "시간 / time: 실제 시간 / the real one"
	}
	return fmt.Sprintf("시간 / time: %.0f배 빠르게 흘러요. 한 달이 %s예요 / a month takes %[2]s", c.speed, c.month())
}

// month is how long a month of 30 days takes.
func (c *clock) month() time.Duration {
	return time.Duration(float64(30*24*time.Hour) / c.speed).Round(time.Millisecond)
}

func (c *clock) now() time.Time {
	real := c.wall()
	if c.isFast() {
		real = time.Unix(c.origin.Unix()+int64(real.Sub(c.origin).Seconds()*c.speed), 0)
	}
	return real.In(kst)
}

// periodStart returns when the n-th period after the first begins: at the same day of
// the month, or the last one of a month that is shorter.
func periodStart(first time.Time, n int) time.Time {
	first = first.In(kst)
	year, month, day := first.Date()
	month += time.Month(n)
	last := time.Date(year, month+1, 0, 0, 0, 0, 0, kst).Day()
	return time.Date(year, month, min(day, last), first.Hour(), first.Minute(), first.Second(), 0, kst)
}

// currentPeriod returns the number of the period that a moment is in.
func currentPeriod(first, now time.Time) int {
	first, now = first.In(kst), now.In(kst)
	n := 12*(now.Year()-first.Year()) + int(now.Month()-first.Month())
	if periodStart(first, n).After(now) {
		n--
	}
	return n
}

// periodName is the month in which a period begins: each begins in a month of its own.
func periodName(first time.Time, n int) string { return periodStart(first, n).Format("2006-01") }

// retryDays are the days after the due day on which a refused charge is tried again.
var retryDays = [...]int{1, 3, 5}

// nextAttempt returns the next day of the calendar that counts from the due day; there
// is none after the last. It is never today: a card that was just refused is refused
// again, and card companies count.
func nextAttempt(due, now time.Time) (at time.Time, ok bool) {
	today := now.In(kst).Format(time.DateOnly)
	for _, days := range retryDays {
		at = due.In(kst).AddDate(0, 0, days)
		if at.Format(time.DateOnly) > today {
			return at, true
		}
	}
	return time.Time{}, false
}
