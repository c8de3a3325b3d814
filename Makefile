# `make run` and `make test` need nothing but a Debian machine with a Swift 6.3 toolchain; they install the rest.
.DEFAULT_GOAL := help
SHELL := /bin/bash
SWIFT_FLAGS := --explicit-target-dependency-import-check error

.PHONY: help setup tools build run test check lint fmt golden protos bench clean

help: ## Show what can be made
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

setup: ## Install missing Debian packages
	@deploy/setup build

tools: ## Install missing Debian packages, Envoy, the xDS descriptors and gRPC's client
	@deploy/setup tools

build: setup ## Build the release binary, .build/release/sluice
	swift build -c release --product sluice $(SWIFT_FLAGS)

run: tools build ## Show a gray release on real Envoys, then keep the server running until Ctrl-C
	swift build -c release --product sluice-demo $(SWIFT_FLAGS)
	@exec .build/release/sluice-demo --sluice .build/release/sluice --envoy .build/tools/envoy

test: tools lint ## Run all tests
	swift build --build-tests $(SWIFT_FLAGS)
	swift test --skip-build

check: ## Formatting, lint, all tests
	swift format lint --recursive --strict Package.swift Sources Tests
	$(MAKE) test

lint: ## Check the rules that the compiler does not
	@.ci/lint

fmt: ## Format all Swift code
	swift format format --recursive --in-place Package.swift Sources Tests

golden: tools ## Rewrite the golden files, then show the difference
	UPDATE_GOLDEN=1 swift test --filter Golden
	git diff --stat -- Tests

bench: build ## Run the benchmarks and print their tables
	@deploy/setup bench
	swift build -c release --product sluice-bench $(SWIFT_FLAGS)
	.build/release/sluice-bench

clean: ## Remove everything that was built
	rm -rf .build
