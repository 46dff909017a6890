using System.CommandLine;
using ThermalStreaming.Control;

namespace ThermalStreaming.Thermalctl;

/// <summary>The options that decide whether services are called with TLS, and where the token may travel.</summary>
static class ControlTrust
{
    const string AuthorityVariable = "THERMAL_CA_FILE";

    static readonly Option<bool> tls = new("--tls")
    {
        Description = "TLS with the authorities that this machine trusts. Otherwise THERMAL_TLS.",
    };

    static readonly Option<string> authority = new("--ca")
    {
        Description = $"TLS; PEM file with the authority that signed the services' certificate. Otherwise {AuthorityVariable}.",
        HelpName = "FILE",
    };

    static readonly Option<string> name = new("--tls-name")
    {
        Description = "The name in the certificate, if it differs from the called name. Otherwise THERMAL_TLS_NAME.",
        HelpName = "NAME",
    };

    static readonly Option<bool> plainToken = new("--plain-token")
    {
        Description =
            "Send the token without TLS also where it leaves this machine or the project's network. Otherwise THERMAL_PLAIN_TOKEN.",
    };

    public static IEnumerable<Option> Options => [tls, authority, name, plainToken];

    /// <summary>Adds TLS settings to the call options.</summary>
    /// <exception cref="FailureException">The authorities cannot be read.</exception>
    public static ControlOptions Of(ParseResult parsed, ControlOptions options)
    {
        var file = parsed.GetValue(authority) ?? Setting(AuthorityVariable);
        var serverName = parsed.GetValue(name) ?? Setting("THERMAL_TLS_NAME");
        options = options with { AllowsPlainToken = parsed.GetValue(plainToken) || IsSet("THERMAL_PLAIN_TOKEN") };
        if (file is null && serverName is null && !parsed.GetValue(tls) && !IsSet("THERMAL_TLS"))
            return options;
        if (serverName is not null && Uri.CheckHostName(serverName) == UriHostNameType.Unknown)
        {
            throw new FailureException(
                $"'{serverName}' is not a name",
                "--tls-name and THERMAL_TLS_NAME take a host name or an address",
                "openssl x509 -in server.crt -noout -ext subjectAltName shows the names of a certificate",
                OperatorExit.Usage
            );
        }
        try
        {
            return options with { Tls = ControlTls.Load(file, serverName) };
        }
        catch (IOException e)
        {
            throw new FailureException(
                $"the services cannot be called with TLS",
                e.Message.TrimEnd('.'),
                $"--ca FILE, or {AuthorityVariable}",
                OperatorExit.Usage
            );
        }
    }

    static string? Setting(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value : null;

    static bool IsSet(string variable) => Setting(variable)?.ToUpperInvariant() is "TRUE" or "1" or "YES" or "ON";
}
