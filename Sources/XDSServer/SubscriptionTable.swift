/// The subscriptions of a stream, by ``ResourceType/rawValue``. Has room for as many types as the stream asked for: most ask
/// for the first few only.
struct SubscriptionTable {
    private var slots: [Subscription?] = []

    /// Nothing was ever asked for.
    var isEmpty: Bool { slots.isEmpty }

    /// In the order of the types.
    var all: [Subscription] { slots.compactMap { $0 } }

    subscript(index: Int) -> Subscription? {
        _read {
            if index < slots.count { yield slots[index] } else { yield nil }
        }
        _modify {
            if index < slots.count {
                yield &slots[index]
            } else {
                var new: Subscription?
                yield &new
                guard let new else { return }
                slots += Array(repeating: nil, count: index - slots.count) + [new]
            }
        }
    }
}
