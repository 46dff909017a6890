using ThermalStreaming.Hosting;
using ThermalStreaming.Thermalctl;

namespace ThermalStreaming.Bench;

/// <summary>
/// The demo with its services under the tracer, as a Compose project of its own. It is taken down at the end, also after a failure or an
/// interruption.
/// </summary>
/// <param name="root">The repository.</param>
/// <param name="services">The services under the tracer.</param>
/// <param name="authority">Receives the certificate by which services trust Snowflake's stand-in.</param>
sealed class TracedDemo(string root, IReadOnlyList<TracedService> services, string authority) : IDisposable
{
    const string Project = "thermal-order";
    const string Addresses = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}";

    const string Publish = """
        mosquitto_pub -u publisher -P "$(cat /run/mqtt/password)" -q 1 -t "$0" -m "$1"
        """;

    static readonly TimeSpan pause = TimeSpan.FromSeconds(5);

    /// <summary>Somebody who looks at the page leaves it shortly before the services end: that calls methods too.</summary>
    static readonly TimeSpan visit = TimeSpan.FromSeconds(230);

    static readonly string[] pages = ["metrics", "status", "readyz"];

    readonly HttpClient http = DirectHttp.Client(TimeSpan.FromSeconds(5));

    readonly ExternalTools tools = new(
        root,
        ("COMPOSE_PROJECT_NAME", Project),
        ("COMPOSE_FILE", "compose.yaml:compose.override.yaml:bench/order/compose.yaml")
    );

    /// <summary>Runs until the tracer has ended every service and has written what each called.</summary>
    /// <exception cref="FailureException">The demo does not start, or nothing was seen of a service.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await UpAsync(["--wait", "snowflake"], cancellationToken);
            await SaveAuthorityAsync(cancellationToken);
            await UpAsync([], cancellationToken);
            await WatchAsync(cancellationToken);
            await CheckAsync(cancellationToken);
        }
        finally
        {
            await DownAsync();
        }
    }

    public void Dispose() => http.Dispose();

    async Task UpAsync(string[] words, CancellationToken cancellationToken)
    {
        string[] up = ["compose", "--progress", "quiet", "up", "--detach", "--no-build", .. words];
        if (await tools.RunAsync("docker", up, cancellationToken) != 0)
        {
            throw new FailureException(
                "the demo does not start",
                "Docker says why, above",
                "./up makes the images, and ./up --down frees the demo's ports; then this again with --no-build"
            );
        }
    }

    async Task DownAsync()
    {
        try
        {
            if (await tools.RunAsync("docker", ["compose", "--progress", "quiet", "down", "--volumes"], CancellationToken.None) == 0)
                return;
        }
        catch (OperationCanceledException)
        {
            // Ctrl+C again.
        }
        Console.Error.WriteLine($"the demo may still run; to take it down: docker compose --project-name {Project} down --volumes");
    }

    async Task SaveAuthorityAsync(CancellationToken cancellationToken)
    {
        var address = new Uri(await AddressAsync("snowflake", 8090, cancellationToken), "emulator/ca.pem");
        try
        {
            await File.WriteAllBytesAsync(authority, await http.GetByteArrayAsync(address, cancellationToken), cancellationToken);
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            throw new FailureException(
                "Snowflake's stand-in does not give its certificate",
                $"{address}: {e.Message}",
                "make its image again with ./up, then ./up --down and this again with --no-build"
            );
        }
    }

    async Task WatchAsync(CancellationToken cancellationToken)
    {
        var running = Words(await AskAsync(["compose", "ps", "--quiet", .. services.Select(service => service.Name)], cancellationToken));
        if (running.Length == 0)
            return;
        var addresses = Words(await AskAsync(["inspect", "--format", Addresses, .. running], cancellationToken));
        var console = await AddressAsync("console", 8088, cancellationToken);
        using var leaves = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        leaves.CancelAfter(visit);
        var visitor = LookAtPageAsync(new Uri(console, "events"), leaves.Token);
        try
        {
            var end = AskAsync(["wait", .. running], cancellationToken);
            while (!end.IsCompleted)
            {
                await OccupyAsync(console, addresses, cancellationToken);
                await Task.WhenAny(end, Task.Delay(pause, TimeProvider.System, cancellationToken));
            }
            await end;
        }
        finally
        {
            await leaves.CancelAsync();
            await visitor;
        }
    }

    /// <summary>What else happens to services: somebody opens the page, Prometheus asks for metrics, a device sends JSON.</summary>
    async Task OccupyAsync(Uri console, IEnumerable<string> addresses, CancellationToken cancellationToken)
    {
        foreach (
            var page in addresses.SelectMany(address => pages.Select(page => new Uri($"http://{address}:8080/{page}"))).Prepend(console)
        )
        {
            try
            {
                using var _ = await http.GetAsync(page, cancellationToken);
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
            {
                // It has not started yet, has ended, or has no such page.
            }
        }
        string[] message = ["telemetry/v1/demo/thermal", """{"temperature": 21.5, "humidity": 40}"""];
        await tools.AskAsync("docker", ["compose", "exec", "-T", "mosquitto", "sh", "-c", Publish, .. message], cancellationToken);
    }

    async Task LookAtPageAsync(Uri events, CancellationToken leaves)
    {
        while (!leaves.IsCancellationRequested)
        {
            try
            {
                await using var stream = await http.GetStreamAsync(events, leaves);
                await stream.CopyToAsync(Stream.Null, leaves);
            }
            catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
            {
                // The console has not started yet, or has ended.
            }
            await Task.Delay(pause, TimeProvider.System, leaves).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    async Task CheckAsync(CancellationToken cancellationToken)
    {
        foreach (var service in services)
        {
            if (!File.Exists(service.Calls) || new FileInfo(service.Calls).Length == 0)
                throw await EndedAsync(service.Name, "the tracer has not written what it called", cancellationToken);
        }
    }

    /// <summary>Shows the log of a service that has ended too early, which goes with the demo.</summary>
    async Task<FailureException> EndedAsync(string service, string problem, CancellationToken cancellationToken)
    {
        await tools.RunAsync("docker", ["compose", "logs", "--tail", "20", service], cancellationToken);
        return new FailureException(
            $"{service} ended too early",
            $"Its log is above; {problem}",
            "repair what the log names, then this again with --no-build"
        );
    }

    /// <summary>Where a service's published port is.</summary>
    async Task<Uri> AddressAsync(string service, int port, CancellationToken cancellationToken)
    {
        var (code, published) = await tools.AskAsync("docker", ["compose", "port", service, $"{port}"], cancellationToken);
        return code == 0 && Words(published) is [var address, ..]
            ? new Uri($"http://127.0.0.1:{address.Split(':')[^1]}/")
            : throw await EndedAsync(service, $"port {port} of it is not published", cancellationToken);
    }

    async Task<string> AskAsync(string[] words, CancellationToken cancellationToken)
    {
        var (code, output) = await tools.AskAsync("docker", words, cancellationToken);
        return code == 0
            ? output
            : throw new FailureException(
                $"docker {string.Join(' ', words.TakeWhile(word => !word.StartsWith('-')))} failed",
                "Docker says why, above",
                "correct what it names, then run this again with --no-build"
            );
    }

    static string[] Words(string text) => text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
}
