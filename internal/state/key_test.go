package state_test

import (
	"cmp"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
)

func verdict(m int, v probe.KeyVerdict) probe.Result {
	result := run(m, nil)
	result.KeyVerdict = v
	return result
}

// What proves nothing leaves what was proved.
func TestAcceptedIsKept(t *testing.T) {
	store := state.New()
	store.Replace([]probe.Check{check("a")})
	for m, step := range []struct{ said, want probe.KeyVerdict }{
		{probe.KeyUnproven, probe.KeyUnproven},
		{probe.KeyAccepted, probe.KeyAccepted},
		{probe.KeyUnproven, probe.KeyAccepted},
		{probe.KeyRejected, probe.KeyRejected},
		{probe.KeyUnproven, probe.KeyRejected},
		{probe.KeyAccepted, probe.KeyAccepted},
	} {
		store.Report(target("a"), verdict(m, step.said))
		if got := only(t, store).Key.Accepted; got != step.want {
			t.Errorf("step %d: %d, want %d", m, got, step.want)
		}
	}
	store.Replace([]probe.Check{check("a"), check("b")})
	if got := store.Snapshot()[0].Key.Accepted; got != probe.KeyAccepted {
		t.Errorf("after a reload: %d", got)
	}
}

// What the credential itself said is the last run's; what others said is theirs to change.
func TestKeyEnds(t *testing.T) {
	store := state.New()
	store.Replace([]probe.Check{check("a")})
	own := probe.KeyEnd{Source: probe.SourceJWT, At: at(50)}
	configured := probe.KeyEnd{Source: probe.SourceConfig, At: at(40)}
	learned := state.KeyInfo{Used: true, Ends: []probe.KeyEnd{configured}, Superseded: probe.Count{N: 1, OK: true}}
	ends := func(want ...probe.KeyEnd) {
		t.Helper()
		key := only(t, store).Key
		if diff := gocmp.Diff(want, key.Ends()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	result := run(0, nil)
	result.KeyEnds = []probe.KeyEnd{own}
	store.Report(target("a"), result)
	ends(own)
	store.SetKeyInfo(target("a"), learned)
	store.SetKeyInfo(target("gone"), learned)
	ends(configured, own)
	store.Replace([]probe.Check{check("a")})
	store.Report(target("a"), run(1, dead)) // it could not be read
	ends(configured)
	if diff := gocmp.Diff(learned, only(t, store).Key.Info); diff != "" {
		t.Errorf("learned (-want +got):\n%s", diff)
	}
	store.SetKeyInfo(target("a"), state.KeyInfo{})
	ends()
}

func TestInstitutions(t *testing.T) {
	store := state.New()
	uio := state.Institution{Name: "uio", Managed: true, CAEnd: at(1)}
	uib := state.Institution{Name: "uib"}
	hold := func(what string, want ...state.Institution) {
		t.Helper()
		got := store.Institutions()
		slices.SortFunc(got, func(a, b state.Institution) int { return cmp.Compare(a.Name, b.Name) })
		if diff := gocmp.Diff(append([]state.Institution{}, want...), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	store.SetInstitutions([]state.Institution{uio, uib})
	hold("before a reading", uib, uio)
	store.SetManagerStatus("uio", true, at(2))
	store.SetManagerStatus("uio", false, time.Time{})
	store.SetManagerStatus("uib", true, at(2)) // the last reading of a manager that is gone
	store.SetManagerStatus("ntnu", true, at(2))
	read := uio
	read.Manager = state.Manager{Tried: true, LastSuccess: at(2)}
	hold("after readings", uib, read)
	store.SetInstitutions([]state.Institution{uio})
	hold("after a reload", read)
	uio.Managed, uio.CAEnd = false, at(3)
	store.SetInstitutions([]state.Institution{uio})
	hold("without a manager", uio)
	uio.Managed = true
	store.SetInstitutions([]state.Institution{uio})
	hold("with a manager anew", uio)
	store.SetInstitutions(nil)
	hold("without institutions")
}
