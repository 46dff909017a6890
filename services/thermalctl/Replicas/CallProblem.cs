using Grpc.Core;
using ThermalStreaming.Control;

namespace ThermalStreaming.Thermalctl;

/// <summary>Why a replica did not do what it was asked.</summary>
/// <param name="What">What happened, in a sentence.</param>
/// <param name="Fix">What to do; empty if the sentence says it.</param>
sealed record CallProblem(string What, string Fix)
{
    /// <param name="e">The exception that ended the call.</param>
    /// <param name="patience">The time limit of the call.</param>
    /// <param name="hasToken">Whether there is a token.</param>
    /// <param name="client">The client of the call.</param>
    public static CallProblem Of(RpcException e, TimeSpan patience, bool hasToken, ControlClient client)
    {
        if (ConnectionProblem.Of(e, client.UsesTls) is { } problem)
            return new(problem.What, problem.Fix);
        return e.StatusCode switch
        {
            StatusCode.Unavailable => new(
                $"does not answer: {Reason(e)}",
                "docker compose ps shows whether it runs, docker compose logs why it stopped"
            ),
            StatusCode.DeadlineExceeded => Late(patience),
            StatusCode.Unauthenticated when hasToken && client.WithholdsToken => new(
                "needs the token, which was not sent: it would leave this machine unencrypted",
                "GRPC_TLS=true at the service and --ca FILE here (docs/operations.md, Control from another machine); --plain-token where "
                    + "nobody else can read the traffic"
            ),
            StatusCode.Unauthenticated when hasToken => new(
                "refused the token",
                "the token belongs to another installation, or was renewed: use the file that `setup` keeps (--token-file), which "
                    + "./thermalctl does by itself"
            ),
            StatusCode.Unauthenticated => new(
                "needs a token, but has none",
                "./thermalctl finds the token by itself; elsewhere --token-file FILE with a copy of /run/control/token"
            ),
            StatusCode.Unimplemented => new(
                "does not know this call: it is an earlier version, or another service",
                "./up builds and starts this version"
            ),
            _ => new(Reason(e), ""),
        };
    }

    /// <summary>The call exceeded its time limit.</summary>
    public static CallProblem Late(TimeSpan patience) =>
        new(
            $"has not answered within {patience.TotalSeconds:0.#} s",
            "it is frozen, busy, or behind a firewall: docker compose ps, and the load of the machine (top)"
        );

    static string Reason(RpcException e)
    {
        // The client's text about a connection ends with the operating system's message.
        var text = e.StatusCode == StatusCode.Unavailable && e.InnerException is { } inner ? Innermost(inner).Message : e.Status.Detail;
        text = TerminalText.Plain(text.ReplaceLineEndings(" ")).TrimEnd('.');
        return text.Length > 0 ? text : e.StatusCode.ToString();
    }

    static Exception Innermost(Exception e)
    {
        while (e.InnerException is { } inner)
            e = inner;
        return e;
    }
}
