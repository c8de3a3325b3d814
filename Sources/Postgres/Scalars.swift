package typealias PostgresValue = PostgresScalar & PostgresDecodable & PostgresDecodableElement

extension Bool: PostgresValue {
    package static var postgresType: PostgresType { .bool }
    package static var postgresArrayType: PostgresType { .boolArray }
    package func encode(into bytes: inout [UInt8]) { bytes.append(self ? 1 : 0) }

    package static func decode(_ bytes: Span<UInt8>, as type: PostgresType) -> Bool? {
        type == .bool && bytes.count == 1 ? bytes[0] != 0 : nil
    }
}

extension PostgresDecodable where Self: FixedWidthInteger {
    /// Reads any of PostgreSQL's integers whose value fits.
    package static func decode(_ bytes: Span<UInt8>, as type: PostgresType) -> Self? {
        switch type {
        case .int8: bytes.count == 8 ? bytes.bigEndian(Int64.self).flatMap(Self.init(exactly:)) : nil
        case .int4: bytes.count == 4 ? bytes.bigEndian(Int32.self).flatMap(Self.init(exactly:)) : nil
        case .int2: bytes.count == 2 ? bytes.bigEndian(Int16.self).flatMap(Self.init(exactly:)) : nil
        case .oidType: bytes.count == 4 ? bytes.bigEndian(UInt32.self).flatMap(Self.init(exactly:)) : nil
        default: nil
        }
    }
}

extension Int: PostgresValue {
    package static var postgresType: PostgresType { .int8 }
    package static var postgresArrayType: PostgresType { .int8Array }
    package func encode(into bytes: inout [UInt8]) { bytes.appendBigEndian(Int64(self)) }
}

extension Int64: PostgresValue {
    package static var postgresType: PostgresType { .int8 }
    package static var postgresArrayType: PostgresType { .int8Array }
    package func encode(into bytes: inout [UInt8]) { bytes.appendBigEndian(self) }
}

extension Int32: PostgresValue {
    package static var postgresType: PostgresType { .int4 }
    package static var postgresArrayType: PostgresType { .int4Array }
    package func encode(into bytes: inout [UInt8]) { bytes.appendBigEndian(self) }
}

extension Int16: PostgresValue {
    package static var postgresType: PostgresType { .int2 }
    package static var postgresArrayType: PostgresType { .int2Array }
    package func encode(into bytes: inout [UInt8]) { bytes.appendBigEndian(self) }
}

extension Double: PostgresValue {
    package static var postgresType: PostgresType { .float8 }
    package static var postgresArrayType: PostgresType { .float8Array }
    package func encode(into bytes: inout [UInt8]) { bytes.appendBigEndian(bitPattern) }

    package static func decode(_ bytes: Span<UInt8>, as type: PostgresType) -> Double? {
        switch type {
        case .float8: bytes.count == 8 ? bytes.bigEndian(UInt64.self).map(Double.init(bitPattern:)) : nil
        case .float4:
            bytes.count == 4 ? bytes.bigEndian(UInt32.self).map { Double(Float(bitPattern: $0)) } : nil
        default: nil
        }
    }
}

/// `text`. Also reads `varchar`, `char(n)`, `name` and `json`.
///
/// A NUL character cannot be stored by PostgreSQL: the server answers 22021.
extension String: PostgresValue {
    package static var postgresType: PostgresType { .text }
    package static var postgresArrayType: PostgresType { .textArray }
    package func encode(into bytes: inout [UInt8]) { bytes.append(contentsOf: utf8) }

    package static func decode(_ bytes: Span<UInt8>, as type: PostgresType) -> String? {
        switch type {
        case .text, .varchar, .bpchar, .name, .json, .unknown: String(validating: bytes)
        default: nil
        }
    }

    /// `nil` unless `bytes` are UTF-8.
    init?(validating bytes: Span<UInt8>) {
        guard let text = try? UTF8Span(validating: bytes) else { return nil }
        self.init(copying: text)
    }
}

/// `uuid`: the sixteen bytes, most significant first.
extension UInt128: PostgresValue {
    package static var postgresType: PostgresType { .uuid }
    package static var postgresArrayType: PostgresType { .uuidArray }
    package func encode(into bytes: inout [UInt8]) { bytes.appendBigEndian(self) }

    package static func decode(_ bytes: Span<UInt8>, as type: PostgresType) -> UInt128? {
        type == .uuid && bytes.count == 16 ? bytes.bigEndian(UInt128.self) : nil
    }
}
