namespace ThermalStreaming.Deployment.Tests;

/// <summary>The kustomizations that the project ships, with each component switched on somewhere.</summary>
static class Installations
{
    static readonly Dictionary<string, Installation> known = new(StringComparer.Ordinal)
    {
        ["base"] = new("base"),
        ["production"] = new("overlays/production"),
        ["production, node ports, monitored"] = new("overlays/production", "node-port", "pod-monitor"),
        ["base, role of AWS"] = new("base", "aws-role"),
        ["agents"] = new("overlays/agents"),
    };

    public static TheoryData<string> All => [.. known.Keys];

    public static Installation Named(string name) => known[name];
}
