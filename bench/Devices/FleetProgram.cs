using System.ComponentModel;
using System.Globalization;

namespace ThermalStreaming.Bench;

/// <summary>The program <c>bench/fleet</c>.</summary>
static class FleetProgram
{
    /// <summary>The argument behind the repository's path by which this program is it.</summary>
    public const string Verb = "fleet";

    const string Help = """
        Load with many devices: mosquitto with the configuration that is shipped, the snowpipe-forwarder and the Snowflake emulator as processes
        on loopback, and simulated devices, each with a connection, a user and a boot id of its own. Then how many calls
        many cells make to Snowflake.

        usage: bench/fleet [--only N[,N]] [--short] [--no-build] [--built] [--interval S] [--seconds S] [--outage S] [--set NAME=VALUE]
               bench/fleet cells [--channels N] [--no-build]

          --only          numbers of devices; 100,1000,10000,100000 if not given
          --interval S    between the readings of a device; if not given 10 s, and for more than 20,000 devices as much more as makes 2,000
                          readings a second: broker, forwarder, emulator and devices share this machine's processors
          --seconds S     how long the default rate is watched (60)
          --outage S      how long all devices are cut off at once (10); they continue to take readings and send them afterwards
          --commit-delay S   of the emulator (5); Snowflake takes 5 to 10 s
          --set NAME=VALUE   a setting of the forwarder, for example JOURNAL_LINGER=1s; may be repeated
          --short         15 s and 3 s
          --no-build      measures the programs that were published last
          --built         forwarder and emulator as `dotnet build` left them, not compiled natively: to see whether every reading is stored
          --results FILE  JSON; bench/fleet-results.json if not given
          cells           1,000 cells towards one table, simulated with the forwarder's own rules and prices, beside Snowflake's limits;
                          --channels N opens so many real channels at the emulator, with the forwarder's own client and delivery, and
                          compares what they call with what the simulation says (0: none; 2000 if not given)

        Every size ends with a count of the emulator's rows: each reading that was taken must be there, once.
        A connection takes a file descriptor in two processes (`ulimit -n`; root raises it by itself if the system allows it). If there
        are too few, a connection is a gateway for several devices; the table names the number. 100,000 devices take some minutes.
        Needs mosquitto and gcc (apt-get install mosquitto gcc libc6-dev) and the .NET SDK. --built needs no gcc.
        Exit codes: 0 measured and every reading stored once, 1 not exact, 2 could not measure.
        """;

    public static async Task<int> RunAsync(string root, string[] arguments)
    {
        if (arguments.Contains("--help") || arguments.Contains("-h"))
        {
            Console.WriteLine(Help);
            return 0;
        }
        try
        {
            if (arguments is [CellsProgram.Verb, .. var rest])
                return await CellsProgram.RunAsync(root, rest);
            var options = FleetOptions.Parse(root, arguments);
            if (options.IsCompiled && !arguments.Contains("--no-build"))
                await NativePrograms.CompileAsync(root);
            return await MeasureAsync(root, options) ? 0 : 1;
        }
        catch (Exception e)
            when (e
                    is ArgumentException
                        or TimeoutException
                        or OperationCanceledException
                        or IOException
                        or InvalidOperationException
                        or HttpRequestException
                        or Win32Exception
            )
        {
            Console.Error.WriteLine($"could not measure: {e.Message}");
            return 2;
        }
    }

    static async Task<bool> MeasureAsync(string root, FleetOptions options)
    {
        var table = new FleetTable();
        foreach (var (name, value) in await Conditions.OfThisMachineAsync())
            table.Condition(name, value);
        table.Condition("forwarder and emulator", options.IsCompiled ? "compiled natively" : "as built, under the JIT");
        foreach (var (key, value) in options.Settings)
            table.Condition($"forwarder: {key}", value);
        table.Condition("the emulator commits after", $"{options.CommitDelay.TotalSeconds:0} s");
        var started = TimeProvider.System.GetTimestamp();
        var descriptors = Descriptors();
        table.Condition("open files of a process", descriptors.ToString("#,0", CultureInfo.InvariantCulture));
        var measurement = new FleetMeasurement(root, options, table, Say);
        var areExact = true;
        try
        {
            foreach (var devices in options.Sizes)
                areExact &= await measurement.RunAsync(devices, FleetOptions.ConnectionsOf(devices, descriptors));
            if (options.Sizes.Any(size => size >= TlsConnections.Most))
                await TlsConnections.MeasureAsync(root, table);
        }
        finally
        {
            // What was measured before something failed took minutes.
            table.Condition("load average after", await Conditions.LoadAsync());
            Show(table);
            table.Write(options.Results);
        }
        Say($"written to {options.Results}; {(areExact ? "every reading is stored once" : "NOT every reading is stored once")}");
        return areExact;

        void Say(string line) =>
            Console.Error.WriteLine(
                string.Create(CultureInfo.InvariantCulture, $"{TimeProvider.System.GetElapsedTime(started).TotalSeconds, 5:0} s  {line}")
            );
    }

    static void Show(FleetTable table)
    {
        table.Print(Console.Out);
        foreach (var name in new[] { "broker: resident at the end", "forwarder: resident at the end" })
        {
            if (table.Slope(name) is var slope && double.IsFinite(slope))
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}, for each further device: {slope * 1024:0.00} KiB"));
        }
    }

    /// <summary>Open files that this process and its children may have.</summary>
    static long Descriptors()
    {
        var line = File.ReadLines("/proc/self/limits").First(line => line.StartsWith("Max open files", StringComparison.Ordinal));
        return long.TryParse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3], CultureInfo.InvariantCulture, out var most)
            ? most
            : long.MaxValue;
    }
}
