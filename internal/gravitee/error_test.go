package gravitee

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/demo"
	"github.com/integra-exporter/integra_exporter/internal/secret"
)

const (
	lacks    = "the token's user lacks the right to read the application's subscriptions (APPLICATION_SUBSCRIPTION, read), which a member of the application with role USER has, or the application is archived (403)"
	unknown  = "the API manager does not know the token: it is expired, revoked or mistyped (401)"
	nowhere  = "nothing at this url answers as the Management API: url usually ends in /management, without /organizations, /v2 or what follows (404)"
	redirect = "the answer is a redirect, which is not followed: url is not the base of the Management API (302)"
	notJSON  = "the answer is not JSON, or is cut off"
	isPage   = "the answer is a web page: url is probably the address of the console or the portal"
	notV1    = "the answer is JSON, but not in the form of the Management API v1"
	isPortal = "this is the API of the portal: url must be the base of the Management API, which usually ends in /management"
	noApp    = "the API manager has no such application: correct application, the id in the address of its page in the console (404)"
	failed   = "the API manager failed; some versions from 4.9 to 4.12 do so where application is not the id of one that exists (500)"
	noAnswer = "no answer in time; an API manager that holds many tokens takes that long to refuse one that it does not know"
)

// What may be wrong with the API manager: each with its message, and gone when it is gone.
func TestFaultsOfTheAPIManager(t *testing.T) {
	for name, dialect := range dialects {
		p := platform(t, demo.Options{Gravitee: dialect, SlowAfter: time.Minute})
		o := options(t, p)
		c := New(o)
		o.Timeout = 100 * time.Millisecond
		hasty := New(o)
		for fault, want := range map[demo.ManagementFault]string{
			demo.ManagementUnauthorized:  "token_rejected: " + unknown,
			demo.ManagementForbidden:     "forbidden: " + lacks,
			demo.ManagementBroken:        "server_error: " + failed,
			demo.ManagementSlow:          "timeout: " + noAnswer,
			demo.ManagementPage:          "invalid: " + isPage,
			demo.ManagementRedirect:      "invalid: " + redirect,
			demo.ManagementGarbage:       "invalid: " + notJSON,
			demo.ManagementTruncated:     "invalid: " + notJSON,
			demo.ManagementOtherJSON:     "invalid: " + notV1,
			demo.ManagementCutOff:        "invalid: the connection was closed in the middle of the answer",
			demo.ManagementNonsenseDates: "invalid: a date is not in epoch milliseconds",
		} {
			p.SetManagement(uio, fault)
			reader := c
			if fault == demo.ManagementSlow {
				reader = hasty
			}
			reading, err := reader.Read(t.Context())
			if err == nil || err.Error() != want || !reading.At.IsZero() {
				t.Errorf("%s: error %v, want %s", name, err, want)
			}
		}
		for _, fault := range []demo.ManagementFault{demo.ManagementHealthy, demo.ManagementEpochAsText} {
			p.SetManagement(uio, fault)
			p.EndAt(uio, "krr", time.Now().Add(24*time.Hour))
			match := mustRead(t, c).Match(secret.New(p.Key(uio, "krr")), nil)
			if left := time.Until(match.Expires); match.Standing != Usable || left < 23*time.Hour || left > 24*time.Hour {
				t.Errorf("%s: %+v, expires in %v", name, match, left)
			}
		}
	}
}

// What may be wrong with the configuration.
func TestWrongOptions(t *testing.T) {
	p := platform(t, demo.Options{})
	file := filepath.Join(t.TempDir(), "token")
	dead := httptest.NewServer(nil)
	dead.Close()
	date := regexp.MustCompile(`\d{4}-\d\d-\d\d`)
	plain := strings.Replace(p.ManagementURL(uio), "https:", "http:", 1)
	for want, change := range map[string]func(*Options){
		"token_unreadable: the token cannot be read: " + file + ": no such file": func(o *Options) { o.Token = secret.NewFile(file) },
		"token_unreadable: the value is empty":                                   func(o *Options) { o.Token = literal("") },
		"token_rejected: " + unknown:                                             func(o *Options) { o.Token = literal(token) },
		"not_found: " + noApp:                                                    func(o *Options) { o.Application = "../x y" },
		"not_found: the API manager fails as it does for an organization that it does not have: correct organization, usually it is DEFAULT (500)": func(o *Options) { o.Organization = "x" },
		"not_found: the API manager lists the subscriptions, but has no such application in this environment: is environment right?":               func(o *Options) { o.Environment = "x" },
		"not_found: " + nowhere:           func(o *Options) { o.URL = o.URL.JoinPath("v2") },
		"unreachable: connection refused": func(o *Options) { o.URL = parse(t, dead.URL) },
		"unreachable: no such host":       func(o *Options) { o.URL = parse(t, "https://nobody.invalid/management") },
		"tls: the certificate's issuer is not trusted (self-signed, a private issuer, or an intermediate is missing)": func(o *Options) { o.TLS.RootCAs = nil },
		"tls: the certificate is for another name":          func(o *Options) { o.TLS = &tls.Config{RootCAs: p.CA()} },
		"tls: the server ended the handshake with an alert": func(o *Options) { o.TLS.MaxVersion = tls.VersionTLS11; o.TLS.MinVersion = tls.VersionTLS11 },
		"invalid: unexpected status 400":                    func(o *Options) { o.URL = parse(t, plain) },
		"tls: the certificate expired on DATE":              func(o *Options) { o.TLS.Time = func() time.Time { return time.Now().AddDate(3, 0, 0) } },
	} {
		o := options(t, p)
		change(&o)
		_, err := New(o).Read(t.Context())
		if err == nil || date.ReplaceAllString(err.Error(), "DATE") != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

func TestPortNotOfTLS(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	c := New(Options{URL: parse(t, strings.Replace(server.URL, "http:", "https:", 1)), Token: literal(token)})
	_, err := c.Read(t.Context())
	if err == nil || err.Error() != "tls: the port does not speak TLS" {
		t.Errorf("error %v", err)
	}
}

// What may come as the list, or as the keys of a subscription.
func TestAnswers(t *testing.T) {
	const noList, noKeys = "invalid: the answer is JSON, but no list of subscriptions", "invalid: the answer is JSON, but no list of keys"
	lists := map[string]string{
		"": "invalid: " + notJSON, "null": noList, "{}": noList, "[]": "invalid: " + notV1, `{"data":null}`: noList,
		`{"data":[]} `: "", `{"data":[]} {}`: "invalid: " + notJSON, " \n<html>": "invalid: " + isPage,
		`{"data":[{"id":".."}]}`: "invalid: a subscription has no usable id", `{"data":[{"id":"a/b"}]}`: "invalid: a subscription has no usable id",
		`{"data":[{}]}`: "invalid: a subscription has no usable id", `{"data":[],"metadata":{"a":"b","c":{"name":1}}}`: "", `{"data":[],"metadata":7}`: "",
		`{"data":[],"page":{"total_pages":"x"}}`: "invalid: " + notV1, strings.Repeat(" ", maxAnswer+1): "invalid: the answer is larger than 8 MiB",
	}
	for answer, want := range lists {
		wantError(t, answering(map[string]string{list: answer}), answer, want)
	}
	keys := map[string]string{
		"null": noKeys, "[]": "", "{}": "invalid: " + notV1, `[{"key":1}]`: "invalid: a key is not a string", "[7]": "invalid: " + notV1,
		`[{"key":"a","expire_at":"soon"}]`: "invalid: a date is not in epoch milliseconds", `[{}]`: "",
	}
	for answer, want := range keys {
		wantError(t, answering(map[string]string{list: oneSubscription, list + "/s/apikeys": answer}), answer, want)
	}
	wantError(t, answering(map[string]string{list: oneSubscription}), "no keys",
		"not_found: the API manager has the subscriptions, but no keys below them: is this Gravitee 3.5 to 4.x?")
}

// Both forms of an error, and statuses, on the list and on the keys.
func TestRefusals(t *testing.T) {
	const canary = "canary"
	management := func(code string) string {
		return fmt.Sprintf(`{"message":"%s","parameters":{"a":"%s"},"technicalCode":%q,"http_status":404}`, canary, canary, code)
	}
	const portal = `{"errors":[{"status":"404","message":"canary","code":"errors.canary"}]}`
	for _, test := range []struct {
		status     int
		body, want string
	}{
		{404, management("application.notFound"), "not_found: " + noApp},
		{404, management("canary"), "not_found: the API manager has no such resource (404)"},
		{404, management(""), "not_found: " + nowhere},
		{405, "<html>canary", strings.Replace("not_found: "+nowhere, "404", "405", 1)},
		{404, portal, "not_found: " + isPortal + " (404)"},
		{401, portal, "not_found: " + isPortal + " (401)"},
		{401, `[]`, "token_rejected: " + unknown},
		{403, canary, "forbidden: " + lacks},
		{429, canary, "server_error: the API manager takes no more requests for now (429)"},
		{503, portal, "server_error: the API manager failed (503)"},
		{204, "", "invalid: unexpected status 204"},
		{308, canary, strings.Replace("invalid: "+redirect, "302", "308", 1)},
		{418, canary, "invalid: unexpected status 418"},
	} {
		refuse := func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(test.status)
			_, _ = w.Write([]byte(test.body))
		}
		wantError(t, refuse, test.body, test.want)
		if strings.HasPrefix(test.want, "not_found") {
			continue // below the list it means something else: TestSpelling
		}
		wantError(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == list {
				_, _ = w.Write([]byte(oneSubscription))
				return
			}
			refuse(w, r)
		}, test.body, test.want)
	}
}

func wantError(t *testing.T, handler http.HandlerFunc, name, want string) {
	t.Helper()
	_, err := serving(t, handler).Read(t.Context())
	got := ""
	if err != nil {
		got = err.Error()
	}
	if got != want {
		t.Errorf("%.60q: error %q, want %q", name, got, want)
	}
}

// A list may end before the page that was said to be the last.
func TestListShrinksMeanwhile(t *testing.T) {
	c := serving(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != list:
			_, _ = w.Write([]byte("[]"))
		case r.URL.Query().Get("page") == "1":
			_, _ = w.Write([]byte(`{"data":[{"id":"s"}],"page":{"total_pages":1000}}`))
		default:
			_, _ = w.Write([]byte(`{"data":[],"page":{"total_pages":1000}}`))
		}
	})
	if n := len(mustRead(t, c).Subscriptions); n != 1 {
		t.Errorf("%d subscriptions", n)
	}
}

// An answer that never ends is left soon after its limit.
func TestEndlessAnswer(t *testing.T) {
	var sent atomic.Int64
	c := serving(t, func(w http.ResponseWriter, _ *http.Request) {
		for sent.Load() < 10*maxAnswer {
			n, err := w.Write(make([]byte, 1<<20))
			sent.Add(int64(n))
			if err != nil {
				return
			}
		}
	})
	_, err := c.Read(t.Context())
	if kindOf(t, err) != Invalid || sent.Load() >= 10*maxAnswer {
		t.Errorf("%d bytes sent, error %v", sent.Load(), err)
	}
}

// A list that never ends does.
func TestEndlessList(t *testing.T) {
	pages := 0
	c := serving(t, func(w http.ResponseWriter, _ *http.Request) {
		pages++
		_, _ = fmt.Fprintf(w, `{"data":[{"id":"%d"}],"page":{"total_pages":1000000}}`, pages)
	})
	_, err := c.Read(t.Context())
	if kindOf(t, err) != Invalid || pages != maxPages {
		t.Errorf("%d pages, error %v", pages, err)
	}
}
