package check

import (
	"os"

	"golang.org/x/sys/windows"
)

// terminalColumns returns the width of a terminal; zero if it does not say.
func terminalColumns(terminal *os.File) int {
	var info windows.ConsoleScreenBufferInfo
	err := windows.GetConsoleScreenBufferInfo(windows.Handle(terminal.Fd()), &info)
	if err != nil {
		return 0
	}
	return int(info.Window.Right-info.Window.Left) + 1
}
