internal import CEpoll
internal import GRPCServer
internal import Glibc
internal import MeshLab
internal import NIOCore
internal import Synchronization

/// The thread that the proxies of a fleet live on: it waits for their sockets (`epoll(7)`) and for jobs from elsewhere.
@safe final class FleetThread {
    let gunzip: Gunzip
    var proxies: [FleetProxy] = []
    private let port: UInt16
    private let jobs: ThreadJobs<FleetThread>
    private let epoll: Int32
    /// What is read from a socket, one at a time.
    private let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 64)
    /// What is written to one, in the same way.
    private var output = ByteBuffer()
    /// Proxies whose turn to connect has not come, how many are connecting, and how many may.
    private var waiting: ArraySlice<FleetProxy> = []
    private var connecting = 0
    private var connectingAtOnce = 0

    /// - Parameter port: on 127.0.0.1.
    init(port: Int, jobs: ThreadJobs<FleetThread>) throws {
        self.port = UInt16(clamping: port)
        self.jobs = jobs
        gunzip = try Gunzip()
        epoll = epoll_create1(0)
        guard epoll >= 0, watch(jobs.signal, EPOLLIN.rawValue, as: Self.jobsTag) else {
            throw LabError("no epoll: errno \(errno)")
        }
    }

    deinit {
        close(epoll)
        unsafe memory.deallocate()
    }

    private static let jobsTag = UInt64.max

    /// Returns when a job says that it is over.
    ///
    /// Of the proxies that have something to read, all read before the first of them answers: on machines of their own none
    /// would wait for another's answer.
    func run() {
        var events = unsafe [epoll_event](repeating: epoll_event(), count: 512)
        while !jobs.isOver {
            let count = unsafe epoll_wait(epoll, &events, Int32(events.count), -1)
            for index in 0..<Int(max(count, 0)) {
                let (tag, what) = unsafe (events[index].data.u64, events[index].events)
                if tag == Self.jobsTag {
                    for job in jobs.take() { job(self) }
                } else if tag < proxies.count {
                    proxies[Int(tag)].handle(what, on: self)
                }
            }
            for index in 0..<Int(max(count, 0)) {
                let tag = unsafe events[index].data.u64
                if tag < proxies.count { proxies[Int(tag)].answer(on: self) }
            }
        }
    }

    // MARK: Connecting

    /// Connects all proxies.
    ///
    /// - Parameter count: how many may be on their way at the same time.
    func connect(atOnce count: Int) {
        waiting = proxies[...]
        connectingAtOnce = count
        connectNext()
    }

    /// One of those that were connecting is connected, or cannot be.
    func connected() {
        connecting -= 1
        connectNext()
    }

    private func connectNext() {
        while connecting < connectingAtOnce, let proxy = waiting.popFirst() {
            connecting += 1
            proxy.connect(on: self)
        }
    }

    /// - Returns: a socket that connects; `nil` with `errno` if there is none.
    func open(for proxy: Int) -> Int32? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        Loopback.sendAtOnce(descriptor)
        let status = unsafe Loopback.withAddress(port: port) { unsafe Glibc.connect(descriptor, $0, $1) }
        guard status == 0 || errno == EINPROGRESS,
            // Each change is told once (edge-triggered), so that what is waited for is said once.
            watch(descriptor, EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLET.rawValue, as: UInt64(proxy))
        else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    private func watch(_ descriptor: Int32, _ events: UInt32, as tag: UInt64) -> Bool {
        var event = unsafe epoll_event(events: events, data: epoll_data_t(u64: tag))
        return unsafe epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0
    }

    func receive(on connection: LoadConnection) { unsafe connection.receive(with: memory) }
    func flush(_ connection: LoadConnection) { connection.flush(with: &output) }
}

/// What a thread is asked to do by others.
final class ThreadJobs<Owner>: Sendable {
    typealias Job = @Sendable (Owner) -> Void

    private let state = Mutex<(jobs: [Job], isOver: Bool)>(([], false))
    /// An `eventfd(2)`, readable when there are jobs.
    let signal = eventfd(0, Int32(EFD_NONBLOCK))

    deinit { close(signal) }

    func add(_ job: @escaping Job) {
        state.withLock { $0.jobs.append(job) }
        eventfd_write(signal, 1)
    }

    func finish() {
        state.withLock { $0.isOver = true }
        eventfd_write(signal, 1)
    }

    var isOver: Bool { state.withLock(\.isOver) }

    func take() -> [Job] {
        var count: eventfd_t = 0
        unsafe eventfd_read(signal, &count)
        return state.withLock { state in
            defer { state.jobs = [] }
            return state.jobs
        }
    }
}
