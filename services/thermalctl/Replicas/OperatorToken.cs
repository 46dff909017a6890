namespace ThermalStreaming.Thermalctl;

/// <summary>The secret that every call which changes something carries.</summary>
static class OperatorToken
{
    /// <summary>Where the container has it.</summary>
    public const string DefaultFile = "/run/control/token";

    /// <param name="file">From the command line; null: THERMAL_TOKEN, else the file of the container.</param>
    /// <returns>Null if there is none: what only reads works without it.</returns>
    /// <exception cref="FailureException">The named file cannot be read or is no token.</exception>
    public static string? Read(string? file)
    {
        var fromEnvironment = Environment.GetEnvironmentVariable("THERMAL_TOKEN");
        if (file is null && fromEnvironment is { Length: > 0 })
            return Checked(fromEnvironment.Trim(), "THERMAL_TOKEN");
        if (file is null && !File.Exists(DefaultFile))
            return null;
        try
        {
            return Checked(File.ReadAllText(file ?? DefaultFile).Trim(), file ?? DefaultFile);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FailureException(
                $"the token in {file ?? DefaultFile} cannot be read",
                e.Message,
                "name a file that this user may read: --token-file FILE"
            );
        }
    }

    /// <summary>What cannot be in a header would fail each call with words that help nobody.</summary>
    static string Checked(string token, string source) =>
        token.Length > 0 && token.All(character => character is > ' ' and <= '~')
            ? token
            : throw new FailureException(
                $"{source} holds no token",
                "A token is one line of letters, digits, - and _",
                "copy the file /run/control/token again, which `setup` made"
            );
}
