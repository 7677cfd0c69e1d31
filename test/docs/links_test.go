package docs_test

import (
	"net/url"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// page is what the tests look at of a document.
type page struct {
	links   []string
	anchors map[string]bool
}

func parse(t *testing.T, document string) page {
	t.Helper()
	source := []byte(read(t, document))
	p := page{anchors: map[string]bool{}}
	for _, match := range anchored.FindAllSubmatch(source, -1) {
		p.anchors[string(match[1])] = true
	}
	tree := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithParserOptions(parser.WithAutoHeadingID())).
		Parser().Parse(text.NewReader(source))
	_ = ast.Walk(tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Link:
			p.links = append(p.links, string(n.Destination))
		case *ast.Image:
			p.links = append(p.links, string(n.Destination))
		case *ast.AutoLink:
			if n.AutoLinkType == ast.AutoLinkURL {
				p.links = append(p.links, string(n.URL(source)))
			}
		case *ast.Heading:
			p.anchors[slug(string(n.Lines().Value(source)))] = true
		}
		return ast.WalkContinue, nil
	})
	return p
}

var (
	anchored   = regexp.MustCompile(`<a id="([^"]+)">`)
	linked     = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	unslugable = regexp.MustCompile(`[^\p{L}\p{N}\p{M} _-]`)
)

// slug is the anchor that GitHub gives a heading; what has been said twice is not numbered.
func slug(heading string) string {
	plain := linked.ReplaceAllString(heading, "$1")
	return strings.ReplaceAll(unslugable.ReplaceAllString(strings.ToLower(plain), ""), " ", "-")
}

// Every link within the repository leads to a file and an anchor that are there.
func TestLinks(t *testing.T) {
	pages := map[string]page{}
	for _, document := range documents(t) {
		pages[document] = parse(t, document)
	}
	for document, p := range pages {
		for _, link := range p.links {
			to, err := url.Parse(link)
			switch {
			case err != nil:
				t.Errorf("%s: %q is no link", document, link)
			case to.Scheme == "https", to.Scheme == "http" && strings.HasPrefix(to.Host, "localhost"), to.Scheme == "mailto":
			case to.Scheme != "" || to.Host != "" || strings.HasPrefix(to.Path, "/"):
				t.Errorf("%s: %s is neither https nor relative", document, link)
			default:
				leads(t, pages, document, to)
			}
		}
	}
}

// leads follows a relative link of document.
func leads(t *testing.T, pages map[string]page, document string, to *url.URL) {
	t.Helper()
	target := document
	if to.Path != "" {
		target = path.Join(path.Dir(document), to.Path)
	}
	there, known := pages[target]
	switch {
	case leadsNowhere(target):
		t.Errorf("%s: %s is not there", document, to)
	case to.Fragment != "" && known && !there.anchors[to.Fragment]:
		t.Errorf("%s: %s has no heading for #%s", document, target, to.Fragment)
	}
}

func leadsNowhere(target string) bool {
	_, err := os.Stat(root + target)
	return err != nil
}

// TestReachable lets no document be lost: each is linked from another one.
func TestReachable(t *testing.T) {
	reached := []string{"README.md"}
	for i := 0; i < len(reached); i++ {
		for _, link := range parse(t, reached[i]).links {
			to, err := url.Parse(link)
			if err != nil || to.Scheme != "" {
				continue
			}
			target := path.Join(path.Dir(reached[i]), to.Path)
			if strings.HasSuffix(target, ".md") && !leadsNowhere(target) && !slices.Contains(reached, target) {
				reached = append(reached, target)
			}
		}
	}
	for _, document := range documents(t) {
		if !slices.Contains(reached, document) && !strings.HasPrefix(document, "test/") {
			t.Errorf("nothing leads from README.md to %s", document)
		}
	}
}
