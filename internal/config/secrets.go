package config

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// source returns the secret that exactly one of the keys prefix_file, prefix_env
// and prefix gives; nil beside a fault.
func (r *resolver) source(what, prefix string, at position, file field[filename], env field[variable], literal field[hidden]) secret.Source {
	given := slices.DeleteFunc([]position{file.at, env.at, literal.at}, position.nowhere)
	switch {
	case len(given) > 1:
		r.fault(given[1], "give only one of %s_file, %s_env and %s", prefix, prefix, prefix)
	case len(given) == 0:
		r.fault(at, "%s has no %s: give %s_file, %s_env or %s", what, prefix, prefix, prefix, prefix)
	case file.good():
		return r.sendable(r.readable(file, prefix+"_file"), file.at, prefix+"_file")
	case env.good():
		return r.sendable(r.variable(env, prefix+"_env"), env.at, prefix+"_env")
	case literal.good():
		r.warn(literal.at, "%s: the secret is in the configuration itself; use %s_file to keep it out", prefix, prefix)
		return r.sendable(literal.value.Source, literal.at, prefix)
	}
	return nil
}

// hidden is a secret in the configuration itself.
type hidden struct{ secret.Source }

func (h *hidden) parse(s string) string {
	literal := secret.Literal{Value: secret.New(s)}
	h.Source = literal
	_, err := literal.Read()
	if err != nil {
		return err.Error() // it does not quote the secret
	}
	return ""
}

// sendable restricts a source to what a header can carry; nil beside a fault.
// A password is exempt: a login carries any text.
func (r *resolver) sendable(source secret.Source, at position, key string) secret.Source {
	if source == nil || strings.HasPrefix(key, "password") {
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

// secretFile is a file with a secret, and the error of its first read.
type secretFile struct {
	source *secret.File
	err    error
}

// readable returns the secret in a file, which is read once a load; nil beside a fault.
func (r *resolver) readable(file field[filename], key string) secret.Source {
	path := pathOf(file)
	known, ok := r.files[path]
	if !ok {
		known.source = secret.NewFile(path)
		_, known.err = known.source.Read()
		r.files[path] = known
		r.warnExposed(file, key)
	}
	switch {
	case known.err == nil:
		return known.source
	case errors.Is(known.err, fs.ErrNotExist) && secret.LooksLikeKey(string(file.value)):
		r.fault(file.at, "%s: %s", key, misplaced(key, noSuchFile, "file"))
	default:
		r.fault(file.at, "%s: %v", key, known.err)
	}
	return nil
}

// warnExposed warns of a file with a secret that every user of this machine can access.
func (r *resolver) warnExposed(file field[filename], key string) {
	if secret.Exposed(pathOf(file)) {
		r.warn(file.at, "%s: every user of this machine may read or change %s: chmod 0640", key, redactPath(file))
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

// origin tells sources apart for a version without revealing their secrets. String does not: it redacts names.
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

type tlsFiles struct {
	CAFile     field[filename] `yaml:"ca_file" doc:"PEM file of certificates that are trusted in addition to those of the system."`
	ServerName field[name]     `yaml:"server_name" doc:"The name that the server's certificate must hold, if not the host of the URL."`
	CertFile   field[filename] `yaml:"cert_file" doc:"PEM file of the client certificate, for mutual TLS. Requires key_file."`
	KeyFile    field[filename] `yaml:"key_file" doc:"PEM file of the key of cert_file."`
}

// tlsIdentity is the resolved files of a tls mapping, with a digest of their content, which is empty beside a fault.
type tlsIdentity struct {
	files  probe.TLS
	digest string
}

// tls returns the resolved files of t and a digest of their content, which is empty beside a fault. It parses them
// once a load: that takes milliseconds for a bundle of authorities, and thousands of targets share one.
func (r *resolver) tls(t *tlsFiles) (files probe.TLS, digest string) {
	known, ok := r.identities[*t]
	if !ok {
		known = r.identify(t)
		r.identities[*t] = known
	}
	return known.files, known.digest
}

func (r *resolver) identify(t *tlsFiles) tlsIdentity {
	before := len(r.faults)
	if t.CertFile.set != t.KeyFile.set {
		at := t.CertFile.at
		if t.KeyFile.set {
			at = t.KeyFile.at
		}
		r.fault(at, "tls: cert_file and key_file belong together")
	}
	ca, cert, key := r.read(t.CAFile, "ca_file"), r.read(t.CertFile, "cert_file"), r.read(t.KeyFile, "key_file")
	if ca != nil {
		r.authorities(t.CAFile, ca)
	}
	if cert != nil && key != nil {
		r.keyPair(t, cert, key)
		r.warnExposed(t.KeyFile, "key_file")
	}
	known := tlsIdentity{files: probe.TLS{
		CAFile:     pathOf(t.CAFile),
		ServerName: string(t.ServerName.or("")),
		CertFile:   pathOf(t.CertFile),
		KeyFile:    pathOf(t.KeyFile),
	}}
	if len(r.faults) == before {
		sum := sha256.New()
		for _, content := range [][]byte{ca, cert, key} {
			sum.Write(content)
			sum.Write([]byte{0})
		}
		known.digest = hex.EncodeToString(sum.Sum(nil))
	}
	return known
}

// authorities checks a bundle. One in the wild may well hold a root that crypto/x509 refuses.
func (r *resolver) authorities(file field[filename], content []byte) {
	switch bundle := probe.ParseBundle(content); {
	case bundle.Blocks() == 0:
		r.fault(file.at, "ca_file: %s holds no PEM certificate", redactPath(file))
	case bundle.Damaged > 0:
		r.fault(file.at, "ca_file: %d of %d certificates in %s are damaged: export them again", bundle.Damaged, bundle.Blocks(), redactPath(file))
	case len(bundle.Certificates) == 0:
		r.fault(file.at, "ca_file: %s holds no certificate that can be used", redactPath(file))
	case bundle.Refused > 0:
		r.warn(file.at, "ca_file: %d of %d certificates in %s cannot be used and are left out", bundle.Refused, bundle.Blocks(), redactPath(file))
	}
}

// keyPair checks the client certificate and its key, and reports which of the two files is wrong.
func (r *resolver) keyPair(t *tlsFiles, cert, key []byte) {
	_, err := tls.X509KeyPair(cert, key)
	block, _ := pem.Decode(key)
	bundle := probe.ParseBundle(cert)
	switch lost := bundle.Damaged + bundle.Refused; {
	case bundle.Blocks() == 0:
		r.fault(t.CertFile.at, "cert_file: %s holds no PEM certificate", redactPath(t.CertFile))
	case lost > 0:
		r.fault(t.CertFile.at, "cert_file: %d of %d certificates in %s cannot be read: export them again", lost, bundle.Blocks(), redactPath(t.CertFile))
	case err == nil:
	case block == nil:
		r.fault(t.KeyFile.at, "key_file: %s holds no PEM key", redactPath(t.KeyFile))
	default:
		r.fault(t.KeyFile.at, "key_file: %s is not the key of cert_file: %s", redactPath(t.KeyFile), redactPath(t.CertFile))
	}
}

// fileContent is the content of a file that holds no secret to send, or why it could not be read.
type fileContent struct {
	bytes   []byte
	problem string
}

// read returns the content of a file that the configuration names; each is read once a load.
func (r *resolver) read(file field[filename], key string) []byte {
	if !file.good() {
		return nil
	}
	path := pathOf(file)
	c, ok := r.contents[path]
	if !ok {
		c.bytes, c.problem = readFile(path)
		r.contents[path] = c
	}
	switch {
	case c.problem == noSuchFile && secret.LooksLikeKey(string(file.value)):
		r.fault(file.at, "%s: %s", key, misplaced(key, noSuchFile, "file"))
	case c.problem != "":
		r.fault(file.at, "%s: %s: %s", key, redactPath(file), c.problem)
	}
	return c.bytes
}

// maxFileSize bounds what is read of a file. It is far more than 10,000 targets need.
const maxFileSize = 64 << 20

// readFile returns the content of path, or why it cannot, in a sentence of our own.
func readFile(path string) (content []byte, problem string) {
	file, err := os.Open(path)
	if err != nil {
		return nil, osProblem(err)
	}
	defer file.Close()
	content, err = io.ReadAll(io.LimitReader(file, maxFileSize+1))
	switch {
	case err != nil:
		return nil, osProblem(err)
	case len(content) > maxFileSize:
		return nil, "larger than 64 MiB"
	}
	return content, ""
}

// The problems that readFile returns and its callers tell apart.
const (
	noSuchFile   = "no such file"
	isDirectory  = "is a directory"
	noPermission = "permission denied"
)

func osProblem(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENAMETOOLONG):
		return noSuchFile
	case errors.Is(err, fs.ErrPermission):
		return noPermission
	case errors.Is(err, syscall.EISDIR):
		return isDirectory
	}
	return "cannot be read"
}

// misplaced explains that the secret itself was given where its file or variable is named, without repeating it.
func misplaced(key, problem, holder string) string {
	what, _, _ := strings.Cut(key, "_")
	if !slices.Contains([]string{"key", "password", "token"}, what) {
		what = "secret"
	}
	return problem + ", and this looks like the " + what + " itself: put it into a " + holder + " and name that here"
}

// redactPath returns the resolved name of a file as messages may repeat it.
func redactPath(file field[filename]) string { return secret.RedactPath(pathOf(file)) }

// pathOf returns the resolved name of a file, empty if it is not given.
func pathOf(file field[filename]) string {
	if !file.good() {
		return ""
	}
	return file.at.relative(string(file.value))
}
