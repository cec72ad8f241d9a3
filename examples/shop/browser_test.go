package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/seed238ab19c/tosspayments/examples/internal/shoptest"
)

func TestMain(m *testing.M) { shoptest.Main(m) }

func TestBuyInABrowser(t *testing.T) {
	s := newStand(t)
	b := shoptest.NewBrowser(t)
	b.Visit(s.url)
	b.FitsAPhone()
	b.Shoot("shop")
	b.Click("button")
	b.Click("#pay")
	b.FinishWindow("", "lose")
	b.WaitFor("#state", "결제됐어요")
	b.FitsAPhone()
	b.Shoot("shop-paid")
	b.Click("form button")
	b.WaitFor("#state", "환불됐어요")
	var id string
	assert.NoError(t, s.shop.db.QueryRow(`SELECT id FROM orders`).Scan(&id))
	assert.Len(t, s.server.Refunds(id), 1)
}
