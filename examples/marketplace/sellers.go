package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/examples/internal/shop"
	"github.com/seed238ab19c/tosspayments/payouts"
)

// register stores a seller and registers them at Toss Payments. The account goes there, and is
// not kept here: after a crash the seller is found by the id, and otherwise registers again.
func (m *market) register(ctx context.Context, ref, name string, account payouts.Account, person *payouts.Individual) error {
	if _, err := m.db.ExecContext(ctx, `INSERT INTO sellers (ref, name, made_at, look_at) VALUES ($1, $2, $3, $4)`,
		ref, name, m.now().Unix(), m.later()); err != nil {
		return err
	}
	seller, err := m.payouts.RegisterSeller(ctx, payouts.RegisterSellerRequest{
		RefSellerID: ref, BusinessType: payouts.BusinessTypeIndividual, Individual: person, Account: account,
	}, tosspayments.WithIdempotencyKey("seller-"+ref))
	switch outcome := tosspayments.OutcomeOf(nil, err); {
	case err == nil:
		return m.saveSeller(ctx, seller)
	case outcome == tosspayments.OutcomeRefused, outcome == tosspayments.OutcomeNotSent:
		return errors.Join(err, m.forget(ctx, ref))
	}
	return err
}

func (m *market) saveSeller(ctx context.Context, seller *payouts.Seller) error {
	_, err := m.db.ExecContext(ctx, `UPDATE sellers SET toss_id = $2, status = $3 WHERE ref = $1`, seller.RefSellerID, seller.ID, string(seller.Status))
	return err
}

func (m *market) forget(ctx context.Context, ref string) error {
	_, err := m.db.ExecContext(ctx, `DELETE FROM sellers WHERE ref = $1 AND toss_id = ''`, ref)
	return err
}

// longestRegistration is after which no request of a registration can be under way any more.
const longestRegistration = 10 * time.Minute

// findSellers finds out whether those were registered whose registration was interrupted.
func (m *market) findSellers(ctx context.Context) error {
	refs, err := shop.Texts(ctx, m.db, `SELECT ref FROM sellers WHERE toss_id = '' AND look_at <= $1`, m.now().Unix())
	if err != nil || len(refs) == 0 {
		return err
	}
	for seller, err := range m.payouts.AllSellers(ctx, payouts.SellerQuery{Limit: 100}) {
		if err != nil {
			return err
		}
		if i := slices.Index(refs, seller.RefSellerID); i >= 0 {
			if err := m.saveSeller(ctx, &seller); err != nil {
				return err
			}
			refs = slices.Delete(refs, i, i+1)
		}
	}
	for _, ref := range refs {
		_, err := m.db.ExecContext(ctx, `DELETE FROM sellers WHERE ref = $1 AND toss_id = '' AND made_at < $2`, ref, m.now().Add(-longestRegistration).Unix())
		if err == nil {
			_, err = m.db.ExecContext(ctx, `UPDATE sellers SET look_at = $2 WHERE ref = $1`, ref, m.later())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readSellers reads those who are not payable: an event about them may be lost.
func (m *market) readSellers(ctx context.Context) error {
	ids, err := shop.Texts(ctx, m.db, `SELECT toss_id FROM sellers WHERE toss_id <> '' AND status NOT IN ('APPROVED', 'PARTIALLY_APPROVED')`)
	for _, id := range ids {
		seller, readErr := m.payouts.GetSeller(ctx, id)
		if readErr == nil {
			readErr = m.saveSeller(ctx, seller)
		}
		err = errors.Join(err, readErr)
	}
	return err
}
