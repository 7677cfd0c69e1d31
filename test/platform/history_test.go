package platform

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// episode is a fault that was there for a while.
type episode struct {
	fault
	from, to time.Time
}

// history is what has happened to the platform.
type history struct {
	healthy  time.Time // since then, until the first episode
	episodes []episode
}

// strike lets faults happen side by side, until all that they should raise has
// arrived and a while longer, in case something else comes.
func (h *history) strike(t *testing.T, w *world, faults ...fault) {
	t.Helper()
	from := time.Now()
	ends := make([]func(), len(faults))
	for i, f := range faults {
		ends[i] = f.begin(w)
	}
	defer func() { // also if nothing arrives
		to := time.Now()
		for i, end := range ends {
			end()
			h.episodes = append(h.episodes, episode{faults[i], from, to})
		}
	}()
	w.arrived(t, wantsOf(faults), from)
	t.Logf("the last alert came after %.0f s", time.Since(from).Seconds())
	time.Sleep(holdFor)
}

func wantsOf(faults []fault) (wants []want) {
	for _, f := range faults {
		wants = append(wants, f.wants...)
	}
	return wants
}

// arrived waits until each alert has been told to somebody since.
func (w *world) arrived(t *testing.T, wants []want, since time.Time) {
	t.Helper()
	await(t, w, patience, "these alerts arrive", func() (missing []string) {
		for _, a := range wants {
			if !slices.ContainsFunc(w.hook.of(a.alert), func(n notice) bool { return n.at.After(since) }) {
				missing = append(missing, a.String())
			}
		}
		return missing
	})
}

// resolved waits until somebody has been told that each alert is over.
func (w *world) resolved(t *testing.T, wants []want) {
	t.Helper()
	await(t, w, patience, "these alerts resolve", func() (left []string) {
		open := w.hook.open()
		for _, a := range wants {
			if open[a.alert] {
				left = append(left, a.String())
			}
		}
		return left
	})
}

// judge asserts that everybody was told what they had to be told, and nothing else.
func (h *history) judge(t *testing.T, w *world) {
	for _, n := range w.hook.all() {
		if n.Status == "firing" {
			h.justify(t, n, w)
			wellFormed(t, n)
		}
	}
	for _, e := range h.episodes {
		t.Run(e.name, func(t *testing.T) {
			for _, want := range e.wants {
				complete(t, want, w.hook.of(want.alert))
			}
		})
	}
}

// late is how long after a fault its alert may still come: it was on its way.
const late = 5 * time.Second

// justify finds what an alert was raised for.
func (h *history) justify(t *testing.T, n notice, w *world) {
	t.Helper()
	for _, s := range standing {
		if s.alert == n.alert() {
			return
		}
	}
	for _, e := range h.episodes {
		if e.explains(n) {
			return
		}
	}
	t.Errorf("%.0f s after the start: %s, which nobody expected: %s", n.at.Sub(w.began).Seconds(), n.alert(), n.Annotations["summary"])
}

// explains reports whether n is about the fault. What failed has also used up its
// error budget: whoever is told so afterwards is told the truth.
func (e episode) explains(n notice) bool {
	if n.at.Before(e.from) {
		return false
	}
	for _, want := range e.wants {
		if want.alert == n.alert() {
			return n.at.Before(e.to.Add(late))
		}
	}
	if !strings.HasPrefix(n.alert().Name, "IntegraErrorBudgetBurning") || n.at.Before(e.to) {
		return false
	}
	for _, hit := range e.hits {
		if hit.covers(n.alert().target) {
			return true
		}
	}
	return false
}

func (t target) covers(other target) bool {
	return t.Institution == other.Institution && t.Kind == other.Kind && (t.Name == "" || t.Name == other.Name)
}

// complete asserts that an alert fired, with the right words, and was resolved.
func complete(t *testing.T, want want, notices []notice) {
	t.Helper()
	if len(notices) == 0 {
		t.Errorf("%s did not arrive", want.alert)
		return
	}
	text := fmt.Sprint(notices[0].Annotations)
	for _, words := range want.says {
		if !strings.Contains(text, words) {
			t.Errorf("%s does not say %q:\n%s", want.alert, words, text)
		}
	}
	last := map[string]string{}
	for _, n := range notices {
		last[n.receiver+" "+n.Fingerprint] = n.Status
	}
	for who, status := range last {
		if status != "resolved" {
			t.Errorf("%s: %s was never told that it is over", want.alert, strings.Fields(who)[0])
		}
	}
}

// wellFormed asserts what every alert owes to whoever is called by it.
func wellFormed(t *testing.T, n notice) {
	t.Helper()
	name := n.alert()
	for _, annotation := range []string{"summary", "description", "runbook_url", "dashboard_url"} {
		text := n.Annotations[annotation]
		if text == "" || strings.Contains(text, "<error") || strings.Contains(text, "<no value>") || strings.Contains(text, "%!") {
			t.Errorf("%s: %s is %q", name, annotation, text)
		}
	}
	if n.Labels["severity"] == "" {
		t.Errorf("%s has no severity", name)
	}
	if (n.Labels["severity"] == "critical") != strings.HasSuffix(n.receiver, "on-call") {
		t.Errorf("%s, which is %s, went to %s", name, n.Labels["severity"], n.receiver)
	}
	contact := "integrasjon@" + name.Institution + ".example.no"
	if name.Kind != "" && name.Kind != "key" && !strings.Contains(n.Annotations["description"], contact) {
		t.Errorf("%s does not say whom to ask: %s", name, n.Annotations["description"])
	}
	_, page, _ := strings.Cut(n.Annotations["runbook_url"], "/blob/main/")
	_, err := os.Stat(filepath.Join(project, filepath.FromSlash(page)))
	if err != nil || !strings.HasSuffix(page, ".md") {
		t.Errorf("%s: there is no runbook %s", name, page)
	}
}
