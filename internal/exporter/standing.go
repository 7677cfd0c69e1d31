package exporter

import (
	"cmp"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/gravitee"
	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// standings say of each standing of a key what is known, in short where the reason does not tell it, which reason a
// rejected key then has, and what to do next. An empty reason or next is that of the run.
var standings = map[gravitee.Standing]struct {
	known  string
	short  string
	reason probe.Reason
	next   string
}{
	gravitee.Unknown: {
		"none of the application's subscriptions has this key", "unknown to the API manager", "",
		"Compare the key with those of the application that gravitee.application names: it is mistyped, another application's, or of a subscription that is gone.",
	},
	gravitee.Usable: {
		"the key and its subscription are in order", "", "",
		"If either was changed less than a minute ago, wait for the gateway; else check that the subscription is to this API, and that the plan's condition is met.",
	},
	gravitee.NotBegun: {
		"the subscription has not begun", "the subscription has not begun", "",
		"Wait until it begins, or ask the API's owner to let it begin earlier.",
	},
	gravitee.Paused: {
		"the subscription is paused", "the subscription is paused", "",
		"Resume the subscription in the API manager, or ask the API's owner to do so.",
	},
	gravitee.Expired: {
		"the key has expired", "", probe.ReasonKeyExpired,
		"Renew the key in the API manager, and put the new key where the configuration points.",
	},
	gravitee.Ended: {
		"the subscription has ended", "the subscription has ended", probe.ReasonKeyExpired,
		"Subscribe to the API again, and put the new key where the configuration points: extending a subscription that has ended revives no key.",
	},
	gravitee.Revoked: {"the key is revoked", "", probe.ReasonKeyRevoked, ""},
	gravitee.Closed: {
		"the subscription is closed", "the subscription is closed", probe.ReasonKeyRevoked,
		"Ask the API's owner why, then subscribe again and put the new key where the configuration points.",
	},
}

// KeyReport is what the API manager says of the key that a target uses. The zero value: nothing, for it was not read.
type KeyReport struct {
	read  bool
	match gravitee.Match
}

// RefineReason names why the gateway rejected a key, and what to do next, where the API manager knows.
func RefineReason(err error, report KeyReport) error {
	reason, _ := probe.ReasonOf(err)
	if !report.read || reason != probe.ReasonKeyRejected && reason != probe.ReasonKeyExpired {
		return err
	}
	standing := standings[report.match.Standing]
	detail := probe.DetailOf(err)
	if standing.short != "" {
		detail += ", " + standing.short
	}
	failure := probe.Fail(cmp.Or(standing.reason, reason), "%s", detail)
	failure.Meaning, failure.Next = "The gateway does not accept the API key: in the API manager "+report.known()+".", standing.next
	return failure
}

// known is a sentence about the key and its subscription.
func (r KeyReport) known() string {
	known := standings[r.match.Standing].known
	if r.match.Standing == gravitee.NotBegun {
		known += ": it begins on " + r.match.Begins.UTC().Format(time.RFC3339)
	}
	return known
}

// remark is known where somebody should look at the key, whatever the gateway says; empty elsewhere.
func (r KeyReport) remark() string {
	if !r.read || r.match.Standing == gravitee.Usable {
		return ""
	}
	return r.known()
}
