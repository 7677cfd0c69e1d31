//go:build unix

package check

import (
	"os"

	"golang.org/x/sys/unix"
)

// terminalColumns returns the width of a terminal; zero if it does not say.
func terminalColumns(terminal *os.File) int {
	size, err := unix.IoctlGetWinsize(int(terminal.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(size.Col)
}
