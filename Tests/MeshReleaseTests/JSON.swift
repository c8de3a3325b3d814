import Documents
import Foundation

/// Documents as clients send them.
enum JSON {
    static func parse(_ text: String) throws -> JSONValue {
        try JSONValue(json: Data(text.utf8))
    }
}
