/// A value that can be bound to a parameter, in PostgreSQL's binary format.
package protocol PostgresEncodable {
    /// The type declared for the parameter, so that the server never guesses.
    static var postgresType: PostgresType { get }
    /// Whether the value is NULL; then ``encode(into:)`` is not called.
    var isNull: Bool { get }
    /// Appends the value without its length.
    func encode(into bytes: inout [UInt8])
}

/// A value that may also be an element of a one-dimensional array parameter, as `unnest` takes them.
package protocol PostgresScalar: PostgresEncodable, PostgresElement {
    static var postgresArrayType: PostgresType { get }
}

/// An element of an `Array` that can be bound: every ``PostgresScalar``, and `UInt8`, whose array is `bytea`.
package protocol PostgresElement {
    static var typeOfArray: PostgresType { get }
    static func encode(_ array: [Self], into bytes: inout [UInt8])
}

extension PostgresEncodable {
    package var isNull: Bool { false }
}

/// An `enum E: String, PostgresScalar, PostgresDecodable {}` needs nothing more.
extension PostgresScalar where Self: RawRepresentable, RawValue: PostgresScalar {
    package static var postgresType: PostgresType { RawValue.postgresType }
    package static var postgresArrayType: PostgresType { RawValue.postgresArrayType }
    package func encode(into bytes: inout [UInt8]) { rawValue.encode(into: &bytes) }
}

extension Optional: PostgresEncodable where Wrapped: PostgresEncodable {
    package static var postgresType: PostgresType { Wrapped.postgresType }
    package var isNull: Bool { self?.isNull ?? true }
    package func encode(into bytes: inout [UInt8]) { self?.encode(into: &bytes) }
}

extension Optional: PostgresScalar where Wrapped: PostgresScalar {
    package static var postgresArrayType: PostgresType { Wrapped.postgresArrayType }
}

extension Optional: PostgresElement where Wrapped: PostgresScalar {}

extension Array: PostgresEncodable where Element: PostgresElement {
    package static var postgresType: PostgresType { Element.typeOfArray }
    package func encode(into bytes: inout [UInt8]) { Element.encode(self, into: &bytes) }
}

extension PostgresScalar {
    package static var typeOfArray: PostgresType { postgresArrayType }

    /// A one-dimensional array with lower bound 1.
    ///
    /// Source: PostgreSQL `array_recv` in `arrayfuncs.c`: number of dimensions, has-null flag, element type; then
    /// length and lower bound of each dimension; then length (-1 for NULL) and bytes of each element.
    package static func encode(_ array: [Self], into bytes: inout [UInt8]) {
        bytes.appendBigEndian(Int32(array.isEmpty ? 0 : 1))
        bytes.appendBigEndian(Int32(array.contains(where: \.isNull) ? 1 : 0))
        bytes.appendBigEndian(postgresType.oid)
        guard !array.isEmpty else { return }
        bytes.appendBigEndian(Int32(clamping: array.count))
        bytes.appendBigEndian(Int32(1))
        for element in array { bytes.appendWithLength(element) }
    }
}

extension UInt8: PostgresElement {
    package static var typeOfArray: PostgresType { .bytea }
    package static func encode(_ array: [UInt8], into bytes: inout [UInt8]) { bytes += array }
}

/// `bytea[]`.
extension Array: PostgresScalar, PostgresElement where Element == UInt8 {
    package static var postgresArrayType: PostgresType { .byteaArray }
}

extension [UInt8] {
    /// Appends in network byte order, which all of PostgreSQL's binary formats use.
    mutating func appendBigEndian<Value: FixedWidthInteger>(_ value: Value) {
        var shift = Value.bitWidth
        while shift > 0 {
            shift -= 8
            append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    /// Appends a value after its length, or the length -1 for NULL.
    mutating func appendWithLength<Value: PostgresEncodable>(_ value: Value) {
        let start = count
        guard !value.isNull else {
            return appendBigEndian(Int32(-1))
        }
        appendBigEndian(Int32(0))
        value.encode(into: &self)
        let length = Int32(clamping: count - start - 4)
        for byte in 0..<4 { self[start + byte] = UInt8(truncatingIfNeeded: length >> (24 - 8 * byte)) }
    }
}
