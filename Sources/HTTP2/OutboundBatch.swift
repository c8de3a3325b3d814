internal import NIOCore

/// The bytes that go to the socket in one write: control frames and frame headers gathered in one buffer, large pieces of
/// messages as slices of memory that thousands of streams share.
struct OutboundBatch {
    /// Pieces below this many bytes are copied: a separate `iovec` and pending write cost more than the copy.
    static let copiesBelow = 1024

    private enum Piece {
        case copied(offset: Int, count: Int)
        case shared(ByteBuffer)
    }

    private var scratch = ByteBuffer()
    private var pieces: [Piece] = []
    /// The place in `scratch` where the run of copied bytes begins that no piece covers yet.
    private var runStart = 0

    /// Bytes in the batch.
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    mutating func append(copying bytes: UnsafeRawBufferPointer) {
        unsafe scratch.writeBytes(bytes)
        count += bytes.count
    }

    mutating func append(_ buffer: ByteBuffer) {
        count += buffer.readableBytes
        if buffer.readableBytes < Self.copiesBelow {
            scratch.writeImmutableBuffer(buffer)
        } else {
            endRun()
            pieces.append(.shared(buffer))
        }
    }

    /// Hands over everything in order and leaves the batch empty.
    mutating func take() -> [ByteBuffer] {
        endRun()
        // Slices are made only now: a slice made earlier would share `scratch` and make every later write copy it.
        let buffers = pieces.compactMap { piece in
            switch piece {
            case .copied(let offset, let count): scratch.getSlice(at: offset, length: count)
            case .shared(let buffer): buffer
            }
        }
        self = OutboundBatch()
        return buffers
    }

    private mutating func endRun() {
        let end = scratch.writerIndex
        if end > runStart {
            pieces.append(.copied(offset: runStart, count: end - runStart))
            runStart = end
        }
    }
}
