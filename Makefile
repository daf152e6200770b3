# Needs python3 (3.11 to 3.13) and make; everything else is installed into .venv from requirements.lock.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
ENGINES := .venv-engines
ENGINES_READY := $(ENGINES)/.ready

.PHONY: setup ci gate demo test kills lint format docs pictures bench bench-large engines try-postgres try-spark dist \
	dist-test lock clean

setup: $(READY)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else f"lotgate needs Python 3.11 to 3.13; $(PYTHON) is {v[0]}.{v[1]}. Run: make PYTHON=python3.12")'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	@touch $(READY)

# What CI runs: lint, test and gate, with a browser where one can be installed.
ci:
	.ci/run

# The gate as an owner's CI has it, on the demo's database, with the evidence that the demo fetched.
gate: setup
	$(BIN)/lotgate demo --no-swap --work-dir target/ci >/dev/null
	$(BIN)/lotgate check --database target/ci/demo/ora.db --work-dir target/ci --controls seeds/controls

demo: setup
	$(BIN)/lotgate demo

test: setup
	$(BIN)/python -m pytest

# Every step of swap, rollback, restore and contract, where `make test` takes a sample; some ten minutes.
kills: setup
	LOTGATE_KILLS=2000 $(BIN)/python -m pytest -rP tests/python/test_kills.py

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/yamllint --strict .
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml examples/ci/.github/workflows/*.yml && $(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/dbt --quiet --warn-error parse --no-partial-parse --target-path target/lint --log-path target/lint
	$(BIN)/dbt-bouncer run --config-file dbt-bouncer.yml --show-all-failures
	$(BIN)/sqlfluff lint --processes 2 --disable-progress-bar models tests/dbt

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# docs/commands.md, from the commands; a test says where it is stale.
docs: setup
	$(BIN)/python scripts/command_reference.py

# The README's pictures, from a real demo run in target/; needs Chromium.
pictures: setup
	$(BIN)/python scripts/pictures.py

# Some two hours; tests/bench/bench.py --help has smaller ways. Generated databases stay in target/bench.
bench: setup
	$(BIN)/python tests/bench/bench.py --rows 1000 --rows 100000 --rows 1000000 \
		--scratch target/bench --json target/bench/figures.json

# Ten million rows: some hours, and 40 GB of disk.
bench-large: setup
	$(BIN)/python tests/bench/bench.py --part compare --part live --rows 1000000 --rows 10000000 \
		--repeat 1 --swaps 1 --scratch target/bench --json target/bench/large.json

# The models on PostgreSQL and on Spark, compared with SQLite (docs/engines.md); needs a PostgreSQL and Java 17.
engines: try-postgres try-spark

try-postgres: $(ENGINES_READY)
	$(ENGINES)/bin/python tests/engines/try_postgres.py

try-spark: $(ENGINES_READY)
	$(ENGINES)/bin/python tests/engines/try_spark.py

# An environment of its own: the adapters are large, and lotgate does not need them.
$(ENGINES_READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv --clear $(ENGINES)
	$(ENGINES)/bin/python -m pip install --quiet --constraint requirements.lock --editable '.[postgres,spark]'
	@touch $(ENGINES_READY)

# Wheel and sdist, as pip would build them.
dist: setup
	rm -rf dist
	$(BIN)/python -m build --outdir dist .

# Both, installed with all their dependencies on every Python of this machine; some minutes.
dist-test: dist
	$(BIN)/python tests/packaging/try_archives.py dist/*.whl dist/*.tar.gz

# Needs uv (pip install uv): one lock for every supported Python.
lock:
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --no-annotate \
		--custom-compile-command "make lock" --quiet --output-file requirements.lock

clean:
	rm -rf $(VENV) $(ENGINES) target logs build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find scripts tests -name __pycache__ -type d -prune -exec rm -rf {} +
