# 联执 Lianzhi. `make demo` 与各测试目标自行安装所需。 `make demo` and the test targets install what they need.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
ARGS ?=
COMMIT ?= f2027db
PAIRS ?= 5
PY := .venv/bin
# Tests and demo start dozens of processes: where bytecode is not kept, each compiles everything again (2 s).
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo docs bundle lint check test test-all coverage chaos regress bench bench-lists bench-report bench-pair flood release clean
.PHONY: setup-all lint-steps pytest-check pytest-test pytest-test-all pytest-chaos

help:  ## 显示命令 show the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | column -t -s $$'\t'

setup:  ## 安装 uv、锁定的环境、RabbitMQ、PostgreSQL  install uv, the locked environment, RabbitMQ, PostgreSQL
	@scripts/setup.sh

setup-all:
	@scripts/setup.sh all

demo: setup  ## 演示 the main job; ARGS="--once --requests 300 --report r.json"
	@exec $(PY)/python -m simulation $(ARGS)

docs: setup  ## 由代码写出的页面与表 the pages and tables that are made from the code
	@$(PY)/python -m tools.documents

bundle: setup  ## 离线包 the offline bundle, signed: ARGS="--key release.pem" (docs/handbook/install.md)
	@$(PY)/python -m tools.bundle $(ARGS)

# $(call step,NAME,COMMANDS): what fails is written down, so that the end of a run can say it; the others go on.
FAILED := .checks-failed
step = echo "── $(1)"; ( $(2) ) || echo "$(1)" >> $(FAILED)
told = if [ -s $(FAILED) ]; then echo "✗ 未通过 failed: $$(paste -sd, $(FAILED) | sed 's/,/, /g')"; rm -f $(FAILED); exit 1; \
	else echo "✓ 全部通过 all passed"; fi

lint: setup  ## 静态检查 static checks
	@rm -f $(FAILED); $(MAKE) --no-print-directory lint-steps || [ -s $(FAILED) ] || echo setup >> $(FAILED); $(told)

lint-steps: setup
	@$(call step,ruff,$(PY)/ruff check -q . && $(PY)/ruff format -q --check .)
	@$(call step,mypy,$(PY)/mypy)
	@$(call step,import-linter,$(PY)/lint-imports)
	@$(call step,hadolint,$(PY)/hadolint Dockerfile)

check:  ## 静态检查与单元测试，一分钟内 static checks and unit tests, under a minute
	@rm -f $(FAILED); $(MAKE) --no-print-directory -k -j 2 lint-steps pytest-check || [ -s $(FAILED) ] || echo setup >> $(FAILED); $(told)

test:  ## 静态检查与常规测试，约五分钟 static checks and the usual tests, about five minutes; ARGS goes to pytest
	@rm -f $(FAILED); $(MAKE) --no-print-directory -k -j 2 lint-steps pytest-test || [ -s $(FAILED) ] || echo setup >> $(FAILED); $(told)

test-all: setup-all pytest-test-all  ## 其余测试：全部故障、长性质、其他语言 only what `make test` leaves out, under thirty minutes

coverage: setup  ## 覆盖率不得低于下限，约三分钟 lines and branches above their floor, which only rises; about three minutes
	@rm -f .coverage .coverage.* .coverage-*.json
	@scripts/pytest.sh check -n 2 --cov --cov-report=json:.coverage-unit.json
	@scripts/pytest.sh test -n 2 --cov --cov-append --cov-report=json:.coverage-all.json tests/api tests/contract tests/property tests/integration
	@$(PY)/python -m tools.coverage_floor

chaos: setup pytest-chaos  ## 最宽的故障组合，不在持续集成中 the widest variants of the faults, not part of CI

pytest-check pytest-test: setup
pytest-check pytest-test pytest-test-all pytest-chaos: pytest-%:
	@echo "── pytest $*"; scripts/pytest.sh $* $(ARGS) || { echo "pytest $*" >> $(FAILED); exit 1; }

regress: setup  ## 用旧版本跑“墙”测试，不在持续集成中 tests/walls against an older version (COMMIT), not part of CI
	@exec tools/regress.sh $(COMMIT) $(ARGS)

bench-lists: setup  ## 操作人的列表有多快 how fast operators' lists are: ARGS="--requests 20000 --events 120000"
	@exec $(PY)/python -m bench.lists $(ARGS)

bench-report: setup  ## 周报、月报有多快 how fast the reports are counted: ARGS="--requests 20000"
	@exec $(PY)/python -m bench.report $(ARGS)

bench: setup  ## 与裸 aio-pika 对比 beside raw aio-pika
	@exec $(PY)/python -m bench.run $(ARGS)

bench-pair: setup  ## 与旧版本成对比较 in pairs with an older version: COMMIT=f2027db PAIRS=5
	@exec $(PY)/python -m bench.pair $(COMMIT) --pairs $(PAIRS) $(ARGS)

flood: setup  ## 一个单位洪水十分钟，其余照常 one partner floods for ten minutes while the others work
	@exec $(PY)/python -m bench.flood $(ARGS)

release: setup  ## 发行：两个包、SBOM、校验和，写入 dist/ both wheels, SBOMs and sums into dist/ (docs/releases.md)
	@exec $(PY)/python -m tools.release

clean:  ## 删除环境与缓存 remove environment and caches
	rm -rf .venv .tools .lianzhi .coverage .coverage-*.json .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache examples/node/node_modules examples/java/classes
