package secret

import (
	"os"
	"path/filepath"
	"testing"
)

// reachable returns a directory that every user can enter, which t.TempDir need not be.
func reachable(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "integra")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	chmod(t, dir, 0o755)
	return dir
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	err := os.Chmod(path, mode)
	if err != nil {
		t.Fatal(err)
	}
}

func TestExposed(t *testing.T) {
	dir := reachable(t)
	path := filepath.Join(dir, "keys", "key")
	err := os.Mkdir(filepath.Dir(path), 0o700)
	if err != nil {
		t.Fatal(err)
	}
	put(t, path, "k")
	for _, c := range []struct {
		file, keys, above os.FileMode
		want              bool
	}{
		{0o644, 0o755, 0o755, true},
		{0o604, 0o711, 0o711, true},
		{0o602, 0o755, 0o755, true}, // who can write it chooses the key
		{0o640, 0o755, 0o755, false},
		{0o660, 0o777, 0o777, false},
		{0o400, 0o755, 0o755, false},
		{0o644, 0o750, 0o755, false},
		{0o644, 0o755, 0o700, false},
	} {
		chmod(t, path, c.file)
		chmod(t, filepath.Dir(path), c.keys)
		chmod(t, dir, c.above)
		if got := Exposed(path); got != c.want {
			t.Errorf("%o in %o in %o: %t, want %t", c.file, c.keys, c.above, got, c.want)
		}
	}
	if Exposed(filepath.Join(dir, "none")) {
		t.Error("a file that is not there")
	}
}

// What Kubernetes mounts: a link to ..data, which links to the version that is mounted.
func TestMountedIsNotExposed(t *testing.T) {
	dir := reachable(t)
	version := filepath.Join(dir, "..2026_11_22")
	err := os.Mkdir(version, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(version, "key"), "k")
	chmod(t, filepath.Join(version, "key"), 0o644)
	for link, to := range map[string]string{"..data": "..2026_11_22", "key": "..data/key", "plain": "real"} {
		err := os.Symlink(to, filepath.Join(dir, link))
		if err != nil {
			t.Fatal(err)
		}
	}
	put(t, filepath.Join(dir, "real"), "k")
	chmod(t, filepath.Join(dir, "real"), 0o644)
	if Exposed(filepath.Join(dir, "key")) {
		t.Error("a mounted secret is not exposed")
	}
	if !Exposed(filepath.Join(dir, "plain")) {
		t.Error("a link does not hide a file")
	}
}
