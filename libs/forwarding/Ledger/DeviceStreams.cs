namespace ThermalStreaming.Forwarding;

/// <summary>The streams of one device, whose number and memory are bounded together. Not thread-safe.</summary>
sealed class DeviceStreams
{
    readonly List<StoredStream> streams = new(1);

    /// <summary>The streams, in no particular order.</summary>
    public IReadOnlyList<StoredStream> Streams => streams;

    /// <summary>Estimate of the memory they take.</summary>
    public long Bytes { get; set; }

    public void Add(StoredStream stream)
    {
        stream.Place = streams.Count;
        streams.Add(stream);
    }

    /// <summary>In constant time: after a flood of boot ids, streams are forgotten by the ten thousand.</summary>
    public void Remove(StoredStream stream)
    {
        var last = streams[^1];
        streams[stream.Place] = last;
        last.Place = stream.Place;
        streams.RemoveAt(streams.Count - 1);
    }
}
