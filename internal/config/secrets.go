package config

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// source returns the secret that exactly one of the three keys gives; their names
// are prefix_file, prefix_env and prefix. It is nil beside a fault.
func (r *resolver) source(what, prefix string, at position, file field[filename], env field[variable], literal field[hidden]) secret.Source {
	given := 0
	for _, one := range []struct {
		set bool
		at  position
	}{{file.set, file.at}, {env.set, env.at}, {literal.set, literal.at}} {
		if !one.set {
			continue
		}
		given++
		if given > 1 {
			r.fault(one.at, "give only one of %s_file, %s_env and %s", prefix, prefix, prefix)
			return nil
		}
	}
	switch {
	case given == 0:
		r.fault(at, "%s has no %s: give %s_file, %s_env or %s", what, prefix, prefix, prefix, prefix)
	case file.good():
		return r.readable(file, prefix+"_file")
	case env.good():
		return r.checked(secret.Env(env.value), env.at, prefix+"_env")
	case literal.good():
		r.warn(literal.at, "%s: a secret in the configuration itself; %s_file keeps it out", prefix, prefix)
		return literal.value.Source
	}
	return nil
}

// readable returns the secret in a file, read once; nil beside a fault.
func (r *resolver) readable(file field[filename], key string) secret.Source {
	path := file.at.relative(string(file.value))
	if r.files[path] == nil {
		r.files[path] = secret.NewFile(path)
		_, r.secrets[path] = r.files[path].Read()
	}
	if r.secrets[path] != nil {
		r.fault(file.at, "%s: %v", key, r.secrets[path])
		return nil
	}
	return r.files[path]
}

func (r *resolver) checked(source secret.Source, at position, key string) secret.Source {
	_, err := source.Read()
	if err != nil {
		r.fault(at, "%s: %v", key, err)
		return nil
	}
	return source
}

// content is a file that is not a secret of ours to send, as it was read.
type content struct {
	bytes   []byte
	problem string
}

// read returns the content of a file that is written in the configuration; each is read once a load.
func (r *resolver) read(file field[filename], key string) []byte {
	if !file.good() {
		return nil
	}
	path := file.at.relative(string(file.value))
	c, ok := r.contents[path]
	if !ok {
		c.bytes, c.problem = readFile(path)
		r.contents[path] = c
	}
	if c.problem != "" {
		r.fault(file.at, "%s: %s: %s", key, path, c.problem)
	}
	return c.bytes
}

// path returns the resolved name of a file, empty if none is given.
func (f field[T]) path() string {
	name, ok := any(f.value).(filename)
	if !ok || !f.good() {
		return ""
	}
	return f.at.relative(string(name))
}

// tls returns the files that t names and a digest of their content, which is empty beside a fault.
func (r *resolver) tls(t *tlsFiles) (files probe.TLS, digest string) {
	before := len(r.faults)
	if t.CertFile.set != t.KeyFile.set {
		at := t.CertFile.at
		if t.KeyFile.set {
			at = t.KeyFile.at
		}
		r.fault(at, "tls: cert_file and key_file belong together")
	}
	sum := sha256.New()
	for _, f := range []struct {
		key string
		field[filename]
	}{{"ca_file", t.CAFile}, {"cert_file", t.CertFile}, {"key_file", t.KeyFile}} {
		sum.Write(r.read(f.field, f.key))
		sum.Write([]byte{0})
	}
	if len(r.faults) == before {
		digest = hex.EncodeToString(sum.Sum(nil))
	}
	return probe.TLS{
		CAFile:     t.CAFile.path(),
		ServerName: string(t.ServerName.or("")),
		CertFile:   t.CertFile.path(),
		KeyFile:    t.KeyFile.path(),
	}, digest
}

// origin tells sources apart for a version, without their secrets.
func origin(source secret.Source) string {
	literal, ok := source.(secret.Literal)
	if ok {
		sum := sha256.Sum256([]byte(literal.Value.Reveal()))
		return "literal " + hex.EncodeToString(sum[:])
	}
	return source.String()
}

// version is equal for equal parts, in every process.
func version(parts ...any) string {
	text, err := json.Marshal(parts)
	if err != nil {
		panic("config: a version of what JSON cannot hold") // only plain values are given
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}
