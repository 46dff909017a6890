using Grpc.Core;
using ThermalStreaming.Control;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Console;

/// <summary><c>GET /api/letters?service=…</c>: the newest dead letters of a forwarder, without their payloads. Thread-safe.</summary>
sealed class LetterApi(ReplicaBook replicas, TimeProvider clock)
{
    /// <summary>As many as a person reads; <c>./thermalctl dead-letters list</c> shows all.</summary>
    public const int MostLetters = 50;

    /// <summary>Longer reasons are cut: the page has 50 of them.</summary>
    const int LongestReason = 600;

    static readonly TimeSpan patience = TimeSpan.FromSeconds(10);

    public async Task AnswerAsync(HttpContext context, string service)
    {
        // All replicas of a service share a volume, and with it the dead letters: any of them will do.
        var replica = replicas.All.FirstOrDefault(found =>
            found.Service == service && found.Forwarder is not null && replicas.PresenceOf(found) == ReplicaPresence.Answering
        );
        if (replica is null)
        {
            await Reply.SaidAsync(context, 404, "No replica of this forwarder answers now.");
            return;
        }
        ListDeadLettersResponse answer;
        try
        {
            answer = await replica.Client.Forwarder.ListDeadLettersAsync(
                new ListDeadLettersRequest { PageSize = MostLetters, NewestFirst = true },
                new CallOptions(deadline: clock.GetUtcNow().Add(patience).UtcDateTime, cancellationToken: context.RequestAborted)
            );
        }
        catch (RpcException e)
        {
            context.RequestAborted.ThrowIfCancellationRequested();
            await Reply.SaidAsync(context, 502, e.Status.Detail.Length > 0 ? e.Status.Detail : $"It answered {e.StatusCode}.");
            return;
        }
        catch (ObjectDisposedException)
        {
            await Reply.SaidAsync(context, 502, "The replica has gone away.");
            return;
        }
        await Reply.JsonAsync(
            context,
            200,
            json =>
            {
                json.WriteStartArray();
                foreach (var letter in answer.Letters)
                {
                    json.WriteStartObject();
                    json.WriteString("id"u8, letter.Id);
                    json.WriteNumber("at"u8, letter.At?.ToDateTimeOffset().ToUnixTimeMilliseconds() ?? 0);
                    json.WriteString("origin"u8, letter.Origin);
                    json.WriteString("from"u8, From(letter.Topic));
                    json.WriteNumber("readings"u8, letter.Readings);
                    json.WriteString(
                        "reason"u8,
                        letter.Reason.Length > LongestReason ? letter.Reason[..LongestReason] + "…" : letter.Reason
                    );
                    json.WriteEndObject();
                }
                json.WriteEndArray();
            }
        );
    }

    /// <summary>The device, or the topic if that does not name it.</summary>
    static string From(string topic) => Topics.TryParse(topic, out var device, out _) ? device : topic;
}
