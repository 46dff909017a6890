using System.Text;

namespace ThermalStreaming.Thermalctl;

/// <summary>The texts that the settings come from. Compose's output does not say which names of <c>.env</c> it used.</summary>
/// <param name="Env">The text of <c>.env</c>; empty if there is none.</param>
/// <param name="ComposeFiles">The texts of the Compose files: the project's, and those that COMPOSE_FILE names.</param>
sealed record SettingsSources(string Env, IReadOnlyList<string> ComposeFiles)
{
    /// <summary>Beside what Compose says of the project: Base64 of the texts, with a group separator between two.</summary>
    const string Member = "x-thermal-sources";

    const char Separator = '\x1d';

    /// <summary>Those that <c>./check</c> hands over with the settings; null if there are none.</summary>
    public static SettingsSources? Of(ComposeProject project)
    {
        if (project.Value(Member) is not { } encoded)
            return null;
        var bytes = new byte[encoded.Length];
        if (!Convert.TryFromBase64String(encoded, bytes, out var length))
            return null;
        var texts = Encoding.UTF8.GetString(bytes, 0, length).Split(Separator);
        return texts.Length < 2 ? null : new SettingsSources(texts[0], texts[1..]);
    }
}
