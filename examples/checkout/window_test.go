package main

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"

	"github.com/seed238ab19c/tosspayments/examples/internal/shoptest"
)

// TestWindowThatCannotBeOpened: what the browser says about it is not for buyers.
func TestWindowThatCannotBeOpened(t *testing.T) {
	st := newStand(t)
	st.Visit(st.url)
	st.Click("#order")
	st.Visible("#pay")
	shoptest.Get(st.Browser, chromedp.Evaluate[any](`window.TossPayments = () => ({
		payment: () => ({ requestPayment: async () => { throw new TypeError("Failed to fetch"); } }),
	}); null`))
	st.Click("#pay")
	st.WaitFor("#problem", "인터넷 연결을 확인하고 다시 시도해 주세요")
	assert.NotContains(t, st.Text("#problem"), "Failed to fetch")
}
