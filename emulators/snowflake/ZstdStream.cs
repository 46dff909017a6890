using System.Buffers.Binary;
using System.Numerics;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// Decompresses Zstandard (RFC 8878) from memory; section numbers below are the RFC's. .NET has no zstd and no package with it can
/// be restored, while Snowflake recommends it to clients, so the decoder is here. Dictionaries are not supported. Memory: twice the
/// frame's window, and no window over 64 MiB is taken.
/// </summary>
sealed class ZstdStream(ReadOnlyMemory<byte> input) : Stream
{
    const int MaxWindow = 64 * 1024 * 1024;
    const int MaxBlock = 128 * 1024;

    ReadOnlyMemory<byte> rest = input;

    // window[..end] is the output so far, or its end; window[unread..end] has not been handed out yet.
    byte[] window = [];
    int unread;
    int end;
    int windowSize;

    bool inFrame;
    bool hasChecksum;
    long declaredSize;
    long produced;
    XxHash64 hash;

    // What a block may take over from the one before (3.1.1.3).
    readonly byte[] literals = new byte[MaxBlock];
    HuffmanTable? huffman;
    FseTable? literalLengths, offsets, matchLengths;
    readonly int[] repeated = [1, 4, 8];

    public override int Read(Span<byte> buffer)
    {
        while (unread == end)
        {
            if (!inFrame && !StartFrame())
                return 0;
            DecodeBlock();
        }
        var count = Math.Min(buffer.Length, end - unread);
        window.AsSpan(unread, count).CopyTo(buffer);
        unread += count;
        return count;
    }

    // ── Frames and blocks (3.1.1) ───────────────────────────────────────────────────────────────────────────────────────────

    bool StartFrame()
    {
        while (true)
        {
            if (rest.Length == 0)
                return false;
            var magic = BinaryPrimitives.ReadUInt32LittleEndian(Take(4));
            if (magic == 0xFD2FB528)
                break;
            if ((magic & 0xFFFFFFF0) != 0x184D2A50)
                throw Bad("no zstd frame");
            Take((int)Math.Min(int.MaxValue, BinaryPrimitives.ReadUInt32LittleEndian(Take(4))));
        }
        var descriptor = Take(1)[0];
        var single = (descriptor & 0x20) != 0;
        hasChecksum = (descriptor & 4) != 0;
        if ((descriptor & 8) != 0)
            throw Bad("reserved bit");
        long size = 0;
        if (!single)
        {
            var b = Take(1)[0];
            var unit = 1L << (10 + (b >> 3));
            size = unit + unit / 8 * (b & 7);
        }
        foreach (var b in Take((descriptor & 3) switch { 0 => 0, 1 => 1, 2 => 2, _ => 4 }))
        {
            if (b != 0)
                throw Bad("a dictionary is needed");
        }
        declaredSize = (descriptor >> 6) switch
        {
            0 => single ? Take(1)[0] : -1,
            1 => BinaryPrimitives.ReadUInt16LittleEndian(Take(2)) + 256,
            2 => BinaryPrimitives.ReadUInt32LittleEndian(Take(4)),
            _ => BinaryPrimitives.ReadInt64LittleEndian(Take(8)),
        };
        if (single)
            size = declaredSize;
        if (size is < 0 or > MaxWindow)
            throw Bad($"a window of {size} bytes is too large");
        windowSize = (int)size;
        var capacity = Math.Max(1, windowSize) + Math.Max(windowSize, 4 * MaxBlock);
        if (window.Length < capacity)
            window = new byte[capacity];
        unread = end = 0;
        produced = 0;
        hash = new XxHash64();
        huffman = null;
        literalLengths = offsets = matchLengths = null;
        (repeated[0], repeated[1], repeated[2]) = (1, 4, 8);
        inFrame = true;
        return true;
    }

    void DecodeBlock()
    {
        if (window.Length - end < MaxBlock)
        {
            // Everything before has been read; only the last window of it can still be referred to.
            var keep = Math.Min(windowSize, end);
            window.AsSpan(end - keep, keep).CopyTo(window);
            unread = end = keep;
        }
        var head = Take(3);
        var header = head[0] | head[1] << 8 | head[2] << 16;
        var size = header >> 3;
        var start = end;
        if (size > MaxBlock)
            throw Bad("a block is too large");
        switch ((header >> 1) & 3)
        {
            case 0:
                Take(size).CopyTo(window.AsSpan(end));
                end += size;
                break;
            case 1:
                window.AsSpan(end, size).Fill(Take(1)[0]);
                end += size;
                break;
            case 2:
                DecodeCompressed(Take(size));
                break;
            default:
                throw Bad("reserved block type");
        }
        produced += end - start;
        if (hasChecksum)
            hash.Add(window.AsSpan(start, end - start));
        if ((header & 1) == 0)
            return;
        if (declaredSize >= 0 && produced != declaredSize)
            throw Bad("the content has another size than its frame says");
        if (hasChecksum && BinaryPrimitives.ReadUInt32LittleEndian(Take(4)) != (uint)hash.Value())
            throw Bad("the checksum does not match");
        inFrame = false;
    }

    void DecodeCompressed(ReadOnlySpan<byte> block)
    {
        var literalCount = DecodeLiterals(ref block);
        var start = end;
        DecodeSequences(block, literals.AsSpan(0, literalCount));
        if (end - start > MaxBlock)
            throw Bad("a block is too large");
    }

    // ── Literals (3.1.1.3.1) ────────────────────────────────────────────────────────────────────────────────────────────────

    int DecodeLiterals(ref ReadOnlySpan<byte> block)
    {
        if (block.Length == 0)
            throw Bad("an empty block");
        var type = block[0] & 3;
        var format = (block[0] >> 2) & 3;
        if (type < 2)
        {
            var bytes = format switch { 1 => 2, 3 => 3, _ => 1 };
            var value = LittleEndian(Cut(ref block, bytes));
            var size = (int)(value >> (bytes == 1 ? 3 : 4));
            if (size > MaxBlock)
                throw Bad("too many literals");
            if (type == 0)
                Cut(ref block, size).CopyTo(literals);
            else
                literals.AsSpan(0, size).Fill(Cut(ref block, 1)[0]);
            return size;
        }

        var (headerBytes, bits) = format switch { 2 => (4, 14), 3 => (5, 18), _ => (3, 10) };
        var header = LittleEndian(Cut(ref block, headerBytes));
        var count = (int)(header >> 4 & ((1UL << bits) - 1));
        var compressed = (int)(header >> (4 + bits) & ((1UL << bits) - 1));
        if (count > MaxBlock)
            throw Bad("too many literals");
        var data = Cut(ref block, compressed);
        if (type == 2)
            huffman = HuffmanTable.Read(ref data);
        var table = huffman ?? throw Bad("no Huffman table to repeat");
        if (format == 0)
        {
            table.Decode(data, literals.AsSpan(0, count));
            return count;
        }
        var jump = Cut(ref data, 6);
        var quarter = (count + 3) / 4;
        if (count < 6)
            throw Bad("too few literals for four streams");
        for (var stream = 0; stream < 4; stream++)
        {
            var part = stream == 3 ? data : Cut(ref data, BinaryPrimitives.ReadUInt16LittleEndian(jump[(2 * stream)..]));
            table.Decode(part, literals.AsSpan(stream * quarter, stream == 3 ? count - 3 * quarter : quarter));
        }
        return count;
    }

    // ── Sequences (3.1.1.3.2) ───────────────────────────────────────────────────────────────────────────────────────────────

    static readonly FseTable DefaultLiteralLengths = FseTable.Build(6,
        [4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1]);

    static readonly FseTable DefaultMatchLengths = FseTable.Build(6,
        [1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
            -1, -1, -1, -1, -1, -1, -1]);

    static readonly FseTable DefaultOffsets = FseTable.Build(5,
        [1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1]);

    static ReadOnlySpan<int> LiteralBase =>
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 20, 22, 24, 28, 32, 40, 48, 64, 128, 256, 512, 1024, 2048, 4096, 8192,
            16384, 32768, 65536];

    static ReadOnlySpan<byte> LiteralBits =>
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

    static ReadOnlySpan<int> MatchBase =>
        [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 37, 39, 41,
            43, 47, 51, 59, 67, 83, 99, 131, 259, 515, 1027, 2051, 4099, 8195, 16387, 32771, 65539];

    static ReadOnlySpan<byte> MatchBits =>
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9,
            10, 11, 12, 13, 14, 15, 16];

    void DecodeSequences(ReadOnlySpan<byte> block, ReadOnlySpan<byte> literal)
    {
        int count = Cut(ref block, 1)[0];
        if (count == 255)
        {
            var more = Cut(ref block, 2);
            count = more[0] + (more[1] << 8) + 0x7F00;
        }
        else if (count >= 128)
        {
            count = (count - 128 << 8) + Cut(ref block, 1)[0];
        }
        if (count > 0)
        {
            var modes = Cut(ref block, 1)[0];
            if ((modes & 3) != 0)
                throw Bad("reserved bits");
            literalLengths = Table(modes >> 6, DefaultLiteralLengths, literalLengths, 9, LiteralBase.Length, ref block);
            offsets = Table(modes >> 4 & 3, DefaultOffsets, offsets, 8, 32, ref block);
            matchLengths = Table(modes >> 2 & 3, DefaultMatchLengths, matchLengths, 9, MatchBase.Length, ref block);

            var bits = new BackwardBits(block);
            var literalState = (int)bits.Read(literalLengths.Accuracy);
            var offsetState = (int)bits.Read(offsets.Accuracy);
            var matchState = (int)bits.Read(matchLengths.Accuracy);
            for (var i = 0; i < count; i++)
            {
                var offsetCode = offsets.Symbols[offsetState];
                var matchCode = matchLengths.Symbols[matchState];
                var literalCode = literalLengths.Symbols[literalState];
                var offsetValue = (1L << offsetCode) + (long)bits.Read(offsetCode);
                var match = MatchBase[matchCode] + (int)bits.Read(MatchBits[matchCode]);
                var copied = LiteralBase[literalCode] + (int)bits.Read(LiteralBits[literalCode]);
                if (i + 1 < count)
                {
                    literalState = literalLengths.Next(literalState, ref bits);
                    matchState = matchLengths.Next(matchState, ref bits);
                    offsetState = offsets.Next(offsetState, ref bits);
                }
                Execute(ref literal, copied, match, Offset(offsetValue, copied));
            }
            if (bits.Left != 0)
                throw Bad("the sequences do not end where their block does");
        }
        if (literal.Length > window.Length - end)
            throw Bad("a block is too large");
        literal.CopyTo(window.AsSpan(end));
        end += literal.Length;
    }

    static FseTable Table(int mode, FseTable predefined, FseTable? before, int mostAccuracy, int symbols, ref ReadOnlySpan<byte> block)
    {
        switch (mode)
        {
            case 0:
                return predefined;
            case 1:
                var symbol = Cut(ref block, 1)[0];
                return symbol < symbols ? FseTable.Single(symbol) : throw Bad("unknown code");
            case 2:
                return FseTable.Read(ref block, mostAccuracy, symbols);
            default:
                return before ?? throw Bad("no table to repeat");
        }
    }

    /// <summary>Offsets 1 to 3 stand for the three last ones (3.1.1.5).</summary>
    long Offset(long value, int literalLength)
    {
        long offset;
        if (value > 3)
        {
            offset = value - 3;
            (repeated[2], repeated[1]) = (repeated[1], repeated[0]);
        }
        else
        {
            var index = (int)value - 1 + (literalLength == 0 ? 1 : 0);
            if (index == 0)
                return repeated[0];
            offset = index < 3 ? repeated[index] : repeated[0] - 1;
            if (index > 1)
                repeated[2] = repeated[1];
            repeated[1] = repeated[0];
        }
        if (offset is <= 0 or > MaxWindow)
            throw Bad("an offset is out of range");
        repeated[0] = (int)offset;
        return offset;
    }

    void Execute(ref ReadOnlySpan<byte> literal, int copied, int match, long offset)
    {
        if (copied > literal.Length || copied + match > window.Length - end || offset > end + copied)
            throw Bad("a sequence reaches beyond its data");
        literal[..copied].CopyTo(window.AsSpan(end));
        literal = literal[copied..];
        end += copied;
        var from = end - (int)offset;
        if (offset >= match)
        {
            window.AsSpan(from, match).CopyTo(window.AsSpan(end));
            end += match;
            return;
        }
        // The match overlaps itself and repeats what it has just written.
        for (var i = 0; i < match; i++)
            window[end++] = window[from++];
    }

    // ── Bytes ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

    ReadOnlySpan<byte> Take(int count)
    {
        if (count > rest.Length)
            throw Bad("it ends too early");
        var taken = rest.Span[..count];
        rest = rest[count..];
        return taken;
    }

    static ReadOnlySpan<byte> Cut(ref ReadOnlySpan<byte> data, int count)
    {
        if (count > data.Length)
            throw Bad("a block ends too early");
        var cut = data[..count];
        data = data[count..];
        return cut;
    }

    static ulong LittleEndian(ReadOnlySpan<byte> bytes)
    {
        ulong value = 0;
        for (var i = bytes.Length - 1; i >= 0; i--)
            value = value << 8 | bytes[i];
        return value;
    }

    static InvalidDataException Bad(string problem) => new("bad zstd data: " + problem);

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));
    public override void Flush() { }
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <summary>Bits read from the end of their bytes to the start; the highest set bit of the last byte marks the end (4.1).</summary>
    ref struct BackwardBits
    {
        readonly ReadOnlySpan<byte> data;

        public BackwardBits(ReadOnlySpan<byte> data)
        {
            this.data = data;
            if (data.Length == 0 || data[^1] == 0)
                throw Bad("a bit stream has no end mark");
            Left = data.Length * 8L - BitOperations.LeadingZeroCount((uint)data[^1]) + 23;
        }

        /// <summary>Bits not read yet; negative once more were read than there are.</summary>
        public long Left { get; private set; }

        public ulong Read(int count)
        {
            var value = Peek(count);
            Left -= count;
            return value;
        }

        public void Skip(int count) => Left -= count;

        /// <summary>The next bits; beyond the start of the data they are zero.</summary>
        public readonly ulong Peek(int count)
        {
            if (count == 0)
                return 0;
            var start = Left - count;
            if (start < 0)
                return Left <= 0 ? 0 : Bits(0, (int)Left) << (int)-start;
            return Bits(start, count);
        }

        readonly ulong Bits(long start, int count)
        {
            var at = (int)(start >> 3);
            var word = at + 8 <= data.Length
                ? BinaryPrimitives.ReadUInt64LittleEndian(data[at..])
                : LittleEndian(data[at..]);
            return word >> (int)(start & 7) & ((1UL << count) - 1);
        }
    }

    /// <summary>A table of finite-state entropy codes (4.1).</summary>
    sealed class FseTable(int accuracy, byte[] symbols, byte[] bits, ushort[] bases)
    {
        public int Accuracy { get; } = accuracy;
        public byte[] Symbols { get; } = symbols;

        public int Next(int state, ref BackwardBits from) => bases[state] + (int)from.Read(bits[state]);

        public int BitsOf(int state) => bits[state];

        public static FseTable Single(byte symbol) => new(0, [symbol], [0], [0]);

        /// <summary>Reads a table's description (4.1.1).</summary>
        public static FseTable Read(ref ReadOnlySpan<byte> data, int mostAccuracy, int mostSymbols)
        {
            long position = 0;
            var accuracy = Forward(data, ref position, 4) + 5;
            if (accuracy > mostAccuracy)
                throw Bad("a table is too large");
            var probabilities = new List<short>();
            var remaining = 1 << accuracy;
            while (remaining > 0)
            {
                if (probabilities.Count >= mostSymbols)
                    throw Bad("a table has too many symbols");
                var width = BitOperations.Log2((uint)remaining + 1) + 1;
                var value = Forward(data, ref position, width);
                var low = (1 << (width - 1)) - 1;
                var threshold = (1 << width) - 1 - (remaining + 1);
                if ((value & low) < threshold)
                {
                    position--;
                    value &= low;
                }
                else if (value > low)
                {
                    value -= threshold;
                }
                var probability = value - 1;
                remaining -= Math.Abs(probability);
                probabilities.Add((short)probability);
                if (probability != 0)
                    continue;
                for (var repeat = 3; repeat == 3;)
                {
                    repeat = Forward(data, ref position, 2);
                    for (var i = 0; i < repeat; i++)
                        probabilities.Add(0);
                }
            }
            if (remaining != 0 || probabilities.Count > mostSymbols)
                throw Bad("a table does not add up");
            Cut(ref data, (int)((position + 7) / 8));
            return Build(accuracy, [.. probabilities]);
        }

        static int Forward(ReadOnlySpan<byte> data, ref long position, int count)
        {
            var value = 0;
            for (var i = 0; i < count; i++, position++)
            {
                if (position >> 3 >= data.Length)
                    throw Bad("a table ends too early");
                value |= (data[(int)(position >> 3)] >> (int)(position & 7) & 1) << i;
            }
            return value;
        }

        public static FseTable Build(int accuracy, short[] probabilities)
        {
            var size = 1 << accuracy;
            var symbols = new byte[size];
            var next = new int[probabilities.Length];
            var high = size;
            for (var s = 0; s < probabilities.Length; s++)
            {
                if (probabilities[s] != -1)
                    continue;
                symbols[--high] = (byte)s;
                next[s] = 1;
            }
            var step = (size >> 1) + (size >> 3) + 3;
            var position = 0;
            for (var s = 0; s < probabilities.Length; s++)
            {
                if (probabilities[s] <= 0)
                    continue;
                next[s] = probabilities[s];
                for (var i = 0; i < probabilities[s]; i++)
                {
                    symbols[position] = (byte)s;
                    do
                        position = position + step & size - 1;
                    while (position >= high);
                }
            }
            var bits = new byte[size];
            var bases = new ushort[size];
            for (var i = 0; i < size; i++)
            {
                var state = next[symbols[i]]++;
                bits[i] = (byte)(accuracy - BitOperations.Log2((uint)state));
                bases[i] = (ushort)((state << bits[i]) - size);
            }
            return new FseTable(accuracy, symbols, bits, bases);
        }
    }

    /// <summary>A table of Huffman codes (4.2).</summary>
    sealed class HuffmanTable(int width, byte[] symbols, byte[] lengths)
    {
        const int MaxWidth = 11;

        public static HuffmanTable Read(ref ReadOnlySpan<byte> data)
        {
            Span<byte> weights = stackalloc byte[256];
            var count = 0;
            int header = Cut(ref data, 1)[0];
            if (header >= 128)
            {
                count = header - 127;
                var packed = Cut(ref data, (count + 1) / 2);
                for (var i = 0; i < count; i++)
                    weights[i] = (byte)(i % 2 == 0 ? packed[i / 2] >> 4 : packed[i / 2] & 15);
            }
            else
            {
                var compressed = Cut(ref data, header);
                var table = FseTable.Read(ref compressed, 6, 256);
                var bits = new BackwardBits(compressed);
                // Two states take turns until the bits run out; then what both still stand for is the rest.
                var first = (int)bits.Read(table.Accuracy);
                var second = (int)bits.Read(table.Accuracy);
                while (true)
                {
                    if (count >= 254)
                        throw Bad("too many Huffman weights");
                    weights[count++] = table.Symbols[first];
                    if (bits.Left < table.BitsOf(first))
                    {
                        weights[count++] = table.Symbols[second];
                        break;
                    }
                    first = table.Next(first, ref bits);
                    weights[count++] = table.Symbols[second];
                    if (bits.Left < table.BitsOf(second))
                    {
                        weights[count++] = table.Symbols[first];
                        break;
                    }
                    second = table.Next(second, ref bits);
                }
            }

            var sum = 0;
            foreach (var weight in weights[..count])
            {
                if (weight > MaxWidth)
                    throw Bad("a Huffman weight is too large");
                sum += weight == 0 ? 0 : 1 << (weight - 1);
            }
            if (sum == 0)
                throw Bad("no Huffman weights");
            // The last symbol's weight is what makes the sum a power of two.
            var width = BitOperations.Log2((uint)sum) + 1;
            var missing = (1 << width) - sum;
            if (width > MaxWidth || !BitOperations.IsPow2(missing) || count > 255)
                throw Bad("the Huffman weights do not add up");
            weights[count++] = (byte)(BitOperations.Log2((uint)missing) + 1);

            var symbols = new byte[1 << width];
            var lengths = new byte[1 << width];
            var at = 0;
            for (var weight = 1; weight <= width; weight++)
            {
                for (var symbol = 0; symbol < count; symbol++)
                {
                    if (weights[symbol] != weight)
                        continue;
                    var span = 1 << (weight - 1);
                    symbols.AsSpan(at, span).Fill((byte)symbol);
                    lengths.AsSpan(at, span).Fill((byte)(width + 1 - weight));
                    at += span;
                }
            }
            return new HuffmanTable(width, symbols, lengths);
        }

        public void Decode(ReadOnlySpan<byte> data, Span<byte> output)
        {
            var bits = new BackwardBits(data);
            for (var i = 0; i < output.Length; i++)
            {
                var code = (int)bits.Peek(width);
                output[i] = symbols[code];
                bits.Skip(lengths[code]);
            }
            if (bits.Left != 0)
                throw Bad("the literals do not end where their stream does");
        }
    }

    /// <summary>XXH64 with seed 0, whose low half a frame may end with (3.1.1).</summary>
    struct XxHash64()
    {
        const ulong P1 = 0x9E3779B185EBCA87, P2 = 0xC2B2AE3D27D4EB4F, P3 = 0x165667B19E3779F9, P4 = 0x85EBCA77C2B2AE63,
            P5 = 0x27D4EB2F165667C5;

        ulong a = unchecked(P1 + P2), b = P2, c, d = unchecked(0 - P1);
        long total;
        int held;
        readonly byte[] block = new byte[32];

        public void Add(ReadOnlySpan<byte> data)
        {
            total += data.Length;
            if (held > 0)
            {
                var fill = Math.Min(32 - held, data.Length);
                data[..fill].CopyTo(block.AsSpan(held));
                held += fill;
                data = data[fill..];
                if (held < 32)
                    return;
                Stripe(block);
                held = 0;
            }
            for (; data.Length >= 32; data = data[32..])
                Stripe(data);
            data.CopyTo(block);
            held = data.Length;
        }

        void Stripe(ReadOnlySpan<byte> data)
        {
            a = Round(a, BinaryPrimitives.ReadUInt64LittleEndian(data));
            b = Round(b, BinaryPrimitives.ReadUInt64LittleEndian(data[8..]));
            c = Round(c, BinaryPrimitives.ReadUInt64LittleEndian(data[16..]));
            d = Round(d, BinaryPrimitives.ReadUInt64LittleEndian(data[24..]));
        }

        static ulong Round(ulong lane, ulong input) => BitOperations.RotateLeft(lane + input * P2, 31) * P1;

        public readonly ulong Value()
        {
            ulong value;
            if (total >= 32)
            {
                value = BitOperations.RotateLeft(a, 1) + BitOperations.RotateLeft(b, 7) + BitOperations.RotateLeft(c, 12) + BitOperations.RotateLeft(d, 18);
                foreach (var lane in (ReadOnlySpan<ulong>)[a, b, c, d])
                    value = (value ^ Round(0, lane)) * P1 + P4;
            }
            else
            {
                value = P5;
            }
            value += (ulong)total;
            ReadOnlySpan<byte> rest = block.AsSpan(0, held);
            for (; rest.Length >= 8; rest = rest[8..])
                value = BitOperations.RotateLeft(value ^ Round(0, BinaryPrimitives.ReadUInt64LittleEndian(rest)), 27) * P1 + P4;
            if (rest.Length >= 4)
            {
                value = BitOperations.RotateLeft(value ^ BinaryPrimitives.ReadUInt32LittleEndian(rest) * P1, 23) * P2 + P3;
                rest = rest[4..];
            }
            foreach (var one in rest)
                value = BitOperations.RotateLeft(value ^ one * P5, 11) * P1;
            value ^= value >> 33;
            value *= P2;
            value ^= value >> 29;
            value *= P3;
            return value ^ value >> 32;
        }
    }
}
