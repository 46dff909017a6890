using ThermalStreaming.Mappings;

namespace ThermalStreaming.Thermalctl;

/// <summary>The settings of the installation behind the rules of the broker's users.</summary>
/// <param name="Mappings">The mappings in use.</param>
/// <param name="HomeAssistant">HOME_ASSISTANT: whether agents describe themselves to Home Assistant.</param>
sealed record AccessSettings(MappingSet Mappings, bool HomeAssistant)
{
    /// <summary>
    /// Replaces the name of a mapping in <c>--enroll NAME --mapping</c>: the user of Home Assistant, which sees the agents.
    /// </summary>
    public const string HomeAssistantUser = "home-assistant";
}
