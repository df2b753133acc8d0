# Every target is one readable line or two; `make` lists them.
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
# The question reaches the program through the environment, unexpanded: quotes, $, back-ticks and newlines are harmless.
override Q := $(value Q)
export Q
export PYTHON SYSTEM

.DEFAULT_GOAL := help
.PHONY: help install serve ask index doctor test test-only drills bench check sbom format eval numbers screenshots clean system

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/make \1\t\2/' | expand -t 16

$(VENV)/.installed: pyproject.toml constraints.txt deploy/install.sh
	@deploy/install.sh $(VENV)
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt deploy/install.sh
	@deploy/install.sh $(VENV) dev
	@touch $(VENV)/.installed $@

install: $(VENV)/.installed ## make the virtual environment and install into it

serve: install ## install, build the index, serve on 127.0.0.1:8000
	@$(BIN)/backline serve

ask: install ## print one cited answer: make ask Q="How long does a back spasm last?"
	@$(BIN)/backline index --if-needed >/dev/null
	@$(BIN)/backline ask --from-env Q

index: install ## build the index anew
	@$(BIN)/backline index --rebuild

doctor: install ## check the installation
	@$(BIN)/backline doctor

system: ## with SYSTEM=1 install what some tests need from the system, else name what is missing
	@tests/system-packages.sh

tests/node_modules/.package-lock.json: tests/package.json tests/package-lock.json
	@! command -v npm >/dev/null || (cd tests && npm ci --ignore-scripts --no-audit --no-fund)

test: system $(VENV)/.installed-dev tests/node_modules/.package-lock.json ## install, then the whole suite; SYSTEM=1 installs Debian packages too
	@$(MAKE) --no-print-directory test-only

test-only: ## the whole suite, with what is installed, in three processes: much of the time a test waits for a server
	@$(BIN)/python -m pytest -q -n 3 --dist loadfile

drills: $(VENV)/.installed-dev ## every drill as often as by night, times and rates too, and docs/drills.md; ONLY="R6 R7" runs some
	@NIGHT=1 $(BIN)/python -m pytest -q --drills "$(or $(ONLY),all)"

bench: $(VENV)/.installed-dev ## measure beside LangChain and txtai: make bench DATA=pairs.jsonl.gz LIMIT=2000 (passages; 0 takes all)
	@deploy/install-peers.sh var/bench/envs
	@$(BIN)/backline-eval benchmark peers $(DATA) --limit $(or $(LIMIT),2000)

check: $(VENV)/.installed-dev ## lint, types, layers
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

sbom: $(VENV)/.installed-dev ## write the bill of materials (CycloneDX) to dist/backline.cdx.json
	@mkdir -p dist && $(BIN)/python deploy/sbom.py > dist/backline.cdx.json

format: $(VENV)/.installed-dev ## format the code
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

eval: $(VENV)/.installed-dev ## evaluate on the development halves of the shipped sets
	@$(BIN)/backline index --if-needed && $(BIN)/backline-eval run

numbers: $(VENV)/.installed-dev ## measure anew and write the numbers of docs/evaluation.md (a quarter of an hour)
	@$(BIN)/backline index --if-needed && $(BIN)/backline-eval run --robustness >/dev/null
	@$(BIN)/backline-eval ablate --out var/eval/ablations.json && $(BIN)/backline-eval document --ablations var/eval/ablations.json

screenshots: $(VENV)/.installed-dev ## take the pictures of docs/images anew
	@$(BIN)/python -m tests.service.widget.screenshots

clean: ## remove what was built (never what was ingested)
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
