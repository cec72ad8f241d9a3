package recipes

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
)

func TestNewShopNeedsAKey(t *testing.T) {
	t.Setenv("TOSS_SECRET_KEY", "")
	_, err := NewShop(newMemory())
	require.Error(t, err)
	t.Setenv("TOSS_SECRET_KEY", "test_sk_0123456789")
	_, err = NewShop(newMemory())
	require.NoError(t, err)
}

func TestClientsOfTestKeys(t *testing.T) {
	t.Setenv("TOSS_SECRET_KEY", "test_sk_0123456789")
	t.Setenv("TOSS_BILLING_SECRET_KEY", "test_sk_9876543210")
	clients, err := NewClients(false)
	require.NoError(t, err)
	assert.NotNil(t, clients.Payments)
	assert.NotNil(t, clients.Billing)
	_, err = NewClients(true)
	require.ErrorContains(t, err, "TOSS_SECRET_KEY")
}

func TestKeysOfTwoEnvironments(t *testing.T) {
	t.Setenv("TOSS_SECRET_KEY", "live_sk_0123456789")
	t.Setenv("TOSS_BILLING_SECRET_KEY", "test_sk_9876543210")
	_, err := NewClients(false)
	require.ErrorContains(t, err, "TOSS_SECRET_KEY")
	_, err = NewClients(true)
	require.ErrorContains(t, err, "TOSS_BILLING_SECRET_KEY")
}

func TestClientKeysAreNoSecretKeys(t *testing.T) {
	t.Setenv("TOSS_SECRET_KEY", "live_ck_0123456789")
	t.Setenv("TOSS_BILLING_SECRET_KEY", "test_sk_9876543210")
	_, err := NewClients(true)
	var invalid *tosspayments.ValidationError
	require.ErrorAs(t, err, &invalid)
	assert.NotContains(t, err.Error(), "0123456789")
}

func TestCheckPair(t *testing.T) {
	for keys, ok := range map[[2]string]bool{
		{"test_ck_1", "test_sk_1"}:   true,
		{"live_gck_1", "live_gsk_1"}: true,
		{"live_ck_1", "test_sk_1"}:   false,
		{"test_ck_1", "live_sk_1"}:   false,
		{"test_gck_1", "test_sk_1"}:  false,
		{"test_ck_1", "test_gsk_1"}:  false,
		{"test_ck_1", "test_ck_1"}:   false,
	} {
		err := CheckPair(keys[0], keys[1])
		assert.Equal(t, ok, err == nil, keys)
	}
}
