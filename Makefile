# Two commands: `make demo` shows fl0p at work, `make test` proves it.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PEERS  ?= .venv-peers
LAB    ?= lab-out
SOURCES := pyproject.toml $(shell find fl0p_py -name '*.pyx' -o -name '*.pxd')

.PHONY: help
help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.PHONY: demo
demo: $(VENV)/.built  ## build, then run fl0p on a capture that ships with it
	@echo
	@echo '$$ $(BIN)/fl0p -s tests/data/demo.pcap -l -U'
	@$(BIN)/fl0p -s tests/data/demo.pcap -l -U

.PHONY: test
test: $(VENV)/.built-dev lint types  ## everything: lint, types, tests
	$(BIN)/python -m pytest -n auto --dist loadfile

.PHONY: test-deep
test-deep: $(VENV)/.built-dev  ## the tests with ten times the examples for kernels and parsers
	FL0P_EXAMPLES=10 $(BIN)/python -m pytest -n auto --dist loadfile

.PHONY: test-tools
test-tools:  ## as root: install the real servers and clients that some tests talk to (those are skipped without)
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends iproute2 iputils-ping \
	    tcpdump tcpreplay curl openssh-client openssh-server swaks logrotate libseccomp2 netcat-openbsd

.PHONY: lab
lab: $(VENV)/.built-dev  ## as root: make labelled traffic of real programs in LAB (lab-out); QUICK=1: one run of each
	tools/lab/setup.sh /opt/fl0p-lab $(VENV)
	$(BIN)/python -m tools.lab run --out $(LAB) $(if $(QUICK),--quick)

.PHONY: accuracy
accuracy: $(VENV)/.built-dev  ## measure the signatures on LAB, write docs/ACCURACY.md (CAPTURES=folder for public captures too)
	$(BIN)/python -m tools.accuracy $(LAB) $(if $(CAPTURES),--captures $(CAPTURES)) --document

.PHONY: lint
lint: $(VENV)/.built-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	PATH="$(abspath $(BIN)):$$PATH" cython-lint fl0p_py

.PHONY: types
types: $(VENV)/.built-dev
	$(BIN)/mypy

.PHONY: kernels
kernels:  ## rebuild the Cython kernels in place
	$(BIN)/python tools/generate_c.py
	DIST_EXTRA_CONFIG=$(abspath $(VENV)/build.cfg) $(BIN)/python -c 'import setuptools; setuptools.setup()' -q build_ext --inplace

.PHONY: bench
bench: $(VENV)/.built-dev  ## measure beside the peers that are installed (CAPTURES=folder for a real trace)
	$(BIN)/python tools/bench/run.py --peer-python $(PEERS)/bin/python $(CAPTURES)

.PHONY: bench-live
bench-live: $(VENV)/.built-dev  ## measure loss on a live interface, as root (CAPTURES=folder for a real trace)
	$(BIN)/python tools/bench/live.py $(CAPTURES)

.PHONY: soak
soak: $(VENV)/.built-dev  ## keep a sensor busy for 10 minutes, as root: memory, processor time, loss
	$(BIN)/python tools/soak.py

.PHONY: bench-peers
bench-peers:  ## install the peers: Debian packages, and nfstream and dpkt in an environment of their own
	apt-get install -y --no-install-recommends tcpdump tcpreplay ngrep softflowd nfdump p0f libndpi-bin tshark
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/pip install nfstream dpkt

.PHONY: fuzz
fuzz: $(VENV)/.built-dev  ## broken input for FL0P_FUZZ_SECONDS (600), with checked kernels (CAPTURES=folder)
	$(BIN)/python tools/fuzz/run.py $(CAPTURES)

.PHONY: signatures
signatures: $(VENV)/.built  ## make fl0p.fp from signatures/*.toml and run their examples
	$(BIN)/python -m tools.make_fp
	$(BIN)/fl0p --check

.PHONY: man
man:  ## make the pages in docs/man from the tables of options
	$(if $(wildcard $(BIN)/python),$(BIN)/python,$(PYTHON)) -m fl0p_py.cli.manpage docs/man

.PHONY: golden
golden:  ## write the expected output of the golden runs anew
	$(if $(wildcard $(BIN)/python),$(BIN)/python,$(PYTHON)) -m tests.golden.runs

.PHONY: dist
dist: $(VENV)/.built-dev  ## wheel and sdist in dist/
	$(BIN)/python -m build

.PHONY: clean
clean:  ## remove what was built
	rm -rf build dist $(VENV) *.egg-info
	find fl0p_py \( -name '*.so' -o -name '*.c' \) -delete

$(VENV)/.built: $(SOURCES) tools/setup.sh
	tools/setup.sh $(PYTHON) $(VENV)
	@touch $@

$(VENV)/.built-dev: $(SOURCES) tools/setup.sh
	tools/setup.sh $(PYTHON) $(VENV) dev
	@touch $@ $(VENV)/.built
