using System.Text.Json;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>The mounted <c>snowflake_config.json</c>, whose keys stand for settings. The environment overrides it.</summary>
static class SnowflakeConfigFile
{
    public const string Setting = "SNOWFLAKE_CONFIG_FILE";

    public const string DefaultPath = "/config/snowflake_config.json";

    static readonly Dictionary<string, string> Keys = new(StringComparer.OrdinalIgnoreCase)
    {
        ["user"] = "SNOWFLAKE_USER",
        ["account"] = "SNOWFLAKE_ACCOUNT",
        ["url"] = "SNOWFLAKE_URL",
        ["private_key_file"] = "SNOWFLAKE_PRIVATE_KEY_FILE",
        ["role"] = "SNOWFLAKE_ROLE",
        ["database"] = "SNOWFLAKE_DATABASE",
        ["schema"] = "SNOWFLAKE_SCHEMA",
        ["pipe"] = "SNOWFLAKE_PIPE",
        ["channel_name"] = "SNOWFLAKE_CHANNEL",
    };

    /// <summary>Adds the file's settings. A missing or broken file adds nothing; <see cref="Problem"/> reports it.</summary>
    public static void AddTo(IConfigurationBuilder configuration)
    {
        var path = Environment.GetEnvironmentVariable(Setting);
        if (TryRead(string.IsNullOrWhiteSpace(path) ? DefaultPath : path.Trim(), out var settings, out _))
            configuration.AddInMemoryCollection(settings);
    }

    /// <summary>Null if the file is fine, or is missing and not required.</summary>
    public static string? Problem(string path, bool required) =>
        (!required && !File.Exists(path)) || TryRead(path, out _, out var problem) ? null : $"{Setting} is '{path}', {problem}";

    /// <summary>The settings that the file stands for. A relative <c>private_key_file</c> is beside the file.</summary>
    public static bool TryRead(string path, out Dictionary<string, string?> settings, out string problem)
    {
        settings = new(StringComparer.OrdinalIgnoreCase);
        problem = "";
        try
        {
            using var document = JsonDocument.Parse(
                File.ReadAllText(path),
                new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true }
            );
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                problem = "which is not one JSON object; see snowflake_config.json in the README.";
                return false;
            }
            foreach (var property in document.RootElement.EnumerateObject())
            {
                if (!Keys.TryGetValue(property.Name, out var key) || property.Value.ValueKind == JsonValueKind.Null)
                    continue;
                if (property.Value.ValueKind != JsonValueKind.String)
                {
                    problem = $"where {property.Name} is not a text; put its value into double quotes.";
                    return false;
                }
                var value = property.Value.GetString()!;
                settings[key] =
                    property.Name.Equals("private_key_file", StringComparison.OrdinalIgnoreCase) && value.Length > 0
                        ? Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, value)
                        : value;
            }
            return true;
        }
        catch (JsonException e)
        {
            problem = $"which is not JSON: line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}; correct it there.";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problem = $"which cannot be read ({Settings.Reason(e)}); correct the path, or unset it and use the environment.";
        }
        return false;
    }
}
