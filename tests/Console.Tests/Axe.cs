using System.Diagnostics;
using System.Text.Json;

namespace ThermalStreaming.Console.Tests;

/// <summary>The accessibility checker axe-core, which npm puts beside the tests, as its lock file says.</summary>
static class Axe
{
    static readonly SemaphoreSlim gate = new(1);
    static string? script;

    /// <summary>What it finds wrong with a page, a line for each element.</summary>
    public static async Task<IReadOnlyList<string>> CheckAsync(Visit visit)
    {
        // The page's own policy lets no script in; the browser's tools may.
        await visit.Page.EvaluateAsync(await ScriptAsync());
        var found = await visit.Page.EvaluateAsync<JsonElement>(
            "async () => (await axe.run(document, { resultTypes: ['violations'] })).violations"
                + ".flatMap(v => v.nodes.map(n => `${v.id}: ${n.target.join(' ')}: ${n.failureSummary}`))"
        );
        return [.. found.EnumerateArray().Select(line => line.GetString()!)];
    }

    static async Task<string> ScriptAsync()
    {
        await gate.WaitAsync();
        try
        {
            return script ??= await FetchAsync();
        }
        finally
        {
            gate.Release();
        }
    }

    static async Task<string> FetchAsync()
    {
        var directory = Path.Combine(AppContext.BaseDirectory, "axe");
        var path = Path.Combine(directory, "node_modules/axe-core/axe.min.js");
        if (!File.Exists(path))
        {
            using var npm = Process.Start(
                new ProcessStartInfo("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]) { WorkingDirectory = directory }
            )!;
            using var timeout = new CancellationTokenSource(TimeSpan.FromMinutes(3));
            await npm.WaitForExitAsync(timeout.Token);
            if (npm.ExitCode != 0)
                throw new InvalidOperationException("axe-core could not be fetched: npm ci says why above.");
        }
        return await File.ReadAllTextAsync(path);
    }
}
