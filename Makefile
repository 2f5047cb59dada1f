# Two commands for a newcomer: `make demo` runs the main job, `make test` the tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= 2
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input

.PHONY: demo test reads peers slow lint types layers suite format lock clean
.DEFAULT_GOAL := demo

demo: $(VENV)/.run
	@$(MAKE) --no-print-directory reads || \
	  echo "No C compiler or zlib headers: the reads of the construct are left out. See README.md." >&2
	$(BIN)/seedtrain run examples/collagen

test: lint types layers suite

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.test
	$(BIN)/mypy

layers: $(VENV)/.test
	$(BIN)/lint-imports

suite: $(VENV)/.test
	$(BIN)/python -m pytest -n $(JOBS) -m "not slow"

slow: $(VENV)/.test
	$(BIN)/python -m pytest -n $(JOBS) -m slow

format: $(VENV)/.test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The environment: exact versions with hashes, then Seedtrain itself without looking anything up.
$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Seedtrain needs Python 3.11 or newer; $(PYTHON) is older. Set it with: make PYTHON=python3.11" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "$(PYTHON) cannot make virtual environments. On Debian: sudo apt-get install python3-venv" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.run: $(VENV)/.made requirements/run.txt pyproject.toml
	$(PIP_INSTALL) --require-hashes -r requirements/run.txt
	$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.run requirements/test.txt
	$(PIP_INSTALL) --require-hashes -r requirements/test.txt
	@touch $@

# What `seedtrain verify clone` needs besides: two of its packages are compiled here (a C compiler and zlib's headers).
reads: $(VENV)/.reads

$(VENV)/.reads: $(VENV)/.run requirements/reads.txt
	$(PIP_INSTALL) --require-hashes -r requirements/reads.txt
	@touch $@

# The peers that `seedtrain bench simulation` measures against; the tests' judges among them.
peers: $(VENV)/.peers

$(VENV)/.peers: $(VENV)/.run requirements/bench.txt
	$(PIP_INSTALL) --require-hashes -r requirements/bench.txt
	@touch $@

# New pins (needs pip-tools on the path); no host name is written.
LOCK := pip-compile --quiet --upgrade --generate-hashes --no-emit-index-url --no-emit-find-links \
  --no-emit-trusted-host --no-emit-options --allow-unsafe --strip-extras --no-header --no-annotate
lock:
	$(LOCK) --extra metabolism --extra constructs --extra plant --extra chinese --extra sbml --extra cluster --extra gmp --extra telemetry -o requirements/run.txt pyproject.toml requirements/build.in
	$(LOCK) --constraint requirements/run.txt -o requirements/test.txt requirements/test.in
	$(LOCK) --constraint requirements/run.txt -o requirements/reads.txt requirements/reads.in
	$(LOCK) --constraint requirements/run.txt -o requirements/bench.txt requirements/bench.in

clean:
	rm -rf $(VENV) build dist examples/*/out .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
