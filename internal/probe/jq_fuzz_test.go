package probe

import (
	"context"
	"strings"
	"testing"
	"time"
)

// FuzzJQ holds that an expression is refused in our own words, or ends in time
// on every answer with a verdict that says nothing of it.
func FuzzJQ(f *testing.F) {
	for _, expr := range []string{
		"length > 0", ".[] | .fnr", "[.[] | .navn] | unique | length == 1", `all(.[]; has("fnr"))`, "def f: f; f", "last(range(infinite))", `try error catch .`,
		`.[0].fnr | test("^[0-9]+$")`, `to_entries | map(.key) | sort`, "[limit(3; repeat(1))]", `@base64 "\(.)"`, "reduce .[] as $x (0; . + 1)", "label $f | break $f",
		"halt_error", "env", "$ENV.PATH", "input", "[range(1e5)] | length", `ascii_downcase`, "getpath([0,\"fnr\"])", "path(..)", "limit(1; .[])", `"\(.)"`, "splits(\"a\")",
		`ltrimstr("a") | explode`, "now | todate", `strptime("%Y")`, "tojson", "splits(\"(a+)+$\")", "[.[] | tostring] | add", "group_by(.)", "walk(.)", "tostream", "@text", "input_line_number",
		canary + " [", `"` + canary, canary, "$" + canary, `import "` + canary + `" as c; true`, canary + ":",
	} {
		f.Add(expr, `[{"fnr":"`+canary+`","navn":"`+canary+`"}]`)
	}
	f.Add(".", `{"`+canary+`":1e999}`)
	f.Add("length * 2", "["+strings.Repeat("[", 500))
	f.Fuzz(func(t *testing.T, expr, body string) {
		code, err := CompileJQ(expr)
		if err != nil {
			if !refusesInOurWords(err) || strings.Contains(err.Error(), canary) {
				t.Errorf("%q: %v", expr, err)
			}
			return
		}
		ctx, cancel := context.WithTimeout(t.Context(), fuzzTimeout)
		defer cancel()
		start := time.Now()
		err = code.holds(ctx, []byte(body), NewShared())
		if took := time.Since(start); took > fuzzTimeout+fuzzGrace {
			t.Errorf("%q: took %v with a timeout of %v", expr, took, fuzzTimeout)
		}
		sound(t, Observation{}, err)
	})
}

func refusesInOurWords(err error) bool {
	for _, words := range []string{"not a jq expression", "uses a function or variable that is not there", "* is allowed only", "an expectation changes nothing", "uses "} {
		if strings.HasPrefix(err.Error(), words) && !strings.Contains(err.Error(), "\n") {
			return true
		}
	}
	return false
}
