# What is worth repeating. PYTHON: an interpreter with this package installed, its `test` extra too.
PYTHON ?= python
SEED ?= 1

.PHONY: check torture torture-short

check: ## tests, lint, types and import contracts, in a fresh environment
	.ci/run

torture: ## nothing paid for is lost or bought twice: every claim with its full N (ten minutes)
	PYTHONPATH=src $(PYTHON) -m benchmarks.torture --seed $(SEED)

torture-short: ## the same with a small N (two minutes)
	PYTHONPATH=src $(PYTHON) -m benchmarks.torture --short --seed $(SEED)
