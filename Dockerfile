# Every image of the project: a target per service, each one native program on a base without a shell.
# No `# syntax=` line: it would be fetched from a registry. No RUN in the services' stages: their base has no shell.

ARG DOTNET_SDK_IMAGE=mcr.microsoft.com/dotnet/sdk:10.0-noble-aot
ARG DOTNET_RUNTIME_IMAGE=mcr.microsoft.com/dotnet/runtime-deps:10.0-noble-chiseled
ARG MOSQUITTO_IMAGE=eclipse-mosquitto:2.0.22


# The libraries, compiled once for all services. It runs on the building machine's own processor, whatever the image is for.
FROM --platform=$BUILDPLATFORM ${DOTNET_SDK_IMAGE} AS libraries
ARG BUILDARCH
ARG TARGETARCH
# Linking for another processor takes that processor's C library, and a linker that knows it.
RUN [ "$TARGETARCH" = "$BUILDARCH" ] || { \
        case $TARGETARCH in arm64) cross="gcc-aarch64-linux-gnu libc6-dev-arm64-cross" ;; *) cross="gcc-x86-64-linux-gnu libc6-dev-$TARGETARCH-cross" ;; esac; \
        { apt-get update && apt-get install -y --no-install-recommends clang lld llvm $cross && rm -rf /var/lib/apt/lists/*; } || \
        { echo "error: no cross compiler for $TARGETARCH: one of the packages clang lld llvm $cross could not be installed" >&2; exit 1; }; }
WORKDIR /source
# The same place for packages, whichever user builds.
ENV NUGET_PACKAGES=/nuget
# The services' images have no shell to make these: their own directories, and the time zones for PARTITION_TIME_ZONE.
RUN mkdir -p /owned/data /owned/keys /usr/share/zoneinfo
COPY global.json NuGet.config Directory.Build.props Directory.Build.targets Directory.Packages.props Service.props BannedSymbols.txt ./
COPY protos protos
COPY libs libs
# Restores only packages that the lock files name. The lock on the cache also lets one compiler run at a time: each takes 1.2 GB.
RUN --mount=type=cache,id=thermal-streaming-nuget,target=/nuget,sharing=locked \
    dotnet restore libs/forwarding --locked-mode --verbosity quiet \
 && dotnet build libs/forwarding --no-restore --configuration Release --verbosity quiet --nologo -p:RunAnalyzers=false -p:GenerateDocumentationFile=false
COPY services/methods.order services/
COPY --chmod=0755 services/publish.sh services/


FROM libraries AS build-sensor-agent
COPY services/sensor-agent services/sensor-agent
RUN --mount=type=cache,id=thermal-streaming-nuget,target=/nuget,sharing=locked services/publish.sh services/sensor-agent /out $TARGETARCH


FROM libraries AS build-snowpipe-forwarder
COPY sql/streaming/02_table.sql sql/streaming/
COPY services/snowpipe-forwarder services/snowpipe-forwarder
RUN --mount=type=cache,id=thermal-streaming-nuget,target=/nuget,sharing=locked services/publish.sh services/snowpipe-forwarder /out $TARGETARCH


FROM libraries AS build-s3-forwarder
COPY services/s3-forwarder services/s3-forwarder
RUN --mount=type=cache,id=thermal-streaming-nuget,target=/nuget,sharing=locked services/publish.sh services/s3-forwarder /out $TARGETARCH


FROM libraries AS build-console
COPY services/console services/console
RUN --mount=type=cache,id=thermal-streaming-nuget,target=/nuget,sharing=locked services/publish.sh services/console /out $TARGETARCH


FROM libraries AS build-thermalctl
COPY services/thermalctl services/thermalctl
RUN --mount=type=cache,id=thermal-streaming-nuget,target=/nuget,sharing=locked services/publish.sh services/thermalctl /out $TARGETARCH
RUN mkdir -p /owned/mosquitto/auth /owned/mosquitto/authority \
             /owned/credentials/sensor-agent /owned/credentials/snowpipe-forwarder /owned/credentials/s3-forwarder /owned/credentials/console \
             /owned/credentials/publisher /owned/credentials/cli \
             /owned/control/sensor-agent /owned/control/snowpipe-forwarder /owned/control/s3-forwarder /owned/control/cli


FROM libraries AS build-snowflake
COPY emulators/snowflake emulators/snowflake
RUN --mount=type=cache,id=thermal-streaming-nuget,target=/nuget,sharing=locked services/publish.sh emulators/snowflake /out $TARGETARCH


# What all services share. Nothing may write outside /data and /tmp.
FROM ${DOTNET_RUNTIME_IMAGE} AS service
ENV DOTNET_GCgen0size=200000 \
    DOTNET_GCgen0MaxBudget=200000 \
    DOTNET_ThreadPool_UnfairSemaphoreSpinLimit=0 \
    MALLOC_ARENA_MAX=1 \
    MALLOC_MMAP_THRESHOLD_=65536 \
    MALLOC_TRIM_THRESHOLD_=131072 \
    DOTNET_EnableDiagnostics=0 \
    ASPNETCORE_HTTP_PORTS= \
    PATH=/app:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
WORKDIR /app
COPY --from=libraries --chown=1654:1654 /owned/data /data
USER 1654:1654
EXPOSE 8080


FROM service AS sensor-agent
COPY --from=build-sensor-agent /out .
ENTRYPOINT ["sensor-agent"]


# The time zones for mappings, whose times may come without one.
FROM service AS snowpipe-forwarder
COPY --from=libraries /usr/share/zoneinfo /usr/share/zoneinfo
COPY --from=libraries --chown=1654:1654 /owned/keys /keys
COPY --from=build-snowpipe-forwarder /out .
ENTRYPOINT ["snowpipe-forwarder"]


FROM service AS s3-forwarder
COPY --from=libraries /usr/share/zoneinfo /usr/share/zoneinfo
COPY --from=build-s3-forwarder /out .
ENTRYPOINT ["s3-forwarder"]


# The page, on a port of its own.
FROM service AS console
COPY --from=build-console /out .
EXPOSE 8088
ENTRYPOINT ["console"]


# The operator's program; also `setup` and `keeper`, which give the broker's volumes to the broker's user.
FROM service AS thermalctl
COPY --from=libraries /usr/share/zoneinfo /usr/share/zoneinfo
COPY --from=build-thermalctl --chown=1883:1883 /owned /
COPY --from=build-thermalctl /out .
ENTRYPOINT ["thermalctl"]


# The emulator: tables and pipes come from the SQL that a real account is set up with.
FROM service AS snowflake
COPY --from=libraries --chown=1654:1654 /owned/keys /keys
COPY LICENSE sql* /sql/
COPY --from=build-snowflake /out .
EXPOSE 8090
ENTRYPOINT ["snowflake"]


# The broker with its configuration.
FROM ${MOSQUITTO_IMAGE} AS mosquitto
USER root
# Debian has the plugin in a directory of the architecture.
RUN [ -e /usr/lib/mosquitto_dynamic_security.so ] || ln -s /usr/lib/*/mosquitto_dynamic_security.so /usr/lib/
RUN mkdir -p /mosquitto/auth /mosquitto/data && chown -R 1883:1883 /mosquitto
COPY mosquitto/mosquitto.conf /mosquitto/config/
COPY --chmod=0755 mosquitto/broker.sh /usr/local/bin/broker
COPY --chmod=0755 mosquitto/restore-subscriptions.sh /usr/local/bin/restore-subscriptions
USER 1883:1883
EXPOSE 1883 8883
ENTRYPOINT []
CMD ["broker"]
