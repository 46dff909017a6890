using ThermalStreaming.Mappings;

namespace ThermalStreaming.Thermalctl;

/// <summary>The settings of the installation that the rules of the broker's users depend on.</summary>
/// <param name="Mappings">The mappings in use.</param>
/// <param name="HomeAssistant">HOME_ASSISTANT: agents describe themselves to Home Assistant.</param>
sealed record AccessSettings(MappingSet Mappings, bool HomeAssistant)
{
    /// <summary>In place of the name of a mapping, at <c>--enroll NAME --mapping</c>: the user of Home Assistant, which sees the
    /// agents.</summary>
    public const string HomeAssistantUser = "home-assistant";
}
