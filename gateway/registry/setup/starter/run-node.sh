#!/bin/bash
# Node 程序，配置照 partner.toml。 The partner in Node, with the settings of partner.toml. bash run-node.sh [show <编号 request number>]
# PROGRAM：改好的程序所在，默认 examples/node where your own copy of it lies.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
umask 077
@SETTINGS@
mkdir -p "$LIANZHI_ANSWERS"
cd "${PROGRAM:-$here/examples/node}"
[ -d node_modules ] || npm ci --no-audit --no-fund >&2
exec node partner.mjs "$@"
