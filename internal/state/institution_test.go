package state_test

import (
	"cmp"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/state"
)

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
