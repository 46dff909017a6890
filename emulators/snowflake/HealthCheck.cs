using ThermalStreaming.Hosting;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>The verb that checks whether an emulator running on this machine answers.</summary>
static class HealthCheck
{
    public static async Task<int> RunAsync(int port)
    {
        try
        {
            using var client = DirectHttp.Client(TimeSpan.FromSeconds(3));
            using var answer = await client.GetAsync(new Uri($"http://127.0.0.1:{port}/healthz"));
            if (answer.IsSuccessStatusCode)
                return ExitCodes.Ok;
            Console.Error.WriteLine($"healthcheck: GET /healthz on port {port}: {(int)answer.StatusCode}");
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            Console.Error.WriteLine($"healthcheck: GET /healthz on port {port}: {e.Message}");
        }
        return ExitCodes.Failed;
    }
}
