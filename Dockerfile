# Every image of the project: one restore and one build, then a target per service.
# No `# syntax=` line: it would be fetched from a registry. No RUN in the services' stages: their base has no shell.

ARG DOTNET_SDK_IMAGE=mcr.microsoft.com/dotnet/sdk:10.0
ARG DOTNET_RUNTIME_IMAGE=mcr.microsoft.com/dotnet/aspnet:10.0-noble-chiseled
ARG MOSQUITTO_IMAGE=eclipse-mosquitto:2.0.22


# The output is portable (no runtime identifier), so that it is built once, here, for amd64 and arm64 alike.
FROM --platform=$BUILDPLATFORM ${DOTNET_SDK_IMAGE} AS build
WORKDIR /source
# One place for packages, whoever builds.
ENV NUGET_PACKAGES=/nuget
# What the services' images lack and cannot make: directories of their own, and the time zones for PARTITION_TIME_ZONE.
RUN mkdir -p /owned/data /owned/keys /usr/share/zoneinfo
COPY global.json NuGet.config Directory.Build.props Directory.Packages.props BannedSymbols.txt ThermalStreaming.slnx services.slnf ./
COPY protos protos
COPY libs libs
COPY emulators emulators
COPY services services
COPY sql/streaming/02_table.sql sql/streaming/
# Analyzers and code style have had their say in ./test. Nothing may be restored that the lock files do not name.
RUN --mount=type=cache,id=thermal-streaming-nuget,target=/nuget,sharing=locked \
    dotnet restore services.slnf --locked-mode --verbosity quiet \
 && dotnet publish services.slnf --no-restore --configuration Release --verbosity quiet --nologo \
        -p:UseAppHost=false -p:RunAnalyzers=false -p:GenerateDocumentationFile=false


# What all services share. One heap, no profile collection, no diagnostics port: a Pi has little memory, and nothing
# may write outside /data and /tmp.
FROM ${DOTNET_RUNTIME_IMAGE} AS service
ENV DOTNET_gcServer=0 \
    DOTNET_GCgen0size=0x200000 \
    DOTNET_GCgen0MaxBudget=0x200000 \
    DOTNET_TieredPGO=0 \
    DOTNET_ThreadPool_UnfairSemaphoreSpinLimit=0 \
    DOTNET_EnableWriteXorExecute=0 \
    MALLOC_ARENA_MAX=1 \
    MALLOC_MMAP_THRESHOLD_=65536 \
    MALLOC_TRIM_THRESHOLD_=131072 \
    DOTNET_EnableDiagnostics=0 \
    ASPNETCORE_HTTP_PORTS=
WORKDIR /app
COPY --from=build --chown=1654:1654 /owned/data /data
USER 1654:1654
EXPOSE 8080


FROM service AS sensor-agent
COPY --from=build /source/artifacts/publish/SensorAgent/release .
ENTRYPOINT ["dotnet", "/app/ThermalStreaming.SensorAgent.dll"]


FROM service AS snowpipe-forwarder
COPY --from=build --chown=1654:1654 /owned/keys /keys
COPY --from=build /source/artifacts/publish/SnowpipeForwarder/release .
ENTRYPOINT ["dotnet", "/app/ThermalStreaming.SnowpipeForwarder.dll"]


FROM service AS s3-forwarder
COPY --from=build /usr/share/zoneinfo /usr/share/zoneinfo
COPY --from=build /source/artifacts/publish/S3Forwarder/release .
ENTRYPOINT ["dotnet", "/app/ThermalStreaming.S3Forwarder.dll"]


# The emulator: tables and pipes come from the SQL that a real account is set up with.
FROM service AS snowflake
COPY --from=build --chown=1654:1654 /owned/keys /keys
COPY LICENSE sql* /sql/
COPY --from=build /source/artifacts/publish/SnowflakeEmulator/release .
EXPOSE 8090
ENTRYPOINT ["dotnet", "/app/ThermalStreaming.SnowflakeEmulator.dll"]


# The broker with its configuration; also `setup` and `keeper`, which need openssl.
FROM ${MOSQUITTO_IMAGE} AS mosquitto
USER root
RUN command -v openssl >/dev/null || apk add --no-cache openssl
# Debian has the plugin in a directory of the architecture.
RUN [ -e /usr/lib/mosquitto_dynamic_security.so ] || ln -s /usr/lib/*/mosquitto_dynamic_security.so /usr/lib/
RUN mkdir -p /mosquitto/auth /mosquitto/authority /mosquitto/data \
             /credentials/sensor-agent /credentials/snowpipe-forwarder /credentials/s3-forwarder /credentials/publisher \
 && chown -R 1883:1883 /mosquitto /credentials
COPY mosquitto/mosquitto.conf /mosquitto/config/
COPY mosquitto/users.sh /usr/local/bin/
COPY --chmod=0755 mosquitto/setup.sh /usr/local/bin/setup
COPY --chmod=0755 mosquitto/broker.sh /usr/local/bin/broker
COPY --chmod=0755 mosquitto/restore-subscriptions.sh /usr/local/bin/restore-subscriptions
USER 1883:1883
EXPOSE 1883 8883
ENTRYPOINT []
CMD ["broker"]
