package docs

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// wrongWords are forms that Korean pages do not use, and what stands in their place:
// misspellings, words that read as if translated, names that have changed, and second
// words for one thing.
var wrongWords = map[string]string{
	"저절로":     "자동으로",
	"진짜 서비스":  "실제 서비스",
	"진짜 스크립트": "실제 스크립트",
	"입금이 반송":  "입금 취소",
	"내일 필드가":  "앞으로 필드가",
	"사라진 응답":  "받지 못한 응답",
	"원장이 말해":  "원장에서 확인할 수",
	"모두 환불됐":  "전액 환불됐",
	"되요":      "돼요",
	"됬":       "됐",
	"몇일":      "며칠",
	"할께요":     "할게요",
	"역활":      "역할",
	"메세지":     "메시지",
	"컨텐츠":     "콘텐츠",
	"어플리케이션":  "애플리케이션",
	"결재":      "결제",
	"금새":      "금세",
	"일일히":     "일일이",
	"번번히":     "번번이",

	"결과의 의미": "결과의 뜻",
	"추적 ID":  "트레이스 ID",
	"칼럼":     "컬럼",
	"멱등 키":   "멱등키",
	"빌링 키":   "빌링키",
	"시크릿키":   "시크릿 키",
	"보안키":    "보안 키",
	"키인 결제":  "카드번호 결제",
	"카드 번호":  "카드번호",
	"결제 키":   "paymentKey",
	"결제 수단":  "결제수단",
	"주문 번호":  "주문번호",
	"승인 번호":  "승인번호",
	"매출 전표":  "매출전표",
	"등록 창":   "등록창",
	"판매자":    "셀러",
	"대시보드":   "상점관리자",
	"상점 ID":  "MID",
	"프라미스":   "프로미스",
	"정기결제":   "자동결제",
	"여러분":    "상점",
}

// inEnglish are the same of English pages.
var inEnglish = map[string]string{
	"tells whether":   "reports whether",
	"comes again":     "is delivered again",
	"come again, in":  "be delivered again",
	"no pair":         "mismatched",
	"refund in part":  "partial refund",
	"refunds in part": "partial refunds",
	"belongs into":    "belongs in",
	"by name":         "with Stored()",
}

func TestWords(t *testing.T) {
	for language, wrong := range map[string]map[string]string{"ko": wrongWords, "en": inEnglish} {
		pages, err := filepath.Glob(language + "/*.md")
		require.NoError(t, err)
		require.NotEmpty(t, pages)
		if language == "ko" {
			pages = append(pages, "../README.ko.md", "../examples/README.ko.md", "../CONTRIBUTING.ko.md", "../SECURITY.ko.md", "../CODE_OF_CONDUCT.md")
		} else {
			pages = append(pages, "../README.md", "../CONTRIBUTING.md", "../SECURITY.md", "../examples/README.md")
		}
		for _, page := range pages {
			for line := range strings.Lines(lines(t, page)) {
				if filepath.Base(page) == "error-codes.md" && strings.HasPrefix(line, "| `") {
					continue // quotes Toss Payments
				}
				for word, right := range wrong {
					assert.False(t, strings.Contains(line, word), "%s: %s, not %s: %s", page, right, word, line)
				}
			}
		}
	}
}

// TestWordsOfPages: the shops, the windows and the sandbox program say what the guides say.
func TestWordsOfPages(t *testing.T) {
	for _, pattern := range []string{
		"../examples/*/*.go", "../examples/*/*.html", "../examples/*/web/*", "../examples/internal/shop/*.go", "../examples/internal/shop/web/*",
		"../tosstest/*.go", "../tosstest/browser/*", "../tosstest/fixtures/*.html", "../cmd/toss-sandbox/*.go", "../cmd/toss-sandbox/page/*",
	} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, files, pattern)
		for _, file := range files {
			text := lines(t, file)
			for word, right := range wrongWords {
				assert.False(t, strings.Contains(text, word), "%s: %s, not %s", file, right, word)
			}
		}
	}
}

// Guides speak in -습니다. The shops' pages speak in -요, and only quotations do here.
func TestKoreanHeadingsSpeakAsThePages(t *testing.T) {
	pages, err := filepath.Glob("ko/*.md")
	require.NoError(t, err)
	for _, page := range pages {
		for _, match := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(lines(t, page), ""), -1) {
			polite := strings.HasSuffix(strings.TrimRight(match[1], "?."), "요") && !strings.HasSuffix(match[1], "세요")
			assert.False(t, polite, "%s: %s", page, match[1])
		}
	}
}
