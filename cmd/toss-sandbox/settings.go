package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/internal/jwe"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

const usage = `toss-sandbox is a fake of Toss Payments for development. No money moves.

Usage: toss-sandbox [flags]

`

// settings are the flags.
type settings struct {
	address    string
	public     bool
	url        string
	hosts      []string
	webhooks   []string
	keys       keys
	seed       uint64
	faultShare float64
	rateLimit  int
	version    string
	stateFile  string
}

// keys are the two pairs of a merchant: for the payment window, billing and the API, and
// for the widgets.
type keys struct {
	Secret       string `json:"secretKey"`
	Client       string `json:"clientKey"`
	WidgetSecret string `json:"widgetSecretKey"`
	WidgetClient string `json:"widgetClientKey"`
	// Security is the security key: it encrypts payouts, and signs their events.
	Security string `json:"securityKey"`
}

// complete takes the keys that were not given from beside the state file, where there is
// one, and makes the rest.
func (k *keys) complete(stateFile string) error {
	if stateFile == "" {
		k.fill()
		return nil
	}
	name := stateFile + ".keys"
	var old keys
	data, err := os.ReadFile(name) //nolint:gosec // G304: the file that the user has named
	if err == nil {
		err = json.Unmarshal(data, &old)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s: %w", name, err)
	}
	*k = keys{
		cmp.Or(k.Secret, old.Secret), cmp.Or(k.Client, old.Client), cmp.Or(k.WidgetSecret, old.WidgetSecret), cmp.Or(k.WidgetClient, old.WidgetClient),
		cmp.Or(k.Security, old.Security),
	}
	k.fill()
	return nil
}

// save keeps the keys beside the state file.
func (k *keys) save(stateFile string) error {
	return os.WriteFile(stateFile+".keys", encode(k), 0o600) //nolint:gosec // G703: the file that the user has named
}

// fill makes the keys that were not given.
func (k *keys) fill() {
	for key, prefix := range k.prefixes() {
		if *key == "" {
			*key = prefix + random()
		}
	}
	if k.Security == "" {
		k.Security = random() + random()
	}
}

func (k *keys) prefixes() map[*string]string {
	return map[*string]string{&k.Secret: "test_sk_", &k.Client: "test_ck_", &k.WidgetSecret: "test_gsk_", &k.WidgetClient: "test_gck_"}
}

// check refuses keys that are not what their flag asks for. A live key has no business in
// a sandbox.
func (k *keys) check() error {
	for key, prefix := range k.prefixes() {
		if *key != "" && !strings.HasPrefix(*key, prefix) {
			return fmt.Errorf("a key must begin with %s: it is a sandbox's, and never a live one", prefix)
		}
	}
	if _, err := jwe.ParseKey(k.Security); k.Security != "" && err != nil {
		return errors.New("-security-key must have 64 hexadecimal digits")
	}
	for _, secret := range []string{k.Secret, k.WidgetSecret} {
		if _, err := tosspayments.ParseSecretKey(secret); secret != "" && err != nil {
			return err
		}
	}
	return nil
}

func parse(args []string, complaints io.Writer) (s settings, err error) {
	flags := flag.NewFlagSet("toss-sandbox", flag.ContinueOnError)
	flags.SetOutput(complaints)
	flags.Usage = func() {
		fmt.Fprint(complaints, usage)
		flags.PrintDefaults()
	}
	flags.StringVar(&s.address, "addr", "127.0.0.1:8787", "`address` and port to listen on")
	flags.BoolVar(&s.public, "public", false,
		"let -addr be an address that others can reach: whoever can, sees and changes\neverything here; for containers and trusted networks")
	flags.StringVar(&s.url, "url", "", "`URL` at which browsers reach it, where that is not its own address")
	flags.Func("host", "`name` by which other machines or containers reach it, such as toss-sandbox;\nmay be repeated", func(name string) error {
		s.hosts = append(s.hosts, name)
		return nil
	})
	flags.Func("webhook", "`URL` to which events are sent; may be repeated", func(address string) error {
		s.webhooks = append(s.webhooks, address)
		return checkURL(address)
	})
	flags.StringVar(&s.keys.Secret, "secret-key", "", "secret `key`, test_sk_… (default a new one on every start, as for the other keys)")
	flags.StringVar(&s.keys.Client, "client-key", "", "client `key`, test_ck_…")
	flags.StringVar(&s.keys.WidgetSecret, "widget-secret-key", "", "secret `key` of the widgets, test_gsk_…")
	flags.StringVar(&s.keys.WidgetClient, "widget-client-key", "", "client `key` of the widgets, test_gck_…")
	flags.StringVar(&s.keys.Security, "security-key", "", "security `key` of payouts, 64 hexadecimal digits")
	flags.Uint64Var(&s.seed, "seed", 0, "`number` that makes payment keys and random faults repeatable; 0 is another on every start")
	flags.Float64Var(&s.faultShare, "faults", 0, "`share` of requests and webhooks that go wrong in random ways, 0 to 1")
	flags.IntVar(&s.rateLimit, "rate-limit", 0, "`number` of requests a minute to one endpoint before 429 is answered, 100 in the real\ntest environment as far as is known (default no limit)")
	flags.StringVar(&s.version, "api-version", "2022-11-16", "API `version` of the merchant: 2022-11-16 or 2024-06-01")
	flags.StringVar(&s.stateFile, "state", "", "`file` that keeps payments over restarts, and beside it, with .keys at the end, the keys\n(default: nothing is kept)")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if flags.NArg() > 0 {
		return s, fmt.Errorf("unexpected argument %q; see -h", flags.Arg(0))
	}
	return s, s.check()
}

func (s *settings) check() error {
	host, _, err := net.SplitHostPort(s.address)
	if err != nil {
		return fmt.Errorf("-addr must be like 127.0.0.1:8787: %w", err)
	}
	if ip := net.ParseIP(host); !s.public && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("-addr %s can be reached from other machines, and whoever reaches it sees and changes everything here.\n"+
			"If that is what you want, add -public", s.address)
	}
	if s.url != "" {
		if err := checkURL(s.url); err != nil {
			return fmt.Errorf("-url %w", err)
		}
		u, _ := url.Parse(s.url)
		s.url = strings.TrimSuffix(s.url, "/")
		s.hosts = append(s.hosts, u.Hostname())
	}
	if s.faultShare < 0 || s.faultShare > 1 {
		return errors.New("-faults must be between 0 and 1")
	}
	if !slices.Contains([]string{"2022-11-16", "2024-06-01"}, s.version) {
		return errors.New("-api-version must be 2022-11-16 or 2024-06-01")
	}
	return s.keys.check()
}

func checkURL(address string) error {
	if u, err := url.Parse(address); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("must be an absolute URL such as http://localhost:3000/webhook")
	}
	return nil
}

// options are those of the fake.
func (s *settings) options() []tosstest.Option {
	options := []tosstest.Option{
		tosstest.WithSecretKey(s.keys.Secret), tosstest.WithClientKey(s.keys.Client), tosstest.WithAPIVersion(s.version),
		tosstest.WithWidgetKeys(s.keys.WidgetClient, s.keys.WidgetSecret), tosstest.WithSecurityKey(s.keys.Security),
	}
	if s.seed != 0 {
		options = append(options, tosstest.WithSeed(s.seed))
	}
	if s.rateLimit > 0 {
		options = append(options, tosstest.WithRateLimit(s.rateLimit))
	}
	if s.faultShare > 0 {
		options = append(options, tosstest.WithRandomFaults(s.seed, s.faultShare), tosstest.WithRandomWebhookFaults(s.seed, s.faultShare))
	}
	return options
}

// greet prints what a newcomer needs.
func (s *settings) greet(out io.Writer) {
	events := strings.Join(s.webhooks, ", ")
	if events == "" {
		events = "shown on the page only; -webhook http://localhost:3000/webhook sends them"
	}
	kept := "nothing is kept when it ends (-state sandbox.json keeps it)"
	if s.stateFile != "" {
		kept = "what it knows is kept in " + s.stateFile
	}
	fmt.Fprintf(out, `toss-sandbox: a fake of Toss Payments. No money moves; %[8]s.

  page          %[1]s/        payments, requests and webhooks as they happen
  test shop     %[1]s/shop    the first payment, without any code

  API           %[1]s         in place of https://api.tosspayments.com
  script        %[1]s%[2]s    in place of https://js.tosspayments.com/v2/standard
  webhooks      %[7]s

  Payment window, billing, API
    client key  %[4]s
    secret key  %[3]s
  Widgets
    client key  %[6]s
    secret key  %[5]s
  Payouts
    security key  %[9]s

Try it: pay in the test shop, or open a payment window from here:

  curl -u %[3]s: -H 'Content-Type: application/json' %[1]s/v1/payments \
    -d '{"method":"CARD","amount":15000,"orderId":"order-0001","orderName":"socks","successUrl":"%[1]s/","failUrl":"%[1]s/"}'

In Go:

  tosspayments.New("%[3]s", tosspayments.WithBaseURL("%[1]s"))

Ctrl+C ends it.
`, s.url, tosstest.ScriptPath, s.keys.Secret, s.keys.Client, s.keys.WidgetSecret, s.keys.WidgetClient, events, kept, s.keys.Security)
}
