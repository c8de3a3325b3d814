/// The form in which histograms are stored: for each bucket that counted something the number of empty ones before it and its count,
/// as varints of base 128, least significant digit first (Protocol Buffers, "Base 128 Varints"), behind how many there are; then
/// the sum's bits, least significant byte first.
///
/// A value has one form, so that equal histograms are equal bytes: nine for an empty one, about two for each bucket more.
extension LatencyHistogram {
    package var bytes: [UInt8] {
        let filled = counts.indices.filter { counts[$0] > 0 }
        var bytes: [UInt8] = [UInt8(filled.count)]
        bytes.reserveCapacity(9 + 4 * filled.count)
        var next = 0
        for index in filled {
            bytes.appendVarint(UInt64(first + index - next))
            bytes.appendVarint(counts[index])
            next = first + index + 1
        }
        for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: sum.bitPattern >> shift)) }
        return bytes
    }

    /// Reads what ``bytes`` wrote.
    ///
    /// - Returns: `nil` for anything else.
    package init?(bytes: [UInt8]) {
        self.init()
        let sum = Double(bitPattern: bytes.suffix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
        var rest = bytes.dropLast(8)
        guard let filled = rest.popFirst(), filled <= LatencyLadder.bucketCount, sum.isFinite, sum.sign == .plus,
            filled > 0 || sum == 0
        else { return nil }
        var next = 0
        for index in 0..<filled {
            guard let gap = rest.popVarint(), gap < UInt64(LatencyLadder.bucketCount), let count = rest.popVarint(),
                count > 0, next + Int(gap) < LatencyLadder.bucketCount
            else { return nil }
            next += Int(gap)
            add(count: count, inBucket: next, sum: index == 0 ? sum : 0)
            next += 1
        }
        guard rest.isEmpty else { return nil }
    }
}

extension [UInt8] {
    fileprivate mutating func appendVarint(_ number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(rest))
    }
}

extension ArraySlice<UInt8> {
    /// - Returns: `nil` for a number that ends early, is longer than it has to be or has more than 64 bits.
    fileprivate mutating func popVarint() -> UInt64? {
        var number: UInt64 = 0
        for shift in stride(from: 0, to: 64, by: 7) {
            guard let byte = popFirst() else { return nil }
            // The tenth byte has room for one bit.
            guard shift < 63 || byte <= 1 else { return nil }
            number |= UInt64(byte & 0x7F) << UInt64(shift)
            if byte < 0x80 { return byte == 0 && shift > 0 ? nil : number }
        }
        return nil
    }
}
