# shellcheck shell=bash
# The project as Compose sees it, and the operator's program: sourced by ./up and ./thermalctl after offline/docker.sh, from the project's root.
# Nothing here takes a value out of .env: Compose alone knows its quotes, comments, line ends and substitutions.
#
#   read_settings            stores the output of `docker compose config` (Compose files, environment and .env together) in $settings, as
#                            JSON for thermalctl. If Compose fails, the reason and the fix are in SETTINGS_PROBLEM and SETTINGS_FIX
#   add_sources              adds the texts of .env and of the Compose files to $settings: `thermalctl check` asks which names have no effect
#   thermalctl_image [any]   finds the program's image: the one that the settings name; with `any` also another that runs here
#   thermalctl VERB OPTION…  runs the program in a container of its own, with Docker's socket. Its standard input is the settings and, after a
#                            record separator, $ANSWER, which may hold a password

settings='' program_image='' ANSWER=''

read_settings() {
    ! settings=$(docker compose config --format json 2>>"$LOG_FILE") || return 0
    SETTINGS_PROBLEM=$(docker compose config -q 2>&1 | grep -v '^[[:space:]]*$' | tail -n 1)
    SETTINGS_PROBLEM=${SETTINGS_PROBLEM:-docker compose config failed} SETTINGS_FIX='correct what Compose names; .env.example shows every setting'
    [[ $SETTINGS_PROBLEM != *@(hostPort|'ip address')* ]] ||
        SETTINGS_FIX='write a number from 1 to 65535 for MQTT_PORT, EMULATOR_PORT, EMULATOR_HTTPS_PORT, LOCALSTACK_PORT, MQTT_LAN_PORT, CONSOLE_PORT, AGENT_GRPC_PORT, PROMETHEUS_PORT and GRAFANA_PORT in .env'
    return 1
}

# add_sources: puts the texts of .env and of the Compose files into $settings, for the steps of `thermalctl check` that ask where settings
# come from: the project's files, those that COMPOSE_FILE names, and the files that these name.
add_sources() {
    local files file named separator
    local -A seen=()
    # Compose fills these in from the environment or .env.
    { IFS= read -r named; IFS= read -r separator; } < <(
        # shellcheck disable=SC2016  # Compose fills them in
        printf 'services: { x: { image: x, labels: { files: "${COMPOSE_FILE-}", separator: "${COMPOSE_PATH_SEPARATOR-:}" } } }\n' |
            docker compose -f - config --format json 2>>"$LOG_FILE" | sed -n -E 's/^ *"(files|separator)": "(.*)",?$/\2/p'
    ) || true
    IFS=${separator:-:} read -r -a files <<<"$named"
    files+=(compose*.yaml)
    while (( ${#files[@]} )); do
        file=${files[0]#./} files=("${files[@]:1}")
        [[ -z ${seen[$file]-} && -f $file && -r $file ]] || continue
        seen[$file]=yes
        while IFS= read -r named; do
            # Compose looks from the project's directory or from the file's, by what the path is for.
            files+=("${named#./}" "$(dirname "$file")/${named#./}")
        done < <(grep -oE "[^][:space:]\"',{}[]+\.ya?ml" "$file" || true)
    done
    settings="{\"x-thermal-sources\":\"$({ [[ ! -r .env ]] || cat .env; for file in "${!seen[@]}"; do printf '\x1d'; cat "$file"; done; } | base64 -w 0)\",${settings#\{}"
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
    # The socket that this user's docker uses. If the engine is on another machine, this is the socket of that machine.
    socket=$(docker context inspect --format '{{.Endpoints.docker.Host}}' 2>/dev/null || true)
    [[ $socket == unix://* ]] || socket=unix:///var/run/docker.sock
    # Without a log: the output may contain a password.
    docker run --rm --interactive --log-driver none --init --network host --uts host --userns host --user 0:0 --read-only --cap-drop ALL \
        --security-opt no-new-privileges --security-opt label=disable --label com.docker.compose.oneoff=True \
        --env "THERMALCTL_TERMINAL=${BOLD:+yes}" --mount "type=bind,source=${socket#unix://},target=/var/run/docker.sock" \
        --mount type=bind,source=/proc/1/mountinfo,target=/host/mountinfo,readonly --mount type=bind,source=/dev,target=/host/dev,readonly \
        "$program_image" "$@" <<<"$settings${ANSWER:+$'\x1e'$ANSWER}"
}
