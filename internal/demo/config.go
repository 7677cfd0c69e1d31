package demo

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"text/template"
	"time"

	"github.com/google/uuid"
)

//go:embed config.yml.tmpl
var configTemplate string

// marker begins every configuration of the demo, which replaces only files with it.
const marker = "# Written by integra_exporter demo"

// withCredentials is the institution whose configuration has other credentials, too.
const withCredentials = "uio"

// How long these credentials are valid when the demo starts.
const (
	registrationLeft = 40 * day
	certificateLeft  = 12 * day
	tokenLeft        = 20 * day
)

type configData struct {
	Marker       string
	APIs         []api
	Institutions []configInstitution
}

type configInstitution struct {
	Name, Title, URL, ServerName string
	Keys                         []configKey
	Broker, BrokerName           string
	Applications                 []brokerApplication
	Credentials                  []configCredential
	Management, Application      string
}

type configKey struct{ API, File, Expires string }

// configCredential is an entry of keys; one of Expires, Certificate and JWT is set.
type configCredential struct{ Name, Title, Expires, Certificate, JWT string }

// WriteConfig writes config.yml, ca.pem and keys/<institution>-<api, application or credential>
// into dir and returns the path of config.yml. It makes dir if need be, which like keys
// only this user may read, and replaces the files of an earlier demo. If config.yml is
// another's, it returns an error and writes nothing.
func (p *Platform) WriteConfig(dir string) (path string, err error) {
	path = filepath.Join(dir, "config.yml")
	err = mayWrite(path)
	if err != nil {
		return "", err
	}
	err = makePrivate(filepath.Join(dir, "keys"))
	if err != nil {
		return "", err
	}
	data := configData{Marker: marker, APIs: apis[:]}
	for _, i := range institutions {
		c, err := p.writeKeys(dir, i)
		if err != nil {
			return "", err
		}
		data.Institutions = append(data.Institutions, c)
	}
	err = writeFile(filepath.Join(dir, "ca.pem"), p.ca.pem(), 0o644)
	if err != nil {
		return "", err
	}
	var content bytes.Buffer
	err = template.Must(template.New("config.yml").Parse(configTemplate)).Execute(&content, data)
	if err != nil {
		return "", err
	}
	return path, writeFile(path, content.Bytes(), 0o644)
}

func mayWrite(path string) error {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(content, []byte(marker)) {
		return fmt.Errorf("refusing to overwrite %s: the demo did not write it", path)
	}
	return nil
}

func makePrivate(dir string) error {
	err := os.MkdirAll(dir, 0o700)
	if err != nil {
		return err
	}
	return os.Chmod(dir, 0o700) // it may have existed
}

func (p *Platform) writeKeys(dir string, i institution) (configInstitution, error) {
	c := configInstitution{Name: i.Name, Title: i.Title, URL: p.URL(i.Name), ServerName: p.ServerName(i.Name)}
	for _, a := range p.gateways[i.Name].apis {
		key := configKey{a.Name, "keys/" + i.Name + "-" + a.Name, p.expires(Target{i.Name, a.Name})}
		err := writeFile(filepath.Join(dir, filepath.FromSlash(key.File)), []byte(p.Key(i.Name, a.Name)+"\n"), 0o600)
		if err != nil {
			return c, err
		}
		c.Keys = append(c.Keys, key)
	}
	c.Broker, c.BrokerName = p.BrokerURL(i.Name), p.BrokerName(i.Name)
	for _, u := range p.brokers[i.Name].state.users {
		err := writeFile(filepath.Join(dir, "keys", i.Name+"-"+u.Name), []byte(u.password+"\n"), 0o600)
		if err != nil {
			return c, err
		}
		c.Applications = append(c.Applications, u.brokerApplication)
	}
	c.Management, c.Application = p.ManagementURL(i.Name), p.Application(i.Name)
	err := writeFile(filepath.Join(dir, "keys", i.Name+"-gravitee-token"), []byte(p.ManagementToken(i.Name)+"\n"), 0o600)
	if err != nil {
		return c, err
	}
	c.Credentials, err = p.writeCredentials(dir, i.Name)
	return c, err
}

// expires returns the configured end of a target's key; empty: none.
func (p *Platform) expires(target Target) string {
	for _, e := range expiries {
		if e.Target != target {
			continue
		}
		if e.left == 0 {
			return "never"
		}
		return p.endOf(e.left).Format(time.DateOnly)
	}
	return ""
}

// writeCredentials writes the credentials of an institution that are no API keys.
func (p *Platform) writeCredentials(dir, institution string) ([]configCredential, error) {
	if institution != withCredentials {
		return nil, nil
	}
	certificate, err := p.ca.issue("virksomhetssertifikat", certificateLeft)
	if err != nil {
		return nil, err
	}
	list := []configCredential{
		{Name: "maskinporten", Title: "Key of the Maskinporten client", Expires: p.ca.now.Add(registrationLeft).UTC().Format(time.DateOnly)},
		{Name: "inspera", Title: "Agreement with Inspera", Expires: "never"},
		{Name: "virksomhetssertifikat", Title: "Enterprise certificate", Certificate: "keys/" + withCredentials + "-virksomhetssertifikat.pem"},
		{Name: "brom-token", Title: "Token for BROM", JWT: "keys/" + withCredentials + "-brom-token.jwt"},
	}
	for file, content := range map[string][]byte{
		list[2].Certificate: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]}),
		list[3].JWT:         []byte(unsignedJWT(p.ca.now.Add(tokenLeft)) + "\n"),
	} {
		err = writeFile(filepath.Join(dir, filepath.FromSlash(file)), content, 0o600)
		if err != nil {
			return nil, err
		}
	}
	return list, nil
}

// unsignedJWT returns a JWT that nothing accepts and that expires at end.
func unsignedJWT(end time.Time) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + encode(fmt.Appendf(nil, `{"sub":%q,"exp":%d}`, uuid.NewString(), end.Unix())) + "."
}

// writeFile replaces a file in one step, so that an exporter beside the demo
// never reads half of it, and the mode of an old file is not kept.
func writeFile(path string, content []byte, mode fs.FileMode) error {
	temporary, err := os.CreateTemp(filepath.Dir(path), ".demo-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temporary.Name()) }() // renamed already, if all went well
	_, err = temporary.Write(content)
	err = errors.Join(err, temporary.Chmod(mode), temporary.Close())
	if err != nil {
		return err
	}
	return os.Rename(temporary.Name(), path)
}
