#!/bin/bash
# Java 程序，配置照 partner.toml。 The partner in Java, with the settings of partner.toml. bash run-java.sh [show <编号 request number>]
# JARS：RabbitMQ 的 Java 客户端所在 where RabbitMQ's Java client lies.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
umask 077
@SETTINGS@
export LC_ALL=C.UTF-8
jars=${JARS:-/usr/share/java}
path="$jars/amqp-client.jar:$jars/slf4j-api.jar:$jars/slf4j-simple.jar"
mkdir -p "$LIANZHI_ANSWERS"
cd "$here/examples/java"
classes=$here/classes
javac -encoding UTF-8 -d "$classes" -cp "$path" partner/*.java
exec java -cp "$classes:$path" partner.Partner "$@"
