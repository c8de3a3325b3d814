/// Walks over the fields of a message, or of one inside it.
struct WireReader {
    let message: [UInt8]
    private let end: Int
    private(set) var position: Int

    init(_ message: [UInt8], _ range: Range<Int>) {
        self.message = message
        (position, end) = (range.lowerBound, range.upperBound)
    }

    var isAtEnd: Bool { position == end }

    /// - Returns: the number of the field and, if it has a length, where its payload is; `nil` if there is no field.
    mutating func next() -> (number: UInt64, payload: Range<Int>?)? {
        guard let tag = varint(), tag >> 3 > 0 else { return nil }
        switch tag & 7 {
        case 0: return varint() == nil ? nil : (tag >> 3, nil)
        case 1: return skip(8) == nil ? nil : (tag >> 3, nil)
        case 2:
            guard let length = varint().flatMap(Int.init(exactly:)), let payload = skip(length) else { return nil }
            return (tag >> 3, payload)
        case 5: return skip(4) == nil ? nil : (tag >> 3, nil)
        // Groups are of another age.
        default: return nil
        }
    }

    @discardableResult
    mutating func skip(_ length: Int) -> Range<Int>? {
        guard length <= end - position else { return nil }
        defer { position += length }
        return position..<position + length
    }

    private mutating func varint() -> UInt64? {
        var value: UInt64 = 0
        // Five bytes are more than any length or tag needs; longer forms are the library's.
        for shift in stride(from: UInt64(0), to: 35, by: 7) {
            guard position < end else { return nil }
            let byte = message[position]
            position += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }
}
