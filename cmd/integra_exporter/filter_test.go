package main

import "testing"

func TestCheckNamesTheFilterThatFitsNothing(t *testing.T) {
	noLeaks(t)
	dir := t.TempDir()
	config := configure(t, dir, "http://127.0.0.1:1", "org", "fs")
	file := "--config.file=" + config
	empty := write(t, dir, "empty.yml", "institutions: {}\n")
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{file, "--institution=uoi"}, "nothing to check: --institution=uoi fits no target of " + config + "; did you mean uio?"},
		{[]string{file, "--institution=uio", "--institution=ntun"}, "nothing to check: --institution=ntun fits no target of " + config},
		{[]string{file, "--target=org", "--target=ogr"}, "nothing to check: --target=ogr fits no target of " + config + "; did you mean org?"},
		{[]string{file, "--kind=key"}, "nothing to check: no target of " + config + " fits --institution, --kind and --target together"},
		{[]string{"--config.file=" + empty}, "nothing to check: no institution is configured in " + empty + ", or none has a target"},
	} {
		got := call(t, append([]string{"check"}, c.args...)...)
		if got.code != exitCannotStart || got.err != c.want+"\n" || got.out != "" {
			t.Errorf("%v: exit code %d\n got %swant %s", c.args, got.code, got.err, c.want)
		}
	}
}
