package main

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/examples/internal/shoptest"
)

func TestMain(m *testing.M) {
	shoptest.RunAsProgram(main)
	shoptest.Main(m)
}

// run lets the biller work by itself.
func (st *stand) run() {
	ctx, cancel := context.WithCancel(st.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		st.store.run(ctx, 50*time.Millisecond)
	}()
	st.t.Cleanup(func() {
		cancel()
		<-done
	})
}

func (st *stand) set(text string) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.now = at(text)
}

// behave picks how the card that is being registered will behave.
func behave(b *shoptest.Browser, code tosspayments.ErrorCode) {
	b.Visible(".pay")
	shoptest.Get(b, chromedp.Evaluate[any](`document.querySelector("select[name=behaviour]").value = "`+string(code)+`"; null`))
}

func TestSubscribeInABrowser(t *testing.T) {
	st := newStand(t)
	b := shoptest.NewBrowser(t)
	st.run()
	b.Visit(st.url)
	b.FitsAPhone()
	b.Shoot("subscription-plan")
	b.Click("#subscribe")
	b.Visible("#register")
	b.FitsAPhone()
	b.Shoot("subscription-card")

	b.Click("#register")
	b.FinishWindow("", "cancel")
	b.WaitFor("main", "카드 등록창을 닫으셨어요")
	b.FitsAPhone()
	b.Shoot("subscription-fail")
	b.Visit(st.url + "/card")
	b.Click("#register")
	b.FinishWindow("card:61", "pay")
	b.WaitFor("#charges", "결제 완료")
	b.Shoot("subscription-active")
	assert.Contains(t, b.Text("#card"), "현대카드")
	assert.Equal(t, []string{"2027-01-1"}, st.moved())

	// The next month comes while the page is open, with a card that has run out.
	st.toss.SetRefusal(st.billingKey(), tosspayments.ErrInvalidCardExpiration)
	st.set("2027-02-28 10:00")
	b.WaitFor("#charges", "결제 실패")
	b.WaitFor("main", "3월 1일에 다시 결제해요")
	b.Shoot("subscription-refused")
	b.Click("#change")
	b.Visible("#register")
	b.Shoot("subscription-change")
	b.Click("#register")
	behave(b, tosspayments.ErrRejectCardPayment)
	b.FinishWindow("", "pay")
	b.WaitFor("#charges", "한도를 넘었거나")
	st.set("2027-03-01 10:01")
	b.WaitFor("main", "3월 3일에 다시 결제해요")
	st.set("2027-03-03 10:01")
	b.WaitFor("main", "3월 5일에 다시 결제해요")
	st.set("2027-03-05 10:01")
	b.WaitFor("#title", "다른 카드가 필요해요")
	b.FitsAPhone()
	b.Shoot("subscription-past-due")
	b.Click("#change")
	b.Click("#register")
	b.FinishWindow("", "pay")
	b.WaitFor("#charges", "재시도 5회")
	b.WaitFor("#charges li", "결제 완료")
	assert.Equal(t, []string{"2027-01-1", "2027-02-6"}, st.moved())
	b.FitsAPhone()
	b.Shoot("subscription-history")

	st.toss.RegisterWebhook(st.url + webhookPath)
	st.toss.RevokeBillingKey(st.billingKey())
	b.WaitFor("main", "해지됐다는 알림")
	b.Shoot("subscription-doubted")

	b.Click("summary")
	b.Visible("#cancel")
	b.FitsAPhone()
	b.Shoot("subscription-cancel")
	b.Click("#cancel")
	b.WaitFor("#title", "구독을 해지했어요")
	b.Shoot("subscription-canceled")
	b.Desktop()
	b.Shoot("subscription-canceled-desktop")
	st.set("2027-04-30 10:00")
	assert.Eventually(t, func() bool { return st.cards() == "deleted\ndeleted\ndeleted" }, 30*time.Second, 20*time.Millisecond)
	time.Sleep(300 * time.Millisecond)
	assert.Equal(t, []string{"2027-01-1", "2027-02-6"}, st.moved())
}

// TestRefreshInABrowser loads the success page again, and goes back to it.
func TestRefreshInABrowser(t *testing.T) {
	st := newStand(t)
	b := shoptest.NewBrowser(t)
	st.run()
	b.Visit(st.url)
	b.Click("#subscribe")
	b.Click("#register")
	b.FinishWindow("", "pay")
	b.WaitFor("#charges", "결제 완료")
	shoptest.Get(b, chromedp.Evaluate[any]("history.back()"))
	b.WaitFor("main", "카드")
	b.Visit(st.url)
	b.WaitFor("#title", "구독 중이에요")
	assert.Equal(t, []string{"2027-01-1"}, st.moved())
}

// TestMonthsGoBy is what a visitor of the sandbox sees, faster.
func TestMonthsGoBy(t *testing.T) {
	var out shoptest.Buffer
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		done <- run(ctx, config{
			address: "127.0.0.1:0", database: shoptest.Database(t), speed: 60 * aMonthAMinute, lease: time.Minute,
		}, &out, slog.New(slog.NewTextHandler(t.Output(), nil)))
	}()
	require.Eventually(t, func() bool { return strings.Contains(out.String(), "http://") }, 30*time.Second, 10*time.Millisecond)
	b := shoptest.NewBrowser(t)
	b.Visit(out.Line())
	today := b.Text("#today")
	b.Click("#subscribe")
	b.Click("#register")
	b.FinishWindow("", "pay")
	b.WaitFor("#charges li:nth-child(3)", "결제 완료")
	assert.NotEqual(t, today, b.Text("#today"))
	b.Shoot("subscription-months")
	cancel()
	require.NoError(t, <-done)
}
