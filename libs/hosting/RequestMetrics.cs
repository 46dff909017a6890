using System.Diagnostics.Metrics;
using System.Globalization;
using System.Net;

namespace ThermalStreaming.Hosting;

/// <summary>
/// How long requests to Snowflake, S3 and the broker take, by operation and by how they ended. Operations and statuses are few: no text
/// from outside becomes a label. Thread-safe.
/// </summary>
/// <param name="meter">Of the service.</param>
public sealed class RequestMetrics(Meter meter)
{
    readonly Histogram<double> duration = meter.CreateHistogram<double>(
        "thermal.request.duration",
        "s",
        "From sending a request to the head of its answer, by operation and status"
    );

    /// <summary>Counts a request.</summary>
    /// <param name="operation">One of a few names that the program has, for example <c>append</c>.</param>
    /// <param name="status">How it ended: one of a few names that the program has, or <see cref="StatusOf"/>.</param>
    /// <param name="took">Until it ended.</param>
    public void Record(string operation, string status, TimeSpan took) =>
        duration.Record(took.TotalSeconds, new("operation", operation), new("status", status));

    /// <summary>The number of a status that HTTP defines, for example <c>200</c>; for others the class, for example <c>4xx</c>.</summary>
    public static string StatusOf(HttpStatusCode status) =>
        Enum.IsDefined(status) ? ((int)status).ToString(CultureInfo.InvariantCulture)
        : (int)status is >= 100 and < 600 ? string.Create(CultureInfo.InvariantCulture, $"{(int)status / 100}xx")
        : "other";
}
