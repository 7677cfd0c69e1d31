package secret

import (
	"strings"
	"testing"
)

const uuid = "6b7f2c1e-aaaa-4000-8000-0123456789ab"

func TestLooksLikeKey(t *testing.T) {
	for _, key := range []string{
		uuid, strings.ToUpper(uuid), strings.ReplaceAll(uuid, "-", ""), "feedfacefeedface", "FEEDFACEFEEDFACE0123",
		"c2VjcmV0c2VjcmV0MQ==", "Zk3kd92Lskd02kdLx", "MYSECRETKEY0123456789", "secret_key_1234567890", "aB3-dE_f9GhI-0jKl",
		"eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl",
	} {
		if !LooksLikeKey(key) {
			t.Errorf("%q does not look like a key", key)
		}
	}
	for _, name := range []string{
		"", "key", "keys/uio", "uio-organisasjoner", "uio-organisasjoner-v1", "INTEGRA_KEY_UIO_FS2", "integra-2027-03-01", "system-production-dfo-sap",
		"organisasjoner-key", "feedface", "virksomhetssertifikat-2027.p12", "a-long-name-with-dots.txt", "abcdefghijklmnopqrstuvwxyz",
	} {
		if LooksLikeKey(name) {
			t.Errorf("%q looks like a key", name)
		}
	}
}
