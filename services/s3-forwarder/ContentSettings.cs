using System.Globalization;
using ThermalStreaming.Readings;

namespace ThermalStreaming.S3Forwarder;

/// <summary>The settings that decide what is in the objects of a plan, beside the readings themselves.</summary>
sealed record ContentSettings(ObjectFormat Format, ObjectCompression Compression, string TimeZone, InvalidReadings Validation, string Rules)
{
    /// <summary>The rules as text: a version of this service with other rules must not continue a plan made by these.</summary>
    public static string RulesInForce { get; } = string.Join(';', InverterRule.All.Select(rule => string.Create(CultureInfo.InvariantCulture, $"{rule.Key}:{rule.Min}..{rule.Max}")));

    /// <summary>Content type of the objects.</summary>
    public string ContentType => this switch
    {
        { Compression: ObjectCompression.Gzip } => "application/gzip",
        { Format: ObjectFormat.NdJson } => "application/x-ndjson",
        _ => "application/json",
    };
}
