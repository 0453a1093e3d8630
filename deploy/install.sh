#!/bin/bash
# 从离线包安装网关或程序库，不用任何软件源；升级、退回。逐步见 docs/handbook/install.md。
# Installs the gateway or the library from the offline bundle, without any registry; upgrades, and goes back.
#
#   bash install.sh BUNDLE --role gateway|library --fingerprint HEX [--to FOLDER] [--python /usr/bin/python3]
#   bash FOLDER/install.sh --back
#
# FOLDER/versions/VERSION-ROLE are environments of Python; `current` and `previous` are links to two of them. A running
# program stays with the version it was started from: its scripts name the environment, not the link.
set -euo pipefail
export LC_ALL=C.UTF-8
umask 022

die() { printf '✗ %s\n' "$@" >&2; exit 1; }
usage() {
    printf '✗ %s\n' "$1" '用法 usage: bash install.sh BUNDLE --role gateway|library --fingerprint HEX [--to FOLDER] [--python PATH]' \
        '            bash FOLDER/install.sh --back' >&2
    exit 2
}

bundle='' role='' said='' to='' python=/usr/bin/python3 back=''
while [ $# -gt 0 ]; do
    case "$1" in
        --back) back=1; shift; continue ;;
        --role | --fingerprint | --to | --python) [ $# -ge 2 ] || usage "$1 之后缺一个值 needs a value" ;;
    esac
    case "$1" in
        --role) role=$2; shift 2 ;;
        --fingerprint) said=$2; shift 2 ;;
        --to) to=$2; shift 2 ;;
        --python) python=$2; shift 2 ;;
        -*) usage "不认识 unknown: $1" ;;
        *) [ -z "$bundle" ] || usage "只能有一个离线包 one bundle only: $1"; bundle=$1; shift ;;
    esac
done

# One installation at a time in a folder; the kernel frees the lock when this program ends, however it ends.
lock() {
    exec 9<"$1"
    flock -n 9 || die "目标正在使用：另一个 install.sh 正在 $1 中工作，等它结束再试。" \
        "The target is in use: another install.sh works in $1; wait until it has ended."
}
# A link is replaced by renaming, so that there is one at every moment.
point() { ln -s "versions/$2" "$to/.$1.new" && mv -T "$to/.$1.new" "$to/$1"; }
target_of() { basename "$(readlink "$to/$1")"; }

if [ -n "$back" ]; then
    [ -n "$to" ] || to=$(cd "$(dirname "$0")" && pwd)
    [ -L "$to/current" ] && [ -L "$to/previous" ] && [ -d "$to/previous/" ] ||
        die "$to 中没有上一个版本，无可退回。" "There is no earlier version in $to to go back to."
    [ -w "$to" ] || die "没有写 $to 的权限：以安装它的用户（或 root）执行。" "No right to write $to: run this as the user who installed it, or root."
    lock "$to"
    now=$(target_of current) before=$(target_of previous)
    rm -f "$to/.current.new" "$to/.previous.new"
    point current "$before"
    point previous "$now"
    echo "✓ 已退回 gone back: $now → $before。请重启服务 Restart the service."
    exit 0
fi

[ -n "$bundle" ] || usage "缺离线包 the bundle is missing"
[ -f "$bundle" ] && [ -r "$bundle" ] || die "读不到 $bundle：核对路径和权限。" "Cannot read $bundle: check the path and its mode."
case "$role" in
    gateway | library) ;;
    *) usage "--role 须为 gateway（法院的网关）或 library（单位、法院系统的程序库） must be gateway or library" ;;
esac
to=${to:-/opt/lianzhi}
case "$to" in /*) ;; *) to=$PWD/$to ;; esac

# ── 1. 校验 The signature, before anything else is read or written ──
command -v openssl >/dev/null || die "缺 openssl：从本院的 Debian 镜像执行 apt-get install openssl。" "openssl is missing: apt-get install openssl, from the court's Debian mirror."
if [ -z "$said" ]; then
    [ -t 0 ] || die "缺 --fingerprint：抄自手册“安装”一页，不可抄自离线包。" "--fingerprint is missing: copy it from the handbook's page, never from the bundle."
    read -r -p '手册上的密钥指纹（64 位十六进制） the fingerprint on the handbook page: ' said
fi
said=$(printf %s "$said" | tr 'A-F' 'a-f' | tr -d ' :')
printf %s "$said" | grep -qxE '[0-9a-f]{64}' ||
    die "--fingerprint 须为 64 位十六进制，照手册“安装”第 1 节抄写：$said" "--fingerprint is 64 hex digits, copied from section 1 of the handbook's page."
work=$(mktemp -d)
leave() { rm -rf "$work"; }
trap leave EXIT
trap 'exit 130' INT TERM HUP

changed() {
    die "$bundle 未通过校验（$1），未安装任何东西。先核对所输的指纹，再重新拷贝离线包；仍如此则找交给你离线包的人。" \
        "$bundle does not verify ($1); nothing was installed. See to the fingerprint that you gave, copy the bundle again; if it stays so, ask whoever gave it to you."
}
size=$(stat -Lc %s "$bundle")
[ "$size" -gt 108 ] || changed "太短 too short"
tail -c 108 "$bundle" | head -c 44 >"$work/key"
tail -c 64 "$bundle" >"$work/signature"
found=$(sha256sum <"$work/key" | cut -d' ' -f1)
[ "$found" = "$said" ] || changed "密钥指纹不是所输的 the key's fingerprint is not the one that was given"
printf 'lianzhi-bundle/1 %s\n' "$(head -c -108 "$bundle" | sha256sum | cut -d' ' -f1)" >"$work/text"
openssl pkeyutl -verify -pubin -keyform DER -inkey "$work/key" -rawin -in "$work/text" -sigfile "$work/signature" \
    >/dev/null 2>&1 || changed "签名 signature"
# This script came out of a bundle by itself: of this one?
tar -xOf "$bundle" install.sh | cmp -s - "$0" ||
    changed "install.sh 不是此包中的：先 tar -xf 离线包 install.sh; this install.sh is not the bundle's own: tar -xf BUNDLE install.sh"
contents=$(tar -xOf "$bundle" contents)
line() { sed -n "s/^$1 //p" <<<"$contents"; }
version=$(line version)

# ── 2. 条件 What must hold, all of it told at once ──
wrong=()
fault() { wrong+=("$@"); }
[ -x "$python" ] || die "没有 $python：apt-get install python3 python3-venv（Debian 12 或 13）。" "There is no $python: apt-get install python3 python3-venv (Debian 12 or 13)."
is=$("$python" -I -c 'import platform, sys; print("%d.%d-%s" % (*sys.version_info[:2], platform.machine()))') ||
    die "$python 不能运行，或不是 Python 3。 $python does not run, or is not Python 3: --python /usr/bin/python3"
if ! line target | grep -qxF "$is"; then
    if line target | grep -q -- "-${is#*-}\$"; then
        fault "Python 版本不合：$python 是 ${is%%-*}，此包供 $(line target | tr '\n' ' ')。用 Debian 12 或 13 自带的：--python /usr/bin/python3。" \
            "Wrong Python: $python is ${is%%-*}. Use the one of Debian 12 or 13: --python /usr/bin/python3."
    else
        fault "处理器架构不合：本机是 ${is#*-}，此包供 $(line target | tr '\n' ' ')。请换一台机器。" \
            "Wrong architecture: this machine is ${is#*-}; the bundle is for $(line target | tr '\n' ' '). Use another machine."
    fi
fi
"$python" -I -c 'import venv, ensurepip' 2>/dev/null ||
    fault "缺 python3-venv：apt-get install python3-venv。" "python3-venv is missing: apt-get install python3-venv."
there=$to
while [ ! -e "$there" ]; do there=$(dirname "$there"); done
name=$version-$role
if [ ! -d "$there" ]; then
    fault "$there 不是目录：用 --to 另选。" "$there is not a folder: choose another with --to."
elif [ ! -w "$there" ] || [ ! -x "$there" ]; then
    fault "没有写 $there 的权限：以 root 执行，或用 --to 另选目录。" "No right to write $there: run this as root, or choose another folder with --to."
else
    free=$(($(df -Pk "$there" | awk 'END { print $4 }') * 1024))
    [ "$free" -ge "$(line room)" ] || fault \
        "空间不足：$there 剩 $((free / 1000000)) MB，需要 $(($(line room) / 1000000)) MB。腾出空间，或用 --to 另选。" \
        "No room: $there has $((free / 1000000)) MB, $(($(line room) / 1000000)) MB are needed. Make room, or choose another folder with --to."
    if [ "$there" = "$to" ] && [ ! -d "$to/versions" ] && [ -n "$(ls -A "$to")" ]; then
        fault "目标已被他用：$to 里有别的文件。用 --to 另选一个空目录。" "The target is in use: $to holds other files. Choose an empty folder with --to."
    fi
    if [ -L "$to/current" ] && [[ $(target_of current) != *-"$role" ]]; then
        fault "目标里是另一种：$(target_of current)。用 --to 另选目录。" "The target holds the other role: $(target_of current). Choose another folder with --to."
    fi
    if [ -e "$to/versions/$name/.installed" ]; then
        fault "目标已有 $name。在两个版本之间切换：bash $to/install.sh --back；要重装：它不是 current 时删除 $to/versions/$name。" \
            "The target has $name already. To switch between two versions: bash $to/install.sh --back. To install it again: remove $to/versions/$name while it is not the current one."
    fi
fi
[ ${#wrong[@]} -eq 0 ] || die "${wrong[@]}"

# ── 3. 安装 Into a folder of its own; the link moves last ──
mkdir -p "$to/versions"
lock "$to"
[ ! -e "$to/versions/$name/.installed" ] || die "目标刚由另一个 install.sh 装好 $name。" "Another install.sh has just installed $name."
# What a killed installation left: the lock is ours, so nobody is using it.
rm -rf "$to/versions/$name" "$to/.unpacked" "$to/.current.new" "$to/.previous.new"
leave() { rm -rf "$work" "$to/.unpacked"; [ -e "$to/versions/$name/.installed" ] || rm -rf "$to/versions/$name"; }
mkdir "$to/.unpacked"
tar -xf "$bundle" -C "$to/.unpacked" --no-same-owner
echo "── 安装 installing $name → $to"
pip=("$to/versions/$name/bin/python" -I -m pip --isolated --disable-pip-version-check)
export PIP_CONFIG_FILE=/dev/null TMPDIR=$to/.unpacked
"$python" -I -m venv "$to/versions/$name" || die "不能建立 Python 环境：apt-get install python3-venv。" "No environment could be made: apt-get install python3-venv."
"${pip[@]}" install --quiet --no-index --no-deps --require-hashes --only-binary :all: --no-cache-dir \
    --find-links "$to/.unpacked/wheels" --requirement "$to/.unpacked/$role.txt" ||
    die "安装失败，原因见上；原有版本未动。" "Not installed, for the reason above; what was installed before is unchanged."
"${pip[@]}" check >"$work/check" || die "$(cat "$work/check")"
"$to/versions/$name/bin/lianzhi" --version
mkdir -p "$to/versions/$name/share/doc/lianzhi"
cp -r "$to/.unpacked/docs" "$to/.unpacked/deploy" "$to/versions/$name/share/doc/lianzhi/"
cp "$to/.unpacked/install.sh" "$to/.install.sh.new"
mv -T "$to/.install.sh.new" "$to/install.sh"
: >"$to/versions/$name/.installed"
if [ -L "$to/current" ]; then point previous "$(target_of current)"; fi
point current "$name"
echo "✓ $to/current/bin/lianzhi"
echo "  手册和部署文件 handbook and deployment files: $to/current/share/doc/lianzhi/（docs/handbook/install.md, deploy/）"
[ ! -L "$to/previous" ] || echo "  上一版本 the earlier version: $(target_of previous)；退回 go back: bash $to/install.sh --back"

# ── 4. 不在包中的 What is not in the bundle, and comes from the court's Debian mirror ──
if [ "$role" = gateway ]; then
    installed=$(dpkg-query -W -f '${Version}' rabbitmq-server 2>/dev/null) || installed=''
    if [ -z "$installed" ]; then
        echo "! 本机没有 rabbitmq-server ≥ 3.10（代理可在另一台机器上）。 Not on this machine, though the broker may run on another: apt-get install rabbitmq-server"
    elif ! dpkg --compare-versions "$installed" ge 3.10; then
        echo "! rabbitmq-server $installed 太旧，需要 ≥ 3.10。 Too old, ≥ 3.10 is needed."
    else
        echo "✓ rabbitmq-server $installed"
    fi
fi
