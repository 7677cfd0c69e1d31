package deploy

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

const composeDir = root + "/deploy/compose"

// project is compose.yml as Docker Compose's own library understands it.
func project(t *testing.T) *types.Project {
	t.Helper()
	file := filepath.Join(composeDir, "compose.yml")
	dir, err := filepath.Abs(composeDir)
	if err != nil {
		t.Fatal(err)
	}
	p, err := loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir:  dir,
		ConfigFiles: []types.ConfigFile{{Filename: file, Content: []byte(read(t, file))}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// An image of the same name is the same image next year.
var pinned = regexp.MustCompile(`^docker\.io/[a-z/]+:v?\d+\.\d+\.\d+(-management)?$`)

func TestCompose(t *testing.T) {
	p := project(t)
	for name, service := range p.Services {
		if service.Build == nil && !pinned.MatchString(service.Image) {
			t.Errorf("%s: the image %s has no full version, or no registry", name, service.Image)
		}
		for _, port := range service.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s: port %s is open to the network", name, port.Published)
			}
		}
		for _, volume := range service.Volumes {
			_, err := os.Stat(volume.Source)
			if volume.Type == types.VolumeTypeBind && (err != nil || !volume.ReadOnly) {
				t.Errorf("%s: %s is not there (%v), or may be written", name, volume.Source, err)
			}
		}
	}
	if len(p.Services) != 5 {
		t.Errorf("%d services", len(p.Services))
	}
}

func TestComposeBuildsTheDockerfile(t *testing.T) {
	service := project(t).Services["exporter"]
	file := read(t, filepath.Join(service.Build.Context, service.Build.Dockerfile))
	for _, volume := range service.Volumes {
		if !strings.Contains(file, "\nWORKDIR "+volume.Target+"\n") {
			t.Errorf("the Dockerfile does not work in %s", volume.Target)
		}
	}
	if len(service.Volumes) != 1 || len(service.Command) != 1 || service.Command[0] != "demo" {
		t.Errorf("volumes %v, command %q", service.Volumes, service.Command)
	}
}

// inContainer is a directory that looks as the service's container does, so far as its mounts go.
func inContainer(t *testing.T, name string) string {
	t.Helper()
	dir := t.TempDir()
	for _, volume := range project(t).Services[name].Volumes {
		if volume.Type != types.VolumeTypeBind {
			continue
		}
		link := filepath.Join(dir, volume.Target)
		err := os.MkdirAll(filepath.Dir(link), 0o755)
		if err != nil {
			t.Fatal(err)
		}
		err = os.Symlink(volume.Source, link)
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// What one container calls another by must be the name of a service, on a port that it has.
func TestComposeAddresses(t *testing.T) {
	p := project(t)
	address := regexp.MustCompile(`(?:"|//)([a-z]+):(\d+)`)
	found := 0
	for _, file := range []string{"prometheus.yml", "grafana/datasources.yml", "config/config.yml"} {
		for _, match := range address.FindAllStringSubmatch(read(t, filepath.Join(composeDir, file)), -1) {
			found++
			published := false
			for _, port := range p.Services[match[1]].Ports {
				published = published || port.Published == match[2]
			}
			if !published {
				t.Errorf("%s: %s:%s is no port of a service", file, match[1], match[2])
			}
		}
	}
	if found != 5 {
		t.Errorf("%d addresses found", found)
	}
}
