package import Documents
package import GrayRelease
package import MeshCore

/// Somewhere that people look at, which is told what happens to releases.
package struct NotificationChannelSpec: ResourceKind {
    package static let info = KindInfo("NotificationChannel", in: .namespace, roles: KindRoles(write: .developers))

    package enum ChannelType: String, CaseIterable, Sendable {
        case slack, feishu, dingtalk
        /// A receiver of JSON documents, signed as the Standard Webhooks say.
        case json
    }

    package var type = ChannelType.json
    /// The value is the whole URL: with chats it authorises whoever knows it.
    package var url = SecretReference()
    package var sign: SecretReference?
    package var filter = EventFilter()

    package init() {}

    package static let fields: [Field<Self>] = [
        .required(
            "type", \.type, .choice, "How a message is written and signed, and what answer means that it was taken."),
        .required("urlFrom", \.url, .secretRef, "The URL, as the value of a Secret: who knows it can write there."),
        .optional("signFrom", \.sign, .secretRef, "The secret to sign messages with. Not with slack, which has none."),
        .inlined(\.filter),
    ]
    package static let summary: String? = """
        Somewhere that is told what happens to releases that name it, at most 20 messages a minute; what comes beyond that is one message. \
        A message that is not taken is sent again for 24 hours.
        """

    package func finish(_ reading: Members) {
        if type == .slack && sign != nil {
            reading.report(
                "signFrom", .unsupported, "is not supported with slack, which knows no signature; leave it out")
        }
    }

    package static func references(_ spec: Self, of key: ObjectKey) -> [Reference] {
        [
            Reference(to: spec.url, at: .spec.appending("urlFrom").appending("secretRef"), of: key),
            spec.sign.flatMap { Reference(to: $0, at: .spec.appending("signFrom").appending("secretRef"), of: key) },
        ].compactMap(\.self)
    }
}

extension Kind {
    package static let notificationChannel = kinds[NotificationChannelSpec.self]
}
