package config

import (
	"reflect"

	"gopkg.in/yaml.v3"
)

// The grammar: what may stand in a file, and where.
type (
	// root is the main file.
	root struct {
		Defaults     defaults                 `yaml:"defaults"`
		Include      field[[]field[filename]] `yaml:"include"`
		APIs         map[name]*api            `yaml:"apis"`
		Institutions map[name]*institution    `yaml:"institutions"`
	}

	// included is a file that the main one includes.
	included struct {
		APIs         map[name]*api         `yaml:"apis"`
		Institutions map[name]*institution `yaml:"institutions"`
	}

	// tuning may stand at every level; the nearest to the target counts.
	tuning struct {
		Interval    field[interval] `yaml:"interval"`
		Timeout     field[span]     `yaml:"timeout"`
		Connection  field[mode]     `yaml:"connection"`
		HTTP2       field[flag]     `yaml:"http2"`
		MaxBodySize field[size]     `yaml:"max_body_size"`
		TLS         tlsFiles        `yaml:"tls"`
		ProxyURL    field[proxyURL] `yaml:"proxy_url"`
	}

	tlsFiles struct {
		CAFile     field[filename] `yaml:"ca_file"`
		ServerName field[name]     `yaml:"server_name"`
		CertFile   field[filename] `yaml:"cert_file"`
		KeyFile    field[filename] `yaml:"key_file"`
	}

	platform struct {
		Gateway field[gatewayURL] `yaml:"gateway"`
		Broker  field[brokerURL]  `yaml:"broker"`
	}

	defaults struct {
		tuning
		platform
		MaxConcurrent        field[count] `yaml:"max_concurrent"`
		MaxConcurrentPerHost field[count] `yaml:"max_concurrent_per_host"`
	}

	institution struct {
		At position
		tuning
		platform
		Title    field[line]          `yaml:"title"`
		Contact  field[line]          `yaml:"contact"`
		APIs     map[name]*ownAPI     `yaml:"apis"`
		RabbitMQ field[[]*rabbitmq]   `yaml:"rabbitmq"`
		Keys     field[[]*credential] `yaml:"keys"`
		Gravitee field[*gravitee]     `yaml:"gravitee"`
	}

	// api is a documented verification request.
	api struct {
		At position
		tuning
		Title           field[line]   `yaml:"title"`
		Contact         field[line]   `yaml:"contact"`
		Request         request       `yaml:"request"`
		Expect          expect        `yaml:"expect"`
		KeyHeader       field[header] `yaml:"key_header"`
		Unauthenticated negative      `yaml:"unauthenticated"`
	}

	// ownAPI is an institution's use of an api. Only here may a key stand:
	// a key of the shared api would go to every institution.
	ownAPI struct {
		api
		KeyFile    field[filename] `yaml:"key_file"`
		KeyEnv     field[variable] `yaml:"key_env"`
		Key        field[hidden]   `yaml:"key"`
		KeyExpires field[Expiry]   `yaml:"key_expires"`
	}

	request struct {
		Method        field[method]                `yaml:"method"`
		Path          field[path]                  `yaml:"path"`
		Headers       map[header]field[headerLine] `yaml:"headers"`
		SecretHeaders map[header]*secretHeader     `yaml:"secret_headers"`
		Private       field[flag]                  `yaml:"private"`
		BypassCache   field[flag]                  `yaml:"bypass_cache"`
		Body          field[text]                  `yaml:"body" instead:"BodyFile"`
		BodyFile      field[filename]              `yaml:"body_file" instead:"Body"`
	}

	secretHeader struct {
		At   position
		File field[filename] `yaml:"file"`
		Env  field[variable] `yaml:"env"`
	}

	expect struct {
		Status      field[[]field[status]]    `yaml:"status"`
		JSON        field[flag]               `yaml:"json"`
		JQ          field[expression]         `yaml:"jq"`
		Headers     map[header]field[pattern] `yaml:"headers"`
		MaxDuration field[span]               `yaml:"max_duration"`
	}

	// negative is the documented negative test: false, true or what differs from the default.
	negative struct {
		On       field[flag]
		Status   field[[]field[status]] `yaml:"status"`
		Interval field[interval]        `yaml:"interval"`
	}

	rabbitmq struct {
		At           position
		Application  field[name]          `yaml:"application"`
		Title        field[line]          `yaml:"title"`
		Contact      field[line]          `yaml:"contact"`
		PasswordFile field[filename]      `yaml:"password_file"`
		PasswordEnv  field[variable]      `yaml:"password_env"`
		Password     field[hidden]        `yaml:"password"`
		URL          field[brokerURL]     `yaml:"url"`
		VHost        field[name]          `yaml:"vhost"`
		Username     field[name]          `yaml:"username"`
		Publishes    field[flag]          `yaml:"publishes"`
		SubscribesTo field[[]field[name]] `yaml:"subscribes_to"`
		Exchanges    field[[]field[name]] `yaml:"exchanges"`
		Queues       field[[]field[name]] `yaml:"queues"`
		RoundTrip    field[flag]          `yaml:"roundtrip"`
		Interval     field[interval]      `yaml:"interval"`
		Timeout      field[span]          `yaml:"timeout"`
		TLS          tlsFiles             `yaml:"tls"`
	}

	// credential is an entry of keys.
	credential struct {
		At                      position
		Name                    field[name]     `yaml:"name"`
		Title                   field[line]     `yaml:"title"`
		Contact                 field[line]     `yaml:"contact"`
		Expires                 field[Expiry]   `yaml:"expires"`
		CertificateFile         field[filename] `yaml:"certificate_file"`
		CertificatePasswordFile field[filename] `yaml:"certificate_password_file"`
		JWTFile                 field[filename] `yaml:"jwt_file"`
		Interval                field[interval] `yaml:"interval"`
	}

	gravitee struct {
		At           position
		URL          field[restURL]  `yaml:"url"`
		Application  field[name]     `yaml:"application"`
		TokenFile    field[filename] `yaml:"token_file"`
		TokenEnv     field[variable] `yaml:"token_env"`
		Token        field[hidden]   `yaml:"token"`
		Interval     field[interval] `yaml:"interval"`
		Organization field[name]     `yaml:"organization"`
		Environment  field[name]     `yaml:"environment"`
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
