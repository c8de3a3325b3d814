# `make run` and `make test` need nothing but a Debian machine with a Swift 6.3 toolchain; they install the rest.
.DEFAULT_GOAL := help
SHELL := /bin/bash
SWIFT_FLAGS := --explicit-target-dependency-import-check error
# What we wrote; generated code keeps its generator's format.
SWIFT_FILES = $(shell git ls-files '*.swift' ':!Sources/EnvoyProtos/Generated')

.PHONY: help setup tools oldest-envoy build run test test-long test-upgrade check lint fmt golden protos bench bench-xds clean

help: ## Show what can be made
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

setup: ## Install missing Debian packages
	@deploy/setup build

tools: ## Install missing Debian packages, Envoy, the xDS descriptors and gRPC's client
	@deploy/setup tools

oldest-envoy: tools ## Install the oldest Envoy that is supported, for the tests
	@deploy/setup oldest-envoy

build: setup ## Build the release binary, .build/release/sluice
	swift build -c release --product sluice $(SWIFT_FLAGS)
	@if grep -q fault-point/ .build/release/sluice; then echo "the release binary has fault points" >&2; exit 1; fi

run: tools build ## Show a gray release on real Envoys, then keep the server running until Ctrl-C
	swift build -c release --product sluice-demo $(SWIFT_FLAGS)
	@exec .build/release/sluice-demo --sluice .build/release/sluice --envoy .build/tools/envoy

test: oldest-envoy lint ## Run all tests
	swift build --build-tests $(SWIFT_FLAGS)
# A few at a time: all at once, each would wait for the others until deadlines of a minute pass.
	SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=8 swift test --skip-build --skip EndToEndTests
# By themselves: they are about what real programs do in time, and all other tests at once leave them none.
	SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=6 swift test --skip-build --filter EndToEndTests

test-long: oldest-envoy ## Run the random tests for long
	swift build --build-tests $(SWIFT_FLAGS)
	SLUICE_CONFORMANCE_STEPS=1000000 SLUICE_FUZZ_RUNS=1000000 SLUICE_LAW_MESHES=5000 \
	  swift test --skip-build --filter 'MachineConformance|Fuzz|ReleaseLaws'
	SLUICE_AGREEMENT_MESHES=200 swift test --skip-build --filter ReleaseAgreement
	SLUICE_KILLS=100 swift test --skip-build --filter randomKills

test-upgrade: oldest-envoy ## Run the server at FROM=<revision> beside this one under load, and go back to it
	rm -rf .build/before && git clone -q . .build/before && git -C .build/before checkout -q "$(FROM)"
	swift build --package-path .build/before --product sluice
	swift build --build-tests $(SWIFT_FLAGS)
	SLUICE_BINARY_BEFORE=$(CURDIR)/.build/before/.build/debug/sluice swift test --skip-build --filter 'upgradeAndBack|nothingNew'

check: test ## Formatting, lint, all tests

lint: ## Check formatting, and the rules that the compiler does not
	@swift format lint --strict $(SWIFT_FILES)
	@.ci/lint

fmt: ## Format all Swift code
	@swift format format --in-place $(SWIFT_FILES)

golden: tools ## Rewrite the golden files, remove old ones, then show the difference
	UPDATE_GOLDEN=1 swift test --filter "Golden|BootstrapTests|OpenAPITests/generated"
	git diff --stat -- Tests openapi
	git ls-files --others --exclude-standard -- Tests openapi

protos: ## Generate Sources/EnvoyProtos/Generated anew from the installed descriptors
	@deploy/setup protos
	swift build --product protoc-gen-swift
	.build/tools/bin/python3 Sources/EnvoyProtos/Generator/generate.py --plugin .build/debug/protoc-gen-swift
	git diff --stat -- Sources/EnvoyProtos

bench: build ## Run the benchmarks and print their tables
	@deploy/setup bench
	swift build -c release --product sluice-bench $(SWIFT_FLAGS)
	.build/release/sluice-bench

bench-xds: build ## Run the benchmarks of the xDS server in both variants, with up to 5000 proxies
	@deploy/setup bench
	swift build -c release --product sluice-bench $(SWIFT_FLAGS)
	.build/release/sluice-bench --only xds --dialect delta --dialect sotw \
	  --streams 100 --streams 1000 --streams 2000 --streams 5000
	.build/release/sluice-bench --only xds --dialect delta-uncompressed --streams 1000

clean: ## Remove everything that was built
	rm -rf .build
