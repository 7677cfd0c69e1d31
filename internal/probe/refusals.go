package probe

import (
	"sync"
	"time"
)

// Refusals remembers what an API answered last to its request without a key and with a wrong one. The checks of kind api
// and auth of one API share it: an answer that equals a refusal is the gateway refusing our key. It is in memory only.
// Safe for concurrent use; the zero value knows nothing.
type Refusals struct {
	mu              sync.Mutex
	none, wrong     remembered[answer]
	clientOnSuccess remembered[bool]
}

// refusalsAge is how long an answer is taken for what the API answers still.
const refusalsAge = 24 * time.Hour

type remembered[T any] struct {
	value T
	at    time.Time
}

func (r *remembered[T]) set(value T) { r.value, r.at = value, time.Now() }

func (r *remembered[T]) get() (value T) {
	if r.at.IsZero() || time.Since(r.at) >= refusalsAge {
		return value
	}
	return r.value
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
