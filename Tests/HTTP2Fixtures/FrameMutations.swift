package import NIOCore
package import TestSupport

/// Makes streams of frames that are almost right from recorded ones, so that mutations reach what is behind the framing.
package struct FrameMutations {
    private let recorded: [[UInt8]]

    /// - Parameter recording: what a client sent, with its preface.
    package init(_ recording: ByteBuffer) {
        var recording = recording
        recording.moveReaderIndex(forwardBy: Frame.preface.readableBytes)
        recorded = ParsedFrame.all(in: recording).map { frame in
            Array(buffer: Frame.raw(frame.type, flags: frame.flags, stream: frame.stream, frame.payload))
        }
    }

    /// Frames of every attack.
    private static let dictionary = (Attack.violations + Attack.floods).flatMap { attack in
        attack.frames.prefix(4).map { Array(buffer: $0) }
    }

    package func next(_ random: inout SeededGenerator) -> [UInt8] {
        var frames = recorded
        for _ in 0..<Int.random(in: 1...4, using: &random) where !frames.isEmpty {
            let at = Int.random(in: frames.indices, using: &random)
            switch Int.random(in: 0..<7, using: &random) {
            case 0: frames.remove(at: at)
            case 1: frames.insert(frames[Int.random(in: frames.indices, using: &random)], at: at)
            case 2: frames.swapAt(at, Int.random(in: frames.indices, using: &random))
            case 3, 4: frames.insert(Self.dictionary.randomElement(using: &random) ?? [], at: at)
            case 5: frames[at] = random.mutated(frames[at])
            default: frames[at] = withPayload(random.mutated(Array(frames[at].dropFirst(9))), of: frames[at])
            }
        }
        var bytes = Array(buffer: Frame.preface) + frames.joined()
        // Sometimes the preface, and what is between frames.
        if random.chance(5) { bytes = random.mutated(bytes) }
        return bytes
    }

    /// The frame with another payload, and the length that fits it.
    private func withPayload(_ payload: [UInt8], of frame: [UInt8]) -> [UInt8] {
        let length = [16, 8, 0].map { UInt8(truncatingIfNeeded: payload.count >> $0) }
        return length + frame.prefix(9).dropFirst(3) + payload
    }
}
