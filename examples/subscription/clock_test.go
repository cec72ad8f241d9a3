package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPeriods(t *testing.T) {
	for first, starts := range map[string][]string{
		"2027-01-31 10:00": {"2027-01-31 10:00", "2027-02-28 10:00", "2027-03-31 10:00", "2027-04-30 10:00"},
		"2027-12-31 23:59": {"2027-12-31 23:59", "2028-01-31 23:59", "2028-02-29 23:59", "2028-03-31 23:59"},
		"2027-12-15 00:00": {"2027-12-15 00:00", "2028-01-15 00:00", "2028-02-15 00:00", "2028-03-15 00:00"},
		"2028-02-29 12:00": {"2028-02-29 12:00", "2028-03-29 12:00", "2028-04-29 12:00", "2028-05-29 12:00"},
	} {
		for n, start := range starts {
			begin := periodStart(at(first), n)
			assert.Equal(t, start, begin.Format("2006-01-02 15:04"), first)
			assert.Equal(t, n, currentPeriod(at(first), begin), "at its beginning")
			assert.Equal(t, n, currentPeriod(at(first), periodStart(at(first), n+1).Add(-time.Second)), "at its end")
		}
	}
}

// TestPeriodsAreKorean: half past midnight in Korea is still the day before in UTC.
func TestPeriodsAreKorean(t *testing.T) {
	utc := time.Date(2027, 1, 30, 15, 30, 0, 0, time.UTC)
	assert.Equal(t, "2027-02-28 00:30", periodStart(utc, 1).Format("2006-01-02 15:04"))
	assert.Equal(t, "2027-02", periodName(utc, 1))
	assert.Equal(t, 0, currentPeriod(utc, utc))
	assert.Equal(t, 1, currentPeriod(at("2027-02-01 00:30"), time.Date(2027, 2, 28, 16, 0, 0, 0, time.UTC)))
}

// TestPeriodsFollowEachOther: each begins in a month of its own, whatever the first.
func TestPeriodsFollowEachOther(t *testing.T) {
	for day := range 800 {
		first := at("2027-01-01 09:30").AddDate(0, 0, day)
		month := first.Year()*12 + int(first.Month())
		for n := range 30 {
			start := periodStart(first, n)
			require.Equal(t, month+n, start.Year()*12+int(start.Month()))
			require.Equal(t, n, currentPeriod(first, start))
			require.Equal(t, n-1, currentPeriod(first, start.Add(-time.Second)))
		}
	}
}

func TestCalendar(t *testing.T) {
	first := at("2027-02-28 10:00")
	for now, next := range map[string]string{
		"2027-02-28 10:00": "2027-03-01 10:00",
		"2027-02-28 23:59": "2027-03-01 10:00",
		"2027-03-01 10:00": "2027-03-03 10:00",
		"2027-03-01 00:01": "2027-03-03 10:00", // never the same day
		"2027-03-02 10:00": "2027-03-03 10:00",
		"2027-03-03 10:05": "2027-03-05 10:00",
		"2027-03-05 10:00": "",
		"2027-03-20 10:00": "",
	} {
		day, ok := nextAttempt(first, at(now))
		assert.Equal(t, next != "", ok, now)
		if ok {
			assert.Equal(t, next, day.Format("2006-01-02 15:04"), now)
		}
	}
}

func TestClock(t *testing.T) {
	real := at("2027-01-01 00:00")
	c := &clock{wall: func() time.Time { return real }, origin: real, speed: 86400}
	assert.Equal(t, "2027-01-01 00:00", c.now().Format("2006-01-02 15:04"))
	real = real.Add(31 * time.Second)
	assert.Equal(t, "2027-02-01 00:00", c.now().Format("2006-01-02 15:04"), "a day a second")
	real = real.AddDate(0, 0, 7)
	assert.Equal(t, 3682, c.now().Year(), "a duration would not hold it")
	c.speed = 1
	assert.Equal(t, real, c.now())
}

func TestEveryInstanceHasTheSameDate(t *testing.T) {
	t.Parallel()
	st := newStand(t)
	one, err := newClock(t.Context(), st.store.subs.db, 86400)
	require.NoError(t, err)
	time.Sleep(1100 * time.Millisecond)
	two, err := newClock(t.Context(), st.store.subs.db, 86400)
	require.NoError(t, err)
	assert.Equal(t, one.origin, two.origin)
}
