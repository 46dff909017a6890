using System.Text.Json.Nodes;

namespace ThermalStreaming.Thermalctl;

/// <summary>
/// A container like an existing one, but with another command: the same image, user, environment, volumes and networks. It is what
/// <c>docker compose run --no-deps</c> creates, and needs no Compose.
/// </summary>
static class OneOffContainer
{
    /// <summary>The body of the request that creates it, from the engine's description of the <paramref name="existing"/> one.</summary>
    public static JsonNode Like(JsonNode existing, params string[] command)
    {
        var made = existing["Config"]!.DeepClone().AsObject();
        made["Cmd"] = new JsonArray([.. command.Select(word => (JsonNode)word)]);
        // It has its own name and no health check, and Compose does not count it.
        made.Remove("Hostname");
        made.Remove("ExposedPorts");
        made["Healthcheck"] = new JsonObject { ["Test"] = new JsonArray("NONE") };
        if (made["Labels"] is JsonObject labels)
            labels["com.docker.compose.oneoff"] = "True";
        var host = existing["HostConfig"]!.DeepClone().AsObject();
        host["RestartPolicy"] = new JsonObject { ["Name"] = "no" };
        host["PortBindings"] = new JsonObject();
        // It is removed only after its output was read.
        host["AutoRemove"] = false;
        made["HostConfig"] = host;
        return made;
    }
}
