using System.CommandLine;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Thermalctl;

/// <summary>
/// The verbs that apply a change by <c>setup</c> to the running broker. The output of <c>setup</c> follows the settings on standard input,
/// after a record separator, which JSON never contains. It holds a password, which must not appear on a command line or in <c>docker
/// inspect</c>.
/// </summary>
static class DeviceCommands
{
    const char Separator = '\x1e';

    public static Command Enrolled() =>
        Create(
            "enrolled",
            "Adds an enrolled device to the running broker, and shows what to paste on the device.",
            (change, name, answer, stop) => change.EnrolledAsync(name, answer, SetupPlaces.OfContainer().HostName, stop)
        );

    public static Command Revoked() =>
        Create(
            "revoked",
            "Deletes a device's user from the running broker.",
            (change, name, answer, stop) => change.RevokedAsync(name, answer, stop)
        );

    public static Command Rotated() =>
        Create(
            "rotated",
            "Gives a service's new password to the running broker, and waits for the service.",
            (change, name, answer, stop) => change.RotatedAsync(name, answer, stop)
        );

    static Command Create(string verb, string description, Func<DeviceChange, string, string, CancellationToken, Task> action)
    {
        var name = new Argument<string>("name");
        var command = new Command(verb, description) { name };
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                using var docker = new DockerEngine(ControlCommandLine.Socket);
                using var http = DirectHttp.Client(ControlCommandLine.AnswerCeiling);
                var input = (await Console.In.ReadToEndAsync(cancellationToken)).Split(Separator, 2);
                var project = new RunningProject(docker, ControlCommandLine.Settings(input[0]), http);
                var narrator = new Narrator(Console.Out, Console.Error, Terminal.IsInteractive);
                var change = new DeviceChange(docker, project, narrator, TimeProvider.System);
                await action(change, parsed.GetValue(name)!, input.Length > 1 ? input[1] : "", cancellationToken);
            }
        );
        return command;
    }
}
