using ThermalStreaming.Hosting;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>Reads the file of validation rules that the settings name.</summary>
public static class RuleSettings
{
    const string Key = "VALIDATION_RULES_FILE";

    /// <summary>The rules of the file. If no file is named, or it has problems (which are reported), the built-in rules.</summary>
    public static ValidationRules Load(Settings settings)
    {
        var path = settings.OptionalText(
            Key,
            "File of the rules that readings must keep; without it, the built-in ones (rules show). Try one with: rules check FILE."
        );
        if (path is null)
            return ValidationRules.Default;
        List<string> problems = [];
        try
        {
            if (RuleFile.Read(File.ReadAllBytes(path), path, problems) is { } rules)
                return rules;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problems.Add(
                Directory.Exists(path)
                    ? $"'{path}' is a directory (Docker makes one where a file to be mounted is missing); remove it, and put the file there."
                    : $"'{path}' cannot be read ({Settings.Reason(e)}); mount the file there (compose.yaml has the line), or correct the path."
            );
        }
        foreach (var problem in problems)
            settings.Problem($"{Key}: {problem}");
        return ValidationRules.Default;
    }
}
