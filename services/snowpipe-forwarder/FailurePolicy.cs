namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>
/// Decides what a failed call means for delivery, from its answer and from the calls before it. Used by one caller at a time.
/// </summary>
sealed class FailurePolicy(SnowpipeOptions options, TimeProvider clock)
{
    /// <summary>After this many consecutive answers that make no sense, the channel is opened again.</summary>
    const int TolerableRefusals = 5;

    /// <summary>
    /// How long to retry a sign-in that worked before, or that is refused without a reason, before telling a person to change key or token:
    /// Snowflake also refuses briefly while it moves or is overloaded.
    /// </summary>
    public static readonly TimeSpan SignInPatience = TimeSpan.FromSeconds(30);

    int refusals;
    string? reopenedFor;
    bool hasSignedIn;
    long? refusedSince;

    /// <summary>The channel is being opened again.</summary>
    public void Opening() => refusals = 0;

    /// <summary>A call got a normal answer, so the sign-in works.</summary>
    public void SignedIn() => (hasSignedIn, refusedSince) = (true, null);

    /// <summary>An append was accepted.</summary>
    public void Accepted() => (refusals, reopenedFor) = (0, null);

    /// <param name="error">The answer.</param>
    /// <param name="opening">Whether it answered a call of an open.</param>
    /// <returns>What to do, and the message: the answer's own words, and cause and fix where they apply.</returns>
    public (SnowflakeAction Action, string Message) Judge(SnowflakeError error, bool opening)
    {
        if (error.IsSignInRefused && IsPerhapsTransient(error))
            return (SnowflakeAction.Retry, $"{error.Describe()}. The sign-in was refused; retrying with a new token");
        var action = Escalate(error, opening);
        var explanation = SnowflakeExplanations.Explain(error, options);
        return (
            action,
            action == SnowflakeAction.AskOperator || SnowflakeExplanations.IsExplained(error)
                ? $"{error.Describe()}. {explanation.Cause} {explanation.Fix}"
                : error.Describe()
        );
    }

    SnowflakeAction Escalate(SnowflakeError error, bool opening)
    {
        var action = error.Action;
        // A single 404 in the middle of a stream: the open that follows shows whether the channel or the pipe is missing.
        if (action == SnowflakeAction.AskOperator && error is { Status: System.Net.HttpStatusCode.NotFound, Code: "" } && !opening)
            action = SnowflakeAction.Reopen;
        // The first time it may be a lost channel; twice in a row it is a missing grant or a wrong name.
        if (error.Code == "ERR_CHANNEL_DOES_NOT_EXIST_OR_IS_NOT_AUTHORIZED")
        {
            if (reopenedFor == error.Code)
                action = SnowflakeAction.AskOperator;
            reopenedFor = error.Code;
        }
        // Repeated answers that are neither success nor a known error: perhaps the server objects to the continuation token.
        return
            action == SnowflakeAction.Retry
            && !opening
            && (int?)error.Status is >= 200 and < 500 and not (408 or 429 or 499)
            && ++refusals >= TolerableRefusals
            ? SnowflakeAction.Reopen
            : action;
    }

    bool IsPerhapsTransient(SnowflakeError error)
    {
        if (error.IsKeyRefused && !hasSignedIn)
            return false;
        refusedSince ??= clock.GetTimestamp();
        return clock.GetElapsedTime(refusedSince.Value) < SignInPatience;
    }
}
