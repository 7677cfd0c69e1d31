package docs_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/integra-exporter/integra_exporter/internal/demo"
)

// configuration is what stands beside who follows the runbooks.
const configuration = `
apis:
  organisasjoner:
    title: Integra / DFØ organisasjon
    request: {path: /lonn/v1/organisasjoner/v1/, headers: {SOAPAction: TODO}}
  ansatte:
    title: Integra / DFØ ansatt
    request: {path: /lonn/v1/ansatte/v1/00000000, private: true, headers: {SOAPAction: TODO}}
  maskinporten:
    title: Maskinporten
    request: {path: /maskinporten-test/v2, headers: {iss: "0", scope: "dfo:ansatte"}}
  fs-gemini:
    title: FS Gemini
    request: {path: /fs/gemini/terminer}
institutions:
  ntnu:
    title: Norges teknisk-naturvitenskapelige universitet
    apis:
      fs-gemini: {key_file: keys/ntnu-fs-gemini}
  uio:
    title: Universitetet i Oslo
    apis:
      organisasjoner: {key_file: keys/uio-organisasjoner}
      ansatte: {key_file: keys/uio-ansatte}
      maskinporten: {key_file: keys/uio-maskinporten}
    rabbitmq:
      - {application: system-production-dfo-sap, password_file: keys/uio-dfo-sap, publishes: true}
    gravitee:
      url: https://gw-uio.intark.uh-it.no:8443/management
      application: APPLICATION
      token_file: keys/uio-gravitee-token
include: [conf.d/*.yml]
`

func write(path, content string) error {
	return errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(content), 0o600))
}

func copyFile(to, from string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return write(to, string(content))
}

// cover puts the directory from in the place of path, for this world alone.
func cover(path, from string) error { return unix.Mount(from, path, "", unix.MS_BIND, "") }

// layCertificates makes the platform's authority the machine's, and a private one beside it.
func layCertificates(dir string, platform *demo.Platform) error {
	made, err := platform.WriteConfig(filepath.Join(dir, "platform"))
	if err != nil {
		return err
	}
	authority, ssl := filepath.Join(filepath.Dir(made), "ca.pem"), filepath.Join(dir, "ssl")
	return errors.Join(
		os.Setenv("SSL_CERT_FILE", authority),
		os.Setenv("CURL_CA_BUNDLE", authority),
		copyFile(filepath.Join(ssl, "own-ca.pem"), authority),
		copyFile(filepath.Join(ssl, "openssl.cnf"), "/etc/ssl/openssl.cnf"),
		cover("/etc/ssl", ssl),
	)
}

// layPrometheus installs the rules as docs/alerts.md says.
func layPrometheus(dir string) error {
	etc := filepath.Join(dir, "prometheus")
	return errors.Join(
		copyFile(filepath.Join(etc, "prometheus.yml"), "/etc/prometheus/prometheus.yml"),
		copyFile(filepath.Join(etc, "alertmanager.yml"), root+"alerts/alertmanager.example.yml"),
		copyFile(filepath.Join(etc, "integra", "integra.rules.yml"), root+"alerts/integra.rules.yml"),
		copyFile(filepath.Join(etc, "integra", "integra-reasons.rules.yml"), root+"alerts/integra-reasons.rules.yml"),
		cover("/etc/prometheus", etc),
	)
}

// layWork fills the directory in which commands run.
func layWork(dir string, platform *demo.Platform) error {
	work := filepath.Join(dir, "work")
	keys := map[string]string{
		"uio-gravitee-token": platform.ManagementToken("uio"),
		"uio-dfo-sap":        platform.Password("uio", "system-production-dfo-sap"),
		"ntnu-fs-gemini":     platform.Key("ntnu", "fs-gemini"),
		"vs-password":        "secret",
	}
	for _, api := range []string{"organisasjoner", "ansatte", "maskinporten"} {
		keys["uio-"+api] = platform.Key("uio", api)
	}
	repository, failed := filepath.Abs(root)
	for name, key := range keys {
		failed = errors.Join(failed, write(filepath.Join(work, "keys", name), key+"\n"))
	}
	return errors.Join(
		failed,
		write(filepath.Join(work, "conf.d", "own.yml"), "institutions: {}\n"),
		os.Mkdir(filepath.Join(work, "test"), 0o700), // some commands begin in the repository
		write(filepath.Join(work, "config.yml"), placeholders(platform).Replace(configuration)),
		os.Setenv("PATH", dir+":"+os.Getenv("PATH")),
		os.Setenv("REPOSITORY", repository),
		os.Setenv("PLATFORM_APPLICATION", platform.Application("uio")),
		watched(filepath.Join(work, "keys")),
	)
}

// watched makes the enterprise certificate that a runbook looks at.
func watched(keys string) error {
	script := `cd "$1" && openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=virksomhet -days 30 -keyout vs.key -out vs.pem &&
		openssl pkcs12 -export -in vs.pem -inkey vs.key -passout file:vs-password -out vs.p12`
	said, err := exec.Command("bash", "-c", script, "-", keys).CombinedOutput()
	if err != nil {
		return errors.Join(err, errors.New(string(said)))
	}
	return nil
}

// onlyToRead lets nothing be written but below dir, the golden files and what the kernel makes.
func onlyToRead(dir string) error {
	golden, err := filepath.Abs("testdata")
	if err != nil {
		return err
	}
	for _, open := range []string{dir, golden} {
		err = unix.Mount(open, open, "", unix.MS_BIND, "")
		if err != nil {
			return err
		}
	}
	closed := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}
	err = unix.MountSetattr(unix.AT_FDCWD, "/", unix.AT_RECURSIVE, &closed)
	for _, open := range []string{dir, golden, "/dev", "/etc/prometheus"} {
		if err == nil {
			err = unix.MountSetattr(unix.AT_FDCWD, open, 0, &unix.MountAttr{Attr_clr: unix.MOUNT_ATTR_RDONLY})
		}
	}
	return err
}
