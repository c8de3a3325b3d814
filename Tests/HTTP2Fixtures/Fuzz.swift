internal import Foundation
package import TestSupport

/// How long tests try mutated inputs.
package enum Fuzz {
    /// Inputs per seed: `SLUICE_FUZZ_RUNS`, or as many as take a part of a second.
    package static func runs(usually usual: Int) -> Int {
        ProcessInfo.processInfo.environment["SLUICE_FUZZ_RUNS"].flatMap(Int.init) ?? usual
    }

    /// Ten seeds from `SLUICE_FUZZ_SEED` on, or from 0. Each is a test case, so a failure names its seed.
    package static let seeds: Range<UInt64> = {
        let first = ProcessInfo.processInfo.environment["SLUICE_FUZZ_SEED"].flatMap(UInt64.init) ?? 0
        return first..<first + 10
    }()
}

extension SeededGenerator {
    /// Flips, changes, drops, doubles or inserts a few bytes.
    package mutating func mutated(_ original: [UInt8]) -> [UInt8] {
        var bytes = original
        for _ in 0..<Int.random(in: 1...6, using: &self) where !bytes.isEmpty {
            let at = Int.random(in: bytes.indices, using: &self)
            switch Int.random(in: 0..<6, using: &self) {
            case 0: bytes[at] = .random(in: 0...255, using: &self)
            case 1: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &self)
            // The borders of varints, lengths and flags.
            case 2: bytes[at] = [0, 1, 0x7f, 0x80, 0xff][Int.random(in: 0..<5, using: &self)]
            case 3: bytes.remove(at: at)
            case 4: bytes.insert(.random(in: 0...255, using: &self), at: at)
            default:
                let end = min(bytes.count, at + Int.random(in: 1...40, using: &self))
                bytes.insert(contentsOf: bytes[at..<end], at: Int.random(in: at...bytes.count, using: &self))
            }
        }
        return bytes
    }

    /// Cuts bytes into pieces: all of them, small ones, or a few.
    package mutating func cut(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        var rest = bytes[...]
        var pieces: [ArraySlice<UInt8>] = []
        let largest = [1, 20, max(1, bytes.count)][Int.random(in: 0..<3, using: &self)]
        while !rest.isEmpty {
            let piece = rest.prefix(Int.random(in: 1...largest, using: &self))
            pieces.append(piece)
            rest = rest.dropFirst(piece.count)
        }
        return pieces
    }
}
