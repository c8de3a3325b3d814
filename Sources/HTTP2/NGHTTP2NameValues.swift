package import CNGHTTP2

/// Lays the fields out in memory for the time of `body`; nghttp2 copies what it keeps.
package func withNameValues<R>(_ headers: [HTTP2Header], _ body: (UnsafeBufferPointer<nghttp2_nv>) -> R) -> R {
    var bytes: [UInt8] = []
    for header in headers {
        bytes.append(contentsOf: header.name.utf8)
        bytes.append(contentsOf: header.value.utf8)
    }
    return unsafe bytes.withUnsafeMutableBufferPointer { buffer in
        var offset = 0
        let values = unsafe headers.map { header in
            let nameCount = header.name.utf8.count
            let valueCount = header.value.utf8.count
            defer { offset += nameCount + valueCount }
            return unsafe nghttp2_nv(
                name: buffer.baseAddress.map { unsafe $0 + offset },
                value: buffer.baseAddress.map { unsafe $0 + offset + nameCount },
                namelen: nameCount, valuelen: valueCount, flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue))
        }
        return unsafe values.withUnsafeBufferPointer { unsafe body($0) }
    }
}
