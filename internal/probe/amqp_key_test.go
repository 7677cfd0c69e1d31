package probe

import (
	"crypto/tls"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// A login ends with its token or its certificate, where it has one.
func TestAMQPKeyEnds(t *testing.T) {
	t.Parallel()
	end := time.Unix(4102444800, 0)
	certificate, _ := ending(t, end, "")
	file := keep(t, "cert.pem", pemOf(certificate))
	token := KeyEnd{SourceJWT, end}
	shown := KeyEnd{SourceCertificate, end}
	for name, c := range map[string]struct {
		password, file string
		plain          bool
		want           []KeyEnd
	}{
		"password":               {password: "hunter2"},
		"password with dots":     {password: "a.b.c"},
		"token":                  {password: jwt(`{"exp":4102444800}`), want: []KeyEnd{token}},
		"token without end":      {password: jwt(`{}`), want: []KeyEnd{{Source: SourceJWT}}},
		"certificate":            {password: "hunter2", file: file, want: []KeyEnd{shown}},
		"both":                   {password: jwt(`{"exp":4102444800}`), file: file, want: []KeyEnd{token, shown}},
		"certificate not sent":   {password: "hunter2", file: file, plain: true},
		"certificate unreadable": {password: "hunter2", file: file + "none"},
	} {
		a := &AMQP{broker: Broker{TLS: TLS{CertFile: c.file}}, tls: &tls.Config{}}
		if c.plain {
			a.tls = nil
		}
		if diff := cmp.Diff(c.want, a.keyEnds(secret.New(c.password))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
