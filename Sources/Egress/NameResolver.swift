internal import Glibc
package import NIOCore
internal import NIOPosix
internal import Synchronization

/// Finds the addresses that a name has.
package protocol NameResolver: Sendable {
    /// - Throws: when there is none, or none is found in time.
    func addresses(of name: String, until deadline: NIODeadline) async throws(EgressFailure) -> [IPAddress]
    /// Ends the resolver's threads.
    func shutdown() async
}

/// The C library's resolver, on threads of its own because it blocks them for as long as a name server keeps silent.
final class SystemResolver: NameResolver {
    /// Lookups that are made at once; a slow name holds up others only if there are as many.
    private static let threads = 16
    /// Lookups that are made or wait for a thread, those nobody waits for any more included.
    private static let bound = EgressBound("names to be resolved", 256)

    private let pool: NIOThreadPool
    private let loops: any EventLoopGroup
    private let pending = Atomic<Int>(0)

    init(loops: any EventLoopGroup) {
        self.loops = loops
        pool = NIOThreadPool(numberOfThreads: Self.threads)
        pool.start()
    }

    func shutdown() async { try? await pool.shutdownGracefully() }

    func addresses(of name: String, until deadline: NIODeadline) async throws(EgressFailure) -> [IPAddress] {
        guard pending.add(1, ordering: .relaxed).newValue <= Self.bound.limit else {
            pending.subtract(1, ordering: .relaxed)
            throw .busy(Self.bound)
        }
        let loop = loops.next()
        let promise = loop.makePromise(of: [IPAddress].self)
        let alarm = loop.scheduleTask(deadline: deadline) { promise.fail(.timedOut(.resolving)) }
        defer { alarm.cancel() }
        let lookup = pool.runIfActive(eventLoop: loop) {
            // While it waited for a thread its time may have passed.
            guard NIODeadline.now() < deadline else { throw EgressFailure.timedOut(.resolving) }
            return try lookUp(name)
        }
        lookup.whenComplete { _ in self.pending.subtract(1, ordering: .relaxed) }
        lookup.cascade(to: promise)
        return try await promise.futureResult.value { promise.fail(.cancelled) }
    }
}

/// Asks the C library, which blocks.
private func lookUp(_ name: String) throws(EgressFailure) -> [IPAddress] {
    var hints = unsafe addrinfo()
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var first: UnsafeMutablePointer<addrinfo>?
    let code = unsafe getaddrinfo(name, nil, &hints, &first)
    guard code == 0 else {
        throw .notResolved(name, unsafe gai_strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)")
    }
    defer { unsafe freeaddrinfo(first) }
    var addresses: [IPAddress] = []
    var next = unsafe first
    while let info = unsafe next {
        if let address = unsafe read(info.pointee), !addresses.contains(address) { addresses.append(address) }
        unsafe next = info.pointee.ai_next
    }
    guard !addresses.isEmpty else { throw .notResolved(name, "it is known, but not where") }
    return addresses
}

private func read(_ info: addrinfo) -> IPAddress? {
    guard let address = unsafe UnsafeRawPointer(info.ai_addr) else { return nil }
    switch unsafe info.ai_family {
    case AF_INET where unsafe Int(info.ai_addrlen) >= MemoryLayout<sockaddr_in>.size:
        let v4 = unsafe address.loadUnaligned(as: sockaddr_in.self)
        return IPAddress(v4: UInt32(bigEndian: v4.sin_addr.s_addr))
    case AF_INET6 where unsafe Int(info.ai_addrlen) >= MemoryLayout<sockaddr_in6>.size:
        let v6 = unsafe address.loadUnaligned(as: sockaddr_in6.self)
        return IPAddress(v6: unsafe withUnsafeBytes(of: v6.sin6_addr) { unsafe $0.reduce(0) { $0 << 8 | UInt128($1) } })
    default: return nil
    }
}
