internal import Crypto
internal import EnvoyProtos
internal import Foundation
internal import NIOCore
internal import SwiftProtobuf
internal import Synchronization

/// A resource that was encoded once and is sent to any number of streams. Immutable, so it is shared, not copied.
package final class EncodedResource: Sendable {
    package let type: ResourceType
    package let name: String
    /// A hash of name and content (SHA-256, the first 48 bits, base64url): equal on all replicas, so a client that comes
    /// back elsewhere is sent nothing that it has. It only has to tell a resource from its own earlier forms, which it fails
    /// to do once in 2^48 changes, and a hash is the one part of a resource that does not compress, so it is short: 64 bits in
    /// hexadecimal would be more than half of what a thousand clusters are when compressed.
    package let version: String
    /// 128 bits of the same hash, of which a set's version is made.
    let digest: ContentDigest
    /// The resource's own message.
    package let body: [UInt8]
    /// How long a client keeps the resource without hearing of it again (xDS protocol, "TTL"); `nil`: for ever. Clients that do
    /// not know of this keep it for ever, too.
    package let ttl: Duration?
    /// The field `resources` of a response with this one resource, ready to be appended.
    private let fields: Mutex<SharedForms>
    /// The field `resources` of a `DeltaDiscoveryResponse` that only says that the client is to keep the resource for another
    /// ``ttl``: without a body. `nil`: it is kept for ever.
    let heartbeat: SharedBytes?

    /// - Parameters:
    ///   - body: the serialized message of the type, for example an `envoy.config.cluster.v3.Cluster`.
    ///   - ttl: more than zero. It is a part of the version, as clients must hear of another one.
    ///   - earlier: what it was before: what did not change of a large one is not compressed again.
    package init(
        _ type: ResourceType, name: String, body: [UInt8], ttl: Duration? = nil, after earlier: EncodedResource? = nil
    ) {
        self.type = type
        self.name = name
        self.body = body
        self.ttl = ttl
        digest = Self.digest(name, body, ttl)
        version = digest.short
        var forms = SharedForms()
        if body.count >= SharedBytes.compressesFrom, let earlier {
            forms = SharedForms(after: earlier.fields.withLock { $0 })
        }
        fields = Mutex(forms)
        heartbeat = ttl.map { [version] ttl in SharedBytes(Self.field(Self.wrapper(name, version, ttl: ttl))) }
    }

    /// A resource that says there is no such virtual host: its name without a body, "to match the requested resource to the response"
    /// (Envoy's VHDS), so that the request goes on that waits for it.
    init(absentVirtualHost name: String) {
        (type, self.name, body, digest) = (.virtualHost, name, [], ContentDigest())
        version = Self.absentVersion
        (ttl, heartbeat) = (nil, nil)
        fields = Mutex(SharedForms())
    }

    /// The version of a virtual host that there is not, which a client may say it has. No hash looks like it.
    static let absentVersion = "absent"

    /// The field `resources` of a response with this one resource.
    func field(_ form: ResponseForm) -> SharedBytes {
        let form = ResponseForm(form.variant, hasTTL: form.hasTTL && ttl != nil)
        return fields.withLock { $0.bytes(form) { bytes(form) } }
    }

    private func bytes(_ form: ResponseForm) -> ByteBuffer {
        let isAbsent = version == Self.absentVersion
        guard form.variant == .delta || form.hasTTL else {
            // Of what is not there nothing can be said.
            return isAbsent ? ByteBuffer() : Self.field(Self.any(type.typeURL, body))
        }
        var resource = Self.wrapper(name, version, ttl: form.hasTTL ? ttl : nil)
        if !isAbsent { resource.resource = Self.any(type.typeURL, body) }
        // Envoy looks there for the host that it asked for.
        if type == .virtualHost { resource.aliases = [name] }
        guard form.variant == .stateOfTheWorld else { return Self.field(resource) }
        // "In order to use TTL with SotW xDS, the relevant resources must be wrapped in a Resource."
        let wrapped: [UInt8]? = try? resource.serializedBytes()
        return Self.field(Self.any("type.googleapis.com/envoy.service.discovery.v3.Resource", wrapped ?? []))
    }

    private static func any(_ typeURL: String, _ value: [UInt8]) -> Google_Protobuf_Any {
        .with {
            $0.typeURL = typeURL
            $0.value = Data(value)
        }
    }

    private static func wrapper(
        _ name: String, _ version: String, ttl: Duration?
    ) -> Envoy_Service_Discovery_V3_Resource {
        var resource = Envoy_Service_Discovery_V3_Resource()
        resource.name = name
        resource.version = version
        guard let ttl else { return resource }
        resource.ttl = .with {
            $0.seconds = ttl.components.seconds
            $0.nanos = Int32(ttl.components.attoseconds / 1_000_000_000)
        }
        return resource
    }

    private static func field(_ resource: Google_Protobuf_Any) -> ByteBuffer {
        field(Envoy_Service_Discovery_V3_DiscoveryResponse.with { $0.resources = [resource] })
    }

    private static func field(_ resource: Envoy_Service_Discovery_V3_Resource) -> ByteBuffer {
        field(Envoy_Service_Discovery_V3_DeltaDiscoveryResponse.with { $0.resources = [resource] })
    }

    /// A message in which only one field is set is that field: protobuf concatenates.
    private static func field(_ message: some Message) -> ByteBuffer {
        let bytes: [UInt8]? = try? message.serializedBytes()
        return ByteBuffer(bytes: bytes ?? [])
    }

    private static func digest(_ name: String, _ body: [UInt8], _ ttl: Duration?) -> ContentDigest {
        var hash = SHA256()
        hash.update(data: Array(name.utf8))
        // Names have neither of these bytes, so it is clear where they end and whether a time follows.
        hash.update(data: ttl.map { Array("\u{1}\($0)\u{0}".utf8) } ?? [0])
        hash.update(data: body)
        let bytes = Array(hash.finalize().prefix(16))
        func number(_ bytes: some Sequence<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
        return ContentDigest(high: number(bytes.prefix(8)), low: number(bytes.suffix(8)))
    }
}
