#!/usr/bin/env bash
# Run by snakemake after it has made the environment of environment.yml (--sdm conda): installs the
# project itself, which environment.yml cannot name by a relative path there.
set -euo pipefail
pip install --no-deps --no-build-isolation --editable "$PWD"
python tools/warm_up.py
