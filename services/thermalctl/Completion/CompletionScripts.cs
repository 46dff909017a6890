using System.Text;

namespace ThermalStreaming.Thermalctl;

/// <summary>
/// Scripts that complete verbs, options and their values. They contain the whole tree, because starting a container at each Tab would take
/// a second.
/// </summary>
static class CompletionScripts
{
    public static string Bash(IReadOnlyList<CompletionVerb> verbs)
    {
        var text = new StringBuilder(
            $$"""
            # bash completion for thermalctl: source it, or put it into /etc/bash_completion.d/
            _thermalctl() {
                local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} at='' words='' i
                COMPREPLY=()
                for (( i = 1; i < COMP_CWORD; i++ )); do
                    case "$at ${COMP_WORDS[i]}" in
                        {{Patterns(verbs)}}) at="$at ${COMP_WORDS[i]}" ;;
                    esac
                done
                case "$at $before" in

            """
        );
        var all = OptionsWithValues(verbs).ToLookup(option => string.Join(' ', option.Values));
        foreach (var options in all)
        {
            var patterns = options.Select(option => $"'{Prefixed(option.Path)} {option.Name}'");
            text.Append($"        {string.Join(" | ", patterns)}) words='{options.Key}' ;;\n");
        }
        text.Append("        *)\n            case $at in\n");
        foreach (var verb in verbs)
            text.Append($"                '{Prefixed(verb.Path)}') words='{string.Join(' ', Words(verb))}' ;;\n");
        return text.Append(
                """
                            esac ;;
                    esac
                    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
                }
                complete -o default -F _thermalctl thermalctl ./thermalctl

                """
            )
            .ToString();
    }

    public static string Zsh(IReadOnlyList<CompletionVerb> verbs)
    {
        var text = new StringBuilder(
            $$"""
            #compdef thermalctl
            # zsh completion for thermalctl: source it after compinit, or put it as _thermalctl into a directory of $fpath
            _thermalctl() {
                local at='' i
                local -a verbs options values
                for (( i = 2; i < CURRENT; i++ )); do
                    case "$at ${words[i]}" in
                        {{Patterns(verbs)}}) at="$at ${words[i]}" ;;
                    esac
                done
                case "$at ${words[CURRENT-1]}" in

            """
        );
        foreach (var (path, name, values) in OptionsWithValues(verbs))
        {
            var offer = values.All(value => value.Length == 0) ? "_files" : $"compadd -- {string.Join(' ', values)}";
            text.Append($"        '{Prefixed(path)} {name}') {offer}; return ;;\n");
        }
        text.Append("    esac\n    case $at in\n");
        foreach (var verb in verbs)
        {
            text.Append($"        '{Prefixed(verb.Path)}')\n");
            text.Append($"            verbs=({Described(verb.Verbs)})\n");
            text.Append($"            options=({Described(verb.Options.Select(option => (option.Name, option.Description)))})\n");
            text.Append($"            values=({string.Join(' ', verb.Values)})\n            ;;\n");
        }
        return text.Append(
                """
                    esac
                    (( ! ${#values} )) || compadd -- $values
                    (( ! ${#verbs} )) || _describe -t verbs verb verbs
                    (( ! ${#options} )) || _describe -t options option options
                }
                if [[ ${zsh_eval_context[-1]} == loadautofunc ]]; then _thermalctl "$@"; else compdef _thermalctl thermalctl; fi

                """
            )
            .ToString();
    }

    public static string Fish(IReadOnlyList<CompletionVerb> verbs)
    {
        var text = new StringBuilder(
            """
            # fish completion for thermalctl: put it as thermalctl.fish into ~/.config/fish/completions/
            function __thermalctl_at
                set -l at ''
                for word in (commandline -opc)[2..-1]
                    switch "$at $word"

            """
        );
        text.Append($"            case {string.Join(' ', Paths(verbs).Select(path => $"'{path}'"))}\n");
        text.Append(
            """
                            set at "$at $word"
                    end
                end
                test "$at" = "$argv[1]"
            end
            complete -c thermalctl -f

            """
        );
        foreach (var verb in verbs)
        {
            var start = $"complete -c thermalctl -n '__thermalctl_at \"{Prefixed(verb.Path)}\"'";
            foreach (var (name, description) in verb.Verbs)
                text.Append($"{start} -a {name} -d '{description}'\n");
            if (verb.Values.Count > 0)
                text.Append($"{start} -a '{string.Join(' ', verb.Values)}'\n");
            foreach (var (name, description, values) in verb.Options)
            {
                var takes =
                    values.Count == 0 ? ""
                    : values.All(value => value.Length == 0) ? " -r -F"
                    : $" -x -a '{string.Join(' ', values)}'";
                text.Append($"{start} -l {name.TrimStart('-')}{takes} -d '{description}'\n");
            }
        }
        return text.ToString();
    }

    /// <summary>A path as the scripts build it: a blank before each verb.</summary>
    static string Prefixed(string path) => path.Length == 0 ? "" : $" {path}";

    static IEnumerable<string> Paths(IEnumerable<CompletionVerb> verbs) =>
        verbs.Where(verb => verb.Path.Length > 0).Select(verb => Prefixed(verb.Path));

    static string Patterns(IEnumerable<CompletionVerb> verbs) => string.Join(" | ", Paths(verbs).Select(path => $"'{path}'"));

    static IEnumerable<(string Path, string Name, IReadOnlyList<string> Values)> OptionsWithValues(IEnumerable<CompletionVerb> verbs) =>
        verbs.SelectMany(verb =>
            verb.Options.Where(option => option.Values.Count > 0).Select(option => (verb.Path, option.Name, option.Values))
        );

    static IEnumerable<string> Words(CompletionVerb verb) =>
        verb.Verbs.Select(below => below.Name).Concat(verb.Values).Concat(verb.Options.Select(option => option.Name));

    static string Described(IEnumerable<(string Name, string Description)> items) =>
        string.Join(' ', items.Select(item => $"'{item.Name}:{item.Description.Replace(":", "\\:", StringComparison.Ordinal)}'"));
}
