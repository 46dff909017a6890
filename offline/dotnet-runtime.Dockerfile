# Stands in for mcr.microsoft.com/dotnet/runtime-deps, chiselled: what a native .NET program needs of the system, and the same user.
# No shell, no package manager, no .NET. The context is what offline/base unpacked.
FROM scratch
ADD base.tar /
COPY --chmod=0644 ca-certificates.crt /etc/ssl/certs/
COPY --chmod=0644 passwd group /etc/
ENV DOTNET_RUNNING_IN_CONTAINER=true DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 \
    APP_UID=1654 \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
USER 1654
