using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace ThermalStreaming.Hosting;

/// <summary>
/// Shows the instruments of <see cref="MeterName"/>, and .NET's own of the garbage collector, in the Prometheus text format 0.0.4. Counters
/// get <c>_total</c>, the units <c>s</c> and <c>By</c> become <c>_seconds</c> and <c>_bytes</c>. Thread-safe; observable instruments are
/// read at each request. A name holds at most <see cref="MostSeries"/> combinations of labels.
/// </summary>
/// <remarks>Why not OpenTelemetry's exporter: docs/decisions/0006-metrics-text.md.</remarks>
public sealed class PrometheusText : IDisposable
{
    /// <summary>The one meter of a service.</summary>
    public const string MeterName = "thermal";

    /// <summary>Media type of <see cref="Render"/>.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>The meter of .NET itself.</summary>
    internal const string RuntimeMeterName = "System.Runtime";

    /// <summary>
    /// Combinations of labels per name. Further ones share the series <c>overflow="true"</c>, so that a defect that turns outside input
    /// into labels cannot exhaust the memory of this process or of Prometheus.
    /// </summary>
    internal const int MostSeries = 1000;

    const string Overflow = "overflow=\"true\"";

    static readonly double[] buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 7.5, 10, 15, 30, 60, 120];

    /// <summary>Upper bounds of every histogram, in seconds: from one fsync on a good disk to a commit that is late.</summary>
    internal static ReadOnlySpan<double> Buckets => buckets;

    readonly Lock gate = new();
    readonly SortedDictionary<string, Family> families = new(StringComparer.Ordinal);
    readonly MeterListener listener = new();

    public PrometheusText()
    {
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (IsShown(instrument))
                self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Record(instrument, value, tags));
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Record(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Record(instrument, value, tags));
        listener.Start();
    }

    /// <summary>All families, sorted by name.</summary>
    public string Render()
    {
        lock (gate)
        {
            foreach (var family in families.Values.Where(family => family.Observable))
                family.Series.Clear();
            listener.RecordObservableInstruments();
            var text = new StringBuilder();
            foreach (var (name, family) in families)
                family.Render(name, text);
            return text.ToString();
        }
    }

    public void Dispose() => listener.Dispose();

    void Record(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        lock (gate)
        {
            var name = Name(instrument);
            if (!families.TryGetValue(name, out var family))
                families[name] = family = new Family(instrument);
            family.Record(Labels(tags), value);
        }
    }

    /// <summary>Whether an instrument is one of the service's, or of the garbage collector's.</summary>
    internal static bool IsShown(Instrument instrument) =>
        instrument.Meter.Name == MeterName
        || (instrument.Meter.Name == RuntimeMeterName && instrument.Name.StartsWith("dotnet.gc.", StringComparison.Ordinal));

    static string Name(Instrument instrument)
    {
        var name = instrument.Name.Replace('.', '_');
        var unit = instrument.Unit switch
        {
            "s" => "_seconds",
            "By" => "_bytes",
            _ => "",
        };
        if (!name.EndsWith(unit, StringComparison.Ordinal))
            name += unit;
        return Family.IsCounter(instrument) ? name + "_total" : name;
    }

    static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.IsEmpty)
            return "";
        var text = new StringBuilder();
        foreach (var (key, value) in tags)
        {
            text.Append(text.Length == 0 ? "" : ",").Append(key.Replace('.', '_')).Append("=\"");
            Escape(Convert.ToString(value, CultureInfo.InvariantCulture) ?? "", text, quote: true);
            text.Append('"');
        }
        return text.ToString();
    }

    /// <summary>A label's value escapes quotes, a help text does not.</summary>
    static void Escape(string value, StringBuilder text, bool quote)
    {
        foreach (var c in value)
            _ = c switch
            {
                '\\' => text.Append("\\\\"),
                '\n' => text.Append("\\n"),
                '"' when quote => text.Append("\\\""),
                _ => text.Append(c),
            };
    }

    sealed class Family(Instrument instrument)
    {
        readonly bool histogram = instrument is Histogram<double>;

        public bool Observable => instrument.IsObservable;

        public Dictionary<string, Series> Series { get; } = new(StringComparer.Ordinal);

        public static bool IsCounter(Instrument instrument) =>
            instrument
                is Counter<long>
                    or Counter<double>
                    or ObservableCounter<long>
                    or ObservableCounter<double>
                    or Counter<int>
                    or ObservableCounter<int>;

        public void Record(string labels, double value)
        {
            if (!Series.ContainsKey(labels) && Series.Count >= MostSeries)
                labels = Overflow;
            if (!Series.TryGetValue(labels, out var series))
                Series[labels] = series = new Series(histogram ? new long[Buckets.Length] : null);
            series.Add(value, sum: !Observable && instrument is not Gauge<double> and not Gauge<long>);
        }

        public void Render(string name, StringBuilder text)
        {
            if (Series.Count == 0)
                return;
            text.Append("# HELP ").Append(name).Append(' ');
            Escape(instrument.Description ?? "", text, quote: false);
            text.Append("\n# TYPE ")
                .Append(name)
                .Append(' ')
                .Append(
                    histogram ? "histogram"
                    : IsCounter(instrument) ? "counter"
                    : "gauge"
                )
                .Append('\n');
            foreach (var (labels, series) in Series.OrderBy(series => series.Key, StringComparer.Ordinal))
            {
                if (!histogram)
                {
                    Line(name, labels, series.Value);
                    continue;
                }
                for (var i = 0; i < Buckets.Length; i++)
                    Line(name + "_bucket", Le(labels, Buckets[i].ToString(CultureInfo.InvariantCulture)), series.Counts![i]);
                Line(name + "_bucket", Le(labels, "+Inf"), series.Count);
                Line(name + "_sum", labels, series.Value);
                Line(name + "_count", labels, series.Count);
            }

            void Line(string metric, string labels, double value)
            {
                text.Append(metric);
                if (labels.Length > 0)
                    text.Append('{').Append(labels).Append('}');
                text.Append(' ').Append(Number(value)).Append('\n');
            }

            static string Number(double value) =>
                double.IsPositiveInfinity(value) ? "+Inf"
                : double.IsNegativeInfinity(value) ? "-Inf"
                : value.ToString("R", CultureInfo.InvariantCulture);

            static string Le(string labels, string bound) => labels.Length == 0 ? $"le=\"{bound}\"" : $"{labels},le=\"{bound}\"";
        }
    }

    sealed class Series(long[]? counts)
    {
        public long[]? Counts { get; } = counts;

        public long Count { get; private set; }

        public double Value { get; private set; }

        public void Add(double value, bool sum)
        {
            Count++;
            Value = sum ? Value + value : value;
            if (Counts is null)
                return;
            // Cumulative, as the format wants them.
            for (var i = 0; i < Counts.Length; i++)
            {
                if (value <= Buckets[i])
                    Counts[i]++;
            }
        }
    }
}
