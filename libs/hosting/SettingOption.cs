namespace ThermalStreaming.Hosting;

/// <summary>A command-line option that sets a setting. A switch needs no value and means <paramref name="SwitchValue"/>.</summary>
/// <param name="Name">As typed, with its dashes.</param>
/// <param name="Key">The setting.</param>
/// <param name="Description">For <c>--help</c>.</param>
/// <param name="IsSwitch">Whether it takes no value.</param>
/// <param name="SwitchValue">The value that the switch sets.</param>
public sealed record SettingOption(string Name, string Key, string Description, bool IsSwitch = false, string SwitchValue = "true");
