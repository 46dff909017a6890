using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using ThermalStreaming.Thermalctl;

namespace ThermalStreaming.Bench;

/// <summary>Makes <c>services/methods.order</c>.</summary>
/// <param name="root">The repository.</param>
sealed class OrderRun(string root)
{
    const UnixFileMode Everyone =
        UnixFileMode.UserRead
        | UnixFileMode.UserWrite
        | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead
        | UnixFileMode.GroupWrite
        | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead
        | UnixFileMode.OtherWrite
        | UnixFileMode.OtherExecute;

    readonly string directory = Path.Combine(root, "artifacts/order");
    readonly ExternalTools tools = new(root);

    /// <summary>Those that <c>bench/order/compose.yaml</c> puts under the tracer.</summary>
    static readonly string[] names = ["sensor-agent", "snowpipe-forwarder", "s3-forwarder", "console"];

    /// <param name="isBuildWanted">Whether to compile the services, or to use the programs of the last time.</param>
    /// <param name="cancellationToken">Ends it; the demo is taken down.</param>
    /// <exception cref="FailureException">What failed, why, and what to do about it.</exception>
    public async Task RunAsync(bool isBuildWanted, CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
        {
            throw new FailureException(
                "the methods cannot be traced here",
                $"bench/order/trace.c is for Linux on x86-64, and this is {RuntimeInformation.RuntimeIdentifier}",
                "run it on a PC: the list is for both processors, because methods have the same names on each"
            );
        }
        List<TracedService> services = [.. names.Select(name => new TracedService(name, directory))];
        PrepareDirectory();
        var programs = new List<IReadOnlyList<CompiledMethod>>();
        foreach (var service in services)
        {
            if (isBuildWanted)
                await CompileAsync(service, cancellationToken);
            var methods = await service.ReadMethodsAsync(cancellationToken);
            var addresses = methods.Select(method => method.Address.ToString("x16", CultureInfo.InvariantCulture)).Distinct();
            await File.WriteAllLinesAsync(service.Addresses, addresses, cancellationToken);
            programs.Add(methods);
        }
        await CompileTracerAsync(cancellationToken);
        Console.Error.WriteLine("watching the demo, four minutes");
        using (var demo = new TracedDemo(root, services, Path.Combine(directory, "ca.pem")))
            await demo.RunAsync(cancellationToken);

        var order = new MethodOrder();
        foreach (var (service, methods) in services.Zip(programs))
            Add(order, methods, service);
        var made = Path.Combine(directory, "methods.order");
        await File.WriteAllLinesAsync(made, order.Names, cancellationToken);
        File.Move(made, Path.Combine(root, "services/methods.order"), overwrite: true);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"services/methods.order: {order.Names.Count} methods"));
    }

    static void Add(MethodOrder order, IReadOnlyList<CompiledMethod> methods, TracedService service)
    {
        try
        {
            order.Add(methods, File.ReadLines(service.Calls));
        }
        catch (InvalidDataException e)
        {
            throw new FailureException(
                $"{service.Calls} cannot be read",
                e.Message,
                "free some disk space, then this again with --no-build"
            );
        }
    }

    [SupportedOSPlatform("linux")]
    void PrepareDirectory()
    {
        var called = Directory.CreateDirectory(Path.Combine(directory, "called")).FullName;
        foreach (var file in Directory.GetFiles(called))
            File.Delete(file);
        // The services run as a user of their own.
        File.SetUnixFileMode(called, Everyone);
    }

    async Task CompileAsync(TracedService service, CancellationToken cancellationToken)
    {
        Console.Error.WriteLine($"compiling {service.Name} with symbols, a minute or two");
        var project = $"services/{service.Name}";
        await BuildAsync(service.Name, "dotnet", ["restore", project, "--locked-mode", "--verbosity", "quiet"], cancellationToken);
        string[] publish = ["publish", project, "--no-restore", "--runtime", "linux-x64", "--configuration", "Release"];
        string[] options = ["--output", service.Output, "--nologo", "--verbosity", "quiet", "-maxcpucount:1"];
        string[] properties = ["-p:RunAnalyzers=false", "-p:GenerateDocumentationFile=false", "-p:StripSymbols=false"];
        await BuildAsync(service.Name, "dotnet", [.. publish, .. options, .. properties], cancellationToken);
    }

    Task CompileTracerAsync(CancellationToken cancellationToken)
    {
        string[] arguments = ["-O2", "-Wall", "-static", "-o", Path.Combine(directory, "trace"), "bench/order/trace.c"];
        return BuildAsync("bench/order/trace.c", "gcc", arguments, cancellationToken);
    }

    async Task BuildAsync(string what, string program, string[] arguments, CancellationToken cancellationToken)
    {
        if (await tools.RunAsync(program, arguments, cancellationToken) != 0)
            throw new FailureException(
                $"{what} was not compiled",
                $"{program} says why, above",
                "correct what it names, then run this again"
            );
    }
}
