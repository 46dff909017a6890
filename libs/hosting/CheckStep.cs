namespace ThermalStreaming.Hosting;

/// <summary>One step of <c>check</c>. It runs unless a step named in <paramref name="Needs"/> failed or was skipped.</summary>
public sealed record CheckStep(string Name, Func<CancellationToken, Task<CheckResult>> Run, params string[] Needs);
