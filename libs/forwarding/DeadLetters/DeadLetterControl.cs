using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using ThermalStreaming.Control;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Forwarding;

/// <summary>Lists, shows and replays dead letters for gRPC. Thread-safe.</summary>
/// <param name="directory">Of the dead letters.</param>
/// <param name="clock">Where time comes from.</param>
sealed class DeadLetterControl(string directory, TimeProvider clock)
{
    const int UsualPage = 100,
        MostPage = 1_000;

    readonly DeadLetterShelf shelf = new(directory);
    readonly DeadLetterReplay replay = new(directory, clock);

    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT.</exception>
    public ListDeadLettersResponse List(ListDeadLettersRequest request)
    {
        if (request.PageSize is < 0 or > MostPage)
            throw ControlErrors.Invalid(("page_size", $"It is {request.PageSize}; it must be 1 to {MostPage}, or 0 for {UsualPage}."));
        if (request.NewestFirst && request.PageToken.Length > 0)
            throw ControlErrors.Invalid(("page_token", "With newest_first there is one page; leave page_token empty."));
        DeadLetterId? from = null;
        if (request.PageToken.Length > 0)
            from = DeadLetterId.TryParse(request.PageToken, out var first)
                ? first
                : throw ControlErrors.Invalid(("page_token", "It must be the next_page_token of an earlier answer, or empty."));
        var size = request.PageSize == 0 ? UsualPage : request.PageSize;
        var response = new ListDeadLettersResponse();
        if (request.NewestFirst)
        {
            response.Letters.AddRange(shelf.Newest().Take(size).Select(found => Describe(found.Id, found.Letter)));
            return response;
        }
        foreach (var (id, letter) in shelf.From(from))
        {
            if (response.Letters.Count == size)
            {
                response.NextPageToken = id.ToString();
                break;
            }
            response.Letters.Add(Describe(id, letter));
        }
        return response;
    }

    /// <exception cref="Grpc.Core.RpcException">NOT_FOUND.</exception>
    public Control.DeadLetter Get(string text)
    {
        if (!DeadLetterId.TryParse(text, out var id) || shelf.Find(id) is not { } letter)
            throw ControlErrors.NotFound(
                "dead letter",
                text,
                "There is no such dead letter; it was replayed or deleted, or the id is not one of ListDeadLetters. List them again."
            );
        var answer = Describe(id, letter);
        answer.Payload = ByteString.CopyFrom(letter.Payload.Span);
        return answer;
    }

    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT.</exception>
    /// <exception cref="IOException">The disk refused; some may be queued.</exception>
    public async Task<ReplayDeadLettersResponse> ReplayAsync(ReplayDeadLettersRequest request, CancellationToken cancellationToken)
    {
        if (request.Ids.Count == 0)
            return new ReplayDeadLettersResponse { Queued = (ulong)await replay.QueueAllAsync(cancellationToken) };
        List<DeadLetterId> ids = [];
        for (var i = 0; i < request.Ids.Count; i++)
            ids.Add(
                DeadLetterId.TryParse(request.Ids[i], out var id)
                    ? id
                    : throw ControlErrors.Invalid(($"ids[{i}]", $"'{request.Ids[i]}' is not an id of ListDeadLetters."))
            );
        return new ReplayDeadLettersResponse { Queued = (ulong)await replay.QueueAsync(ids, cancellationToken) };
    }

    static Control.DeadLetter Describe(DeadLetterId id, DeadLetter letter) =>
        new()
        {
            Id = id.ToString(),
            At = Timestamp.FromDateTimeOffset(letter.At),
            Origin = DeadLetterOwner.NameOf(DeadLetterOwner.OfFile(id.File).Origin),
            Topic = letter.Topic,
            ContentType = letter.ContentType ?? "",
            Readings = (uint)Math.Max(0, letter.Readings),
            Reason = letter.Reason,
            PayloadBytes = (ulong)letter.Payload.Length,
        };
}
