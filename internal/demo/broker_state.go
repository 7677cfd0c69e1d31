package demo

import "sync"

// BrokerFault is what is wrong with an application's access to its broker, or
// with a whole broker. The set is closed.
type BrokerFault int

// The faults of a broker.
const (
	BrokerHealthy         BrokerFault = iota
	BrokerRefused                     // nothing listens: whole brokers only
	BrokerSilent                      // accepts the connection and never says a word: whole brokers only
	BrokerLoginRefused                // also the right password: three seconds of silence, and the end
	BrokerVhostMissing                // 530 for the vhost: deleted
	BrokerVhostRefused                // 530 for the vhost: no longer the user's
	BrokerExchangeMissing             // 404 for the application's exchange
	BrokerQueueMissing                // 404 for the first of its queues; the others are there
	BrokerBlocked                     // a resource alarm: published messages are not confirmed
)

var brokerFaults = [...]string{
	BrokerHealthy:         "healthy",
	BrokerRefused:         "refused",
	BrokerSilent:          "silent",
	BrokerLoginRefused:    "login refused",
	BrokerVhostMissing:    "vhost missing",
	BrokerVhostRefused:    "vhost refused",
	BrokerExchangeMissing: "exchange missing",
	BrokerQueueMissing:    "queue missing",
	BrokerBlocked:         "blocked",
}

// String returns the fault's name in words.
func (f BrokerFault) String() string { return brokerFaults[f] }

// BrokerFaults returns every fault, BrokerHealthy first.
func BrokerFaults() []BrokerFault {
	all := make([]BrokerFault, len(brokerFaults))
	for i := range all {
		all[i] = BrokerFault(i)
	}
	return all
}

// brokerState is what the sessions of one broker share: its users and its faults.
type brokerState struct {
	name  string // of the cluster
	users []*brokerUser

	mu    sync.Mutex // faults and counts, here and in users
	fault BrokerFault
}

// brokerUser is an application with its password.
type brokerUser struct {
	brokerApplication
	password string
	fault    BrokerFault
	logins   int
	counts   map[string]queue // by producer, where SetQueue set them
}

// set makes one application show f, or with an empty application the whole broker.
func (b *brokerState) set(application string, f BrokerFault) {
	if application == "" {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.fault = f
		return
	}
	if f.beforeLogin() {
		panic("demo: only a whole broker can be " + f.String())
	}
	u := b.mustUser(application)
	b.mu.Lock()
	defer b.mu.Unlock()
	u.fault = f
}

// beforeLogin reports whether f shows before the broker knows which application connects.
func (f BrokerFault) beforeLogin() bool { return f == BrokerRefused || f == BrokerSilent }

func (b *brokerState) setQueue(application, producer string, ready, consumers uint32) {
	u := b.mustUser(application)
	_, found := u.queue("from_"+producer, BrokerHealthy)
	if !found {
		panic("demo: this application has no queue from_" + producer)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if u.counts == nil {
		u.counts = map[string]queue{}
	}
	u.counts[producer] = queue{producer, ready, consumers}
}

// queue returns the queue of this name, if u finds it now.
func (b *brokerState) queue(u *brokerUser, name string) (q queue, found bool) {
	q, found = u.queue(name, b.faultFor(u))
	b.mu.Lock()
	defer b.mu.Unlock()
	set, changed := u.counts[q.Producer]
	if found && changed {
		q = set
	}
	return q, found
}

// logIn counts a login and returns its user; nil: refused.
func (b *brokerState) logIn(name, password string) *brokerUser {
	u := b.user(name)
	if u == nil || password != u.password {
		return nil
	}
	b.mu.Lock()
	u.logins++
	b.mu.Unlock()
	if b.faultFor(u) == BrokerLoginRefused {
		return nil
	}
	return u
}

// faultFor returns the fault that a connection of u meets; nil: it has not logged in.
func (b *brokerState) faultFor(u *brokerUser) BrokerFault {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fault != BrokerHealthy || u == nil {
		return b.fault
	}
	return u.fault
}

func (b *brokerState) loginsOf(application string) int {
	u := b.mustUser(application)
	b.mu.Lock()
	defer b.mu.Unlock()
	return u.logins
}

func (b *brokerState) mustUser(application string) *brokerUser {
	u := b.user(application)
	if u == nil {
		panic("demo: this institution has no application " + application)
	}
	return u
}

// user returns nil if there is none of that name.
func (b *brokerState) user(application string) *brokerUser {
	for _, u := range b.users {
		if u.Name == application {
			return u
		}
	}
	return nil
}

// hasExchange reports whether a client of the application finds this exchange; all find the default one.
func (a brokerApplication) hasExchange(name string, f BrokerFault) bool {
	return name == "" || a.Publishes && f != BrokerExchangeMissing && name == "outgoing_"+a.Name
}

// queue returns the queue of this name, if a client of the application finds it.
func (a brokerApplication) queue(name string, f BrokerFault) (q queue, found bool) {
	present := a.Subscriptions
	if f == BrokerQueueMissing && len(present) > 0 {
		present = present[1:]
	}
	for _, q := range present {
		if name == "from_"+q.Producer {
			return q, true
		}
	}
	return queue{}, false
}
