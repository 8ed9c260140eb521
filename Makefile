# `make help` lists the targets. Everything needs only Go and the module proxy; what a target needs beyond that, it says.
SHELL := /usr/bin/env bash -euo pipefail
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

IMG ?= localhost/gatehouse:dev
IMAGE_ARCHIVE ?= dist/gatehouse.tar
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
MODULE := github.com/gatehouse-auth/gatehouse
LDFLAGS := -s -w -X $(MODULE)/cmd/internal/version.version=$(VERSION)
API_REFERENCE ?= docs/reference/api.md
# Extra flags of `go test`: make test TESTFLAGS='-race -v' PKG=./authserver/...
TESTFLAGS ?=
PKG ?= ./...
TEST_TIMEOUT ?= 15m
E2E_TIMEOUT ?= 30m
FUZZTIME ?= 10s

# The tools are pinned in hack/tools and hack/tools/lint and built once into bin/tools.
TOOLS := bin/tools
CONTROLLER_GEN := $(TOOLS)/controller-gen
KUSTOMIZE := $(TOOLS)/kustomize
CRD_REF_DOCS := $(TOOLS)/crd-ref-docs
GOLANGCI_LINT := $(TOOLS)/golangci-lint
TOOLS_BUILT := $(TOOLS)/.tools
LINT_BUILT := $(TOOLS)/.lint
# Programs that run here, whatever GOOS and GOARCH the product is built for.
HOST_GO := env -u GOOS -u GOARCH CGO_ENABLED=0 go
# A kubectl of the machine's, else the one of the embedded control plane; looked for when a recipe runs.
KUBECTL ?= $$(command -v kubectl || echo "$$(hack/kube-assets)/kubectl")

##@ Development

.PHONY: help
help: ## Print this list.
	@awk 'BEGIN {FS = ":.*## "} \
		/^##@ / {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z0-9-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: generate
generate: $(TOOLS_BUILT) ## Write the API types' deepcopy methods.
	$(CONTROLLER_GEN) object:headerFile=hack/boilerplate.go.txt paths=./api/...

.PHONY: manifests
manifests: $(TOOLS_BUILT) ## Write the CRDs into config/crd/bases.
	$(CONTROLLER_GEN) crd paths=./api/... output:crd:dir=config/crd/bases

.PHONY: docs
docs: $(TOOLS_BUILT) ## Write docs/reference/api.md from the API types.
	@mkdir -p $(dir $(API_REFERENCE))
	$(CRD_REF_DOCS) --source-path=api/v1alpha1 --config=hack/docs/config.yaml --renderer=markdown \
		--templates-dir=hack/docs/templates --output-path=$(API_REFERENCE) --log-level=ERROR

.PHONY: fmt
fmt: $(LINT_BUILT) ## Format the Go code and sort its imports.
	$(GOLANGCI_LINT) fmt

.PHONY: lint
lint: $(LINT_BUILT) ## Run golangci-lint, the dependency directions among its rules.
	$(GOLANGCI_LINT) run

.PHONY: test
test: ## Run the unit and control plane suites (PKG=./... TESTFLAGS=).
	assets=$$(hack/kube-assets) && KUBEBUILDER_ASSETS=$$assets go test -p 2 -timeout $(TEST_TIMEOUT) $(TESTFLAGS) $(PKG)

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME each (default 10s).
	hack/fuzz $(FUZZTIME)

.PHONY: mutation
mutation: ## Switch each check of the verifier and of logins off and see that a test notices.
	go test -tags mutation -count 1 -v -timeout 60m ./test/mutation

.PHONY: verify
verify: $(TOOLS_BUILT) $(LINT_BUILT) ## Check everything that is not a test: generated files, lint, modules, scripts.
	hack/verify

##@ Build

.PHONY: build
build: ## Leave bin/operator, bin/authserver and bin/gatehouse: static, for this machine or GOOS and GOARCH.
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/ ./cmd/operator ./cmd/authserver ./cmd/gatehouse
	@# With these names on the PATH the command line is kubectl's plugin too.
	@exe=$$(go env GOEXE) && for name in kubectl-gatehouse kubectl_complete-gatehouse; do ln -sf gatehouse$$exe bin/$$name$$exe; done

.PHONY: image
image: export GOOS := linux
image: build ## Make the image IMG and its archive, dist/gatehouse.tar; no container engine is needed.
	hack/image $(IMG) $(IMAGE_ARCHIVE) $(VERSION)

##@ Try and measure

.PHONY: demo
demo: build ## Show a login and a verified request on an embedded control plane (CHECK=1: check them and exit).
	assets=$$(hack/kube-assets) && KUBEBUILDER_ASSETS=$$assets go run ./hack/demo $(if $(CHECK),--check)

.PHONY: e2e
e2e: image $(TOOLS_BUILT) ## Deploy to KUBECONFIG's cluster and run the end-to-end suite (LOAD_IMAGE='command that loads an archive').
	@: "$${KUBECONFIG:?set KUBECONFIG to the cluster to use; see CONTRIBUTING.md}"
	$(if $(LOAD_IMAGE),$(LOAD_IMAGE) $(IMAGE_ARCHIVE))
	$(MAKE) deploy IMG=$(IMG)
	@# The tag may have named another image before.
	$(KUBECTL) rollout restart deployment --namespace gatehouse-system
	go test -tags e2e -count 1 -v -timeout $(E2E_TIMEOUT) $(TESTFLAGS) ./test/e2e/...

.PHONY: bench
bench: build ## Measure requests, latency and memory against the floor, as docs/performance.md says.
	go run ./test/bench -bin bin
	go run ./test/bench/logins -bin bin
	go run ./test/bench/credentials -bin bin
	assets=$$(hack/kube-assets) && KUBEBUILDER_ASSETS=$$assets go run ./test/bench/credentials -bin bin -operator -lifetime 60s
	GATEHOUSE_BENCH_BIN=$(CURDIR)/bin go test -run '^$$' -bench Refresh -benchtime 5s ./test/bench/logins

##@ Install into the cluster of the current kubeconfig

.PHONY: install
install: $(TOOLS_BUILT) ## Install the CRDs alone.
	$(KUSTOMIZE) build config/crd | $(KUBECTL) apply --server-side -f -

.PHONY: uninstall
uninstall: $(TOOLS_BUILT) ## Remove the CRDs, and with them every object of their kinds.
	$(KUSTOMIZE) build config/crd | $(KUBECTL) delete --ignore-not-found -f -

.PHONY: deploy
deploy: $(TOOLS_BUILT) ## Install CRDs and operator with image IMG into namespace gatehouse-system.
	hack/render-install $(KUSTOMIZE) $(IMG) | $(KUBECTL) apply --server-side -f -

.PHONY: undeploy
undeploy: $(TOOLS_BUILT) ## Remove what deploy installed: the CRDs too, and with them every object of their kinds.
	hack/render-install $(KUSTOMIZE) $(IMG) | $(KUBECTL) delete --ignore-not-found -f -

$(TOOLS_BUILT): hack/tools/go.mod hack/tools/go.sum
	@echo "building the tools of hack/tools" >&2
	@mkdir -p $(TOOLS)
	@# controller-gen writes its version into the CRDs and cannot read it from a build inside another module.
	@cd hack/tools && version=$$(go list -m -f '{{.Version}}' sigs.k8s.io/controller-tools) && \
		$(HOST_GO) build -ldflags "-s -w -X sigs.k8s.io/controller-tools/pkg/version.version=$$version" -o ../../$(TOOLS)/ tool
	@touch $@

$(LINT_BUILT): hack/tools/lint/go.mod hack/tools/lint/go.sum
	@echo "building golangci-lint" >&2
	@mkdir -p $(TOOLS)
	@cd hack/tools/lint && $(HOST_GO) build -ldflags '-s -w' -o ../../../$(TOOLS)/ tool
	@touch $@
