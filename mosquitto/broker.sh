#!/bin/sh
# Runs Mosquitto with the users and rules that `setup` keeps in /mosquitto/auth, and applies changes without a manual restart.
#
#   broker           runs until it is stopped. Loads new certificates, and applies changes of users (after `apply` at once,
#                    otherwise by a restart of Mosquitto within seconds, which keeps sessions and queued messages)
#   broker apply     gives commands from stdin (dynamic security, JSON) to the running Mosquitto
#   broker try USER  logs in with the password on stdin and publishes an empty status; exit code 0 if that is allowed
#   broker login USER   logs in with the password on stdin; exit code 0 if the broker accepts it
#   broker healthy   exit code 0 if Mosquitto answers
#   broker orphans   lists the forwarders' sessions that nobody connects to, as they were at the start: client id and messages held
set -eu
umask 077

auth=${MOSQUITTO_AUTH:-/mosquitto/auth}
rules=$auth/rules.json
data=${MOSQUITTO_DATA:-/mosquitto/data}
run=${MOSQUITTO_RUN:-/tmp/broker}
config=${MOSQUITTO_CONFIG:-/mosquitto/config/mosquitto.conf}
administration=${MOSQUITTO_ADMINISTRATION_PORT:-1880}
tick=${MOSQUITTO_WATCH_SECONDS:-5}

# client NAME PROGRAM OPTION…: runs mosquitto_pub or mosquitto_sub as this user. Options come from a file, so the list of processes shows no
# password.
client() {
    user=$1 program=$2
    shift 2
    XDG_CONFIG_HOME=$run/$user "$program" -h 127.0.0.1 -p "$administration" "$@"
}

# credentials NAME PASSWORD
credentials() {
    mkdir -p "$run/$1"
    for program in mosquitto_pub mosquitto_sub; do
        printf -- '-u %s\n-P %s\n' "$1" "$2" >"$run/$1/$program"
    done
}

checksum_of() { cat "$@" 2>/dev/null | cksum; }
users_now() { checksum_of "$rules"; }
certificate_now() { checksum_of "$auth/server.crt" "$auth/server.key"; }

# ---------------------------------------------------------------- Mosquitto's configuration

# Writes the configuration of the dynamic-security plugin, in memory: the rules of `setup`, with new passwords at each start for the users of
# this container.
render() {
    marks=''
    for name in administrator health; do
        password=$(head -c 24 /dev/urandom | base64 | tr '+/' '-_')
        credentials "$name" "$password"
        hash_of "$password"
        marks="$marks;s|@$name-hash@|$hash|;s|@$name-salt@|$salt|;s|\"iterations\":0,|\"iterations\":$iterations,|"
    done
    sed "${marks#;}" "$rules" >"$run/dynamic-security.json"
}

# hash_of PASSWORD: sets $iterations, $salt and $hash. The password is in a file that only this user can read, so the list of processes does
# not show it.
hash_of() {
    hashing=$(mktemp)
    printf 'user:%s\n' "$1" >"$hashing"
    mosquitto_passwd -U "$hashing"
    IFS='$' read -r _ _ iterations salt hash <"$hashing"
    rm -f "$hashing"
}

# Limits Mosquitto to three quarters of the container's memory. Beyond that Mosquitto refuses messages and clients; at the container's limit
# the kernel would kill it. MOSQUITTO_MEMORY_LIMIT, in bytes, replaces the container's limit. Mosquitto's own memory_limit does not work here:
# each time the dynamic-security plugin saves, it frees memory that Mosquitto has not counted. The count falls below zero, Mosquitto reads that
# as far above the limit, and after the second enrolled device it disconnects everybody as "out of memory".
limit_memory() {
    limit=${MOSQUITTO_MEMORY_LIMIT:-$(cat /sys/fs/cgroup/memory.max 2>/dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || true)}
    case $limit in
        '' | max | *[!0-9]* | ????????????*) ;;
        *) ulimit -d $(( limit / 4 * 3 / 1024 )) ;;
    esac
}

configure() {
    mkdir -p "$run"
    connections=${MQTT_MAX_CONNECTIONS:-400}
    case $connections in
        *[!0-9]* | 0*)
            echo "MQTT_MAX_CONNECTIONS is '$connections'; it must be a number of devices, such as 2000" >&2
            exit 2 ;;
    esac
    # Each of the two listeners allows so many connections. A connection takes a file descriptor: if none is free, Mosquitto accepts the
    # connection but does not serve it.
    files=$(ulimit -n)
    if [ "$files" != unlimited ] && [ "$files" -lt $(( 2 * connections + 100 )) ]; then
        echo "$(date +%s): MQTT_MAX_CONNECTIONS is $connections, but this container may open only $files files, so it serves fewer. Set" \
            "MQTT_OPEN_FILES to $(( 2 * connections + 100 )) or more, and restart the broker"
    fi
    sed -e "s/^autosave_interval .*/autosave_interval ${MQTT_AUTOSAVE_SECONDS:-1800}/" \
        -e "s/^max_connections 400$/max_connections $connections/" "$config" >"$run/mosquitto.conf"
}

# ---------------------------------------------------------------- The log

# Mosquitto logs "not authorised" without an address. The new connection before that line is almost always the refused one. The filter leaves
# out everything else about connections, and shows at most ten refused logins a minute one by one.
filter_log() {
    line_buffered=''
    case $(readlink -f "$(command -v awk)") in *mawk*) line_buffered='-W interactive' ;; esac
    # shellcheck disable=SC2086
    awk $line_buffered '
        { minute = int($1 / 60) }
        minute != current { if (untold) print $1 " " untold " more logins were refused (wrong user or password)"; untold = told = 0; current = minute; fflush() }
        / New connection from / { from = $0; sub(/.* New connection from /, "", from); sub(/:[0-9]+ on port /, " to port ", from); next }
        / New client connected from | No will message specified| Will message specified/ { next }
        /, not authorised\.$/ {
            if (told++ < 10) print $1 " a login was refused (wrong user or password); the latest new connection is from " from
            else untold++
            fflush()
            next
        }
        /^[0-9]+: Client .* (disconnected|closed its connection)\.$/ { next }
        /OpenSSL Error|SSL routines|Socket error on client <unknown>|Client <unknown> / { if (noise++ % 100) next; print $0 " (1 of 100 such lines is shown)"; fflush(); next }
        { print; fflush() }'
}

# ---------------------------------------------------------------- Running

serve() {
    configure
    pipe=$run/log.pipe
    rm -f "$pipe"
    mkfifo "$pipe"
    filter_log <"$pipe" &
    exec 4>"$pipe"
    stopping=''
    trap 'stopping=yes' TERM INT
    while [ -z "$stopping" ]; do
        users_now >"$run/applied"
        certificate=$(certificate_now)
        render
        # Restores the shared subscriptions of saved sessions, which Mosquitto 2.0 does not save.
        if [ -x "${0%/*}/restore-subscriptions" ]; then
            "${0%/*}/restore-subscriptions" "$data/mosquitto.db" "$auth/installation" "$run/orphans" "$auth/subscriptions" || true
        fi
        ( limit_memory; exec mosquitto -c "$run/mosquitto.conf" >&4 2>&4 ) &
        broker=$!
        suspect='' ticks=0
        while kill -0 "$broker" 2>/dev/null && [ -z "$stopping" ]; do
            sleep "$tick" & wait $! || true
            ticks=$(( ticks + 1 ))
            # Saves once, soon after the start, so that new sessions are on disk long before Mosquitto's own first save.
            [ "$ticks" != 12 ] || kill -USR1 "$broker" 2>/dev/null || true
            if [ "$certificate" != "$(certificate_now)" ]; then
                certificate=$(certificate_now)
                echo "$(date +%s): the certificate was renewed: loading it"
                kill -HUP "$broker" 2>/dev/null || true
            fi
            users=$(users_now)
            if [ "$users" = "$(cat "$run/applied")" ]; then
                suspect=''
            elif [ "$users" != "$suspect" ]; then
                # `broker apply` may be about to apply this change: waits once more.
                suspect=$users
            else
                echo "$(date +%s): users were changed: restarting Mosquitto with them"
                break
            fi
        done
        # Sends the signal repeatedly: a process that is just starting may miss it.
        while kill -0 "$broker" 2>/dev/null; do
            kill -TERM "$broker" 2>/dev/null || true
            sleep 1 & wait $! || true
        done
        code=0
        wait "$broker" || code=$?
        [ -n "$stopping" ] || [ "$code" = 0 ] || exit "$code"
    done
    exit 0
}

case ${1:-} in
    '') serve ;;
    apply)
        client administrator mosquitto_pub -q 1 -t '$CONTROL/dynamic-security/v1' -s
        # `serve` handles changes that are not in these commands: it restarts Mosquitto with them.
        [ "$(checksum_of "$auth/rules.previous.json")" != "$(cat "$run/applied")" ] || users_now >"$run/applied" ;;
    try)
        attempt=$(mktemp -d)
        printf -- '-u %s\n-P %s\n' "$2" "$(cat)" >"$attempt/mosquitto_pub"
        code=0
        answer=$(XDG_CONFIG_HOME=$attempt mosquitto_pub -h 127.0.0.1 -p "$administration" -V 5 -q 1 -t "telemetry/v1/$2/status" -n -d 2>&1) || code=$?
        rm -rf "$attempt"
        case $answer in *RC:0* | *RC:16*) ;; *) [ "$code" != 0 ] || code=1 ;; esac
        [ "$code" = 0 ] || printf '%s\n' "$answer" >&2
        exit "$code" ;;
    login)
        attempt=$(mktemp -d)
        printf -- '-u %s\n-P %s\n' "$2" "$(cat)" >"$attempt/mosquitto_pub"
        answer=$(XDG_CONFIG_HOME=$attempt mosquitto_pub -h 127.0.0.1 -p "$administration" -V 5 -t login -n -d 2>&1) || true
        rm -rf "$attempt"
        case $answer in *'received CONNACK (0)'*) exit 0 ;; esac
        printf '%s\n' "$answer" >&2
        exit 1 ;;
    orphans) cat "$run/orphans" ;;
    healthy) client health mosquitto_sub -t '$SYS/broker/version' -E -W 5 ;;
    *) echo "broker: unknown command '$1'" >&2; exit 2 ;;
esac
