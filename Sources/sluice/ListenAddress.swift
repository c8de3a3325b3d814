internal import Foundation
internal import NIOCore

/// A host and a TCP port, `127.0.0.1:8080` or `[::1]:8080`.
struct ListenAddress: Sendable, Equatable, CustomStringConvertible {
    let host: String
    /// `0...65_535`; 0 lets the system choose.
    let port: Int

    static let rule = "be HOST:PORT with a host, such as 127.0.0.1:8080"

    /// `nil` if `text` breaks the ``rule``.
    init?(text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard !host.isEmpty else { return nil }
        self.host = host
        self.port = Int(port)
    }

    var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Runs what listens here, and says of an address that cannot be listened on which it is and what to change.
    ///
    /// - Parameters:
    ///   - listener: what cannot do without it, as the subject of a sentence.
    ///   - setting: what the address comes from.
    /// - Throws: ``Failure``; whatever else `body` throws.
    func explaining(
        _ listener: String, _ setting: Setting<ListenAddress>, _ body: () async throws -> Void
    ) async throws {
        do {
            try await body()
        } catch let error as IOError {
            let reason = unsafe String(cString: strerror(error.errnoCode))
            let remedy =
                switch error.errnoCode {
                case EADDRINUSE: "stop what listens there, or choose another with \(setting)"
                case EADDRNOTAVAIL: "this machine has no such address; choose another with \(setting)"
                case EACCES: "ports below 1024 need a right; choose another with \(setting)"
                default: "choose another with \(setting)"
                }
            throw Failure("\(listener) cannot listen on \(self): \(reason.lowercased()); \(remedy)")
        } catch let error as SocketAddressError {
            throw Failure("\(listener) cannot listen on \(self), the address of \(setting.option): \(error)")
        }
    }
}
