package demo

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
	BrokerVhostRefused                // 530 for the vhost: not the user's any more
	BrokerExchangeMissing             // 404 for the application's exchange
	BrokerQueueMissing                // 404 for the first of its queues; the others are there
	BrokerBlocked                     // a resource alarm: what is published is not confirmed
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

// ofAll reports whether f shows before the broker knows who asks.
func (f BrokerFault) ofAll() bool { return f == BrokerRefused || f == BrokerSilent }

// BrokerFaults returns every fault, BrokerHealthy first.
func BrokerFaults() []BrokerFault {
	all := make([]BrokerFault, len(brokerFaults))
	for i := range all {
		all[i] = BrokerFault(i)
	}
	return all
}
