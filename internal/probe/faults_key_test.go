package probe

import (
	"testing"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// nowhere is a file that is not there, under a name that is the same on each machine.
const nowhere = "keys/uio-gone"

func keyFault(name string, reason Reason, credential func(*testing.T) Credential) Fault {
	return Fault{"Keys", name, AtOnce, reason, LayerKey, func(t *testing.T) Trial {
		return Trial{Prober: NewKey(credential(t))}
	}}
}

// unkeyed is a row of an api whose key cannot be had.
func unkeyed(name string, source func(*testing.T) secret.Source) Fault {
	return Fault{"Keys", name, AtOnce, ReasonKeyUnreadable, LayerKey, func(t *testing.T) Trial {
		p := newLab(t).plan("1")
		p.Secrets = map[string]secret.Source{keyHeader: secret.Header{Source: source(t)}}
		return Trial{Prober: p.prober()}
	}}
}

func inFile(content string) func(*testing.T) Credential {
	return func(t *testing.T) Credential { return Credential{JWTFile: keep(t, "token", []byte(content))} }
}

func locked(password string) func(*testing.T) Credential {
	return func(t *testing.T) Credential {
		_, file := ending(t, time.Now().Add(day), canary)
		return Credential{
			CertificateFile:     keep(t, "cert.p12", file),
			CertificatePassword: secret.Literal{Value: secret.New(password)},
		}
	}
}

func keyFaults() []Fault {
	past := time.Date(2020, 2, 29, 0, 0, 0, 0, time.UTC)
	return []Fault{
		unkeyed("the file of the API key is gone", func(*testing.T) secret.Source { return secret.NewFile(nowhere) }),
		unkeyed("the variable of the API key is not set", func(*testing.T) secret.Source { return secret.Env("INTEGRA_TEST_GONE") }),
		unkeyed("the API key is no header's value", func(*testing.T) secret.Source {
			return secret.Literal{Value: secret.New(canary + "\x00")}
		}),
		keyFault("its date in the configuration has passed", ReasonKeyExpired, func(*testing.T) Credential {
			return Credential{Ends: &KeyEnd{SourceConfig, past}}
		}),
		keyFault("a token whose exp has passed", ReasonKeyExpired, inFile(jwt(`{"exp":1000000000,"sub":"`+canary+`"}`))),
		keyFault("a certificate that has ended", ReasonKeyExpired, func(t *testing.T) Credential {
			old, _ := ending(t, past, "")
			return Credential{CertificateFile: keep(t, "cert.pem", pemOf(old))}
		}),
		keyFault("a file that holds no token", ReasonKeyUnreadable, inFile(canary)),
		keyFault("a file that holds no certificate", ReasonKeyUnreadable, func(t *testing.T) Credential {
			return Credential{CertificateFile: keep(t, "cert.pem", []byte(canary))}
		}),
		keyFault("the file of the certificate is gone", ReasonKeyUnreadable, func(*testing.T) Credential {
			return Credential{CertificateFile: nowhere}
		}),
		keyFault("the password does not open the PKCS#12 file", ReasonKeyUnreadable, locked(canary+"2")),
	}
}
