using System.Net;

namespace ThermalStreaming.Hosting;

/// <summary>Where a service listens for gRPC, and who may change something. Immutable.</summary>
sealed record ControlSettings
{
    /// <summary>0: it does not listen.</summary>
    public required int Port { get; init; }

    public required IPAddress Address { get; init; }

    /// <summary>The file that holds the token.</summary>
    public required string TokenFile { get; init; }

    /// <summary>Files with the certificate and its key, PEM; null: no TLS.</summary>
    public (string Certificate, string Key)? Tls { get; init; }

    /// <summary>The settings of a service that is not controlled.</summary>
    public static ControlSettings None { get; } =
        new()
        {
            Port = 0,
            Address = IPAddress.Loopback,
            TokenFile = "",
        };

    /// <param name="settings">Gets the problems.</param>
    /// <param name="httpPort">HTTP_PORT, which must be a different port.</param>
    public static ControlSettings Load(Settings settings, int httpPort)
    {
        var port = settings.WholeNumber(
            "GRPC_PORT",
            0,
            0,
            65535,
            "Port of the control services (gRPC, HTTP/2); 0 for none. In Compose 8081."
        );
        var text = settings.Text("GRPC_ADDRESS", "127.0.0.1", "Address to listen on for gRPC; in Compose 0.0.0.0, the project's network.");
        var tokenFile = settings.Text("CONTROL_TOKEN_FILE", "/run/control/token", "File with the token that changing calls need.");
        var isTls = settings.Flag("GRPC_TLS", false, "true: gRPC over TLS only. Needed where the calls leave this machine.");
        var certificate = settings.Text(
            "GRPC_TLS_CERTIFICATE_FILE",
            "/run/control/server.crt",
            "Certificate for GRPC_TLS, PEM; a new one is read without a restart."
        );
        var key = settings.Text("GRPC_TLS_KEY_FILE", "/run/control/server.key", "Key of that certificate, PEM.");
        if (port != 0 && port == httpPort)
            settings.Problem($"GRPC_PORT is {port}, the same as HTTP_PORT; choose another port, or 0 for no control services.");
        if (!IPAddress.TryParse(text, out var address))
        {
            settings.Problem($"GRPC_ADDRESS is '{text}'; it must be an address of this machine: 127.0.0.1, ::1, 0.0.0.0 for all, …");
            address = IPAddress.Loopback;
        }
        if (port != 0 && !isTls && !IPAddress.IsLoopback(address) && !IsContainer)
            settings.Problem(
                $"GRPC_ADDRESS is '{text}', which other machines can reach, and GRPC_TLS is false: the token would cross the network "
                    + "unencrypted. Set GRPC_TLS=true, or GRPC_ADDRESS=127.0.0.1."
            );
        if (port != 0 && isTls)
        {
            var isReadable = Readable(settings, "GRPC_TLS_CERTIFICATE_FILE", certificate);
            isReadable &= Readable(settings, "GRPC_TLS_KEY_FILE", key);
            if (isReadable && ControlCertificate.Problem(certificate, key) is { } problem)
                settings.Problem(
                    $"GRPC_TLS_CERTIFICATE_FILE '{certificate}' and GRPC_TLS_KEY_FILE '{key}' cannot be used together ({problem}); give a "
                        + "certificate and its own key, both PEM, the key unencrypted, or set GRPC_TLS=false."
                );
        }
        return new()
        {
            Port = port,
            Address = address,
            TokenFile = tokenFile,
            Tls = isTls ? (certificate, key) : null,
        };
    }

    /// <summary>In a container, 0.0.0.0 is the project's network; access to that is configured outside. .NET images set the
    /// variable.</summary>
    static bool IsContainer => Environment.GetEnvironmentVariable("DOTNET_RUNNING_IN_CONTAINER") is "true" or "1";

    static bool Readable(Settings settings, string name, string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            settings.Problem(
                $"{name} is '{path}', which cannot be read ({Settings.Reason(e)}); name a PEM file that user "
                    + $"{Environment.UserName} can read, or set GRPC_TLS=false."
            );
            return false;
        }
    }
}
