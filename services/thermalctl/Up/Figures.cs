using System.Globalization;
using System.Text.Json;

namespace ThermalStreaming.Thermalctl;

/// <summary>The table at the end of <c>./up</c>.</summary>
static class Figures
{
    static readonly string[] order =
    [
        "sensor-agent",
        "mosquitto",
        "snowpipe-forwarder",
        "s3-forwarder",
        "snowflake",
        "localstack",
        "console",
    ];
    static readonly string[] heads = ["service", "state", "readings in", "committed", "objects", "lag"];

    /// <summary>One per service, in the order of the data flow.</summary>
    public static async Task<IReadOnlyList<Figure>> ReadAsync(RunningProject project, CancellationToken cancellationToken)
    {
        var replicas = await project.ReplicasAsync(cancellationToken);
        var standIns = new StandIns(project);
        List<Figure> figures = [];
        foreach (var service in order)
        {
            var own = replicas.Where(replica => replica.Service == service).ToList();
            if (own.Count == 0)
                continue;
            var status = service is "mosquitto" or "snowflake" or "localstack"
                ? []
                : await project.StatusAsync(own, service, cancellationToken);
            var figure = new Figure(service, State(own), null, null, null, null);
            figure = service switch
            {
                "sensor-agent" => figure with { ReadingsIn = Sum(status, "readings_taken"), Committed = Sum(status, "readings_published") },
                "snowpipe-forwarder" => Forwarder(figure, status),
                "s3-forwarder" => Forwarder(figure, status) with { Objects = Sum(status, "objects") },
                "snowflake" => Tables(figure, await standIns.RowsAsync(replicas, cancellationToken)),
                "localstack" => figure with { Objects = await standIns.ObjectsAsync(replicas, cancellationToken) },
                _ => figure,
            };
            // Docker asks only every 30 s; the service itself has just answered.
            var isReady = service == "snowflake" ? figure.Committed is not null : status.Any(IsReady);
            figures.Add(figure.State == "starting" && isReady ? figure with { State = "ready" } : figure);
        }
        return figures;
    }

    public static void WriteTable(IReadOnlyList<Figure> figures, Narrator narrator)
    {
        string[][] rows =
        [
            heads,
            .. figures.SelectMany(figure =>
                new[] { Row(figure) }.Concat(
                    (figure.Tables ?? new Dictionary<string, long>()).Select(table =>
                        Row(new Figure($"  {table.Key}", "", null, table.Value, null, null))
                    )
                )
            ),
        ];
        var widths = Enumerable.Range(0, heads.Length).Select(column => rows.Max(row => row[column].Length)).ToArray();
        for (var row = 0; row < rows.Length; row++)
        {
            // Text is aligned to the left, numbers to the right.
            var cells = rows[row].Select((cell, column) => column < 2 ? cell.PadRight(widths[column]) : cell.PadLeft(widths[column]));
            var line = string.Join("  ", cells);
            if (row == 0)
                narrator.Head(line);
            else
                narrator.Say(line);
        }
    }

    static string[] Row(Figure figure) =>
        [
            figure.Service,
            figure.State,
            Text(figure.ReadingsIn),
            Text(figure.Committed),
            Text(figure.Objects),
            figure.LagSeconds is { } lag ? string.Create(CultureInfo.InvariantCulture, $"{lag:0.0} s") : "-",
        ];

    public static void WriteJson(IReadOnlyList<Figure> figures, TextWriter output) =>
        output.WriteLine(JsonSerializer.Serialize(figures, FiguresJson.Default.IReadOnlyListFigure));

    static Figure Tables(Figure figure, IReadOnlyDictionary<string, long>? rows) =>
        figure with
        {
            Committed = rows?.Values.Sum(),
            Tables = rows,
        };

    static Figure Forwarder(Figure figure, IReadOnlyList<JsonElement> status) =>
        figure with
        {
            ReadingsIn = Sum(status, "readings_in"),
            // Readings stored since the start that no longer wait; earlier ones do not count.
            Committed = Sum(status, "stored") is { } stored ? Math.Max(0, stored - (Sum(status, "backlog") ?? 0)) : null,
            LagSeconds = Numbers(status, "lag_seconds").Select(number => (double?)Math.Round(number, 1)).Max(),
        };

    static string State(List<ServiceContainer> replicas) =>
        replicas.Count == 1
            ? Word(replicas[0])
            : string.Join(
                ", ",
                replicas.CountBy(Word).OrderBy(state => state.Key, StringComparer.Ordinal).Select(state => $"{state.Value} {state.Key}")
            );

    static string Word(ServiceContainer replica) => replica.Health ?? replica.State.Status;

    static bool IsReady(JsonElement status) => status.TryGetProperty("ready", out var ready) && ready.ValueKind == JsonValueKind.True;

    public static long? Sum(IReadOnlyList<JsonElement> status, string name) =>
        Numbers(status, name).ToList() is { Count: > 0 } found ? (long)found.Sum() : null;

    static IEnumerable<double> Numbers(IEnumerable<JsonElement> status, string name) =>
        status
            .Where(one => one.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number)
            .Select(one => one.GetProperty(name).GetDouble());

    static string Text(long? number) => number?.ToString(CultureInfo.InvariantCulture) ?? "-";
}
