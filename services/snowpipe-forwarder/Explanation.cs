namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>What an error means, for a person.</summary>
/// <param name="Cause">One sentence.</param>
/// <param name="Fix">The exact thing to do, SQL or a command where there is one.</param>
sealed record Explanation(string Cause, string Fix)
{
    /// <summary>
    /// The same with the names of this installation in place of the table's <c>&lt;db&gt;</c>, <c>&lt;role&gt;</c>… where they are set.
    /// </summary>
    public Explanation For(SnowpipeOptions options)
    {
        var fix = Fix;
        foreach (var (placeholder, name) in new[] { ("<db>", options.Database), ("<schema>", options.Schema), ("<pipe>", options.Pipe), ("<role>", options.Role), ("<user>", options.User.ToUpperInvariant()) })
        {
            if (name.Length > 0)
                fix = fix.Replace(placeholder, name, StringComparison.Ordinal);
        }
        return this with { Fix = fix };
    }
}
