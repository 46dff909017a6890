using ThermalStreaming.Thermalctl;

namespace ThermalStreaming.Bench;

/// <summary>A service that runs under the tracer, and its files.</summary>
/// <param name="Name">Its name in Compose, and of its project below <c>services</c>.</param>
/// <param name="Directory">Where the files are; the containers of <c>bench/order/compose.yaml</c> see it as <c>/order</c>.</param>
sealed record TracedService(string Name, string Directory)
{
    /// <summary>Receives the compiled program.</summary>
    public string Output => Path.Combine(Directory, Name);

    /// <summary>Where its methods begin, for the tracer.</summary>
    public string Addresses => Path.Combine(Directory, $"{Name}.addresses");

    /// <summary>What the tracer writes: which of them were called.</summary>
    public string Calls => Path.Combine(Directory, "called", Name);

    /// <summary>The methods of its program, by address.</summary>
    /// <exception cref="FailureException">There is no program, or it has no symbols.</exception>
    public async Task<IReadOnlyList<CompiledMethod>> ReadMethodsAsync(CancellationToken cancellationToken)
    {
        const string Fix = "bench/run --order, without --no-build, compiles it";
        // Beside ThermalStreaming.Console there may be ThermalStreaming.Console.dbg.
        var program =
            (System.IO.Directory.Exists(Output) ? System.IO.Directory.GetFiles(Output, "ThermalStreaming.*") : []).FirstOrDefault(file =>
                Path.GetFileName(file).Count(letter => letter == '.') == 1
            ) ?? throw new FailureException($"there is no program of {Name}", $"{Output} has none", Fix);
        try
        {
            return ElfProgram.MethodsOf(await File.ReadAllBytesAsync(program, cancellationToken));
        }
        catch (InvalidDataException e)
        {
            throw new FailureException($"the methods of {program} cannot be read", e.Message, Fix);
        }
    }
}
