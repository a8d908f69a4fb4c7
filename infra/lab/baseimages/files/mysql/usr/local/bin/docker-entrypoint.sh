#!/bin/sh
# Prepares the data folder at the first start, then becomes the server. The variables are those
# of docker.io/library/mysql. A first start that was cut off is begun again: the folder carries
# a mark until everything is done.
set -eu

DATA=/var/lib/mysql
MARK="$DATA/.being-initialised"
SCRIPTS=/docker-entrypoint-initdb.d

say() { echo "[entrypoint] $*" >&2; }
fail() { say "$*"; exit 1; }

# The value of variable $1, or of the file that $1_FILE names.
value_of() {
    eval "value=\${$1:-} file=\${$1_FILE:-}"
    [ -z "$value" ] || [ -z "$file" ] || fail "both $1 and $1_FILE are set"
    [ -z "$file" ] || value=$(cat "$file")
    printf %s "$value"
}

quoted() { printf "'%s'" "$(printf %s "$1" | sed "s/\\\\/\\\\\\\\/g; s/'/''/g")"; }
named() { printf '`%s`' "$(printf %s "$1" | sed 's/`/``/g')"; }

accounts() {
    # shellcheck disable=SC2016
    host=${MYSQL_ROOT_HOST:-%}
    echo "ALTER USER 'root'@'localhost' IDENTIFIED BY $(quoted "$root");"
    if [ "$host" != localhost ]; then
        echo "CREATE USER 'root'@$(quoted "$host") IDENTIFIED BY $(quoted "$root");"
        echo "GRANT ALL ON *.* TO 'root'@$(quoted "$host") WITH GRANT OPTION;"
    fi
    [ -z "$database" ] || echo "CREATE DATABASE IF NOT EXISTS $(named "$database");"
    if [ -n "$user" ]; then
        echo "CREATE USER $(quoted "$user")@'%' IDENTIFIED BY $(quoted "$password");"
        [ -z "$database" ] || echo "GRANT ALL ON $(named "$database").* TO $(quoted "$user")@'%';"
    fi
}

run_scripts() {
    ls "$SCRIPTS"/* >/dev/null 2>&1 || return 0
    say "running the files of $SCRIPTS"
    mysqld --skip-networking --daemonize --log-error=/tmp/first-start.log
    for script in "$SCRIPTS"/*; do
        say "$script"
        case "$script" in
            *.sh) sh "$script" ;;
            *.sql) MYSQL_PWD=$root mysql --protocol=socket -uroot ${database:+"$database"} <"$script" ;;
            *.sql.gz) gunzip -c "$script" | MYSQL_PWD=$root mysql --protocol=socket -uroot ${database:+"$database"} ;;
            *) say "left out: $script" ;;
        esac
    done
    MYSQL_PWD=$root mysqladmin --protocol=socket -uroot shutdown
    while [ -e /var/run/mysqld/mysqld.sock.lock ]; do sleep 0.2; done
}

initialise() {
    root=$(value_of MYSQL_ROOT_PASSWORD)
    database=$(value_of MYSQL_DATABASE)
    user=$(value_of MYSQL_USER)
    password=$(value_of MYSQL_PASSWORD)
    [ -n "$root" ] || [ -n "${MYSQL_ALLOW_EMPTY_PASSWORD:-}" ] ||
        fail "set MYSQL_ROOT_PASSWORD, MYSQL_ROOT_PASSWORD_FILE or MYSQL_ALLOW_EMPTY_PASSWORD"
    [ -z "$user" ] || [ -n "$password" ] || fail "MYSQL_USER needs MYSQL_PASSWORD"
    [ "$user" != root ] || fail "MYSQL_USER cannot be root"

    say "initialising $DATA"
    : >"$MARK"
    find "$DATA" -mindepth 1 -maxdepth 1 ! -path "$MARK" ! -name lost+found -exec rm -rf {} +
    statements=/tmp/accounts.sql
    (umask 077; accounts >"$statements")
    # Nothing is worth a flush before the one below.
    mysqld --initialize-insecure --innodb-flush-method=nosync --init-file="$statements"
    rm -f "$statements"
    run_scripts
    sync
    rm "$MARK"
    say "ready for its first start"
}

[ "${1#-}" = "${1:-}" ] || set -- mysqld "$@"
if [ "${1:-}" = mysqld ]; then
    case " $* " in
        *" --help "* | *" --version "* | *" --initialize"*) ;;
        *) [ -d "$DATA/mysql" ] && [ ! -e "$MARK" ] || initialise ;;
    esac
fi
exec "$@"
