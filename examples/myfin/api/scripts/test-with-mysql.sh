#!/bin/sh
# Runs every test against a MySQL server that lives as long as this script, and writes
# /reports/junit.xml and /reports/exit-code. It always succeeds itself: a build step that fails
# leaves no files behind, and the report of a failing run is the one that people want to read.
set -u

SOCKET=/tmp/mysqld.sock
mkdir -p /reports
mysqld --no-defaults --user=root --datadir=/var/tmp/mysql --socket="$SOCKET" \
    --bind-address=127.0.0.1 --port=3306 --mysqlx=OFF --performance-schema=OFF \
    --secure-file-priv=NULL --disable-log-bin --innodb-flush-log-at-trx-commit=0 --log-error=/tmp/mysqld.log &
server=$!
for _ in $(seq 60); do
    mysqladmin --no-defaults --socket="$SOCKET" -uroot --silent ping >/dev/null 2>&1 && break
    kill -0 "$server" 2>/dev/null || break
    sleep 0.5
done

node node_modules/vitest/vitest.mjs run \
    --reporter=default --reporter=junit --outputFile.junit=/reports/junit.xml
code=$?
[ "$code" -eq 0 ] || tail -n 20 /tmp/mysqld.log
echo "$code" >/reports/exit-code
kill "$server"
wait "$server"
exit 0
