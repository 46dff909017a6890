# shellcheck shell=bash
# Docker on a fresh machine: sourced by ./up and ./test, changes nothing when sourced.
#
#   docker_ready        finds Docker Engine, Compose v2 and buildx; installs or starts what is missing
#   docker_access       the same, but only finds
#   apt_install PKG…    installs Debian packages that are not there yet
#   as_root CMD…        runs a command as root: directly, or with sudo after saying so
#   say, step, warn, fail   one way to talk to the person in front of the terminal
#
# Every failure is one line on stderr: what, why, what to do.

# Output of the tools, kept for the failure message and for whoever wants to know more.
if [[ -z ${LOG_FILE-} ]]; then
    LOG_FILE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/artifacts/$(basename "$0").log
    # For its owner alone: what tools print may hold a secret.
    mkdir -p "$(dirname "$LOG_FILE")" 2>/dev/null && ( umask 077; : >>"$LOG_FILE"; chmod 600 "$LOG_FILE" ) 2>/dev/null || LOG_FILE=$(mktemp)
    export LOG_FILE
fi

if [[ -t 1 && -z ${NO_COLOR-} ]]; then
    BOLD=$'\e[1m' RED=$'\e[31m' GREEN=$'\e[32m' YELLOW=$'\e[33m' DIM=$'\e[2m' PLAIN=$'\e[0m'
else
    BOLD='' RED='' GREEN='' YELLOW='' DIM='' PLAIN=''
fi

step() { printf '%s==>%s %s\n' "$GREEN" "$PLAIN" "$*"; }
say()  { printf '    %s\n' "$*"; }
warn() { printf '%s    warning:%s %s\n' "$YELLOW" "$PLAIN" "$*" >&2; }

# fail WHAT WHY FIX: the only way these scripts give up.
fail() {
    printf '%sfailed:%s %s. %s. To fix it: %s\n' "$RED" "$PLAIN" "$1" "${2%.}" "$3" >&2
    exit 1
}

# What a tool left in the log, for the WHY of a failure: its first error, or else its last line.
last_log_line() {
    local log=${1:-$LOG_FILE} line
    line=$(tail -n 400 "$log" 2>/dev/null | grep -m 1 -E '^(#[0-9]+ [0-9.]+ )?(E: |ERROR: |error: |fatal: |[^ ]+( :|:) error )' || true)
    [[ -n $line ]] || line=$(grep -v '^[[:space:]]*$' "$log" 2>/dev/null | tail -n 1 || true)
    sed -E 's/^#[0-9]+ [0-9.]+ //; s/[.[:space:]]*$//' <<<"$line" | cut -c 1-300
}

as_root() {
    if (( EUID == 0 )); then
        "$@"
        return
    fi
    command -v sudo >/dev/null ||
        fail "'$1' needs root" "This is user $(id -un), and sudo is not installed" "run this command as root (su -), or have Docker installed by someone who may"
    if [[ -z ${SUDO_ANNOUNCED-} ]]; then
        SUDO_ANNOUNCED=1
        say "the next steps need root: asking sudo (your password, not stored)"
        sudo -v || fail "sudo refused" "User $(id -un) may not become root here" "run this command as root, or have Docker installed by someone who may"
    fi
    sudo "$@"
}

# Free space in MiB on the file system that holds a path (its nearest existing parent).
free_mib() {
    local path=$1
    while [[ ! -e $path ]]; do path=$(dirname "$path"); done
    df -Pm "$path" | awk 'NR == 2 { print $4 }'
}

need_space() {
    local path=$1 mib=$2 free
    free=$(free_mib "$path")
    (( free >= mib )) ||
        fail "not enough disk space for $3" "$path has $free MiB free, $mib MiB are needed" "free some space (docker image prune, apt-get clean), or give the machine a larger disk"
}

# ---------------------------------------------------------------- Debian packages

host_release() {
    [[ -r /etc/os-release ]] || return 0
    # shellcheck disable=SC1091
    ( . /etc/os-release && printf '%s %s\n' "${ID-}" "${VERSION_ID-}" )
}

package_installed() { dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null | grep -q '^ii'; }

apt_update() {
    [[ -z ${APT_UPDATED-} ]] || return 0
    say "reading the package lists (apt-get update)"
    as_root apt-get -q -o DPkg::Lock::Timeout=120 update >>"$LOG_FILE" 2>&1 || true   # one unreachable third-party list is no reason to stop
    export APT_UPDATED=1
}

apt_install() {
    local package missing=()
    for package; do package_installed "$package" || missing+=("$package"); done
    (( ${#missing[@]} )) || return 0
    command -v apt-get >/dev/null ||
        fail "cannot install ${missing[*]}" "This system has no apt-get" "install it with your system's own package tool, then run this again"
    apt_update
    say "installing ${missing[*]}"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120 install --no-install-recommends "${missing[@]}" >>"$LOG_FILE" 2>&1 ||
        fail "could not install ${missing[*]}" "apt-get says: $(last_log_line)" "check the network and /etc/apt/sources.list, then run this again; all output is in $LOG_FILE"
}

# ---------------------------------------------------------------- Docker

docker_answers() { timeout 20 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

# A running engine, reached directly or, where the socket belongs to others, through sudo. Installs and starts nothing.
docker_access() {
    docker_answers && return
    (( EUID != 0 )) && [[ -S /var/run/docker.sock && ! -w /var/run/docker.sock ]] && command -v sudo >/dev/null || return 1
    as_root timeout 20 docker version >/dev/null 2>&1 || return 1
    say "user $(id -un) is not in the group 'docker': using sudo for docker (for good: sudo usermod -aG docker $(id -un), then log in again)"
    docker() { sudo --preserve-env docker "$@"; }
}

docker_ready() {
    step "Docker"
    docker_access || engine_ready
    plugins_ready
    say "Engine $(docker version --format '{{.Server.Version}}'), Compose $(docker compose version --short), buildx $(docker buildx version | awk '{ print $2 }')"
}

supported_system() {
    local id version
    read -r id version <<<"$(host_release)"
    case $(dpkg --print-architecture 2>/dev/null) in
        amd64 | arm64) ;;
        armhf | armel)
            fail "32-bit ARM is not supported" "The build tools (protoc) exist for 64-bit ARM only" "install the 64-bit Raspberry Pi OS; every Pi from model 3 runs it" ;;
        *) id=unknown ;;
    esac
    [[ $id == debian && ${version%%.*} -ge 12 ]] 2>/dev/null ||
        fail "cannot install Docker here by itself" "This is '${id:-unknown} ${version:-}'; Debian and Raspberry Pi OS 12 or later (64-bit) are known" \
             "install Docker Engine 20.10+ with Compose v2 and buildx (https://docs.docker.com/engine/install/), then run this again"
}

engine_ready() {
    [[ -z ${DOCKER_HOST-} ]] ||
        fail "Docker at $DOCKER_HOST does not answer" "DOCKER_HOST names it and 'docker version' gets no reply" "start that engine, or unset DOCKER_HOST to use this machine"
    if (( EUID != 0 )) && [[ -S /var/run/docker.sock && ! -w /var/run/docker.sock ]] && ! command -v sudo >/dev/null; then
        fail "user $(id -un) may not use Docker" "Its socket is for root and the group docker, and sudo is not installed" "run this as root, or have root say: usermod -aG docker $(id -un)"
    fi
    if [[ ! -x /usr/sbin/dockerd ]] && ! command -v dockerd >/dev/null; then
        supported_system
        need_space /var/lib 1500 "Docker Engine"
        say "Docker Engine is not installed: installing Debian's docker.io"
        engine_install
    fi
    engine_start
    docker_access || fail "Docker does not answer" "It runs, but 'docker version' says: $(docker version 2>&1 | tail -n 1)" "repair what that names, then run this again"
}

engine_install() {
    if [[ $(host_release) == "debian 12"* ]]; then
        apt_install docker.io iptables ca-certificates
    else
        apt_install docker.io docker-cli docker-compose docker-buildx iptables ca-certificates
    fi
}

engine_start() {
    as_root true   # asks now, not where the answer would be hidden
    if [[ -d /run/systemd/system ]] && command -v systemctl >/dev/null; then
        say "starting Docker (systemctl enable --now docker)"
        as_root systemctl enable --now docker >>"$LOG_FILE" 2>&1 ||
            fail "Docker does not start" "Its log ends with: $(as_root journalctl -u docker -n 1 -o cat 2>/dev/null)" "repair what the log names, then run this again"
    else
        dockerd_start
    fi
    local waited=0
    until [[ -S /var/run/docker.sock ]] && as_root docker version >/dev/null 2>&1; do
        (( ++waited <= 60 )) || fail "Docker does not answer" "60 s after its start. Its log ends with: $(dockerd_reason)" "repair what the log names, then run this again"
        if [[ -n ${DOCKERD_PID-} ]] && ! as_root kill -0 "$DOCKERD_PID" 2>/dev/null; then
            fail "dockerd stopped at once" "Its log ends with: $(dockerd_reason)" "repair what the log names, then run this again"
        fi
        sleep 1
    done
}

# No init system (a container, a rescue system, CI): run the daemon ourselves, detached from this terminal.
dockerd_start() {
    local log=/var/log/dockerd.log pid mtu
    pid=$(cat /var/run/docker.pid 2>/dev/null || true)
    if [[ -n $pid ]] && ! grep -qs dockerd "/proc/$pid/cmdline"; then
        say "removing /var/run/docker.pid, left by a Docker that no longer runs"
        as_root rm -f /var/run/docker.pid
        pid=''
    fi
    if [[ -n $pid ]]; then return; fi
    # Containers must not send larger packets than the way out can carry.
    mtu=$(cat "/sys/class/net/$(awk '$2 == "00000000" { print $1; exit }' /proc/net/route)/mtu" 2>/dev/null || echo 1500)
    say "no init system here: starting dockerd in the background (log: $log)"
    as_root sh -c 'PATH=$PATH:/usr/sbin:/sbin; setsid dockerd --mtu "$1" >"$2" 2>&1 </dev/null & echo $! >/var/run/dockerd-starting.pid' - "$(( mtu < 1500 ? mtu : 1500 ))" "$log"
    DOCKERD_PID=$(cat /var/run/dockerd-starting.pid)
    as_root rm -f /var/run/dockerd-starting.pid
}

dockerd_reason() {
    local line
    if [[ -d /run/systemd/system ]]; then
        as_root journalctl -u docker -n 1 -o cat 2>/dev/null
        return
    fi
    line=$(as_root grep -E 'level=fatal|^failed to|^unable to' /var/log/dockerd.log 2>/dev/null | tail -n 1)
    printf '%s' "${line:-$(as_root tail -n 1 /var/log/dockerd.log 2>/dev/null)}" | cut -c 1-300
}

# Compose v2 and buildx are ordinary packages from Debian 13 on. Debian 12 has only Compose 1, so there they come out of
# Debian 13's packages: programs that need nothing newer than Debian 12's libc.
plugins_ready() {
    local missing=() name
    docker compose version >/dev/null 2>&1 || missing+=(docker-compose)
    docker buildx version >/dev/null 2>&1 || missing+=(docker-buildx)
    (( ${#missing[@]} )) || return 0
    supported_system
    if [[ $(host_release) == "debian 12"* ]]; then
        say "taking ${missing[*]} from Debian 13, for Debian 12 has none"
        plugins_from_trixie "${missing[@]}"
    else
        apt_install "${missing[@]}"
    fi
    for name in "${missing[@]#docker-}"; do
        docker "$name" version >/dev/null 2>&1 ||
            fail "docker $name does not run" "It was installed, but says: $(docker "$name" version 2>&1 | tail -n 1)" "install it by hand (https://docs.docker.com/compose/install/linux/)"
    done
}

# Where this machine has its Debian packages from, so that a local mirror is used for everything. The label is Debian or Debian-Security.
debian_mirror() {
    local attempt found
    for attempt in 1 2; do
        found=$(apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null | awk -v label="$1" '$1 == label { print $2; exit }')
        [[ -z $found ]] || { printf '%s' "${found%/}"; return; }
        # The labels stand in the lists, and a new machine has none yet.
        [[ $attempt == 2 ]] || as_root apt-get -q update >>"$LOG_FILE" 2>&1 || true
    done
    fail "no source of Debian packages is known" "apt lists none with the label $1" "set DEBIAN_MIRROR and DEBIAN_SECURITY_MIRROR to addresses of a Debian mirror"
}

# With package lists of its own: the machine's own package state is not touched.
plugins_from_trixie() {
    local work package mirror keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    mirror=${DEBIAN_MIRROR:-$(debian_mirror Debian)}
    work=$(mktemp -d)
    mkdir -p "$work/lists/partial" "$work/sources" "$work/archives/partial"
    [[ -r $keyring ]] || apt_install debian-archive-keyring
    echo "deb [signed-by=$keyring] $mirror trixie main" >"$work/sources.list"
    local options=(-q -o "Dir::State::Lists=$work/lists" -o "Dir::Etc::SourceList=$work/sources.list" -o "Dir::Etc::SourceParts=$work/sources"
                   -o "Dir::Cache::Archives=$work/archives" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o Acquire::Languages=none
                   -o APT::Sandbox::User= -o Debug::NoLocking=1)
    (
        cd "$work" &&
        apt-get "${options[@]}" update &&
        apt-get "${options[@]}" download "$@" &&
        for package in *.deb; do dpkg -x "$package" unpacked || exit 1; done
    ) >>"$LOG_FILE" 2>&1 ||
        { rm -rf "$work"; fail "could not fetch $*" "apt-get says: $(last_log_line)" "check the network, then run this again; all output is in $LOG_FILE"; }
    as_root mkdir -p /usr/local/lib/docker/cli-plugins
    as_root install -m 755 "$work"/unpacked/usr/libexec/docker/cli-plugins/docker-* /usr/local/lib/docker/cli-plugins/
    rm -rf "$work"
}
