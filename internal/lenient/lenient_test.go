package lenient

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type word string

// number reads JSON by itself, and even numbers only.
type number int

func (n *number) UnmarshalJSON(data []byte) error {
	var i int
	if err := json.Unmarshal(data, &i); err != nil {
		return err
	}
	if i%2 != 0 {
		return errors.New("odd")
	}
	*n = number(i)
	return nil
}

// note reads text by itself, which must begin with a hash.
type note struct{ Text string }

func (n *note) UnmarshalText(text []byte) error {
	if !strings.HasPrefix(string(text), "#") {
		return errors.New("no hash")
	}
	n.Text = string(text)
	return nil
}

// either is a text or an object.
type either struct {
	Name string `json:"name"`
	Size int    `json:"size"`
}

func (e *either) UnmarshalJSON(data []byte) error {
	if data[0] == '"' {
		return json.Unmarshal(data, &e.Name)
	}
	type plain either
	e.Size = 9 // unless it says otherwise
	return json.Unmarshal(data, (*plain)(e))
}

type Base struct {
	ID string `json:"id"`
}

type thing struct {
	Base
	Text    string            `json:"text,omitzero"`
	Word    word              `json:"word"`
	Flag    bool              `json:"flag"`
	Count   int               `json:"count"`
	Small   int8              `json:"small"`
	At      time.Time         `json:"at"`
	Even    number            `json:"even"`
	Note    note              `json:"note"`
	Either  *either           `json:"either"`
	Inner   *thing            `json:"inner"`
	List    []thing           `json:"list"`
	Words   []word            `json:"words"`
	Map     map[string]string `json:"map"`
	Raw     json.RawMessage   `json:"raw"`
	Pointer *int              `json:"pointer"`
	Any     any               `json:"any"`
	Bytes   []byte            `json:"bytes"`
	Untaged string
	Old     string `json:"old" also:"older"`
	Hidden  string `json:"-"`
}

func TestUnmarshal(t *testing.T) {
	seven := 7
	at := time.Date(2026, 3, 1, 1, 15, 30, 0, time.UTC)
	for _, c := range []struct {
		json   string
		want   thing
		unread string
	}{
		{`{"text":"a","flag":true}`, thing{Text: "a", Flag: true}, ""},
		{`{"text":7}`, thing{Text: "7"}, ""},
		{`{"text":true,"word":-1.50}`, thing{Text: "true", Word: "-1.50"}, ""},
		{`{"text":[],"word":{"a":"}"}}`, thing{}, "text word"},
		{`{"flag":"Y"}`, thing{Flag: true}, ""},
		{`{"flag":1,"text":"b"}`, thing{Flag: true, Text: "b"}, ""},
		{`{"flag":"TRUE"}`, thing{Flag: true}, ""},
		{`{"flag":"N","text":1}`, thing{Text: "1"}, ""},
		{`{"flag":"x"}`, thing{}, "flag"},
		{`{"flag":7}`, thing{}, "flag"},
		{`{"count":"7","small":"-8"}`, thing{Count: 7, Small: -8}, ""},
		{`{"count":"7x","small":300}`, thing{}, "count small"},
		{`{"count":1.5,"small":true}`, thing{}, "count small"},
		{`{"even":"7","count":"1"}`, thing{Count: 1}, "even"},
		{`{"even":3,"count":"1"}`, thing{Count: 1}, "even"},
		{`{"even":4,"count":"1"}`, thing{Even: 4, Count: 1}, ""},
		{`{"note":"#a","count":"1"}`, thing{Note: note{"#a"}, Count: 1}, ""},
		{`{"note":"a"}`, thing{}, "note"},
		{`{"note":{"Text":"#"}}`, thing{}, "note"},
		{`{"at":"2026-03-01T10:15:30","text":"c"}`, thing{At: at, Text: "c"}, ""},
		{`{"at":"2026-03-01T01:15:30\u005a"}`, thing{At: at}, ""},
		{`{"at":1700000000}`, thing{}, "at"},
		{`{"at":{}}`, thing{}, "at"},
		{`{"at":"2026-03-01T10:15:30+24:00"}`, thing{}, "at"},
		{`{"at":"2026-03-01T10:15:30+23:60","text":"d"}`, thing{Text: "d"}, "at"},
		{`{"text":"+24:00","count":1}`, thing{Text: "+24:00", Count: 1}, ""},
		{`{"either":"e","count":"1"}`, thing{Either: &either{Name: "e"}, Count: 1}, ""},
		{`{"either":{"name":7,"size":"2"}}`, thing{Either: &either{"7", 2}}, ""},
		{`{"either":{"name":"n"},"count":"1"}`, thing{Either: &either{"n", 9}, Count: 1}, ""},
		{`{"either":{"name":[]}}`, thing{Either: &either{}}, "either.name"},
		{`{"either":{"name":"n","size":[]}}`, thing{Either: &either{Name: "n"}}, "either.size"},
		{`{"either":7}`, thing{}, "either"},
		{`{"inner":"x","text":"a"}`, thing{Text: "a"}, "inner"},
		{`{"inner":[{"text":"b"}],"text":"a"}`, thing{Text: "a"}, "inner"},
		{`{"inner":{"inner":{"flag":"x","text":"a"}}}`, thing{Inner: &thing{Inner: &thing{Text: "a"}}}, "inner.inner.flag"},
		{`{"list":{}}`, thing{}, "list"},
		{`{"list":"x"}`, thing{}, "list"},
		{`{"list":[{"text":1},7,{"flag":"x","text":"b"}, null]}`, thing{List: []thing{{Text: "1"}, {}, {Text: "b"}, {}}}, "list[1] list[2].flag"},
		{`{"list":[ ],"flag":"Y"}`, thing{List: []thing{}, Flag: true}, ""},
		{`{"words":["a",1,[],null,""]}`, thing{Words: []word{"a", "1", "", "", ""}}, "words[2]"},
		{`{"map":[],"raw":[1],"any":{"a":1}}`, thing{Raw: json.RawMessage(`[1]`), Any: map[string]any{"a": 1.0}}, "map"},
		{`{"map":{"a":1}}`, thing{}, "map"},
		{`{"pointer":"7"}`, thing{Pointer: &seven}, ""},
		{`{"pointer":"x"}`, thing{}, "pointer"},
		{`{"pointer":1,"count":"1","pointer":"x"}`, thing{Count: 1}, "pointer"},
		{`{"bytes":"YQ==","flag":"Y"}`, thing{Bytes: []byte("a"), Flag: true}, ""},
		{`{"bytes":7}`, thing{}, "bytes"},
		{`{"id":7,"Untaged":8,"Hidden":"h"}`, thing{Base: Base{"7"}, Untaged: "8"}, ""},
		{`{"old":1}`, thing{Old: "1"}, ""},
		{`{"older":1,"flag":"Y"}`, thing{Old: "1", Flag: true}, ""},
		{`{"older":[],"flag":"Y"}`, thing{Flag: true}, "older"},
		{`{"TEXT":7,"unknown":{"a":["]","\"}\\"]},"text ":1}`, thing{Text: "7"}, ""},
		{`{"unknown":"a\\\",\"flag\":\"Y","text":7}`, thing{Text: "7"}, ""},
		{" { \"text\" : 7 ,\n\t\"count\" : \"1\" } ", thing{Text: "7", Count: 1}, ""},
		{`{"count":"x","count":1}`, thing{Count: 1}, "count"},
		// null and "" are zero, whatever the type.
		{`{"flag":"","count":"","small":"","at":"","even":"","note":"","inner":"","list":"","words":"","map":"","pointer":"","bytes":"","text":""}`, thing{}, ""},
		{`{"flag":"Y","count":null,"at":null,"even":null,"note":null,"inner":null,"list":null,"map":null,"pointer":null,"any":null}`, thing{Flag: true}, ""},
	} {
		var got thing
		unread, err := Unmarshal([]byte(c.json), &got)
		require.NoError(t, err, c.json)
		assert.Equal(t, strings.Fields(c.unread), append([]string{}, unread...), c.json)
		if !c.want.At.IsZero() {
			assert.True(t, c.want.At.Equal(got.At), c.json)
			got.At = c.want.At
		}
		assert.Equal(t, c.want, got, c.json)
	}
}

func TestUnmarshalRefusesWhatIsNoObject(t *testing.T) {
	for _, text := range []string{"", "{", `{"text":"a"}}`, `{"text":7} {}`, "[]", `"x"`, "7", "true", `[{"text":7}]`, `{"a":01}`, strings.Repeat("[", 20_000)} {
		var got thing
		unread, err := Unmarshal([]byte(text), &got)
		assert.Error(t, err, text)
		assert.Empty(t, unread)
	}
	var list []thing
	_, err := Unmarshal([]byte(`{}`), &list)
	require.Error(t, err)
}

func TestUnmarshalIntoNothing(t *testing.T) {
	for _, target := range []any{[]thing(nil), (*thing)(nil)} {
		_, err := Unmarshal([]byte(`{}`), target)
		require.Error(t, err, "%T", target)
	}
}

func TestUnmarshalTime(t *testing.T) {
	var at time.Time
	_, err := Unmarshal([]byte(`"2026-03-01T10:15:30+24:00"`), &at)
	require.Error(t, err)
	_, err = Unmarshal([]byte(`"2026-03-01T10:15:30"`), &at)
	require.NoError(t, err)
	assert.False(t, at.IsZero())
}

func TestUnmarshalPointer(t *testing.T) {
	pointer := new(thing)
	_, err := Unmarshal([]byte(`{"text":7}`), &pointer)
	require.NoError(t, err)
	assert.Equal(t, "7", pointer.Text)
	_, err = Unmarshal([]byte(`null`), &pointer)
	require.NoError(t, err)
	assert.Nil(t, pointer)
}

// What is read by hand is what encoding/json would have read.
func TestSlowPathAgrees(t *testing.T) {
	const rest = `"id":"i","text":"a\u00e9\n\ud83d\ude00","word":"w","flag":true,"count":-7,"at":"2026-03-01T10:15:30.5+09:00","even":4,"note":"#n",
		"either":{"name":"e","size":1},"inner":{"list":[{"text":"x"},{}],"raw":null},"list":[{"count":1}],"words":["a"],"map":{"k":"v"},
		"raw":{"a":[1, 2]},"pointer":3,"any":[1,"a",null],"bytes":"YQ==","Untaged":"u"`
	var fast, slow thing
	unread, err := Unmarshal([]byte(`{`+rest+`}`), &fast)
	require.NoError(t, err)
	require.Empty(t, unread)
	unread, err = Unmarshal([]byte(`{`+rest+`,"small":[]}`), &slow)
	require.NoError(t, err)
	require.Equal(t, []string{"small"}, unread)
	assert.Equal(t, fast, slow)
}

func TestNamesAreBounded(t *testing.T) {
	var got thing
	unread, err := Unmarshal([]byte(`{"list":[`+strings.Repeat("7,", 20_000)+`7],"flag":"x"}`), &got)
	require.NoError(t, err)
	require.Len(t, unread, 11)
	assert.Equal(t, "list[9]", unread[9])
	assert.Equal(t, "flag", unread[10])

	deep := strings.Repeat(`{"flag":"x","inner":`, 2000) + "{}" + strings.Repeat("}", 2000)
	start := time.Now()
	unread, err = Unmarshal([]byte(deep), &got)
	require.NoError(t, err)
	require.Len(t, unread, 2000)
	assert.Len(t, unread[1999], maxNameLength)
	assert.Less(t, time.Since(start), 2*time.Second)
}

func TestMissing(t *testing.T) {
	for text, want := range map[string]string{
		`{"a":1,"b":"x"}`: "", `{"a":0,"b":false}`: "",
		` { "b" : [ ] , "c":{"a":1}, "A" : {} }`: "", //nolint:gocritic // white space is allowed anywhere
		`{"a":1}`:                                "b", `{"a":null,"b":1}`: "a", `{"a":1,"b":""}`: "b", `{}`: "a", `{"c":{"a":1,"b":1}}`: "a",
		`{"a":1,"b":1,"a":null}`: "", `null`: "a", `7`: "a", `["a","b"]`: "a",
	} {
		assert.Equal(t, want, Missing([]byte(text), "a", "b"), text)
	}
}

func TestMissingOfAMember(t *testing.T) {
	for text, want := range map[string]string{
		`{"a":{"x":0}}`: "", `{"A":{"X":"1"}}`: "",
		`{"a":{"x":null}}`: "a.x", `{"a":{}}`: "a.x", `{"a":[1]}`: "a.x", `{"a":null}`: "a.x", `{"a.x":1}`: "a.x", `{"x":1}`: "a.x",
	} {
		assert.Equal(t, want, Missing([]byte(text), "a.x"), text)
	}
}

func TestParseTime(t *testing.T) {
	want := time.Date(2026, 3, 1, 1, 15, 30, 0, time.UTC)
	for _, text := range []string{
		"2026-03-01T10:15:30+09:00", "2026-03-01T01:15:30Z", "2026-03-01T10:15:30", "2026-03-01T10:15:30+0900", "2026-02-28T20:15:30-05:00",
		"2026-03-01 10:15:30", "2026-03-01 01:15:30+00:00",
	} {
		got, err := ParseTime(text)
		require.NoError(t, err, text)
		assert.True(t, want.Equal(got), text)
		got, err = ParseTime(strings.Replace(text, ":30", ":30.25", 1))
		require.NoError(t, err, text)
		assert.Equal(t, 250*time.Millisecond, got.Sub(want), text)
	}
	for _, text := range []string{
		"", "soon", "2026-03-01", "2026-03-01T10:15", "2026-13-01T10:15:30Z", "2026-03-01T10:15:30+24:00", "2026-03-01T10:15:30-2400",
		"2026-03-01T10:15:30+23:60", "2026-03-01T10:15:30+09:00+09:00", "20260301T101530", "1700000000",
	} {
		_, err := ParseTime(text)
		assert.Error(t, err, text)
	}
}

func FuzzUnmarshal(f *testing.F) {
	for _, seed := range []string{
		`{"text":7,"list":[{"flag":"Y"},7],"at":"2026-03-01T10:15:30"}`, `{"either":"x","even":"3","inner":{"inner":[]}}`,
		`{"at":"2026-03-01T10:15:30+24:00"}`, "[]", `""`, `{"raw":null,"any":"","bytes":7,"words":[[],{"a":"\"\\"}]}`, ` {"a" : 1 } `,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var plain, got thing
		plainErr := json.Unmarshal(data, &plain)
		unread, err := Unmarshal(data, &got)
		if !json.Valid(data) {
			require.Error(t, err)
			return
		}
		if plainErr == nil && !hasWideOffset(data) {
			require.NoError(t, err)
			require.Empty(t, unread)
			require.Equal(t, plain, got)
		}
		if err != nil {
			return
		}
		_, err = json.Marshal(got)
		require.NoError(t, err)
		Missing(append(append([]byte(`{"a":`), data...), '}'), "b")
	})
}
