using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Spectre.Console;

namespace ThermalStreaming.Hosting;

/// <summary>Asks the running service on this machine, for the verbs <c>healthcheck</c> and <c>status</c>.</summary>
static class StatusClient
{
    /// <summary>The option of <c>healthcheck</c> for engines that restart a service that fails it, as Docker Swarm does.</summary>
    public const string Live = "--live";

    static readonly TimeSpan timeout = TimeSpan.FromSeconds(5);

    /// <summary>Prints what /readyz says, or /healthz.</summary>
    /// <param name="configuration">Where the service's port is.</param>
    /// <param name="live">Whether an answer is enough, however unwell the service is: a restart fixes nothing that /readyz names.</param>
    /// <param name="cancellationToken">Ends the question.</param>
    /// <returns>0 if every part of the service is well, or, with <paramref name="live"/>, if it answers; otherwise 1.</returns>
    public static async Task<int> HealthAsync(IConfiguration configuration, bool live, CancellationToken cancellationToken)
    {
        var (code, text) = await GetAsync(configuration, live ? "/healthz" : "/readyz", cancellationToken);
        return await PrintAsync(code, text);
    }

    /// <summary>Prints the answer of /status, as a table or as it came.</summary>
    /// <returns>0, or 1 when the service does not answer.</returns>
    public static async Task<int> StatusAsync(IConfiguration configuration, bool json, CancellationToken cancellationToken)
    {
        var (code, text) = await GetAsync(configuration, "/status", cancellationToken);
        if (code != HttpStatusCode.OK || json)
            return await PrintAsync(code, text);
        var table = new Table().Border(TableBorder.Rounded).AddColumn("what").AddColumn("value");
        using var document = JsonDocument.Parse(text);
        foreach (var property in document.RootElement.EnumerateObject())
            table.AddRow(new Markup(Markup.Escape(property.Name)), new Markup(Markup.Escape(property.Value.ToString())));
        AnsiConsole.Write(table);
        return ExitCodes.Ok;
    }

    static async Task<int> PrintAsync(HttpStatusCode? code, string text)
    {
        await Console.Out.WriteLineAsync(text.TrimEnd());
        return code == HttpStatusCode.OK ? ExitCodes.Ok : ExitCodes.Failed;
    }

    static async Task<(HttpStatusCode? Code, string Text)> GetAsync(
        IConfiguration configuration,
        string path,
        CancellationToken cancellationToken
    )
    {
        var address = new Uri($"http://127.0.0.1:{ServiceConfiguration.HttpPort(new Settings(configuration))}");
        using var client = DirectHttp.Client(timeout);
        try
        {
            using var response = await client.GetAsync(new Uri(address, path), cancellationToken);
            return (response.StatusCode, await response.Content.ReadAsStringAsync(cancellationToken));
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return (null, $"{address} does not answer ({e.Message}); is the service running, and is HTTP_PORT the one it uses?");
        }
    }
}
