using System.Text.Json;

namespace ThermalStreaming.Hosting;

/// <summary>The service that runs beside a verb, in the same container. Thread-safe.</summary>
/// <param name="port">Its HTTP_PORT.</param>
public sealed class RunningService(int port)
{
    /// <summary>The service of these settings.</summary>
    public static RunningService Of(Settings settings) => new(ServiceConfiguration.HttpPort(settings));

    /// <summary>What its <c>/status</c> says; null when it does not answer.</summary>
    public async Task<JsonElement?> StatusAsync(CancellationToken cancellationToken)
    {
        using var client = DirectHttp.Client(TimeSpan.FromSeconds(5));
        try
        {
            var address = new Uri($"http://127.0.0.1:{port}/status");
            using var document = JsonDocument.Parse(await client.GetByteArrayAsync(address, cancellationToken));
            return document.RootElement.Clone();
        }
        catch (Exception e)
            when (e is HttpRequestException or JsonException || (e is TaskCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return null;
        }
    }
}
