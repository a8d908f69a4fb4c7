# The two commands are `make demo` and `make test`; each sets up what it needs and is safe to repeat.
.PHONY: setup demo test unit e2e soak check lint types imports docs fmt clean help
.DEFAULT_GOAL := help

# Prefect's import takes half the time where its byte code is there
export UV_COMPILE_BYTECODE = 1

UV  = $$(infra/bootstrap.sh)
RUN = $(UV) run --locked --quiet

help: ## Say what there is
	@grep -E '^[a-z0-9]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: ## Python environment from uv.lock
	@$(UV) sync --locked --quiet

demo: setup ## A commit of MyFin to production, then a bad one and its restore (WAIT=1: you approve)
	@$(RUN) python -m infra.demo $(if $(WAIT),--wait)

test: setup check unit e2e ## All tests

unit: setup ## Unit and property tests
	@$(RUN) pytest tests/unit -n 2 --dist loadgroup

e2e: export SLIPWAY_INSTANCE = test
e2e: setup ## End-to-end tests on a lab of their own
	@$(RUN) slipway up --lab
	@trap '$(RUN) slipway down --lab' EXIT; \
	$(RUN) pytest tests/e2e -m "not (disruptive or afterwards or soak)" -n 2 --dist loadgroup && \
	$(RUN) pytest tests/e2e -m "disruptive or afterwards"

soak: export SLIPWAY_INSTANCE = test
soak: setup ## End-to-end tests that show once more what shorter ones show
	@$(RUN) slipway up --lab
	@trap '$(RUN) slipway down --lab' EXIT; \
	$(RUN) pytest tests/e2e -m soak -n 2 --dist loadgroup

check: lint types imports ## Linter, types and layers

lint: setup
	@$(RUN) ruff check . && $(RUN) ruff format --check .

types: setup
	@$(RUN) mypy

imports: setup
	@$(RUN) lint-imports

docs: setup ## Write the parts of docs/ that come from the program
	@$(RUN) python -m infra.cli.reference > docs/cli.md
	@$(RUN) slipway check --schema > docs/slipway.schema.json

fmt: setup ## Format the code
	@$(RUN) ruff format . && $(RUN) ruff check --fix .

clean: setup ## End your instance and that of the tests, state and history too; caches stay
	@for instance in $${SLIPWAY_INSTANCE:-default} test; do \
		SLIPWAY_INSTANCE=$$instance $(RUN) slipway down --lab --purge; \
	done
