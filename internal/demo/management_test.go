package demo

import (
	"crypto/tls"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// ask sends one request to uio's API manager and decodes what it says.
func ask(t *testing.T, p *Platform, path, token string, value any) (status int) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.ManagementURL("uio")+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: p.CA(), ServerName: p.ServerName("uio")}}
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	err = json.NewDecoder(response.Body).Decode(value)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode
}

func application(p *Platform) string {
	return "/organizations/DEFAULT/environments/DEFAULT/applications/" + p.Application("uio")
}

func TestManagementDialects(t *testing.T) {
	common := []string{"application", "created_at", "expired", "key", "paused", "revoked", "updated_at"}
	for dialect, want := range map[Dialect]struct {
		path string
		more []string
	}{
		Gravitee310: {"keys", []string{"plan", "subscription"}},
		Gravitee315: {"apikeys", []string{"api", "id", "plan", "subscription"}},
		Gravitee320: {"apikeys", []string{"id", "subscriptions"}},
		Gravitee4:   {"apikeys", []string{"environmentId", "federated", "hash", "id", "subscriptions"}},
	} {
		p := start(t, Options{WithoutFaults: true, Gravitee: dialect})
		var page struct{ Data []struct{ ID string } }
		ask(t, p, application(p)+"/subscriptions", p.ManagementToken("uio"), &page)
		below := application(p) + "/subscriptions/" + page.Data[0].ID + "/"
		var keys []map[string]any
		ask(t, p, below+want.path, p.ManagementToken("uio"), &keys)
		if len(keys) != 1 || keys[0]["key"] != p.Key("uio", "organisasjoner") {
			t.Fatalf("%v: %d keys, or another's", dialect, len(keys))
		}
		fields := slices.Sorted(slices.Values(append(want.more, common...)))
		diff := cmp.Diff(fields, slices.Sorted(maps.Keys(keys[0])))
		if diff != "" {
			t.Errorf("%v: fields (-want +got):\n%s", dialect, diff)
		}
		other := map[string]string{"keys": "apikeys", "apikeys": "keys"}[want.path]
		var refusal map[string]any
		if status := ask(t, p, below+other, p.ManagementToken("uio"), &refusal); status != 404 {
			t.Errorf("%v: /%s: status %d", dialect, other, status)
		}
	}
}

func TestManagementPages(t *testing.T) {
	p := start(t, Options{WithoutFaults: true, Subscriptions: 250})
	for query, want := range map[string][3]int{ // on this page, pages, in all
		"":                                 {20, 11, 215}, // the paused ones are not in it
		"?status=ACCEPTED,PAUSED&size=100": {100, 3, 250},
		"?status=ACCEPTED,PAUSED&size=100&page=3": {50, 3, 250},
		"?status=PAUSED&size=100":                 {35, 1, 35},
		"?status=PAUSED&size=100&page=2":          {0, 1, 35},
	} {
		var page struct {
			Data []struct{}
			Page struct {
				Size  int
				Pages int `json:"total_pages"`
				All   int `json:"total_elements"`
			}
		}
		ask(t, p, application(p)+"/subscriptions"+query, p.ManagementToken("uio"), &page)
		got := [3]int{len(page.Data), page.Page.Pages, page.Page.All}
		if got != want || page.Page.Size != got[0] {
			t.Errorf("%q: %v, want %v", query, got, want)
		}
	}
}

// The gateway follows what the API manager says of a key.
func TestGatewayFollowsTheAPIManager(t *testing.T) {
	for grace, afterwards := range map[time.Duration]int{0: 200, time.Nanosecond: 401} {
		p := start(t, Options{WithoutFaults: true, KeyGrace: grace})
		c := client(t, p, "uio", false)
		status := func(api, key string) int {
			r := documented(t, p, "uio", api)
			r.Header.Set("X-Gravitee-Api-Key", key)
			return mustSend(t, c, r).Status
		}
		old := p.Key("uio", "krr")
		renewed := p.Renew("uio", "krr")
		if old == renewed || p.Key("uio", "krr") != renewed {
			t.Fatal("no new key")
		}
		if a, b := status("krr", old), status("krr", renewed); a != afterwards || b != 200 {
			t.Errorf("renewed with grace %v: old key %d, new one %d", grace, a, b)
		}
		p.Revoke("uio", "ansatte")
		p.EndAt("uio", "fs-emner", time.Now().Add(-time.Second))
		for _, api := range []string{"ansatte", "fs-emner"} {
			if got := status(api, p.Key("uio", api)); got != 401 {
				t.Errorf("%s: status %d", api, got)
			}
		}
		var ended []bool
		for _, k := range p.ManagedKeys("uio") {
			ended = append(ended, k.Revoked || k.Expired)
		}
		// organisasjoner, stillinger, ansatte, fs-emner, krr's two, maskinporten
		if diff := cmp.Diff([]bool{false, false, true, true, false, grace != 0, false}, ended); diff != "" {
			t.Errorf("ended keys (-want +got):\n%s", diff)
		}
	}
}
