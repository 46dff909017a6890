using System.CommandLine;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Thermalctl;

/// <summary>The verb <c>token</c>.</summary>
static class TokenCommand
{
    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = OperatorOptions.Json.Description };
        var command = new Command(
            "token",
            "Prints the token that changes need, for the console's page or a program of yours. Everybody who has the token can stop "
                + "delivery."
        )
        {
            json,
        };
        command.SetAction(parsed =>
        {
            var token =
                OperatorToken.Read(null)
                ?? throw new FailureException(
                    "this installation has no token",
                    $"{OperatorToken.DefaultFile} does not exist; `setup` makes it at each start",
                    "./up"
                );
            if (!parsed.GetValue(json))
            {
                Console.Out.WriteLine(token);
                return ExitCodes.Ok;
            }
            JsonText.Print(writer =>
            {
                writer.WriteStartObject();
                writer.WriteString("token"u8, token);
                writer.WriteEndObject();
            });
            return ExitCodes.Ok;
        });
        return command;
    }
}
