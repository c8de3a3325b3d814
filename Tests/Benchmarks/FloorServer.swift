internal import CEpoll
internal import Foundation
internal import GRPCServer
internal import Glibc
internal import MeshLab
internal import NIOCore
internal import Synchronization

/// nghttp2 between sockets and bytes that are there already, on a thread for each processor.
final class FloorServer: Sendable {
    let payload: Payload
    private let threads = (0..<ProcessInfo.processInfo.activeProcessorCount).map { _ in ThreadJobs<FloorThread>() }

    init(_ payload: Payload) { self.payload = payload }

    /// Serves until the process ends.
    ///
    /// - Parameter port: on 127.0.0.1.
    func run(port: Int) async throws {
        let listener = try Self.listen(port)
        await withTaskGroup(of: Void.self) { group in
            for jobs in threads {
                group.addTask {
                    await withCheckedContinuation { continuation in
                        Thread.detachNewThread {
                            do {
                                try FloorThread(self, listener, jobs).run()
                            } catch {
                                FileHandle.standardError.write(Data("\(error)\n".utf8))
                            }
                            continuation.resume()
                        }
                    }
                }
            }
        }
    }

    func push(_ messages: [Payload.Message]) {
        for jobs in threads { jobs.add { $0.push(messages) } }
    }

    private static func listen(_ port: Int) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
        let status = unsafe Loopback.withAddress(port: UInt16(clamping: port)) { unsafe bind(descriptor, $0, $1) }
        guard status == 0, Glibc.listen(descriptor, 4_096) == 0 else { throw LabError("cannot listen: errno \(errno)") }
        return descriptor
    }
}

/// One of its threads, with the connections that it took.
@safe private final class FloorThread {
    private let server: FloorServer
    private let listener: Int32
    private let jobs: ThreadJobs<FloorThread>
    private let epoll = epoll_create1(0)
    private var streams: [Int32: FloorStream] = [:]
    private let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 64)
    private var output = ByteBuffer()

    init(_ server: FloorServer, _ listener: Int32, _ jobs: ThreadJobs<FloorThread>) throws {
        self.server = server
        self.listener = listener
        self.jobs = jobs
        // Whichever thread has time takes a connection, one at a time.
        guard watch(listener, EPOLLIN.rawValue | EPOLLEXCLUSIVE.rawValue), watch(jobs.signal, EPOLLIN.rawValue) else {
            throw LabError("no epoll: errno \(errno)")
        }
    }

    deinit {
        close(epoll)
        unsafe memory.deallocate()
    }

    func run() {
        var events = unsafe [epoll_event](repeating: epoll_event(), count: 512)
        while true {
            let count = unsafe epoll_wait(epoll, &events, Int32(events.count), -1)
            for index in 0..<Int(max(count, 0)) {
                let descriptor = Int32(truncatingIfNeeded: unsafe events[index].data.u64)
                switch descriptor {
                case listener: accept()
                case jobs.signal: for job in jobs.take() { job(self) }
                default: serve(descriptor)
                }
            }
        }
    }

    func push(_ messages: [Payload.Message]) {
        for stream in streams.values {
            for message in messages { stream.send(message) }
            stream.connection?.flush(with: &output)
        }
    }

    private func accept() {
        let descriptor = Glibc.accept(listener, nil, nil)
        guard descriptor >= 0, fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0 else { return }
        Loopback.sendAtOnce(descriptor)
        let stream = FloorStream(server)
        stream.connection = LoadConnection(descriptor: descriptor, user: stream, isServer: true)
        streams[descriptor] = stream
        _ = watch(descriptor, EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLET.rawValue)
    }

    private func serve(_ descriptor: Int32) {
        guard let stream = streams[descriptor], let connection = stream.connection else { return }
        unsafe connection.receive(with: memory)
        connection.flush(with: &output)
        if stream.isOver { streams[descriptor] = nil }
    }

    private func watch(_ descriptor: Int32, _ events: UInt32) -> Bool {
        var event = unsafe epoll_event(events: events, data: epoll_data_t(u64: UInt64(descriptor)))
        return unsafe epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0
    }
}

/// The call of one connection.
private final class FloorStream: LoadConnectionUser {
    var connection: LoadConnection?
    private(set) var isOver = false
    private let server: FloorServer
    private var answered: Set<String> = []

    init(_ server: FloorServer) { self.server = server }

    func began(_ beginning: ByteBuffer, isCompressed: Bool) -> Bool { false }

    func ended(_ message: ByteBuffer, size: Int) {
        var wire = Wire(message)
        while let (field, value) = wire.next() {
            // The type's URL is one or the other, depending on the variant.
            guard field == 2 || field == 4, value.readableBytes < 256 else { continue }
            let type = String(buffer: value)
            if let messages = server.payload.pushes[type] { return server.push(messages) }
            let key = Payload.key(type)
            guard let answer = server.payload.answers[key] else { continue }
            if answered.insert(key).inserted { send(answer) }
            return
        }
    }

    func send(_ message: Payload.Message) { connection?.send([message.bytes], isCompressed: message.isCompressed) }

    func closed(_ status: GRPCStatus) { isOver = true }
}
