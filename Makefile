# Every target works in a fresh clone, twice in a row, and from a path with a space in it: paths here are relative, and
# Python's programs are run as modules, since a script's first line can't hold a blank.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
INSTALL := -m pip install --quiet --disable-pip-version-check
# What guards money and privacy: with the whole suite, counting lines would take a third longer.
COVERED_TESTS := tests/ledger tests/sdk tests/test_answers.py tests/test_sending.py tests/test_submission.py tests/test_watcher.py \
    tests/test_identity.py tests/secrets tests/test_secrets.py
# Schemathesis and the wheel of a PostgreSQL server need newer versions of what they share with the package.
OLD_TESTS := --ignore tests/sandbox/test_box_promises.py -k "not postgresql" \
    tests/attachments tests/frames tests/sandbox tests/sdk tests/secrets tests/ledger/test_store.py \
    $(addprefix tests/test_,accounts.py commands.py completion.py defaults.py display.py floors.py grammar.py live.py \
    magics.py plots.py running.py secrets.py settings.py task.py)

.DEFAULT_GOAL := help
.PHONY: help demo lab test coverage test-browser test-databases test-engines test-soak bench bench-engines bench-privacy test-old test-packaging lint format notebooks docs-images clean

help:  ## list what make can do
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## */:/' | awk -F: '{printf "  make %-14s %s\n", $$1, $$2}'

demo: $(VENV)/demo.made  ## ask about a cell here and now: the quickstart notebook against a sandbox, no key needed
	@$(RUN) -m codevf_nb.cli demo

lab: $(VENV)/demo.made  ## JupyterLab on the example notebooks, with the sandbox running
	@$(RUN) -c "import codevf_nb; codevf_nb.use_sandbox(seed=1, clock='virtual')"
	CODEVF_SANDBOX=1 $(RUN) -m jupyter lab notebooks

test: $(VENV)/test.made  ## the suite and the example notebooks
	$(RUN) -m pytest -n 2 --dist loadfile

coverage: $(VENV)/test.made  ## the lines of ledger, delivery, sdk and privacy that their own tests run
	$(RUN) -m pytest -q -n 2 --dist loadfile --cov --cov-report=term $(COVERED_TESTS)

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

test-old: $(VENV)-old/made  ## most of the suite on the oldest supported version of every dependency, as Colab ships them
	CODEVF_TEST_FLOORS=1 $(VENV)-old/bin/python -m pytest -n 2 --dist loadfile $(OLD_TESTS)

lint: $(VENV)/test.made  ## style, types, and that every import is declared
	$(RUN) -m ruff check
	$(RUN) -m ruff format --check
	$(RUN) -m mypy
	$(RUN) -m deptry codevf_nb
	$(RUN) -m deptry tests --ignore DEP002,DEP004

format: $(VENV)/test.made  ## write the code as ruff would
	$(RUN) -m ruff check --fix
	$(RUN) -m ruff format

notebooks: $(VENV)/test.made  ## execute the example notebooks anew, in place
	$(RUN) -m tests.notebooks.execute

docs-images: $(VENV)/browser.made  ## take the README's pictures again, of a real page
	$(RUN) -m tests.browser.images

clean:  ## remove the environment and what tools have left
	rm -rf $(VENV) $(VENV)-old $(VENV)-engines .coverage .pytest_cache .mypy_cache .ruff_cache .hypothesis artefacts

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/demo.made: pyproject.toml | $(VENV)/bin/python
	$(RUN) $(INSTALL) -e ".[lab]"
	@touch $@

$(VENV)/test.made: pyproject.toml | $(VENV)/bin/python
	$(RUN) $(INSTALL) "pip>=25.1"
	$(RUN) $(INSTALL) -e ".[all]" --group dev
	@touch $@ $(VENV)/demo.made

$(VENV)-old/made: pyproject.toml tests/support/floors.py
	$(PYTHON) -m venv $(VENV)-old
	$(VENV)-old/bin/python $(INSTALL) "pip>=25.1"
	$(PYTHON) tests/support/floors.py > $(VENV)-old/floors.txt
	$(VENV)-old/bin/python $(INSTALL) -c $(VENV)-old/floors.txt -e ".[engines,keyring,plot,postgres]" --group old
	@touch $@

$(VENV)/privacy.made: $(VENV)/test.made
	$(RUN) $(INSTALL) --group privacy
	@touch $@

# Of its own: Modin takes pandas back to an older version, under which nothing else is to be tested.
$(VENV)-engines/made: pyproject.toml
	$(PYTHON) -m venv $(VENV)-engines
	$(VENV)-engines/bin/python $(INSTALL) "pip>=25.1"
	$(VENV)-engines/bin/python $(INSTALL) -e ".[all]" --group test --group engines
	@touch $@

$(VENV)/packaging.made: $(VENV)/test.made
	$(RUN) $(INSTALL) --group packaging
	@touch $@

$(VENV)/browser.made: $(VENV)/test.made
	$(RUN) $(INSTALL) --group browser
	npm pack --silent --pack-destination $(VENV) axe-core@4
	tar -xzf $(VENV)/axe-core-4.*.tgz -C $(VENV) package/axe.min.js && rm $(VENV)/axe-core-4.*.tgz
	@touch $@
