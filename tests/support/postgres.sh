# A private PostgreSQL server for tests and benchmarks; to be sourced by bash (after vesper.sh, if that
# is needed too). It has its own folder, port and sockets, passwords by scram, and TLS with a
# certificate of its own for localhost and 127.0.0.1; it is gone when the script ends.
#
#   pg_find              true if a server can be started here; else says what is missing
#   pg_start             make and start one; sets pg_dir, pg_port, pg_cert, and PGPASSFILE; takes more
#                        lines of its configuration from pg_settings
#   pg_sql DB SQL        as the superuser postgres; rows on stdout, columns separated by |
#   pg_role NAME         a role that may log in; pg_password NAME gives one a password, which is in
#                        PGPASSFILE
#   pg_database DB OWNER
#   pg_url NAME DB       postgresql://NAME@127.0.0.1:PORT/DB
#   pg_dump_schema DB FOLDER
#                        every published table of the schema vesper as FOLDER/TABLE.csv, sorted
#   pg_kill              SIGKILL of the server and all its processes; pg_again starts it anew
#   pg_stop

pg_dir=
unset "${!PG@}" # what the user's own libpq is told
unset VESPER_SCHEMA VESPER_LOCK_TIMEOUT VESPER_LOCK_TRIES VESPER_STATEMENT_TIMEOUT

# As the user who may run a server: never root.
pg_as() {
    if [ "$(id -u)" = 0 ]; then
        (cd / && exec runuser -u postgres -- "$@")
    else
        "$@"
    fi
}

pg_find() {
    pg_bin=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
    [ -x "$pg_bin/initdb" ] || pg_bin=$(dirname "$(command -v initdb || echo /none/initdb)")
    if [ ! -x "$pg_bin/initdb" ] || [ ! -x "$pg_bin/pg_ctl" ]; then
        echo "no PostgreSQL server is installed (package postgresql)" >&2
    elif ! command -v psql >/dev/null || ! command -v openssl >/dev/null; then
        echo "psql or openssl is not installed (packages postgresql-client and openssl)" >&2
    elif [ "$(id -u)" = 0 ] && ! id postgres >/dev/null 2>&1; then
        echo "PostgreSQL does not run as root, and there is no user postgres" >&2
    else
        return 0
    fi
    return 1
}

# A new certificate NAME.crt with its key, owned by the server.
pg_certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 \
        -subj /CN=localhost -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' \
        -keyout "$pg_dir/$1.key" -out "$pg_dir/$1.crt" 2>/dev/null
    [ "$(id -u)" != 0 ] || chown postgres "$pg_dir/$1.key"
    chmod 600 "$pg_dir/$1.key"
}

pg_again() {
    pg_as "$pg_bin/pg_ctl" -D "$pg_dir/data" -l "$pg_dir/log" -w -t 60 start >/dev/null 2>&1
}

# A socket's path may have 107 bytes, and user postgres cannot look into folders of root's: so not
# below the test's own folder.
pg_start() {
    local tries password
    pg_dir=$(mktemp -d /tmp/vesper-pg.XXXXXX)
    chmod 711 "$pg_dir"
    password=$(openssl rand -hex 16)
    (umask 077 && printf '%s' "$password" >"$pg_dir/password")
    mkdir "$pg_dir/data" "$pg_dir/socket"
    touch "$pg_dir/log"
    [ "$(id -u)" != 0 ] ||
        chown postgres "$pg_dir/data" "$pg_dir/socket" "$pg_dir/log" "$pg_dir/password"
    pg_as "$pg_bin/initdb" -D "$pg_dir/data" -U postgres -E UTF8 --locale=C --no-sync \
        --auth=scram-sha-256 --pwfile="$pg_dir/password" >/dev/null || return 1
    export PGPASSFILE=$pg_dir/passfile
    (umask 077 && echo "*:*:*:postgres:$password" >"$PGPASSFILE")
    pg_certificate server
    pg_cert=$pg_dir/server.crt
    for ((tries = 0; tries < 20; tries++)); do
        pg_port=$((20000 + (RANDOM * 32768 + RANDOM) % 40000))
        pg_as tee -a "$pg_dir/data/postgresql.conf" >/dev/null <<END
port = $pg_port
listen_addresses = '127.0.0.1'
unix_socket_directories = '$pg_dir/socket'
ssl = on
ssl_cert_file = '$pg_dir/server.crt'
ssl_key_file = '$pg_dir/server.key'
fsync = off
shared_buffers = 32MB
max_connections = 30
${pg_settings:-}
END
        pg_again 2>/dev/null && return 0
    done
    cat "$pg_dir/log" >&2
    return 1
}

pg_sql() {
    psql -X -q -A -t -v ON_ERROR_STOP=1 -h "$pg_dir/socket" -p "$pg_port" -U postgres -d "$1" -c "$2"
}

pg_password() {
    local password
    password=$(openssl rand -hex 16)
    echo "*:*:*:$1:$password" >>"$PGPASSFILE"
    pg_sql postgres "ALTER ROLE $1 PASSWORD '$password'"
}

pg_role() {
    pg_sql postgres "CREATE ROLE $1 LOGIN" && pg_password "$1"
}

pg_database() {
    pg_sql postgres "CREATE DATABASE $1 OWNER $2"
}

pg_url() {
    echo "postgresql://$1@127.0.0.1:$pg_port/$2"
}

pg_dump_schema() {
    local table
    rm -rf "$2"
    mkdir "$2"
    for table in $(pg_sql "$1" "SELECT tablename FROM pg_tables WHERE schemaname = 'vesper'
            AND tablename NOT LIKE '%\_\_previous' AND tablename NOT LIKE '%\_\_next'"); do
        echo "\\copy (SELECT * FROM vesper.$table t ORDER BY t) TO '$2/$table.csv' (FORMAT csv, HEADER, NULL '<null>')"
    done >"$2.copies"
    psql -X -q -h "$pg_dir/socket" -p "$pg_port" -U postgres -d "$1" -f "$2.copies"
}

# What is killed leaves shared memory behind until its last process is gone.
pg_kill() {
    local main pids pid tries
    main=$(head -n 1 "$pg_dir/data/postmaster.pid")
    mapfile -t pids < <(pgrep -P "$main")
    kill -KILL "$main" "${pids[@]}" 2>/dev/null
    for pid in "$main" "${pids[@]}"; do
        for ((tries = 0; tries < 100; tries++)); do
            grep -q '^State:[[:space:]]*[^Z]' "/proc/$pid/status" 2>/dev/null || break
            sleep 0.05
        done
    done
}

pg_stop() {
    [ -n "$pg_dir" ] || return 0
    pg_as "$pg_bin/pg_ctl" -D "$pg_dir/data" -m immediate -w stop >/dev/null 2>&1
    rm -rf "$pg_dir"
    pg_dir=
}

# The script's own end, cleanup of vesper.sh, comes after the server's.
trap 'pg_stop; ! declare -F cleanup >/dev/null || cleanup' EXIT
