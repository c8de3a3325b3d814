package import Foundation  // lint:allow: its parser; no I/O and no clock

/// Why a text is no JSON.
package struct JSONFault: Error, Equatable {
    /// A phrase of Foundation's, such as "Unexpected end of file".
    package var reason: String
}

extension JSONValue {
    /// Reads one JSON text (RFC 8259). A number without fraction that fits 64 bits becomes ``integer(_:)``, however it is
    /// written (`1`, `1.0`, `1e0`); of two members of one name the last counts. Beyond the standard, Foundation lets a comma
    /// pass before a closing bracket.
    ///
    /// Foundation's older parser does it, in a third of the time of `JSONDecoder`: that one cannot be asked what comes next,
    /// and every wrong guess costs an error that is made and thrown away.
    ///
    /// - Parameter json: UTF-8; Foundation takes UTF-16 and UTF-32 too if the bytes look like that.
    /// - Throws: for what is no JSON, and for arrays and objects that nest deeper than 512 levels.
    package init(json: Data) throws(JSONFault) {
        do {
            self.init(found: try JSONSerialization.jsonObject(with: json, options: .fragmentsAllowed))
        } catch {
            let reason = (error as NSError).userInfo[NSDebugDescriptionErrorKey]
            throw JSONFault(reason: reason.map { "\($0)" } ?? "\(error)")
        }
    }

    private init(found value: Any) {
        switch value {
        case let text as String: self = .string(text)
        case let members as [String: Any]: self = .object(members.mapValues(JSONValue.init(found:)))
        case let elements as [Any]: self = .array(elements.map(JSONValue.init(found:)))
        case let number as NSNumber: self.init(number)
        default: self = .null
        }
    }

    /// `NSNumber` stands for booleans too, and bridges them to numbers and back; only its type tells them apart.
    private init(_ number: NSNumber) {
        switch UInt8(bitPattern: unsafe number.objCType.pointee) {  // lint:allow: the number's own C string
        case UInt8(ascii: "c"): self = .bool(number.boolValue)
        case UInt8(ascii: "i"), UInt8(ascii: "q"): self = .integer(number.int64Value)
        default:
            // More than 17 digits come as a decimal, whose own way to a double and to an integer is not exact.
            let text = (number as? NSDecimalNumber)?.stringValue
            if let integer = text.flatMap({ Int64($0) }) {
                self = .integer(integer)
                return
            }
            let double = text.flatMap { Double($0) } ?? number.doubleValue
            self = Int64(exactly: double).map(JSONValue.integer) ?? .number(double)
        }
    }
}
