using System.Globalization;

namespace ThermalStreaming.Runner;

/// <summary>A test project to run.</summary>
/// <param name="Name">For example Journal.Tests.</param>
/// <param name="Assembly">Its built program.</param>
/// <param name="Ceiling">How long it may take, as timeout(1) writes it: 40m.</param>
/// <param name="Filter">Which tests, as `dotnet test --filter` writes it; null for all.</param>
sealed record TestProject(string Name, string Assembly, string Ceiling, string? Filter)
{
    /// <summary>The ceiling as a time; null if there is none, or it is not written as timeout(1) wants it.</summary>
    public TimeSpan? CeilingTime =>
        double.TryParse(Ceiling.TrimEnd('s', 'm', 'h', 'd'), CultureInfo.InvariantCulture, out var number) && number > 0
            ? Ceiling[^1] switch
            {
                'm' => TimeSpan.FromMinutes(number),
                'h' => TimeSpan.FromHours(number),
                'd' => TimeSpan.FromDays(number),
                _ => TimeSpan.FromSeconds(number),
            }
            : null;
}
