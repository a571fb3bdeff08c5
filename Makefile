# The same verbs for every language. Each does the set-up it needs first.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup demo test conformance check generate bench images clean

help: ## show this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

setup: ## install what is missing: system packages, Python into .venv, Java builds
	@scripts/setup

demo: ## run the document pipeline: activities in Python, Ruby and Java
	@scripts/setup
	@.venv/bin/python examples/documents/demo.py

test: ## run every test of every language
	@scripts/setup test
	@.venv/bin/python scripts/run_tests.py

conformance: ## hold the host and the workers of every language to the contract; prints one table
	@scripts/setup
	@GRPC_VERBOSITY=NONE .venv/bin/pyflow-conformance

check: ## lint, types, contract and drift of generated code; changes nothing
	@scripts/setup check generate
	@.venv/bin/python scripts/run_checks.py

generate: ## write the contract's Python, Ruby and Java code anew
	@scripts/setup generate
	@scripts/generate

bench: ## measure, and print the figures
	@scripts/setup
	@scripts/bench

images: ## build the container images
	@scripts/setup containers
	@scripts/images

clean: ## remove everything that was built or installed here; system packages stay
	@scripts/clean
