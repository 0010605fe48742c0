# The first thing to type: `make reproduce` or `make test`. Both set up a virtual environment with the
# exact versions of requirements.lock; nothing is installed outside of $(VENV).
PYTHON ?= python3
VENV ?= .venv
BIN := $(abspath $(VENV))/bin
AUDIT := build/audit
PAGES := build/pages
RUN := PATH="$(BIN):$$PATH"
SNAKEMAKE_OPTIONS ?=
# `make smoke VERBOSE=1` shows all that Snakemake says.
VERBOSE ?=
SNAKEMAKE := snakemake --cores all $(if $(VERBOSE),--verbose)
# Two processes; tests of one module stay in one of them, so that it makes its fixtures once.
PYTEST_OPTIONS ?= --numprocesses 2 --dist loadscope --no-loadscope-reorder

.PHONY: reproduce smoke robustness test check benchmark kill-test kill-test-short kill-test-overnight fuzz fuzz-short load-test bayes-test decoder-test slurm-test package-test audit sbom docs pages publish setup lock

reproduce: $(VENV)/.installed
	$(RUN) $(SNAKEMAKE) $(SNAKEMAKE_OPTIONS)

smoke: $(VENV)/.installed
	$(RUN) $(SNAKEMAKE) --config scale=smoke $(SNAKEMAKE_OPTIONS)

# Accuracy against the severity of each condition of measurement: two hours on two cores.
robustness: $(VENV)/.installed
	$(RUN) $(SNAKEMAKE) --config scale=robustness $(SNAKEMAKE_OPTIONS)

test: $(VENV)/.installed
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) snakefmt --check Snakefile workflow
	$(RUN) mypy
	$(RUN) lint-imports
	$(RUN) snakemake --lint
	$(RUN) pytest $(PYTEST_OPTIONS)

# The committed table against its ceilings, and against the accuracies that were once reached.
check: $(VENV)/.installed
	$(RUN) sgbench check results/leaderboard.csv --reference benchmarks/reference.yaml

benchmark: $(VENV)/.installed
	$(RUN) pytest benchmarks

# Smoke runs that are killed 30 times, and compared with one that is not: about 40 minutes on two cores.
kill-test: $(VENV)/.installed
	$(RUN) python tools/kill_test.py

# A smoke run that is killed three times: about five minutes.
kill-test-short: $(VENV)/.installed
	$(RUN) python tools/kill_test.py --short

# Trainings of scale overnight, cut short, that are killed three times: about five minutes.
kill-test-overnight: $(VENV)/.installed
	$(RUN) python tools/kill_test.py --overnight

# 10,000 damaged files of each kind, 500 of those that are read behind walls: about an hour on two cores.
fuzz: $(VENV)/.installed
	$(RUN) python tests/fuzz/fuzz.py

# As many as a minute takes.
fuzz-short: $(VENV)/.installed
	$(RUN) python tests/fuzz/fuzz.py --seconds 5

# 1,000 submissions in one process, and a table of 10,000 rows: about 25 minutes on two cores.
load-test: $(VENV)/.installed
	$(RUN) python tools/load_test.py

# The ceilings under noise, and whether the chances behind them come true: about 15 minutes on one core.
bayes-test: $(VENV)/.installed
	$(RUN) python tools/bayes.py --output build/bayes-ceilings.csv

# Development patterns decoded, a few of each family: about 15 minutes on one core. More with
# `python tools/decoder.py --patterns 300 --write`.
decoder-test: $(VENV)/.installed
	$(RUN) python tools/decoder.py --patterns 10 --output build/decoder-test.csv

# The site of docs/, in build/docs; a warning is an error.
docs: $(VENV)/.installed
	$(RUN) sphinx-build --fail-on-warning --keep-going --quiet docs build/docs

# After a run that is to be published: keep what its pages need, for clones that run another scale or none,
# and the README's picture, which the workflow draws from real crystals.
publish: $(VENV)/.installed
	for scale in laptop overnight robustness full; do \
		if [ -f results/$$scale/leaderboard.csv ]; then \
			$(RUN) sgbench publish $$scale || exit; \
		fi; \
		if [ -f results/$$scale/figures/cddd/overview.svg ]; then \
			cp results/$$scale/figures/cddd/overview.svg docs/images/extinction.svg || exit; \
		fi; \
	done

# The leaderboard, the report on the article's claims (of the largest scale that is published) and the
# documentation, from what is committed, as one folder that a static host serves or a browser opens.
pages: $(VENV)/.installed
	rm -rf $(PAGES)
	$(RUN) sgbench site --table results/leaderboard.csv --scores results/published --glossary docs/glossary.md \
		--report report/index.html --docs docs/index.html --output $(PAGES)
	$(RUN) sgbench report --scale-folder results/published \
		$(addprefix --conditions ,$(wildcard results/published/robustness.tar.xz)) --leaderboard ../index.html --docs ../docs/index.html \
		--output $(PAGES)/report
	$(RUN) sphinx-build --fail-on-warning --keep-going --quiet --tag pages --doctree-dir build/doctrees \
		docs $(PAGES)/docs

setup: $(VENV)/.installed

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: $(PYTHON) is older than Python 3.11; name a newer one: make PYTHON=python3.12 ..." >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	$(BIN)/python tools/warm_up.py
	touch $@

# Newest versions that pyproject.toml admits, tried in a fresh environment, become the new pins.
lock:
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet --editable '.[dev]'
	.venv-lock/bin/python tools/lock.py
	.venv-lock/bin/python tools/licences.py
	rm -rf .venv-lock

# A cluster of one node, made in build/slurm from the distribution's packages (root on Debian), runs the
# smoke scale, loses two jobs, and ends with the table of a local run. Half an hour on two cores.
slurm-test: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --no-build-isolation --constraint requirements.lock --editable '.[slurm]'
	$(RUN) python tools/slurm_test.py

# The wheel in a bare environment scores a function, and rattler-build reads the recipe of the conda package:
# a minute or two, in which packages are fetched.
package-test: $(VENV)/.installed
	$(RUN) python tools/package_test.py

# Status 3 says that no advisory database could be reached, which is no fault of the packages.
audit: $(AUDIT)/.installed
	$(AUDIT)/bin/python tools/audit.py || [ $$? -eq 3 ]

sbom: $(VENV)/.installed $(AUDIT)/.installed
	$(AUDIT)/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible \
		--output-file build/sbom.cdx.json $(BIN)/python

$(AUDIT)/.installed: pyproject.toml
	$(PYTHON) -m venv $(AUDIT)
	$(AUDIT)/bin/python -m pip install --quiet --upgrade pip
	$(AUDIT)/bin/python -m pip install --quiet --group audit
	touch $@
