using System.Text;
using Microsoft.Extensions.Logging;
using ThermalStreaming.Journal;
using ThermalStreaming.Mqtt;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// The subscriptions that a slot's session at the broker may have. A session keeps a subscription until it is ended, so this class ends
/// those of mappings that are no longer in use: the file <c>subscriptions</c> in the slot's directory remembers them. Messages that came by
/// them before become dead letters.
/// </summary>
/// <param name="slot">The slot's directory.</param>
/// <param name="options">The subscriptions that are in use.</param>
/// <param name="logger">For subscriptions that could not be ended.</param>
sealed partial class SlotSubscriptions(SlotDirectory slot, ForwarderOptions options, ILogger logger)
{
    /// <summary>The name of the slot.</summary>
    public string SlotName => slot.Name;

    string FilePath => Path.Combine(slot.Path, "subscriptions");

    /// <summary>The subscriptions that the session may have.</summary>
    /// <exception cref="IOException">The file cannot be read now.</exception>
    public IReadOnlyList<string> Possible =>
        [
            .. options
                .Subscriptions.Concat(File.Exists(FilePath) ? File.ReadAllLines(FilePath) : [])
                .Where(filter => filter.StartsWith("$share/", StringComparison.Ordinal))
                .Distinct(StringComparer.Ordinal),
        ];

    /// <summary>
    /// Remembers the subscriptions before they are made. A disk that refuses stops nothing: the journal must still be delivered.
    /// </summary>
    public void Begin()
    {
        try
        {
            Write(Possible);
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            LogNotKept(slot.Name, FilePath, e.Message);
        }
    }

    /// <summary>Ends the subscriptions that are no longer in use. Throws nothing.</summary>
    public async Task EndEarlierAsync(MqttClient mqtt, CancellationToken stop)
    {
        try
        {
            foreach (var filter in Possible.Except(options.Subscriptions, StringComparer.Ordinal))
            {
                await mqtt.UnsubscribeAsync(filter, stop);
                LogEnded(slot.Name, filter);
            }
            Write(options.Subscriptions);
        }
        catch (OperationCanceledException)
        {
            // Asked to stop first: the next start tries again.
        }
        catch (Exception e) when (e is MqttException || DiskError.IsFileProblem(e))
        {
            LogNotEnded(slot.Name, e.Message);
        }
    }

    void Write(IReadOnlyList<string> filters)
    {
        var text = string.Concat(filters.Select(filter => $"{filter}\n"));
        // Without mappings there is nothing to remember.
        var before = File.Exists(FilePath) ? File.ReadAllText(FilePath) : $"{options.Subscription}\n";
        if (text != before)
            DurableFile.Replace(FilePath, Encoding.UTF8.GetBytes(text));
    }

    [LoggerMessage(
        EventId = 151,
        Level = LogLevel.Information,
        Message = "{Slot}: ended the subscription {Filter}, whose mapping is no longer in use"
    )]
    partial void LogEnded(string slot, string filter);

    [LoggerMessage(
        EventId = 153,
        Level = LogLevel.Warning,
        Message = "{Slot}: {Path} cannot be written: {Reason}. Subscriptions of mappings that are switched off later may not be "
            + "ended; their messages become dead letters"
    )]
    partial void LogNotKept(string slot, string path, string reason);

    [LoggerMessage(
        EventId = 152,
        Level = LogLevel.Warning,
        Message = "{Slot}: subscriptions of mappings that are no longer in use could not be ended: {Reason}. The next start tries "
            + "again; their messages become dead letters"
    )]
    partial void LogNotEnded(string slot, string reason);
}
