package gravitee

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/integra-exporter/integra_exporter/internal/demo"
	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// prints is v in every way in which something is put into words.
func prints(v any) string {
	text, err := json.Marshal(v)
	said := fmt.Sprintf("%+v %#v %s %v", v, v, text, err)
	func() {
		defer func() { said += fmt.Sprint(recover()) }()
		panic(v)
	}()
	return said
}

// No key and no hash of one, nor the token, is in anything that the client returns.
func TestNothingSecretIsPrinted(t *testing.T) {
	p := platform(t, demo.Options{Subscriptions: 250})
	c := New(options(t, p))
	reading := mustRead(t, c)
	match := reading.Match(secret.New(p.Key(uio, "krr")), nil)
	var said strings.Builder
	for _, v := range []any{&reading, match, c, bare(t, p), Status{Reading: Reading{Keys: reading.Keys[:9]}}, reading.Keys[0], &reading.Keys[0].Hash} {
		said.WriteString(prints(v))
	}
	fmt.Fprintf(&said, strings.Repeat("%v %s %q %x %d", 2), slices.Concat(five(reading.Keys[0]), five(reading.Keys[0].Hash))...)
	clean(t, said.String(), append(values(p), p.ManagementToken(uio)))
	if !strings.Contains(said.String(), secret.Placeholder) || len(reading.Keys) < 200 {
		t.Error("nothing was printed that could have held a key")
	}
}

func five(v any) []any { return []any{v, v, v, v, v} }

func bare(t *testing.T, p *demo.Platform) Options {
	t.Helper()
	o := options(t, p)
	o.TLS = nil // very long, and without a secret of ours
	return o
}

func values(p *demo.Platform) []string {
	var all []string
	for _, k := range p.ManagedKeys(uio) {
		all = append(all, k.Value)
	}
	return all
}

func clean(t *testing.T, said string, secrets []string) {
	t.Helper()
	for _, s := range secrets {
		hash := Hash(sha256.Sum256([]byte(s)))
		for what, form := range map[string]string{
			"clear text": s, "hex": hex.EncodeToString(hash[:])[:16], "upper hex": fmt.Sprintf("%X", hash[:8]),
			"decimal": fmt.Sprint(hash[0], hash[1], hash[2], hash[3], hash[4]), "decimal JSON": strings.ReplaceAll(fmt.Sprint(hash[0], hash[1], hash[2], hash[3], hash[4]), " ", ","),
			"base64":          base64.StdEncoding.EncodeToString(hash[:])[:12],
			"hex of the text": hex.EncodeToString([]byte(s))[:16],
		} {
			if strings.Contains(said, form) {
				t.Fatalf("a secret shows as %s", what)
			}
		}
	}
}

// Whatever of an answer could get into an error holds a canary.
func TestNothingOfAnAnswerIsInAnError(t *testing.T) {
	const canary = "canary"
	p := platform(t, demo.Options{Subscriptions: 250})
	c := New(options(t, p))
	secrets := append(values(p), p.ManagementToken(uio))
	for fault := demo.ManagementUnauthorized; fault <= demo.ManagementNonsenseDates; fault++ {
		if fault == demo.ManagementSlow {
			continue // the right answer, in the end
		}
		p.SetManagement(uio, fault)
		_, err := c.Read(t.Context())
		clean(t, prints(err), secrets)
	}
	failed := 0
	for _, answer := range []string{
		canary, `"canary"`, `{"canary":`, `[{"key":"canary"`, `[{"key":["canary"]}]`, `[{"key":"a","created_at":"canary"}]`,
		`[{"key":"a","subscriptions":"canary"}]`, `{"data":[{"id":"canary/"}]}`, `{"data":"canary"}`, `[{"key":"canary` + "\x01" + `"}]`,
		`{"data":[{"id":"s","ending_at":"canary"}]}`, `{"key":"canary"}`, "<canary>", `[{"key":"a","revoked":"canary"}]`,
	} {
		for _, handler := range []http.HandlerFunc{
			answering(map[string]string{list: answer}), answering(map[string]string{list: oneSubscription, list + "/s/keys": answer}),
			func(w http.ResponseWriter, _ *http.Request) { http.Error(w, answer, http.StatusConflict) },
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "https://"+canary+".invalid/")
				w.WriteHeader(http.StatusFound)
			},
		} {
			_, err := serving(t, handler).Read(t.Context())
			if err != nil {
				failed++
			}
			if said := prints(err); strings.Contains(said, canary) {
				t.Errorf("%q: %s", answer, said)
			}
		}
	}
	if failed != 14*4 {
		t.Errorf("only %d of the readings failed", failed)
	}
}

// The token goes to the API manager and to nobody else.
func TestRedirectIsNotFollowed(t *testing.T) {
	strangers := 0
	c := serving(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != list {
			strangers++
		}
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	})
	_, err := c.Read(t.Context())
	if kindOf(t, err) != Invalid || strangers != 0 {
		t.Errorf("error %v, %d requests elsewhere", err, strangers)
	}
}
