package config

import (
	"context"
	"slices"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// Key is a credential whose expiry is watched, and nothing else of it.
type Key struct {
	probe.Check
	Files []string // when one of them changes, the check should run
}

// credential is an entry of keys.
type credential struct {
	At                      position
	Name                    field[name]     `yaml:"name" doc:"The label target; unique within the institution."`
	Title                   field[line]     `yaml:"title" doc:"Its name for people."`
	Contact                 field[line]     `yaml:"contact" doc:"The contact that alert texts name. By default that of the institution."`
	Expires                 field[Expiry]   `yaml:"expires" doc:"When it expires: a date, an RFC 3339 time or never."`
	CertificateFile         field[filename] `yaml:"certificate_file" doc:"PEM or PKCS#12 file: its certificate's notAfter counts."`
	CertificatePasswordFile field[filename] `yaml:"certificate_password_file" doc:"File that holds the password of the PKCS#12 file."`
	JWTFile                 field[filename] `yaml:"jwt_file" doc:"File that holds a JWT: its exp counts."`
	Interval                field[interval] `yaml:"interval" default:"1h" doc:"How often it is checked, in addition to the start and changes of a file: 1s to 1d."`
}

const defaultKeyInterval = time.Hour

func (r *resolver) keys(c *Config, s *institutionScope) {
	seen := map[name]position{}
	for i, e := range s.Keys.value {
		if !e.At.nowhere() && r.checkName(s, "keys", i, e.At, "name", e.Name, seen) {
			r.key(c, s, e)
		}
	}
}

func (r *resolver) key(c *Config, s *institutionScope, e *credential) {
	before := len(r.faults)
	watched := r.credential(s, e)
	if len(r.faults) > before {
		return
	}
	every := time.Duration(e.Interval.or(interval(defaultKeyInterval)))
	certificate, password, token := pathOf(e.CertificateFile), pathOf(e.CertificatePasswordFile), pathOf(e.JWTFile)
	id := string(e.Name.value)
	resolved := Key{
		Check: probe.Check{
			Target:   probe.Target{Institution: s.id, Kind: probe.KindKey, Name: id},
			Info:     s.info(id, e.Title, e.Contact, ""),
			Interval: every, Timeout: min(defaultTimeout, every),
			Prober: probe.NewKey(watched),
		},
		Files: slices.DeleteFunc([]string{certificate, token, password}, func(file string) bool { return file == "" }),
	}
	resolved.Version = version(resolved.Target, resolved.Info, every, certificate, password, token, e.Expires.value)
	c.Keys = append(c.Keys, resolved)
	r.warnUnreadable(e, resolved.Prober)
}

func (r *resolver) credential(s *institutionScope, e *credential) probe.Credential {
	given := slices.DeleteFunc([]position{e.Expires.at, e.CertificateFile.at, e.JWTFile.at}, position.nowhere)
	if len(given) != 1 {
		r.fault(e.At, "institution %q, key %q: give exactly one of expires, certificate_file and jwt_file", s.id, e.Name.value)
	}
	if e.CertificatePasswordFile.set && !e.CertificateFile.set {
		r.fault(e.CertificatePasswordFile.at, "certificate_password_file requires certificate_file")
	}
	r.read(e.CertificateFile, "certificate_file")
	if e.JWTFile.good() {
		r.readable(e.JWTFile, "jwt_file")
	}
	watched := probe.Credential{CertificateFile: pathOf(e.CertificateFile), JWTFile: pathOf(e.JWTFile)}
	if e.Expires.good() {
		watched.Ends = &probe.KeyEnd{Source: probe.SourceConfig, At: e.Expires.value.Date}
	}
	if e.CertificatePasswordFile.good() {
		watched.CertificatePassword = r.readable(e.CertificatePasswordFile, "certificate_password_file")
	}
	return watched
}

// warnUnreadable warns of a file that could be read, but holds no expiry. It is
// not a fault: the file can be replaced without a reload. A credential that has
// expired is no matter of the configuration: the check reports it.
func (r *resolver) warnUnreadable(e *credential, prober probe.Prober) {
	_, err := prober.Probe(context.Background())
	reason, _ := probe.ReasonOf(err)
	switch {
	case reason != probe.ReasonKeyUnreadable:
	case e.CertificateFile.good():
		r.warn(e.CertificateFile.at, "certificate_file: %s: %s", redactPath(e.CertificateFile), probe.DetailOf(err))
	case e.JWTFile.good():
		r.warn(e.JWTFile.at, "jwt_file: %s: %s", redactPath(e.JWTFile), probe.DetailOf(err))
	}
}
