namespace ThermalStreaming.Thermalctl.Tests;

/// <summary>Texts of devices and services on a person's terminal.</summary>
[Trait("Category", "Security")]
public sealed class TerminalTextTests
{
    [Theory]
    [InlineData("a\u001b[31mb", "ab")]
    [InlineData("a\u001b]0;title\u0007b", "a]0;titleb")]
    // The same sequences with one character of ISO 6429 in front, as a terminal that knows it takes them.
    [InlineData("a\u009b31mb", "a31mb")]
    [InlineData("a\u009d0;title\u009cb", "a0;titleb")]
    // "cilbup" would read "public".
    [InlineData("\u202ecilbup\u202c", "cilbup")]
    [InlineData("\u2067x\u2069", "x")]
    [InlineData("Zürich 21 °C → ok", "Zürich 21 °C → ok")]
    public void Nothing_is_left_that_a_terminal_would_obey(string text, string shown) => Assert.Equal(shown, TerminalText.Plain(text));
}
