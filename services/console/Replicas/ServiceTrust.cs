using ThermalStreaming.Control;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Console;

/// <summary>The settings for calling agents and forwarders with TLS.</summary>
static class ServiceTrust
{
    public static ControlOptions Load(Settings settings)
    {
        var isTls = settings.Flag("CONSOLE_TLS", false, "Call agents and forwarders with TLS: they have GRPC_TLS=true.");
        var authority = settings.OptionalText(
            "CONSOLE_CA_FILE",
            "PEM file with the authority of their certificates; else the machine's authorities."
        );
        var name = settings.OptionalText(
            "CONSOLE_TLS_NAME",
            "The name that their certificates carry, where it is not the one that is called."
        );
        var options = new ControlOptions
        {
            AllowsPlainToken = settings.Flag(
                "CONSOLE_PLAIN_TOKEN",
                false,
                "Pass the page's token on without TLS even where it leaves this machine or the project's network."
            ),
        };
        foreach (var (key, value) in new[] { ("CONSOLE_CA_FILE", authority), ("CONSOLE_TLS_NAME", name) })
        {
            if (value is not null && !isTls)
                settings.Problem($"{key} is '{value}', but CONSOLE_TLS is not true; set CONSOLE_TLS=true or remove {key}.");
        }
        if (!isTls)
            return options;
        if (name is not null && Uri.CheckHostName(name) == UriHostNameType.Unknown)
            settings.Problem($"CONSOLE_TLS_NAME is '{name}'; it must be a host name or an address, as in the certificates.");
        try
        {
            return options with { Tls = ControlTls.Load(authority, name) };
        }
        catch (IOException e)
        {
            settings.Problem($"CONSOLE_CA_FILE: {e.Message}");
            return options;
        }
    }
}
