# shellcheck shell=bash
# Users of the broker: sourced by ./up for --enroll, --renew, --revoke, --devices and --rotate-password, after offline/docker.sh and
# offline/settings.sh. A device has a user of the broker's that may publish under its own name, and nothing else.

in_setup() { docker compose run --rm --no-deps -T --quiet-pull setup setup "$@" 2>>"$LOG_FILE"; }
broker_runs() { [[ -n $(docker compose ps -q --status running mosquitto 2>/dev/null) ]]; }

# What the device's user may do takes effect at once where the broker runs, and with its next start where it does not.
apply_to_broker() {
    broker_runs || { say "the broker does not run; this takes effect when it starts"; return; }
    docker compose exec -T mosquitto broker apply >>"$LOG_FILE" 2>&1 ||
        warn "the running broker did not take it at once; it restarts with the new users within seconds"
}

devices_need() {
    docker_ready
    settings_or_fail
    docker image inspect "$(value services/setup/image)" >/dev/null 2>&1 || fail "there are no images yet" "Nothing was built here" "./up, then this again"
}

enroll_device() {
    local name=$1 renew=$2 code=0 answer password
    devices_need
    step "Device $name"
    answer=$(in_setup enroll "$name" ${renew:+renew}) || code=$?
    case $code in
        0) ;;
        3) fail "$name is enrolled already" "Its password is kept nowhere in clear, so it cannot be shown again" "./up --enroll $name --renew makes a new one; the old one ends with it" ;;
        *) fail "could not enroll $name" "$(grep -v '^[[:space:]]*$' "$LOG_FILE" | tail -n 1)" "./up, then this again" ;;
    esac
    password=$(sed -n 1p <<<"$answer")
    sed -n 2p <<<"$answer" | apply_to_broker
    if broker_runs; then
        # The renewed user may be known with the old password for a moment, if the broker had to restart.
        local attempt
        for attempt in 1 2 3 4 5 6 7 8 9 10; do
            ! docker compose exec -T mosquitto broker try "$name" <<<"$password" >>"$LOG_FILE" 2>&1 || break
            (( attempt < 10 )) || fail "$name was enrolled, but the broker refuses its login" "It says: $(last_log_line)" "docker compose restart mosquitto"
            sleep 2
        done
        say "the broker accepts its login; it may publish to telemetry/v1/$name/thermal, inverter and status"
    fi
    show_device "$name" "$password"
}

revoke_device() {
    local name=$1 code=0 answer
    devices_need
    step "Device $name"
    answer=$(in_setup revoke "$name") || code=$?
    case $code in
        0) ;;
        3) fail "$name is not enrolled" "The broker has no such device" "./up --devices lists those it has" ;;
        *) fail "could not revoke $name" "$(grep -v '^[[:space:]]*$' "$LOG_FILE" | tail -n 1)" "./up, then this again" ;;
    esac
    apply_to_broker <<<"$answer"
    say "$name may not connect any more; its readings in Snowflake stay"
}

list_devices() {
    devices_need >&2
    in_setup devices
}

# The service reads its new password when it connects again: nothing is stopped, and readings wait in journals for a second or two.
rotate_password() {
    local name=$1 code=0 answer password attempt
    devices_need
    step "Password of $name"
    answer=$(in_setup rotate "$name") || code=$?
    case $code in
        0) ;;
        3) fail "$name is not a service of this installation" "The broker's services are sensor-agent, snowpipe-forwarder, s3-forwarder and, with the stand-ins, publisher" \
                "for a device: ./up --enroll $name --renew" ;;
        4) fail "the password of publisher is set by you" "MQTT_PUBLISHER_PASSWORD stands in .env" "change it there, or remove the line, then ./up --no-build" ;;
        *) fail "could not change the password of $name" "$(grep -v '^[[:space:]]*$' "$LOG_FILE" | tail -n 1)" "./up, then this again" ;;
    esac
    password=$(sed -n 1p <<<"$answer")
    sed -n 2p <<<"$answer" | apply_to_broker
    broker_runs || return 0
    # If the broker had to restart, it may know the old password for a moment.
    for (( attempt = 1; ; attempt++ )); do
        ! docker compose exec -T mosquitto broker login "$name/check" <<<"$password" >>"$LOG_FILE" 2>&1 || break
        (( attempt < 10 )) || fail "the broker does not accept the new password of $name" "It says: $(last_log_line)" "docker compose restart mosquitto"
        sleep 2
    done
    say "the broker accepts the new password and has ended the connections that were made with the old one"
    [[ $name != publisher ]] || { say "new password: docker compose exec -T mosquitto cat /run/mqtt/password"; return 0; }
    for (( attempt = 1; attempt <= 30; attempt++ )); do
        if ! ask "$name" /readyz | grep -Eq '^FAIL (mqtt|broker)'; then
            say "$name is connected; no reading was lost"
            return 0
        fi
        sleep 2
    done
    warn "$name has not connected again within a minute: docker compose logs $name"
}

# What to paste on the device.
show_device() {
    local name=$1 password=$2 host port authority
    host=$(hostname).local port=$(port mosquitto 8883)
    authority=$(docker compose exec -T mosquitto cat /mosquitto/auth/ca.crt 2>/dev/null || true)
    cat <<END

    Keep this password: it is shown once.
      user      $name
      password  $password

    mosquitto_pub (ca.crt: docker compose exec -T mosquitto cat /mosquitto/auth/ca.crt > ca.crt)
      mosquitto_pub -h $host -p ${port:-8883} --cafile ca.crt -u $name -P '$password' -q 1 \\
        -t telemetry/v1/$name/thermal -m '{"temperature": 21.5, "humidity": 40}'

    sensor-agent of another Pi (.env there)
      DEVICE_ID=$name
      MQTT_HOST=$host
      MQTT_PORT=${port:-8883}
      MQTT_TLS=true
      MQTT_USER=$name
      and MQTT_PASSWORD_FILE, MQTT_CA_FILE: files with the password and ca.crt

    ESPHome
      mqtt:
        broker: $host
        port: ${port:-8883}
        username: $name
        password: "$password"
        discovery: false
        topic_prefix: telemetry/v1/$name
        birth_message: {topic: telemetry/v1/$name/status, payload: online, retain: false}
        will_message: {topic: telemetry/v1/$name/status, payload: offline, retain: false}
        certificate_authority: |
$(sed 's/^/          /' <<<"${authority:-(ca.crt, once the broker runs)}")
      sensor:
        - platform: …        # id: temperature
          on_value:
            - mqtt.publish_json:
                topic: telemetry/v1/$name/thermal
                qos: 1
                payload: |-
                  root["temperature"] = x;

    Tasmota (console; a build with TLS, and the CA pasted with it or MqttFingerprint1 set)
      Backlog MqttHost $host; MqttPort ${port:-8883}; MqttUser $name; MqttPassword $password; SetOption103 1; SetOption104 1
      Rule1 ON Tele-SHT3X#Temperature DO Publish telemetry/v1/$name/thermal {"temperature":%value%} ENDON
      Rule1 1

END
    [[ $(value services/mosquitto/ports/0/host_ip) != 127.0.0.1 ]] ||
        warn "the broker is not reachable from other machines yet: MQTT_LAN_ADDRESS=0.0.0.0 in .env, then ./up --no-build"
    say "the broker keeps no retained messages: a device that sets the retain flag is refused (SetOption104 1, retain: false)"
}
