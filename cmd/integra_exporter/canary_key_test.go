package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/demo"
	"github.com/integra-exporter/integra_exporter/internal/testkit"
)

// signs are the forms in which a secret could come out.
func signs(secret string) []string {
	sum := sha256.Sum256([]byte(secret))
	return []string{
		secret, strings.ReplaceAll(secret, "-", ""), hex.EncodeToString(sum[:]), fmt.Sprint(sum),
		base64.StdEncoding.EncodeToString([]byte(secret)), hex.EncodeToString([]byte(secret)),
	}
}

// secretsOf returns all that must not come out of the exporter of uio, in every form.
func secretsOf(uio institute, more ...string) []string {
	secrets := append(more, uio.ManagementToken("uio"))
	for _, k := range uio.ManagedKeys("uio") {
		secrets = append(secrets, k.Value)
	}
	var all []string
	for _, secret := range secrets {
		all = append(all, signs(secret)...)
	}
	return all
}

// The API manager answers with 250 keys in clear text, well and in every way wrong: none of them comes out.
func TestCanaryInAPIManager(t *testing.T) {
	testkit.NoLeaks(t)
	uio := manage(t, demo.Options{Subscriptions: 250, SlowAfter: 10 * time.Millisecond}, ", key_expires: 2030-01-01", "{name: token, jwt_file: keys/token}")
	jwt := jwtOf(canary, time.Now().Add(time.Hour))
	testkit.WriteFile(t, uio.dir, "keys/token", jwt)
	s := start(t, "--config.file="+uio.config, "--log.level=debug")
	testkit.Eventually(t, "a reading", func() bool { return s.metrics(t)[managerRead] == 1 })
	secrets := secretsOf(uio, append(strings.Split(strings.TrimSuffix(jwt, "."), "."), canary)...)
	if len(secrets) < 6*250 {
		t.Fatalf("only %d signs: the test is blind", len(secrets))
	}
	for _, fault := range []demo.ManagementFault{demo.ManagementTruncated, demo.ManagementOtherJSON, demo.ManagementNonsenseDates, demo.ManagementEpochAsText} {
		uio.SetManagement("uio", fault)
		before := s.metrics(t)
		testkit.Eventually(t, "a reading of it", func() bool {
			now := s.metrics(t)
			return now[managerRead] == 0 || now[managerReadAt] > before[managerReadAt]
		})
		secretless(t, s, secrets)
	}
	uio.SetManagement("uio", demo.ManagementHealthy)
	uio.Revoke("uio", "stillinger")
	testkit.Eventually(t, "a revoked key", func() bool { return s.metrics(t).reasons()["uio api stillinger"] == "key key_revoked" })
	secretless(t, s, secrets)
	for _, args := range [][]string{{"check"}, {"check", "--output=json"}, {"check-config"}} {
		got := call(t, append(args, "--config.file="+uio.config, "--log.level=debug")...)
		without(t, strings.Join(args, " "), got.out+got.err, secrets)
	}
	s.stop()
	<-s.ended
	without(t, "the log at debug", s.out.String()+s.err.String(), secrets)
	for _, words := range []string{"API manager cannot be read", "disagree", "key_revoked", "target=token"} {
		if !strings.Contains(s.err.String(), words) {
			t.Errorf("the log does not say %q: the test is blind", words)
		}
	}
	uio.withBadToken(t, secrets)
}

func secretless(t *testing.T, s *served, secrets []string) {
	t.Helper()
	for _, path := range []string{"/metrics", "/"} {
		_, body := s.request(t, "GET", path)
		without(t, path, body, secrets)
	}
}

func without(t *testing.T, where, text string, secrets []string) {
	t.Helper()
	for _, sign := range secrets {
		i := strings.Index(text, sign)
		if i >= 0 {
			t.Fatalf("%s holds a secret: …%s…", where, text[max(0, i-120):min(len(text), i+40)])
		}
	}
}

// withBadToken spoils the files of the credentials: what they hold is not repeated.
func (i institute) withBadToken(t *testing.T, secrets []string) {
	t.Helper()
	for _, file := range []string{"keys/token", "keys/uio-gravitee-token", "keys/uio-stillinger"} {
		content, err := os.ReadFile(i.dir + "/" + file)
		if err != nil {
			t.Fatal(err)
		}
		testkit.WriteFile(t, i.dir, file, "\x01"+string(content))
		got := call(t, "check-config", "--config.file="+i.config)
		without(t, file, got.out+got.err, secrets)
		if got.code != 2 {
			t.Errorf("%s: exit code %d", file, got.code)
		}
		testkit.WriteFile(t, i.dir, file, string(content))
	}
}
