package exporter

import (
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/common/model"

	"github.com/integra-exporter/integra_exporter/internal/config"
	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/secret"
	"github.com/integra-exporter/integra_exporter/internal/view"
)

// describe returns what loaded says of target, for people; the zero value if target is not in it.
func describe(loaded *config.Config, target probe.Target) view.Configuration {
	for _, a := range loaded.APIs() {
		switch target {
		case a.Target:
			return describeAPI(&a)
		case a.Auth.Target:
			return describeAuth(&a)
		}
	}
	for _, m := range loaded.RabbitMQ {
		if m.Target == target {
			return view.Configuration{Facts: describeBroker(&m)}
		}
	}
	for _, k := range loaded.Keys {
		if k.Target == target {
			return view.Configuration{Facts: append(intervalAndTimeout(k.Check), view.Fact{Name: "Files", Value: joinOrNone(k.Files)})}
		}
	}
	return view.Configuration{}
}

func describeAPI(a *config.API) view.Configuration {
	expires := "not configured"
	switch {
	case a.KeyExpires.Never:
		expires = "never"
	case !a.KeyExpires.Date.IsZero():
		expires = a.KeyExpires.Date.Format("2006-01-02 15:04 UTC")
	}
	request := RequestOf(a, true)
	facts := append(intervalAndTimeout(a.Check),
		view.Fact{Name: "Request", Value: request.Method + " " + request.URL},
		view.Fact{Name: "Headers", Value: formatHeaders(a)},
		view.Fact{Name: "Body", Value: orNone(a.Request.Body)},
		view.Fact{Name: "Key", Value: a.Key.String() + ", sent as " + a.KeyHeader},
		view.Fact{Name: "key_expires", Value: expires})
	return view.Configuration{Facts: append(facts, tlsFacts(a.TLS)...), Request: request}
}

func describeAuth(a *config.API) view.Configuration {
	facts := append(intervalAndTimeout(a.Auth),
		view.Fact{Name: "Request", Value: "as the check of kind api, without its key and with a wrong one"},
		view.Fact{Name: "Refused with", Value: "HTTP status " + strings.Trim(fmt.Sprint(a.Unauthenticated.Status), "[]")})
	return view.Configuration{Facts: append(facts, tlsFacts(a.TLS)...), Request: RequestOf(a, false)}
}

// RequestOf returns a's request as it may be shown, with or without the header of its key.
func RequestOf(a *config.API, keyed bool) *view.Request {
	q := &view.Request{
		Method: a.Request.Method, URL: addressOf(a) + pathOf(a.Request.Path), Body: a.Request.Body,
		CAFile: a.TLS.CAFile, CertFile: a.TLS.CertFile, KeyFile: a.TLS.KeyFile, ServerName: a.TLS.ServerName,
	}
	for _, h := range a.Request.Headers {
		if h.Name != a.KeyHeader {
			q.Headers = append(q.Headers, view.Header{Name: h.Name, Value: h.Value})
		}
	}
	if keyed {
		q.KeyHeader = a.KeyHeader
	}
	return q
}

// Placeholders are what RequestOf shows in the place of a secret value, and of a body or a private path.
func Placeholders() []string { return []string{secret.Placeholder, "…"} }

// addressOf leaves out the default port.
func addressOf(a *config.API) string {
	for scheme, port := range map[string]string{"https://": ":443", "http://": ":80"} {
		if strings.HasPrefix(a.Address, scheme) {
			return strings.TrimSuffix(a.Address, port)
		}
	}
	return a.Address
}

// pathOf lets a hidden path begin with a slash as well.
func pathOf(path string) string {
	if strings.HasPrefix(path, "/") {
		return path
	}
	return "/" + path
}

func formatHeaders(a *config.API) string {
	headers := make([]string, len(a.Request.Headers))
	for i, h := range a.Request.Headers {
		headers[i] = h.Name + ": " + h.Value
	}
	return joinOrNone(headers)
}

func describeBroker(m *config.RabbitMQ) []view.Fact {
	exchanges, queues := slices.Clone(m.Exchanges), slices.Clone(m.Queues)
	if m.Publishes {
		exchanges = append(exchanges, "outgoing_"+m.Name)
	}
	for _, producer := range m.SubscribesTo {
		queues = append(queues, "from_"+producer)
	}
	roundTrip := "no"
	if m.RoundTrip {
		roundTrip = "yes"
	}
	facts := append(intervalAndTimeout(m.Check),
		view.Fact{Name: "Broker", Value: m.URL.String()},
		view.Fact{Name: "Vhost", Value: m.VHost},
		view.Fact{Name: "User name", Value: m.Username},
		view.Fact{Name: "Password", Value: secret.Placeholder + ", from " + m.Password.String()},
		view.Fact{Name: "Exchanges that must exist", Value: joinOrNone(exchanges)},
		view.Fact{Name: "Queues that must exist", Value: joinOrNone(queues)},
		view.Fact{Name: "Round trip", Value: roundTrip})
	return append(facts, tlsFacts(m.TLS)...)
}

func intervalAndTimeout(c probe.Check) []view.Fact {
	return []view.Fact{
		{Name: "Interval", Value: model.Duration(c.Interval).String()},
		{Name: "Timeout", Value: model.Duration(c.Timeout).String()},
	}
}

func tlsFacts(t probe.TLS) (facts []view.Fact) {
	for _, f := range []view.Fact{
		{Name: "tls.ca_file", Value: t.CAFile},
		{Name: "tls.server_name", Value: t.ServerName},
		{Name: "tls.cert_file", Value: t.CertFile},
		{Name: "tls.key_file", Value: t.KeyFile},
	} {
		if f.Value != "" {
			facts = append(facts, f)
		}
	}
	return facts
}

func joinOrNone(items []string) string { return orNone(strings.Join(items, ", ")) }

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}
