# build, demo and test need Go, git and make, and nothing else. Tools that check
# the code come from go.tool.mod; the first `make lint` builds them.

BINARY   := bin/kratix-schedule
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT   ?= $(shell git rev-parse HEAD 2>/dev/null)
DATE     ?= $(shell TZ=UTC git log -1 --format=%cd --date=format-local:%Y-%m-%dT%H:%M:%SZ 2>/dev/null)
LDFLAGS  := -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT) -X main.date=$(DATE)
GOLANGCI := go tool -modfile=go.tool.mod golangci-lint
VALE := CGO_ENABLED=1 go tool -modfile=go.tool.mod vale
FUZZTIME ?= 10s
FUZZPKGS ?= ./...
IMAGE    ?= kratix-schedule:dev
# Making an interesting input smaller takes up to a minute by default, in which
# nothing new is tried.
FUZZMINIMIZE ?= 1s
# The program that builds the image, called as `$(BUILDER) build`.
BUILDER  ?= docker

# Everything is compiled in one way, so that each dependency is compiled once, wherever the
# repository is. Only the race detector and vale need cgo.
export CGO_ENABLED ?= 0
export GOFLAGS     ?= -trimpath

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this help
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build the static binary bin/kratix-schedule
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "$(LDFLAGS)" -o $(BINARY) ./cmd/kratix-schedule

.PHONY: demo
demo: build ## Place, write and check the example Works in testdata
	@./hack/demo.sh

# The race detector needs cgo and a C compiler; without them the same tests run
# without it, so that Go and git are enough. RACE=-race insists on it.
RACE ?= $(shell command -v $$(go env CC) >/dev/null && echo -race)

.PHONY: servers
servers: ## Build the S3 servers and the OCI registry that tests start into bin/s3 and bin/oci, once
	@./hack/servers.sh

.PHONY: test
test: ## Run the quick tests, which need no server
	go test -short $(TESTFLAGS) ./...

.PHONY: test-all
test-all soak: export CGO_ENABLED = $(if $(RACE),1,0)
test-all: ## Run all tests, with the race detector where there is a C compiler
	@$(MAKE) --no-print-directory servers || echo 'test-all: the servers cannot be built: tests on them are skipped' >&2
	go test $(RACE) $(TESTFLAGS) ./...

.PHONY: e2e
e2e: ## Run the tests that need more servers: OpenSSH, nginx with fcgiwrap, GnuPG
	go test -tags e2e -run E2E -count=1 -timeout=20m $(TESTFLAGS) ./statestore/git/... ./cmd/kratix-schedule

.PHONY: kube-servers
kube-servers: ## Build the API server, etcd, kubectl, Helm and Flux's kustomize-controller for tests into bin/kube, once
	@./hack/kube-servers.sh

# The tests mostly wait: three at a time keep two cores busy, and more would disturb each other.
KUBE_PARALLEL ?= 3

.PHONY: e2e-kube
e2e-kube: build kube-servers servers ## Run the tests in a cluster, KUBE_PARALLEL (3) at a time: a real API server, Flux, git and S3
	cd test/kube && go vet ./... && go test -count=1 -timeout=45m -parallel $(KUBE_PARALLEL) $(TESTFLAGS) ./...

.PHONY: chart
chart: ## Check the manifests and the chart in deploy with Helm's own library
	cd test/deploy && go vet ./... && go test -count=1 .

BURST ?= 5000
MANY  ?= 20000

.PHONY: bench-kube
bench-kube: build kube-servers ## Count writes at a real API server; time BURST (5000) Works at once; memory of MANY (20000)
	cd test/kube && go vet ./... && go test -count=1 -timeout=60m -run Writes -bench . -benchtime 1x . -burst $(BURST) -many $(MANY)

.PHONY: vet
vet: ## Run go vet
	go vet ./...
	go vet -tags e2e ./...

.PHONY: lint
lint: ## Run the linters, with the import rules of the architecture and the wording of comments
	$(GOLANGCI) config verify
	$(GOLANGCI) run
	$(VALE) --output line .

.PHONY: fmt
fmt: ## Format the code as lint wants it
	$(GOLANGCI) fmt

.PHONY: generate
generate: ## Write the generated files again
	go generate ./...

.PHONY: verify
verify: ## Fail when a generated file or a module file is not current
	go mod tidy -diff
	@if grep -rqs --include='*.go' '^//go:generate ' .; then \
		before=$$(git status --porcelain; git diff) && \
		$(MAKE) --no-print-directory generate && \
		after=$$(git status --porcelain; git diff) && \
		if [ "$$before" != "$$after" ]; then \
			git status --short; git --no-pager diff; \
			echo 'verify: generated files are not current: run make generate and commit' >&2; exit 1; \
		fi; \
	else echo 'verify: nothing is generated'; fi

.PHONY: bench
bench: ## Run the benchmarks
	go test -timeout 2h -run '^$$' -bench . -benchmem ./...
	cd test/apply && go test -timeout 2h -run '^$$' -bench . -benchtime 5x .

TREES ?= 20000
FIRST ?= 0

.PHONY: oracle
oracle: ## Judge TREES (20000) random trees from seed FIRST (0) on by Flux's own library and by ours
	cd test/flux && go vet ./... && GOGC=500 go test -timeout 2h -trees $(TREES) -first $(FIRST) .

SOAK ?= 30m
SEED ?= 1

OBJECTS   ?= 1000
MUTATIONS ?= 500

.PHONY: apply
apply: kube-servers ## Judge OBJECTS (1000) valid objects and MUTATIONS (500) faulty ones, drawn from SEED (1), by the API server with Flux's library and by applycheck
	cd test/apply && go vet ./... && go test -count=1 -timeout 2h -v . -objects $(OBJECTS) -mutations $(MUTATIONS) -seed $(SEED)

.PHONY: agents
agents: kube-servers ## Judge the output of agent by a real API server and the libraries of Argo CD's notifications
	cd test/agents && go vet ./... && go test -count=1 -timeout 20m .

.PHONY: oci
oci: ## Judge the artifacts of OCI stores by the libraries of Flux, cosign and go-containerregistry
	cd test/oci && go vet ./... && go test -count=1 -timeout 10m .

.PHONY: soak
soak: ## Let the daemon work among random faults for SOAK (30m), drawn from SEED (1); FIGURES=file for what it took
	go test $(RACE) -count=1 -v -timeout 24h -run TestSoak ./test/soak -for $(SOAK) -seed $(SEED) $(if $(FIGURES),-write $(abspath $(FIGURES)))

# What takes too long for every push: each check of .ci/run that has a size, at
# its full size. The seed is the day's, so that no night repeats another.
.PHONY: nightly
nightly: export SEED := $(shell date +%Y%m%d)
nightly: build kube-servers servers ## Run the long checks: a flood of events, many writers, 20,000 fleets of rollouts, many Works beside Kratix, a fleet of 10,000 Destinations, a soak, 60,000 trees, 25,000 objects to apply, five minutes a fuzz target, known vulnerabilities, a release for all platforms built twice
	go test -count=1 -timeout=30m ./... # with all seeds, which the race detector cuts to a third
	go test -run FloodOfEvents -count=1 -v ./internal/daemon -flood 60s
	go test -tags e2e -run E2EEightWriters -count=1 -timeout=2h -v ./statestore/git -commits 200
	go test -run 'RandomFleets|RestartsChange' -count=1 -timeout=2h ./rollout -fleets 20000 -first $(SEED)00000
	cd test/kube && go test -run ManyWorks -count=1 -timeout=1h -v . -all-written
	$(MAKE) --no-print-directory simulate
	$(MAKE) --no-print-directory soak
	$(MAKE) --no-print-directory oracle TREES=60000 FIRST=$(SEED)00000
	$(MAKE) --no-print-directory apply OBJECTS=20000 MUTATIONS=5000
	$(MAKE) --no-print-directory fuzz FUZZTIME=5m
	$(MAKE) --no-print-directory vulncheck
	$(MAKE) --no-print-directory release-host
	$(MAKE) --no-print-directory release-snapshot
	cache=$$(mktemp -d) && RELEASE_CACHE=$$cache ./hack/reproducible.sh dist; status=$$?; rm -rf "$$cache"; exit $$status

DESTINATIONS   ?= 10000
PLACED         ?= 1000000

.PHONY: simulate
simulate: ## Simulate a fleet of DESTINATIONS (10000) with PLACED (1000000) Works on git hosts, buckets and registries with their published limits
	go test -run TestFleet -count=1 -v -timeout 1h ./test/simulate -destinations $(DESTINATIONS) -works $(PLACED)

.PHONY: monitoring
monitoring: ## Check alert rules and dashboard with Prometheus' own library
	cd test/monitoring && go vet ./... && go test -count=1 .

.PHONY: page
page: build ## Open the page in Chromium: axe-core, screenshots, keyboard, phone, a conflict among 5,000 Works, 100,000 placements
	cd test/page && go vet ./... && go test -count=1 -timeout 20m $(TESTFLAGS) .

.PHONY: fuzz
fuzz: ## Run every fuzz target of FUZZPKGS (./...) for FUZZTIME (10s)
	@FUZZTIME=$(FUZZTIME) FUZZMINIMIZE=$(FUZZMINIMIZE) ./hack/fuzz.sh $(FUZZPKGS)

.PHONY: vulncheck
vulncheck: ## Compare the modules with Go's database of vulnerabilities; STRICT=1 fails if it cannot be reached
	@./hack/vulncheck.sh

.PHONY: release-tools
release-tools: ## Build the tools that make a release into bin/tools, once
	@./hack/release-tools.sh

.PHONY: release-host
release-host: release-tools ## Build a release of HEAD for this platform into dist/, twice, compare the two, and check what is in it
	bin/tools/goreleaser check
	./hack/release.sh dist host
	./hack/reproducible.sh dist host
	cd test/release && go vet ./... && go test -count=1 .

.PHONY: release-snapshot
release-snapshot: release-tools ## Build a release of HEAD for all platforms into dist/ without publishing it, and check what is in it
	bin/tools/goreleaser check
	./hack/release.sh dist
	cd test/release && go vet ./... && go test -count=1 .

.PHONY: image
image: ## Build the container image IMAGE, with BUILDER=docker, podman or buildah
	$(BUILDER) build --build-arg VERSION=$(VERSION) --build-arg COMMIT=$(COMMIT) --build-arg DATE=$(DATE) -t $(IMAGE) .

.PHONY: clean
clean: ## Remove what make and the demo wrote
	rm -rf bin demo dist cover.out
