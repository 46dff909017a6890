#!/bin/sh
# Makes what the broker and its clients need to trust each other, once; what exists is kept. Runs to its end before
# anything else starts.
#
#   /credentials/<user>/password   one volume per user, mounted read-only in that user's container alone
#   /mosquitto/auth/passwd         the same passwords, hashed, for the broker
#   /mosquitto/auth/{ca,server}.*  the broker's certificate, for the profile `lan`
#   /mosquitto/authority/ca.key    the key that signs it, mounted nowhere else
#
# To change a password: remove its volume (docker volume rm …_mqtt-<user>) and run `docker compose up -d` again.
set -eu
umask 077

auth=/mosquitto/auth
authority=/mosquitto/authority
changed=''

for directory in /credentials/*/; do
    user=$(basename "$directory")
    file=$directory/password
    wanted=''
    if [ "$user" = publisher ] && [ -n "${MQTT_PUBLISHER_PASSWORD:-}" ]; then
        wanted=$MQTT_PUBLISHER_PASSWORD
    elif [ ! -s "$file" ]; then
        wanted=$(head -c 24 /dev/urandom | base64 | tr '+/' '-_')
    fi
    if [ -n "$wanted" ] && [ "$wanted" != "$(cat "$file" 2>/dev/null)" ]; then
        printf '%s\n' "$wanted" >"$file.new"
        # Read by the service's own user id, which is not this one. Nobody else has the volume.
        chmod 444 "$file.new"
        mv "$file.new" "$file"
        echo "made a password for $user"
        changed=yes
    fi
done

if [ -n "$changed" ] || [ ! -s $auth/passwd ]; then
    for directory in /credentials/*/; do
        printf '%s:%s\n' "$(basename "$directory")" "$(cat "$directory/password")"
    done >$auth/passwd.new
    mosquitto_passwd -U $auth/passwd.new
    mv $auth/passwd.new $auth/passwd
fi

# The names by which other machines will call this one; a certificate for other names is made anew.
names="DNS:mosquitto,DNS:localhost,IP:127.0.0.1,DNS:$(hostname),DNS:$(hostname).local"
for name in $(echo "${MQTT_LAN_NAMES:-}" | tr ',' ' '); do
    case $name in
        *[!0-9.]*) names="$names,DNS:$name" ;;
        *) names="$names,IP:$name" ;;
    esac
done

if [ ! -s $authority/ca.key ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 7300 -subj "/CN=Thermal Streaming $(hostname)" \
        -addext keyUsage=critical,keyCertSign,cRLSign -keyout $authority/ca.key.new -out $auth/ca.crt 2>/dev/null
    mv $authority/ca.key.new $authority/ca.key
    rm -f $auth/server.crt
fi
if [ ! -s $auth/server.crt ] || [ "$names" != "$(cat $auth/server.names 2>/dev/null)" ] ||
   ! openssl x509 -in $auth/server.crt -noout -checkend 2592000 >/dev/null; then
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$(hostname)" \
        -keyout $auth/server.key.new -out $auth/server.csr 2>/dev/null
    printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\n' "$names" >$auth/server.extensions
    openssl x509 -req -in $auth/server.csr -CA $auth/ca.crt -CAkey $authority/ca.key -CAcreateserial -days 820 \
        -extfile $auth/server.extensions -out $auth/server.crt.new 2>/dev/null
    mv $auth/server.key.new $auth/server.key
    mv $auth/server.crt.new $auth/server.crt
    printf '%s' "$names" >$auth/server.names
    rm -f $auth/server.csr $auth/server.extensions
    echo "made a certificate for $names"
fi
chmod 444 $auth/ca.crt
