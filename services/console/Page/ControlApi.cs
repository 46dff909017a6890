using System.Text.Json;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using ThermalStreaming.Control;

namespace ThermalStreaming.Console;

/// <summary>
/// <c>POST /api/…</c>: passes a command and the page's token to an agent or a forwarder, which checks the token. The console itself has no
/// token. Thread-safe.
/// </summary>
sealed class ControlApi(ReplicaBook replicas, GuessLimit guesses, TimeProvider clock)
{
    /// <summary>A flush waits for the destination.</summary>
    static readonly TimeSpan patience = TimeSpan.FromSeconds(30);

    const string Reason = "paused from the console";

    /// <summary>No dead letter has this id: replaying it changes nothing, and is refused without the token.</summary>
    const string NoLetter = "-";

    public async Task AnswerAsync(HttpContext context, string command)
    {
        var authorization = context.Request.Headers.Authorization.ToString();
        if (!authorization.StartsWith("Bearer ", StringComparison.Ordinal))
        {
            await Reply.SaidAsync(context, 401, "Enter the token first.");
            return;
        }
        if (guesses.IsReached)
        {
            context.Response.Headers.RetryAfter = "60";
            await Reply.SaidAsync(context, 429, "Too many wrong tokens. Wait a minute.");
            return;
        }
        try
        {
            using var body = await JsonDocument.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted);
            var call = new CallOptions(
                new Metadata { { "authorization", authorization } },
                clock.GetUtcNow().Add(patience).UtcDateTime,
                context.RequestAborted
            );
            var (code, said) = await RunAsync(command, body.RootElement, call);
            await Reply.SaidAsync(context, code, said);
        }
        catch (PlainTokenException e)
        {
            await Reply.SaidAsync(context, 409, e.Message);
        }
        catch (RpcException e) when (e.StatusCode is StatusCode.Unauthenticated or StatusCode.PermissionDenied)
        {
            guesses.NoteWrong();
            await Reply.SaidAsync(context, 401, "The token is wrong. docs/operations.md, Control, says where it is.");
        }
        catch (RpcException e)
        {
            await Reply.SaidAsync(context, 502, e.Status.Detail.Length > 0 ? e.Status.Detail : $"It answered {e.StatusCode}.");
        }
        catch (Exception e) when (e is JsonException or FormatException or BadHttpRequestException)
        {
            await Reply.SaidAsync(context, 400, "The request is not JSON as this page sends it.");
        }
        catch (ObjectDisposedException)
        {
            await Reply.SaidAsync(context, 502, "The replica has gone away; it is not known whether the command took effect.");
        }
        catch (ArgumentException)
        {
            // A header that gRPC cannot carry.
            guesses.NoteWrong();
            await Reply.SaidAsync(context, 401, "The token has characters that a token cannot have.");
        }
    }

    async Task<(int Code, string Said)> RunAsync(string command, JsonElement body, CallOptions call)
    {
        if (command == "token")
        {
            if (Answering().FirstOrDefault(found => found.Kind == ServiceKind.Forwarder) is not { } any)
                return (503, "No forwarder answers, so the token cannot be tried now.");
            var nothing = new ReplayDeadLettersRequest { Ids = { NoLetter } };
            await Caller(any).Forwarder.ReplayDeadLettersAsync(nothing, call);
            return (200, "The token is right.");
        }
        var service = Text(body, "service");
        // Commands for a volume apply to all replicas of the service: without a name, any of them will do.
        var replica = Answering()
            .FirstOrDefault(found => found.Service == service && (Text(body, "name") is "" or null || found.Name == Text(body, "name")));
        if (replica is null)
            return (404, $"No such replica of {service} answers.");
        return (command, replica.Kind) switch
        {
            ("pause", ServiceKind.Forwarder) => await PauseAsync(replica, call),
            ("resume", ServiceKind.Forwarder) => await ResumeAsync(replica, call),
            ("flush", ServiceKind.Forwarder) => await FlushAsync(service!, call),
            ("replay", ServiceKind.Forwarder) => await ReplayAsync(replica, Text(body, "id"), call),
            ("sampling", ServiceKind.Agent) => await SampleAsync(replica, body, call),
            _ => (404, "There is no such command."),
        };
    }

    IEnumerable<Replica> Answering() =>
        replicas.All.Where(found => replicas.PresenceOf(found) == ReplicaPresence.Answering && found.Info is not null);

    static async Task<(int Code, string Said)> PauseAsync(Replica replica, CallOptions call)
    {
        await Caller(replica).Forwarder.PauseAsync(new PauseRequest { Reason = Reason }, call);
        return (200, $"{replica.Service} delivers nothing until it is resumed. Readings are kept on disk.");
    }

    static async Task<(int Code, string Said)> ResumeAsync(Replica replica, CallOptions call)
    {
        var answer = await Caller(replica).Forwarder.ResumeAsync(new ResumeRequest(), call);
        return (200, answer.WasPaused ? $"{replica.Service} delivers again." : $"{replica.Service} was not paused.");
    }

    async Task<(int Code, string Said)> FlushAsync(string service, CallOptions call)
    {
        var all = Answering().Where(found => found.Service == service);
        var answers = await Task.WhenAll(all.Select(found => Caller(found).Forwarder.FlushAsync(new FlushRequest(), call).ResponseAsync));
        var readings = answers.Aggregate(0UL, (sum, answer) => sum + answer.Readings);
        return (200, readings == 0 ? "Nothing was waiting." : $"{readings} waiting readings are delivered.");
    }

    /// <param name="replica">Any replica of its service.</param>
    /// <param name="id">Id of one dead letter; null or empty: all.</param>
    /// <param name="call">Options with the token.</param>
    static async Task<(int Code, string Said)> ReplayAsync(Replica replica, string? id, CallOptions call)
    {
        var request = new ReplayDeadLettersRequest();
        if (id is { Length: > 0 })
            request.Ids.Add(id);
        var answer = await Caller(replica).Forwarder.ReplayDeadLettersAsync(request, call);
        return (
            200,
            (answer.Queued, request.Ids.Count) switch
            {
                (0, 0) => "There are no dead letters that can be taken in again.",
                (0, _) => "This dead letter is gone: it was replayed or deleted.",
                (1, _) => "1 dead letter is taken in again.",
                _ => $"{answer.Queued} dead letters are taken in again.",
            }
        );
    }

    /// <exception cref="PlainTokenException">The token must not travel there.</exception>
    static ControlClient Caller(Replica replica) =>
        replica.Client.WithholdsToken ? throw new PlainTokenException(replica.Service, replica.Address) : replica.Client;

    static async Task<(int Code, string Said)> SampleAsync(Replica replica, JsonElement body, CallOptions call)
    {
        var request = new SetSamplingRequest { Kind = "thermal" };
        if (
            body.TryGetProperty("interval", out var interval)
            && interval.ValueKind == JsonValueKind.Number
            && interval.TryGetDouble(out var seconds)
            && seconds is > 0 and <= 86_400
        )
            request.Interval = Duration.FromTimeSpan(TimeSpan.FromSeconds(seconds));
        else
            return (400, "The interval is a number of seconds, 0.1 to 86,400.");
        var sampling = await Caller(replica).Agent.SetSamplingAsync(request, call);
        return (
            200,
            FormattableString.Invariant($"A batch every {sampling.Interval.ToTimeSpan().TotalSeconds:0.###} s from the next one on.")
        );
    }

    static string? Text(JsonElement body, string name) =>
        body.ValueKind == JsonValueKind.Object && body.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;
}
