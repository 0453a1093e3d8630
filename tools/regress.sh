#!/usr/bin/env bash
# 用旧版本跑“墙”测试：tools/regress.sh COMMIT [pytest 参数]。逐行打印 条目 → 失败的断言。
# Runs tests/walls against an older version: COMMIT is checked out beside this tree with an environment of its own, and
# the tests, which use only HTTP, AMQP, the command line and files, start that version's programs. Prints row → failing
# assertion. A row that no test proves (it passes there, or fails for another reason than an assertion about what
# happened) is told: exit 1. LIANZHI_OLDER: a checkout of COMMIT that stands ready with its environment.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -ge 1 ] || { echo "用法 usage: tools/regress.sh COMMIT [pytest arguments]" >&2; exit 2; }
exec .venv/bin/python -m tools.regress "$@"
