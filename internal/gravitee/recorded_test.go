package gravitee

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/secret"
	"github.com/integra-exporter/integra_exporter/internal/testkit/recordings"
)

// The recorded applications: one with a key for each subscription, one with a shared key, and one that nobody has.
var applications = map[string]struct{ exclusive, shared string }{
	"3.20.32": {"1542938f-4819-4a55-8293-8f4819aa55b7", "dc9dc068-4962-4930-9dc0-684962e93029"},
	"4.6.12":  {"9db568a6-face-40c1-b568-a6face20c11a", "b375e580-7dd2-4cc7-b5e5-807dd23cc73f"},
}

func reader(t *testing.T, server *httptest.Server, application string, change ...func(*Options)) *Client {
	t.Helper()
	o := Options{URL: parse(t, server.URL+"/management"), Application: application, Token: literal("user"), Timeout: 30 * time.Second}
	for _, c := range change {
		c(&o)
	}
	return New(o)
}

func placeholder(n int) secret.Value {
	return secret.New(fmt.Sprintf("00000000-0000-4000-8000-%012d", n))
}

func at(t *testing.T, path string) *url.URL {
	t.Helper()
	return parse(t, "https://gw-uio.intark.uh-it.no"+path)
}

// whileRecording runs f in virtual time, at the end of the recording.
func whileRecording(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 11, 30, 23, 55, 0, 0, time.UTC)))
		f(t)
	})
}

func utc(text string) time.Time {
	at, _ := time.Parse("2006-01-02 15:04:05", text)
	return at
}

// What real API managers answered of keys with one subscription each: the earlier end counts, and what is final first.
func TestRecordedKeys(t *testing.T) {
	for version, want := range map[string]map[int]Match{
		"3.20.32": {
			1:  {Standing: Usable},
			2:  {Standing: Expired, Expires: utc("2026-11-30 23:14:47")},
			17: {Standing: Usable, Expires: utc("2027-01-09 23:14:47")},
			18: {Standing: Usable, Expires: utc("2026-12-01 01:14:27"), Superseded: true},
			19: {Standing: Revoked},
			20: {Standing: Paused},
			21: {},                                                       // of a closed subscription, which the list leaves out
			22: {Standing: Expired, Expires: utc("2026-11-30 23:15:26")}, // the subscription was extended too late
			29: {Standing: Usable},
			30: {Standing: NotBegun, Begins: utc("2026-12-30 23:15:57")},
		},
		"4.6.12": {
			34: {Standing: Usable},
			35: {Standing: Expired, Expires: utc("2026-11-30 23:49:23")},
			44: {Standing: Usable, Expires: utc("2027-01-09 23:49:23")},
			45: {Standing: Usable, Expires: utc("2026-12-01 01:49:03"), Superseded: true},
			46: {Standing: Revoked},
			47: {Standing: Paused},
			49: {Standing: Expired, Expires: utc("2026-11-30 23:50:07")},
			57: {Standing: Usable},
		},
	} {
		reading := mustRead(t, reader(t, recordings.ServeManager(t, version), applications[version].exclusive))
		whileRecording(t, func(t *testing.T) {
			for n, want := range want {
				got := reading.Match(placeholder(n), at(t, "/lonn/v1/"))
				if got.Standing != NotBegun {
					got.Begins = time.Time{}
				}
				got.Begins, got.Expires = got.Begins.Truncate(time.Second), got.Expires.Truncate(time.Second)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s: key %d (-want +got):\n%s", version, n, diff)
				}
			}
		})
	}
}

// A shared key is judged by its subscription to the API that is asked.
func TestRecordedSharedKeys(t *testing.T) {
	for version, n := range map[string]int{"3.20.32": 24, "4.6.12": 52} {
		server := recordings.ServeManager(t, version, "apikeys-shared-renewed")
		reading := mustRead(t, reader(t, server, applications[version].shared))
		admin := reader(t, server, applications[version].shared, func(o *Options) { o.Token = literal("admin") })
		apis, err := admin.ReadAPIs(t.Context(), nil)
		if err != nil || len(apis) < 10 {
			t.Fatal(len(apis), err)
		}
		reading.APIs = apis // a member sees those that are published
		whileRecording(t, func(t *testing.T) {
			for path, want := range map[string]Standing{
				"/ok": Usable, "/ok/x": Usable, "/okay": Usable, "/": Usable, "/preview/fs/gemini/v1/studenter": Paused,
				"/preview/fs/gemini": Paused, "/preview/fs": Usable, "/olbrygging/v1/": Ended,
			} {
				if got := reading.Match(placeholder(n), at(t, path)); got.Standing != want || got.Expires.IsZero() != (want != Ended) {
					t.Errorf("%s: %s: %+v, want standing %d", version, path, got, want)
				}
			}
		})
	}
	old := mustRead(t, reader(t, recordings.ServeManager(t, "3.20.32"), applications["3.20.32"].shared)) // the same key, renewed meanwhile
	whileRecording(t, func(t *testing.T) {
		got := old.Match(placeholder(24), at(t, "/preview/fs/gemini/"))
		if got.Standing != Paused || !got.Superseded || got.Expires.Truncate(time.Second) != utc("2026-12-01 01:28:02") {
			t.Errorf("after a renewal: %+v", got)
		}
	})
}

// What is wrong with the configuration, as real API managers and gateways tell it: each sentence names what to change.
func TestRecordedRefusals(t *testing.T) {
	set := func(change func(*Options)) []func(*Options) { return []func(*Options){change} }
	base := func(path string) []func(*Options) {
		return set(func(o *Options) { o.URL.Path = path })
	}
	admin := func(o *Options) { o.Application, o.Token = "11111111-2222-4333-8444-555555555555", literal("admin") }
	environment, organization := func(o *Options) { o.Environment = "NOSUCH" }, func(o *Options) { o.Organization = "NOSUCH" }
	const (
		noPlace = "not_found: the API manager has no such organization or environment: correct organization or environment, usually both are DEFAULT (400)"
		lists   = "not_found: the API manager lists the subscriptions, but has no such application in this environment: is environment right?"
		noOrg   = "not_found: the API manager fails as it does for an organization that it does not have: correct organization, usually it is DEFAULT (500)"
	)
	for name, c := range map[string]struct {
		version string
		change  []func(*Options)
		want    string
	}{
		"R3, 3.20":                 {"3.20.32", set(admin), "not_found: " + noApp},
		"R3, 4.6":                  {"4.6.12", set(admin), "not_found: " + noApp},
		"R8, 3.20":                 {"3.20.32", set(environment), lists},
		"R8, 4.6":                  {"4.6.12", set(environment), noPlace},
		"R9, 3.20":                 {"3.20.32", set(organization), noOrg},
		"R9, 4.6":                  {"4.6.12", set(organization), noPlace},
		"R10, 3.20":                {"3.20.32", base("/portal"), "not_found: " + isPortal + " (401)"},
		"R10, 4.6":                 {"4.6.12", base("/portal"), "not_found: " + isPortal + " (401)"},
		"R17, organizations, 3.20": {"3.20.32", base("/management/organizations/DEFAULT/environments/DEFAULT"), "not_found: " + nowhere},
		"R17, organizations, 4.6":  {"4.6.12", base("/management/organizations/DEFAULT/environments/DEFAULT"), "not_found: " + nowhere},
		"R17, v2, 3.20":            {"3.20.32", base("/management/v2"), "not_found: " + nowhere},
		"R17, v2, 4.6":             {"4.6.12", base("/management/v2"), "not_found: " + nowhere},
		"doubled":                  {"4.6.12", base("/management/management"), "not_found: " + nowhere},
		"no path":                  {"3.20.32", base(""), "not_found: " + nowhere},
		"mistyped":                 {"4.6.12", base("/managment"), "not_found: " + nowhere},
		"R18": {
			"3.20.32", set(func(o *Options) { o.Token = literal("bearer user") }),
			`token_unreadable: the token begins with "Bearer ": leave that word out, the exporter adds it`,
		},
		"token": {"3.20.32", set(func(o *Options) { o.Token = literal("x") }), "token_rejected: " + unknown},
		"application": {
			"3.20.32", set(func(o *Options) { o.Application = "11111111-2222-4333-8444-555555555555" }), "not_found: " + noApp,
		},
		"archived": {"3.20.32", set(func(o *Options) { o.Application = "d47219b5-8120-4d49-b219-b581203d4958" }), "forbidden: " + lacks},
	} {
		_, err := reader(t, recordings.ServeManager(t, c.version), applications[c.version].exclusive, c.change...).Read(t.Context())
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

// R15: a gateway at the API manager's address, in every recorded engine.
func TestRecordedGateways(t *testing.T) {
	gateways, err := recordings.Gateways()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, g := range gateways {
		for _, s := range g.Situations {
			own := strings.Contains(s.Answer, `{"message":"Unauthorized","http_status_code":401}`) || strings.HasSuffix(s.Answer, "No context-path matches the request URI.")
			if !own || s.Method == http.MethodHead {
				continue
			}
			c := serving(t, func(w http.ResponseWriter, _ *http.Request) {
				recordings.Send(t, w, s.Answer)
			})
			_, err := c.Read(t.Context())
			if kindOf(t, err) != NotFound || !strings.Contains(err.Error(), "this is a gateway") {
				t.Errorf("%s: %s: %v", g.Name(), s.Name, err)
			}
			seen[s.Answer[9:12]]++
		}
	}
	if seen["401"] < 3 || seen["404"] < 3 {
		t.Errorf("tried: %v", seen)
	}
}

// An empty list is no success where the application is not there; where it is, or cannot be seen, nothing is wrong yet.
func TestEmptyList(t *testing.T) {
	for answer, want := range map[string]string{
		"HTTP/1.1 200 OK\r\n\r\n" + `{"status":"ACTIVE"}`:                     "",
		"HTTP/1.1 200 OK\r\n\r\n" + `{"status":"ARCHIVED"}`:                   "not_found: the application is archived: enter the id of one that is in use",
		"HTTP/1.1 403 Forbidden\r\n\r\n":                                      "",
		"HTTP/1.1 500 x\r\n\r\n":                                              "",
		"HTTP/1.1 404 x\r\n\r\n" + `{"technicalCode":"application.notFound"}`: "not_found: " + noApp,
	} {
		c := serving(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == list {
				_, _ = w.Write([]byte(`{"data":[]}`))
				return
			}
			recordings.Send(t, w, answer)
		})
		_, err := c.Read(t.Context())
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: %q, want %q", answer, got, want)
		}
	}
}

// A closed subscription is in no list that is read each time. Its key is looked for where it is missing.
func TestReadClosed(t *testing.T) {
	const closed = `{"data":[{"id":"c","api":"a","status":"CLOSED"}],"page":{"total_pages":7}}`
	var asked []string
	c := serving(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.RequestURI)
		answers := map[string]string{
			list: oneSubscription, list + "/s/apikeys": `[{"key":"live"}]`,
			list + "/c/apikeys": `[{"key":"ours","revoked":true,"subscriptions":[{"id":"c","status":"CLOSED"}]}]`,
		}
		if r.URL.Query().Get("status") == "CLOSED" {
			answers[list] = closed
		}
		answering(answers)(w, r)
	})
	before := mustRead(t, c)
	after, err := c.ReadClosed(t.Context(), before)
	if err != nil || before.Match(secret.New("ours"), nil).Standing != Unknown || after.Match(secret.New("ours"), nil).Standing != Closed ||
		after.Match(secret.New("live"), nil).Standing != Usable || len(before.Keys) != 1 || len(asked) != 4 {
		t.Errorf("%v, before %+v, after %+v, asked %q", err, before, after, asked)
	}
}
