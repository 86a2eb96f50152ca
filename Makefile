# Every target installs what it needs: a machine with Python 3.11+, pip and make is enough.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
CORES  ?= 2

.PHONY: demo test check lint bench fuzz help corpora clean

demo: $(VENV)/installed            ## the exchange at work, once, on this machine
	$(BIN)/congvan demo --exit

test: $(VENV)/tested               ## the whole suite, without the long campaigns
	$(BIN)/python -m pytest -n $(CORES) --dist worksteal

check: lint test                   ## the suite, then the long fault campaigns
	$(BIN)/python -m pytest -m long -s

lint: $(VENV)/tested               ## format, style and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(VENV)/tested              ## speed as ratios within one run
	$(BIN)/python -m pytest -m bench -s tests/bench

fuzz: $(VENV)/tested               ## 20,000 letters damaged at random, each read or refused
	$(BIN)/python tests/edxml/damage.py 20000

help: $(VENV)/installed            ## write the tables of the help pages anew
	$(BIN)/python -m exchange.web.manual

corpora: $(VENV)/tested            ## vectors by others, by pinned version and digest
	$(BIN)/python tests/corpora.py

$(VENV)/installed: deploy/requirements.txt deploy/requirements-build.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r deploy/requirements.txt -r deploy/requirements-build.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/tested: $(VENV)/installed deploy/requirements-test.txt tests/corpora.py
	$(BIN)/python -m pip install --quiet --require-hashes -r deploy/requirements-test.txt
	$(BIN)/python tests/corpora.py
	touch $@

clean:
	rm -rf $(VENV)
