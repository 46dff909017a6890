using System.Buffers;
using System.Text;

namespace ThermalStreaming.Readings;

/// <summary>
/// The readings of one MQTT message, decoded and checked one by one. Immutable; a view of the payload it was decoded from, which must not
/// change while the view is used.
/// </summary>
public abstract class Payload
{
    /// <summary>Content type of a <see cref="ReadingBatch"/>.</summary>
    public const string ProtobufContentType = "application/x-protobuf";

    /// <summary>Content type of the JSON that small senders use.</summary>
    public const string JsonContentType = "application/json";

    /// <summary>
    /// Most readings of one payload. Decoded, a small one takes a hundred times its text: with this bound the largest payload takes some 20
    /// MB, and the container has 256.
    /// </summary>
    public const int MaxReadings = 50_000;

    static readonly Dictionary<int, string> none = [];

    Dictionary<int, string>? problems;

    /// <summary>Kind of every reading in it.</summary>
    public abstract ReadingKind Kind { get; }

    /// <summary>When it arrived.</summary>
    public abstract DateTimeOffset ReceivedAt { get; }

    /// <summary>How many readings it holds, from 1 to <see cref="MaxReadings"/>, including those that cannot be taken.</summary>
    public abstract int Count { get; }

    /// <summary>
    /// The readings that cannot be taken, by index in ascending order, and why; empty for nearly every payload. A payload stored by an
    /// earlier version may have readings that this version would refuse: its rows can still be written.
    /// </summary>
    public IReadOnlyDictionary<int, string> Problems => problems ?? none;

    /// <summary>Identity of the reading at <paramref name="index"/>: its own or the assigned one; incomplete if it has neither.</summary>
    public abstract ReadingIdentity Identity(int index);

    /// <summary>Whether the reading at <paramref name="index"/> came with boot id and sequence.</summary>
    public abstract bool HasOwnIdentity(int index);

    /// <summary>When the reading at <paramref name="index"/> was taken, in UTC; when it was received if the sender did not say.</summary>
    public abstract DateTimeOffset ObservedAt(int index);

    /// <summary>
    /// Whether the reading at <paramref name="index"/> says that it was taken before 2001: the device's clock was never set.
    /// </summary>
    public abstract bool IsClockNotSet(int index);

    /// <summary>
    /// Whether the reading at <paramref name="index"/> has no measurement that the rows know, or a key that almost matches a known one.
    /// </summary>
    public virtual bool HasUnknownKeys(int index) => false;

    /// <summary>Keys of the reading at <paramref name="index"/> that the rows do not have.</summary>
    public virtual IReadOnlyCollection<string> UnknownKeys(int index) => [];

    /// <summary>
    /// A hash of the content of the reading at <paramref name="index"/>: the same whenever the reading comes again, in any batch, marked as
    /// replayed or not, and never 0. It does not depend on the time of arrival or on the identity.
    /// </summary>
    public abstract uint Fingerprint(int index);

    /// <summary>The reading at <paramref name="index"/> of kind inverter, for validation.</summary>
    /// <exception cref="InvalidOperationException">The readings are of another kind.</exception>
    public abstract InverterReading Inverter(int index);

    /// <summary>
    /// Writes the reading at <paramref name="index"/> as one JSON object on one line: the original's keys first, in the original's order,
    /// then the added ones.
    /// </summary>
    /// <param name="index">Of the reading.</param>
    /// <param name="row">Where to. Nothing is written when this throws.</param>
    /// <param name="stamp">For thermal rows.</param>
    /// <param name="streamOffset">Place of the reading in the forwarder's journal, for thermal rows: dense per channel and journal, so a
    /// gap is a missing row; jumps of up to 2^20 after a power cut are not missing rows.</param>
    public abstract void WriteRow(int index, IBufferWriter<byte> row, RowStamp stamp, long streamOffset);

    /// <summary>A payload with only the readings at <paramref name="indexes"/> (ascending), in the same format.</summary>
    public abstract byte[] Select(IReadOnlyList<int> indexes);

    /// <summary>Decodes a payload that arrived on a readings topic.</summary>
    /// <param name="payload">The message's payload, or the part of it that <see cref="PayloadFormat.IsJson"/> names.</param>
    /// <param name="isJson">From <see cref="PayloadFormat.IsJson"/>.</param>
    /// <param name="deviceId">The topic's device.</param>
    /// <param name="kind">The topic's kind.</param>
    /// <param name="receivedAt">When it arrived, for readings that carry no time.</param>
    /// <param name="assigned">The identity of readings that carry none, if they are stored.</param>
    /// <param name="limits">What the rows' columns can hold, to find readings that do not fit; null to skip that check.</param>
    /// <exception cref="PayloadException">It cannot be read; the message says why.</exception>
    public static Payload Decode(
        ReadOnlyMemory<byte> payload,
        bool isJson,
        string deviceId,
        ReadingKind kind,
        DateTimeOffset receivedAt,
        AssignedIdentity? assigned = null,
        RowLimits? limits = null
    )
    {
        if (payload.IsEmpty)
            throw new PayloadException("the payload is empty");
        var origin = new PayloadOrigin(deviceId, kind, receivedAt, assigned);
        return isJson ? JsonPayload.Decode(payload, origin, limits) : ProtobufPayload.Decode(payload, origin, limits);
    }

    /// <summary>Stops decoding at the first reading beyond the limit.</summary>
    internal static PayloadException TooMany() => new($"holds more than {MaxReadings} readings, the maximum in one message");

    /// <summary>
    /// Why a reading of one device is not taken on the topic of another: otherwise a device could forge or suppress the readings of any
    /// other.
    /// </summary>
    private protected static string ForeignDevice(string named, string topics) =>
        $"device_id is {JsonProblem.Quote(Encoding.UTF8.GetBytes(named))}, but the topic is of device \"{topics}\"; publish on the topic "
        + "of that device, or leave device_id out";

    /// <summary>Notes a problem, during decoding.</summary>
    private protected void Refuse(int index, string problem) => (problems ??= [])[index] = problem;
}
