using System.Text.RegularExpressions;

namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>
/// The account as users write it, in the two forms that Snowflake wants: for the claims of a key-pair JWT and for the host name.
/// Accepted are <c>ORGNAME-ACCOUNTNAME</c> and a locator with or without region and cloud (<c>xy12345.us-east-1.aws</c>), each also with
/// <c>.privatelink</c> or <c>.global</c>.
/// </summary>
/// <param name="Claim">Upper case, without region, cloud and <c>privatelink</c>; underscores stay.</param>
/// <param name="Host">Host name of the account: lower case, dashes for underscores, region and <c>privatelink</c> kept.</param>
sealed partial record AccountIdentifier(string Claim, string Host)
{
    const string Domain = ".snowflakecomputing.com";

    /// <summary>Null when the text is no account identifier; then <paramref name="problem"/> completes "SNOWFLAKE_ACCOUNT is '…'; it must be …".</summary>
    public static AccountIdentifier? Parse(string text, out string problem)
    {
        problem = "";
        var account = text.Trim();
        if (IsIdentifier(account) && !account.Contains("snowflakecomputing", StringComparison.OrdinalIgnoreCase))
            return new(ClaimOf(account.ToUpperInvariant()), account.ToLowerInvariant().Replace('_', '-') + Domain);
        problem = "ORGNAME-ACCOUNTNAME, for example MYORG-MYACCOUNT, or a locator such as xy12345.us-east-1.aws"
            + (Guess(account) is { } guess ? $"; for the address you gave that is {guess}" : "")
            + ". SELECT CURRENT_ORGANIZATION_NAME() || '-' || CURRENT_ACCOUNT_NAME() in a worksheet prints it.";
        return null;
    }

    /// <summary>The spelling that resolves in DNS and that routing expects: lower case, dashes for underscores.</summary>
    public static string NormaliseHost(string host) => host.ToLowerInvariant().Replace('_', '-');

    /// <summary>Whether a host is Snowflake's own, where an underscore is always a mistake.</summary>
    public static bool IsSnowflakeHost(string host)
        => host.EndsWith(Domain, StringComparison.OrdinalIgnoreCase) || host.EndsWith(".snowflakecomputing.cn", StringComparison.OrdinalIgnoreCase);

    // A dot begins the region, which is no part of the name; only a .global account is cut at its dash instead (gosnowflake #1033).
    static string ClaimOf(string account)
    {
        var cut = account.EndsWith(".GLOBAL", StringComparison.Ordinal) ? account.IndexOf('-', StringComparison.Ordinal) : account.IndexOf('.', StringComparison.Ordinal);
        return cut > 0 ? account[..cut] : account;
    }

    // What people paste: https://myorg-myaccount.snowflakecomputing.com/…, https://app.snowflake.com/myorg/myaccount/…
    static string? Guess(string text)
    {
        var address = Protocol().Replace(text, "");
        if (Worksheet().Match(address) is { Success: true } worksheet)
            return $"{worksheet.Groups[1].Value}-{worksheet.Groups[2].Value}".ToUpperInvariant();
        var end = address.IndexOf(".snowflakecomputing", StringComparison.OrdinalIgnoreCase);
        var name = end > 0 ? address[..end] : address.TrimEnd('/');
        return name != text && IsIdentifier(name) ? name : null;
    }

    // Not a regular expression: that would be the only one of a running service, and takes a megabyte.
    static bool IsIdentifier(string account)
    {
        var labels = account.Split('.');
        return labels.Length <= 4 && account.Length > 0 && char.IsAsciiLetterOrDigit(account[0])
            && labels[0].Split('-').All(word => word.Length > 0 && word.All(letter => letter == '_' || char.IsAsciiLetterOrDigit(letter)))
            && labels.Skip(1).All(label => label.Split('-', '_').All(word => word.Length > 0 && word.All(char.IsAsciiLetterOrDigit)));
    }

    [GeneratedRegex("^[a-z]+://", RegexOptions.IgnoreCase)]
    private static partial Regex Protocol();

    [GeneratedRegex("^app\\.snowflake\\.com/([A-Za-z0-9_]+)/([A-Za-z0-9_]+)", RegexOptions.IgnoreCase)]
    private static partial Regex Worksheet();
}
