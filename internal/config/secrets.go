package config

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// source returns the secret that exactly one of the three keys gives; their names
// are prefix_file, prefix_env and prefix. It is nil beside a fault. All but a
// password go into a header.
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
		return r.sendable(r.readable(file, prefix+"_file"), file.at, prefix+"_file")
	case env.good():
		return r.sendable(r.variable(env, prefix+"_env"), env.at, prefix+"_env")
	case literal.good():
		r.warn(literal.at, "%s: a secret in the configuration itself; %s_file keeps it out", prefix, prefix)
		return r.sendable(literal.value.Source, literal.at, prefix)
	}
	return nil
}

// sendable holds a source to what its place in a request can carry; nil beside a fault.
func (r *resolver) sendable(source secret.Source, at position, key string) secret.Source {
	if source == nil || strings.HasPrefix(key, "password") { // told, or sent in a login, which carries any text
		return source
	}
	header := secret.Header{Source: source}
	_, err := header.Read()
	if err != nil {
		r.fault(at, "%s: %v", key, err)
		return nil
	}
	return header
}

// readable returns the secret in a file, read once; nil beside a fault.
func (r *resolver) readable(file field[filename], key string) secret.Source {
	path := file.at.relative(string(file.value))
	if r.files[path] == nil {
		r.files[path] = secret.NewFile(path)
		_, r.secrets[path] = r.files[path].Read()
		r.private(file, key)
	}
	err := r.secrets[path]
	switch {
	case err == nil:
		return r.files[path]
	case errors.Is(err, fs.ErrNotExist) && secret.LooksLikeKey(string(file.value)):
		r.fault(file.at, "%s: %s", key, misplaced(key, noSuchFile, "file"))
	default:
		r.fault(file.at, "%s: %v", key, err)
	}
	return nil
}

// private warns of a file with a secret that is none to the users of this machine.
func (r *resolver) private(file field[filename], key string) {
	if path := file.path(); secret.Exposed(path) {
		r.warn(file.at, "%s: every user of this machine may read or change %s: chmod 0640", key, secret.RedactPath(path))
	}
}

// variable returns the secret in an environment variable; nil beside a fault.
func (r *resolver) variable(env field[variable], key string) secret.Source {
	source := secret.Env(env.value)
	_, err := source.Read()
	switch {
	case err == nil:
		return source
	case !errors.Is(err, secret.ErrUnusable) && secret.LooksLikeKey(string(env.value)):
		r.fault(env.at, "%s: %s", key, misplaced(key, "no such environment variable", "variable"))
	default:
		r.fault(env.at, "%s: %v", key, err)
	}
	return nil
}

// misplaced says that a secret stands where the name of its home belongs, without repeating it.
func misplaced(key, problem, home string) string {
	what, _, _ := strings.Cut(key, "_")
	if !slices.Contains([]string{"key", "password", "token"}, what) {
		what = "secret"
	}
	return problem + ", and this looks like the " + what + " itself: put it into a " + home + " and name that here"
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
	switch {
	case c.problem == noSuchFile && secret.LooksLikeKey(string(file.value)):
		r.fault(file.at, "%s: %s", key, misplaced(key, noSuchFile, "file"))
	case c.problem != "":
		r.fault(file.at, "%s: %s: %s", key, secret.RedactPath(path), c.problem)
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

// origin tells sources apart for a version, without their secrets.
func origin(source secret.Source) string {
	switch s := source.(type) {
	case secret.Header:
		return origin(s.Source)
	case secret.Literal:
		sum := sha256.Sum256([]byte(s.Value.Reveal()))
		return "literal " + hex.EncodeToString(sum[:])
	case secret.Env:
		return "environment variable " + string(s)
	case *secret.File:
		return "file " + s.Path()
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
