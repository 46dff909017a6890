using System.Globalization;
using System.Text;
using Spectre.Console;

namespace ThermalStreaming.Thermalctl;

/// <summary>
/// The terminal's alternate screen, redrawn line by line so that nothing flickers. Disposing restores the terminal. Not thread-safe.
/// </summary>
sealed class TopScreen : IDisposable
{
    const string Enter = "\x1b[?1049h\x1b[?25l\x1b[2J",
        Leave = "\x1b[?25h\x1b[?1049l",
        Home = "\x1b[H",
        EraseRest = "\x1b[K";

    /// <summary>No line may wrap: that would push the others down.</summary>
    const string NoWrap = "\x1b[?7l",
        Wrap = "\x1b[?7h";

    readonly TextWriter output;
    (int Columns, int Lines) last;

    public TopScreen(TextWriter output)
    {
        this.output = output;
        output.Write(Enter + NoWrap);
        output.Flush();
    }

    public void Draw(IReadOnlyList<ReplicaStatus> rows, TopSort sort, DateTimeOffset now)
    {
        var (columns, lines) = (Terminal.Columns, Terminal.Lines);
        var text = new StringBuilder(Home);
        if (last != (columns, lines))
            text.Append("\x1b[2J");
        last = (columns, lines);
        var shown = Render(rows, sort, now, columns, lines);
        for (var i = 0; i < shown.Count; i++)
            // Erase before the line break: after a full line the cursor is still on its last character.
            text.Append(EraseRest).Append(shown[i]).Append(i < shown.Count - 1 ? "\r\n" : "");
        output.Write(text.ToString());
        output.Flush();
    }

    public void Dispose()
    {
        output.Write(Wrap + Leave);
        output.Flush();
    }

    /// <summary>The screen's lines, at most <paramref name="height"/>.</summary>
    internal static List<string> Render(IReadOnlyList<ReplicaStatus> rows, TopSort sort, DateTimeOffset now, int width, int height)
    {
        using var buffer = new StringWriter { NewLine = "\n" };
        var console = Terminal.OfScreen(buffer, width);
        console.MarkupLineInterpolated($"[bold]thermal-streaming[/]  {Summary(rows)}");
        console.WriteLine();
        console.Write(StatusTable.Of(rows, width));
        console.WriteLine();
        foreach (var finding in ReplicaFinding.Of(rows))
            StatusReport.Print(console, finding);
        var lines = buffer.ToString().TrimEnd('\n').Split('\n').Select(line => line.TrimEnd()).ToList();
        var room = Math.Max(height - 1, 1);
        if (lines.Count > room)
            lines = [.. lines.Take(room - 1), Fit("… more than fits: enlarge the window, or ./thermalctl status", width)];
        var clock = now.ToLocalTime().ToString("HH:mm:ss", CultureInfo.InvariantCulture);
        while (lines.Count < room)
            lines.Add("");
        lines.Add(Fit($"{clock}  sorted by {sort.ToString().ToLowerInvariant()}   q quit   s sort   r reverse", width));
        return lines;
    }

    /// <summary>A replica as one line, for a pipe.</summary>
    public static string Line(ReplicaStatus row, DateTimeOffset now) =>
        ShortText.Text(
            $"{now:yyyy-MM-ddTHH:mm:ssZ} {row.Service} {row.Replica} {ReplicaStatus.JsonWord(row.State)} readings={Plain(row.Readings)} "
        )
        + ShortText.Text($"rate={row.Rate:0.###} backlog={Plain(row.Backlog)} lag_s={row.Lag?.TotalSeconds:0.#} ")
        + ShortText.Text($"delivered={Plain(row.Delivered)} dead_letters={Plain(row.DeadLetters)}");

    static string Plain(ulong? value) => value?.ToString(CultureInfo.InvariantCulture) ?? "";

    static string Fit(string text, int width) => text.Length <= width ? text : text[..width];

    static string Summary(IReadOnlyList<ReplicaStatus> rows)
    {
        var answer = rows.Count(row => row.HasAnswered);
        var taken = rows.Where(row => row.Agent is not null && row.HasAnswered).Sum(row => row.Rate ?? 0);
        var delivered = rows.Where(row => row.Forwarder is not null && row.HasAnswered).Sum(row => row.Rate ?? 0);
        var state = answer == rows.Count ? "all answer" : $"{rows.Count - answer} of {rows.Count} do not answer";
        return $"{state}   taken {ShortText.Rate(taken)}/s   delivered {ShortText.Rate(delivered)}/s";
    }
}
