package shop

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

const realScript = "https://js.tosspayments.com/v2/standard"

// Keys are those of the merchant; both or neither.
type Keys struct{ Secret, Client string }

// KeysFromEnvironment reads TOSS_SECRET_KEY and TOSS_CLIENT_KEY.
func KeysFromEnvironment() Keys {
	return Keys{Secret: os.Getenv("TOSS_SECRET_KEY"), Client: os.Getenv("TOSS_CLIENT_KEY")}
}

// Toss is where payments are made.
type Toss struct {
	Client    *tosspayments.Client
	ClientKey string
	// Script is the address of the browser script, Origins are those that pages need.
	Script, Origins string
	// Sandbox is the Toss Payments inside this process; nil with keys.
	Sandbox *tosstest.Server
	// Mode says in Korean and English whose money moves.
	Mode string
}

// Connect makes the client, or refuses keys that cannot work. It never pretends: only
// without any key it starts a Toss Payments inside this process. address is that of
// another sandbox, for API and script; "" is the real service.
func Connect(keys Keys, address string, logger *slog.Logger, options ...tosspayments.Option) (*Toss, error) {
	options = append(options, tosspayments.WithLogger(logger))
	if keys == (Keys{}) {
		if address != "" {
			return nil, errors.New("-toss needs TOSS_SECRET_KEY and TOSS_CLIENT_KEY")
		}
		server, err := tosstest.Start()
		if err != nil {
			return nil, err
		}
		logger.Warn("SANDBOX: no money moves; set TOSS_SECRET_KEY and TOSS_CLIENT_KEY for the real service")
		return InSandbox(server, options...), nil
	}
	if err := keys.check(); err != nil {
		return nil, err
	}
	t := &Toss{ClientKey: keys.Client, Script: realScript, Origins: "https://*.tosspayments.com"}
	if address != "" {
		t.Script, t.Origins = address+tosstest.ScriptPath, address
		options = append(options, tosspayments.WithBaseURL(address))
	}
	client, err := tosspayments.New(keys.Secret, options...)
	if err != nil {
		return nil, err
	}
	t.Client = client
	switch {
	case address != "":
		t.Mode = "SANDBOX " + address + ": 돈은 움직이지 않아요 / no money moves"
	case client.IsTest():
		t.Mode = "TEST: 테스트 키예요. 돈은 움직이지 않아요 / test keys, no money moves"
	default:
		t.Mode = "LIVE: 라이브 키예요. 실제로 결제돼요 / live keys, real money moves"
	}
	return t, nil
}

// InSandbox uses a Toss Payments inside this process.
func InSandbox(server *tosstest.Server, options ...tosspayments.Option) *Toss {
	return &Toss{
		Client: server.Client(options...), ClientKey: tosstest.DefaultClientKey,
		Script: server.URL + tosstest.ScriptPath, Origins: server.URL, Sandbox: server,
		Mode: "SANDBOX: TOSS_SECRET_KEY가 없어 프로그램 안의 가짜 토스페이먼츠를 써요. 돈은 움직이지 않아요 / no secret key given, no money moves",
	}
}

// Close ends the sandbox, where there is one.
func (t *Toss) Close() {
	if t.Sandbox != nil {
		t.Sandbox.Close()
	}
}

// check refuses keys that are not a pair: Toss Payments would say so only at the
// confirm, after the buyer has authenticated.
func (k *Keys) check() error {
	if k.Secret == "" {
		return errors.New("TOSS_CLIENT_KEY is set but TOSS_SECRET_KEY is not: set both, or neither for the built-in sandbox")
	}
	if k.Client == "" {
		return errors.New("TOSS_SECRET_KEY is set but TOSS_CLIENT_KEY is not: set both, or neither for the built-in sandbox")
	}
	key, err := tosspayments.ParseSecretKey(k.Secret)
	if err != nil {
		return fmt.Errorf("TOSS_SECRET_KEY: %w", err)
	}
	switch {
	case strings.Contains(k.Client, "_gck_") || key.IsWidget():
		return errors.New("TOSS_CLIENT_KEY or TOSS_SECRET_KEY is a widget key (gck, gsk): the payment window takes the API keys (ck, sk)")
	case !strings.Contains(k.Client, "_ck_"):
		return errors.New("TOSS_CLIENT_KEY must be a client key: test_ck_… or live_ck_…")
	case strings.HasPrefix(k.Client, "test_") != key.IsTest():
		return errors.New("TOSS_CLIENT_KEY and TOSS_SECRET_KEY are not of the same environment: both must be test keys, or both live keys")
	}
	return nil
}
