# The few commands of the project; `make` alone lists them. Works with GNU make 3.81 (macOS) and newer.
PYTHON ?= python3
PORT ?= 8000
DATA ?= .octant
JOBS ?= 2

BIN := .venv/bin
UV := .tools/bin/uv
COMPILE := $(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url $(UPGRADE)
CATALOGUES := $(wildcard app/translations/*/LC_MESSAGES/*.po)
# Sentences of errors are said in the reader's language at the edge, so they are collected where they are raised.
KEYWORDS := lazy_gettext _l say later lazy_here NotFound Conflict Gone Forbidden TooMany BadValue FieldProblem:2 Problem:2 \
	refuse flag:2 note:2 Settled:2 BadRow:2
COLLECT := $(BIN)/pybabel -q extract -F babel.cfg $(addprefix -k ,$(KEYWORDS)) --no-location --sort-output --no-wrap \
	--project=Octant --version=1 --copyright-holder=Octant --msgid-bugs-address=

.PHONY: help setup setup-test demo clean-demo test bench drill replay lock messages
.DELETE_ON_ERROR:

help: ## list these commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

setup: .venv/run.stamp .venv/launcher.stamp .venv/messages.stamp ## install what Octant needs into .venv

setup-test: setup .venv/test.stamp ## install what the tests need as well

demo: setup ## run the demonstration: PORT=8000 DATA=.octant, and files of yours: ONET= BLS= INSTRUMENT= RESPONSES=
	@exec $(BIN)/octant demo up --port "$(PORT)" --data "$(DATA)" $(if $(ONET),--onet "$(ONET)") \
	$(if $(BLS),--bls "$(BLS)") $(if $(INSTRUMENT),--instrument "$(INSTRUMENT)") \
	$(if $(RESPONSES),--responses "$(RESPONSES)")

clean-demo: setup ## delete the demonstration's data: DATA=.octant
	@$(BIN)/python -c 'import sys, pathlib; from app.infra.embedded import remove_data; \
	remove_data(pathlib.Path(sys.argv[1]))' "$(DATA)"

test: setup-test ## check style, types and the import rules, then run the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n $(JOBS)

bench: setup-test ## measure against the floors and write bench.json
	@exec $(BIN)/octant bench

drill: setup-test ## kill processes at random: TRIALS=20 SEED=1
	@exec $(BIN)/octant drill $(if $(TRIALS),--trials $(TRIALS)) $(if $(SEED),--seed $(SEED))

replay: setup-test ## play years of prompting against an independent model: YEARS=10 PLANS=1000 SEED=1
	@exec $(BIN)/python -m tests.replay.run --years "$(or $(YEARS),10)" --plans "$(or $(PLANS),1000)" --seed "$(or $(SEED),1)"

messages: setup ## collect the texts anew and bring the translations up to date
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && $(MAKE) -s "$$dir/messages.pot" && \
	$(BIN)/pybabel -q update -i "$$dir/messages.pot" -d app/translations --no-fuzzy-matching --ignore-obsolete --no-wrap \
	--ignore-pot-creation-date

# The tests ask for it as well.
%/messages.pot: .FORCE
	@$(COLLECT) -o "$@" .
.FORCE:

lock: .tools/uv.stamp ## pin the requirements again; UPGRADE=--upgrade takes newer releases
	$(COMPILE) requirements/uv.in -o requirements/uv.txt
	$(COMPILE) pyproject.toml -o requirements/run.txt
	$(COMPILE) --extra test pyproject.toml -c requirements/run.txt -o requirements/test.txt

# The installer has an environment of its own: `uv pip sync` removes from .venv whatever the lock does not list.
.tools/uv.stamp: requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo "Octant needs Python 3.11 or newer. Name one with: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || \
	{ echo "This Python cannot make virtual environments; on Debian and Ubuntu install python3-venv." >&2; exit 1; }
	$(PYTHON) -m venv .tools
	.tools/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

.venv/run.stamp: requirements/run.txt .tools/uv.stamp
	test -x $(BIN)/python || $(PYTHON) -m venv --without-pip .venv
	$(UV) pip sync -q --python $(BIN)/python --require-hashes requirements/run.txt
	@touch $@

# A list of its own that includes the other: when that changes, its sync has removed the test packages.
.venv/test.stamp: requirements/test.txt .venv/run.stamp
	$(UV) pip sync -q --python $(BIN)/python --require-hashes requirements/test.txt
	@touch $@

# Instead of an editable installation, which would have to download a build system first.
.venv/launcher.stamp: Makefile .venv/run.stamp
	@$(BIN)/python -c 'import pathlib, sysconfig; \
	pathlib.Path(sysconfig.get_path("purelib"), "octant.pth").write_text(str(pathlib.Path.cwd()) + "\n", "utf-8")'
	@printf '#!/bin/sh\nexec "%s/$(BIN)/python" -P -m app.cli "$$@"\n' "$(CURDIR)" > $(BIN)/octant
	@chmod +x $(BIN)/octant
	@touch $@

.venv/messages.stamp: $(CATALOGUES) .venv/run.stamp
	$(if $(CATALOGUES),$(BIN)/pybabel -q compile -d app/translations)
	@touch $@
