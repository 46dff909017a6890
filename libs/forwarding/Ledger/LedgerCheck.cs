using ThermalStreaming.Hosting;

namespace ThermalStreaming.Forwarding;

/// <summary>The step of <c>check</c> that shows whether the ledger had to forget streams.</summary>
static class LedgerCheck
{
    public static CheckStep Step(RunningService service) =>
        new(
            "ledger",
            async cancellationToken =>
            {
                if (
                    await service.StatusAsync(cancellationToken) is not { } status
                    || !status.TryGetProperty("streams_forgotten", out var forgotten)
                )
                    return CheckResult.Ok("not known: the service does not answer");
                return forgotten.GetInt64() is > 0 and var count
                    ? CheckResult.Warning(
                        $"{count} streams were forgotten to stay within 1,024 per device and LEDGER_MAX_BYTES in all; a reading of theirs that "
                            + "arrives again is stored twice",
                        "A device makes a new boot_id again and again, in each message or restart for example; or there are more devices "
                            + "than LEDGER_MAX_BYTES has room for, about 28,000 by default (thermal_forwarder_ledger_fill).",
                        "Let each device make one boot_id at its start; for more devices raise LEDGER_MAX_BYTES, or add a cell "
                            + "(docs/scaling.md). Streams that were forgotten long ago do no harm."
                    )
                    : CheckResult.Ok("the ledger remembers every stream");
            }
        );
}
