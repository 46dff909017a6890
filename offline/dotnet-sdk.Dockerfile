# Stands in for mcr.microsoft.com/dotnet/sdk:10.0-noble-aot: this machine's own .NET folder, which is the build context, and a linker.
ARG BASE
FROM ${BASE}
RUN apt-get -q update \
 && DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends gcc libc6-dev \
 && rm -rf /var/lib/apt/lists/*
COPY . /usr/share/dotnet
# The base carries this machine's certificate authorities, so that restore works behind a company proxy.
# Where certificate revocation lists cannot be reached, asking for them makes every package wait for a time-out.
ENV PATH=$PATH:/usr/share/dotnet \
    DOTNET_ROOT=/usr/share/dotnet \
    DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_GENERATE_ASPNET_CERTIFICATE=false \
    DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    NUGET_CERT_REVOCATION_MODE=offline
