using System.Globalization;
using ThermalStreaming.Bench;

if (args is ["subscribe", var port])
    return await AcknowledgingSubscriber.RunAsync(int.Parse(port, CultureInfo.InvariantCulture));

var only = Array.IndexOf(args, "--only") is var at and >= 0 && at + 1 < args.Length ? args[at + 1].Split(',') : null;
var soak = Array.IndexOf(args, "--soak") is var soakAt and >= 0
    ? soakAt + 1 < args.Length && int.TryParse(args[soakAt + 1], CultureInfo.InvariantCulture, out var minutes) ? minutes : 10
    : 0;
var results = new Results();
var measurements = new Measurements(args[0], results, share: args.Contains("--short") ? 0.25 : 1);
List<string> names = [.. measurements.All.Select(measurement => measurement.Name), "soak"];
if (only?.Except(names).ToList() is [_, ..] unknown)
{
    Console.Error.WriteLine($"--only {string.Join(',', unknown)}: there is {string.Join(", ", names)}");
    return 2;
}
if (only?.Contains("soak") == true && soak == 0)
    soak = 10;
try
{
    await measurements.ConditionsAsync();
    foreach (var (name, measure) in measurements.All)
    {
        if (only is null || only.Contains(name))
            await measure();
    }
    if (soak > 0)
        await measurements.SoakAsync(TimeSpan.FromMinutes(soak));
}
catch (Exception e) when (e is TimeoutException or OperationCanceledException or IOException or InvalidOperationException or System.ComponentModel.Win32Exception)
{
    Console.Error.WriteLine($"could not measure: {e.Message}");
    return 2;
}
results.Print();
results.Write(Path.Combine(args[0], "bench/results.json"));
return results.AllMet ? 0 : 1;
