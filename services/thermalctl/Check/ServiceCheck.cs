using System.Text.Json;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Thermalctl;

/// <summary>Runs each replica's own <c>check</c>. If a service does not stay up, a similar container answers in its place.</summary>
static class ServiceCheck
{
    static readonly string[] services = ["sensor-agent", "snowpipe-forwarder", "s3-forwarder", "console"];

    /// <summary>Runs them in turn. With <paramref name="probe"/> a row is also sent to Snowflake.</summary>
    public static async Task RunAsync(
        DockerEngine docker,
        ComposeProject project,
        IReadOnlyList<ContainerSummary> containers,
        CheckReport report,
        bool probe,
        CancellationToken cancellationToken
    )
    {
        foreach (var service in services.Where(service => project.Has(service) && project.ScaleOf(service) != 0))
        {
            string[] command = probe && service == "snowpipe-forwarder" ? ["check", "--json", "--probe"] : ["check", "--json"];
            var replicas = containers.Where(container => container.Service == service).ToList();
            foreach (var container in replicas.Where(container => container.IsRunning))
                await ReportAsync(
                    report,
                    container.Name,
                    service,
                    () => docker.ExecuteAsync(container.Id, [service, .. command], cancellationToken)
                );
            if (replicas.Count > 0 && !replicas.Exists(container => container.IsRunning))
            {
                await ReportAsync(
                    report,
                    $"{service} (not running: a container for this check)",
                    service,
                    async () =>
                    {
                        var existing = await docker.DescribeAsync(replicas[0].Id, cancellationToken);
                        return await docker.RunAsync(OneOffContainer.Like(existing, command), cancellationToken);
                    }
                );
            }
        }
    }

    static async Task ReportAsync(CheckReport report, string name, string service, Func<Task<CommandOutput>> check)
    {
        report.Blank();
        report.Head(name);
        try
        {
            var ended = await check();
            if (Parse(ended.Output) is { } findings)
                report.Add(name, findings, ended.ExitCode != 0);
            else
                report.Add(name, [NoAnswer(service, ended.LastLine)], failed: true);
        }
        catch (EngineException e)
        {
            report.Add(name, [NoAnswer(service, e.Message)], failed: true);
        }
    }

    static CheckedStep[]? Parse(string output)
    {
        try
        {
            return JsonSerializer.Deserialize(output, CheckJson.Default.CheckedStepArray);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    static CheckedStep NoAnswer(string service, string reason) =>
        CheckedStep.Of(
            "check",
            CheckResult.Failed("the service could not check itself", reason, $"docker compose logs {service}; ./up --no-build")
        );
}
