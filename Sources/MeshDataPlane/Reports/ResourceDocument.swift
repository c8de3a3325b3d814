internal import Documents
internal import EnvoyConfig
internal import Foundation
internal import XDSServer

/// Resources as people may see them.
enum ResourceDocument {
    /// Fields of Envoy's messages that hold secrets, as its own `config_dump` redacts them (`udpa.annotations.sensitive`).
    private static let secret: Set<String> = [
        "private_key", "password", "session_ticket_keys", "inline_string_secret", "token", "secret",
    ]

    static func of(_ resource: EncodedResource) -> JSONValue {
        let encoded = ConfigResource(name: resource.name, bytes: resource.body)
        guard let type = resource.type.configType, let text = try? encoded.json(type),
            let document = try? JSONValue(json: Data(text.utf8))
        else { return ["undecoded": .string(Data(resource.body).base64EncodedString())] }
        return redacted(document)
    }

    static func redacted(_ document: JSONValue) -> JSONValue {
        switch document {
        case .object(let members):
            .object(
                Dictionary(
                    uniqueKeysWithValues: members.map { name, value in
                        (name, secret.contains(name) ? "[redacted]" : redacted(value))
                    }))
        case .array(let elements): .array(elements.map(redacted))
        default: document
        }
    }
}
