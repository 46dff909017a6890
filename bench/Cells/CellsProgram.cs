using System.Globalization;

namespace ThermalStreaming.Bench;

/// <summary>The verb <c>bench/fleet cells</c>.</summary>
static class CellsProgram
{
    public const string Verb = "cells";

    const int Seed = 20_261_130;
    const int Cells = 1_000;

    /// <summary>Bytes of a row, before compression and on the wire, as <c>bench/fleet</c> measures them with 1,000 devices.</summary>
    static readonly (double Plain, double Wire) rowBytes = (860, 50);

    /// <summary>Snowflake's own figure for the time until rows can be queried.</summary>
    static readonly (TimeSpan, TimeSpan) commitDelay = (TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(10));

    static readonly TimeSpan simulated = TimeSpan.FromMinutes(2);

    static readonly CellScenario[] scenarios =
    [
        new(Cells, 10, TimeSpan.FromSeconds(10), 1),
        new(Cells, 400, TimeSpan.FromSeconds(10), 1),
        new(Cells, 400, TimeSpan.FromSeconds(10), 4),
        new(Cells, 5_000, TimeSpan.FromSeconds(10), 1),
        new(Cells, 10_000, TimeSpan.FromSeconds(10), 4),
    ];

    public static async Task<int> RunAsync(string root, string[] arguments)
    {
        var (channels, isBuilt) = (SnowflakeLimits.ChannelsPerPipe, false);
        for (var i = 0; i < arguments.Length; i++)
        {
            switch (arguments[i])
            {
                case "--no-build":
                    isBuilt = true;
                    break;
                case "--channels":
                    var text = ++i < arguments.Length ? arguments[i] : "";
                    if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out channels))
                        throw new ArgumentException($"--channels wants a number, not '{text}'");
                    break;
                default:
                    throw new ArgumentException($"bench/fleet cells does not know '{arguments[i]}'; bench/fleet --help lists what it does");
            }
        }
        var model = SlotModel.Shipped();
        PrintRules(model);
        PrintTable([.. scenarios.Select(scenario => CellLoad.Simulate(scenario, model, rowBytes, commitDelay, simulated, Seed))]);
        if (channels > 0 && !isBuilt)
            await NativePrograms.CompileAsync(root);
        return channels == 0 || await new ChannelCheck(root, model).RunAsync(channels) ? 0 : 1;
    }

    static void PrintRules(SlotModel model) =>
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"""
                a slot cuts a batch after {model.Batches.Linger.TotalSeconds:0.#} s, {model.Batches.MaxReadings:#,0} readings
                or {model.Batches.MaxBytes:#,0} bytes (a row counted as {model.EstimatedRowBytes:#,0}); it may append
                {model.RequestsPerSecond} times and {model.BytesPerSecond:#,0} bytes a second: {model.MostReadings(
                    rowBytes.Plain
                ):#,0} readings/s
                a row: {rowBytes.Plain:0} bytes before compression, {rowBytes.Wire:0} on the wire
                {simulated.TotalSeconds:0} s simulated, seed {Seed}

                """
            )
        );

    static void PrintTable(CellLoad[] loads)
    {
        Line("", load => $"{load.Scenario.Devices:#,0} devices, {load.Scenario.Slots} slot{(load.Scenario.Slots == 1 ? "" : "s")}");
        Console.WriteLine($"|---|{string.Concat(loads.Select(_ => "---|"))}");
        Line("readings a second", load => $"{load.Readings:#,0}");
        Line("channels", load => $"{load.Channels:#,0}");
        Line("pipes needed", load => $"{load.Pipes}");
        Line("appends a second", load => $"{load.Calls.Appends:#,0}");
        Line("status calls a second", load => $"{load.Calls.Status:#,0}");
        Line("tokens a second", load => $"{load.Calls.Tokens:0.0}");
        Line("most appends of a channel in a second", load => $"{load.MostAppendsOfChannel} of {SnowflakeLimits.AppendsPerChannel}");
        Line("largest append, kB on the wire", load => $"{load.LargestAppend / 1e3:0} of {SnowflakeLimits.BytesPerAppend / 1e3:#,0}");
        Line("MB a second of a channel", load => $"{load.Bytes / load.Channels / 1e6:0.00} of {SnowflakeLimits.BytesPerChannel / 1e6:0}");
        Line("MB a second of the table", load => $"{load.Bytes / 1e6:#,0} of {SnowflakeLimits.BytesPerTable / 1e6:#,0}");
        Line("keeps up", load => $"{(load.IsKeepingUp ? "yes" : "NO")}");
        Line("credits a day", load => $"{load.CreditsPerDay:#,0.0}");
        Line("USD a day", load => $"{load.DollarsPerDay:#,0.0}");
        Line("first limit", load => $"{load.Limits[0].Limit}");
        Line("met at cells", load => $"{Math.Floor(load.Limits[0].Cells):#,0}");
        Line("next limit", load => $"{load.Limits[1].Limit}");
        Line("met at cells", load => $"{Math.Floor(load.Limits[1].Cells):#,0}");

        void Line(string name, Func<CellLoad, FormattableString> cell) => LineOf(name, load => FormattableString.Invariant(cell(load)));

        void LineOf(string name, Func<CellLoad, string> cell) =>
            Console.WriteLine($"| {name} | {string.Join(" | ", loads.Select(cell))} |");
    }
}
