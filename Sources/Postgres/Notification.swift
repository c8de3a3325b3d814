/// A message that another session sent with `NOTIFY`.
package struct Notification: Hashable, Sendable {
    package let channel: String
    /// At most 8000 bytes; empty if the sender gave none.
    package let payload: String
}
