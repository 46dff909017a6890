namespace ThermalStreaming.Hosting;

/// <summary>
/// The configuration cannot work. Ends the process with <see cref="ExitCodes.BadConfiguration"/> and one line per problem.
/// </summary>
/// <param name="problems">Each names the setting, the value found and what is allowed.</param>
public sealed class ConfigurationException(IReadOnlyList<string> problems) : Exception(string.Join(Environment.NewLine, problems))
{
    public IReadOnlyList<string> Problems { get; } = problems;
}
