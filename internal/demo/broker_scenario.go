package demo

// brokerApplication is a user of an institution's broker, as the self-service portal
// makes one: with a vhost of its name, which is its own.
type brokerApplication struct {
	Institution, Name, Title string
	Publishes                bool // has the exchange outgoing_<name>
	RoundTrip                bool // as its verification is configured
	Subscriptions            []queue

	standing BrokerFault // from the start
}

// queue is from_<producer>, where a producer's messages arrive.
type queue struct {
	Producer         string
	ready, consumers uint32
}

const (
	dfoSAP        = "system-production-dfo-sap"
	studentSystem = "system-production-fs"
)

var brokerApplications = [...]brokerApplication{
	{Institution: "ntnu", Name: dfoSAP, Title: "DFØ SAP", Publishes: true, RoundTrip: true},
	{
		Institution: "ntnu", Name: "system-production-iga", Title: "Identitetsforvaltning", RoundTrip: true,
		Subscriptions: []queue{{dfoSAP, 0, 2}, {studentSystem, 3, 1}},
	},
	{Institution: "uib", Name: studentSystem, Title: "Felles studentsystem", Publishes: true, RoundTrip: true, standing: BrokerBlocked},
	{Institution: "uio", Name: dfoSAP, Title: "DFØ SAP", Publishes: true, RoundTrip: true},
	{
		Institution: "uio", Name: "system-production-bas", Title: "Brukeradministrasjon",
		Subscriptions: []queue{{dfoSAP, 0, 1}, {studentSystem, 0, 1}}, standing: BrokerQueueMissing,
	},
	{Institution: "uit", Name: studentSystem, Title: "Felles studentsystem", Publishes: true, standing: BrokerLoginRefused},
	{
		Institution: "oslomet", Name: "system-production-adgang", Title: "Adgangskontroll",
		Subscriptions: []queue{{dfoSAP, 1240, 0}}, // all is there, but nobody reads
	},
	{Institution: "himolde", Name: studentSystem, Title: "Felles studentsystem", Publishes: true, RoundTrip: true},
}

func applicationsOf(institution string) (found []brokerApplication) {
	for _, a := range brokerApplications {
		if a.Institution == institution {
			found = append(found, a)
		}
	}
	return found
}

// exchange reports whether a client of the application finds this exchange; everybody has the default one.
func (a brokerApplication) exchange(name string, f BrokerFault) bool {
	return name == "" || a.Publishes && f != BrokerExchangeMissing && name == "outgoing_"+a.Name
}

// queue returns the queue of this name, if a client of the application finds it.
func (a brokerApplication) queue(name string, f BrokerFault) (q queue, ok bool) {
	there := a.Subscriptions
	if f == BrokerQueueMissing && len(there) > 0 {
		there = there[1:]
	}
	for _, q := range there {
		if name == "from_"+q.Producer {
			return q, true
		}
	}
	return queue{}, false
}
