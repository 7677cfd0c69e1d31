package web

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"gopkg.in/yaml.v3"
)

// webDemand is what a web configuration asks of clients.
type webDemand struct {
	TLS *struct {
		ClientAuth string `yaml:"client_auth_type"`
	} `yaml:"tls_server_config"`
	Users map[string]yaml.Node `yaml:"basic_auth_users"`
}

// checkDemand returns what is wrong with a web configuration that the toolkit takes for one without demands.
func checkDemand(file string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var document yaml.Node
	err = yaml.Unmarshal(content, &document)
	switch {
	case err != nil:
		return err
	case len(document.Content) == 0 || document.Content[0].Tag == "!!null":
		return errors.New("the file is empty: write what clients must show, or leave out --web.config.file")
	}
	pairs := document.Content[0].Content
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1].Tag == "!!null" || pairs[i+1].Kind == yaml.MappingNode && len(pairs[i+1].Content) == 0 {
			return fmt.Errorf("line %d: %s has no value: complete it, or take it out", pairs[i].Line, pairs[i].Value)
		}
	}
	return nil
}

// webDemands refuses requests while a web configuration demands less than it did before: a file that is cut off or emptied
// must not open the door. Only a restart relaxes what was demanded.
type webDemands struct {
	file string
	log  *slog.Logger

	mu           sync.Mutex
	read         time.Time // the file's, when it was read last
	size         int64
	tls, users   bool // has ever been demanded
	certificates bool // of clients
	less         bool // the file demands less now
}

func newWebDemands(file string, log *slog.Logger) *webDemands {
	return &webDemands{file: file, log: log}
}

// guard wraps h, which the toolkit lets clients reach.
func (d *webDemands) guard(h http.Handler) http.Handler {
	if d.file == "" {
		return h
	}
	d.demandsLess()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/-/healthy" && d.demandsLess() {
			http.Error(w, "the web configuration demands less than before", http.StatusInternalServerError)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// demandsLess reads the file if it has changed. One that cannot be read or parsed is the toolkit's to refuse.
func (d *webDemands) demandsLess() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	info, err := os.Stat(d.file)
	if err != nil || info.ModTime().Equal(d.read) && info.Size() == d.size {
		return d.less
	}
	now, err := readDemand(d.file)
	if err != nil {
		return d.less
	}
	d.read, d.size = info.ModTime(), info.Size()
	before := d.less
	certificates := now.TLS != nil && now.TLS.ClientAuth != "" && now.TLS.ClientAuth != "NoClientCert"
	d.less = d.tls && now.TLS == nil || d.users && len(now.Users) == 0 || d.certificates && !certificates
	d.tls, d.users, d.certificates = d.tls || now.TLS != nil, d.users || len(now.Users) > 0, d.certificates || certificates
	if d.less && !before {
		d.log.Error("the web configuration demands less than before: every request is refused until it demands that again, or until a restart",
			"file", d.file)
	}
	return d.less
}

func readDemand(file string) (now webDemand, err error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return now, err
	}
	err = yaml.Unmarshal(content, &now)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return now, err
}
