namespace ThermalStreaming.Thermalctl;

/// <summary>The secret in every call that changes something.</summary>
static class OperatorToken
{
    /// <summary>Its path in the container.</summary>
    public const string DefaultFile = "/run/control/token";

    /// <param name="file">File from the command line; null: THERMAL_TOKEN, else the container's file.</param>
    /// <returns>Null if there is none: reading works without it.</returns>
    /// <exception cref="FailureException">The named file cannot be read or is not a token.</exception>
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

    /// <summary>A token that cannot be in a header would make each call fail with an unhelpful message.</summary>
    static string Checked(string token, string source) =>
        token.Length > 0 && token.All(character => character is > ' ' and <= '~')
            ? token
            : throw new FailureException(
                $"{source} does not hold a token",
                "A token is one line of letters, digits, - and _",
                "copy the file /run/control/token again, which `setup` made"
            );
}
