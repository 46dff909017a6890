using System.Text.Json;

namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>The answer of host discovery.</summary>
static class IngestHost
{
    /// <summary>
    /// Reads a JSON object with <c>hostname</c>, a JSON text, or the bare name. Null for any other answer, or if a Snowflake account is
    /// told to send rows to a host that is not Snowflake's: tokens and readings go only to Snowflake.
    /// </summary>
    public static Uri? Parse(string body, Uri control)
    {
        var text = body.Trim();
        if (text.StartsWith('{') || text.StartsWith('"'))
        {
            try
            {
                using var document = JsonDocument.Parse(text);
                text =
                    document.RootElement.ValueKind == JsonValueKind.Object
                        ? SnowflakeAnswer.Text(document.RootElement, "hostname")
                        : document.RootElement.GetString() ?? "";
            }
            catch (JsonException)
            {
                return null;
            }
        }
        var authority = text.Trim().TrimEnd('/');
        if (authority.IndexOf("://", StringComparison.Ordinal) is var scheme and >= 0)
            authority = authority[(scheme + 3)..];
        if (
            authority.Length == 0
            || !authority.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' or '_' or ':' or '[' or ']')
            || !Uri.TryCreate($"{control.Scheme}://{AccountIdentifier.NormaliseHost(authority)}", UriKind.Absolute, out var found)
            || !IsPlausible(found.Host, control.Host)
        )
            return null;
        // A local stand-in listens on one port; the name that it gives has no port.
        return found.IsDefaultPort && !control.IsDefaultPort ? new UriBuilder(found) { Port = control.Port }.Uri : found;
    }

    // A captive portal's "OK" is not a host; a stand-in without a domain gives its own name.
    static bool IsPlausible(string host, string control) =>
        AccountIdentifier.IsSnowflakeHost(control)
            ? AccountIdentifier.IsSnowflakeHost(host)
            : host.Contains('.', StringComparison.Ordinal)
                || host.Contains(':', StringComparison.Ordinal)
                || host == "localhost"
                || host == AccountIdentifier.NormaliseHost(control);
}
