using System.CommandLine;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Thermalctl;

/// <summary>The verb <c>completion</c>.</summary>
static class CompletionCommand
{
    public static Command Create(RootCommand root)
    {
        var shell = new Argument<string>("shell") { Description = "bash, zsh or fish." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        var command = new Command(
            "completion",
            "Prints a script with which a shell completes verbs and options; its first line says where to put the script."
        )
        {
            shell,
        };
        command.SetAction(parsed =>
        {
            var verbs = CompletionVerb.All(root);
            Console.Out.Write(
                parsed.GetValue(shell) switch
                {
                    "bash" => CompletionScripts.Bash(verbs),
                    "zsh" => CompletionScripts.Zsh(verbs),
                    _ => CompletionScripts.Fish(verbs),
                }
            );
            return ExitCodes.Ok;
        });
        return command;
    }
}
