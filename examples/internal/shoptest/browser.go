// Package shoptest tests the example shops: in a browser, on both databases, and by
// killing them.
package shoptest

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// patience is how long a page may take on a slow machine.
const patience = 40 * time.Second

// programs are the names of Chromium, first those of the one that has no windows to draw
// and so needs half the time.
var programs = []string{"chromium-headless-shell", "chrome-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome"}

// Step is something that a browser does.
type Step = chromedp.Action[chromedp.Void]

// Browser is a tab of a real browser.
type Browser struct {
	t   *testing.T
	tab context.Context
}

// Main runs the tests of a package, which share one browser and what Build has built.
// More of them run at once than there are processors, unless -parallel says how many:
// they mostly wait.
func Main(m *testing.M) {
	_ = flag.Set("test.parallel", "32")
	code := m.Run()
	stop()
	if built.folder != "" {
		_ = os.RemoveAll(built.folder)
	}
	os.Exit(code)
}

var stop = func() {}

// Hosts are Chromium's rules for the names of hosts. Where a test has set them before the
// first browser starts, the browser also trusts every certificate, and frames of other
// sites are reached like those of the same one.
var Hosts string

const ownHost = "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"

// unneeded is what a new tab would spend most of its time on: a toolbar, drawn by pages.
const unneeded = "Translate,InitialWebUI,InitialWebUISyncNavStartToCommit,WebUIToolbar,WebUITabStrip,WebUIReloadButton," +
	"WebUIHomeButton,WebUILocationBar,WebUIBackForwardButton,WebUISplitTabsButton,WebUIPinnedToolbarActions," +
	"WebUIOverflowButton,WebUIPerformanceInterventionButton,WebUIOmniboxPopup,WebUIOmniboxFullPopup,WebUIOmniboxAimPopup"

// browser starts the browser of the package.
var browser = sync.OnceValues(func() (context.Context, error) {
	chromium := ""
	for _, name := range programs {
		if path, err := exec.LookPath(name); err == nil {
			chromium = path
			break
		}
	}
	if chromium == "" {
		return nil, errNoBrowser
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-features", unneeded),
		chromedp.Flag("host-resolver-rules", cmp.Or(Hosts, ownHost)))
	if Hosts != "" {
		options = append(options, chromedp.Flag("ignore-certificate-errors", true),
			chromedp.Flag("disable-site-isolation-trials", true), chromedp.Flag("disable-features", unneeded+",IsolateOrigins,site-per-process"))
	}
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, _ := chromedp.NewContext(allocator)
	stop = cancel
	return ctx, chromedp.Do(ctx)
})

// tabs are the browsers that may be open at once; what they draw keeps a processor busy.
var tabs = make(chan struct{}, 4)

var errNoBrowser = errors.New("no Chromium on this machine: install it to run the browser tests")

var pages = flag.Bool("pages", false, "test the pages of the sandbox, too")

// NewBrowserForPages is NewBrowser for tests of the sandbox's own pages. They are many, and
// the shops' tests go through its payment window anyway: -pages asks for them.
func NewBrowserForPages(t *testing.T) *Browser {
	t.Helper()
	if !*pages {
		t.Skip("the sandbox's own pages are tested with: go test ./examples/internal/sandboxtest -args -pages")
	}
	return NewBrowser(t)
}

// NewBrowser opens a browser with no cookies, in a test that runs beside others since it
// mostly waits. It is skipped where there is none, with -short, and with DATABASE_URL:
// pages are the same on every database.
func NewBrowser(t *testing.T) *Browser {
	t.Helper()
	if testing.Short() {
		t.Skip("a browser takes long")
	}
	if os.Getenv("DATABASE_URL") != "" {
		t.Skip("pages are the same on every database")
	}
	parent, err := browser()
	if errors.Is(err, errNoBrowser) {
		t.Skip(err)
	}
	require.NoError(t, err)
	t.Parallel()
	tabs <- struct{}{}
	t.Cleanup(func() { <-tabs })
	b := newTab(t, parent, chromedp.WithNewBrowserContext())
	b.Phone()
	return b
}

func newTab(t *testing.T, parent context.Context, options ...chromedp.ContextOption) *Browser { //nolint:revive // context-as-argument: t comes first in tests.
	t.Helper()
	tab, cancel := chromedp.NewContext(parent, options...)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(tab))
	return &Browser{t, tab}
}

// Tab opens another tab of the same browser.
func (b *Browser) Tab() *Browser {
	b.t.Helper()
	return newTab(b.t, b.tab)
}

// Do takes steps, one after the other.
func (b *Browser) Do(steps ...Step) {
	b.t.Helper()
	for _, step := range steps {
		Get(b, step)
	}
}

// Get takes a step that has a result. A step that met a page on its way out, and so did
// nothing, is taken again on the next one.
func Get[T any](b *Browser, action chromedp.Action[T]) T {
	b.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		value, err := try(b.tab, action)
		if err == nil || time.Now().After(deadline) || !isOvertaken(err) {
			require.NoError(b.t, err)
			return value
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// try takes a step once. A page that goes elsewhere may take the answer with it.
func try[T any](tab context.Context, action chromedp.Action[T]) (T, error) {
	ctx, cancel := context.WithTimeout(tab, patience/4)
	defer cancel()
	return chromedp.Run(ctx, action)
}

// isOvertaken reports whether a step has failed because the page went elsewhere.
func isOvertaken(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "(-32000)") || strings.Contains(err.Error(), "net::ERR_ABORTED")
}

// Phone shows pages as a phone does, and says that it is one.
func (b *Browser) Phone() {
	b.t.Helper()
	b.userAgent("Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36")
	scale := 1.0 // four times less to draw than on a phone
	if os.Getenv("SCREENSHOTS") != "" {
		scale = 2
	}
	b.Do(chromedp.EmulateViewport(360, 780, chromedp.EmulateScale(scale), chromedp.EmulateMobile))
}

// Desktop shows pages as a desktop does, and says that it is one.
func (b *Browser) Desktop() {
	b.t.Helper()
	b.userAgent("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36")
	b.Do(chromedp.EmulateViewport(1280, 900))
}

func (b *Browser) userAgent(text string) {
	b.t.Helper()
	b.Do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: text})
		return err
	}))
}

// Visit opens an address.
func (b *Browser) Visit(address string) { b.t.Helper(); b.Do(chromedp.Navigate(address)) }

// Click waits for an element and clicks it.
func (b *Browser) Click(selector string) { b.t.Helper(); b.Do(Click(selector)) }

// Click is a step that waits for an element, until it is enabled, and clicks it.
func Click(selector string) Step { return chromedp.Click(chromedp.CSS(selector + ":not(:disabled)")) }

// Visible waits for an element.
func (b *Browser) Visible(selector string) {
	b.t.Helper()
	b.Do(chromedp.WaitVisible(chromedp.CSS(selector)))
}

// Text waits for an element and returns its text.
func (b *Browser) Text(selector string) string {
	b.t.Helper()
	return strings.TrimSpace(Get(b, chromedp.Text(chromedp.CSS(selector))))
}

// Address is that of the page.
func (b *Browser) Address() string { b.t.Helper(); return Get(b, chromedp.Location()) }

// WaitFor waits until the element says so, on whatever page the browser is by then.
func (b *Browser) WaitFor(selector, text string) {
	b.t.Helper()
	expression := `(document.querySelector(` + strconv.Quote(selector) + `) || {textContent: ""}).textContent`
	var last string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(b.tab, 5*time.Second)
		found, err := chromedp.Run(ctx, chromedp.Evaluate[string](expression))
		cancel()
		if err == nil && strings.Contains(found, text) {
			return
		}
		last = found
	}
	require.Failf(b.t, "the page never said it", "%q in %s, but %q", text, selector, last)
}

// FinishWindow ends the payment window with a means such as "card:61", or "" for the
// one that is checked, and an outcome.
func (b *Browser) FinishWindow(means, outcome string) {
	b.t.Helper()
	steps := []Step{chromedp.WaitVisible(chromedp.CSS(".pay"))}
	if means != "" {
		steps = append(steps, Click(`label:has(input[value="`+means+`"])`))
	}
	if outcome != "pay" && outcome != "cancel" {
		steps = append(steps, Click("summary"))
	}
	b.Do(append(steps, Click(`button[value="`+outcome+`"]`))...)
}

// FitsAPhone checks that nothing of the page is cut off, that whatever can be pressed is large
// enough for a finger, that a number or an id stands on one line, and that those below each
// other are easy to compare.
func (b *Browser) FitsAPhone() {
	b.t.Helper()
	assert.Empty(b.t, Get(b, chromedp.Evaluate[[]string](`(() => {
		const wrong = [], check = (selector, holds) => document.querySelectorAll(selector).forEach((e) => {
			if (e.checkVisibility() && !holds(e, e.getBoundingClientRect())) {
				wrong.push(e.outerHTML.slice(0, 120));
			}
		});
		check("html", (e) => e.scrollWidth <= innerWidth);
		check("a, button, summary, select, input[type=text], label:has(input)", (e, r) => r.width >= 44 && r.height >= 44);
		check("dd, code", (e, r) => /\s/.test(e.innerText) || r.height < 2 * parseFloat(getComputedStyle(e).lineHeight));
		check("dd, .state, li > strong", (e) => getComputedStyle(e).textAlign === "right" && getComputedStyle(e).fontVariantNumeric === "tabular-nums");
		return wrong;
	})()`)))
}

// Shoot takes a picture, where SCREENSHOTS names a folder for pictures.
func (b *Browser) Shoot(name string) {
	b.t.Helper()
	dir := os.Getenv("SCREENSHOTS")
	if dir == "" {
		return
	}
	time.Sleep(200 * time.Millisecond)
	var png []byte
	var err error
	for range 5 { // a page that is just being loaded again never answers
		ctx, cancel := context.WithTimeout(b.tab, 10*time.Second)
		png, err = chromedp.Run(ctx, chromedp.CaptureScreenshot())
		cancel()
		if err == nil {
			break
		}
	}
	require.NoError(b.t, err)
	require.NoError(b.t, os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600))
}
