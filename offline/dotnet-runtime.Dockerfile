# Stands in for mcr.microsoft.com/dotnet/aspnet. The build context is this machine's own .NET folder.
ARG BASE
FROM ${BASE}
RUN useradd --uid 1654 --user-group --create-home app
COPY . /usr/share/dotnet
ENV PATH=$PATH:/usr/share/dotnet \
    DOTNET_ROOT=/usr/share/dotnet \
    DOTNET_RUNNING_IN_CONTAINER=true DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 \
    ASPNETCORE_HTTP_PORTS=8080 APP_UID=1654 \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
USER 1654
