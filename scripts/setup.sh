#!/usr/bin/env bash
# 安装运行与测试所需；可反复执行，已装好时一秒内结束。加 all：另装 make test-all 所需（其他语言）。
# Installs what running and testing need. Safe to run again; ends within a second when everything is there.
# scripts/setup.sh all: what `make test-all` needs on top (other languages).
set -euo pipefail
cd "$(dirname "$0")/.."

UV_VERSION=0.13.9
export UV_PYTHON_DOWNLOADS=never UV_NO_PROGRESS=1

say() { printf '── %s\n' "$*" >&2; }
die() { printf '✗ %s\n' "$*" >&2; exit 2; }

# command or file → Debian package
missing=()
need() { command -v "$1" >/dev/null 2>&1 || [ -e "$1" ] || missing+=("$2"); }

# Debian's own Python before any other: it is updated with the system, and built with its optimisations (a fifth faster
# than one that was compiled by hand).
new_python() {  # the first Python ≥ 3.11 that is here
    local candidate
    for candidate in /usr/bin/python3 python3.13 python3.12 python3.11 python3; do
        if command -v "$candidate" >/dev/null 2>&1 &&
            "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            command -v "$candidate"
            return
        fi
    done
}

environment() {  # uv and the locked packages, by the Python that is here
    local python stamp=.venv/.lianzhi-locked lock
    python=$(new_python)
    [ -n "$python" ] || die "需要 Python ≥ 3.11 及 venv。 Python ≥ 3.11 with venv is needed."
    if ! .tools/bin/uv --version 2>/dev/null | grep -q "uv $UV_VERSION"; then
        say "安装 uv $UV_VERSION installing uv"
        rm -rf .tools
        "$python" -m venv .tools
        .tools/bin/pip install -q --disable-pip-version-check "uv==$UV_VERSION" 2>/dev/null ||
            die "装不上 uv（PyPI 可达吗？）。 Could not install uv; is PyPI reachable?"
    fi
    lock=$(cat uv.lock pyproject.toml library/pyproject.toml | sha256sum | cut -d' ' -f1)
    if [ "$(cat "$stamp" 2>/dev/null)" != "$lock" ]; then
        say "安装锁定的 Python 环境 installing the locked Python environment"
        .tools/bin/uv sync -q --locked --compile-bytecode --python "$python"
        printf '%s' "$lock" >"$stamp"
    fi
}

beside='' policy='' as_root=()
leave() {
    [ -z "$policy" ] || "${as_root[@]}" rm -f "$policy"
    [ -z "$beside" ] || kill "$beside" 2>/dev/null || true
}
trap leave EXIT

if new_python | grep -q .; then
    environment &  # beside the Debian packages: the one waits for the network, the other for the disk
    beside=$!
fi

new_python | grep -q . || missing+=(python3 python3-venv)
need /usr/lib/rabbitmq/bin/rabbitmq-server rabbitmq-server
if [ "${1:-}" = all ]; then
    need node nodejs
    need npm npm
    need javac openjdk-17-jdk-headless
    need /usr/share/java/amqp-client.jar librabbitmq-client-java
    need faketime faketime  # a clock that tests set while the gateway runs
    need /usr/bin/promtool prometheus  # the shipped rules and dashboards are tested with it
    need soffice libreoffice-calc  # it recalculates the formulas of the report's workbook
fi
need /usr/sbin/nginx nginx-light  # the shipped configuration of a proxy is tested with it
need /usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc fonts-noto-cjk  # the weekly report on paper
compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql)

if [ ${#missing[@]} -gt 0 ]; then
    [ -r /etc/debian_version ] && command -v apt-get >/dev/null 2>&1 || die \
        "本机不是 Debian，请自行安装：${missing[*]}（Python ≥ 3.11、RabbitMQ ≥ 3.10、PostgreSQL ≥ 13；make test-all 另需 Node ≥ 18、JDK ≥ 17），再执行一次。
  Not Debian: install ${missing[*]} yourself (Python ≥ 3.11, RabbitMQ ≥ 3.10, PostgreSQL ≥ 13; make test-all also Node ≥ 18, JDK ≥ 17) and run this again."
    if [ "$(id -u)" -eq 0 ]; then as_root=(); elif command -v sudo >/dev/null 2>&1; then as_root=(sudo); else
        die "需要 root 或 sudo 以安装：${missing[*]}。 Root or sudo is needed to install: ${missing[*]}."
    fi
    say "安装 Debian 软件包 installing Debian packages: ${missing[*]}（不启动系统服务 no system service is started）"
    # A policy of "start nothing" for the time of the installation, unless the machine has a policy already. It is
    # what both of Debian's starters ask (invoke-rc.d, deb-systemd-invoke); we start private services ourselves.
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        policy=/usr/sbin/policy-rc.d
        printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
        "${as_root[@]}" chmod 755 "$policy"
    fi
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

if [ -n "$beside" ]; then
    wait "$beside" && failed=0 || failed=$?
    beside=''  # it has ended: nothing for `leave` to kill
    exit "$failed"
else
    environment
fi
