using System.Text.Json;

namespace ThermalStreaming.Thermalctl;

/// <summary>The settings as Compose sees them, or why it cannot read them.</summary>
/// <param name="Project">Null if Compose cannot read them.</param>
/// <param name="Problem">Compose's reason.</param>
/// <param name="Fix">What to do about it.</param>
sealed record ReadSettings(ComposeProject? Project, string Problem = "", string Fix = "")
{
    /// <param name="json">The output of <c>docker compose config --format json</c>.</param>
    public static ReadSettings From(string json)
    {
        try
        {
            return new ReadSettings(ComposeProject.Parse(json));
        }
        catch (JsonException e)
        {
            return new ReadSettings(
                null,
                $"docker compose config: {e.Message}",
                "docker compose config shows what Compose makes of the settings"
            );
        }
    }
}
