using System.Globalization;

namespace ThermalStreaming.Bench;

/// <summary>
/// The methods that services call, in the order in which the compiler is to put them: first those that are called after the start, then those
/// that only a start calls.
/// </summary>
sealed class MethodOrder
{
    readonly Dictionary<string, bool> onlyAtStart = new(StringComparer.Ordinal);

    /// <summary>Each name once; by name within the two parts.</summary>
    public IReadOnlyList<string> Names =>
        [.. onlyAtStart.OrderBy(method => method.Value).ThenBy(method => method.Key, StringComparer.Ordinal).Select(method => method.Key)];

    /// <summary>
    /// Adds what a service called. Of methods with the same address, each counts as called. A method that another service calls after its
    /// start belongs to the first part.
    /// </summary>
    /// <param name="methods">The methods of its program.</param>
    /// <param name="calls">
    /// The tracer's lines: 1 for a method that was called at the start alone and 0 for another, a space, and its address (hexadecimal).
    /// </param>
    /// <exception cref="InvalidDataException">A line is not the tracer's.</exception>
    public void Add(IEnumerable<CompiledMethod> methods, IEnumerable<string> calls)
    {
        var names = methods.ToLookup(method => method.Address, method => method.Name);
        foreach (var line in calls)
        {
            if (
                line.Split(' ') is not [("0" or "1") and var when, var text]
                || !ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var address)
            )
                throw new InvalidDataException($"'{line}' is not a line of the tracer");
            foreach (var name in names[address])
                onlyAtStart[name] = when == "1" && onlyAtStart.GetValueOrDefault(name, true);
        }
    }
}
