# shellcheck shell=sh
# What each user of the broker may do, and how users are kept: sourced by `setup`, which writes them, and by `broker`, which reads them.
#
# A user is a file, $auth/users/<name>, of lines key=value:
#   kind      device | snowpipe-forwarder | s3-forwarder
#   devices   for a device: the names under which it may publish, comma-separated ("+" is any)
#   clients   more user names with the same password and rights, space-separated. The broker makes the user name the client
#             id, so a user name is one connection and one session, and nobody can take another user's session
#   origin    compose: follows the Compose files; enrolled: made by `./up --enroll`
#   hash      $7$iterations$salt$hash, as mosquitto_passwd writes it

auth=${MOSQUITTO_AUTH:-/mosquitto/auth}

# quote TEXT: sets $quoted to it as a JSON string. No process for the usual name: there are hundreds.
quote() {
    case $1 in
        *[\\\"]*) quoted=\"$(printf '%s' "$1" | sed 's/[\\"]/\\&/g')\" ;;
        *) quoted=\"$1\" ;;
    esac
}

# field FILE KEY
field() { sed -n "s/^$2=//p" "$1"; }

# allow TYPE TOPIC: one rule of a role, preceded by a comma.
allow() {
    quote "$2"
    printf ',{"acltype":"%s","topic":%s,"priority":0,"allow":true}' "$1" "$quoted"
}

# rules KIND DEVICES: the rules of a user's role, as a JSON array. Everything else is refused, with a reason code.
rules() {
    {
        case $1 in
            device)
                printf '%s\n' "$2" | tr ',' '\n' | while IFS= read -r device; do
                    [ -n "$device" ] || continue
                    for kind in thermal inverter status; do allow publishClientSend "telemetry/v1/$device/$kind"; done
                done
                # Whether the forwarders take readings now.
                for kind in thermal inverter; do
                    allow subscribeLiteral "forwarders/v1/$kind"
                    allow publishClientReceive "forwarders/v1/$kind"
                done ;;
            snowpipe-forwarder | s3-forwarder)
                kind=thermal
                [ "$1" = snowpipe-forwarder ] || kind=inverter
                allow subscribeLiteral "\$share/$1/telemetry/v1/+/$kind"
                allow subscribeLiteral "telemetry/v1/+/$kind"
                allow publishClientReceive "telemetry/v1/+/$kind"
                allow publishClientSend "forwarders/v1/$kind"
                allow subscribePattern '$SYS/broker/#'
                allow publishClientReceive '$SYS/broker/#' ;;
            health)
                allow subscribeLiteral '$SYS/broker/version'
                allow publishClientReceive '$SYS/broker/version' ;;
            administrator)
                allow publishClientSend '$CONTROL/dynamic-security/#' ;;
        esac
    } | sed 's/^,/[/; s/$/]/'
}

# hash_of PASSWORD, by way of a file that only this user can read: nothing of it shows in the list of processes.
hash_of() {
    hashing=$(mktemp)
    printf 'user:%s\n' "$1" >"$hashing"
    mosquitto_passwd -U "$hashing"
    sed 's/^user://' "$hashing"
    rm -f "$hashing"
}

random_password() { head -c 24 /dev/urandom | base64 | tr '+/' '-_'; }
