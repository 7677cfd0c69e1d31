package platform

import (
	"time"

	"github.com/integra-exporter/integra_exporter/internal/demo"
)

// fault is something that goes wrong, and what the people on call must hear of it.
type fault struct {
	name  string
	begin func(*world) (end func())
	wants []want
	hits  []target // whose runs fail; an empty part is all
}

// want is an alert, and what its text must say.
type want struct {
	alert
	says []string
}

const (
	dfo = "system-production-dfo-sap"
	stu = "system-production-fs"
	iga = "system-production-iga"
	bas = "system-production-bas"
	day = 24 * time.Hour

	// slowAnswer is over the 3 s that the rules allow and under the timeout of slowTarget.
	slowAnswer = 3400 * time.Millisecond
)

// slowTarget is slow at some time.
var slowTarget = demo.Target{Institution: "uit", API: "organisasjoner"}

// flappingTarget works and does not work by turns.
var flappingTarget = demo.Target{Institution: "uio", API: "fs-emner"}

// deserted is the application whose queue nobody reads at some time.
var deserted = demo.Access{Institution: "oslomet", Application: "system-production-adgang"}

// about is one alert about one target.
func about(name, institution, kind, of string, says ...string) want {
	return want{alert{name, target{institution, kind, of}}, says}
}

// api is a fault of one API, which one alert names.
func api(institution, name string, f demo.Fault, alertname, reason string) fault {
	return fault{
		name:  institution + " " + name + " " + f.String(),
		begin: func(w *world) func() { return w.set(institution, name, f) },
		wants: []want{about(alertname, institution, "api", name, reason)},
		hits:  []target{{institution, "api", name}},
	}
}

func (w *world) set(institution, api string, f demo.Fault) (end func()) {
	w.platform.Set(institution, api, f)
	return func() { w.platform.Clear(institution, api) }
}

// broker is a fault of one application's access to its broker.
func broker(institution, application string, f demo.BrokerFault, alertname string, says ...string) fault {
	return fault{
		name:  institution + " " + application + " " + f.String(),
		begin: func(w *world) func() { return w.setBroker(institution, application, f) },
		wants: []want{about(alertname, institution, "rabbitmq", application, says...)},
		hits:  []target{{institution, "rabbitmq", application}},
	}
}

func (w *world) setBroker(institution, application string, f demo.BrokerFault) (end func()) {
	w.platform.SetBroker(institution, application, f)
	return func() { w.platform.SetBroker(institution, application, demo.BrokerHealthy) }
}

// ending is a key that ends after left; afterwards it never does.
func ending(institution, name string, left time.Duration, alertname string) fault {
	return fault{
		name: institution + " " + name + " key ends in " + left.String(),
		begin: func(w *world) func() {
			w.platform.EndAt(institution, name, time.Now().Add(left))
			return func() { w.platform.EndAt(institution, name, time.Time{}) }
		},
		wants: []want{about(alertname, institution, "api", name)},
	}
}

// certificate is a gateway's certificate that ends after left.
func certificate(institution string, left time.Duration, alertname string) fault {
	return fault{
		name: institution + " certificate ends in " + left.String(),
		begin: func(w *world) func() {
			w.mustEndCertificate(institution, left)
			return func() { w.mustEndCertificate(institution, 90*day) }
		},
		wants: []want{about(alertname, institution, "", "")},
	}
}

func (w *world) mustEndCertificate(institution string, left time.Duration) {
	must(w.platform.EndCertificate(institution, time.Now().Add(left)))
}

// repeatedly does something at once and then again and again, until the end.
func repeatedly(every time.Duration, do func(n int)) (end func()) {
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for n := 0; ; n++ {
			do(n)
			select {
			case <-ticker.C:
			case <-stop:
				return
			}
		}
	}()
	return func() {
		close(stop)
		<-stopped
	}
}
