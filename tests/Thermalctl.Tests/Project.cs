using System.Text.Json.Nodes;

namespace ThermalStreaming.Thermalctl.Tests;

/// <summary>What <c>docker compose config --format json</c> prints for a project named home.</summary>
static class Project
{
    public static JsonObject With(params string[] services)
    {
        var all = new JsonObject();
        foreach (var service in services)
            all[service] = new JsonObject { ["image"] = $"thermal-streaming/{service}:dev", ["environment"] = new JsonObject() };
        return new JsonObject { ["name"] = "home", ["services"] = all };
    }

    public static ReadSettings Read(this JsonObject project) => ReadSettings.From(project.ToJsonString());

    public static ComposeProject Parse(this JsonObject project) => ComposeProject.Parse(project.ToJsonString());
}
