package import Documents
internal import Foundation

/// Documents as clients send them.
package enum JSON {
    package static func parse(_ text: String) throws -> JSONValue {
        try JSONValue(json: Data(text.utf8))
    }
}
