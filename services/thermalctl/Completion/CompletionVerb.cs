using System.CommandLine;
using System.CommandLine.Completions;

namespace ThermalStreaming.Thermalctl;

/// <summary>A verb for a shell's completion. Immutable.</summary>
/// <param name="Path">The verbs up to this one, for example <c>dead-letters list</c>; empty for the program itself.</param>
/// <param name="Verbs">The verbs that may follow, with descriptions.</param>
/// <param name="Options">Its options, with descriptions and accepted values: none for a switch, "" for any text.</param>
/// <param name="Values">The words that its arguments accept.</param>
sealed record CompletionVerb(
    string Path,
    IReadOnlyList<(string Name, string Description)> Verbs,
    IReadOnlyList<(string Name, string Description, IReadOnlyList<string> Values)> Options,
    IReadOnlyList<string> Values
)
{
    /// <summary>Everything that is not hidden, the program itself first.</summary>
    public static IReadOnlyList<CompletionVerb> All(Command root) => [.. Below(root, "")];

    static IEnumerable<CompletionVerb> Below(Command command, string path)
    {
        var verbs = command.Subcommands.Where(verb => !verb.Hidden).ToList();
        yield return new CompletionVerb(
            path,
            [.. verbs.Select(verb => (verb.Name, Plain(verb.Description)))],
            [
                .. command
                    .Options.Where(option => !option.Hidden)
                    .Select(option => (NameOf(option), Plain(option.Description), ValuesOf(option))),
                .. path.Length > 0 ? [("--help", "Lists verbs and options.", [])] : Array.Empty<(string, string, IReadOnlyList<string>)>(),
            ],
            [.. command.Arguments.SelectMany(Completions)]
        );
        foreach (var verb in verbs)
        {
            foreach (var below in Below(verb, path.Length == 0 ? verb.Name : $"{path} {verb.Name}"))
                yield return below;
        }
    }

    static string NameOf(Option option) =>
        option.Name.StartsWith('-')
            ? option.Name
            : option.Aliases.FirstOrDefault(alias => alias.StartsWith("--", StringComparison.Ordinal)) ?? option.Name;

    static List<string> ValuesOf(Option option) =>
        option.ValueType == typeof(bool) || option.Arity.MaximumNumberOfValues == 0 ? []
        : Completions(option) is { Count: > 0 } words ? words
        : [""];

    static List<string> Completions(Symbol symbol) => [.. symbol.GetCompletions(CompletionContext.Empty).Select(item => item.Label)];

    /// <summary>The first sentence, without characters that are special to shells.</summary>
    static string Plain(string? description)
    {
        var text = (description ?? "").Split(". ")[0].TrimEnd('.');
        return string.Concat(text.Where(character => character is not ('\'' or '"' or '`' or '\\' or '$')));
    }
}
