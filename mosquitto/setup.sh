#!/bin/sh
# Makes what the broker and its clients need to trust each other, and keeps what exists. Without an argument it runs to its
# end before anything else starts.
#
#   setup                    users, passwords, certificates
#   setup keep               renews the certificate in time, and follows a new host name, until it is stopped
#   setup enroll NAME [renew]   makes a user for a device, or a new password; prints the password and, on the second line,
#                            what `broker apply` reads
#   setup revoke NAME        takes that user away; prints what `broker apply` reads
#   setup devices            the enrolled devices, one per line
#   setup rotate USER        makes a new password for a service's user; prints it and, on the second line, what `broker apply` reads
#   setup adopt IDENTITY     gives the installation the identity of an earlier one, whose sessions the broker still has
#   setup healthy            exit code 0 if the certificate is valid
#
#   /credentials/<user>/password, …/installation   one volume per user, mounted read-only in that user's container alone
#   /mosquitto/auth/users/<user>     what the user may do, and the hash of its password (see users.sh)
#   /mosquitto/auth/{ca,server}.*    the broker's certificate
#   /mosquitto/authority/            the key that signs it, and the installation's id; mounted nowhere else
#
# To change a service's password: ./up --rotate-password <user>
set -eu
umask 077

. "${0%/*}/users.sh"
authority=${MOSQUITTO_AUTHORITY:-/mosquitto/authority}
credentials=${MQTT_CREDENTIALS:-/credentials}
slots=63

# The agent's name for this machine, as HostIdentity.DeviceIdFrom makes it.
device_id() {
    if [ -n "${DEVICE_ID:-}" ]; then printf '%s' "$DEVICE_ID"
    else hostname | cut -c 1-100 | sed 's/[][:space:]+#/$]/-/g'
    fi
}

# write_user NAME KIND DEVICES CLIENTS ORIGIN HASH: replaces the file if that changes anything.
write_user() {
    printf 'kind=%s\ndevices=%s\nclients=%s\norigin=%s\nhash=%s\n' "$2" "$3" "$4" "$5" "$6" >"$auth/users.new"
    if cmp -s "$auth/users.new" "$auth/users/$1"; then
        rm -f "$auth/users.new"
    else
        sync "$auth/users.new" 2>/dev/null || sync
        mv "$auth/users.new" "$auth/users/$1"
    fi
}

is_identity() { case $1 in *[!0-9a-f]*) return 1 ;; ????????) ;; *) return 1 ;; esac; }

# keep_identity IDENTITY
keep_identity() {
    printf '%s' "$1" >"$authority/installation.new"
    sync "$authority/installation.new" 2>/dev/null || sync
    mv "$authority/installation.new" "$authority/installation"
}

# The identity is part of the forwarders' client ids. If its own volume was lost it comes from any other that has it, so that
# the forwarders find their sessions at the broker again; only when none has it is this a new installation.
installation() {
    for file in "$authority/installation" "$auth/installation" "$credentials"/*/installation; do
        identity=$(cat "$file" 2>/dev/null || true)
        is_identity "$identity" || continue
        if [ "$file" != "$authority/installation" ]; then
            keep_identity "$identity"
            echo "took the identity of this installation back from $file: $authority had lost it" >&2
        fi
        printf '%s' "$identity"
        return
    done
    identity=$(od -An -N4 -tx1 /dev/urandom | tr -d ' \n')
    keep_identity "$identity"
    printf '%s' "$identity"
}

adopt() {
    is_identity "$1" || { echo "'$1' is no identity: it has 8 digits from 0 to f, as in snowpipe-forwarder-0123abcd-slot-0" >&2; exit 1; }
    keep_identity "$1"
    users
    certificate
    echo "this installation is $1 now. Restart the broker and its clients: docker compose restart"
}

# service_user NAME DIRECTORY HASH
service_user() {
    case $1 in
        sensor-agent) write_user "$1" device "$(device_id)" "$1/check" compose "$3" ;;
        snowpipe-forwarder | s3-forwarder)
            clients="$1/check" slot=0
            while [ "$slot" -le "$slots" ]; do
                clients="$clients $1-$installation-slot-$slot"
                slot=$(( slot + 1 ))
            done
            write_user "$1" "$1" '' "$clients" compose "$3" ;;
        publisher)
            clients="$1/check" connection=2
            while [ "$connection" -le 16 ]; do
                clients="$clients $1/$connection"
                connection=$(( connection + 1 ))
            done
            write_user "$1" device "${MQTT_PUBLISHER_DEVICES:-demo}" "$clients" compose "$3" ;;
    esac
}

# write_password DIRECTORY PASSWORD: replaces it at once, so that a service reads the old one or the new one.
write_password() {
    printf '%s\n' "$2" >"$1/password.new"
    # Read by the service's own user id, which is not this one. Nobody else has the volume.
    chmod 444 "$1/password.new"
    sync "$1/password.new" 2>/dev/null || sync
    mv "$1/password.new" "$1/password"
}

users() {
    mkdir -p "$auth/users"
    installation=$(installation)
    printf '%s\n' "$installation" >"$auth/installation"
    # Of earlier versions.
    rm -f "$auth/passwd"
    for directory in "$credentials"/*/; do
        directory=${directory%/} user=${directory##*/} wanted=''
        # Only a volume can be written to; without one, the Compose files do not want this user.
        if ! (: >"$directory/.mounted") 2>/dev/null; then
            rm -f "$auth/users/$user"
            continue
        fi
        rm -f "$directory/.mounted"
        if [ "$user" = publisher ] && [ -n "${MQTT_PUBLISHER_PASSWORD:-}" ]; then
            wanted=$MQTT_PUBLISHER_PASSWORD
        elif [ ! -s "$directory/password" ]; then
            wanted=$(random_password)
        fi
        hash=$(field "$auth/users/$user" hash 2>/dev/null || true)
        if [ -n "$wanted" ] && [ "$wanted" != "$(cat "$directory/password" 2>/dev/null)" ]; then
            write_password "$directory" "$wanted"
            echo "made a password for $user"
            hash=''
        fi
        [ -n "$hash" ] || hash=$(hash_of "$(cat "$directory/password")")
        if [ "$installation" != "$(cat "$directory/installation" 2>/dev/null)" ]; then
            printf '%s\n' "$installation" >"$directory/installation.new"
            chmod 444 "$directory/installation.new"
            mv "$directory/installation.new" "$directory/installation"
        fi
        service_user "$user" "$directory" "$hash"
    done
}

# ---------------------------------------------------------------- Devices

known() { [ -f "$auth/users/$1" ]; }

check_name() {
    case $1 in
        '' | *[!A-Za-z0-9._-]* | .* | -*)
            echo "'$1' cannot be the name of a device: use letters, digits, '.', '_' and '-', and begin with a letter or digit" >&2; exit 1 ;;
        administrator | health)
            echo "'$1' is a user of the broker's own; choose another name" >&2; exit 1 ;;
    esac
    [ ${#1} -le 64 ] || { echo "'$1' is longer than 64 characters" >&2; exit 1; }
    ! known "$1" || [ "$(field "$auth/users/$1" origin)" = enrolled ] ||
        { echo "'$1' is a service of this installation, not a device; choose another name" >&2; exit 1; }
}

forget_commands() { printf '{"command":"deleteClient","username":"%s"},{"command":"deleteClient","username":"%s/check"},{"command":"deleteRole","rolename":"%s"}' "$1" "$1" "$1"; }

enroll() {
    check_name "$1"
    if known "$1" && [ "${2:-}" != renew ]; then
        echo "'$1' is enrolled already" >&2
        exit 3
    fi
    password=$(random_password)
    write_user "$1" device "$1" "$1/check" enrolled "$(hash_of "$password")"
    printf '%s\n' "$password"
    printf '{"commands":[%s,{"command":"createRole","rolename":"%s","acls":%s}' "$(forget_commands "$1")" "$1" "$(rules device "$1")"
    for login in "$1" "$1/check"; do
        printf ',{"command":"createClient","username":"%s","password":"%s","roles":[{"rolename":"%s"}]}' "$login" "$password" "$1"
    done
    printf ']}\n'
}

revoke() {
    check_name "$1"
    known "$1" || { echo "'$1' is not enrolled" >&2; exit 3; }
    rm -f "$auth/users/$1"
    printf '{"commands":[%s]}\n' "$(forget_commands "$1")"
}

# ---------------------------------------------------------------- Passwords of services

# The new password is in the service's volume before the broker has it: the broker then ends the connections that were made
# with the old one, and a service that connects again reads the new one. Sessions stay.
rotate() {
    file=$auth/users/$1
    [ -n "$1" ] && [ -f "$file" ] && [ "$(field "$file" origin)" = compose ] && [ -s "$credentials/$1/password" ] ||
        { echo "'$1' is not a service of this installation" >&2; exit 3; }
    [ "$1" != publisher ] || [ -z "${MQTT_PUBLISHER_PASSWORD:-}" ] || { echo "MQTT_PUBLISHER_PASSWORD sets the password of publisher" >&2; exit 4; }
    password=$(random_password)
    hash=$(hash_of "$password")
    write_password "$credentials/$1" "$password"
    write_user "$1" "$(field "$file" kind)" "$(field "$file" devices)" "$(field "$file" clients)" compose "$hash"
    printf '%s\n{"commands":[' "$password"
    separator=''
    for login in "$1" $(field "$file" clients); do
        quote "$login"
        printf '%s{"command":"setClientPassword","username":%s,"password":"%s"}' "$separator" "$quoted" "$password"
        separator=,
    done
    printf ']}\n'
}

# ---------------------------------------------------------------- Certificates

# The names by which other machines call this one.
names() {
    names="DNS:mosquitto,DNS:localhost,IP:127.0.0.1,DNS:$(hostname),DNS:$(hostname).local"
    for name in $(echo "${MQTT_LAN_NAMES:-}" | tr ',' ' '); do
        case $name in
            *[!0-9.]*) names="$names,DNS:$name" ;;
            *) names="$names,IP:$name" ;;
        esac
    done
    printf '%s' "$names"
}

certificate() {
    names=$(names)
    if [ ! -s "$authority/ca.key" ]; then
        openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$authority/ca.key.new" 2>/dev/null
        mv "$authority/ca.key.new" "$authority/ca.key"
        rm -f "$auth/ca.crt"
    fi
    # Also when only the volume with the certificate was lost. Its key and name are the same then, so devices that have the old one trust it.
    if [ ! -s "$auth/ca.crt" ]; then
        openssl req -x509 -new -key "$authority/ca.key" -days 7300 -subj "/CN=Thermal Streaming $(hostname)" \
            -addext keyUsage=critical,keyCertSign,cRLSign -out "$auth/ca.crt.new" 2>/dev/null
        mv "$auth/ca.crt.new" "$auth/ca.crt"
        rm -f "$auth/server.crt"
    fi
    if [ ! -s "$auth/server.crt" ] || [ "$names" != "$(cat "$auth/server.names" 2>/dev/null)" ] ||
       ! openssl x509 -in "$auth/server.crt" -noout -checkend "${CERTIFICATE_RENEW_SECONDS:-2592000}" >/dev/null; then
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$(hostname | cut -c 1-64)" \
            -keyout "$auth/server.key.new" -out "$auth/server.csr" 2>/dev/null
        printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\n' "$names" >"$auth/server.extensions"
        openssl x509 -req -in "$auth/server.csr" -CA "$auth/ca.crt" -CAkey "$authority/ca.key" -CAcreateserial -days "${CERTIFICATE_DAYS:-820}" \
            -extfile "$auth/server.extensions" -out "$auth/server.crt.new" 2>/dev/null
        mv "$auth/server.key.new" "$auth/server.key"
        mv "$auth/server.crt.new" "$auth/server.crt"
        printf '%s' "$names" >"$auth/server.names"
        rm -f "$auth/server.csr" "$auth/server.extensions"
        echo "made a certificate for $names"
    fi
    chmod 444 "$auth/ca.crt"
}

keep() {
    trap 'exit 0' TERM INT
    while :; do
        certificate
        # A new host name is a new name of the agent.
        file=$auth/users/sensor-agent
        [ ! -f "$file" ] || write_user sensor-agent device "$(device_id)" sensor-agent/check compose "$(field "$file" hash)"
        sleep "${CERTIFICATE_CHECK_SECONDS:-3600}" & wait $!
    done
}

case ${1:-} in
    '') users; certificate ;;
    keep) keep ;;
    enroll) enroll "${2:-}" "${3:-}" ;;
    revoke) revoke "${2:-}" ;;
    rotate) rotate "${2:-}" ;;
    adopt) adopt "${2:-}" ;;
    devices)
        for file in "$auth"/users/*; do
            [ ! -f "$file" ] || [ "$(field "$file" origin)" != enrolled ] || printf '%s\n' "${file##*/}"
        done ;;
    healthy) openssl x509 -in "$auth/server.crt" -noout -checkend 0 >/dev/null ;;
    *) echo "setup: unknown command '$1'" >&2; exit 2 ;;
esac
