#!/bin/sh
# Compiles one program natively, for this machine's processor or another.
#
# usage: services/publish.sh DIRECTORY-OF-THE-PROJECT OUTPUT [amd64 | arm64]
#
# OUTPUT gets the program, named like the project's directory, and the native libraries that it loads. Needs the .NET SDK and gcc or
# clang; for another processor also clang, lld, and that processor's gcc and C library (Debian: gcc-aarch64-linux-gnu, libc6-dev-arm64-cross).
# One compiler takes 1.2 GB of memory.
set -eu

project=${1%/} output=$2
case $(uname -m) in x86_64) here=amd64 ;; aarch64) here=arm64 ;; *) here=$(uname -m) ;; esac
target=${3:-$here}
case $target in
    amd64) rid=linux-x64 ;;
    arm64) rid=linux-arm64 ;;
    *) echo "there is no native compiler for the processor '$target'; use amd64 or arm64 (a 64-bit system)" >&2; exit 1 ;;
esac
linker=''
[ "$target" = "$here" ] || linker=-p:LinkerFlavor=lld

# ./test runs the analyzers and checks the code style.
dotnet restore "$project" --locked-mode --verbosity quiet
dotnet publish "$project" --no-restore --runtime "$rid" --configuration Release --output "$output" --verbosity quiet --nologo -maxcpucount:1 \
    -p:RunAnalyzers=false -p:GenerateDocumentationFile=false $linker
rm -f "$output"/*.pdb "$output"/*.dbg "$output"/*.json
name=${project##*/}
for program in "$output"/ThermalStreaming.*; do mv "$program" "$output/$name"; done
