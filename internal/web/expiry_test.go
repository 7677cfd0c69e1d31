package web_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
)

const aDay = 24 * time.Hour

func withKey(row state.Target, ends ...probe.KeyEnd) state.Target {
	row.Key.Info = state.KeyInfo{Used: true, Ends: ends}
	return row
}

func withCertificate(row state.Target, expiry time.Time) state.Target {
	row.Last.Certificate = probe.Certificate{Expiry: expiry, Verified: true}
	return row
}

func TestWhatExpiresNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := func(days int) time.Time { return time.Now().Add(time.Duration(days)*aDay + time.Hour) }
		token := rowOf("uio", "key", "token", nil, 1)
		token.Key.Seen = []probe.KeyEnd{{Source: probe.SourceJWT, At: in(3)}}
		o := world(
			withKey(withCertificate(rowOf("uio", "api", "a", nil, 1), in(40)),
				probe.KeyEnd{Source: probe.SourceConfig, At: in(90)}, probe.KeyEnd{Source: probe.SourceGravitee, At: in(20)}),
			withKey(withCertificate(rowOf("uio", "api", "b", nil, 1), in(39)), probe.KeyEnd{Source: probe.SourceConfig}), // never
			withKey(rowOf("uio", "api", "c", nil, 1)), // unknown
			withKey(rowOf("uio", "api", "d", nil, 1), probe.KeyEnd{Source: probe.SourceConfig, At: time.Now().Add(-2 * time.Hour)}),
			withKey(rowOf("uio", "api", "e", nil, 1), probe.KeyEnd{Source: probe.SourceConfig}, probe.KeyEnd{Source: probe.SourceGravitee, At: in(50)}),
			token,
			rowOf("uit", "api", "a", nil, 1), // nothing of it expires
		)
		o.Institutions = func() []state.Institution {
			return []state.Institution{{Name: "uio", CAEnd: in(60)}, {Name: "elsewhere", CAEnd: in(1)}, {Name: "uit"}}
		}
		want := strings.Join([]string{
			"When | Date | What | Name | Institution | Source |",
			"✗ expired 2 h 0 min ago | 1999-12-31 22:00:00 UTC | key | Title of d (d) | Title of uio (uio) | configuration |",
			"! in 3 d 1 h | 2000-01-04 01:00:00 UTC | key | Title of token (token) | Title of uio (uio) | JWT |",
			"! in 20 d | 2000-01-21 01:00:00 UTC | key | Title of a (a) | Title of uio (uio) | API manager |",
			"in 39 d | 2000-02-09 01:00:00 UTC | certificate | https://gw-uio:443 | Title of uio (uio) | TLS handshake |",
			"in 50 d | 2000-02-20 01:00:00 UTC | key | Title of e (e) | Title of uio (uio) | API manager |",
			"in 60 d | 2000-03-01 01:00:00 UTC | own CA | ca_file | Title of uio (uio) | file |",
			"1 key has no known expiry.",
		}, "\n")
		if diff := cmp.Diff(want, sectionOf(t, textOf(t, get(t, o, "/")), "Next to expire", "Exporter")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		filtered := sectionOf(t, textOf(t, get(t, o, "/?kind=key")), "Next to expire", "Exporter")
		if len(strings.Split(filtered, "\n")) != 3 || !strings.Contains(filtered, "token") || !strings.Contains(filtered, "own CA") {
			t.Errorf("the filter is not applied to what expires:\n%s", filtered)
		}
	})
}

func TestOnlyTheNextExpiriesAreListed(t *testing.T) {
	var targets []state.Target
	for i := range 20 {
		end := probe.KeyEnd{Source: probe.SourceConfig, At: time.Now().Add(time.Duration(20-i) * aDay)}
		targets = append(targets, withKey(rowOf("uio", "api", string(rune('a'+i)), nil, 1), end))
	}
	got := sectionOf(t, textOf(t, get(t, world(targets...), "/")), "Next to expire", "Exporter")
	lines := strings.Split(got, "\n")
	if len(lines) != 14 || !strings.Contains(lines[1], "Title of t") || lines[13] != "8 more expire later." {
		t.Errorf("want the header, the next twelve and the number of the others:\n%s", got)
	}
}
