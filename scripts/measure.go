//go:build ignore

// Measure counts what docs/architecture.md promises of the code: lines and files that the program is linked of, calls
// between files and inside them, and how many files one opens to follow a check or a secret.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"log"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

const program = "./cmd/integra_exporter"

// The two walks: the files that mention one of these types, but for those whose path holds one of the other words. The
// secrets that no header of a gateway carries are the API manager's token, the broker's password and what stands under keys.
var walks = []struct {
	name   string
	goal   int
	types  []string
	except []string
}{
	{"Check → metric", 33, []string{"probe.Check", "probe.Prober", "probe.Observation", "probe.Result", "state.Target"}, nil},
	{"secret → header", 8, []string{"secret.Source", "secret.Value"}, []string{"gravitee", "discover", "amqp", "rabbitmq", "key.go"}},
}

type listed struct {
	ImportPath, Name, Dir, Export string
	GoFiles                       []string
	Module                        *struct{ Main bool }
}

// file is one source file that the program is linked of.
type file struct {
	path  string
	lines int
	walks []bool
}

// call is from the declaration at line of one file to that of another or the same.
type call struct {
	from, to         string // paths
	fromLine, toLine int
}

type measurement struct {
	files     map[string]*file
	calls     []call
	functions []int // lines of each
}

func main() {
	log.SetFlags(0)
	verbose := flag.Bool("v", false, "name the circles, the calls upward and the files of each walk")
	flag.Parse()
	m, err := measure()
	if err != nil {
		log.Fatal(err)
	}
	others, err := otherLines(m.files)
	if err != nil {
		log.Fatal(err)
	}
	m.print(os.Stdout, others)
	if *verbose {
		m.explain(os.Stdout)
	}
}

func measure() (*measurement, error) {
	packages, err := list()
	if err != nil {
		return nil, err
	}
	exports := map[string]string{}
	for _, p := range packages {
		exports[p.ImportPath] = p.Export
	}
	m := &measurement{files: map[string]*file{}}
	for _, p := range packages {
		if p.Module == nil || !p.Module.Main {
			continue
		}
		err = m.read(p, exports)
		if err != nil {
			return nil, err
		}
	}
	return m, nil
}

func list() (packages []listed, err error) {
	command := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Name,Dir,Export,GoFiles,Module", program)
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(out))
	for {
		var p listed
		err = decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages, nil
		}
		if err != nil {
			return nil, err
		}
		packages = append(packages, p)
	}
}

// read type-checks one package and notes its files and the calls in them.
func (m *measurement) read(p listed, exports map[string]string) error {
	set := token.NewFileSet()
	var parsed []*ast.File
	for _, name := range p.GoFiles {
		syntax, err := parser.ParseFile(set, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		parsed = append(parsed, syntax)
	}
	open := func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) }
	config := types.Config{Importer: importer.ForCompiler(set, "gc", open)}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}}
	pkg, err := config.Check(p.ImportPath, set, parsed, info)
	if err != nil {
		return err
	}
	for _, syntax := range parsed {
		m.note(set, syntax)
		m.follow(set, syntax, pkg, info)
	}
	return nil
}

func (m *measurement) note(set *token.FileSet, syntax *ast.File) {
	whole := set.File(syntax.Pos())
	m.files[whole.Name()] = &file{path: whole.Name(), lines: whole.LineCount(), walks: make([]bool, len(walks))}
	for _, declaration := range syntax.Decls {
		function, is := declaration.(*ast.FuncDecl)
		if is {
			m.functions = append(m.functions, set.Position(function.End()).Line-set.Position(function.Pos()).Line+1)
		}
	}
}

// follow notes the calls of a file, functions handed on as values among them, and which walks it belongs to.
func (m *measurement) follow(set *token.FileSet, syntax *ast.File, pkg *types.Package, info *types.Info) {
	path := set.Position(syntax.Pos()).Filename
	for _, declaration := range syntax.Decls {
		ast.Inspect(declaration, func(n ast.Node) bool {
			name, is := n.(*ast.Ident)
			if !is {
				return true
			}
			m.mention(path, info.Uses[name])
			m.mention(path, info.Defs[name])
			used, is := info.Uses[name].(*types.Func)
			if is && used.Pkg() == pkg {
				at := set.Position(used.Pos())
				m.calls = append(m.calls, call{path, at.Filename, set.Position(declaration.Pos()).Line, at.Line})
			}
			return true
		})
	}
}

// mention notes that a file has something to do with object, or with a variable of its type.
func (m *measurement) mention(path string, object types.Object) {
	if object == nil {
		return
	}
	for i, walk := range walks {
		left := slices.ContainsFunc(walk.except, func(word string) bool { return strings.Contains(path, word) })
		if !left && slices.Contains(walk.types, typeName(object)) {
			m.files[path].walks[i] = true
		}
	}
}

// typeName returns package and name of the type that object is.
func typeName(object types.Object) string {
	named, is := object.(*types.TypeName)
	if !is || named.Pkg() == nil {
		return ""
	}
	return named.Pkg().Name() + "." + named.Name()
}

// otherLines counts the lines of Go that are neither tests nor linked into the program.
func otherLines(linked map[string]*file) (lines int, err error) {
	out, err := exec.Command("git", "ls-files", "--cached", "--others", "--exclude-standard", "*.go").Output()
	if err != nil {
		return 0, fmt.Errorf("git ls-files: %w", err)
	}
	for _, path := range strings.Fields(string(out)) {
		absolute, err := filepath.Abs(path)
		if err != nil {
			return 0, err
		}
		if linked[absolute] != nil || strings.HasSuffix(path, "_test.go") {
			continue
		}
		text, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) {
			continue // deleted, not committed yet
		}
		if err != nil {
			return 0, err
		}
		lines += bytes.Count(text, []byte("\n"))
	}
	return lines, nil
}

func (m *measurement) print(w io.Writer, others int) {
	lines, longest := 0, 0
	for _, f := range m.files {
		lines += f.lines
		longest = max(longest, f.lines)
	}
	slices.Sort(m.functions)
	between, circular := m.circles()
	inside, upward := m.insides()
	row := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%-48s %s\n", name, fmt.Sprintf(format, args...))
	}
	row("linked packages: lines (goal ≤ 16,900)", "%d", lines)
	row("linked packages: files (goal ≤ 110)", "%d, the longest of %d lines", len(m.files), longest)
	row("other Go but tests: lines (goal ≤ 1,700)", "%d", others)
	row("functions: median, p90, longest (goal ≤ 60)", "%d, %d, %d lines",
		m.functions[len(m.functions)/2], m.functions[len(m.functions)*9/10], m.functions[len(m.functions)-1])
	row("pairs of files that call: on circles (goal 0)", "%d of %d", len(circular), len(between))
	row("calls inside files: upward (goal ≤ 10 %)", "%d of %d, %.0f %%", len(upward), inside, 100*float64(len(upward))/float64(max(inside, 1)))
	for i, walk := range walks {
		row(fmt.Sprintf("%s: files (goal ≤ %d)", walk.name, walk.goal), "%d", len(m.walked(i)))
	}
}

func (m *measurement) explain(w io.Writer) {
	_, circular := m.circles()
	for _, pair := range slices.SortedFunc(maps.Keys(circular), func(a, b [2]string) int { return strings.Compare(a[0]+a[1], b[0]+b[1]) }) {
		fmt.Fprintf(w, "circle: %s → %s\n", relative(pair[0]), relative(pair[1]))
	}
	_, upward := m.insides()
	for _, c := range upward {
		fmt.Fprintf(w, "upward: %s:%d → %d\n", relative(c.from), c.fromLine, c.toLine)
	}
	for i, walk := range walks {
		for _, path := range m.walked(i) {
			fmt.Fprintf(w, "%s: %s\n", walk.name, path)
		}
	}
}

func (m *measurement) walked(i int) (paths []string) {
	for _, f := range m.files {
		if f.walks[i] {
			paths = append(paths, relative(f.path))
		}
	}
	slices.Sort(paths)
	return paths
}

func relative(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	return strings.TrimPrefix(path, here+"/")
}

// circles returns the pairs of files of which one calls the other, and those of them that lie on a circle.
func (m *measurement) circles() (between, circular map[[2]string]bool) {
	between, circular = map[[2]string]bool{}, map[[2]string]bool{}
	next := map[string][]string{}
	for _, c := range m.calls {
		pair := [2]string{c.from, c.to}
		if c.from != c.to && !between[pair] {
			between[pair] = true
			next[c.from] = append(next[c.from], c.to)
		}
	}
	for pair := range between {
		if reaches(next, pair[1], pair[0], map[string]bool{}) {
			circular[pair] = true
		}
	}
	return between, circular
}

func reaches(next map[string][]string, from, to string, seen map[string]bool) bool {
	if from == to {
		return true
	}
	seen[from] = true
	return slices.ContainsFunc(next[from], func(path string) bool { return !seen[path] && reaches(next, path, to, seen) })
}

// insides counts the calls inside files, and returns those to a declaration further up. A call of itself is neither.
func (m *measurement) insides() (inside int, upward []call) {
	for _, c := range m.calls {
		if c.from != c.to || c.fromLine == c.toLine {
			continue
		}
		inside++
		if c.toLine < c.fromLine {
			upward = append(upward, c)
		}
	}
	return inside, upward
}
