# Every target works in a fresh clone, twice in a row, and from a path with a space in it: paths here are relative, and
# Python's programs are run as modules, since a script's first line can't hold a blank.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
# JupyterLab 3 is the last one that draws ipywidgets 7: what a user of that sees is looked at in its page.
OLD_NEEDS := ipykernel nbclient hypothesis pillow polars pyarrow pydantic pytest pytest-timeout \
    "jupyterlab<4" "jupyterlab_widgets<2" "notebook<7"
OLD_TESTS := tests/attachments $(addprefix tests/test_,commands.py completion.py defaults.py display.py grammar.py \
    live.py magics.py running.py secrets.py task.py)

.DEFAULT_GOAL := help
.PHONY: help demo lab test test-browser test-databases test-engines test-soak bench bench-engines bench-privacy test-old test-packaging lint format notebooks docs-images clean

help:  ## list what make can do
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## */:/' | awk -F: '{printf "  make %-14s %s\n", $$1, $$2}'

demo: $(VENV)/demo.made  ## ask about a cell here and now: the quickstart notebook against a sandbox, no key needed
	@$(RUN) -m codevf_nb.cli demo

lab: $(VENV)/demo.made  ## JupyterLab on the example notebooks, with the sandbox running
	@$(RUN) -c "import codevf_nb; codevf_nb.use_sandbox(seed=1, clock='virtual')"
	CODEVF_SANDBOX=1 $(RUN) -m jupyter lab notebooks

test: $(VENV)/test.made  ## the suite and the example notebooks
	$(RUN) -m pytest -n 2 --dist loadfile

test-browser: $(VENV)/browser.made $(VENV)-old/made  ## the notebook in a real JupyterLab (also an old one) and a real Chromium
	CODEVF_AXE=$(VENV)/package/axe.min.js CODEVF_OLD=$(VENV)-old/bin/python $(RUN) -m pytest -m browser -n 2 tests/browser

test-databases: $(VENV)/test.made  ## the ledger on Debian's PostgreSQL (package postgresql), also behind PgBouncer (pgbouncer)
	$(RUN) -m pytest -m databases -n 2 tests/databases

test-engines: $(VENV)-engines/made  ## tables that live in polars, DuckDB, Dask, Spark (needs Java), Ibis and Modin
	$(VENV)-engines/bin/python -m pytest -m engines tests/engines
	CODEVF_ENGINE=connect $(VENV)-engines/bin/python -m pytest -m engines tests/engines

test-soak: $(VENV)/test.made  ## the long runs: a process killed 250 times, the rate limit for minutes
	$(RUN) -m pytest -m soak tests/soak

bench: $(VENV)/test.made  ## how fast it is, beside what else there is: one table, in under five minutes
	$(RUN) -m tests.bench

bench-engines: $(VENV)-engines/made  ## tables of 10^8 rows in polars and DuckDB, against the engines' own samples
	$(VENV)-engines/bin/python -m tests.bench engines

bench-privacy: $(VENV)/privacy.made  ## what the check for secrets finds, where it is wrong, how fast it is, beside detect-secrets
	$(RUN) -m tests.bench.privacy

test-packaging: $(VENV)/packaging.made  ## the wheel in clean environments of each Python here, and what Binder would run
	$(RUN) -m pytest -m packaging -n 2 tests/packaging

test-old: $(VENV)-old/made  ## magics, attachments and displays on the versions that Colab ships
	$(VENV)-old/bin/python -m pytest $(OLD_TESTS)

lint: $(VENV)/test.made  ## ruff and mypy
	$(RUN) -m ruff check
	$(RUN) -m ruff format --check
	$(RUN) -m mypy

format: $(VENV)/test.made  ## write the code as ruff would
	$(RUN) -m ruff check --fix
	$(RUN) -m ruff format

notebooks: $(VENV)/test.made  ## execute the example notebooks anew, in place
	$(RUN) -m tests.notebooks.execute

docs-images: $(VENV)/browser.made  ## take the README's pictures anew, of a real page
	$(RUN) -m tests.browser.images

clean:  ## remove the environment and what tools have left
	rm -rf $(VENV) $(VENV)-old $(VENV)-engines .pytest_cache .mypy_cache .ruff_cache .hypothesis artefacts

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/demo.made: pyproject.toml | $(VENV)/bin/python
	$(RUN) -m pip install --quiet --disable-pip-version-check -e ".[lab]"
	@touch $@

$(VENV)/test.made: pyproject.toml | $(VENV)/bin/python
	$(RUN) -m pip install --quiet --disable-pip-version-check -e ".[test]"
	@touch $@ $(VENV)/demo.made

$(VENV)-old/made: pyproject.toml tests/colab.txt
	$(PYTHON) -m venv $(VENV)-old
	$(VENV)-old/bin/python -m pip install --quiet --disable-pip-version-check -c tests/colab.txt -e ".[plot]" $(OLD_NEEDS)
	@touch $@

$(VENV)/privacy.made: $(VENV)/test.made
	$(RUN) -m pip install --quiet --disable-pip-version-check "detect-secrets>=1.5" vega_datasets statsmodels scikit-learn
	@touch $@

# Of its own: Modin takes pandas back to an older version, under which nothing else is to be tested.
$(VENV)-engines/made: pyproject.toml
	$(PYTHON) -m venv $(VENV)-engines
	$(VENV)-engines/bin/python -m pip install --quiet --disable-pip-version-check -e ".[test,engines]" duckdb "dask[dataframe]" \
	    "ibis-framework[duckdb]" "pyspark[connect]>=4" modin
	@touch $@

$(VENV)/packaging.made: $(VENV)/test.made
	$(RUN) -m pip install --quiet --disable-pip-version-check "build>=1.2" "twine>=6.1"
	@touch $@

$(VENV)/browser.made: $(VENV)/test.made
	$(RUN) -m pip install --quiet --disable-pip-version-check "playwright>=1.50" "notebook>=7"
	npm pack --silent --pack-destination $(VENV) axe-core@4
	tar -xzf $(VENV)/axe-core-4.*.tgz -C $(VENV) package/axe.min.js && rm $(VENV)/axe-core-4.*.tgz
	@touch $@
