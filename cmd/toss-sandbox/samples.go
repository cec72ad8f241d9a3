package main

import (
	"context"
	"fmt"
	"time"

	"github.com/seed238ab19c/tosspayments"
	tosspayouts "github.com/seed238ab19c/tosspayments/payouts"
)

// paying does what a marketplace's server does, so that the first payout needs no code.
func (b *sandbox) paying(ctx context.Context, do func(context.Context, *tosspayouts.Client) error) error {
	toss := b.client(false)
	defer toss.Close()
	client, err := tosspayouts.New(toss, b.keys.Security)
	if err != nil {
		return err
	}
	ctx, cancel := moneyTime(ctx)
	defer cancel()
	return do(ctx, client)
}

// registerSeller registers a person with made-up data.
func (b *sandbox) registerSeller(ctx context.Context) error {
	return b.paying(ctx, func(ctx context.Context, client *tosspayouts.Client) error {
		_, err := client.RegisterSeller(ctx, tosspayouts.RegisterSellerRequest{
			RefSellerID: "sample-" + random()[:8], BusinessType: tosspayouts.BusinessTypeIndividual,
			Individual: &tosspayouts.Individual{
				Name: tosspayments.NewSensitive("김토스"), Email: tosspayments.NewSensitive("seller@example.com"), Phone: tosspayments.NewSensitive("01000000000"),
			},
			Account: tosspayouts.Account{BankCode: "092", AccountNumber: tosspayments.NewSensitive("100012345678"), HolderName: tosspayments.NewSensitive("김토스")},
		})
		return err
	})
}

// payOut asks for a payout to a seller, now or on the next day on which banks work.
func (b *sandbox) payOut(ctx context.Context, a act) error {
	amount, err := tosspayments.ParseAmount(a.Amount)
	if err != nil || amount.Sign() <= 0 {
		return fmt.Errorf("%q is no amount", a.Amount)
	}
	r := tosspayouts.PayoutRequest{
		RefPayoutID: "sample-" + random()[:12], Destination: a.Of, ScheduleType: tosspayouts.ScheduleExpress,
		Amount: tosspayouts.Money{Currency: tosspayments.CurrencyKRW, Value: amount}, TransactionDescription: "샌드박스",
	}
	if a.Do == "pay-out-later" {
		day := b.toss.Now().In(time.FixedZone("KST", 9*60*60)).AddDate(0, 0, 1)
		for day.Weekday() == time.Saturday || day.Weekday() == time.Sunday {
			day = day.AddDate(0, 0, 1)
		}
		r.ScheduleType, r.PayoutDate = tosspayouts.ScheduleScheduled, tosspayments.Date{Year: day.Year(), Month: day.Month(), Day: day.Day()}
	}
	return b.paying(ctx, func(ctx context.Context, client *tosspayouts.Client) error {
		_, err := client.RequestPayouts(ctx, []tosspayouts.PayoutRequest{r})
		return err
	})
}
