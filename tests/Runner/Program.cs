using System.Runtime.InteropServices;
using ThermalStreaming.Runner;

const int WrongOption = 2;
const int Interrupted = 130;

var alwaysArm64 = Environment.GetEnvironmentVariable("THERMAL_TEST_ARM64") is { Length: > 0 };
if (TestSelection.Parse(args, alwaysArm64, out var problem) is not { } selection)
{
    Console.Error.WriteLine($"{problem}; ./test --help lists the options");
    return WrongOption;
}
using var stop = new CancellationTokenSource();
using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

// A terminal that is closed, or a connection that is lost.
using var hungUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Stop);
try
{
    return await new WholeRun(selection, TimeProvider.System).RunAsync(stop.Token);
}
catch (OperationCanceledException)
{
    Console.Error.WriteLine("\ninterrupted");
    return Interrupted;
}

void Stop(PosixSignalContext context)
{
    context.Cancel = true;
    stop.Cancel();
}
