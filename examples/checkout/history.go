package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/examples/internal/shop"
)

// event is what a line of an order's history is about: a state, or one of these.
type event string

const (
	// noAnswer: a request of the confirm has had no usable answer, and so nothing is known.
	noAnswer event = "no answer"
	// noLookup is the same of a lookup.
	noLookup event = "no lookup"
	// sentAgain: the confirm was answered when it was sent once more, under the same key.
	sentAgain event = "sent again"
	// lookedUp: the payment was read, to learn what has become of the confirm.
	lookedUp event = "looked up"
	// notSent: nothing was sent, and the order can be paid again.
	notSent event = "not sent"
	// received: Toss Payments has sent an event that is proven to be its own.
	received event = "received"
	// The states of a refund.
	refundEvent event = "refund "
)

// step is a line of an order's history.
type step struct {
	At     time.Time
	What   event
	Detail string
}

// Text is what the buyer reads.
func (s step) Text() string {
	if text, ok := stepTexts[s.What]; ok {
		return text
	}
	return titles[state(s.What)]
}

var stepTexts = map[event]string{
	event(authenticated): "결제창에서 인증을 마쳤어요", event(confirming): "토스페이먼츠에 승인을 요청했어요",
	noAnswer: "승인 요청의 응답을 받지 못했어요", noLookup: "조회 요청의 응답을 받지 못했어요",
	sentAgain: "같은 멱등키로 다시 요청해 응답을 받았어요", lookedUp: "결제를 조회했어요",
	notSent: "요청을 보내지 못했어요", received: "토스페이먼츠의 알림을 받았어요",
	refundEvent + event(refundPlanned): "취소를 신청했어요", refundEvent + event(refundDone): "취소가 끝났어요",
	refundEvent + event(refundRefused): "취소가 거절됐어요", refundEvent + event(refundReview): "담당자가 취소를 확인하고 있어요",
}

// maxSteps bounds what may be written again and again. What changes an order is always
// written.
const maxSteps = 100

// note adds a line to an order's history, unless it has very many.
func (o *orders) note(ctx context.Context, db shop.Execer, id string, what event, detail string) error {
	_, err := db.ExecContext(ctx, `
		INSERT INTO history (order_id, at, what, detail)
		SELECT CAST($1 AS TEXT), CAST($2 AS BIGINT), CAST($3 AS TEXT), CAST($4 AS TEXT)
		WHERE (SELECT COUNT(*) FROM history WHERE order_id = $1) < $5`, id, time.Now().UnixMicro(), string(what), detail, maxSteps)
	return err
}

// noteChange adds a line for what has changed an order.
func noteChange(ctx context.Context, db shop.Execer, id string, what event, detail string) error {
	_, err := db.ExecContext(ctx, `INSERT INTO history (order_id, at, what, detail) VALUES ($1, $2, $3, $4)`,
		id, time.Now().UnixMicro(), string(what), detail)
	return err
}

// history returns the newest lines of an order's history, the oldest of them first.
func (o *orders) history(ctx context.Context, id string) ([]step, error) {
	return shop.List(ctx, o.db, func(rows *sql.Rows) (s step, err error) {
		var at int64
		err = rows.Scan(&at, &s.What, &s.Detail)
		s.At = time.UnixMicro(at)
		return s, err
	}, `SELECT at, what, detail FROM
		(SELECT at, what, detail FROM history WHERE order_id = $1 ORDER BY at DESC LIMIT 50) newest ORDER BY at`, id)
}

type attemptKey struct{}

// watched lets observe note the requests that are made with the context, while nobody
// knows whether an order is paid.
func (s *store) watched(ctx context.Context, x *order) context.Context {
	return context.WithValue(ctx, attemptKey{}, func(a tosspayments.Attempt) {
		what, detail := eventOf(a)
		if what == "" {
			return
		}
		// A call that has used up its time is noted, too. The history is for people, so the
		// call does not wait for it, and goes on without.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		err := s.orders.note(ctx, s.orders.db, x.ID, what, detail)
		s.logger.Log(ctx, level(a.Err, err), "confirm goes on", "order", x.ID, "step", string(what), "detail", detail, "error", errors.Join(a.Err, err))
	})
}

// observe is told of every request of the client.
func observe(ctx context.Context, a tosspayments.Attempt) {
	if note, ok := ctx.Value(attemptKey{}).(func(tosspayments.Attempt)); ok {
		note(a)
	}
}

// eventOf returns what a request means for the history; "" for one that went as expected.
func eventOf(a tosspayments.Attempt) (what event, detail string) {
	useless := a.Err != nil || a.Status >= http.StatusInternalServerError || a.Status == http.StatusTooManyRequests
	if a.Status != 0 {
		detail = fmt.Sprintf("HTTP %d", a.Status)
	}
	switch {
	case useless && a.Lookup:
		return noLookup, detail
	case useless:
		return noAnswer, detail
	case a.Lookup:
		return lookedUp, ""
	case a.Number > 1:
		return sentAgain, ""
	}
	return "", ""
}

// level of a log line that may have errors.
func level(errs ...error) slog.Level {
	if errors.Join(errs...) != nil {
		return slog.LevelWarn
	}
	return slog.LevelInfo
}
