package deploy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/integra-exporter/integra_exporter/internal/brokertest"
)

// The configuration that Compose gives the exporter is green against a real broker with the
// definitions that Compose gives RabbitMQ.
func TestComposeBroker(t *testing.T) {
	t.Parallel()
	broker, err := brokertest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Stop)
	definitions := filepath.Join(inContainer(t, "rabbitmq"), "etc/rabbitmq/definitions.json")
	setting := read(t, filepath.Join(composeDir, "rabbitmq/definitions.conf"))
	if !strings.HasPrefix(setting, "load_definitions = /etc/rabbitmq/definitions.json\n") {
		t.Errorf("the broker reads %q", setting)
	}
	_, err = broker.Ctl("import_definitions", definitions)
	if err != nil {
		t.Fatal(err)
	}

	dir := t.TempDir()
	err = os.CopyFS(dir, os.DirFS(filepath.Join(composeDir, "config")))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "config.yml")
	write(t, file, strings.ReplaceAll(read(t, file), "rabbitmq:5672", broker.AMQP))
	said := output(t, exporter(t), "check", "--config.file="+file)
	if !strings.Contains(said, "\n2 ok, 0 failed, ") {
		t.Error(said)
	}
	_, err = broker.Ctl("authenticate_user", "admin", "admin")
	if err != nil {
		t.Error(err)
	}
}
