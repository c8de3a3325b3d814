import Foundation
import MeshModel

/// Documents as clients send them.
enum JSON {
    static func parse(_ text: String) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    }
}
