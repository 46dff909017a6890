# shellcheck shell=bash
# Where the images come from: sourced by ./up and ./test after offline/docker.sh, from the project's root.

# setting NAME DEFAULT: as Compose sees it, from the environment or .env.
setting() {
    local value=${!1-}
    [[ -n $value || ! -r .env ]] || value=$(sed -n "s/^[[:space:]]*$1=//p" .env | tail -n 1 | sed "s/^[\"']//; s/[\"'][[:space:]]*$//")
    printf '%s' "${value:-$2}"
}

mark='# Added by ./up: no image registry answers here, so these were built by offline/build. Remove with ./up --online.'

# Replace the lines that ./up itself keeps at the end of .env; without a file, remove them.
local_images_in_env() {
    local names=${1-}
    [[ -f .env || -n $names ]] || return 0
    {
        if [[ -f .env ]]; then
            sed "/^# Added by .\/up: /,/^DOTNET_RUNTIME_IMAGE=/d" .env
        fi
        if [[ -n $names ]]; then
            printf '%s\n' "$mark"
            grep '^[A-Z]' "$names"
        fi
    } >.env.new
    if [[ -s .env.new ]]; then cat .env.new >.env; else rm -f .env; fi
    rm -f .env.new
}

published_images() {
    setting MOSQUITTO_IMAGE eclipse-mosquitto:2.0.22; echo
    setting LOCALSTACK_IMAGE localstack/localstack:4.14.0; echo
    setting DOTNET_SDK_IMAGE mcr.microsoft.com/dotnet/sdk:10.0; echo
    setting DOTNET_RUNTIME_IMAGE mcr.microsoft.com/dotnet/aspnet:10.0-noble-chiseled; echo
}

images_present() {
    local image
    while read -r image; do docker image inspect "$image" >/dev/null 2>&1 || return 1; done < <(published_images)
}

registry_answers() {
    local registry
    for registry in https://registry-1.docker.io/v2/ https://mcr.microsoft.com/v2/; do
        # 401 is how a registry greets somebody who has not logged in.
        case $(curl -s -o /dev/null -m 6 -w '%{http_code}' "$registry" || true) in
            200 | 401) ;;
            *) return 1 ;;
        esac
    done
}

# images_ready [auto|online|offline]: sees to it that the images that the Dockerfile and the Compose files name can be had,
# and that Compose knows them. Where a registry answers there is nothing to do.
images_ready() {
    local images=${1:-auto} own=''
    grep -qs '^# Added by ./up: ' .env && own=yes
    if [[ $images == online ]]; then
        local_images_in_env
        return
    fi
    if [[ $images == auto && -z $own ]]; then
        images_present && return
        if registry_answers; then
            say "images come from Docker Hub and mcr.microsoft.com"
            need_space /var/lib/docker 3000 "the images"
            return
        fi
        say "no image registry answers from here: making the images from Debian packages"
    fi
    IMAGES_ANNOUNCED=yes offline/build
    local_images_in_env offline/images/images.env
}
