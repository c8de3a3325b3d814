import EnvoyConfig
import Foundation

/// JSON as objects that can be changed and printed.
enum GoldenJSON {
    static func object(_ resource: ConfigResource, _ type: ConfigType) throws -> Any {
        try JSONSerialization.jsonObject(with: Data(resource.json(type).utf8))
    }

    static func data(_ object: Any) throws -> Data {
        try JSONSerialization.data(
            withJSONObject: object, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
            + Data("\n".utf8)
    }
}
