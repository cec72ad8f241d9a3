package recipes

import (
	"bufio"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// wrongWords are forms that Korean pages do not use, and what stands in their place:
// misspellings, words that read as if translated, and names that have changed.
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
}

func TestKoreanWords(t *testing.T) {
	pages, err := filepath.Glob("../../docs/ko/*.md")
	require.NoError(t, err)
	require.NotEmpty(t, pages)
	for _, page := range append(pages, "../../README.ko.md", "../README.ko.md", "../../CONTRIBUTING.md", "../../CODE_OF_CONDUCT.md") {
		file, err := os.Open(page)
		require.NoError(t, err)
		defer func() { _ = file.Close() }()
		lines := bufio.NewScanner(file)
		for number := 1; lines.Scan(); number++ {
			for wrong, right := range wrongWords {
				assert.NotContains(t, lines.Text(), wrong, "%s:%d: %s", page, number, right)
			}
		}
	}
}
