package demo

import (
	"net/http"
	"time"
)

// institution is one row of the platform's table.
type institution struct {
	Name, Title string
	apis        []string
	certificate time.Duration // until its certificate ends; zero: long enough
}

const certificateLife = 90 * 24 * time.Hour

var institutions = [...]institution{
	{Name: "ntnu", Title: "Norges teknisk-naturvitenskapelige universitet", apis: []string{
		"organisasjoner", "stillinger", "ansatte", "fs-emner", "fs-gemini", "inspera", "krr", "maskinporten",
	}},
	{Name: "uib", Title: "Universitetet i Bergen", apis: []string{
		"organisasjoner", "stillinger", "fs-emner", "inspera", "freg",
	}},
	{Name: "uio", Title: "Universitetet i Oslo", apis: []string{
		"organisasjoner", "stillinger", "ansatte", "fs-emner", "krr", "maskinporten",
	}},
	{Name: "uit", Title: "UiT Norges arktiske universitet", apis: []string{
		"organisasjoner", "ansatte", "fs-emner", "inspera",
	}},
	{Name: "oslomet", Title: "OsloMet – storbyuniversitetet", apis: []string{
		"organisasjoner", "stillinger", "fs-emner", "freg",
	}, certificate: 10 * 24 * time.Hour},
	{Name: "himolde", Title: "Høgskolen i Molde", apis: []string{
		"organisasjoner", "fs-emner", "inspera",
	}},
}

// api is a documented verification request, and the API that answers it.
type api struct {
	Name, Title string
	Method      string
	Path        string
	Headers     [][2]string
	Body        string
	Private     bool   // the path holds an identifier of a person
	JQ          string // the expected answer, as jq
	MaxDuration string
	Note        string // a comment in the configuration

	context  string   // the context path of its deployment
	resource string   // the path below context that the plan allows; empty: all
	methods  []string // the methods that the plan allows; none: all
	limits   []limit
	answer   string // of the backend: of a plausible form, with invented content
}

// limit is a rate limit or quota of Gravitee; answers have HEADER-Limit, -Remaining and -Reset.
type limit struct {
	header string
	max    int
	period time.Duration
}

// The three lønn APIs are one API with three plans on the gateway, and fs-gemini lies
// below the path of fs-emner. This shows a key for the wrong plan, and the longest
// context path.
var apis = [...]api{
	{
		Name: "organisasjoner", Title: "Integra / DFØ organisasjoner",
		Method: http.MethodGet, Path: "/lonn/v1/organisasjoner/v1/",
		Headers: [][2]string{{"SOAPAction", "TODO"}},
		Note:    "the documentation leaves the value of SOAPAction open",
		context: "/lonn/v1", resource: "/organisasjoner",
		limits: []limit{{"X-Rate-Limit", 600, time.Minute}},
		answer: `[{"organisasjonId":"10000001","kortnavn":"DEMO","navn":"Demoavdelingen","overordnet":null},` +
			`{"organisasjonId":"10000002","kortnavn":"DEMO-2","navn":"Demoseksjonen","overordnet":"10000001"}]`,
	},
	{
		Name: "stillinger", Title: "Integra / DFØ stillinger",
		Method: http.MethodGet, Path: "/lonn/v1/stillinger/v1/",
		MaxDuration: "1s", Note: "usually answers in a few milliseconds; a slow answer is a failure",
		context: "/lonn/v1", resource: "/stillinger", methods: []string{http.MethodGet},
		answer: `{"stilling":[{"stillingId":"30000001","stillingskode":"1109","stillingstittel":"Demostilling","ledig":true}]}`,
	},
	{
		Name: "ansatte", Title: "Integra / DFØ ansatte",
		Method: http.MethodGet, Path: "/lonn/v1/ansatte/v1/00000000",
		Note:    "personal data: asks for an employee number that does not exist",
		context: "/lonn/v1", resource: "/ansatte", methods: []string{http.MethodGet},
		answer: `{"ansatt":[]}`,
	},
	{
		Name: "fs-emner", Title: "FS-API emner",
		Method: http.MethodGet, Path: "/fs/emner/",
		JQ: "length > 0", Note: "an empty list is a failure too",
		context: "/fs", limits: []limit{{"X-Quota", 50000, 24 * time.Hour}},
		answer: `[{"href":"/fs/emner/demo,DEMO1000,1"},{"href":"/fs/emner/demo,DEMO2000,1"}]`,
	},
	{
		Name: "fs-gemini", Title: "FS Gemini terminer",
		Method: http.MethodGet, Path: "/fs/gemini/terminer",
		context: "/fs/gemini",
		answer:  `[{"arstall":2026,"betegnelse":"HØST"},{"arstall":2027,"betegnelse":"VÅR"}]`,
	},
	{
		Name: "inspera", Title: "Inspera",
		Method: http.MethodGet, Path: "/inspera/v1/users/00000000",
		Private: true, Note: "personal data: asks for a user who does not exist",
		context: "/inspera",
		answer:  `{"status":"ok"}`,
	},
	{
		Name: "freg", Title: "Folkeregisteret (test)",
		Method: http.MethodGet, Path: "/test/digdir/freg/uten-hjemmel/v1/personer/18906299204",
		Private: true, Note: "a synthetic person (month + 80); private: pages and logs show the path as …",
		context: "/test/digdir/freg", resource: "/uten-hjemmel", methods: []string{http.MethodGet},
		answer: `{"identifikasjonsnummer":[{"status":"iBruk","foedselsEllerDNummer":"18906299204","erGjeldende":true}]}`,
	},
	{
		Name: "krr", Title: "Kontakt- og reservasjonsregisteret (test)",
		Method: http.MethodPost, Path: "/test/digdir/krr/personer",
		Headers: [][2]string{{"Content-Type", "application/json"}},
		Body:    `{"personidentifikatorer":["23079422568"]}`, Note: "the synthetic person of the documentation",
		context: "/test/digdir/krr", resource: "/personer",
		answer: `{"personer":[{"personidentifikator":"23079422568","status":"IKKE_REGISTRERT"}]}`,
	},
	{
		Name: "maskinporten", Title: "Maskinporten token-API",
		Method: http.MethodGet, Path: "/maskinporten-test/v2",
		Headers: [][2]string{{"iss", "00000000-0000-0000-0000-000000000000"}, {"scope", "dfo:organisasjoner"}},
		context: "/maskinporten-test/v2",
		answer:  `{"access_token":"not-a-token","token_type":"Bearer","expires_in":119,"scope":"dfo:organisasjoner"}`,
	},
}

// brokerApplication is a user of an institution's broker, as the self-service portal
// creates one: it owns the vhost of its name.
type brokerApplication struct {
	Institution, Name, Title string
	Publishes                bool // has the exchange outgoing_<name>
	RoundTrip                bool // as its verification is configured
	Subscriptions            []queue

	permanent BrokerFault // from the start
}

// queue is from_<producer>, which receives a producer's messages.
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
	{Institution: "uib", Name: studentSystem, Title: "Felles studentsystem", Publishes: true, RoundTrip: true, permanent: BrokerBlocked},
	{Institution: "uio", Name: dfoSAP, Title: "DFØ SAP", Publishes: true, RoundTrip: true},
	{
		Institution: "uio", Name: "system-production-bas", Title: "Brukeradministrasjon",
		Subscriptions: []queue{{dfoSAP, 0, 1}, {studentSystem, 0, 1}}, permanent: BrokerQueueMissing,
	},
	{Institution: "uit", Name: studentSystem, Title: "Felles studentsystem", Publishes: true, permanent: BrokerLoginRefused},
	{
		Institution: "oslomet", Name: "system-production-adgang", Title: "Adgangskontroll",
		Subscriptions: []queue{{dfoSAP, 1240, 0}}, // nothing is missing, but no consumer reads
	},
	{Institution: "himolde", Name: studentSystem, Title: "Felles studentsystem", Publishes: true, RoundTrip: true},
}

// permanentFaults begin at the start and do not end.
var permanentFaults = [...]struct {
	Target
	fault Fault
}{
	{Target{"ntnu", "stillinger"}, Slow},
	{Target{"ntnu", "ansatte"}, KeyOpen}, // answers correctly, but also without a key
	{Target{"ntnu", "fs-gemini"}, HTMLPage},
	{Target{"ntnu", "krr"}, BackendUnauthorized},
	{Target{"uib", "inspera"}, RateLimited},
	{Target{"uib", "freg"}, UnknownContextPath},
	{Target{"uio", "ansatte"}, BackendDead},
	{Target{"uit", "organisasjoner"}, KeyRejected},
	{Target{"uit", "fs-emner"}, TruncatedBody},
	{Target{"himolde", "inspera"}, ResourceForbidden},
}

// expiries are the ends of keys in the configuration, and those with a date also in the API manager.
var expiries = [...]struct {
	Target
	left time.Duration // zero: never
}{
	{Target{"oslomet", "organisasjoner"}, 20 * day},
	{Target{"oslomet", "stillinger"}, 200 * day},
	{Target{"uio", "maskinporten"}, 0},
}

// renewed are the APIs whose key is renewed when Run begins, while it is in use.
var renewed = [...]Target{{"uib", "stillinger"}}

// unreadable is the institution whose API manager refuses the token from the start.
const unreadable = "himolde"

// intermittentFaults come and go while Run runs. None is on a target with a permanent
// fault, and none begins in the first half minute.
var intermittentFaults = [...]intermittentFault{
	{Target{"himolde", ""}, Refused, 40 * time.Second, 20 * time.Second, 2 * time.Minute},
	{Target{"uio", "fs-emner"}, BackendRefused, 70 * time.Second, 30 * time.Second, 90 * time.Second},
	{Target{"ntnu", "maskinporten"}, BackendError, 2 * time.Minute, 45 * time.Second, 5 * time.Minute},
	{Target{"oslomet", ""}, JustStarted, 100 * time.Second, 20 * time.Second, 3 * time.Minute},
	{Target{"ntnu", "inspera"}, InnerGateway, 80 * time.Second, 40 * time.Second, 4 * time.Minute},
	{Target{"uib", "fs-emner"}, PlanCondition, 110 * time.Second, 40 * time.Second, 4 * time.Minute},
}

// intermittentFault begins for the first time after first, then once in every period, and lasts for lasts.
type intermittentFault struct {
	Target
	fault                Fault
	first, lasts, period time.Duration
}

func (f intermittentFault) due(elapsed time.Duration) bool {
	return elapsed >= f.first && (elapsed-f.first)%f.period < f.lasts
}

func apiNamed(name string) api {
	for _, a := range apis {
		if a.Name == name {
			return a
		}
	}
	panic("demo: no API " + name)
}

func applicationsOf(institution string) (found []brokerApplication) {
	for _, a := range brokerApplications {
		if a.Institution == institution {
			found = append(found, a)
		}
	}
	return found
}

func serverName(institution string) string { return "gw-" + institution + ".intark.uh-it.no" }

func brokerName(institution string) string { return "mq-" + institution + ".intark.uh-it.no" }
