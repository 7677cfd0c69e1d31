package probe

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRateLimits(t *testing.T) {
	t.Parallel()
	is := func(n int64) Count { return Count{N: n, OK: true} }
	for _, c := range []struct {
		name   string
		header http.Header
		want   []RateLimit
	}{
		{"none", http.Header{"X-Other": {"1"}}, nil},
		{"all", http.Header{
			"X-Rate-Limit-Limit": {"100"}, "X-Rate-Limit-Remaining": {"0"}, "X-Rate-Limit-Reset": {"1798758000000"},
			"X-Quota-Limit": {"1000"}, "X-Quota-Remaining": {"999"},
			"X-Spike-Arrest-Limit": {"5"},
		}, []RateLimit{
			{"rate_limit", is(100), is(0)}, {"quota", is(1000), is(999)}, {"spike_arrest", is(5), Count{}},
		}},
		{
			"the gateway's store failed",
			http.Header{"X-Rate-Limit-Limit": {"100"}, "X-Rate-Limit-Remaining": {"-1"}},
			[]RateLimit{{"rate_limit", is(100), Count{}}},
		},
		{"both failed", http.Header{"X-Quota-Limit": {"-1"}, "X-Quota-Remaining": {"-1"}}, nil},
		{"garbage", http.Header{
			"X-Rate-Limit-Limit": {"many"}, "X-Quota-Limit": {"1.5"}, "X-Quota-Remaining": {"99999999999999999999"},
			"X-Spike-Arrest-Limit": {""},
		}, nil},
		{
			"garbage beside a number",
			http.Header{"X-Quota-Limit": {"<script>"}, "X-Quota-Remaining": {"7"}},
			[]RateLimit{{"quota", Count{}, is(7)}},
		},
	} {
		got := rateLimits(c.header)
		for i := range got {
			got[i].Limit, got[i].Remaining = known(got[i].Limit), known(got[i].Remaining)
		}
		diff := cmp.Diff(c.want, got)
		if diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// known drops the number of a count that was not observed.
func known(c Count) Count {
	if !c.OK {
		return Count{}
	}
	return c
}

func TestRateLimitsAreObserved(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for _, status := range []string{"200 OK", "429 Too Many Requests", "401 Unauthorized"} {
		d := l.gateway(answers(response(status, "{}", "X-Rate-Limit-Limit: 10", "X-Rate-Limit-Remaining: 3")))
		seen, _ := run(t, l.plan(d.port).prober(), ample)
		want := []RateLimit{{"rate_limit", Count{10, true}, Count{3, true}}}
		diff := cmp.Diff(want, seen.RateLimits)
		if diff != "" {
			t.Errorf("%s (-want +got):\n%s", status, diff)
		}
	}
}

func TestSenderOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, body string
		status     int
		header     http.Header
		want       sender
	}{
		{"empty", "", 502, nil, byNothing},
		{"gateway", shape(500, "x"), 500, nil, byGateway},
		{"gateway, spread out", "{\n  \"http_status_code\" : 500,\n  \"message\" : \"x\"\n}\n", 500, nil, byGateway},
		{"gateway, marked", shape(500, "x"), 500, http.Header{"X-Gravitee-Request-Id": {"1"}}, byGateway},
		{"gateway, other status", shape(500, "x"), 502, nil, anybody},
		{"gateway, a number for a message", `{"message":1,"http_status_code":500}`, 500, nil, anybody},
		{"no context path", noContextPath, 404, nil, byGateway},
		{"no context path, other status", noContextPath, 500, nil, anybody},
		{"html", routerPage, 503, nil, byRouter},
		{"html by type", "Application is not available", 503, http.Header{"Content-Type": {"text/html; charset=utf-8"}}, byRouter},
		{"html, marked", routerPage, 503, http.Header{"X-Gravitee-Transaction-Id": {"1"}}, byBackend},
		{"default backend", "default backend - 404", 404, http.Header{"Content-Type": {"text/plain"}}, byRouter},
		{"text", "no", 503, http.Header{"Content-Type": {"text/plain"}}, anybody},
		{"text, marked", "no", 503, http.Header{"X-Gravitee-Transaction-Id": {"1"}}, byBackend},
		{"space", " ", 503, nil, byNothing},
	} {
		names := GatewayHeaders{}.orDefault()
		a := newAnswer(&http.Response{StatusCode: c.status, Header: c.header}, "GET", []byte(c.body), &names)
		got := senderOf(&a, refusals{})
		if got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

// Every rule can be reached: none is hidden by one above it.
func TestRulesAreReachable(t *testing.T) {
	t.Parallel()
	for i, r := range rules {
		reached := false
		for status := r.status; status <= r.last; status++ {
			for from := anybody; from <= byBackend; from++ {
				if r.from != anybody && r.from != from {
					continue
				}
				reached = reached || firstRule(status, from) == i
			}
		}
		if !reached {
			t.Errorf("rule %d (%v) is never the first", i, r)
		}
	}
}

func firstRule(status int, from sender) int {
	for i, r := range rules {
		if r.status <= status && status <= r.last && (r.from == anybody || r.from == from) {
			return i
		}
	}
	return -1
}
