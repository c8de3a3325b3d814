internal import Dispatch
internal import Documents
internal import Foundation
internal import Synchronization

/// Writes lines to a file descriptor, on a thread of its own: whoever logs never waits for whoever reads.
///
/// Where standard error leads is nobody's but the operator's: a full disk, a collector that has ended, a pipe that nobody
/// reads. None of them may stop or end the server. What cannot be written is dropped and counted, and the count is written
/// with the next line that gets through.
final class LogWriter: Sendable {
    /// The one that the program logs to.
    static let standardError = LogWriter(descriptor: STDERR_FILENO)

    /// Bytes that wait at most; lines beyond are dropped.
    static let capacity = 1 << 20
    /// Bytes that one call writes at most.
    private static let batch = 64 << 10

    private enum Item {
        case line([UInt8])
        /// Everything before it has been written or dropped.
        case mark(DispatchSemaphore)
        case end
    }

    private struct State {
        var items: [Item] = []
        /// The bytes of the lines that wait and of those that are being written.
        var bytes = 0
        /// Lines that were lost since that was last said.
        var lost = 0
        var isRunning = false
    }

    private let descriptor: Int32
    private let state = Mutex(State())
    private let work = DispatchSemaphore(value: 0)

    /// - Parameter descriptor: stays open; nothing about it is changed.
    init(descriptor: Int32) { self.descriptor = descriptor }

    /// Takes a line, which ends with a line break. Returns at once.
    func write(_ line: [UInt8]) { put(.line(line)) }

    /// Waits until what was taken so far has been written or dropped, for as long as `limit`. Blocks: for the end of the
    /// program.
    @discardableResult
    func flush(atMost limit: Duration) -> Bool {
        guard state.withLock({ $0.isRunning }) else { return true }
        let mark = DispatchSemaphore(value: 0)
        put(.mark(mark))
        return mark.wait(timeout: .now() + .microseconds(Int(limit / .microseconds(1)))) == .success
    }

    /// Ends the thread, after it has written what it can.
    func close() { put(.end) }

    private func put(_ item: Item) {
        let mustStart = state.withLock { state -> Bool in
            if case .line(let line) = item {
                guard state.bytes + line.count <= Self.capacity else {
                    state.lost += 1
                    return false
                }
                state.bytes += line.count
            }
            state.items.append(item)
            defer { state.isRunning = true }
            return !state.isRunning
        }
        work.signal()
        if mustStart { Thread { self.run() }.start() }
    }

    // MARK: The thread

    private func run() {
        /// Whether the last line that was begun was not finished, so that the next one must not be joined to it.
        var isTorn = false
        while true {
            work.wait()
            let (text, lines, marks, isOver, lost) = take()
            if lines > 0 {
                let notice = lost > 0 ? Self.notice(of: lost) : []
                let written = output((isTorn ? [0x0A] : []) + text + notice)
                let isWhole = written.isWhole
                isTorn = written.isTorn
                // Of what was cut off nobody knows how many lines there were to read.
                state.withLock { state in
                    state.bytes -= text.count
                    if isWhole { state.lost -= lost } else { state.lost += lines }
                }
            }
            for mark in marks { mark.signal() }
            if isOver { return }
        }
    }

    /// The next lines, together, as many as fit into a batch.
    private func take() -> (text: [UInt8], lines: Int, marks: [DispatchSemaphore], isOver: Bool, lost: Int) {
        state.withLock { state in
            var (text, lines, marks, isOver, taken) = ([UInt8](), 0, [DispatchSemaphore](), false, 0)
            items: for item in state.items {
                switch item {
                case .line(let line):
                    // Marks are for what stands before them.
                    guard marks.isEmpty, text.isEmpty || text.count + line.count <= Self.batch else { break items }
                    text += line
                    lines += 1
                case .mark(let mark): marks.append(mark)
                case .end: isOver = true
                }
                taken += 1
                if isOver { break }
            }
            state.items.removeFirst(taken)
            // What was lost came after what waits.
            return (text, lines, marks, isOver, state.items.isEmpty ? state.lost : 0)
        }
    }

    /// Writes all of it, however long that takes, or as much as goes.
    private func output(_ bytes: [UInt8]) -> (isWhole: Bool, isTorn: Bool) {
        unsafe bytes.withUnsafeBytes { buffer in
            var offset = 0
            while offset < buffer.count {
                let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[offset...])
                let count = unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
                if count > 0 {
                    offset += count
                } else if count < 0, errno == EAGAIN {
                    // Somebody else's end of the pipe made it non-blocking for all.
                    var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    _ = unsafe poll(&wanted, 1, -1)
                } else if count == 0 || errno != EINTR {
                    return (false, offset > 0 ? unsafe buffer[offset - 1] != 0x0A : false)
                }
            }
            return (true, false)
        }
    }

    private static func notice(of lost: Int) -> [UInt8] {
        JSONLogHandler.line([
            "level": "warning", "logger": "sluice", "message": "log lines were lost", "lines": .integer(Int64(lost)),
        ])
    }
}

/// The descriptors that every program begins with.
enum StandardStreams {
    /// Makes sure that they are open and that writing to them ends nothing.
    ///
    /// A closed one would be given to the next file or socket that is opened, and what is meant for the log would go there.
    /// The first thing that the program does.
    static func secure() {
        // A reader that has gone, or a file at its limit, is an error like any other.
        for number in [SIGPIPE, SIGXFSZ] { signal(number, SIG_IGN) }
        for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(descriptor, F_GETFD) < 0 {
            // The lowest number that is free, so this one.
            _ = unsafe open("/dev/null", O_RDWR)
        }
    }
}
