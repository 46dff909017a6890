using System.Globalization;

namespace ThermalStreaming.Snowflake;

/// <summary>
/// The account as users write it, in the two forms that Snowflake needs: for the claims of a key-pair JWT and for the host name. Accepts
/// <c>ORGNAME-ACCOUNTNAME</c> and a locator with or without region and cloud (<c>xy12345.us-east-1.aws</c>), each also with
/// <c>.privatelink</c> or <c>.global</c>. Refuses everything else, naming the wrong part and how to write it.
/// </summary>
/// <param name="Claim">Upper case, without region, cloud and <c>privatelink</c>; underscores stay.</param>
/// <param name="Host">Host name of the account: lower case, dashes for underscores, region and <c>privatelink</c> kept.</param>
sealed record AccountIdentifier(string Claim, string Host)
{
    const string Domain = ".snowflakecomputing.com";
    const string Console = "app.snowflake.com";
    const string Form = "ORGNAME-ACCOUNTNAME, for example MYORG-MYACCOUNT, or a locator such as xy12345.us-east-1.aws";
    const string Ask = "SELECT CURRENT_ORGANIZATION_NAME() || '-' || CURRENT_ACCOUNT_NAME() in a worksheet prints it.";

    /// <summary>
    /// Null if the text is not an account identifier; then <paramref name="problem"/> completes "SNOWFLAKE_ACCOUNT is '…'; it must be …".
    /// </summary>
    public static AccountIdentifier? Parse(string text, out string problem)
    {
        var account = text.Trim();
        List<string> wrong = [];
        var guess = Guess(account, wrong);
        if (wrong.Count == 0 && guess is not null)
        {
            problem = "";
            return new(ClaimOf(account.ToUpperInvariant()), NormaliseHost(account) + Domain);
        }
        problem =
            $"{Form}{(guess is null ? "" : $"; for the one you gave that is {guess}")}."
            + (wrong.Count > 0 ? $" {string.Join(" ", wrong)}" : "")
            + $" {Ask}";
        return null;
    }

    /// <summary>The spelling that resolves in DNS and that routing expects: lower case, dashes for underscores.</summary>
    public static string NormaliseHost(string host) => host.ToLowerInvariant().Replace('_', '-');

    /// <summary>Whether a host is Snowflake's own, where an underscore is always a mistake.</summary>
    public static bool IsSnowflakeHost(string host) => DomainAt(host) > 0;

    /// <summary>Where the name of the account ends in one of Snowflake's host names, and 0 or less in any other.</summary>
    public static int DomainAt(string host) =>
        host.EndsWith(Domain, StringComparison.OrdinalIgnoreCase)
        || host.EndsWith(".snowflakecomputing.cn", StringComparison.OrdinalIgnoreCase)
            ? host.LastIndexOf(".snowflakecomputing.", StringComparison.OrdinalIgnoreCase)
            : -1;

    // A dot begins the region, which is not part of the name; only a .global account is cut at its dash instead (gosnowflake #1033).
    static string ClaimOf(string account)
    {
        var cut = account.EndsWith(".GLOBAL", StringComparison.Ordinal)
            ? account.IndexOf('-', StringComparison.Ordinal)
            : account.IndexOf('.', StringComparison.Ordinal);
        return cut > 0 ? account[..cut] : account;
    }

    /// <summary>How to write the text; null if that is not known. Adds each wrong part to <paramref name="wrong"/>.</summary>
    static string? Guess(string text, List<string> wrong)
    {
        var name = text;
        if (name is ['"' or '\'' or '`', .., _] && name[^1] == name[0])
        {
            wrong.Add("Leave out the quotation marks.");
            name = name[1..^1].Trim();
        }
        // Dashes as word processors and web pages write them, and invisible blanks.
        if (
            name.FirstOrDefault(letter =>
                letter is '\u2010' or '\u2011' or '\u2012' or '\u2013' or '\u2014' or '\u2212' or '\uFE63' or '\uFF0D'
            )
            is not '\0'
                and var dash
        )
        {
            wrong.Add(
                string.Create(CultureInfo.InvariantCulture, $"The dash is not - but U+{(int)dash:X4}, which looks like it: type it again.")
            );
            name = name.Replace(dash, '-');
        }
        if (name.FirstOrDefault(letter => letter is '\u200B' or '\u00A0' or '\uFEFF' or '\u00AD') is not '\0' and var hidden)
        {
            wrong.Add(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"It holds a character that cannot be seen (U+{(int)hidden:X4}): type it again."
                )
            );
            name = name.Replace(hidden.ToString(), "", StringComparison.Ordinal);
        }
        name = WithoutAddress(name, wrong);
        return IsIdentifier(name) ? Reorder(name, wrong) : null;
    }

    // What people paste: https://myorg-myaccount.snowflakecomputing.com/…, https://app.snowflake.com/myorg/myaccount/…
    static string WithoutAddress(string text, List<string> wrong)
    {
        var name = text;
        var scheme = name.IndexOf("//", StringComparison.Ordinal);
        if (scheme is >= 0 and < 12)
        {
            wrong.Add($"'{name[..(scheme + 2)]}' does not belong to it.");
            name = name[(scheme + 2)..];
        }
        var end = name.AsSpan().IndexOfAny('/', '?', '#') is >= 0 and var at ? at : name.Length;
        var (host, path) = (name[..end], name[end..]);
        if (
            host.Equals(Console, StringComparison.OrdinalIgnoreCase)
            && path.Split('/', StringSplitOptions.RemoveEmptyEntries) is [var first, var second, ..]
        )
        {
            wrong.Add($"The address of the console names it in two parts, '{first}' and '{second}'.");
            // The console writes a locator as region/locator.
            return first.Contains('-', StringComparison.Ordinal) ? $"{second}.{first}" : $"{first}-{second}".ToUpperInvariant();
        }
        if (
            path.Length > 0
            && scheme < 0
            && DomainAt(host) <= 0
            && path.Trim('/').Split('/') is [{ Length: > 0 } account]
            && !host.Contains('.', StringComparison.Ordinal)
        )
        {
            wrong.Add("Organisation and account are joined by a dash, not by a slash.");
            return $"{host}-{account}".ToUpperInvariant();
        }
        if (path.Length > 0)
            wrong.Add($"'{(path.Length > 40 ? path[..40] + "…" : path)}' does not belong to it.");
        if (host.LastIndexOf(':') is > 0 and var colon)
        {
            wrong.Add($"'{host[colon..]}' (a port) does not belong to it.");
            host = host[..colon];
        }
        host = host.TrimEnd('.');
        if (host.IndexOf(".snowflakecomputing", StringComparison.OrdinalIgnoreCase) is > 0 and var domain)
        {
            wrong.Add(
                $"'{host[domain..]}' does not belong to it."
                    + (
                        host.EndsWith(".cn", StringComparison.OrdinalIgnoreCase)
                            ? $" Set SNOWFLAKE_URL to https://{NormaliseHost(host)} too."
                            : ""
                    )
            );
            host = host[..domain];
        }
        return host;
    }

    /// <summary>Sorts the labels by their meaning: organisation, account, region, cloud.</summary>
    static string Reorder(string name, List<string> wrong)
    {
        var labels = name.Split('.');
        if (labels.Length == 1 || IsSuffix(labels[1]))
            return name;
        if (NamesDirection(labels[0]) && !IsRegion(labels, 1))
        {
            wrong.Add($"The region '{labels[0]}' comes after the account.");
            return string.Join('.', [labels[1], labels[0], .. labels[2..]]);
        }
        if (IsCloud(labels[1]) && labels.Length > 2 && IsRegion(labels, 2))
        {
            wrong.Add($"The cloud '{labels[1]}' comes after the region.");
            return string.Join('.', [labels[0], labels[2], labels[1], .. labels[3..]]);
        }
        if (IsRegion(labels, 1) || IsCloud(labels[1]))
        {
            // No locator has a dash.
            if (!labels[0].Contains('-', StringComparison.Ordinal))
                return name;
            var region = string.Concat(labels[1..].Where(label => !IsSuffix(label)).Select(label => "." + label));
            wrong.Add($"An identifier that begins with the organisation has no region: leave out '{region}'.");
            return name.Replace(region, "", StringComparison.Ordinal);
        }
        wrong.Add(
            labels[0].Contains('-', StringComparison.Ordinal)
                ? $"'.{labels[1]}' is neither a region nor a cloud and does not belong to it."
                : $"Organisation and account are joined by a dash, not by a dot; '{labels[1]}' is not a region."
        );
        return labels[0].Contains('-', StringComparison.Ordinal)
            ? string.Join('.', [labels[0], .. labels[2..]])
            : string.Join('.', [$"{labels[0]}-{labels[1]}".ToUpperInvariant(), .. labels[2..]]);
    }

    static bool IsSuffix(string label) =>
        label.Equals("privatelink", StringComparison.OrdinalIgnoreCase) || label.Equals("global", StringComparison.OrdinalIgnoreCase);

    static bool IsCloud(string label) => label.ToUpperInvariant() is "AWS" or "AZURE" or "GCP";

    /// <summary>
    /// us-east-1, europe-west4, west-us-2…: a region's name has a dash, an account's does not. Before a cloud, any name is a region's.
    /// </summary>
    static bool IsRegion(string[] labels, int at) =>
        (labels[at].Contains('-', StringComparison.Ordinal) && !labels[at].Contains('_', StringComparison.Ordinal))
        || (at + 1 < labels.Length && IsCloud(labels[at + 1]));

    static bool NamesDirection(string label) =>
        label.Contains('-', StringComparison.Ordinal)
        && label
            .Split('-')
            .Any(word =>
                word.TrimEnd('1', '2', '3', '4', '5', '6', '7', '8', '9').ToUpperInvariant()
                    is "EAST"
                        or "WEST"
                        or "NORTH"
                        or "SOUTH"
                        or "CENTRAL"
                        or "NORTHEAST"
                        or "SOUTHEAST"
                        or "NORTHWEST"
                        or "SOUTHWEST"
            );

    // Not a regular expression: it would be the only one of a running service, and take a megabyte.
    static bool IsIdentifier(string account)
    {
        var labels = account.Split('.');
        return labels.Length <= 4
            && account.Length > 0
            && char.IsAsciiLetterOrDigit(account[0])
            && labels.All(label =>
                label.Split('-').All(word => word.Length > 0 && word.All(letter => letter == '_' || char.IsAsciiLetterOrDigit(letter)))
            );
    }
}
