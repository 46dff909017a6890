using ThermalStreaming.Hosting;

namespace ThermalStreaming.Forwarding;

/// <summary>The step of <c>check</c> that shows whether dead letters had to be deleted.</summary>
static class DeadLetterCheck
{
    public static CheckStep Step(RunningService service) =>
        new(
            "dead letters",
            async cancellationToken =>
            {
                if (
                    await service.StatusAsync(cancellationToken) is not { } status
                    || !status.TryGetProperty("dead_letters_deleted_unread", out var unread)
                    || !status.TryGetProperty("dead_letters_deleted_refused", out var refused)
                    || !status.TryGetProperty("dead_letters_deleted_unloaded", out var unloaded)
                )
                    return CheckResult.Ok("not known: the service does not answer");
                return
                    (unread.GetInt64(), refused.GetInt64(), unloaded.GetInt64()) is var (messages, readings, objects)
                    && messages + readings + objects > 0
                    ? CheckResult.Warning(
                        $"{messages} letters that could not be read, {readings} refused by the destination and {objects} about objects that "
                            + "were not loaded were deleted to keep within the cap",
                        "A sender keeps sending messages that cannot be read, the destination keeps refusing rows, or Snowpipe keeps not "
                            + "loading objects. The log names the senders.",
                        "Run 'dead-letters list', correct the cause, replay. DEAD_LETTERS_MAX_BYTES raises the cap; letters about objects "
                            + "have a sixteenth of it, the other kinds half each."
                    )
                    : CheckResult.Ok("no dead letter was deleted");
            }
        );
}
