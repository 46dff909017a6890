using System.Text;

namespace ThermalStreaming.Forwarding;

/// <summary>Finds single dead letters in the files. Files that are replayed or deleted meanwhile are left out. Thread-safe.</summary>
/// <param name="directory">Of the dead letters.</param>
sealed class DeadLetterShelf(string directory)
{
    /// <summary>Letters from a given one on, oldest file first.</summary>
    /// <param name="from">The first; null: from the beginning. If its file is gone, the next file's letters follow.</param>
    public IEnumerable<(DeadLetterId Id, DeadLetter Letter)> From(DeadLetterId? from)
    {
        foreach (var path in DeadLetters.Files(directory))
        {
            var file = Path.GetFileName(path);
            var order = from is { } first ? string.CompareOrdinal(file, first.File) : 1;
            if (order < 0)
                continue;
            foreach (var (offset, line) in Lines(path, order == 0 ? from!.Value.Offset : 0))
            {
                if (DeadLetter.TryParse(line, out var letter))
                    yield return (new DeadLetterId(file, offset), letter);
            }
        }
    }

    /// <summary>
    /// Letters, newest first. Each file is read from its end, and only as far as letters are asked for. Within a file, the last line comes
    /// first.
    /// </summary>
    public IEnumerable<(DeadLetterId Id, DeadLetter Letter)> Newest()
    {
        List<LettersBackwards> open = [];
        try
        {
            var next = new PriorityQueue<LettersBackwards, long>();
            foreach (var path in DeadLetters.Files(directory))
            {
                if (LettersBackwards.Open(path) is not { } file)
                    continue;
                open.Add(file);
                Offer(file);
            }
            while (next.TryDequeue(out var newest, out _))
            {
                yield return newest.Current;
                Offer(newest);
            }

            void Offer(LettersBackwards file)
            {
                if (file.Previous())
                    next.Enqueue(file, -file.Current.Letter.At.UtcTicks);
            }
        }
        finally
        {
            open.ForEach(file => file.Dispose());
        }
    }

    /// <summary>A letter; null when it is gone.</summary>
    public DeadLetter? Find(DeadLetterId id)
    {
        var path = Path.Combine(directory, id.File);
        foreach (var (offset, line) in Lines(path, id.Offset))
            return offset == id.Offset && IsLineStart(path, id.Offset) && DeadLetter.TryParse(line, out var letter) ? letter : null;
        return null;
    }

    /// <summary>How many letters a file holds; 0 when it is gone. The line of a letter that was picked out is blank.</summary>
    public static long CountIn(string path) => Lines(path, 0).Count(line => !string.IsNullOrWhiteSpace(line.Line));

    /// <summary>An invented offset could point into a line.</summary>
    static bool IsLineStart(string path, long offset)
    {
        if (offset == 0)
            return true;
        try
        {
            using var file = File.OpenHandle(path);
            Span<byte> before = stackalloc byte[1];
            return RandomAccess.Read(file, before, offset - 1) == 1 && before[0] == '\n';
        }
        catch (IOException)
        {
            return false;
        }
    }

    static IEnumerable<(long Offset, string Line)> Lines(string path, long from)
    {
        FileStream file;
        try
        {
            file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            yield break;
        }
        using (file)
        {
            file.Position = from;
            using var line = new MemoryStream();
            var start = from;
            var buffer = new byte[16 * 1024];
            while (file.Read(buffer) is > 0 and var read)
            {
                var rest = buffer.AsMemory(0, read);
                while (rest.Span.IndexOf((byte)'\n') is >= 0 and var end)
                {
                    line.Write(rest.Span[..end]);
                    if (line.Length > 0)
                        yield return (start, Encoding.UTF8.GetString(line.GetBuffer(), 0, (int)line.Length));
                    start += line.Length + 1;
                    line.SetLength(0);
                    rest = rest[(end + 1)..];
                }
                line.Write(rest.Span);
            }
        }
    }
}
