package probe

import (
	"net/http"
	"runtime"
	"sync"
	"time"
	"weak"
)

// KeyVerdict is what an answer proves of the key that was sent.
type KeyVerdict int8

// The verdicts.
const (
	KeyUnproven KeyVerdict = iota
	KeyAccepted
	KeyRejected
)

// sender is who wrote an answer.
type sender uint8

const (
	anybody    sender = iota // bytes do not decide
	byGateway                // one of the gateway's own failures
	byRefusal                // the gateway, which refuses the key
	byExpiry                 // the gateway, which says that the key has expired
	byPlan                   // the gateway's resource filtering: the key is good, the request is not in its plan
	byUnready                // the gateway, before it judged the key or without what it needs to judge a limit
	byDeadline               // the gateway, which has given up the whole request
	byNothing                // the gateway, with an empty answer: it found nothing to pass on
	byRouter                 // the platform's router in front of the gateway
	byBackend
)

// failureOf says what an unexpected answer means, given what the API answers to wrong keys.
func failureOf(a *answer, known refusals) *Failure {
	from := senderOf(a, known)
	for _, r := range rules {
		if r.status <= a.status && a.status <= r.last && (r.from == anybody || r.from == from) {
			return failAt(r.reason, r.layer, "HTTP status %d", a.status)
		}
	}
	return Fail(ReasonStatus, "HTTP status %d", a.status)
}

// rules say what an unexpected answer means; the first that fits counts. An empty layer is the reason's own.
var rules = []struct {
	status, last int // inclusive
	from         sender
	reason       Reason
	layer        Layer
}{
	{100, 199, anybody, ReasonInvalidResponse, ""}, // 101: the exporter asked for no other protocol
	{200, 299, byBackend, ReasonStatus, LayerBackend},
	{300, 399, byBackend, ReasonRedirect, LayerBackend},
	{300, 399, anybody, ReasonRedirect, ""},
	{401, 401, byRefusal, ReasonKeyRejected, ""},
	{401, 401, byExpiry, ReasonKeyExpired, ""},
	{401, 401, byGateway, ReasonGatewayError, ""},
	{401, 401, byRouter, ReasonStatus, ""},
	{401, 401, anybody, ReasonBackendUnauthorized, ""},
	{403, 403, byGateway, ReasonForbidden, ""},
	{403, 403, byPlan, ReasonForbidden, ""},
	{403, 403, byUnready, ReasonForbidden, ""},
	{403, 403, byRouter, ReasonStatus, ""},
	{403, 403, anybody, ReasonBackendForbidden, ""},
	{404, 404, byRouter, ReasonGatewayUnavailable, ""},
	{404, 404, byGateway, ReasonNoSuchAPI, ""},
	{404, 404, byUnready, ReasonNoSuchAPI, ""},
	{404, 404, anybody, ReasonNotFound, ""},
	{405, 405, byPlan, ReasonForbidden, ""},
	{429, 429, byRouter, ReasonStatus, ""},
	{429, 429, byUnready, ReasonGatewayError, ""},
	{429, 429, byBackend, ReasonRateLimited, LayerBackend},
	{429, 429, anybody, ReasonRateLimited, ""},
	{500, 599, byUnready, ReasonGatewayError, ""},
	{400, 400, byGateway, ReasonGatewayError, ""},
	{405, 405, byGateway, ReasonGatewayError, ""},
	{400, 499, byBackend, ReasonStatus, LayerBackend},
	{500, 500, byGateway, ReasonGatewayError, ""},
	{502, 503, byRouter, ReasonGatewayUnavailable, ""},
	{502, 503, byNothing, ReasonBackendUnreachable, ""},
	{502, 503, byGateway, ReasonBackendUnreachable, ""},
	{504, 504, byRouter, ReasonGatewayTimeout, ""},
	{504, 504, byNothing, ReasonBackendTimeout, ""},
	{504, 504, byDeadline, ReasonBackendTimeout, ""},
	{504, 504, byGateway, ReasonGatewayError, ""},
	{500, 599, byRouter, ReasonStatus, ""},
	{500, 599, anybody, ReasonBackendError, ""},
}

// proofOf says what an answer proves of the key that was sent, given what the API answers to wrong keys.
func proofOf(a *answer, known refusals) KeyVerdict {
	from := senderOf(a, known)
	switch {
	case known.wrong.success():
		return KeyUnproven // any key would do
	case a.client:
		return KeyAccepted
	case a.head && !known.any():
		return KeyUnproven // a length is no proof
	case from == byRefusal, from == byExpiry:
		return KeyRejected
	case from == byBackend:
		return KeyAccepted
	case known.refused() && !known.clientOnSuccess && afterKey(a, from):
		return KeyAccepted // the gateway judges the key before it answers so
	}
	return KeyUnproven
}

// afterKey says whether an answer can only come after the gateway has looked at the key, if it refuses wrong ones.
func afterKey(a *answer, from sender) bool {
	switch from {
	case anybody:
		return a.success()
	case byRouter:
		return false
	case byUnready:
		return a.status == http.StatusTooManyRequests
	}
	return a.status != http.StatusNotFound
}

// senderOf tells the gateway's own answers from those of a router before it and of a backend behind it. It knows no
// version of the gateway: only which of its headers an answer carries, and how the API refuses a wrong key.
func senderOf(a *answer, known refusals) sender {
	switch {
	case !a.marked() && a.text == textPage:
		return byRouter
	case a.status == http.StatusUnauthorized:
		return senderOf401(a, known)
	case a.passedOn(known):
		return senderOfPassedOn(a)
	}
	switch a.text {
	case textEmpty:
		return senderOfEmpty(a, known)
	case textOther, textPage, textUnread:
		return senderOfOther(a, known)
	case textDeadline:
		if known.before(a) {
			return byGateway
		}
	}
	return senders[a.text]
}

// senders of the gateway's own texts.
var senders = map[text]sender{
	textNoContextPath: byGateway, textGateway: byGateway, textRefused: byGateway, textExpired: byGateway,
	textNotInPlan: byPlan, textUnready: byUnready, textDeadline: byDeadline,
}

// senderOf401 decides whose refusal a 401 is: what the API itself answers to a wrong key is the fingerprint.
func senderOf401(a *answer, known refusals) sender {
	isRefusal := a.text == textRefused || a.text == textExpired
	switch {
	case a.client && a.inGatewaysShape() && !isRefusal:
		return byGateway // a policy, after the key
	case a.client:
		return byBackend
	case a.text == textUnread:
		return anybody
	case known.equal(a):
		return byRefusal
	case a.passedOn(known):
		return byBackend
	case a.text == textExpired && known.refused() && known.wrong.text != textExpired:
		return byExpiry
	case isRefusal, a.challengedByGateway:
		return byRefusal
	case a.inGatewaysShape():
		return byGateway
	case a.marked() && !known.before(a):
		return byBackend
	}
	return anybody
}

// passedOn says whether an answer carries a mark that the gateway puts only on what has passed it.
func (a *answer) passedOn(known refusals) bool {
	return known.refused() && a.ids && !known.wrong.ids || a.client && a.text == textNoContextPath
}

// senderOfPassedOn tells a backend's answer from the one failure that a gateway marks like it: a failover that found no
// backend at all.
func senderOfPassedOn(a *answer) sender {
	if a.text == textEmpty && a.status >= http.StatusInternalServerError {
		return byNothing
	}
	return byBackend
}

func senderOfEmpty(a *answer, known refusals) sender {
	if a.status >= http.StatusInternalServerError {
		return byNothing
	}
	return senderOfOther(a, known)
}

// senderOfOther is for what is none of the gateway's own texts.
func senderOfOther(a *answer, known refusals) sender {
	switch {
	case !a.marked(), a.text == textUnread && a.status >= http.StatusBadRequest && !a.client: // it may have been the gateway's own
		return anybody
	case known.before(a):
		return byUnready // with a text of the API's own
	}
	return byBackend
}

// Refusals remembers what an API answered last to its request without a key and with a wrong one. The checks of kind api
// and auth of one API share it: an answer that equals a refusal is the gateway refusing our key. It is in memory only.
// Safe for concurrent use; the zero value knows nothing.
type Refusals struct {
	mu              sync.Mutex
	none, wrong     remembered[answer]
	clientOnSuccess remembered[bool]
	undecided       time.Time // of the last answer that says nothing of how the API treats keys
}

// apiVersion is an API as it was configured in one version.
type apiVersion struct {
	target  Target
	version string
}

// Refusals returns what the checks of an API share as long as version, that of its request, stays the same and one of
// them is in use.
func (s *Shared) Refusals(target Target, version string) *Refusals {
	of := apiVersion{target, version}
	s.refusalsMu.Lock()
	defer s.refusalsMu.Unlock()
	known := s.refusals[of].Value()
	if known == nil {
		known = new(Refusals)
		s.refusals[of] = weak.Make(known)
		runtime.AddCleanup(known, s.forget, of)
	}
	return known
}

// forget leaves nothing behind of an API that was removed or changed.
func (s *Shared) forget(of apiVersion) {
	s.refusalsMu.Lock()
	defer s.refusalsMu.Unlock()
	if s.refusals[of].Value() == nil { // else there is a new one
		delete(s.refusals, of)
	}
}

// refusalsAge is how long an answer is taken for what the API answers still.
const refusalsAge = 24 * time.Hour

type remembered[T any] struct {
	value T
	at    time.Time
}

// refusals is what Refusals knows at one moment.
type refusals struct {
	none, wrong     answer // status 0: not known
	clientOnSuccess bool   // this API's successes carry Client-Identifier
}

// any says whether anything is known of how the API refuses.
func (r *refusals) any() bool { return r.none.status != 0 || r.wrong.status != 0 }

// known says whether it is known what the API answers to a wrong key.
func (r *refusals) known() bool { return r.wrong.status != 0 }

// refused says whether a wrong key is known to be refused.
func (r *refusals) refused() bool { return r.wrong.status == http.StatusUnauthorized }

// before says whether an answer came before the gateway had judged the key: the mark of what comes after is missing.
func (r *refusals) before(a *answer) bool { return r.clientOnSuccess && !a.client }

// equal says whether an answer is one of the refusals. An API whose refusals hold a time or an id never answers twice
// the same: then the length is all that is compared of the text.
func (r *refusals) equal(a *answer) bool {
	textVaries := r.none.digest != r.wrong.digest && r.none.sameForm(&r.wrong)
	for _, refusal := range []*answer{&r.none, &r.wrong} {
		if a.sameForm(refusal) && (textVaries || a.digest == refusal.digest) {
			return true
		}
	}
	return false
}

// now returns what is known.
func (r *Refusals) now() refusals {
	r.mu.Lock()
	defer r.mu.Unlock()
	return refusals{r.none.get(), r.wrong.get(), r.clientOnSuccess.get()}
}

func (r *remembered[T]) get() (value T) {
	if r.at.IsZero() || time.Since(r.at) >= refusalsAge {
		return value
	}
	return r.value
}

// withoutKey and withWrongKey remember an answer to the negative test, if it says how the API treats keys: any other,
// such as that of a gateway which has just started, takes nothing away of what is known.
func (r *Refusals) withoutKey(a answer) { r.remember(&r.none, a) }

func (r *Refusals) withWrongKey(a answer) { r.remember(&r.wrong, a) }

func (r *Refusals) remember(to *remembered[answer], a answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if a.status != http.StatusUnauthorized && !a.success() || a.text == textPage && !a.marked() {
		r.undecided = time.Now()
		return
	}
	to.set(a)
}

// patience is how long an API that answered something else to a wrong key is not asked again by failing runs: as often
// as the negative test asks, unless its interval is configured.
const patience = 15 * time.Minute

// worthAsking says whether a failing run may learn something from a wrong key.
func (r *Refusals) worthAsking() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.undecided.IsZero() || time.Since(r.undecided) >= patience
}

// succeeded remembers whether a success carried Client-Identifier.
func (r *Refusals) succeeded(client bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clientOnSuccess.set(client)
}

func (r *remembered[T]) set(value T) { r.value, r.at = value, time.Now() }
