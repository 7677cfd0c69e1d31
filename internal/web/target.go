package web

import (
	"net/http"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
	"github.com/integra-exporter/integra_exporter/internal/view"
)

// targetPage is what target.html shows.
type targetPage struct {
	head
	Institution, InstitutionLink string
	Kind, Name, Contact, State   string
	Count                        string // of runs and failures
	Explained                    probe.Explanation
	Detail, TransactionID        string
	Since, LastRun, LastSuccess  *moment
	Groups                       []group
	Failures, Runs               []runRow
	Phases                       []string // those that the rows show
	Configured                   []view.Fact
	Curl, PowerShell             string
	Unauthenticated              bool // the request carries no valid key
}

// group is what is known of one thing about a target.
type group struct {
	Title string
	Facts []view.Fact
}

func (s *site) target(w http.ResponseWriter, r *http.Request) {
	asked, err := targetOf(r)
	if err != nil {
		s.complain(w, r, http.StatusBadRequest, err.Error())
		return
	}
	t, known := s.Target(asked)
	if !known {
		s.complain(w, r, http.StatusNotFound, "There is no such target in the configuration.")
		return
	}
	s.show(w, r, http.StatusOK, "target.html", s.detail(&t, time.Now()))
}

func (s *site) detail(t *state.Target, now time.Time) *targetPage {
	p := &targetPage{
		head: s.head(now), Institution: named(t.InstitutionTitle, t.Institution), InstitutionLink: institutionLink(t.Institution),
		Kind: t.Kind, Name: view.Printable(t.Name), Contact: view.Printable(t.Contact), State: view.StateOf(t), Count: countOf(t),
		Since: momentOf(t.Since, now), LastSuccess: momentOf(t.LastSuccess, now),
		Groups: groupsOf(t, now), Unauthenticated: t.Kind == probe.KindAuth,
	}
	p.Title = view.Printable(t.Title)
	p.Tab = map[string]string{view.StateOK: "ok", view.StateFailed: "failed", view.StateWaiting: "not run yet"}[p.State] +
		": " + p.Title + ", " + p.Kind + ", " + p.Institution
	if t.Runs > 0 {
		p.LastRun = momentOf(t.LastRun(), now)
		p.Explained = probe.Explain(probe.ReasonOf(t.Last.Err))
		p.Detail, p.TransactionID = view.Printable(probe.DetailOf(t.Last.Err)), t.Last.TransactionID
	}
	p.addHistory(s.History(t.Target))
	configured := s.Configured(t.Target)
	for _, f := range configured.Facts {
		p.Configured = append(p.Configured, view.Fact{Name: view.Sanitize(f.Name), Value: view.Sanitize(f.Value), Bad: f.Bad})
	}
	if configured.Request != nil {
		p.Curl, p.PowerShell = configured.Request.Curl(), configured.Request.PowerShell()
	}
	return p
}

func countOf(t *state.Target) string {
	return view.Plural(int(t.Runs), "run", "runs") + ", " + view.Plural(int(t.Failures), "failure", "failures")
}

// groupsOf returns what the runs have found out, besides whether they succeeded.
func groupsOf(t *state.Target, now time.Time) (groups []group) {
	for _, g := range []group{
		{"Key", keyFacts(t, now)},
		{"Certificate", certificateFacts(t.Last.Certificate, now)},
		{"Broker", brokerFacts(&t.Last)},
		{"Allowance", allowanceFacts(t.Last.RateLimits)},
	} {
		if len(g.Facts) > 0 {
			groups = append(groups, g)
		}
	}
	return groups
}
