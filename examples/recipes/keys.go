package recipes

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/seed238ab19c/tosspayments"
)

// Clients has one client for each secret key of the shop.
type Clients struct{ Payments, Billing *tosspayments.Client }

// NewClients reads the keys once, at start.
func NewClients(production bool) (clients Clients, err error) {
	if clients.Payments, err = newClient("TOSS_SECRET_KEY", production); err != nil {
		return clients, err
	}
	clients.Billing, err = newClient("TOSS_BILLING_SECRET_KEY", production)
	return clients, err
}

// newClient keeps a live key off a developer's machine, and a test key, with which nobody
// really pays, out of production.
func newClient(name string, production bool) (*tosspayments.Client, error) {
	key, err := tosspayments.ParseSecretKey(os.Getenv(name))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if key.IsLive() != production {
		return nil, fmt.Errorf("%s: live keys are for production, and no other key is", name)
	}
	return tosspayments.New(os.Getenv(name))
}

// CheckPair finds keys that cannot be a pair. Whether two keys are of the same shop only
// Toss Payments can tell.
func CheckPair(clientKey, secretKey string) error {
	key, err := tosspayments.ParseSecretKey(secretKey)
	switch {
	case err != nil:
		return err
	case strings.HasPrefix(clientKey, "live_") != key.IsLive():
		return errors.New("one key is live, the other is not")
	case strings.Contains(clientKey, "_gck_") != key.IsWidget():
		return errors.New("one key is of the widget set, the other is not")
	}
	return nil
}
