# shellcheck shell=bash
# The project as Compose sees it, and the operator's program: sourced by ./up and ./thermalctl after offline/docker.sh, from the project's root.
# Nothing here reads .env itself: Compose alone knows its quotes, comments, line ends and substitutions.
#
#   read_settings            puts what `docker compose config` makes of the Compose files, the environment and .env into $settings, as JSON
#                            for thermalctl; if Compose cannot, the reason and the fix are in SETTINGS_PROBLEM and SETTINGS_FIX
#   thermalctl_image [any]   finds the program's image: as the settings name it; with `any` also another that runs here
#   thermalctl VERB OPTION…  runs it in a container of its own, with Docker's socket; on its standard input the settings and, after a
#                            record separator, $ANSWER, which may hold a password

settings='' program_image='' ANSWER=''

read_settings() {
    ! settings=$(docker compose config --format json 2>>"$LOG_FILE") || return 0
    SETTINGS_PROBLEM=$(docker compose config -q 2>&1 | grep -v '^[[:space:]]*$' | tail -n 1)
    SETTINGS_PROBLEM=${SETTINGS_PROBLEM:-docker compose config failed} SETTINGS_FIX='correct what it names; .env.example shows every setting'
    [[ $SETTINGS_PROBLEM != *@(hostPort|'ip address')* ]] ||
        SETTINGS_FIX='write a number from 1 to 65535 for MQTT_PORT, EMULATOR_PORT, EMULATOR_HTTPS_PORT, LOCALSTACK_PORT, MQTT_LAN_PORT and CONSOLE_PORT in .env'
    return 1
}

settings_or_fail() { read_settings || fail "the settings cannot be read" "Compose says: $SETTINGS_PROBLEM" "$SETTINGS_FIX"; }

thermalctl_image() {
    program_image=$(docker compose --profile tools config --images cli 2>/dev/null) && have "$program_image" && return
    [[ -n ${1-} ]] || return 1
    local here
    here=$(docker version --format '{{.Server.Arch}}' 2>/dev/null || true)
    for program_image in $(docker image ls -q thermal-streaming/thermalctl 2>/dev/null); do
        [[ $(docker image inspect --format '{{.Architecture}}' "$program_image" 2>/dev/null) != "$here" ]] || return 0
    done
    return 1
}

thermalctl() {
    local socket
    # The socket that this user's docker uses; of an engine on another machine, that machine's own.
    socket=$(docker context inspect --format '{{.Endpoints.docker.Host}}' 2>/dev/null || true)
    [[ $socket == unix://* ]] || socket=unix:///var/run/docker.sock
    # Without a log: what it prints may be a password.
    docker run --rm --interactive --log-driver none --init --network host --uts host --userns host --user 0:0 --read-only --cap-drop ALL \
        --security-opt no-new-privileges --security-opt label=disable --label com.docker.compose.oneoff=True \
        --env "THERMALCTL_TERMINAL=${BOLD:+yes}" --mount "type=bind,source=${socket#unix://},target=/var/run/docker.sock" \
        --mount type=bind,source=/proc/1/mountinfo,target=/host/mountinfo,readonly --mount type=bind,source=/dev,target=/host/dev,readonly \
        "$program_image" "$@" <<<"$settings${ANSWER:+$'\x1e'$ANSWER}"
}
