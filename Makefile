# 联执 Lianzhi. `make demo` 与 `make test` 自行安装所需。 Both install what they need.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
ARGS ?=
PY := .venv/bin
# Tests and demo start dozens of processes: where bytecode is not kept, each compiles everything again (2 s).
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test pytest lint bench clean

help:  ## 显示命令 show the commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | column -t -s $$'\t'

setup:  ## 安装 uv、锁定的环境、RabbitMQ  install uv, the locked environment, RabbitMQ
	@scripts/setup.sh

demo: setup  ## 演示 the main job; ARGS="--once --requests 300 --report r.json"
	@exec $(PY)/lianzhi demo $(ARGS)

lint: setup  ## 静态检查 static checks
	@echo "── ruff";         $(PY)/ruff check -q . && $(PY)/ruff format -q --check .
	@echo "── mypy";         $(PY)/mypy
	@echo "── import-linter"; $(PY)/lint-imports
	@echo "── hadolint";     $(PY)/hadolint Dockerfile

test:  ## 全部检查与测试 every check and test; ARGS goes to pytest
	@$(MAKE) --no-print-directory -j 2 lint pytest

pytest: setup
	@echo "── pytest";       exec scripts/pytest.sh $(ARGS)

bench: setup  ## 与裸 aio-pika 对比 beside raw aio-pika
	@exec $(PY)/python -m bench.run $(ARGS)

clean:  ## 删除环境与缓存 remove environment and caches
	rm -rf .venv .tools .lianzhi .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache examples/node/node_modules
