#!/usr/bin/env bash
# 在内存文件系统里跑测试：数百个短命数据库，磁盘上新建又删除会占去五分之一的时间。空间不足时用磁盘。
# Runs the tests with their databases and brokers in memory: hundreds of short-lived databases, whose making and
# deleting takes a fifth of the time on a disk. On disk where there is no room. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."

NEEDED_KB=2000000  # a run leaves 260 MB until it ends
room=$(df -k --output=avail /dev/shm 2>/dev/null | tail -n 1 || true)
if [ "${room:-0}" -ge "$NEEDED_KB" ]; then
    TMPDIR=$(mktemp -d /dev/shm/lianzhi-tests-XXXXXX)
    trap 'rm -rf "$TMPDIR"' EXIT
    chmod 711 "$TMPDIR"  # PostgreSQL runs as another user
    export TMPDIR
fi
# Three processes on two cores: tests that wait leave theirs to others.
.venv/bin/pytest -n 3 --dist loadfile "$@"
