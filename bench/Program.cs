using System.Globalization;
using ThermalStreaming.Bench;

const string Help = """
    Measures the forwarder against real processes on loopback: mosquitto, the Snowflake emulator, and the snowpipe-forwarder, both compiled
    natively as the Dockerfile does it. Prints a table and writes bench/results.json.

    usage: bench/run [--soak [MINUTES]] [--only NAME[,NAME]] [--short] [--no-build]
           bench/run --order [--no-build]

      --soak     adds ten (or MINUTES) minutes of full load, during which the memory is watched
      --only     of: wire, start, idle, default-rates, single-protobuf, single-json, peers, batch, soak
      --short    a quarter of the messages, for a first look
      --no-build measures the programs that were published last
      --order    measures nothing, but makes services/methods.order again; bench/run --order --help says more

    Needs mosquitto, gcc (apt-get install mosquitto mosquitto-clients gcc libc6-dev) and the .NET SDK. Every figure is a ratio within the run, or processor time,
    so a busy machine shifts it little; a very busy one still shows (the load average is among the conditions).
    Exit codes: 0 all targets met, 1 some missed, 2 could not measure.
    """;

switch (args)
{
    case ["subscribe", AcknowledgingSubscriber.Name, var port, var kind]:
        return await AcknowledgingSubscriber.RunAsync(int.Parse(port, CultureInfo.InvariantCulture), kind);
    case ["subscribe", MqttNetSubscriber.Name, var port, var kind]:
        return await MqttNetSubscriber.RunAsync(int.Parse(port, CultureInfo.InvariantCulture), kind);
    case [DeviceProcess.Verb, .. var rest]:
        return await DeviceProcess.MainAsync(rest);
    case [_, FleetProgram.Verb, .. var rest]:
        return await FleetProgram.RunAsync(args[0], rest);
    case [_, .. var rest] when rest.Contains(OrderProgram.Option):
        return await OrderProgram.RunAsync(args[0], [.. rest.Where(argument => argument != OrderProgram.Option)]);
}

if (args.Contains("--help") || args.Contains("-h"))
{
    Console.WriteLine(Help);
    return 0;
}
var only = Array.IndexOf(args, "--only") is var at and >= 0 && at + 1 < args.Length ? args[at + 1].Split(',') : null;
var soak = Array.IndexOf(args, "--soak") is var soakAt and >= 0
    ? soakAt + 1 < args.Length && int.TryParse(args[soakAt + 1], CultureInfo.InvariantCulture, out var minutes)
        ? minutes
        : 10
    : 0;
var results = new Results();
var measurements = new Measurements(args[0], results, share: args.Contains("--short") ? 0.25 : 1);
List<string> names = [.. measurements.All.Select(measurement => measurement.Name), "soak"];
if (only?.Except(names).ToList() is [_, ..] unknown)
{
    Console.Error.WriteLine($"--only {string.Join(',', unknown)}: the names are {string.Join(", ", names)}");
    return 2;
}
if (only?.Contains("soak") == true && soak == 0)
    soak = 10;
try
{
    if (!args.Contains("--no-build"))
        await NativePrograms.CompileAsync(args[0]);
    await measurements.ConditionsAsync();
    foreach (var (name, measure) in measurements.All)
    {
        if (only is null || only.Contains(name))
            await measure();
    }
    if (soak > 0)
        await measurements.SoakAsync(TimeSpan.FromMinutes(soak));
}
catch (Exception e)
    when (e
            is TimeoutException
                or OperationCanceledException
                or IOException
                or InvalidOperationException
                or System.ComponentModel.Win32Exception
    )
{
    Console.Error.WriteLine($"could not measure: {e.Message}");
    return 2;
}
results.Print();
results.Write(Path.Combine(args[0], "bench/results.json"));
return results.AllMet ? 0 : 1;
