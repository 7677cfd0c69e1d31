package demo

import (
	"net/http"
	"time"
)

// api is a documented verification request, and what stands behind it.
type api struct {
	Name, Title string
	Method      string
	Path        string
	Headers     [][2]string
	Body        string
	Private     bool   // the path holds an identifier of a person
	JQ          string // what the answer must be, as jq
	MaxDuration string
	Note        string // for whoever reads the configuration

	context  string   // where the gateway has it deployed
	resource string   // what the plan lets through below context; empty: everything
	methods  []string // what the plan lets through; none: everything
	limits   []limit
	answer   string // of the backend: the shape is plausible, the content invented
}

// limit is one of Gravitee's counting policies; it shows in header-Limit, -Remaining and -Reset.
type limit struct {
	header string
	max    int
	period time.Duration
}

// The three lønn APIs are one on the gateway, told apart by plan; fs-gemini
// lies below the path of fs-emner. So a key for the wrong plan, and the longest
// context path, can be tried here too.
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
		MaxDuration: "1s", Note: "usually answers in a few milliseconds: slower is a failure",
		context: "/lonn/v1", resource: "/stillinger", methods: []string{http.MethodGet},
		answer: `{"stilling":[{"stillingId":"30000001","stillingskode":"1109","stillingstittel":"Demostilling","ledig":true}]}`,
	},
	{
		Name: "ansatte", Title: "Integra / DFØ ansatte",
		Method: http.MethodGet, Path: "/lonn/v1/ansatte/v1/00000000",
		Note:    "personal data: asks for a number that nobody has",
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
		Private: true, Note: "personal data: asks for a user that nobody is",
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

func apiNamed(name string) api {
	for _, a := range apis {
		if a.Name == name {
			return a
		}
	}
	panic("demo: no API " + name)
}
