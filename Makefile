# make run shows the exporter at work and needs nothing but Go; CONTRIBUTING.md explains the rest.
.PHONY: run build test compat dashboards pictures lint fmt fuzz bench docker docker-test

DOCKER   ?= docker
FUZZTIME ?= 30s

VERSION    ?= $(or $(patsubst v%,%,$(shell git describe --tags --match 'v*' --dirty 2>/dev/null)),0.1.0-dev)
REVISION   ?= $(or $(shell git rev-parse HEAD 2>/dev/null),unknown)
BRANCH     ?= $(or $(shell git branch --show-current 2>/dev/null),unknown)
BUILD_USER ?= $(shell id -un)@$(shell uname -n)
BUILD_DATE ?= $(shell date -u +%Y%m%d-%H:%M:%S)

ABOUT    = Version=$(VERSION) Revision=$(REVISION) Branch=$(BRANCH) BuildUser=$(BUILD_USER) BuildDate=$(BUILD_DATE)
LDFLAGS  = -s -w $(ABOUT:%=-X github.com/prometheus/common/version.%)
IMAGEARG = VERSION REVISION BRANCH BUILD_USER BUILD_DATE

run:
	go run ./cmd/integra_exporter demo

build:
	go build -trimpath -ldflags '$(LDFLAGS)' -o integra_exporter ./cmd/integra_exporter

# The cache of go test does not see files outside the module, such as the rules: hence -count 1.
test:
	scripts/install-tools test
	npm ci --no-audit --no-fund --silent
	go test -race ./...
	cd test && go test -count 1 -p 1 -timeout 20m ./...
	npm test
	node --test test/browser/pages.test.mjs

# The rules and dashboards once more, with Prometheus 3.x and native histograms.
compat:
	scripts/install-tools test
	scripts/install-prometheus
	cd test && go test -count 1 ./promql -promtool=$(CURDIR)/.tools/promtool3
	cd test && go test -count 1 -timeout 20m ./platform -prometheus=$(CURDIR)/.tools/prometheus3

dashboards:
	npm ci --no-audit --no-fund --silent
	npm run dashboards

# The pictures in docs/images, from a Prometheus that has scraped the demo: test/preview/README.md.
PROMETHEUS ?= http://127.0.0.1:9090
pictures:
	cd test/preview && npm ci --ignore-scripts --no-audit --no-fund --silent
	cd test/preview && npm run collect -- --prometheus=$(PROMETHEUS) --minutes=30 --target=ntnu/api/maskinporten
	cd test/preview && npm run pictures

lint:
	scripts/install-lint
	go vet ./...
	.tools/golangci-lint run
	cd test && ../.tools/golangci-lint run --config ../.golangci.yml
	go mod tidy -diff
	cd test && go mod tidy -diff

fmt:
	scripts/install-lint
	.tools/golangci-lint fmt

fuzz:
	scripts/fuzz $(FUZZTIME)

bench:
	go test -run '^$$' -bench . -benchmem ./...

docker:
	$(DOCKER) build $(foreach arg,$(IMAGEARG),--build-arg $(arg)='$($(arg))') -t integra_exporter:$(VERSION) .

docker-test:
	scripts/install-tools image
	VERSION='$(VERSION)' scripts/docker-test
