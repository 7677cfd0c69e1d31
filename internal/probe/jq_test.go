package probe

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

func compile(t *testing.T, expr string) *JQ {
	t.Helper()
	j, err := CompileJQ(expr)
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	return j
}

func evaluate(t *testing.T, expr, body string, timeout time.Duration) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	start := time.Now()
	err := compile(t, expr).holds(ctx, []byte(body), NewShared())
	if took := time.Since(start); took > timeout+grace {
		t.Errorf("%s: took %v with a timeout of %v", expr, took, timeout)
	}
	return err
}

func TestJQ(t *testing.T) {
	t.Setenv("PROBE_TEST_CANARY", "canary")
	for _, c := range []struct{ expr, body, detail string }{
		{"length > 0", `[1]`, ""},
		{"true, true, true", `{}`, ""},
		{".[]", `[true,true]`, ""},
		{"(length * 2) > 3", `[1,2]`, ""},
		{"((.n | tonumber) * 2 + 1) == 7", `{"n":"3"}`, ""},
		{"length == 0", `[1]`, "the jq expression does not yield true"},
		{"true, false", `{}`, "the jq expression does not yield true"},
		{"false, true", `{}`, "the jq expression does not yield true"},
		{"1", `{}`, "the jq expression does not yield true"},
		{`"true"`, `{}`, "the jq expression does not yield true"},
		{"null", `{}`, "the jq expression does not yield true"},
		{".[0]", `[{"fnr":"01010112345"}]`, "the jq expression does not yield true"},
		{"empty", `{}`, "the jq expression yields nothing"},
		{".[]", `[]`, "the jq expression yields nothing"},
		{".fnr", `[{"fnr":"01010112345"}]`, "the jq expression fails on this answer"},
		{"halt", `{"fnr":"01010112345"}`, "the jq expression fails on this answer"},
		{"error", `{"fnr":"01010112345"}`, "the jq expression fails on this answer"},
		{"halt_error", `{"fnr":"01010112345"}`, "the jq expression fails on this answer"},
		{"true, error", `{"fnr":"01010112345"}`, "the jq expression fails on this answer"},
		{"env == {} and $ENV == {}", `{}`, ""},
		{"env.PATH == null and $ENV.PROBE_TEST_CANARY == null", `{}`, ""},
	} {
		err := evaluate(t, c.expr, c.body, ample)
		if c.detail == "" && err != nil || DetailOf(err) != c.detail {
			t.Errorf("%s of %s: %v, want %q", c.expr, c.body, err, c.detail)
		}
		if err != nil {
			expectReason(t, err, ReasonExpectation)
		}
	}
}

// Where json: false lets anything pass, jq still needs JSON.
func TestJQNeedsJSON(t *testing.T) {
	t.Parallel()
	expectReason(t, evaluate(t, "true", "<html>", ample), ReasonNotJSON)
}

func TestJQRefusedAtLoad(t *testing.T) {
	t.Parallel()
	const (
		syntax  = "not a jq expression"
		unknown = "uses a function or variable that is not there (input, files and modules are not)"
		times   = "* is allowed only between numbers, because times a string repeats it: write (… | tonumber) * …"
	)
	const assigns = "an expectation changes nothing: = and |= and their kin are not available"
	grows := func(name string) string {
		return "uses " + name + ", which can need gigabytes in one step that nothing can stop"
	}
	for expr, want := range map[string]string{
		"canary [":                               syntax,
		"canary":                                 unknown,
		"$canary":                                unknown,
		"input":                                  unknown,
		"inputs":                                 unknown,
		`import "canary" as c; true`:             unknown,
		`include "canary"; true`:                 unknown,
		"debug":                                  unknown,
		"stderr":                                 unknown,
		"input_filename":                         unknown,
		"def f(length): length * 2e9; f(.)":      times,
		`$__prog_args`:                           unknown,
		`. * 2e9`:                                times,
		`2e9 * .`:                                times,
		`"a" * 2e9`:                              times,
		`.a *= 2e9`:                              times,
		`.[] | (. + "x") * 3`:                    times,
		`[.[] | {a: (. * 2)}]`:                   times,
		`reduce .[] as $x (1; . * $x)`:           times,
		`def f(x): x * 2; f(.)`:                  times,
		`if (. * 2) then 1 else 2 end`:           times,
		`try (. * 2) catch 1`:                    times,
		`"\(. * 2)"`:                             times,
		`.[(. * 2):]`:                            times,
		`. as [$x, {a: $y}] | $x * $y`:           times,
		`label $f | foreach . as $x (.; $x * 2)`: times,
		`def length: "aaa"; length * 2e9`:        times,
		`length * 2 * .a`:                        times,
		`null | .[100000000] = 1`:                assigns,
		`.a |= 1`:                                assigns,
		`.a += 1`:                                assigns,
		`[[range(30000)],(range(3000)|[])] | transpose`: grows("transpose"),
		`[range(1500)] | join(.a)`:                      grows("join"),
		`reduce range(26) as $i ([1];[.,.]) | tojson`:   grows("tojson"),
		`reduce range(26) as $i ([1];[.,.]) | flatten`:  grows("flatten"),
		`@json "x\(.)" == "a"`:                          grows("@json"),
	} {
		_, err := CompileJQ(expr)
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %q", expr, err, want)
		}
	}
}

func TestJQEndsInTime(t *testing.T) {
	for _, expr := range []string{
		"def f: f; f",
		"def f: f | f; f",
		"range(1e18) | select(false)",
		"last(repeat(1))",
		"last(range(infinite))",
		"until(false; .)",
		"[recurse(.)] | length > 0",
		`first(repeat("x") | select(. == "y"))`,
	} {
		err := evaluate(t, expr, "1", 200*time.Millisecond)
		expectReason(t, err, ReasonExpectation)
		detail := DetailOf(err)
		if detail != "the jq expression did not end in time" && detail != "the jq expression needs too much memory" {
			t.Errorf("%s: %q", expr, detail)
		}
	}
}

func TestJQMemoryIsBounded(t *testing.T) {
	for _, expr := range []string{
		"[range(1e9)]",
		`reduce range(60) as $_ ("aaaaaaaa"; . + .)`,
		`[limit(1e9; repeat("x"))]`,
		`[limit(1e9; repeat("x"))] | length > 0`,
		`reduce range(1e9) as $i ({}; . + {"\($i)": $i})`,
		`last(recurse(. + ["xxxxxxxxxxxxxxxx"]))`,
		`def f: [., .] | f; f`,
	} {
		t.Run(expr, func(t *testing.T) {
			var err error
			growth := grown(func() { err = evaluate(t, expr, "[]", 2*time.Second) })
			expectReason(t, err, ReasonExpectation)
			if growth > 256<<20 {
				t.Errorf("grew by %d MiB", growth>>20)
			}
		})
	}
}

// A run that nobody waits for keeps its place until it is over, and then gives it back.
func TestJQPlaces(t *testing.T) {
	shared := NewShared()
	endless := compile(t, "def f: f; f")
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error, maxDecodes)
	for range maxDecodes {
		go func() { left <- endless.holds(ctx, []byte("{}"), shared) }()
	}
	waitUntil(t, func() bool { return len(shared.jq) == maxDecodes })

	short, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	err := compile(t, "true").holds(short, []byte("{}"), shared)
	expectReason(t, err, ReasonResources)
	if len(shared.jq) != maxDecodes {
		t.Errorf("%d places taken, want %d", len(shared.jq), maxDecodes)
	}

	cancel()
	for range maxDecodes {
		err := <-left
		if !errors.Is(err, context.Canceled) {
			expectReason(t, err, ReasonExpectation)
		}
	}
	waitUntil(t, func() bool { return len(shared.jq) == 0 })
	err = compile(t, "true").holds(t.Context(), []byte("{}"), shared)
	if err != nil {
		t.Errorf("after all are over: %v", err)
	}
}

func TestJQPanicIsAFailure(t *testing.T) {
	t.Parallel()
	shared := NewShared()
	for range 2 * maxDecodes {
		err := (&JQ{}).holds(t.Context(), []byte(`{"fnr":"01010112345"}`), shared)
		expectReason(t, err, ReasonPanic)
		if strings.Contains(err.Error(), "0101") {
			t.Errorf("quotes the body: %v", err)
		}
	}
	waitUntil(t, func() bool { return len(shared.jq) == 0 })
}

// The body that is evaluated is not the caller's: that one goes back to the
// pool while an evaluation may still go on. The race detector sees it.
func TestJQOwnsItsBody(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	<-ctx.Done()
	shared := NewShared()
	shared.jq = make(chan struct{}, 20)
	for range cap(shared.jq) {
		body := []byte(`["` + strings.Repeat("a", 1<<16) + `"]`)
		_ = compile(t, "length > 0").holds(ctx, body, shared)
		copy(body, "another answer")
	}
	waitUntil(t, func() bool { return len(shared.jq) == 0 })
}

// An endless expression ends with a canceled probe.
func TestJQCanceled(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	d := l.gateway(answers(response("200 OK", "{}")))
	p := l.plan(d.port)
	wants("def f: f; f")(p)
	h := p.prober()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := h.Probe(ctx)
		done <- err
	}()
	waitUntil(t, func() bool { return len(h.shared.jq) == 1 })
	start := time.Now()
	cancel()
	err := <-done
	if !errors.Is(err, context.Canceled) || time.Since(start) > grace {
		t.Errorf("%v after %v", err, time.Since(start))
	}
	waitUntil(t, func() bool { return len(h.shared.jq) == 0 })
}

// waitUntil gives what happens beside the test a moment.
func waitUntil(t *testing.T, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(ample); !holds(); {
		if time.Now().After(end) {
			t.Fatal("waited in vain")
		}
		time.Sleep(time.Millisecond)
	}
}

// jq's debug and stderr must not write the body anywhere.
func TestJQWritesNothing(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, stdout := os.Stderr, os.Stdout
	os.Stderr, os.Stdout = w, w
	for _, expr := range []string{"debug", "stderr", "debug(.)", "input_line_number", "halt_error", "error", "."} {
		j, _ := CompileJQ(expr)
		if j != nil {
			_ = j.holds(t.Context(), []byte(`"canary"`), NewShared())
		}
	}
	os.Stderr, os.Stdout = stderr, stdout
	_ = w.Close()
	buffer := make([]byte, 100)
	n, _ := r.Read(buffer)
	if n > 0 {
		t.Errorf("wrote %q", buffer[:n])
	}
}

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
