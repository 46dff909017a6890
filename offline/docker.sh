#!/usr/bin/env bash
# Docker on a fresh machine. ./up and the other scripts source this file for its functions; ./test also runs it as a program.
#
# usage: offline/docker.sh ready               finds Docker Engine, Compose 2 and buildx; installs or starts what is missing
#        offline/docker.sh install PACKAGE…    installs Debian packages that are not there yet
#
# Every failure is one line on stderr: what failed, why, how to fix it.

# shellcheck disable=SC2015,SC2016,SC2032,SC2033,SC2034  # a && b || fail; other programs' dollars; docker as a function; colours for others

# The output of tools, for failure messages. Only its owner may read it, because it may hold a secret.
if [[ -z ${LOG_FILE-} ]]; then
    LOG_FILE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/artifacts/$(basename "$0").log
    { mkdir -p "${LOG_FILE%/*}" && ( umask 077; : >"$LOG_FILE" ) && chmod 600 "$LOG_FILE"; } 2>/dev/null || LOG_FILE=$(mktemp)
    export LOG_FILE
fi

BOLD='' RED='' GREEN='' YELLOW='' PLAIN=''
if [[ -t 1 && -z ${NO_COLOR-} ]]; then BOLD=$'\e[1m' RED=$'\e[31m' GREEN=$'\e[32m' YELLOW=$'\e[33m' PLAIN=$'\e[0m'; fi

step() { printf '%s==>%s %s\n' "$GREEN" "$PLAIN" "$*"; }
say()  { printf '    %s\n' "$*"; }
warn() { printf '%s    warning:%s %s\n' "$YELLOW" "$PLAIN" "$*" >&2; }

# fail WHAT WHY FIX: the only way these scripts give up.
fail() {
    printf '%sfailed:%s %s. %s. To fix it: %s\n' "$RED" "$PLAIN" "$1" "${2%.}" "$3" >&2
    exit 1
}

# The reason that a tool wrote into the log, for the WHY of a failure: its first error, or else its last line.
last_log_line() {
    local line
    line=$(tail -n 400 "$LOG_FILE" | grep -m 1 -E '^(#[0-9]+ [0-9.]+ )?(E: |ERROR: |error: |fatal: |[^ ]+( :|:) error )' || true)
    [[ -n $line ]] || line=$(grep -v '^[[:space:]]*$' "$LOG_FILE" | tail -n 1 || true)
    sed -E 's/^#[0-9]+ [0-9.]+ //; s/[.[:space:]]*$//' <<<"$line" | cut -c 1-300
}

as_root() {
    if (( EUID == 0 )); then "$@"; return; fi
    local fix='run this command as root (su -), or ask an administrator to install Docker'
    command -v sudo >/dev/null || fail "the next step needs root" "This is user $(id -un), and sudo is not installed" "$fix"
    if [[ -z ${SUDO_ANNOUNCED-} ]]; then
        export SUDO_ANNOUNCED=yes
        say "the next steps need root: asking sudo (your password, not stored)"
        sudo -v || fail "sudo refused" "User $(id -un) may not become root here" "$fix"
    fi
    sudo "$@"
}

# need_space DIRECTORY MIB WHAT-FOR
need_space() {
    local path=$1 free
    while [[ ! -e $path ]]; do path=$(dirname "$path"); done
    free=$(df -Pm "$path" | awk 'NR == 2 { print $4 }')
    (( free >= $2 )) ||
        fail "not enough disk space for $3" "$path has $free MiB free, $2 MiB are needed" "free some space (docker image prune, apt-get clean), or give the machine a larger disk"
}

# ---------------------------------------------------------------- Debian packages

apt_install() {
    local package missing=()
    for package; do dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' || missing+=("$package"); done
    (( ${#missing[@]} )) || return 0
    command -v apt-get >/dev/null ||
        fail "cannot install ${missing[*]}" "This system has no apt-get" "install it with your system's own package tool, then run this again"
    as_root true   # sudo asks for the password now; below, its question would be hidden
    say "installing ${missing[*]}"
    # Finishes an installation that was interrupted, perhaps an earlier one of this script. Otherwise this does nothing.
    as_root env DEBIAN_FRONTEND=noninteractive dpkg --configure -a --force-confold >>"$LOG_FILE" 2>&1 || true
    # One unreachable third-party package list must not stop the installation.
    as_root apt-get -q -o DPkg::Lock::Timeout=600 update >>"$LOG_FILE" 2>&1 || true
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=600 install --no-install-recommends "${missing[@]}" >>"$LOG_FILE" 2>&1 ||
        fail "could not install ${missing[*]}" "apt-get says: $(last_log_line)" "check the network and /etc/apt/sources.list, then run this again; all output is in $LOG_FILE"
}

is_debian_12() { grep -qs '^ID=debian' /etc/os-release && grep -qs '^VERSION_ID="12' /etc/os-release; }

# The mirror that this machine gets its packages from, so that a local mirror is used for everything. The label is Debian or Debian-Security.
debian_mirror() {
    local found attempt
    for attempt in 1 2; do
        found=$(apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null | awk -v label="$1" '$1 == label { print $2; exit }')
        [[ -z $found ]] || { printf '%s' "${found%/}"; return; }
        # The labels are in the package lists, and a new machine has no lists yet.
        [[ $attempt == 2 ]] || as_root apt-get -q update >>"$LOG_FILE" 2>&1 || true
    done
    fail "no source of Debian packages is known" "apt lists none with the label $1" "set DEBIAN_MIRROR and DEBIAN_SECURITY_MIRROR to addresses of a Debian mirror"
}

# ---------------------------------------------------------------- Docker

docker_answers() { timeout 20 docker version >/dev/null 2>&1; }

# Whether the engine can be reached only by root: this user is not in the group docker.
socket_is_closed() { (( EUID != 0 )) && [[ -S /var/run/docker.sock && ! -w /var/run/docker.sock ]]; }

docker_allowed() {
    ! socket_is_closed || command -v sudo >/dev/null ||
        fail "user $(id -un) may not use Docker" "Its socket is for root and the group docker, and sudo is not installed" "run this as root, or ask root to run: usermod -aG docker $(id -un)"
}

# Finds a running engine: directly or, where this user may not use the socket, through sudo. Installs and starts nothing.
docker_access() {
    # The script that called this one has found the engine already.
    ! declare -F docker >/dev/null || return 0
    docker_answers && return
    socket_is_closed && command -v sudo >/dev/null && as_root timeout 20 docker version >/dev/null 2>&1 || return 1
    say "user $(id -un) is not in the group 'docker': using sudo for docker (to do without: sudo usermod -aG docker $(id -un), then log in again)"
    docker() { sudo --preserve-env docker "$@"; }
    export -f docker   # for the scripts that this one calls
}

have() { docker image inspect "$1" >/dev/null 2>&1; }   # have IMAGE

docker_ready() {
    step "Docker"
    docker_access || engine_ready
    plugins_ready
    say "Engine $(docker version --format '{{.Server.Version}}'), Compose $(docker compose version --short), buildx $(docker buildx version | awk '{ print $2 }')"
}

# This file installs Docker on Debian alone. On other systems a person must install it.
supported_system() {
    local processor
    processor=$(dpkg --print-architecture 2>/dev/null || true)
    [[ $processor != arm[he]* ]] ||
        fail "32-bit ARM is not supported" "The build tools (protoc) exist for 64-bit ARM only" "install the 64-bit Raspberry Pi OS; every Pi from model 3 runs it"
    # shellcheck disable=SC1091
    [[ $processor == @(amd64|arm64) ]] && ( . /etc/os-release && [[ $ID == debian && ${VERSION_ID%%.*} -ge 12 ]] ) 2>/dev/null ||
        fail "cannot install Docker on this system" "This is not Debian or Raspberry Pi OS 12 or later (64-bit)" \
             "install Docker Engine 20.10+ with Compose v2 and buildx (https://docs.docker.com/engine/install/), then run this again"
}

engine_ready() {
    local dockerd='' waited=0
    [[ -z ${DOCKER_HOST-} ]] ||
        fail "Docker at $DOCKER_HOST does not answer" "DOCKER_HOST names it and 'docker version' gets no reply" "start that engine, or unset DOCKER_HOST to use this machine"
    docker_allowed
    if [[ ! -x /usr/sbin/dockerd ]] && ! command -v dockerd >/dev/null; then
        supported_system
        need_space /var/lib 1500 "Docker Engine"
        say "Docker Engine is not installed: installing Debian's docker.io"
        # In Debian 12 the package docker.io contains the command line. Compose 2 and buildx have no package there.
        if is_debian_12; then apt_install docker.io iptables ca-certificates
        else apt_install docker.io docker-cli docker-compose docker-buildx iptables ca-certificates; fi
    fi
    as_root true
    if [[ -d /run/systemd/system ]]; then
        say "starting Docker (systemctl enable --now docker)"
        as_root systemctl enable --now docker >>"$LOG_FILE" 2>&1 || fail "Docker does not start" "Its log ends with: $(engine_reason)" "correct what the log names, then run this again"
    else
        dockerd_start
    fi
    until as_root docker version >/dev/null 2>&1; do
        (( ++waited <= 60 )) || fail "Docker does not answer" "It was started 60 s ago. Its log ends with: $(engine_reason)" "correct what the log names, then run this again"
        [[ -z $dockerd ]] || [[ -d /proc/$dockerd ]] || fail "dockerd stopped at once" "Its log ends with: $(engine_reason)" "correct what the log names, then run this again"
        sleep 1
    done
    docker_access || fail "Docker does not answer" "It runs, but 'docker version' says: $(docker version 2>&1 | tail -n 1)" "correct what this message names, then run this again"
}

# No init system (a container, a rescue system, CI): run the daemon ourselves, detached from this terminal.
dockerd_start() {
    local mtu old
    old=$(cat /var/run/docker.pid 2>/dev/null || true)
    ! grep -qs dockerd "/proc/${old:-none}/cmdline" || return 0
    # The pid file of a Docker that no longer runs keeps the next one from starting.
    as_root rm -f /var/run/docker.pid
    # Containers must not send larger packets than the network interface to the outside can carry.
    mtu=$(cat "/sys/class/net/$(awk '$2 == "00000000" { print $1; exit }' /proc/net/route)/mtu" 2>/dev/null || echo 1500)
    say "no init system here: starting dockerd in the background (log: /var/log/dockerd.log)"
    dockerd=$(as_root sh -c 'PATH=$PATH:/usr/sbin:/sbin; setsid dockerd --mtu "$1" >/var/log/dockerd.log 2>&1 </dev/null & echo $!' - "$(( mtu < 1500 ? mtu : 1500 ))")
}

engine_reason() {
    if [[ -d /run/systemd/system ]]; then as_root journalctl -u docker -n 1 -o cat 2>/dev/null
    else as_root sh -c 'grep -E "level=fatal|^failed to|^unable to" "$1" || cat "$1"' - /var/log/dockerd.log 2>/dev/null | tail -n 1 | cut -c 1-300; fi
}

# Compose 2 and buildx are ordinary packages from Debian 13 on. Debian 12 has only Compose 1, so there they are taken from Debian 13's
# packages. These programs run with Debian 12's libc.
plugins_ready() {
    local missing=() name
    docker compose version >/dev/null 2>&1 || missing+=(docker-compose)
    docker buildx version >/dev/null 2>&1 || missing+=(docker-buildx)
    (( ${#missing[@]} )) || return 0
    supported_system
    if is_debian_12; then plugins_from_trixie "${missing[@]}"; else apt_install "${missing[@]}"; fi
    for name in "${missing[@]#docker-}"; do
        docker "$name" version >/dev/null 2>&1 ||
            fail "docker $name does not run" "It was installed, but says: $(docker "$name" version 2>&1 | tail -n 1)" "install it by hand (https://docs.docker.com/compose/install/linux/)"
    done
}

# Uses its own package lists, and leaves the machine's package state as it is.
plugins_from_trixie() {
    local work package mirror keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    say "taking $* from Debian 13, because Debian 12 does not have them"
    mirror=${DEBIAN_MIRROR:-$(debian_mirror Debian)}
    work=$(mktemp -d)
    [[ -r $keyring ]] || apt_install debian-archive-keyring
    echo "deb [signed-by=$keyring] $mirror trixie main" >"$work/sources.list"
    local apt=(apt-get -q -o "Dir::State=$work" -o "Dir::Cache=$work" -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=/dev/null
               -o Acquire::Languages=none -o APT::Sandbox::User= -o Debug::NoLocking=1)
    ( cd "$work" && "${apt[@]}" update && "${apt[@]}" download "$@" && for package in *.deb; do dpkg -x "$package" unpacked || exit 1; done ) >>"$LOG_FILE" 2>&1 ||
        { rm -rf "$work"; fail "could not fetch $*" "apt-get says: $(last_log_line)" "check the network, then run this again; all output is in $LOG_FILE"; }
    as_root mkdir -p /usr/local/lib/docker/cli-plugins
    as_root install -m 755 "$work"/unpacked/usr/libexec/docker/cli-plugins/docker-* /usr/local/lib/docker/cli-plugins/
    rm -rf "$work"
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    set -euo pipefail
    case ${1-} in
        ready) docker_ready ;;
        install) apt_install "${@:2}" ;;
        *) sed -n '2,/^$/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
    esac
fi
