# shellcheck shell=bash
# Where the images come from: sourced by ./up and ./test after offline/docker.sh and offline/settings.sh, from the project's root.

mark='# Added by ./up: no image registry answers here, so these were built by offline/build. Remove with ./up --online.'

# local_images_in_env [FILE]: replaces the lines that ./up itself keeps in .env; without a file, removes them. The rest stays as it is, byte for byte, with
# its line ends and byte order mark. A disk that fills up leaves the old .env.
local_images_in_env() {
    local names=${1-} end='' target
    [[ -f .env || -n $names ]] || return 0
    target=$(readlink -f .env)
    ! grep -qs $'\r$' "$target" || end=$'\r'
    (
        umask 077
        {
            [[ ! -f $target ]] ||
                awk '/^# Added by \.\/up: / { ours = 1; next } ours && /^[A-Z_]+_IMAGE=thermal-streaming\/offline-/ { next } { ours = 0; print }' "$target"
            [[ -z $names ]] || { printf '%s%s\n' "$mark" "$end"; sed -n "/^[A-Z]/s/\$/$end/p" "$names"; }
        } >"$target.new"
    ) || { rm -f "$target.new"; fail ".env cannot be written" "The new text does not fit beside it, or the directory is read-only" "free some space, or make $PWD writable for $(id -un)"; }
    if [[ ! -s $target.new ]]; then
        rm -f "$target" "$target.new"
    elif cmp -s "$target" "$target.new" || { [[ -z $names ]] && ! grep -qs '^# Added by ./up: ' "$target"; }; then
        rm -f "$target.new"
    else
        [[ ! -e $target ]] || chown --reference="$target" "$target.new" 2>/dev/null || true
        mv "$target.new" "$target"
    fi
}

# The images that are pulled where a registry answers: name and value.
published_images() {
    local name
    for name in MOSQUITTO_IMAGE DOTNET_SDK_IMAGE DOTNET_RUNTIME_IMAGE; do printf '%s %s\n' "$name" "$(value "services/setup/build/args/$name")"; done
    ! in_project localstack || printf 'LOCALSTACK_IMAGE %s\n' "$(value services/localstack/image)"
}

images_present() {
    local image
    while read -r _ image; do docker image inspect "$image" >/dev/null 2>&1 || return 1; done < <(published_images)
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
        settings_or_fail "${settings_from[@]}"
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
    settings_or_fail "${settings_from[@]}"
}
