package tosstest

import (
	"embed"
	"html/template"
	"net/http"
	"path"
	"strings"
	"sync"

	"github.com/seed238ab19c/tosspayments"
)

// ScriptPath is where a [Server] serves its stand-in for the official script,
// https://js.tosspayments.com/v2/standard. It has the interface of version 2.8.1, and
// opens the server's own windows. Everything else that a browser asks for is below it
// or at /window, so that one origin is all that a page's Content-Security-Policy needs.
const ScriptPath = "/v2/standard"

const windowPath = "/window"

// Browser is what a merchant sets in the dashboard of Toss Payments for the browser, and
// what is not known of the real script. The zero value is what [New] uses.
type Browser struct {
	// CloseRedirects takes a buyer who closes the window on a desktop to failUrl, with
	// PAY_PROCESS_CANCELED, as on a phone. Otherwise the promise rejects with
	// USER_CANCEL and the page stays. Which of the two the real script does was never
	// recorded; most shops that were read handle USER_CANCEL.
	CloseRedirects bool
	// Method is the method that is selected in a fresh order form, such as "CARD"; ""
	// is none.
	Method string
	// TermsOpen leaves the required terms of a fresh order form for the buyer to agree
	// with. Otherwise they are agreed.
	TermsOpen bool
	// NoInitialEvents fires paymentMethodSelect and agreementStatusChange only for what the
	// buyer does. Otherwise both are fired once for what a fresh order form shows, after
	// on() was called. Which is real is not known.
	NoInitialEvents bool
	// AcceptUndeclared lets parameters pass that the official types do not declare. They
	// are refused with INVALID_PARAMETERS, as documented; whether the real script does
	// so was never recorded.
	AcceptUndeclared bool
	// VariantKeys are those of the merchant's order forms; nil accepts every key.
	VariantKeys []string
	// BrandPayRedirectURLs are those registered for BrandPay; nil accepts every URL.
	BrandPayRedirectURLs []string
}

// WithBrowser sets how the script and its windows behave.
func WithBrowser(b Browser) Option { return func(s *Server) { s.browser = b } }

//go:embed browser
var browserFiles embed.FS

// browserFile is a file of the folder browser.
func browserFile(name string) []byte {
	data, err := browserFiles.ReadFile("browser/" + name)
	if err != nil {
		panic(err)
	}
	return data
}

var browserPages = sync.OnceValue(func() *template.Template {
	return template.Must(template.ParseFS(browserFiles, "browser/*.html"))
})

// assets are the files that the windows and the order form load, by their type.
var assets = map[string]string{
	"window.js": "text/javascript", "keyboard.js": "text/javascript", "widget.js": "text/javascript",
	"window.css": "text/css", "icon.svg": "image/svg+xml",
}

// serveBrowser answers what a browser asks for, and reports whether it did.
func (s *Server) serveBrowser(w http.ResponseWriter, r *http.Request) bool {
	id, isWindow := strings.CutPrefix(r.URL.Path, windowPath+"/")
	name, isPart := strings.CutPrefix(r.URL.Path, ScriptPath+"/")
	get, post := r.Method == http.MethodGet, r.Method == http.MethodPost
	switch {
	case get && r.URL.Path == ScriptPath:
		s.serveScript(w)
	case get && isPart && assets[name] != "":
		answerPage(w, assets[name]+"; charset=utf-8", browserFile(name))
	case get && isPart:
		s.serveWidget(w, name)
	case post && r.URL.Path == windowPath:
		s.serveOpenWindow(w, r)
	case get && isWindow:
		s.showWindow(w, id)
	case post && isWindow:
		s.closeWindow(w, r, id)
	default:
		return false
	}
	return true
}

func answerPage(w http.ResponseWriter, contentType string, data []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(data) //nolint:gosec // Files of this package and the server's own settings.
}

// scriptFiles make up the script, in this order.
var scriptFiles = []string{"standard.js", "frames.js", "payment.js", "widgets.js", "brandpay.js"}

// serveScript writes the script with the settings of the server.
func (s *Server) serveScript(w http.ResponseWriter) {
	messages := map[tosspayments.ErrorCode]string{}
	for _, code := range scriptCodes {
		info, _ := code.Info()
		messages[code] = info.Korean
	}
	settings := encode(map[string]any{
		"clientKeys":    map[string]string{s.individual.clientKey: "individual", s.widget.clientKey: "widget"},
		"messages":      messages,
		"path":          ScriptPath,
		"initialEvents": !s.browser.NoInitialEvents,
		"variantKeys":   s.browser.VariantKeys,
	})
	script := []byte("(function () {\n\"use strict\";\nconst settings = " + string(settings) + ";\n")
	for _, name := range scriptFiles {
		script = append(append(script, browserFile(name)...), '\n')
	}
	answerPage(w, "text/javascript; charset=utf-8", append(script, "})();\n"...))
}

// scriptCodes are the codes of what the script refuses without asking the server.
var scriptCodes = []tosspayments.ErrorCode{
	tosspayments.ErrInvalidClientKey, tosspayments.ErrInvalidCustomerKey, tosspayments.ErrInsecureKeyUsage,
	tosspayments.ErrNotSupportedWidgetKey, tosspayments.ErrNotSupportedAPIIndividualKey, tosspayments.ErrV1MethodNotSupported,
	tosspayments.ErrInvalidParameters, tosspayments.ErrInvalidParameter, tosspayments.ErrInvalidAmountValue,
	tosspayments.ErrInvalidAmountCurrency, tosspayments.ErrNotSetupAmount, tosspayments.ErrInvalidSelector,
	tosspayments.ErrInvalidVariantKey, tosspayments.ErrPaymentMethodsWidgetAlreadyRendered,
	tosspayments.ErrAgreementWidgetAlreadyRendered, tosspayments.ErrNotSelectedPaymentMethod,
	tosspayments.ErrInvalidMethodTransaction, tosspayments.ErrUserCancel, tosspayments.ErrPaymentRequestAborted,
	tosspayments.ErrNoActivePaymentRequest, tosspayments.ErrNetworkError,
}

// writePage executes one of the templates.
func writePage(w http.ResponseWriter, name string, data any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_ = browserPages().ExecuteTemplate(w, name, data)
}

// tile is something to choose.
type tile struct {
	Code, Name string
	Checked    bool
}

// check checks the tile with a code, or else the first one.
func check(tiles []tile, code string) []tile {
	at := 0
	for i := range tiles {
		if tiles[i].Code == code {
			at = i
		}
	}
	tiles[at].Checked = true
	return tiles
}

func tiles(prefix string, rows [][2]string) (list []tile) {
	for _, row := range rows {
		list = append(list, tile{Code: prefix + row[0], Name: row[1]})
	}
	return list
}

var (
	banks = [][2]string{
		{"20", "우리"}, {"06", "국민"}, {"88", "신한"}, {"81", "하나"}, {"11", "농협"}, {"03", "기업"},
		{"92", "토스뱅크"}, {"90", "카카오뱅크"}, {"89", "케이뱅크"},
	}
	cardCompanies = [][2]string{
		{"41", "신한"}, {"61", "현대"}, {"51", "삼성"}, {"11", "KB국민"}, {"71", "롯데"}, {"21", "하나"},
		{"91", "NH농협"}, {"24", "토스뱅크"}, {"15", "카카오뱅크"},
	}
	carriers = [][2]string{{"SKT", "SKT"}, {"KT", "KT"}, {"LGU", "LG U+"}, {"HELLO", "헬로모바일"}, {"KCT", "KCT"}, {"SK7", "SK 7mobile"}}
)

// widgetMethod is a button of the order form.
type widgetMethod struct {
	Code, Name string
	// Needs is what the buyer says besides.
	Needs string
	// Foreign is for payments in dollars, and only for them.
	Foreign bool
}

var widgetMethods = []widgetMethod{
	{Code: "CARD", Name: "신용·체크카드", Needs: "card"}, {Code: "TRANSFER", Name: "계좌이체"},
	{Code: "VIRTUAL_ACCOUNT", Name: "가상계좌", Needs: "account"}, {Code: "MOBILE_PHONE", Name: "휴대폰"},
	{Code: "TOSSPAY", Name: "토스페이"}, {Code: "NAVERPAY", Name: "네이버페이"}, {Code: "KAKAOPAY", Name: "카카오페이"},
	{Code: "PAYCO", Name: "페이코"}, {Code: "SAMSUNGPAY", Name: "삼성페이"},
	{Code: "CULTURE_GIFT_CERTIFICATE", Name: "문화상품권"}, {Code: "PAYPAL", Name: "PayPal", Foreign: true},
}

type term struct {
	ID, Text         string
	Required, Agreed bool
}

// serveWidget writes a part of the order form: methods, agreement, or both as a window.
func (s *Server) serveWidget(w http.ResponseWriter, part string) {
	titles := map[string]string{"methods": "결제 방법", "agreement": "이용약관 동의", "checkout": "결제창"}
	if titles[part] == "" {
		http.NotFound(w, nil)
		return
	}
	agreed := !s.browser.TermsOpen
	writePage(w, "widget.html", map[string]any{
		"Assets": ScriptPath, "Part": part, "Title": titles[part], "Window": part == "checkout",
		"HasMethods": part != "agreement", "HasAgreement": part != "methods",
		"Methods": widgetMethods, "Method": s.browser.Method,
		"Cards": tiles("", cardCompanies), "Banks": tiles("", banks), "Instalments": []int{2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
		"Terms": []term{
			{"service", "결제 서비스 이용 약관, 개인정보 처리 동의", true, agreed},
			{"thirdParty", "개인정보 제3자 제공 동의", true, agreed},
			{"marketing", "혜택 알림 수신 동의", false, false},
		},
	})
}

// pathOf is the path of a window.
func (o *openWindow) path() string { return path.Join(windowPath, o.id) }
