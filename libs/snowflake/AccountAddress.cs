namespace ThermalStreaming.Snowflake;

/// <summary>SNOWFLAKE_URL as users write it.</summary>
static class AccountAddress
{
    /// <summary>
    /// Null if the text is not the address of an account; then <paramref name="problem"/> completes "SNOWFLAKE_URL is '…'; …".
    /// </summary>
    /// <param name="text">The setting's value.</param>
    /// <param name="usual">The account's address without this setting.</param>
    /// <param name="problem">Which part is wrong and how to write it.</param>
    public static Uri? Parse(string text, Uri usual, out string problem)
    {
        var plain = text.Trim().Trim('"', '\'');
        var instead = usual.GetLeftPart(UriPartial.Authority);
        problem = $"it must be an address without path, for example {instead}, or be left empty.";
        if (plain.Length == 0 || plain.Contains('\\', StringComparison.Ordinal) || plain.Any(char.IsWhiteSpace))
            return null;
        var hasScheme = plain.Contains("://", StringComparison.Ordinal);
        if (
            !hasScheme
            && !plain.Contains('.', StringComparison.Ordinal)
            && !plain.Contains(':', StringComparison.Ordinal)
            && plain.Trim('/') != "localhost"
        )
        {
            problem = $"that is a name without a domain; it must be the address of the account, for example {instead}, or be left empty.";
            return null;
        }
        if (
            !Uri.TryCreate(hasScheme ? plain : "https://" + plain, UriKind.Absolute, out var url)
            || url.Scheme is not ("https" or "http")
            || url.Host.Length == 0
        )
            return null;
        if (url.Host.Equals("app.snowflake.com", StringComparison.OrdinalIgnoreCase))
        {
            problem = $"that is the console; the address of the account is {instead}. Leave SNOWFLAKE_URL empty.";
            return null;
        }
        if (url.UserInfo.Length > 0 || url.PathAndQuery != "/" || url.Fragment.Length > 0)
        {
            problem =
                $"it must be an address without path, user and query: for the one you gave {url.Scheme}://{url.Authority}, or leave it "
                + "empty.";
            return null;
        }
        var domain = AccountIdentifier.DomainAt(url.Host);
        if (domain <= 0)
            return url;
        if (url.Scheme == "http")
        {
            problem = $"Snowflake is reached by https only: https://{url.Authority}, or leave it empty.";
            return null;
        }
        if (url.Host.Split('.').Contains("ingest", StringComparer.OrdinalIgnoreCase))
        {
            problem =
                $"that is the ingest host, which this program finds by itself; the address of the account is {instead}. Leave "
                + "SNOWFLAKE_URL empty.";
            return null;
        }
        if (AccountIdentifier.Parse(url.Host[..domain], out var wrong) is null)
        {
            problem = $"the account in it must be {wrong}";
            return null;
        }
        return new UriBuilder(url) { Host = AccountIdentifier.NormaliseHost(url.Host) }.Uri;
    }

    /// <summary>For messages: an address may contain a password before its @.</summary>
    public static string Redact(string address) => address.LastIndexOf('@') is var at and > 0 ? "…" + address[at..] : address;
}
