// Package probe says what a check is, and carries each kind of check out once.
//
// A Prober measures and names the cause of a failure; when it runs, within
// which bounds, and what becomes of the result is somebody else's business.
package probe

import (
	"cmp"
	"context"
	"time"
)

// The kinds of check, as the label kind shows them.
const (
	KindAPI      = "api"
	KindAuth     = "auth"
	KindRabbitMQ = "rabbitmq"
	KindKey      = "key"
)

// Target identifies a check. It is a map key and the identity labels of every series.
type Target struct{ Institution, Kind, Name string }

// Compare orders targets by institution, kind and name.
func (t Target) Compare(u Target) int {
	return cmp.Or(cmp.Compare(t.Institution, u.Institution), cmp.Compare(t.Kind, u.Kind), cmp.Compare(t.Name, u.Name))
}

// Info describes a target for people; nothing in it is secret.
type Info struct {
	InstitutionTitle string // never empty
	Title            string // never empty
	Address          string // scheme://host:port, without credentials or path
	Contact          string // may be empty
}

// Check is a target, how often and within which time it is probed, and how.
type Check struct {
	Target
	Info
	Interval time.Duration // between the starts of two runs
	Timeout  time.Duration // at most Interval
	Host     string        // what the cap per host counts by: host:port
	Version  string        // differs when anything about the check differs
	Prober   Prober
}

// Prober carries one check out.
//
// Probe returns within 100 ms of the end of ctx and leaves neither goroutine
// nor descriptor behind. The observation is valid also beside an error; an
// error that is not a *Failure counts as a fault of the exporter itself.
// Neither holds anything of a body or a secret.
type Prober interface {
	Probe(ctx context.Context) (Observation, error)
}

// Observation is what a probe saw. A zero field was not observed.
type Observation struct {
	Elapsed       time.Duration // the other side's time: from the start to the last byte; the sum of Phases
	Phases        Phases
	IPVersion     int  // 4 or 6: of the address that was connected to
	Answered      bool // an HTTP status line arrived; the next four are valid
	Status        int
	Size          int64   // bytes of the body after decompression, as far as it was read
	ContentLength int64   // as the answer's header says; -1: it does not
	HTTPVersion   float64 // such as 1.1
	TransactionID string
	Certificate   Certificate
	RateLimits    []RateLimit // those seen
	KeyVerdict    KeyVerdict  // what the answer proves of the key
	KeyEnds       []KeyEnd    // when the credential ends, by what it says itself
	Broker        BrokerInfo
	Queues        []QueueSeen // those the broker let us look at
	Blocked       Count       // 1: the broker takes no messages, a resource alarm; 0: it does; only after a round trip
}

// Certificate is what the TLS handshake showed, whether or not it was accepted.
type Certificate struct {
	Expiry   time.Time // the earliest notAfter in the chain the server sent; zero: none seen
	Verified bool      // meaningful only with Expiry
}

// BrokerInfo is what a broker says of itself: printable ASCII, each at most 64 bytes.
type BrokerInfo struct{ Product, Version, Cluster string }

// QueueSeen is a queue that exists. Zero for both numbers may also mean that
// a quorum queue has lost its leader.
type QueueSeen struct {
	Name      string
	Ready     int64 // messages that wait for a consumer, without those handed out
	Consumers int64
}

// RateLimit is what one of the gateway's policies says of the key's allowance.
type RateLimit struct {
	Policy    string // rate_limit, quota or spike_arrest
	Limit     Count
	Remaining Count
}

// Count is a number that may not have been observed.
type Count struct {
	N  int64
	OK bool
}

// Result is one run of a check.
type Result struct {
	Observation
	Planned  time.Time     // when the run was due
	Start    time.Time     // when it began
	Limit    time.Duration // how long it might take
	Duration time.Duration // Elapsed, or the wall time where the prober observed none
	Err      error         // nil: success
}
