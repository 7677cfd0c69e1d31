package platform

import (
	"os"
	"path/filepath"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/demo"
	"github.com/integra-exporter/integra_exporter/internal/testkit"
)

// flapping fails every other run. Nothing but the runs asks for flappingTarget.
func flapping(w *world) func() {
	of, seen := flappingTarget, -1
	end := repeatedly(20*time.Millisecond, func(int) {
		runs := w.platform.Requests(of.Institution, of.API)
		if runs == seen {
			return
		}
		seen = runs
		f := demo.Healthy
		if runs%2 == 0 {
			f = demo.BackendError
		}
		w.platform.Set(of.Institution, of.API, f)
	})
	return func() {
		end()
		w.platform.Clear(of.Institution, of.API)
	}
}

// renewed ends when the new key is where the exporter reads it.
func renewed(w *world) func() {
	w.platform.Renew("uib", "organisasjoner")
	return func() { w.handOver("uib", "organisasjoner") }
}

func revoked(w *world) func() {
	w.platform.Revoke("uib", "stillinger")
	return func() {
		w.platform.Renew("uib", "stillinger")
		w.handOver("uib", "stillinger")
	}
}

func expired(institution, name string) fault {
	f := ending(institution, name, -time.Hour, "IntegraKeyExpired")
	f.hits = []target{{institution, "api", name}}
	f.wants[0].says = []string{"key_expired"}
	end := f.begin
	f.begin = func(w *world) func() {
		unset := end(w)
		return func() { // an end that has passed stays one: only another key helps
			unset()
			w.platform.Renew(institution, name)
			w.handOver(institution, name)
		}
	}
	return f
}

// handOver writes the newest key to its file.
func (w *world) handOver(institution, api string) {
	path := filepath.Join(w.dir, "keys", institution+"-"+api)
	must(os.WriteFile(path, []byte(w.platform.Key(institution, api)+"\n"), 0o600))
}

// changed sets one field of the exporter's configuration, nil: none, until the end.
func (w *world) changed(path []string, field string, value any) (end func()) {
	node := w.config.at(path...)
	before, there := node[field]
	set := func(value any, there bool) {
		delete(node, field)
		if there {
			node[field] = value
		}
		w.reload()
	}
	set(value, value != nil)
	return func() { set(before, there) }
}

// ownCA is a ca_file for one institution, so that its end concerns no other.
const ownCA = "ca-ntnu.pem"

// writeCA writes the platform's authority, and more, to ownCA.
func (w *world) writeCA(more ...byte) {
	content, err := os.ReadFile(filepath.Join(w.dir, "ca.pem"))
	must(err)
	must(os.WriteFile(filepath.Join(w.dir, ownCA), append(content, more...), 0o600))
}

// endingCA puts an authority beside the platform's that ends within a month.
func endingCA(w *world) func() {
	w.writeCA(testkit.NewCA("ends soon", testkit.NotAfter(time.Now().Add(30*day))).PEM()...)
	w.reload()
	return func() {
		w.writeCA()
		w.reload()
	}
}
