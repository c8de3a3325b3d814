package import Documents
package import MeshCore

/// A message that is sent when the plan comes to it, without waiting for whether it arrives: `notify` of a step.
package struct NotifyStep: Document {
    /// Notification channels of the release's namespace; 1 to 10.
    package var channels: [Name] = []
    /// 1 to 1000 bytes.
    package var message = ""

    package init() {}

    package static let schemaName: String? = "NotifyStep"
    package static let fields: [Field<Self>] = [
        .required(
            "channels", \.channels, .list(of: .name, 1...10, .ofElements("is given twice")),
            "Notification channels of the namespace."),
        .required("message", \.message, .string(atMost: 1000), "For people."),
    ]
}
