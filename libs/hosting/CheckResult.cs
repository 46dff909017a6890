namespace ThermalStreaming.Hosting;

/// <summary>What a step of <c>check</c> found.</summary>
/// <param name="Outcome">How the step ended.</param>
/// <param name="Detail">The finding, one line, for a person.</param>
/// <param name="Cause">On failure: the likely cause.</param>
/// <param name="Fix">On failure: the exact thing to do, a command where there is one.</param>
public sealed record CheckResult(CheckOutcome Outcome, string Detail, string Cause = "", string Fix = "")
{
    public static CheckResult Ok(string detail) => new(CheckOutcome.Ok, detail);

    public static CheckResult Warning(string detail, string cause, string fix) => new(CheckOutcome.Warning, detail, cause, fix);

    public static CheckResult Failed(string detail, string cause, string fix) => new(CheckOutcome.Failed, detail, cause, fix);
}
