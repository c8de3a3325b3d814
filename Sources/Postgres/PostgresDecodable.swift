/// A value that can be read from a column in PostgreSQL's binary format, in place.
package protocol PostgresDecodable {
    /// - Parameter bytes: the value in the result's memory.
    /// - Parameter type: the column's type.
    /// - Returns: `nil` if `type` is not one this type is read from, or if the bytes are malformed.
    static func decode(_ bytes: Span<UInt8>, as type: PostgresType) -> Self?

    /// The value that NULL reads as; `nil` if NULL is an error, which is the default.
    static var decodedNull: Self? { get }
}

extension PostgresDecodable {
    package static var decodedNull: Self? { nil }
}

extension PostgresDecodable where Self: RawRepresentable, RawValue: PostgresDecodable {
    package static func decode(_ bytes: Span<UInt8>, as type: PostgresType) -> Self? {
        RawValue.decode(bytes, as: type).flatMap(Self.init(rawValue:))
    }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    package static func decode(_ bytes: Span<UInt8>, as type: PostgresType) -> Self? {
        Wrapped.decode(bytes, as: type).map(Optional.some)
    }

    package static var decodedNull: Self? { .some(.none) }
}

/// An element of an `Array` that can be read: decodable scalars, and `UInt8`, whose array is `bytea`.
package protocol PostgresDecodableElement {
    static func decodeArray(_ bytes: Span<UInt8>, as type: PostgresType) -> [Self]?
}

extension Array: PostgresDecodable where Element: PostgresDecodableElement {
    package static func decode(_ bytes: Span<UInt8>, as type: PostgresType) -> Self? {
        Element.decodeArray(bytes, as: type)
    }
}

extension UInt8: PostgresDecodableElement {
    package static func decodeArray(_ bytes: Span<UInt8>, as type: PostgresType) -> [UInt8]? {
        type == .bytea ? bytes.copied() : nil
    }
}

extension PostgresDecodableElement where Self: PostgresDecodable {
    /// Source: PostgreSQL `array_send` in `arrayfuncs.c`. Arrays of more than one dimension are refused.
    package static func decodeArray(_ bytes: Span<UInt8>, as type: PostgresType) -> [Self]? {
        guard let dimensions = bytes.bigEndian(Int32.self, at: 0), let oid = bytes.bigEndian(UInt32.self, at: 8)
        else { return nil }
        if dimensions == 0 { return [] }
        guard dimensions == 1, let count = bytes.bigEndian(Int32.self, at: 12), count >= 0 else { return nil }
        var elements: [Self] = []
        // No reservation by the declared count: it is the peer's word until the elements are there.
        var offset = 20
        for _ in 0..<count {
            guard let length = bytes.bigEndian(Int32.self, at: offset) else { return nil }
            offset += 4
            if length < 0 {
                guard let null = decodedNull else { return nil }
                elements.append(null)
                continue
            }
            guard Int(length) <= bytes.count - offset,
                let element = decode(bytes.extracting(offset..<(offset + Int(length))), as: PostgresType(oid: oid))
            else { return nil }
            elements.append(element)
            offset += Int(length)
        }
        return elements
    }
}

extension Optional: PostgresDecodableElement where Wrapped: PostgresDecodable & PostgresDecodableElement {}

/// `bytea[]`.
extension Array: PostgresDecodableElement where Element == UInt8 {}

extension Span where Element == UInt8 {
    /// The big-endian integer at `offset`; `nil` if the bytes end before it does.
    func bigEndian<Value: FixedWidthInteger>(_ type: Value.Type, at offset: Int = 0) -> Value? {
        let width = Value.bitWidth / 8
        guard offset >= 0, count - offset >= width else { return nil }
        var value: Value = 0
        for index in offset..<(offset + width) { value = value << 8 | Value(truncatingIfNeeded: self[index]) }
        return value
    }
}
