package probe

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// endingAt is a certificate in PEM.
func endingAt(t *testing.T, end time.Time, kind string, change ...func(der []byte) []byte) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(5), NotBefore: end.AddDate(-1, 0, 0), NotAfter: end}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range change {
		der = c(der)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// An ended leaf stays one, however badly its block is written before its root's, which lives on.
func TestNoCertificateIsPassedOver(t *testing.T) {
	t.Parallel()
	ended, later := time.Now().AddDate(0, 0, -1).Truncate(time.Second).UTC(), time.Now().AddDate(10, 0, 0)
	const plain = "CERTIFICATE"
	leaf, root := endingAt(t, ended, plain), endingAt(t, later, plain)
	negative := func(der []byte) []byte {
		return bytes.Replace(der, []byte{2, 1, 2, 2, 1, 5}, []byte{2, 1, 2, 2, 1, 0x85}, 1)
	}
	negative0 := func(der []byte) []byte { return bytes.Replace(der, []byte{2, 1, 5}, []byte{2, 1, 0x85}, 1) }
	trust := func(der []byte) []byte { return append(der, 0x30, 3, 0x0c, 1, 'x') }
	lines := strings.SplitAfter(leaf, "\n")
	for name, c := range map[string]struct {
		content string
		whole   bool // both can be read
	}{
		"as it should be":            {leaf + root, true},
		"no line break between":      {strings.TrimSuffix(leaf, "\n") + root, true},
		"a byte-order mark":          {"\ufeff" + leaf + root, true},
		"text on the line":           {"leaf: " + leaf + "root: " + root, true},
		"indented":                   {"  " + strings.ReplaceAll(leaf, "\n", "\n  ") + root, true},
		"line ends of Windows":       {strings.ReplaceAll(leaf+root, "\n", "\r\n"), true},
		"one long line":              {strings.ReplaceAll(strings.ReplaceAll(leaf, "\n", ""), "-----M", "-----\nM") + root, true},
		"X509 CERTIFICATE":           {endingAt(t, ended, "X509 CERTIFICATE") + root, true},
		"TRUSTED CERTIFICATE":        {endingAt(t, ended, "TRUSTED CERTIFICATE", trust) + root, true},
		"without its last line":      {strings.Join(lines[:len(lines)-2], "") + root, false},
		"cut in the middle":          {leaf[:len(leaf)/2] + root, false},
		"cut, after the root":        {root + leaf[:len(leaf)/2], false},
		"a character that is none":   {strings.Replace(leaf, "M", "!", 1) + root, false},
		"empty":                      {"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n" + root, false},
		"of another kind":            {strings.Replace(leaf, "END CERTIFICATE", "END PRIVATE KEY", 1) + root, false},
		"a serial that x509 refuses": {endingAt(t, ended, plain, negative, negative0) + root, false},
	} {
		file := filepath.Join(t.TempDir(), "bundle.pem")
		err := os.WriteFile(file, []byte(c.content), 0o600)
		if err != nil {
			t.Fatal(err)
		}
		end, err := NewKey(Credential{CertificateFile: file}).end()
		switch reason, _ := ReasonOf(err); {
		case c.whole && (err != nil || !end.At.Equal(ended)):
			t.Errorf("%s: ends %v, %v; want %v", name, end.At, err, ended)
		case !c.whole && (reason != ReasonKeyUnreadable || DetailOf(err) != "1 of 2 certificates in the file cannot be read"):
			t.Errorf("%s: ends %v, %v", name, end.At, err)
		}
	}
}
