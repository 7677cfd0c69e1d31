package config

import (
	"reflect"

	"gopkg.in/yaml.v3"
)

// The grammar: what may stand in a file, and where.
type (
	// root is the main file.
	root struct {
		Defaults     defaults                 `yaml:"defaults" doc:"What holds for all institutions, unless they or their APIs say otherwise."`
		Include      field[[]field[filename]] `yaml:"include" default:"[]" doc:"Further files, each with apis and institutions only. *, ? and [...] stand for parts of their names."`
		APIs         map[name]*api            `yaml:"apis" doc:"The documented verification requests, by name, shared by all institutions."`
		Institutions map[name]*institution    `yaml:"institutions" doc:"Who has which of the APIs, by name. The name is the label institution, and stands for {institution} in addresses."`
	}

	// included is a file that the main one includes.
	included struct {
		APIs         map[name]*api         `yaml:"apis" doc:"The documented verification requests, by name."`
		Institutions map[name]*institution `yaml:"institutions" doc:"Who has which of the APIs, by name."`
	}

	// tuning may stand at every level; the nearest to the target counts.
	tuning struct {
		Interval    field[interval] `yaml:"interval" default:"1m" doc:"How often a verification runs: 1s to 1d. The nearest to the target counts."`
		Timeout     field[span]     `yaml:"timeout" doc:"How long one run may take, at most the interval. 15s or the interval, whichever is shorter, unless set: longer than the 10 s that the gateway waits for a backend."`
		Connection  field[mode]     `yaml:"connection" default:"fresh" doc:"fresh: DNS, TCP and TLS each time, as the documented curl does. reuse: connections are kept between runs."`
		HTTP2       field[flag]     `yaml:"http2" default:"false" doc:"Offer HTTP/2."`
		MaxBodySize field[size]     `yaml:"max_body_size" doc:"The most that is read of an answer, such as 512KiB, after decompression; more is a failure. 10MiB unless set, 1MiB where jq is used."`
		TLS         tlsFiles        `yaml:"tls" doc:"How servers are verified, and who we are. There is no switch to skip verification."`
		ProxyURL    field[proxyURL] `yaml:"proxy_url" doc:"An http:// or socks5:// proxy. Those of the environment are ignored."`
	}

	tlsFiles struct {
		CAFile     field[filename] `yaml:"ca_file" doc:"PEM file of certificates that are trusted besides those of the system."`
		ServerName field[name]     `yaml:"server_name" doc:"The name that the certificate must hold, if not the host of the URL."`
		CertFile   field[filename] `yaml:"cert_file" doc:"PEM file of our own certificate, for mutual TLS. Belongs together with key_file."`
		KeyFile    field[filename] `yaml:"key_file" doc:"PEM file of the key of cert_file."`
	}

	platform struct {
		Gateway field[gatewayURL] `yaml:"gateway" default:"https://gw-{institution}.intark.uh-it.no" doc:"Base URL of the gateway. A path in it is put before the path of every request."`
		Broker  field[brokerURL]  `yaml:"broker" default:"amqps://mq-{institution}.intark.uh-it.no:5671" doc:"URL of the RabbitMQ broker, without a path."`
	}

	defaults struct {
		tuning
		platform
		MaxConcurrent        field[count] `yaml:"max_concurrent" default:"64" doc:"Runs at once."`
		MaxConcurrentPerHost field[count] `yaml:"max_concurrent_per_host" default:"8" doc:"Runs at once against one host and port."`
	}

	institution struct {
		At position
		tuning
		platform
		Title    field[line]          `yaml:"title" doc:"Its name for people."`
		Contact  field[line]          `yaml:"contact" doc:"Whom to tell, for the texts of alerts."`
		APIs     map[name]*ownAPI     `yaml:"apis" doc:"Its APIs, by name: one that stands under apis at the top of the file, or one of its own if it gives request.path itself."`
		RabbitMQ field[[]*rabbitmq]   `yaml:"rabbitmq" doc:"Its applications at the broker."`
		Keys     field[[]*credential] `yaml:"keys" doc:"Other credentials worth a warning before they end."`
		Gravitee field[*gravitee]     `yaml:"gravitee" doc:"Learns from the API manager when keys end."`
	}

	// api is a documented verification request.
	api struct {
		At position
		tuning
		Title           field[line]   `yaml:"title" doc:"Its name for people."`
		Contact         field[line]   `yaml:"contact" doc:"Whom to tell, for the texts of alerts. That of the institution unless set."`
		Request         request       `yaml:"request" doc:"What is sent."`
		Expect          expect        `yaml:"expect" doc:"What must come back."`
		KeyHeader       field[header] `yaml:"key_header" default:"X-Gravitee-Api-Key" doc:"The header that carries the key."`
		Unauthenticated negative      `yaml:"unauthenticated" default:"true" doc:"The documented negative test: the gateway must refuse the request without a key and with a wrong one. false switches it off, a mapping says what differs."`
	}

	// ownAPI is an institution's use of an api. Only here may a key stand:
	// a key of the shared api would go to every institution.
	ownAPI struct {
		api
		KeyFile    field[filename] `yaml:"key_file" doc:"File that holds the key and nothing else. It is read again when it changes."`
		KeyEnv     field[variable] `yaml:"key_env" doc:"Environment variable that holds the key."`
		Key        field[hidden]   `yaml:"key" doc:"The key itself. Warned about: key_file keeps it out of the configuration."`
		KeyExpires field[Expiry]   `yaml:"key_expires" doc:"When the key ends: a date, an RFC 3339 time or never."`
	}

	request struct {
		Method        field[method]                `yaml:"method" default:"GET" doc:"The HTTP method."`
		Path          field[path]                  `yaml:"path" doc:"Begins with one /, may hold a query. What is not ASCII or a space is percent-encoded: %C3%B8, %20."`
		Headers       map[header]field[headerLine] `yaml:"headers" doc:"By name, sent as written and shown on pages. What must not be shown belongs in secret_headers."`
		SecretHeaders map[header]*secretHeader     `yaml:"secret_headers" doc:"By name, never shown: each from a file or an environment variable."`
		Private       field[flag]                  `yaml:"private" default:"false" doc:"The path holds personal data and is never shown."`
		BypassCache   field[flag]                  `yaml:"bypass_cache" default:"false" doc:"Send X-Gravitee-Cache: BY_PASS, so that a cached answer cannot hide a dead backend."`
		Body          field[text]                  `yaml:"body" instead:"BodyFile" doc:"What is sent as the body; never shown. Not together with body_file."`
		BodyFile      field[filename]              `yaml:"body_file" instead:"Body" doc:"File that holds the body. Not together with body."`
	}

	secretHeader struct {
		At   position
		File field[filename] `yaml:"file" doc:"File that holds the value and nothing else."`
		Env  field[variable] `yaml:"env" doc:"Environment variable that holds the value."`
	}

	expect struct {
		Status      field[[]field[status]]    `yaml:"status" default:"[200]" doc:"The statuses that are a success."`
		JSON        field[flag]               `yaml:"json" doc:"The body must be JSON. true unless set, false for HEAD."`
		JQ          field[expression]         `yaml:"jq" doc:"A jq expression that must yield true, such as length > 0."`
		Headers     map[header]field[pattern] `yaml:"headers" doc:"By name: a regular expression (RE2) that the header must match."`
		MaxDuration field[span]               `yaml:"max_duration" doc:"Slower is a failure with a reason of its own. Shorter than the timeout."`
	}

	// negative is the documented negative test: false, true or what differs from the default.
	negative struct {
		On       field[flag]
		Status   field[[]field[status]] `yaml:"status" default:"[401]" doc:"The statuses that count as refused."`
		Interval field[interval]        `yaml:"interval" default:"15m" doc:"How often: 1s to 1d."`
	}

	rabbitmq struct {
		At           position
		Application  field[name]          `yaml:"application" doc:"The application, as the portal names it. Also the virtual host and the user, unless set."`
		Title        field[line]          `yaml:"title" doc:"Its name for people."`
		Contact      field[line]          `yaml:"contact" doc:"Whom to tell, for the texts of alerts. That of the institution unless set."`
		PasswordFile field[filename]      `yaml:"password_file" doc:"File that holds the password and nothing else. It is read again when it changes."`
		PasswordEnv  field[variable]      `yaml:"password_env" doc:"Environment variable that holds the password."`
		Password     field[hidden]        `yaml:"password" doc:"The password itself. Warned about: password_file keeps it out of the configuration."`
		URL          field[brokerURL]     `yaml:"url" doc:"The broker, if not that of the institution: amqp or amqps, without a path."`
		VHost        field[name]          `yaml:"vhost" doc:"The virtual host, if it is not the application."`
		Username     field[name]          `yaml:"username" doc:"The user, if it is not the application."`
		Publishes    field[flag]          `yaml:"publishes" default:"false" doc:"The exchange outgoing_<application> must exist."`
		SubscribesTo field[[]field[name]] `yaml:"subscribes_to" default:"[]" doc:"Producers: for each the queue from_<producer> must exist."`
		Exchanges    field[[]field[name]] `yaml:"exchanges" default:"[]" doc:"Further exchanges that must exist."`
		Queues       field[[]field[name]] `yaml:"queues" default:"[]" doc:"Further queues that must exist."`
		RoundTrip    field[flag]          `yaml:"roundtrip" default:"false" doc:"Publish a message with confirm and receive it back."`
		Interval     field[interval]      `yaml:"interval" doc:"How often: 1s to 1d. That of the institution unless set."`
		Timeout      field[span]          `yaml:"timeout" doc:"How long one run may take. Under 5s is warned about: a broker takes 3 s to refuse a login."`
		TLS          tlsFiles             `yaml:"tls" doc:"How the broker is verified, and who we are. That of the institution unless set."`
	}

	// credential is an entry of keys.
	credential struct {
		At                      position
		Name                    field[name]     `yaml:"name" doc:"The label target; once in an institution."`
		Title                   field[line]     `yaml:"title" doc:"Its name for people."`
		Contact                 field[line]     `yaml:"contact" doc:"Whom to tell, for the texts of alerts. That of the institution unless set."`
		Expires                 field[Expiry]   `yaml:"expires" doc:"When it ends: a date, an RFC 3339 time or never."`
		CertificateFile         field[filename] `yaml:"certificate_file" doc:"PEM or PKCS#12 file: the end of its certificate counts."`
		CertificatePasswordFile field[filename] `yaml:"certificate_password_file" doc:"File that holds the password of the PKCS#12 file."`
		JWTFile                 field[filename] `yaml:"jwt_file" doc:"File that holds a JWT: its exp counts."`
		Interval                field[interval] `yaml:"interval" default:"1h" doc:"How often it is looked at, besides at start and when a file changes: 1s to 1d."`
	}

	gravitee struct {
		At           position
		URL          field[restURL]  `yaml:"url" doc:"Base of the management API, such as https://api-mgmt.example.no/management."`
		Application  field[name]     `yaml:"application" doc:"Id of the monitoring application."`
		TokenFile    field[filename] `yaml:"token_file" doc:"File that holds a personal access token and nothing else."`
		TokenEnv     field[variable] `yaml:"token_env" doc:"Environment variable that holds the token."`
		Token        field[hidden]   `yaml:"token" doc:"The token itself. Warned about: token_file keeps it out of the configuration."`
		Interval     field[interval] `yaml:"interval" default:"1h" doc:"How often, sooner after a failure: 1s to 1d."`
		Organization field[name]     `yaml:"organization" default:"DEFAULT" doc:"The organization of the API manager."`
		Environment  field[name]     `yaml:"environment" default:"DEFAULT" doc:"The environment of the API manager."`
	}
)

// decode implements node: a scalar switches, a mapping switches on and says how.
func (u *negative) decode(d *decoder, n *yaml.Node, at position) outcome {
	target := n
	if n.Kind == yaml.AliasNode {
		target = n.Alias
	}
	if target.Kind == yaml.ScalarNode {
		if target.ShortTag() == "!!null" {
			return absent
		}
		return u.On.decode(d, n, at)
	}
	u.On = field[flag]{value: true, set: true, at: at}
	type mapping negative // without this method
	return d.value(reflect.ValueOf((*mapping)(u)).Elem(), n, at)
}
