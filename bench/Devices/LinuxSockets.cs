using System.Buffers.Binary;
using System.ComponentModel;
using System.Runtime.InteropServices;

namespace ThermalStreaming.Bench;

/// <summary>
/// TCP connections as the kernel's numbers: a hundred thousand <see cref="System.Net.Sockets.Socket"/> objects would take more memory and
/// processor than the broker under test. Linux only.
/// </summary>
static partial class LinuxSockets
{
    public const uint Readable = 0x001,
        Writable = 0x004,
        Failed = 0x008 | 0x010;

    const int Internet = 2,
        NonBlockingStream = 1 | 0x800 | 0x80000,
        NoSignal = 0x4000,
        Again = 11,
        InProgress = 115;

    /// <summary>IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT: the kernel chooses the port by both ends: each source address has its own.</summary>
    static readonly (int Level, int Name) bindWithoutPort = (0, 24);

    static readonly (int Level, int Name) noDelay = (6, 1),
        linger = (1, 13),
        error = (1, 4);

    /// <summary>struct epoll_event is packed on x64 alone (epoll_event(3type)).</summary>
    static readonly (int Size, int DataAt) epollEvent = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? (12, 4) : (16, 8);

    /// <summary>Begins to connect to a port of 127.0.0.1.</summary>
    /// <param name="source">Last number of the source address 127.0.1.x.</param>
    /// <param name="port">The port.</param>
    /// <returns>The socket; connected when it becomes writable.</returns>
    /// <exception cref="Win32Exception">There are no more descriptors, ports or memory.</exception>
    public static int Connect(byte source, int port)
    {
        var socket = Checked(Socket(Internet, NonBlockingStream, 0), "socket");
        Set(socket, bindWithoutPort, 1);
        Set(socket, noDelay, 1);
        Span<byte> address = stackalloc byte[16];
        Address(address, [127, 0, 1, source], 0);
        Checked(Bind(socket, address, address.Length), "bind");
        Address(address, [127, 0, 0, 1], port);
        if (Connect(socket, address, address.Length) != 0 && Marshal.GetLastPInvokeError() != InProgress)
            throw new Win32Exception(Marshal.GetLastPInvokeError(), $"connect: {Marshal.GetLastPInvokeErrorMessage()}");
        return socket;
    }

    /// <summary>The error that a connection ended with; 0 for none.</summary>
    public static int ErrorOf(int socket)
    {
        var length = sizeof(int);
        return GetOption(socket, error.Level, error.Name, out var value, ref length) == 0 ? value : Marshal.GetLastPInvokeError();
    }

    /// <summary>Sends what fits into the socket's buffer.</summary>
    /// <returns>Bytes sent; negative when the connection is gone.</returns>
    public static int Send(int socket, ReadOnlySpan<byte> bytes) => Result(Send(socket, bytes, bytes.Length, NoSignal));

    /// <returns>Bytes received; negative when the connection is gone, 0 when there is nothing now.</returns>
    public static int Receive(int socket, Span<byte> buffer)
    {
        var read = Receive(socket, buffer, buffer.Length, 0);
        return read == 0 ? -1 : Result(read);
    }

    /// <summary>Cuts a connection: the peer gets a reset, as when a device loses its power and another takes its address.</summary>
    public static void Cut(int socket)
    {
        Span<byte> option = stackalloc byte[8];
        MemoryMarshal.Write(option, 1);
        MemoryMarshal.Write(option[4..], 0);
        SetOption(socket, linger.Level, linger.Name, option, option.Length);
        Close(socket);
    }

    public static int CreatePoll() => Checked(EpollCreate(0x80000), "epoll_create1");

    /// <summary>Says which events of a socket are wanted.</summary>
    /// <param name="poll">From <see cref="CreatePoll"/>.</param>
    /// <param name="socket">The socket.</param>
    /// <param name="tag">Comes with its events.</param>
    /// <param name="events">Wanted ones.</param>
    /// <param name="isNew">Whether the poll does not have the socket yet.</param>
    public static void Want(int poll, int socket, int tag, uint events, bool isNew)
    {
        Span<byte> wanted = stackalloc byte[16];
        MemoryMarshal.Write(wanted, events);
        MemoryMarshal.Write(wanted[epollEvent.DataAt..], (long)tag);
        Checked(EpollControl(poll, isNew ? 1 : 3, socket, wanted), "epoll_ctl");
    }

    /// <summary>Waits for events.</summary>
    /// <param name="poll">From <see cref="CreatePoll"/>.</param>
    /// <param name="found">Gets them.</param>
    /// <param name="milliseconds">At most so long.</param>
    /// <returns>How many there are.</returns>
    public static int Wait(int poll, Span<(int Tag, uint Events)> found, int milliseconds)
    {
        Span<byte> events = stackalloc byte[found.Length * epollEvent.Size];
        var count = Math.Max(0, EpollWait(poll, events, found.Length, milliseconds));
        for (var i = 0; i < count; i++)
        {
            var entry = events[(i * epollEvent.Size)..];
            found[i] = ((int)MemoryMarshal.Read<long>(entry[epollEvent.DataAt..]), MemoryMarshal.Read<uint>(entry));
        }
        return count;
    }

    static void Address(Span<byte> target, ReadOnlySpan<byte> address, int port)
    {
        target.Clear();
        MemoryMarshal.Write(target, (ushort)Internet);
        BinaryPrimitives.WriteUInt16BigEndian(target[2..], (ushort)port);
        address.CopyTo(target[4..]);
    }

    static void Set(int socket, (int Level, int Name) option, int value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        MemoryMarshal.Write(bytes, value);
        Checked(SetOption(socket, option.Level, option.Name, bytes, bytes.Length), "setsockopt");
    }

    static int Result(nint result) =>
        result >= 0 ? (int)result
        : Marshal.GetLastPInvokeError() == Again ? 0
        : -1;

    static int Checked(int result, string call) =>
        result >= 0 ? result : throw new Win32Exception(Marshal.GetLastPInvokeError(), $"{call}: {Marshal.GetLastPInvokeErrorMessage()}");

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Socket(int domain, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetOption(int socket, int level, int name, ReadOnlySpan<byte> value, int length);

    [LibraryImport("libc", EntryPoint = "getsockopt", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int GetOption(int socket, int level, int name, out int value, ref int length);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Bind(int socket, ReadOnlySpan<byte> address, int length);

    [LibraryImport("libc", EntryPoint = "connect", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Connect(int socket, ReadOnlySpan<byte> address, int length);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint Send(int socket, ReadOnlySpan<byte> bytes, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint Receive(int socket, Span<byte> buffer, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Close(int socket);

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int EpollCreate(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int EpollControl(int poll, int operation, int socket, ReadOnlySpan<byte> wanted);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int EpollWait(int poll, Span<byte> events, int most, int milliseconds);
}
