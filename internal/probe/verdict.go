package probe

import (
	"net/http"
	"sync"
	"time"
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
	byUnready                // the gateway, which could not judge: a plan that cannot be evaluated, a limit's store that is down
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
	{403, 403, byRouter, ReasonStatus, ""},
	{403, 403, anybody, ReasonBackendForbidden, ""},
	{404, 404, byRouter, ReasonGatewayUnavailable, ""},
	{404, 404, byGateway, ReasonNoSuchAPI, ""},
	{404, 404, anybody, ReasonNotFound, ""},
	{405, 405, byPlan, ReasonForbidden, ""},
	{429, 429, byRouter, ReasonStatus, ""},
	{429, 429, byUnready, ReasonGatewayError, ""},
	{429, 429, byBackend, ReasonRateLimited, LayerBackend},
	{429, 429, anybody, ReasonRateLimited, ""},
	{400, 400, byGateway, ReasonGatewayError, ""},
	{405, 405, byGateway, ReasonGatewayError, ""},
	{400, 499, byBackend, ReasonStatus, LayerBackend},
	{500, 500, byGateway, ReasonGatewayError, ""},
	{502, 503, byRouter, ReasonGatewayUnavailable, ""},
	{503, 503, byUnready, ReasonGatewayError, ""},
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
	case a.head && !known.known():
		return KeyUnproven // a length is no proof
	case from == byRefusal, from == byExpiry:
		return KeyRejected
	case from == byBackend:
		return KeyAccepted
	case !known.refused() || beforeKey(a, from) || known.clientOnSuccess:
		return KeyUnproven
	}
	return KeyAccepted // the gateway judges the key before it answers so
}

// beforeKey says whether an answer may come before the gateway has looked at the key.
func beforeKey(a *answer, from sender) bool {
	return from == byRouter || from == byUnready || a.status == http.StatusNotFound ||
		a.status == http.StatusUnauthorized && from == anybody
}

// senderOf tells the gateway's own answers from those of a router before it and of a backend behind it. It knows no
// version of the gateway: only which of its headers an answer carries, and how the API refuses a wrong key.
func senderOf(a *answer, known refusals) sender {
	switch {
	case a.text == textPage && !a.marked():
		return byRouter
	case a.status == http.StatusUnauthorized:
		return senderOf401(a, known)
	case a.passedOn(known):
		return senderOfPassedOn(a)
	}
	switch a.text {
	case textEmpty:
		return senderOfEmpty(a)
	case textOther, textPage, textUnread:
		if a.marked() {
			return byBackend
		}
		return anybody
	case textDeadline:
		if known.clientOnSuccess && !a.client {
			return byGateway // it had not judged the key yet
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
	case known.known() && (a.equals(&known.none) || a.equals(&known.wrong)):
		return byRefusal
	case known.refused() && a.ids != known.wrong.ids:
		return byBackend
	case a.text == textExpired && known.refused() && known.wrong.text != textExpired:
		return byExpiry
	case isRefusal, a.challengedByGateway:
		return byRefusal
	case a.inGatewaysShape():
		return byGateway
	case a.marked() || known.refused():
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

func senderOfEmpty(a *answer) sender {
	switch {
	case a.status >= http.StatusInternalServerError:
		return byNothing
	case a.marked():
		return byBackend
	}
	return anybody
}

// Refusals remembers what an API answered last to its request without a key and with a wrong one. The checks of kind api
// and auth of one API share it: an answer that equals a refusal is the gateway refusing our key. It is in memory only.
// Safe for concurrent use; the zero value knows nothing.
type Refusals struct {
	mu              sync.Mutex
	none, wrong     remembered[answer]
	clientOnSuccess remembered[bool]
}

// apiRefusals are those of an API as it was configured in one version.
type apiRefusals struct {
	version string
	known   *Refusals
}

// Refusals returns what the checks of an API share: what is remembered of target as long as version, that of its
// request, stays the same.
func (s *Shared) Refusals(target Target, version string) *Refusals {
	before, had := s.refusals.Load(target)
	if had && before.(apiRefusals).version == version {
		return before.(apiRefusals).known
	}
	known := new(Refusals)
	s.refusals.Store(target, apiRefusals{version, known})
	return known
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

func (r *refusals) known() bool { return r.wrong.status != 0 }

// refused says whether a wrong key is known to be refused.
func (r *refusals) refused() bool { return r.wrong.status == 401 }

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
	if a.status != 401 && !a.success() || a.text == textPage && !a.marked() {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	to.set(a)
}

// succeeded remembers whether a success carried Client-Identifier.
func (r *Refusals) succeeded(client bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clientOnSuccess.set(client)
}

func (r *remembered[T]) set(value T) { r.value, r.at = value, time.Now() }
