namespace ThermalStreaming.Snowflake;

/// <summary>What an error means, for a person.</summary>
/// <param name="Cause">One sentence.</param>
/// <param name="Fix">The exact remedy, SQL or a command if there is one.</param>
sealed record Explanation(string Cause, string Fix)
{
    /// <summary>The same with this installation's names in place of <c>&lt;db&gt;</c>, <c>&lt;role&gt;</c>…, if they are set.</summary>
    /// <param name="names">Placeholders and their names; "" if not set.</param>
    public Explanation For(params ReadOnlySpan<(string Placeholder, string Name)> names)
    {
        var fix = Fix;
        foreach (var (placeholder, name) in names)
        {
            if (name.Length > 0)
                fix = fix.Replace(placeholder, name, StringComparison.Ordinal);
        }
        return this with { Fix = fix };
    }
}
