package soak

import (
	"github.com/integra-exporter/integra_exporter/internal/demo"
)

// unannounced are the faults under which the platform may not have heard of a run.
// They are of whole gateways and brokers, in one institution: elsewhere every count is exact.
const unannounced = "himolde"

// nextFault ends the present fault and begins the next: every target in turn, each with the next fault of its kind.
func (w *world) nextFault() {
	w.clear()
	targets, accesses := w.platform.Targets(), w.platform.Accesses()
	n := w.faults
	w.faults++
	switch n % 4 {
	case 0, 1:
		of := targets[n%len(targets)]
		w.begin(of.Institution, of.API, gatewayFaults[n%len(gatewayFaults)])
	case 2:
		of := accesses[n%len(accesses)]
		w.beginBroker(of.Institution, of.Application, brokerFaults[n/4%len(brokerFaults)])
	case 3:
		whole := [...]func(){
			func() { w.begin(unannounced, "", demo.Refused) },
			func() { w.begin(unannounced, "", demo.Silent) },
			func() { w.beginBroker(unannounced, "", demo.BrokerRefused) },
		}
		whole[n/4%len(whole)]()
	}
}

func (w *world) begin(institution, api string, f demo.Fault) {
	w.platform.Set(institution, api, f)
	w.clear = func() { w.platform.Clear(institution, api) }
}

func (w *world) beginBroker(institution, application string, f demo.BrokerFault) {
	w.platform.SetBroker(institution, application, f)
	w.clear = func() { w.platform.SetBroker(institution, application, demo.BrokerHealthy) }
}

// gatewayFaults are those of one API: the request arrives, and is answered in some way.
var gatewayFaults = [...]demo.Fault{
	demo.RouterUnavailable, demo.UnknownContextPath, demo.KeyRejected, demo.KeyOpen, demo.ResourceForbidden,
	demo.MethodForbidden, demo.RateLimited, demo.GatewayError, demo.BackendDead, demo.BackendRefused,
	demo.BackendUnavailable, demo.BackendUnauthorized, demo.BackendForbidden, demo.BackendNotFound,
	demo.BackendError, demo.Redirect, demo.Slow, demo.HTMLPage, demo.EmptyBody, demo.TruncatedBody,
	demo.BrokenJSON, demo.UnexpectedJSON,
}

var brokerFaults = [...]demo.BrokerFault{
	demo.BrokerLoginRefused, demo.BrokerVhostMissing, demo.BrokerVhostRefused, demo.BrokerExchangeMissing,
	demo.BrokerQueueMissing, demo.BrokerBlocked,
}
