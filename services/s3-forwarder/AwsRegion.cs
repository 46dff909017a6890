using System.Text.RegularExpressions;
using Amazon;

namespace ThermalStreaming.S3Forwarder;

/// <summary>Checks AWS_REGION.</summary>
static partial class AwsRegion
{
    /// <summary>The problem with a region and how to write it, as the end of "AWS_REGION is '…'; "; null if there is none.</summary>
    /// <param name="text">The setting's value, not empty.</param>
    /// <param name="isAmazon">Whether requests go to Amazon. Other stores name their regions as they like: auto, garage, us-west-004,
    /// fsn1.</param>
    public static string? Problem(string text, bool isAmazon)
    {
        if (!isAmazon)
            return Token().IsMatch(text)
                ? null
                : "it must be one word of letters, digits and - _ . : as the store names its region, for example auto, garage or us-east-1.";
        var known = RegionEndpoint.EnumerableAllRegions.ToList();
        if (known.Exists(region => region.SystemName == text))
            return null;
        var meant = Meant(text, known);
        if (meant is null && Form().IsMatch(text))
            return null;
        return meant is not null ? $"its code is {meant}; set AWS_REGION={meant}"
            : Token().IsMatch(text) && !text.Contains(' ')
                ? "Amazon has no such region; its regions have names like eu-central-1 or us-east-1. For another store's region, set "
                    + "S3_ENDPOINT_URL too."
            : "it must be a region's code such as eu-central-1 or us-east-1.";
    }

    /// <summary>
    /// The region that a misspelt one must mean: from its display name or city, an availability zone, an address, other separators, or a
    /// wrong letter.
    /// </summary>
    static string? Meant(string text, List<RegionEndpoint> known)
    {
        var lower = text.Trim().ToLowerInvariant();
        if (
            Embedded().Match(lower) is { Success: true } embedded
            && known.Exists(region => region.SystemName == embedded.Value)
            && embedded.Value != text
        )
            return embedded.Value;
        if (lower == "eu")
            return "eu-west-1";
        var letters = Letters(lower);
        if (letters.Length < 4)
            return null;
        var same = known
            .Where(region =>
                Letters(region.SystemName) == letters
                || Letters(region.DisplayName.ToLowerInvariant()) == letters
                || Place().Match(region.DisplayName.ToLowerInvariant()) is { Success: true } place
                    && Letters(place.Groups[1].Value) == letters
            )
            .ToList();
        if (same.Count == 1)
            return same[0].SystemName;
        // Digits must match: an unknown number may belong to a new region.
        var close = known.Where(region => Digits(region.SystemName) == Digits(lower) && Distance(region.SystemName, lower) <= 2).ToList();
        return close.Count == 1 ? close[0].SystemName : null;
    }

    static string Letters(string text) => string.Concat(text.Where(char.IsAsciiLetterOrDigit));

    static string Digits(string text) => string.Concat(text.Where(char.IsAsciiDigit));

    /// <summary>Levenshtein distance.</summary>
    static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)));
        }
        return row[b.Length];
    }

    [GeneratedRegex("^[A-Za-z0-9._:-]{1,100}$")]
    private static partial Regex Token();

    [GeneratedRegex("^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$")]
    private static partial Regex Form();

    [GeneratedRegex("[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}(?![0-9])")]
    private static partial Regex Embedded();

    [GeneratedRegex(@"\(([^)]+)\)")]
    private static partial Regex Place();
}
