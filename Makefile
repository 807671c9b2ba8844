# What is worth repeating. PYTHON: an interpreter with this package installed, its `test` extra too.
PYTHON ?= python
SEED ?= 1
READERS ?= build/readers

.PHONY: check torture torture-short readers

check: ## tests, lint, types and import contracts, in a fresh environment
	.ci/run

torture: ## nothing paid for is lost or bought twice: every claim with its full N (ten minutes)
	PYTHONPATH=src $(PYTHON) -m benchmarks.torture --seed $(SEED)

torture-short: ## the same with a small N (two minutes)
	PYTHONPATH=src $(PYTHON) -m benchmarks.torture --short --seed $(SEED)

readers: $(READERS)/ready ## the trainers' own libraries read every format (torch without a GPU; 2.5 GB once)
	$(READERS)/bin/python -m pytest -m readers tests/readers

$(READERS)/ready: tests/readers/requirements.txt pyproject.toml
	$(PYTHON) -m venv $(READERS)
	$(READERS)/bin/pip install -r tests/readers/requirements.txt -e '.[test]'
	$(READERS)/bin/pip install --no-deps datatrove==0.10.1
	$(READERS)/bin/pip uninstall -y torchvision
	touch $@
