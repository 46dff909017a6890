using System.Runtime.InteropServices;
using ThermalStreaming.Hosting;
using ThermalStreaming.Thermalctl;

namespace ThermalStreaming.Bench;

/// <summary>The program <c>bench/run --order</c>.</summary>
static class OrderProgram
{
    /// <summary>The argument by which this program is it.</summary>
    public const string Option = "--order";

    const string NoBuild = "--no-build";

    const string Help = """
        Makes services/methods.order again: the methods that running services call, which the native compiler then puts beside each other.

        usage: bench/run --order [--no-build]

          --no-build   the programs with symbols as they were last compiled

        Compiles the services with symbols, runs the demo for four minutes with each of them under bench/order/trace.c, and writes down first
        what they call when they have settled, then what they call at the start alone. Some fifteen minutes. Needs the images of ./up, the
        ports of the demo (./up --down), the .NET SDK, gcc, and x86-64. The list is for both processors: methods have the same names on each.
        Exit codes: 0 written, 1 failed, 2 wrong option, 130 interrupted.
        """;

    /// <param name="root">The repository.</param>
    /// <param name="arguments">Those besides <see cref="Option"/>.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(string root, IReadOnlyList<string> arguments)
    {
        if (arguments.Contains("--help") || arguments.Contains("-h"))
        {
            Console.WriteLine(Help);
            return ExitCodes.Ok;
        }
        if (arguments.FirstOrDefault(argument => argument != NoBuild) is { } unknown)
        {
            Console.Error.WriteLine($"{unknown} cannot be combined with {Option}; bench/run {Option} --help shows what does");
            return OperatorExit.Usage;
        }
        using var stop = new CancellationTokenSource();
        using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var hungUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Stop);
        try
        {
            await new OrderRun(root).RunAsync(!arguments.Contains(NoBuild), stop.Token);
            return ExitCodes.Ok;
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine("interrupted; services/methods.order is as it was");
            return OperatorExit.Interrupted;
        }
        catch (FailureException e)
        {
            Console.Error.WriteLine($"failed: {e.Message}");
            return ExitCodes.Failed;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine(
                $"failed: services/methods.order was not made. {e.Message.TrimEnd('.')}. To fix it: make artifacts/order writable for this "
                    + "user and free some space, then this again"
            );
            return ExitCodes.Failed;
        }

        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            stop.Cancel();
        }
    }
}
