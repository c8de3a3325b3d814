internal import Crypto
internal import EnvoyProtos
internal import Foundation
internal import NIOCore
internal import SwiftProtobuf

/// A resource that was encoded once and is sent to any number of streams. Immutable, so it is shared, not copied.
package final class EncodedResource: Sendable {
    package let type: ResourceType
    package let name: String
    /// A hash of name and content (SHA-256, the first 64 bits, hexadecimal): equal on all replicas, so a client that comes
    /// back elsewhere is sent nothing that it has. It only has to tell a resource from its own earlier forms, and a hash is
    /// the one part of a resource that does not compress, so it is short.
    package let version: String
    /// The same hash, 128 bits of it, of which a set's version is made.
    let digest: (UInt64, UInt64)
    /// The field `resources` of a `DiscoveryResponse` with this one resource, ready to be appended.
    let stateOfTheWorldField: SharedBytes
    /// The field `resources` of a `DeltaDiscoveryResponse` with this one resource, ready to be appended.
    let deltaField: SharedBytes
    /// The resource's own message.
    package let body: [UInt8]

    /// - Parameter body: the serialized message of the type, for example an `envoy.config.cluster.v3.Cluster`.
    package init(_ type: ResourceType, name: String, body: [UInt8]) {
        self.type = type
        self.name = name
        self.body = body
        var hash = SHA256()
        hash.update(data: Array(name.utf8))
        hash.update(data: [0])
        hash.update(data: body)
        digest = Self.numbers(hash.finalize())
        version = Self.hexadecimal(digest.0)

        var any = Google_Protobuf_Any()
        any.typeURL = type.typeURL
        any.value = Data(body)
        var response = Envoy_Service_Discovery_V3_DiscoveryResponse()
        response.resources = [any]
        stateOfTheWorldField = Self.field(response)
        var resource = Envoy_Service_Discovery_V3_Resource()
        resource.name = name
        resource.version = version
        resource.resource = any
        // Envoy looks there for the host that it asked for.
        if type == .virtualHost { resource.aliases = [name] }
        var delta = Envoy_Service_Discovery_V3_DeltaDiscoveryResponse()
        delta.resources = [resource]
        deltaField = Self.field(delta)
    }

    /// That there is no such virtual host: its name without a body, "to match the requested resource to the response"
    /// (Envoy's VHDS), so that the request goes on that waits for it.
    init(absentVirtualHost name: String) {
        (type, self.name, body, digest) = (.virtualHost, name, [], (0, 0))
        version = Self.absentVersion
        stateOfTheWorldField = SharedBytes(ByteBuffer())
        var resource = Envoy_Service_Discovery_V3_Resource()
        resource.name = name
        resource.aliases = [name]
        resource.version = version
        var delta = Envoy_Service_Discovery_V3_DeltaDiscoveryResponse()
        delta.resources = [resource]
        deltaField = Self.field(delta)
    }

    /// What a client may say it has of a virtual host that there was not. No hash looks like it.
    static let absentVersion = "absent"

    func field(_ variant: Variant) -> SharedBytes {
        switch variant {
        case .stateOfTheWorld: stateOfTheWorldField
        case .delta: deltaField
        }
    }

    /// A message in which only one field is set is that field: protobuf concatenates.
    private static func field(_ message: some Message) -> SharedBytes {
        let bytes: [UInt8]? = try? message.serializedBytes()
        return SharedBytes(ByteBuffer(bytes: bytes ?? []))
    }

    private static func numbers(_ digest: SHA256Digest) -> (UInt64, UInt64) {
        var numbers: (UInt64, UInt64) = (0, 0)
        for (index, byte) in digest.prefix(16).enumerated() {
            if index < 8 {
                numbers.0 = numbers.0 << 8 | UInt64(byte)
            } else {
                numbers.1 = numbers.1 << 8 | UInt64(byte)
            }
        }
        return numbers
    }

    static func hexadecimal(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}

/// The two variants of the protocol.
package enum Variant: Sendable {
    /// Every response of LDS and CDS has everything.
    case stateOfTheWorld
    /// Responses have what changed ("incremental").
    case delta
}
