#!/bin/sh
# Restores the shared subscriptions of the forwarders' saved sessions, before the broker starts. Mosquitto 2.0 saves
# sessions, but not their shared subscriptions: until the forwarders connect again, it would acknowledge readings
# that no subscriber gets. The broker tells an MQTT 5 sender so; an MQTT 3.1.1 sender loses the readings without notice.
#
# usage: restore-subscriptions [DATABASE [FILE WITH THE INSTALLATION'S IDENTITY [FILE FOR OTHER SESSIONS [FILE WITH THE SUBSCRIPTIONS]]]]
#
# The script also lists the forwarders' sessions of other identities: nobody connects to them, so their messages are never delivered.
# The third file gets a line for each session: its client id, and about how many messages it holds.
#
# Appends to the database, for each session of this installation in it, the subscriptions that `setup` lists for its service (a line each:
# the service, a space, the subscription). The identity is random and known to the services alone, so no payload in the database can name a
# session. Without the file, the identity is the one in the client ids of the broker's users. The database of Mosquitto 2.0 (version 6) is a
# sequence of chunks: type, length, and that many bytes. A subscription (type 5) is its identifier, the lengths of client id and topic, QoS,
# options, two unused bytes, client id, topic. Numbers are big-endian.
set -eu
umask 077

database=${1:-/mosquitto/data/mosquitto.db}
identity=$(cat "${2:-/run/mqtt/installation}" 2>/dev/null || grep -ohE 'forwarder-[0-9a-f]{8}-slot-' /mosquitto/auth/users/* 2>/dev/null | cut -d - -f 2 | head -n 1)
added=$database.added
others=${3:-/dev/null}
subscriptions=${4:-/mosquitto/auth/subscriptions}

: >"$others"
[ -s "$database" ] && [ -n "$identity" ] && [ -s "$subscriptions" ] || exit 0

# The broker does not start with a torn chunk. A power cut may have left one at the end, where this script appended. A complete
# append is still there too, if the broker has not saved since. The file $added holds the bytes that this script appended.
if [ -s "$added" ] && [ -s "$added.at" ]; then
    size=$(cat "$added.at")
    rest=$(( $(wc -c <"$database") - size ))
    if [ "$rest" -gt 0 ] && [ "$rest" -le "$(wc -c <"$added")" ] && head -c "$rest" "$added" >"$added.part" &&
       tail -c "$rest" "$database" | cmp -s - "$added.part"; then
        truncate -s "$size" "$database"
    fi
fi
rm -f "$added" "$added.at" "$added.part"

version=$(dd if="$database" bs=1 skip=19 count=4 2>/dev/null | od -An -tx1 | tr -d ' \n')
if [ "$version" != 00000006 ]; then
    echo "the database of the broker has version $version; shared subscriptions can be restored in version 6 only"
    exit 0
fi

bytes() { for byte; do printf "\\$(printf %03o "$byte")"; done; }
number() { bytes $(( $1 >> 24 & 255 )) $(( $1 >> 16 & 255 )) $(( $1 >> 8 & 255 )) $(( $1 & 255 )); }

# Prints every run of characters that can be in a client id, a line each.
words() { tr -c 'a-z0-9-' '\n' <"$database"; }

# In the database a session's client id comes directly before its user, which is the same text. A message for the session has the client id
# alone. So a text that is there twice in a row is a session, and a payload that only names one is not. This is a basic regular expression,
# because musl has no back-references in extended ones.
for other in $(words | grep -x '\([a-z0-9]*-forwarder-[0-9a-f]\{8\}-slot-[0-9][0-9]*\)\1' | sort -u); do
    other=$(printf '%s' "$other" | cut -c "1-$(( ${#other} / 2 ))")
    case $other in *"-forwarder-$identity-slot-"*) continue ;; esac
    held=$(words | grep -cx "$other" || true) old=${other#*-forwarder-}
    echo "$other $held" >>"$others"
    echo "nobody connects as $other: it is a session of an earlier identity of this installation, whose volumes were lost. The broker holds about" \
        "$held messages for it and deletes them two months after its last connection (persistent_client_expiration). To deliver them, make" \
        "that identity the current one: docker compose run --rm --no-deps setup setup adopt ${old%%-*} && docker compose restart"
done

restored=''
for own in $(words | grep -oE "(snowpipe|s3)-forwarder-$identity-slot-[0-9]+" | sort -u); do
    service=${own%%-forwarder-*}-forwarder
    while IFS=' ' read -r name topic; do
        [ "$name" = "$service" ] || continue
        {
            number 5
            number $(( 12 + ${#own} + $(printf '%s' "$topic" | wc -c) ))
            number 0
            number $(( ${#own} << 16 | $(printf '%s' "$topic" | wc -c) ))
            bytes 1 0 0 0
            printf '%s%s' "$own" "$topic"
        } >>"$added"
    done <"$subscriptions"
    restored="$restored $own"
done
[ -s "$added" ] || exit 0
wc -c <"$database" >"$added.at"
sync
cat "$added" >>"$database"
echo "restored the subscriptions of$restored"
