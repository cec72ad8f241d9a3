package shoptest

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// Frame is a frame of a page, by a selector of its element. It is looked up for each
// step, since frames come, go and show other pages.
type Frame struct {
	t        *testing.T
	browser  *Browser
	selector string
}

// Frame is the frame of an element of the page.
func (b *Browser) Frame(selector string) *Frame { return &Frame{b.t, b, selector} }

var errNoFrame = errors.New("no such frame")

// frameEvaluate evaluates an expression in the frame.
func frameEvaluate[T any](f *Frame, expression string) (value T, err error) {
	ctx, cancel := context.WithTimeout(f.browser.tab, 10*time.Second)
	defer cancel()
	source, err := chromedp.Run(ctx, chromedp.Evaluate[string](
		`(document.querySelector(`+strconv.Quote(f.selector)+`) || {src: ""}).src`))
	if err != nil {
		return value, err
	}
	_, err = chromedp.Run(ctx, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		tree, err := cdp.Call(ctx, t, page.GetFrameTree, cdp.Empty{})
		if err != nil {
			return err
		}
		for _, child := range tree.FrameTree.ChildFrames {
			if source == "" || !strings.HasPrefix(child.Frame.URL, source) {
				continue
			}
			world, err := cdp.Call(ctx, t, page.CreateIsolatedWorld, page.CreateIsolatedWorldParams{FrameID: child.Frame.ID})
			if err != nil {
				return err
			}
			yes := true
			out, err := cdp.Call(ctx, t, runtime.Evaluate, runtime.EvaluateParams{
				Expression: expression, ContextID: world.ExecutionContextID, ReturnByValue: &yes, UserGesture: &yes,
			})
			if err != nil {
				return err
			}
			return json.Unmarshal(out.Result.Value, &value)
		}
		return errNoFrame
	}))
	return value, err
}

// Await evaluates an expression in the frame until it is true.
func (f *Frame) Await(expression string) {
	f.t.Helper()
	var err error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		var done bool
		if done, err = frameEvaluate[bool](f, "!!("+expression+")"); err == nil && done {
			return
		}
	}
	require.Failf(f.t, "it never happened in the frame", "%s: %s: %v", f.selector, expression, err)
}

// Visible waits for an element of the frame.
func (f *Frame) Visible(selector string) {
	f.t.Helper()
	f.Await(`(e => e && e.checkVisibility())(document.querySelector(` + strconv.Quote(selector) + `))`)
}

// Click waits for an element of the frame and clicks it with the mouse.
func (f *Frame) Click(selector string) {
	f.t.Helper()
	f.Visible(selector)
	quoted := strconv.Quote(selector)
	f.Await(`document.querySelector(` + quoted + `).scrollIntoView({block: "center", behavior: "instant"}) || true`)
	const middle = `(r => [r.x + r.width / 2, r.y + r.height / 2])`
	inside, err := frameEvaluate[[]float64](f, middle+`(document.querySelector(`+quoted+`).getBoundingClientRect())`)
	require.NoError(f.t, err)
	frame := Get(f.browser, chromedp.Evaluate[[]float64](`(r => [r.x, r.y])(document.querySelector(`+strconv.Quote(f.selector)+`).getBoundingClientRect())`))
	f.browser.Do(chromedp.MouseClickXY(frame[0]+inside[0], frame[1]+inside[1]))
}

// Pick chooses an option of a select element of the frame.
func (f *Frame) Pick(selector, value string) {
	f.t.Helper()
	f.Visible(selector)
	f.Await(`(e => { e.value = ` + strconv.Quote(value) + `; e.dispatchEvent(new Event("input", {bubbles: true})); return true; })(document.querySelector(` + strconv.Quote(selector) + `))`)
}
