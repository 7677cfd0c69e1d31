// Command integra_exporter verifies the APIs and message queues of IntArk on
// schedule and says whose fault it is when they fail.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/promslog"
	promslogflag "github.com/prometheus/common/promslog/flag"
	"github.com/prometheus/common/version"

	"github.com/integra-exporter/integra_exporter/internal/check"
)

const program = "integra_exporter"

func main() {
	// net/http quotes what a server sent unasked through package log.
	log.SetOutput(io.Discard)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], output{out: os.Stdout, err: os.Stderr, terminal: isTerminal(os.Stdout)})
	stop()
	os.Exit(exitCode(err, os.Stderr))
}

// output is where a command writes.
type output struct {
	out      io.Writer // what was asked for
	err      io.Writer // logs
	terminal bool      // out is a terminal
}

// The exit codes of the contract.
const (
	exitFailed      = 1 // a check failed
	exitCannotStart = 2 // wrong flags, configuration or address
)

func exitCode(err error, to io.Writer) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, check.ErrFailed):
		return exitFailed // which has been shown
	}
	_, _ = fmt.Fprintln(to, err)
	return exitCannotStart
}

// command is one of the program's commands.
type command func(ctx context.Context, common commonFlags, std output) error

// commonFlags are known to every command.
type commonFlags struct {
	configFile      *string
	configFileGiven *bool
	log             *promslog.Config
}

// run carries out the command that args name, until it is done or ctx ends.
func run(ctx context.Context, args []string, std output) error {
	app, common, commands := commandLine(std)
	ended := false // by --help or --version
	app.Terminate(func(int) { ended = true })
	words := completing(args)
	switch {
	case slices.Contains(args, "--help-man"):
		return manual(app, std.out)
	case completesCommand(app, words):
		_, err := fmt.Fprintln(std.out, strings.Join(commandNames(app), "\n"))
		return err
	case words != nil:
		args = append([]string{"--completion-bash"}, words...)
	}
	name, err := parse(app, args)
	if ended {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w (try --help)", program, err)
	}
	return commands[name](ctx, common, std)
}

// commandLine returns all flags and commands.
func commandLine(std output) (*kingpin.Application, commonFlags, map[string]command) {
	app := kingpin.New(program, "Verifies the APIs and message queues of IntArk on schedule, and says whose fault it is when they fail.")
	app.UsageWriter(std.out).ErrorWriter(std.err)
	app.UsageTemplate(helpTemplate())
	app.Version(version.Print(program))
	app.HelpFlag.Short('h')
	common := commonFlags{configFileGiven: new(bool), log: &promslog.Config{Writer: std.err}}
	common.configFile = app.Flag("config.file", "The configuration file. Paths in it are relative to it.").Default("config.yml").
		IsSetByUser(common.configFileGiven).String()
	promslogflag.AddFlags(app, common.log)
	commands := map[string]command{
		"serve":         requireConfig(serveCommand(app)),
		"check":         requireConfig(checkCommand(app, common)),
		"check-config":  requireConfig(checkConfigCommand(app)),
		"config-schema": configSchemaCommand(app),
		"demo":          demoCommand(app),
		"discover":      discoverCommand(app),
	}
	for name, text := range examples() {
		app.GetCommand(name).HelpLong(text)
	}
	return app, common, commands
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
