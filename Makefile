# Two commands: `make demo` shows fl0p at work, `make test` proves it.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: kernels
kernels:  ## build the Cython kernels in place
	$(if $(wildcard $(BIN)/python),$(BIN)/python,$(PYTHON)) -c 'import setuptools; setuptools.setup()' -q build_ext --inplace
