import Glibc
import Testing

/// A listener that accepts nothing and whose queue is full, so that a further connection is neither taken nor refused.
enum FullBacklog {
    static func run(_ body: (Int) async throws -> Void) async throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = unsafe onAddress(&address) { pointer -> Int? in
            var length = size
            guard unsafe bind(listener, pointer, size) == 0, listen(listener, 0) == 0,
                unsafe getsockname(listener, pointer, &length) == 0
            else { return nil }
            return unsafe pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                unsafe Int(UInt16(bigEndian: $0.pointee.sin_port))
            }
        }
        var connections: [Int32] = []
        defer { for connection in connections { close(connection) } }
        for _ in 0..<8 {
            let connection = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
            connections.append(connection)
            _ = unsafe onAddress(&address) { unsafe connect(connection, $0, size) }
        }
        try await body(try #require(port))
    }

    private static func onAddress<T>(
        _ address: inout sockaddr_in, _ call: (UnsafeMutablePointer<sockaddr>) -> T
    ) -> T {
        unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe call($0) }
        }
    }
}
