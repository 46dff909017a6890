using System.Text.Json;

namespace ThermalStreaming.Thermalctl;

/// <summary>
/// The containers of the project, and the answers of its services. The services publish no port, so they are asked at their address in
/// their network.
/// </summary>
sealed class RunningProject(DockerEngine docker, ComposeProject settings, HttpClient http)
{
    const int ServicePort = 8080;
    const int LogColumns = 300;

    /// <summary>The services that answer, in the order of the data flow.</summary>
    static readonly string[] own = ["sensor-agent", "snowpipe-forwarder", "s3-forwarder", "console"];

    public ComposeProject Settings => settings;

    public async Task<IReadOnlyList<ServiceContainer>> ReplicasAsync(CancellationToken cancellationToken)
    {
        List<ServiceContainer> replicas = [];
        foreach (var container in await docker.ContainersAsync(settings.Name, cancellationToken))
        {
            if (await FindAsync(container.Id, cancellationToken) is { } details)
                replicas.Add(new ServiceContainer(container.Service, container.Id, details.State, details.Address));
        }
        return replicas;
    }

    /// <summary>The last lines of a container's log, none longer than 300 characters.</summary>
    public async Task<IReadOnlyList<string>> LogAsync(string id, int lines, CancellationToken cancellationToken) =>
        [.. (await docker.LogAsync(id, lines, cancellationToken)).Select(line => line.Length > LogColumns ? line[..LogColumns] : line)];

    /// <summary>The /status answers of those replicas of a service that answer.</summary>
    public async Task<IReadOnlyList<JsonElement>> StatusAsync(
        IEnumerable<ServiceContainer> replicas,
        string service,
        CancellationToken cancellationToken
    )
    {
        List<JsonElement> found = [];
        foreach (var text in await AskAsync(replicas, service, "status", cancellationToken))
        {
            try
            {
                using var document = JsonDocument.Parse(text);
                found.Add(document.RootElement.Clone());
            }
            catch (JsonException)
            {
                // The container is starting or stopping, which counts as no answer.
            }
        }
        return found;
    }

    /// <summary>The problems that the answering services report, by service.</summary>
    public async Task<IReadOnlyList<(string Service, string Text)>> ComplaintsAsync(
        IEnumerable<ServiceContainer> replicas,
        CancellationToken cancellationToken
    )
    {
        const string Mark = "FAIL ";
        var all = replicas.ToList();
        List<(string Service, string Text)> found = [];
        foreach (var service in own)
        {
            foreach (var text in await AskAsync(all, service, "readyz", cancellationToken))
            {
                found.AddRange(
                    text.Split('\n')
                        .Where(line => line.StartsWith(Mark, StringComparison.Ordinal))
                        .Select(line => (service, $"{service}: {line[Mark.Length..].TrimEnd()}"))
                );
            }
        }
        return found;
    }

    /// <summary>A stand-in's answer; null if it does not answer, or refuses.</summary>
    public async Task<string?> StandInAsync(
        IEnumerable<ServiceContainer> replicas,
        string service,
        int port,
        string path,
        CancellationToken cancellationToken
    ) =>
        replicas.FirstOrDefault(replica => replica.Service == service && replica.IsRunning)?.Address is { } address
        && await GetAsync(new Uri($"http://{address}:{port}/{path}"), cancellationToken) is { IsSuccess: true } answer
            ? answer.Text
            : null;

    /// <summary>Null for a container that has been removed since the list was made.</summary>
    async Task<ContainerDetails?> FindAsync(string id, CancellationToken cancellationToken)
    {
        try
        {
            return await docker.InspectAsync(id, cancellationToken);
        }
        catch (EngineException)
        {
            return null;
        }
    }

    async Task<IReadOnlyList<string>> AskAsync(
        IEnumerable<ServiceContainer> replicas,
        string service,
        string path,
        CancellationToken cancellationToken
    )
    {
        List<string> answers = [];
        foreach (var replica in replicas.Where(replica => replica.Service == service && replica is { IsRunning: true, Address: not null }))
        {
            // /readyz reports problems with 503.
            if (await GetAsync(new Uri($"http://{replica.Address}:{ServicePort}/{path}"), cancellationToken) is { } answer)
                answers.Add(answer.Text);
        }
        return answers;
    }

    async Task<(bool IsSuccess, string Text)?> GetAsync(Uri address, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await http.GetAsync(address, cancellationToken);
            return (answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(cancellationToken));
        }
        catch (Exception e)
            when (e is HttpRequestException or IOException
                || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested)
            )
        {
            return null;
        }
    }
}
