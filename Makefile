PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TRIAL := build/release

.PHONY: demo test lint reliability weights bench build release clean

# Build the environment when it is missing or older than the files it is built from.
$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip --constraint constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: $(VENV)/installed ## Train gcn-7x7 on the data that ships with zoo, score it, save it, and show its predictions.
	$(BIN)/python examples/demo.py

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint ## Run everything that CI runs.
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 --dist loadfile

reliability: $(VENV)/installed ## Run the long forms of the tests of saving, loading and the Hub.
	ZOO_LONG=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m reliability --numprocesses 2 --dist loadfile -rA

weights: $(VENV)/installed ## Train the weights in weights/ again; needs Fashion-MNIST and MNIST (see docs/data.md).
	for model in gcn-7x7 cnn-7x7; do \
	  $(BIN)/zoo fit $$model fashion-mnist-7x7 --recipe cosine --seed 0 --every never --license mit --save weights/$$model/fashion-mnist; \
	done
	for model in cnn-simple cnn-deep; do \
	  $(BIN)/zoo fit $$model fashion-mnist --recipe cosine --seed 0 --every never --license mit --save weights/$$model/fashion-mnist; \
	done
	for model in gcn-7x7 cnn-7x7 cnn-simple cnn-deep; do \
	  $(BIN)/zoo fit $$model mnist --recipe cosine --seed 0 --every never --license cc-by-sa-3.0 --save weights/$$model/mnist; \
	done
	$(BIN)/zoo fit attention-gan-28x28 mnist --set precision=bf16 --seed 0 --license cc-by-sa-3.0 --save runs/attention-gan
	$(BIN)/python -c "import zoo; zoo.load('./runs/attention-gan').to(dtype='float16').save('weights/attention-gan-28x28/mnist')"

bench: $(VENV)/installed ## Compare zoo with other libraries; needs Fashion-MNIST (see docs/data.md).
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python -W ignore -m benchmarks all

build: $(VENV)/installed ## Build the sdist, and the wheel from it.
	rm -rf dist
	$(BIN)/python -m build --no-isolation

release: build ## Build, check what was built, and try the wheel in a fresh environment.
	$(BIN)/python -m twine check --strict dist/*
	rm -rf $(TRIAL) && mkdir -p $(TRIAL)
	$(PYTHON) -m venv $(TRIAL)/venv
	$(TRIAL)/venv/bin/python -m pip install --quiet --constraint constraints.txt dist/*.whl
	cd $(TRIAL) && venv/bin/zoo list
	cd $(TRIAL) && venv/bin/zoo fit gcn-7x7 fashion-mnist-7x7 --epochs 1 --seed 0 --quiet --save trained
	cd $(TRIAL) && venv/bin/zoo verify --no-data
	@echo "ready to upload: $(BIN)/python -m twine upload dist/*"

clean:
	rm -rf $(VENV) dist build runs
