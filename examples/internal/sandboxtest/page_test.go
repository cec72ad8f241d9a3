package sandboxtest

import (
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/seed238ab19c/tosspayments/examples/internal/shoptest"
)

func TestMain(m *testing.M) { shoptest.Main(m) }

// speak shows the pages in a language.
func speak(b *shoptest.Browser, language string) {
	shoptest.Get(b, chromedp.Evaluate[bool](`localStorage.setItem("language", "`+language+`"), location.reload(), true`))
}

func TestFirstPayment(t *testing.T) {
	s := Start(t)
	live := shoptest.NewBrowser(t)
	live.Desktop()
	live.Visit(s.URL + "/")
	live.WaitFor("#link", "Live")
	live.Shoot("live-empty")
	speak(live, "ko")
	live.WaitFor("#link", "실시간")
	shop := live.Tab()
	shop.Phone()
	shop.Visit(s.URL + "/shop")
	shop.Visible(".goods")
	shop.Shoot("shop-phone")
	shop.Click(".goods section:nth-child(1) .primary")
	shop.FinishWindow("", "pay")
	shop.WaitFor("h2", "결제가 끝났어요")
	shop.Shoot("shop-paid")
	live.WaitFor("#rows", "결제 완료")
	live.Click("#rows button")
	live.WaitFor("#detail .life", "결제 승인")
	live.Shoot("live-ko")
	shop.Visit(s.URL + "/shop")
	shop.Click(`label:has([value="VIRTUAL_ACCOUNT"])`)
	shop.Click(".goods section:nth-child(1) .primary")
	shop.FinishWindow("", "pay")
	shop.WaitFor("h2", "입금을 기다리고 있어요")
	shop.Shoot("shop-waiting")
	shop.Visit(s.URL + "/shop")
	shop.Click(".goods section:last-child .primary")
	shop.FinishWindow("", "pay")
	shop.WaitFor("h2", "카드를 등록했어요")
	shop.Click(".outcome .primary")
	shop.WaitFor("h2", "결제가 끝났어요")
	live.Phone()
	live.Shoot("live-phone-detail")
	live.Click(".back")
	live.Shoot("live-phone")
	shop.Desktop()
	shop.Visit(s.URL + "/shop")
	shop.Visible(".goods")
	shop.Shoot("shop")
}
