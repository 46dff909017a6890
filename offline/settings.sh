# shellcheck shell=bash
# The settings as Compose sees them: sourced by ./up, ./check and ./test after offline/docker.sh, from the project's root.
#
#   read_settings [-f FILE…]   reads what `docker compose config` makes of the Compose files, the environment and .env;
#                              if it cannot, the reason and the fix are in SETTINGS_PROBLEM and SETTINGS_FIX
#   value PATH [DEFAULT]       one of its values, for example: value services/setup/image
#   port SERVICE TARGET        the host port of a service's port
#
# Nothing here reads .env itself: Compose alone knows its quotes, comments, line ends and substitutions.

declare -A settings=()
settings_from=()

# One "path<TAB>value" per value of the JSON on stdin, as Compose prints it: one value per line, indented by 2 for each level.
flatten() {
    awk '
        function decoded(text,    result, at, c, code) {
            text = substr(text, 2, length(text) - 2)
            while (at = index(text, "\\")) {
                c = substr(text, at + 1, 1)
                result = result substr(text, 1, at - 1)
                text = substr(text, at + 2)
                if (c == "u") {
                    code = 16 * (index("123456789abcdef", substr(text, 3, 1))) + index("123456789abcdef", substr(text, 4, 1))
                    result = result (code < 32 ? " " : sprintf("%c", code))
                    text = substr(text, 5)
                } else result = result (c ~ /[bfnrt]/ ? " " : c)
            }
            result = result text
            # Compose doubles each dollar sign, so that its output is a Compose file again.
            gsub(/\$\$/, "$", result)
            return result
        }
        {
            match($0, /^ */)
            depth = RLENGTH / 2
            text = substr($0, RLENGTH + 1)
            sub(/,$/, "", text)
            if (text ~ /^[]}]$/) next
            if (match(text, /^"([^"\\]|\\.)*": /)) {
                key[depth] = decoded(substr(text, 1, RLENGTH - 2))
                text = substr(text, RLENGTH + 1)
            } else key[depth] = count[depth]++
            count[depth + 1] = 0
            if (text ~ /^[[{]/ || text == "null") next
            path = key[1]
            for (i = 2; i <= depth; i++) path = path "/" key[i]
            print path "\t" (text ~ /^"/ ? decoded(text) : text)
        }'
}

read_settings() {
    local json path said fix='correct what it names; .env.example shows every setting'
    settings_from=("$@")
    if ! json=$(docker compose "$@" config --format json 2>>"$LOG_FILE"); then
        said=$(docker compose "$@" config -q 2>&1 | grep -v '^[[:space:]]*$' | tail -n 1)
        [[ $said != *hostPort* && $said != *'ip address'* ]] || fix="write a number from 1 to 65535 for MQTT_PORT, EMULATOR_PORT, LOCALSTACK_PORT and MQTT_LAN_PORT in .env"
        # shellcheck disable=SC2034
        SETTINGS_PROBLEM=${said:-docker compose config failed} SETTINGS_FIX=$fix
        return 1
    fi
    settings=()
    while IFS=$'\t' read -r path said; do settings[$path]=$said; done < <(flatten <<<"$json")
}

settings_or_fail() { read_settings "$@" || fail "the settings cannot be read" "Compose says: $SETTINGS_PROBLEM" "$SETTINGS_FIX"; }

value() { local found=${settings[$1]-}; printf '%s' "${found:-${2-}}"; }

# Values below a path: values services/sensor-agent/devices
values() { local path; for path in "${!settings[@]}"; do [[ $path != "$1"/* ]] || printf '%s\n' "${settings[$path]}"; done; }

port() {
    local at=0
    while [[ -n ${settings[services/$1/ports/$at/target]-} ]]; do
        [[ ${settings[services/$1/ports/$at/target]} != "$2" ]] || { printf '%s' "${settings[services/$1/ports/$at/published]-}"; return; }
        at=$(( at + 1 ))
    done
}

in_project() { [[ -n ${settings[services/$1/image]-} ]]; }

# How many replicas of a service there are to be.
scale_of() { value "services/$1/scale" "$(value "services/$1/deploy/replicas" 1)"; }
