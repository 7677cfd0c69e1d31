package probe

import (
	"testing"
)

// JSON is UTF-8, and knows no largest number.
func TestWhatIsJSON(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`"æøå"`:                   "",
		`"\ud800"`:                "", // an escaped half of a pair: valid, if odd
		"[1e400]":                 "",
		"[-1e400, 1e-400]":        "",
		"[123456789012345678901]": "",
		"\"\xff\"":                "the answer is not UTF-8",
		"\"\xe6\xf8\xe5\"":        "the answer is not UTF-8", // Latin 1
		"\"\xed\xa0\x80\"":        "the answer is not UTF-8", // half of a pair, as bytes
		"\"\xc0\xaf\"":            "the answer is not UTF-8", // overlong
		"[\"a\", \"\xe6\"]":       "the answer is not UTF-8",
		"\xff\xfe[\x00]\x00":      "the answer is not UTF-8", // UTF-16
		"\ufeff[]":                "the answer is something else",
		"[1e]":                    "the answer is something else",
	} {
		for _, expr := range []string{"", "true", "tostring | length >= 0"} {
			l := newLab(t)
			p := l.plan(l.gateway(answers(response("200 OK", body))).port)
			p.JQ = nil
			if expr != "" {
				p.JQ = compile(t, expr)
			}
			_, err := run(t, p.prober(), ample)
			reason, _ := ReasonOf(err)
			if (want == "") != (err == nil) || want != "" && (reason != ReasonNotJSON || DetailOf(err) != want) {
				t.Errorf("%q with jq %q: %v, want %q", body, expr, err, want)
			}
		}
	}
}
