# Everything starts here. `make run` and `make test` need Python 3 (with pip and venv) and make, nothing else.

PYTHON ?= python3
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
BIN := .venv/bin

.PHONY: run test check format bench torture lock screenshots clean

run: .venv/ready
	$(BIN)/python -m streamlit run app.py

test: .venv/ready-dev
	$(BIN)/python -m pytest -m "not torture" -n 2 --dist loadfile --no-loadscope-reorder

check: .venv/ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/ready-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Figures, each as a ratio against a named peer of the same run. Nothing fails here.
bench: .venv/ready-dev
	$(BIN)/python -m bench.upscaler
	$(BIN)/python -m bench.print_files
	$(BIN)/python -m bench.main_job
	$(BIN)/python -m bench.history

# The long soaks: minutes, not seconds.
torture: .venv/ready-dev
	$(BIN)/python -m pytest -m torture

screenshots: .venv/ready-dev
	$(BIN)/python -m docs.screenshots

lock: $(UV)
	$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--custom-compile-command "make lock" -o requirements.txt pyproject.toml
	$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--custom-compile-command "make lock" -o requirements-dev.txt --group dev -c requirements.txt pyproject.toml

clean:
	rm -rf .venv .uv .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.uv/bin/uv:
	$(PYTHON) -m venv .uv
	.uv/bin/python -m pip install --quiet --disable-pip-version-check uv

# Dependencies are complete and pinned in the files, so none is resolved here. Compiling them takes ten seconds once, and
# halves each later start where Python may not keep what it compiles: read-only installs, PYTHONDONTWRITEBYTECODE.
.venv/ready: requirements.txt | $(UV)
	$(UV) venv --quiet --allow-existing --python ">=3.11" .venv
	$(UV) pip install --quiet --compile-bytecode --python $(BIN)/python --no-deps --require-hashes -r requirements.txt
	touch $@

.venv/ready-dev: requirements-dev.txt | .venv/ready
	$(UV) pip install --quiet --compile-bytecode --python $(BIN)/python --no-deps --require-hashes -r requirements-dev.txt
	touch $@
