internal import GRPCServer
internal import NIOCore
internal import Synchronization

/// Bytes that are a part of many messages, plain and compressed.
final class SharedBytes: Sendable {
    /// The least size of bytes that are compressed: fewer fit into few packets as they are.
    static let compressesFrom = 2_048

    let plain: ByteBuffer
    private let compression: Mutex<Compression>

    private enum Compression {
        case part(GzipPart)
        /// Until there is one: that of an earlier form, if there was one.
        case due(earlier: GzipPart?)
    }

    /// - Parameter earlier: an earlier form of the same: what did not change is not compressed again.
    init(_ plain: ByteBuffer, after earlier: SharedBytes? = nil) {
        self.plain = plain
        let isCompressed = plain.readableBytes >= Self.compressesFrom
        compression = Mutex(.due(earlier: isCompressed ? earlier?.latest : nil))
    }

    /// Made when the first client that wants it needs it; whoever else wants it meanwhile waits instead of doing it again.
    var gzip: GzipPart {
        compression.withLock { compression in
            switch compression {
            case .part(let part): return part
            case .due(let earlier):
                let part =
                    plain.readableBytes < Self.compressesFrom
                    ? GzipPart(storing: plain) : GzipPart(compressing: plain, reusing: earlier)
                compression = .part(part)
                return part
            }
        }
    }

    private var latest: GzipPart? {
        compression.withLock { compression in
            switch compression {
            case .part(let part): part
            case .due(let earlier): earlier
            }
        }
    }
}
