# Stands in for mcr.microsoft.com/dotnet/runtime-deps: what a native .NET program needs of the system, and the same user. No .NET.
ARG BASE
FROM ${BASE}
RUN useradd --uid 1654 --user-group --create-home app
ENV DOTNET_RUNNING_IN_CONTAINER=true DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 \
    APP_UID=1654 \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
USER 1654
