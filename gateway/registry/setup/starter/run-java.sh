#!/bin/bash
# Java 程序，配置照 partner.toml。 The partner in Java, with the settings of partner.toml. bash run-java.sh [show <编号 request number>]
# PROGRAM：改好的程序所在，默认 examples/java where your own copy of it lies.
# JARS：RabbitMQ 的 Java 客户端所在 where RabbitMQ's Java client lies.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
umask 077
@SETTINGS@
export LC_ALL=C.UTF-8
jars=${JARS:-/usr/share/java}
path="$jars/amqp-client.jar:$jars/slf4j-api.jar:$jars/slf4j-simple.jar"
mkdir -p "$LIANZHI_ANSWERS"
cd "${PROGRAM:-$here/examples/java}"
classes=$PWD/classes
# 源文件改过才编译 compiled when a source has changed; by ctime, as a package unpacked later may hold older dates
if [ ! -e "$classes/done" ] || [ -n "$(find partner -name '*.java' -cnewer "$classes/done")" ]; then
    javac -encoding UTF-8 --release 17 -d "$classes" -cp "$path" partner/*.java
    mkdir -p "$classes"
    touch "$classes/done"
fi
exec java -cp "$classes:$path" partner.Partner "$@"
