# make run shows the exporter at work and needs nothing but Go; CONTRIBUTING.md explains the rest.
.PHONY: run build test compat conformance dashboards pictures lint fmt audit fuzz bench profile docker docker-test package release-snapshot soak sbom

DOCKER   ?= docker
NPM_CI    = npm ci --no-audit --no-fund --silent
FUZZTIME ?= 30s

VERSION    ?= $(or $(patsubst v%,%,$(shell git describe --tags --match 'v*' --dirty 2>/dev/null)),0.1.0-dev)
REVISION   ?= $(or $(shell git rev-parse HEAD 2>/dev/null),unknown)
BRANCH     ?= $(or $(shell git branch --show-current 2>/dev/null),unknown)
# The same source gives the same program, whoever builds it, where and when (scripts/reproduce).
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null)
BUILD_USER ?= unknown
BUILD_DATE ?= $(or $(if $(SOURCE_DATE_EPOCH),$(shell date -u -d @$(SOURCE_DATE_EPOCH) +%Y%m%d-%H:%M:%S)),unknown)

ABOUT    = Version=$(VERSION) Revision=$(REVISION) Branch=$(BRANCH) BuildUser=$(BUILD_USER) BuildDate=$(BUILD_DATE)
LDFLAGS  = -s -w $(ABOUT:%=-X github.com/prometheus/common/version.%)
IMAGEARG = VERSION REVISION BRANCH BUILD_USER BUILD_DATE

run:
	go run ./cmd/integra_exporter demo --web.listen-address=127.0.0.1:10056

build:
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o integra_exporter ./cmd/integra_exporter

# The cache of go test does not see files outside the module, such as the rules: hence -count 1.
test:
	scripts/install-tools test deploy
	$(NPM_CI) --prefix dashboards
	$(NPM_CI) --prefix test/browser
	go test -race -tags system ./...
	cd test && go test -count 1 -p 2 -timeout 20m ./...
	npm test --prefix dashboards
	npm test --prefix test/browser

# The rules and dashboards once more, with Prometheus 3.x and native histograms.
compat:
	scripts/install-tools test
	scripts/install-prometheus
	cd test && go test -count 1 ./promql -promtool=$(CURDIR)/.tools/promtool3
	cd test && go test -count 1 -timeout 20m ./platform -prometheus=$(CURDIR)/.tools/prometheus3

# What real Gravitee gateways answer, and what the exporter says of it. Installs Java and Maven where they are missing.
conformance:
	cd test && env $$(../scripts/install-gateways) go test -count 1 -timeout 15m -tags conformance ./conformance

dashboards:
	$(NPM_CI) --prefix dashboards
	npm run dashboards --prefix dashboards

# The pictures in docs/images, from a Prometheus that has scraped the demo: test/preview/README.md.
PROMETHEUS ?= http://127.0.0.1:9090
pictures:
	$(NPM_CI) --prefix test/preview --ignore-scripts
	cd test/preview && npm run collect -- --prometheus=$(PROMETHEUS) --minutes=30 --target=ntnu/api/maskinporten
	cd test/preview && npm run pictures

lint:
	scripts/install-lint
	go vet -tags system ./...
	GOOS=darwin go vet ./...
	.tools/golangci-lint run
	cd test && ../.tools/golangci-lint run --config ../.golangci.yml
	go mod tidy -diff
	cd test && go mod tidy -diff

fmt:
	scripts/install-lint
	.tools/golangci-lint fmt
	cd test && ../.tools/golangci-lint fmt --config ../.golangci.yml

# What is known to be wrong with the modules that the program is built of; docs/security.md.
audit:
	scripts/audit

fuzz:
	scripts/fuzz $(FUZZTIME)

# What probes, scrapes and 10,000 targets cost, as benchstat's tables: a quarter of an hour on an idle machine.
bench:
	scripts/install-tools bench
	scripts/bench

# Where a probe's CPU time and allocations are.
profile:
	@dir=$$(mktemp -d) && for kind in cold warm; do \
		go test -run '^$$' -bench "Probe/$$kind/probe" -benchtime 3s -o $$dir/probe.test \
			-cpuprofile $$dir/$$kind.cpu -memprofile $$dir/$$kind.mem -memprofilerate 8192 ./internal/probe >$$dir/$$kind.txt && \
		go tool pprof -top -cum -nodecount 25 $$dir/probe.test $$dir/$$kind.cpu && \
		go tool pprof -top -sample_index alloc_objects -nodecount 25 $$dir/probe.test $$dir/$$kind.mem || exit 1; \
	done && echo "in $$dir"

# The exporter at work for a long time, with faults that come and go: nothing grows, no run is lost. SOAK=4h takes four hours.
SOAK ?= 10m
soak:
	cd test && go test -count 1 -v -timeout 0 ./soak -for=$(SOAK)

# The bill of materials of the program, as CycloneDX.
sbom: build
	scripts/sbom ./integra_exporter >integra_exporter.cdx.json

docker:
	$(DOCKER) build $(foreach arg,$(IMAGEARG),--build-arg $(arg)='$($(arg))') -t integra_exporter:$(VERSION) .

docker-test:
	scripts/install-tools image
	VERSION='$(VERSION)' scripts/docker-test

# Debian and RPM packages of what is committed, into dist/.
package:
	scripts/install-goreleaser
	.tools/goreleaser release --snapshot --clean --skip=archive

# Everything that a release consists of, into dist/.
release-snapshot:
	scripts/install-goreleaser
	.tools/goreleaser check
	.tools/goreleaser release --snapshot --clean
