namespace ThermalStreaming.Mappings;

/// <summary>A mapping file that cannot be read as YAML.</summary>
/// <param name="line">The line, from 1.</param>
/// <param name="message">What is wrong there.</param>
sealed class MappingSyntaxException(int line, string message) : Exception(message)
{
    public int Line { get; } = line;
}
