#!/usr/bin/env bash
# 按档运行测试：scripts/pytest.sh 档 [pytest 参数]。每个测试只属于一档，见 docs/testing.md。
# 数据库与代理放在内存文件系统里：数百个短命数据库，磁盘上新建又删除会占去五分之一的时间。空间不足时用磁盘。
# Runs the tests of one tier: scripts/pytest.sh TIER [pytest arguments]. Which test is in which: docs/testing.md.
# Databases and brokers lie in memory: hundreds of short-lived databases, whose making and deleting takes a fifth of the
# time on a disk. On disk where there is no room.
set -euo pipefail
cd "$(dirname "$0")/.."

# tests/unit/test_tiers.py reads this table.
case "${1:-}" in
    check)    marks='not slow and not chaos' where=(tests/unit) ;;
    test)     marks='not slow and not chaos' where=() ;;
    test-all) marks='slow and not chaos' where=() ;;
    chaos)    marks='chaos' where=() ;;
    *) echo "用法 usage: scripts/pytest.sh check|test|test-all|chaos [pytest arguments]" >&2; exit 2 ;;
esac
shift

NEEDED_KB=2000000  # a run leaves 260 MB until it ends
room=$(df -k --output=avail /dev/shm 2>/dev/null | tail -n 1 || true)
if [ "${room:-0}" -ge "$NEEDED_KB" ]; then
    TMPDIR=$(mktemp -d /dev/shm/lianzhi-tests-XXXXXX)
    trap 'rm -rf "$TMPDIR"' EXIT
    chmod 711 "$TMPDIR"  # PostgreSQL runs as another user
    export TMPDIR
fi
# Three processes on two cores: tests that wait leave theirs to others.
.venv/bin/pytest -n 3 --dist loadfile -m "$marks" --durations 10 --durations-min 5 "${where[@]}" "$@"
