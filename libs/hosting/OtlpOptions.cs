using System.Globalization;

namespace ThermalStreaming.Hosting;

/// <summary>Where metrics are sent by OTLP, in addition to <c>/metrics</c>.</summary>
/// <param name="Endpoint">The address for metrics; over HTTP, with its path.</param>
/// <param name="IsGrpc">Speaks gRPC; otherwise protobuf over HTTP.</param>
/// <param name="HasCertificates">Whether variables of OpenTelemetry name certificates.</param>
/// <param name="Interval">Between two exports.</param>
sealed record OtlpOptions(Uri Endpoint, bool IsGrpc, bool HasCertificates, TimeSpan Interval)
{
    const string BaseVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";
    const string MetricsVariable = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT";
    const string ProtocolVariable = "OTEL_EXPORTER_OTLP_PROTOCOL";
    const string MetricsProtocolVariable = "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL";

    /// <returns>Null when nothing is to be sent.</returns>
    public static OtlpOptions? Load(Settings settings)
    {
        var own = Address(
            settings,
            "OTLP_ENDPOINT",
            "Receiver of metrics by OTLP, for example http://collector:4318. Not set: metrics are only at /metrics."
        );
        var standard = Address(settings, BaseVariable, "The same by OpenTelemetry's own name; OTLP_ENDPOINT takes precedence.");
        var metrics = Address(settings, MetricsVariable, "The same with its path, for metrics only.");
        var protocol = settings.OptionalText(
            ProtocolVariable,
            "http/protobuf [when not set] or grpc. OTEL_EXPORTER_OTLP_HEADERS, _TIMEOUT, _CERTIFICATE and OTEL_RESOURCE_ATTRIBUTES "
                + "are read too."
        );
        var metricsProtocol = settings.OptionalText(MetricsProtocolVariable, "The same for metrics only.");
        foreach (var (name, value) in new[] { (ProtocolVariable, protocol), (MetricsProtocolVariable, metricsProtocol) })
        {
            if (value is not (null or "http/protobuf" or "grpc"))
                settings.Problem($"{name} is '{value}'; it must be http/protobuf or grpc.");
        }
        var interval = settings.WholeNumber(
            "OTEL_METRIC_EXPORT_INTERVAL",
            60_000,
            100,
            86_400_000,
            "Milliseconds between two exports by OTLP."
        );
        // OpenTelemetry, "OTLP exporter": a signal's own variable overrides the common one, and its address is used as it is.
        var isGrpc = (metricsProtocol ?? protocol) == "grpc";
        var endpoint = own ?? metrics ?? standard;
        if (endpoint is null)
            return null;
        return new(
            isGrpc || (own is null && metrics is not null) ? endpoint : MetricsAt(endpoint),
            isGrpc,
            settings.Has("OTEL_EXPORTER_OTLP_CERTIFICATE") || settings.Has("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"),
            TimeSpan.FromMilliseconds(interval)
        );
    }

    /// <summary>The receiver, for people: without anything behind a question mark.</summary>
    public string Shown => Endpoint.GetLeftPart(UriPartial.Path);

    /// <summary>As a text for the log.</summary>
    public string Every => string.Create(CultureInfo.InvariantCulture, $"{Interval.TotalSeconds:0.#} s");

    /// <summary>The path of metrics below a base address.</summary>
    static Uri MetricsAt(Uri address) =>
        address.AbsolutePath.EndsWith("/v1/metrics", StringComparison.Ordinal)
            ? address
            : new UriBuilder(address) { Path = address.AbsolutePath.TrimEnd('/') + "/v1/metrics" }.Uri;

    static Uri? Address(Settings settings, string name, string description)
    {
        if (settings.OptionalText(name, description) is not { } text)
            return null;
        if (
            Uri.TryCreate(text, UriKind.Absolute, out var address)
            && address is { Scheme: "http" or "https", Host.Length: > 0, UserInfo: "" }
        )
            return address;
        // Not the value: a password may be in it.
        settings.Problem(
            $"{name} is not the address of an OTLP receiver; it must look like http://collector:4318 or https://…, without a user "
                + "name. Headers for signing in go into OTEL_EXPORTER_OTLP_HEADERS."
        );
        return null;
    }
}
