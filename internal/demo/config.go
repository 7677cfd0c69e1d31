package demo

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"text/template"
)

//go:embed config.yml.tmpl
var configTemplate string

// marker begins every configuration written here, and is how one is known again.
const marker = "# Written by integra_exporter demo"

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

// WriteConfig writes config.yml, ca.pem and keys/<institution>-<api, application or credential>
// into dir and returns the path of config.yml. It makes dir if need be, keeps keys and
// what is in it from other users, and replaces what an earlier demo wrote. A
// config.yml that is not a demo's is an error, and nothing is written.
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

func makePrivate(dir string) error {
	err := os.MkdirAll(dir, 0o700)
	if err != nil {
		return err
	}
	return os.Chmod(dir, 0o700) // it may have been there
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
		return fmt.Errorf("%s is not the demo's: not overwritten", path)
	}
	return nil
}

func (p *Platform) writeKeys(dir string, i institution) (configInstitution, error) {
	c := configInstitution{Name: i.Name, Title: i.Title, URL: p.URL(i.Name), ServerName: p.ServerName(i.Name)}
	for _, s := range p.gateways[i.Name].subscriptions {
		key := configKey{s.Name, "keys/" + i.Name + "-" + s.Name, p.expires(Target{i.Name, s.Name})}
		err := writeFile(filepath.Join(dir, filepath.FromSlash(key.File)), []byte(s.access.newest()+"\n"), 0o600)
		if err != nil {
			return c, err
		}
		c.Keys = append(c.Keys, key)
	}
	c.Broker, c.BrokerName = p.BrokerURL(i.Name), p.BrokerName(i.Name)
	for _, u := range p.brokers[i.Name].users {
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

// writeFile replaces a file in one step, so that an exporter beside the demo
// never reads half of it, and an old file's mode does not survive.
func writeFile(path string, content []byte, mode fs.FileMode) error {
	temporary, err := os.CreateTemp(filepath.Dir(path), ".demo-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temporary.Name()) }() // gone already if all went well
	_, err = temporary.Write(content)
	err = errors.Join(err, temporary.Chmod(mode), temporary.Close())
	if err != nil {
		return err
	}
	return os.Rename(temporary.Name(), path)
}
