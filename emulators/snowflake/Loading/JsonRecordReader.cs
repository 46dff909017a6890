using System.Text.Json;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// Reads the records of a JSON file one by one: values one after the other, on one line or on several, or the elements of an outer array.
/// After an error it resumes on the next line. It holds one record at a time. Not safe for concurrent use.
/// </summary>
/// <param name="content">The file, decompressed.</param>
/// <param name="stripOuterArray">Whether the elements of an array are the records; otherwise the array is one record.</param>
sealed class JsonRecordReader(Stream content, bool stripOuterArray)
{
    /// <summary>A longer record is an error (bytes). Snowflake takes 128 MB.</summary>
    public const int MaxRecord = 16 * 1024 * 1024;

    // Resuming on the line after the start of a bad record reads its other lines twice. From this many errors on it resumes after them.
    const int ManyErrors = 1000;

    static readonly JsonReaderOptions options = new() { MaxDepth = 1000 };

    byte[] buffer = new byte[64 * 1024];
    int start;
    int end;
    bool ended;
    int recordLength;
    bool inArray;

    // Whether an element has been read since the last comma; null if an error leaves that open.
    bool? afterElement = false;
    long errors;

    // Line of buffer[start], from 1.
    long line = 1;
    long character = 1;

    /// <summary>The record; valid until the next call, and empty if there is an <see cref="Error"/>.</summary>
    public ReadOnlyMemory<byte> Record => buffer.AsMemory(start, recordLength);

    /// <summary>Why there is no record; null if there is one.</summary>
    public LoadError? Error { get; private set; }

    /// <summary>The line on which the record begins, from 1.</summary>
    public long Line => line;

    /// <summary>The byte of that line at which the record begins, from 1.</summary>
    public long Character => character;

    /// <summary>Bytes of the file that have been read.</summary>
    public long Length { get; private set; }

    /// <summary>Moves to the next record.</summary>
    /// <returns>False at the end of the file.</returns>
    public async ValueTask<bool> ReadAsync(CancellationToken cancellationToken)
    {
        Advance(recordLength);
        recordLength = 0;
        Error = null;
        while (await SkipBlanksAsync(cancellationToken))
        {
            switch (buffer[start])
            {
                case (byte)'[' when stripOuterArray && !inArray:
                    (inArray, afterElement) = (true, false);
                    Advance(1);
                    continue;
                case (byte)']' when inArray:
                    inArray = false;
                    Advance(1);
                    continue;
                case (byte)',' when inArray && afterElement != false:
                    afterElement = false;
                    Advance(1);
                    continue;
            }
            if (inArray && afterElement == true)
                await FailAsync(new LoadError("Error parsing JSON: missing comma", line, character), 0, cancellationToken);
            else
                await ReadValueAsync(cancellationToken);
            return true;
        }
        if (!inArray)
            return false;
        inArray = false;
        Error = new LoadError("Error parsing JSON: unfinished array", line, character);
        return true;
    }

    /// <summary>Moves to the next byte that is not blank.</summary>
    async ValueTask<bool> SkipBlanksAsync(CancellationToken cancellationToken)
    {
        if (Length == 0 && await FillAsync(3, cancellationToken) && buffer.AsSpan(start, end - start).StartsWith("\uFEFF"u8))
            start += 3;
        while (true)
        {
            var blanks = buffer.AsSpan(start, end - start).IndexOfAnyExcept(" \t\r\n"u8);
            if (blanks >= 0)
            {
                Advance(blanks);
                return true;
            }
            Advance(end - start);
            if (!await FillAsync(1, cancellationToken))
                return false;
        }
    }

    async ValueTask ReadValueAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var (length, error) = FindEnd(buffer.AsSpan(start, end - start), ended);
            if (length > 0)
            {
                recordLength = length;
                afterElement = true;
                return;
            }
            if (error is not null)
            {
                var at = error.LineNumber ?? 0;
                var column = (error.BytePositionInLine ?? 0) + (at == 0 ? character : 1);
                await FailAsync(new LoadError($"Error parsing JSON: {Reason(error)}", line + at, column), at, cancellationToken);
                return;
            }
            if (end - start >= MaxRecord)
            {
                var problem = new LoadError($"Error parsing JSON: a record is longer than {MaxRecord} bytes", line, character);
                await FailAsync(problem, 0, cancellationToken);
                return;
            }
            // Twice as much each time, so that a long record is not scanned again and again.
            await FillAsync(Math.Min(2 * (end - start), MaxRecord), cancellationToken);
        }
    }

    /// <returns>Bytes of the value at the start of the data; 0 if it continues after the data.</returns>
    static (int Length, JsonException? Error) FindEnd(ReadOnlySpan<byte> data, bool isWhole)
    {
        var reader = new Utf8JsonReader(data, isWhole, new JsonReaderState(options));
        try
        {
            while (reader.Read())
            {
                if (reader.CurrentDepth == 0 && reader.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray))
                    return ((int)reader.BytesConsumed, null);
            }
            return (0, null);
        }
        catch (JsonException e)
        {
            return (0, e);
        }
    }

    // Without the position, which is stored beside it.
    static string Reason(JsonException error) => error.Message.Split(" LineNumber:")[0].Split(" Path:")[0].TrimEnd('.', ' ');

    /// <summary>Records an error and skips its line, or from <see cref="ManyErrors"/> on all lines up to it.</summary>
    async ValueTask FailAsync(LoadError error, long linesBefore, CancellationToken cancellationToken)
    {
        Error = error;
        afterElement = null;
        for (var lines = ++errors > ManyErrors ? linesBefore + 1 : 1; lines > 0; lines--)
        {
            int lineEnd;
            while ((lineEnd = buffer.AsSpan(start, end - start).IndexOf((byte)'\n')) < 0)
            {
                Advance(end - start);
                if (!await FillAsync(1, cancellationToken))
                    return;
            }
            Advance(lineEnd + 1);
        }
    }

    void Advance(int count)
    {
        var passed = buffer.AsSpan(start, count);
        var lines = passed.Count((byte)'\n');
        line += lines;
        character = lines == 0 ? character + count : passed.Length - passed.LastIndexOf((byte)'\n');
        start += count;
    }

    /// <summary>Reads until this many bytes are available.</summary>
    /// <returns>False if the file ends first.</returns>
    async ValueTask<bool> FillAsync(int count, CancellationToken cancellationToken)
    {
        if (start > 0)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            (start, end) = (0, end - start);
        }
        if (buffer.Length < count)
            Array.Resize(ref buffer, count);
        while (end < count && !ended)
        {
            var read = await content.ReadAsync(buffer.AsMemory(end), cancellationToken);
            ended = read == 0;
            end += read;
            Length += read;
        }
        return end >= count;
    }
}
