package platform

import (
	"time"

	"github.com/integra-exporter/integra_exporter/internal/demo"
)

// standing is what a healthy platform raises: the ends of three keys of the demo,
// each from another source.
var standing = []want{
	about("IntegraKeyExpiresInAMonth", "oslomet", "api", "organisasjoner"),
	about("IntegraKeyExpiresInAMonth", "uio", "key", "virksomhetssertifikat"),
	about("IntegraKeyExpiresInAMonth", "uio", "key", "brom-token"),
}

// faults are there at the same time, each at another target.
var faults = []fault{
	{
		name:  "himolde gateway refused",
		begin: func(w *world) func() { return w.set("himolde", "", demo.Refused) },
		wants: []want{about("IntegraGatewayDown", "himolde", "", "", "connect", "network")},
		hits:  []target{{Institution: "himolde", Kind: "api"}, {Institution: "himolde", Kind: "auth"}},
	},
	{
		name:  "himolde broker refused",
		begin: func(w *world) func() { return w.setBroker("himolde", "", demo.BrokerRefused) },
		wants: []want{about("IntegraBrokerDown", "himolde", "", "", "connect", "network")},
		hits:  []target{{Institution: "himolde", Kind: "rabbitmq"}},
	},
	{
		name:  "ntnu ansatte open",
		begin: func(w *world) func() { return w.set("ntnu", "ansatte", demo.KeyOpen) },
		wants: []want{about("IntegraAccessNotRefused", "ntnu", "auth", "ansatte", "not_refused", "keyless plan")},
		hits:  []target{{"ntnu", "auth", "ansatte"}},
	},
	{
		name:  "uib freg unknown context path",
		begin: func(w *world) func() { return w.set("uib", "freg", demo.UnknownContextPath) },
		wants: []want{about("IntegraTargetFailing", "uib", "api", "freg", "no_such_api", "context path")},
		hits:  []target{{"uib", "api", "freg"}, {"uib", "auth", "freg"}},
	},
	api("ntnu", "organisasjoner", demo.KeyRejected, "IntegraKeyRejected", "key_rejected"),
	api("ntnu", "fs-emner", demo.BackendDead, "IntegraTargetFailing", "backend_timeout"),
	api("ntnu", "inspera", demo.BackendRefused, "IntegraTargetFailing", "backend_unreachable"),
	api("ntnu", "fs-gemini", demo.HTMLPage, "IntegraTargetFailing", "not_json"),
	api("ntnu", "krr", demo.BackendUnauthorized, "IntegraTargetFailing", "backend_unauthorized"),
	api("uio", "krr", demo.TruncatedBody, "IntegraTargetFailing", "body"),
	{
		name:  "uit organisasjoner slow",
		begin: func(w *world) func() { return w.set("uit", "organisasjoner", demo.Slow) },
		wants: []want{about("IntegraTargetSlow", "uit", "api", "organisasjoner", "processing")},
	},
	{
		name:  "uio fs-emner flapping",
		begin: flapping,
		wants: []want{about("IntegraErrorBudgetBurningFast", "uio", "api", "fs-emner", "backend_error")},
		hits:  []target{{"uio", "api", "fs-emner"}},
	},
	{
		name:  "uib organisasjoner key renewed",
		begin: renewed,
		wants: []want{about("IntegraKeySuperseded", "uib", "api", "organisasjoner")},
	},
	{
		name:  "uib stillinger key revoked",
		begin: revoked,
		wants: []want{about("IntegraKeyRejected", "uib", "api", "stillinger", "key_revoked")},
		hits:  []target{{"uib", "api", "stillinger"}},
	},
	ending("uib", "fs-emner", 5*day, "IntegraKeyExpiresInAWeek"),
	ending("uib", "inspera", 90*time.Minute, "IntegraKeyExpiresInTwoHours"),
	expired("oslomet", "stillinger"),
	certificate("oslomet", 10*day, "IntegraCertificateExpiresSoon"),
	certificate("uit", 3*day, "IntegraCertificateExpiresVerySoon"),
	broker("uit", stu, demo.BrokerLoginRefused, "IntegraRabbitMQLoginRefused", "login_refused"),
	broker("uio", dfo, demo.BrokerExchangeMissing, "IntegraRabbitMQObjectMissing", "exchange_missing"),
	broker("uio", bas, demo.BrokerQueueMissing, "IntegraRabbitMQObjectMissing", "queue_missing"),
	broker("uib", stu, demo.BrokerBlocked, "IntegraRabbitMQBlocked"),
	{
		name: "ntnu iga backlog grows",
		begin: func(w *world) func() {
			access := demo.Access{Institution: "ntnu", Application: iga}
			end := repeatedly(time.Second, func(n int) { w.platform.SetQueue(access, stu, uint32(1000+200*n), 1) })
			return func() {
				end()
				w.platform.SetQueue(access, stu, 3, 1)
			}
		},
		wants: []want{about("IntegraRabbitMQBacklogGrowing", "ntnu", "rabbitmq", iga, "from_"+stu)},
	},
	{
		name: "oslomet queue deserted",
		begin: func(w *world) func() {
			w.platform.SetQueue(deserted, dfo, 12, 0)
			return func() { w.platform.SetQueue(deserted, dfo, 0, 1) }
		},
		wants: []want{about("IntegraRabbitMQQueueWithoutConsumers", "oslomet", "rabbitmq", deserted.Application, "from_"+dfo)},
	},
	{
		name: "uit API manager forbidden",
		begin: func(w *world) func() {
			w.platform.SetManagement("uit", demo.ManagementForbidden)
			return func() { w.platform.SetManagement("uit", demo.ManagementHealthy) }
		},
		wants: []want{about("IntegraAPIManagerUnreadable", "uit", "", "")},
	},
	{
		name: "ntnu key without an end",
		begin: func(w *world) func() {
			return w.changed([]string{"institutions", "ntnu", "apis", "maskinporten"}, "key_expires", nil)
		},
		wants: []want{about("IntegraKeyExpiryUnknown", "ntnu", "api", "maskinporten")},
	},
	{
		name:  "ntnu CA ends",
		begin: endingCA,
		wants: []want{about("IntegraCAExpires", "ntnu", "", "")},
	},
	{ // with the slow target above, which then keeps the others of its host waiting
		name: "no room for all runs",
		begin: func(w *world) func() {
			return w.changed([]string{"defaults"}, "max_concurrent_per_host", 1)
		},
		wants: []want{about("IntegraRunsSkipped", "", "", "", "capacity")},
	},
}
