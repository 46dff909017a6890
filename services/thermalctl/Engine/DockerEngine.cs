using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Thermalctl;

/// <summary>
/// Docker Engine's API over its Unix socket. Access to the socket gives Docker's rights. Each method throws <see cref="EngineException"/>
/// if the engine does not answer or refuses. Thread-safe.
/// </summary>
sealed class DockerEngine : IDisposable
{
    /// <summary>The version of Engine 20.10, which newer ones also speak, unless they say otherwise.</summary>
    static readonly Version preferred = new(1, 41);

    static readonly TimeSpan answerCeiling = TimeSpan.FromSeconds(30);

    readonly HttpClient http;
    EngineVersion? version;

    /// <param name="socket">Path of the socket.</param>
    public DockerEngine(string socket)
    {
        var handler = DirectHttp.Handler();
        handler.ConnectCallback = async (_, cancellationToken) =>
        {
            var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancellationToken);
                return new NetworkStream(connection, ownsSocket: true);
            }
            catch
            {
                connection.Dispose();
                throw;
            }
        };
        http = new HttpClient(handler) { BaseAddress = new Uri("http://docker/"), Timeout = Timeout.InfiniteTimeSpan };
    }

    public async Task<EngineVersion> VersionAsync(CancellationToken cancellationToken) =>
        version ??= await ReadAsync(
            await SendAsync(HttpMethod.Get, "version", null, cancellationToken),
            EngineJson.Default.EngineVersion,
            cancellationToken
        );

    public Task<EngineInfo> InfoAsync(CancellationToken cancellationToken) =>
        GetAsync("info", EngineJson.Default.EngineInfo, cancellationToken);

    /// <summary>
    /// The containers of a Compose project in the order of their services and numbers, without those of <c>compose run</c>.
    /// </summary>
    public async Task<IReadOnlyList<ContainerSummary>> ContainersAsync(string project, CancellationToken cancellationToken)
    {
        var filters = $$"""{"label":["com.docker.compose.project={{project}}","com.docker.compose.oneoff=False"]}""";
        var found = await ListAsync(filters, cancellationToken);
        return [.. found.OrderBy(container => container.Service, StringComparer.Ordinal).ThenBy(container => container.Number)];
    }

    /// <summary>The running container that has published a port of the machine; null if none has.</summary>
    public async Task<ContainerSummary?> PublisherAsync(int port, CancellationToken cancellationToken) =>
        (await ListAsync($$"""{"publish":["{{port}}"],"status":["running"]}""", cancellationToken)).FirstOrDefault();

    public Task<ContainerDetails> InspectAsync(string id, CancellationToken cancellationToken) =>
        GetAsync($"containers/{id}/json", EngineJson.Default.ContainerDetails, cancellationToken);

    /// <summary>The names of all images, with their tags.</summary>
    public async Task<IReadOnlySet<string>> ImagesAsync(CancellationToken cancellationToken) =>
        (await GetAsync("images/json", EngineJson.Default.ImageSummaryArray, cancellationToken))
            .SelectMany(image => image.RepoTags ?? [])
            .ToHashSet(StringComparer.Ordinal);

    /// <summary>A container's description, unchanged from the engine.</summary>
    public async Task<JsonNode> DescribeAsync(string id, CancellationToken cancellationToken)
    {
        using var answer = await CallAsync(HttpMethod.Get, $"containers/{id}/json", null, cancellationToken);
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync(cancellationToken))!;
    }

    /// <summary>The last lines of a container's two outputs, without colours.</summary>
    public async Task<IReadOnlyList<string>> LogAsync(string id, int lines, CancellationToken cancellationToken)
    {
        using var answer = await CallAsync(HttpMethod.Get, $"containers/{id}/logs?stdout=1&stderr=1&tail={lines}", null, cancellationToken);
        await using var stream = await answer.Content.ReadAsStreamAsync(cancellationToken);
        var text = await OutputStreams.ReadMergedAsync(stream, cancellationToken);
        return [.. text.Split('\n').Select(TerminalText.Plain).Where(line => line.Length > 0).TakeLast(lines)];
    }

    /// <summary>Runs a command in a running container to its end.</summary>
    public async Task<CommandOutput> ExecuteAsync(
        string id,
        string[] command,
        CancellationToken cancellationToken,
        params string[] environment
    )
    {
        var wanted = JsonContent.Create(new ExecRequest(command, environment), EngineJson.Default.ExecRequest);
        var made = await PostAsync($"containers/{id}/exec", wanted, cancellationToken);
        var start = JsonContent.Create(new ExecStart(), EngineJson.Default.ExecStart);
        using var answer = await CallAsync(HttpMethod.Post, $"exec/{made.Id}/start", start, cancellationToken);
        await using var stream = await answer.Content.ReadAsStreamAsync(cancellationToken);
        var (output, errors) = await OutputStreams.ReadAsync(stream, cancellationToken);
        var ended = await GetAsync($"exec/{made.Id}/json", EngineJson.Default.ExecDetails, cancellationToken);
        return new CommandOutput(ended.ExitCode ?? -1, output, errors);
    }

    /// <summary>Creates a container from a <paramref name="description"/>, runs it to its end, and removes it.</summary>
    public async Task<CommandOutput> RunAsync(JsonNode description, CancellationToken cancellationToken)
    {
        var wanted = new StringContent(description.ToJsonString(), Encoding.UTF8, "application/json");
        var made = await PostAsync("containers/create", wanted, cancellationToken);
        try
        {
            (await CallAsync(HttpMethod.Post, $"containers/{made.Id}/start", null, cancellationToken)).Dispose();
            using var ended = await CallAsync(HttpMethod.Post, $"containers/{made.Id}/wait", null, cancellationToken);
            var code = await ReadAsync(ended, EngineJson.Default.WaitAnswer, cancellationToken);
            using var answer = await CallAsync(HttpMethod.Get, $"containers/{made.Id}/logs?stdout=1&stderr=1", null, cancellationToken);
            await using var stream = await answer.Content.ReadAsStreamAsync(cancellationToken);
            var (output, errors) = await OutputStreams.ReadAsync(stream, cancellationToken);
            return new CommandOutput(code.StatusCode, output, errors);
        }
        finally
        {
            // Also after an interruption: the container must not stay.
            using var ceiling = new CancellationTokenSource(answerCeiling, TimeProvider.System);
            (await CallAsync(HttpMethod.Delete, $"containers/{made.Id}?force=1&v=1", null, ceiling.Token)).Dispose();
        }
    }

    public void Dispose() => http.Dispose();

    Task<ContainerSummary[]> ListAsync(string filters, CancellationToken cancellationToken) =>
        GetAsync(
            $"containers/json?all=1&filters={Uri.EscapeDataString(filters)}",
            EngineJson.Default.ContainerSummaryArray,
            cancellationToken
        );

    async Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        using var ceiling = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        ceiling.CancelAfter(answerCeiling);
        try
        {
            return await ReadAsync(await CallAsync(HttpMethod.Get, path, null, ceiling.Token), type, ceiling.Token);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new EngineException($"Docker did not answer within {answerCeiling.TotalSeconds:0} s", e);
        }
    }

    async Task<CreatedObject> PostAsync(string path, HttpContent content, CancellationToken cancellationToken) =>
        await ReadAsync(
            await CallAsync(HttpMethod.Post, path, content, cancellationToken),
            EngineJson.Default.CreatedObject,
            cancellationToken
        );

    async Task<HttpResponseMessage> CallAsync(HttpMethod method, string path, HttpContent? content, CancellationToken cancellationToken)
    {
        var spoken = await VersionAsync(cancellationToken);
        var newest = Version.Parse(spoken.ApiVersion);
        var oldest = Version.Parse(spoken.MinAPIVersion);
        var used =
            preferred < oldest ? oldest
            : preferred > newest ? newest
            : preferred;
        return await SendAsync(method, $"v{used}/{path}", content, cancellationToken);
    }

    async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, HttpContent? content, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        HttpResponseMessage answer;
        try
        {
            // Output arrives while a command runs, so do not await the body here.
            answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        }
        catch (HttpRequestException e)
        {
            throw new EngineException(e.InnerException?.Message ?? e.Message, e);
        }
        if (answer.IsSuccessStatusCode)
            return answer;
        using (answer)
        {
            var said = await answer.Content.ReadAsStringAsync(cancellationToken);
            throw new EngineException(Problem(said) ?? $"Docker answered {(int)answer.StatusCode} to {path}");
        }
    }

    static string? Problem(string said)
    {
        try
        {
            return JsonSerializer.Deserialize(said, EngineJson.Default.EngineProblem)?.Message;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    static async Task<T> ReadAsync<T>(HttpResponseMessage answer, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        using (answer)
        {
            try
            {
                return await answer.Content.ReadFromJsonAsync(type, cancellationToken)
                    ?? throw new EngineException("Docker's answer is empty");
            }
            catch (JsonException e)
            {
                throw new EngineException($"Docker's answer cannot be read: {e.Message}", e);
            }
        }
    }
}
