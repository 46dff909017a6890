using System.Text.RegularExpressions;

namespace ThermalStreaming.Thermalctl;

/// <summary>Text that other programs wrote for a terminal.</summary>
static partial class TerminalText
{
    /// <summary>A line without colours, carriage returns and other control characters.</summary>
    public static string Plain(string line) => Controls().Replace(Escapes().Replace(line, ""), "").TrimEnd();

    [GeneratedRegex(@"\x1b\[[0-9;?]*[A-Za-z]")]
    private static partial Regex Escapes();

    /// <summary>Includes those of ISO 6429, which some terminals also obey, and those that change the text direction.</summary>
    [GeneratedRegex(@"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")]
    private static partial Regex Controls();
}
